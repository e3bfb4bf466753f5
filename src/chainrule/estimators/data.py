"""Checking rows, targets and weights: scikit-learn's rules, one clear line where broken."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

import numpy as np
import scipy.sparse
from sklearn import get_config
from sklearn.utils import check_array
from sklearn.utils.validation import column_or_1d, validate_data

from chainrule.errors import DataError

FLOATS = (np.float64, np.float32, np.uint8)
"""Rows are kept as they come in these; anything else becomes float64."""


def check_rows(estimator: Any, X: Any, *, reset: bool) -> Any:
    """X as an ndarray or a CSR matrix, its width and column names checked or (reset) learned."""
    try:
        with np.errstate(invalid="ignore"):  # a sum that meets both infinities
            return validate_data(estimator, X, accept_sparse="csr", dtype=FLOATS, reset=reset)
    except ValueError as error:
        raise _explained(estimator, X, error) from error


def check_rows_and_target(
    estimator: Any, X: Any, y: Any, *, reset: bool, numeric: bool, finite: bool = True
) -> tuple[Any, Any]:
    """X as ``check_rows`` gives it; y as an array of as many rows, one column made flat.

    Without ``finite`` rows that need nothing else may come back with NaN and infinity in them:
    for callers who look for these themselves.
    """
    if _are_plain(estimator, X, y, reset, finite):
        estimator.n_features_in_ = X.shape[1]
        if reset:
            vars(estimator).pop("feature_names_in_", None)
        return X, y
    try:
        with np.errstate(invalid="ignore"):
            X, y = validate_data(
                estimator,
                X,
                y,
                accept_sparse="csr",
                dtype=FLOATS,
                multi_output=True,
                y_numeric=numeric,
                reset=reset,
            )
    except ValueError as error:
        raise _explained(estimator, X, error) from error
    if getattr(y, "ndim", 1) == 2 and y.shape[1] == 1 and not scipy.sparse.issparse(y):
        y = column_or_1d(y, warn=True)
    return X, y


def check_weights(sample_weight: Any, rows: int) -> np.ndarray | None:
    """Weights of the rows as numbers ≥ 0, or None.

    Raises
    ------
    ValueError
        When they are not one finite number ≥ 0 a row, or all are 0.
    """
    if sample_weight is None:
        return None
    if isinstance(sample_weight, Real):
        sample_weight = np.full(rows, sample_weight)
    weight = check_array(
        sample_weight,
        ensure_2d=False,
        dtype=np.float64,  # type: ignore[arg-type]  # its stub knows names only
        input_name="sample_weight",
    )
    if weight.ndim != 1:
        raise DataError(f"Sample weights must be 1D array or scalar, got {weight.ndim}D array.")
    if weight.shape != (rows,):
        raise DataError(f"sample_weight.shape == {weight.shape}, expected {(rows,)}!")
    if np.any(weight < 0):
        raise DataError(f"Sample weights must be ≥ 0, got {weight.min()}.")
    if not np.any(weight > 0):
        raise DataError("Sample weights must contain at least one non-zero number.")
    return weight


def is_plain(estimator: Any, X: Any, dtype: np.dtype) -> bool:
    """Whether X needs no validation but of being finite: an ndarray of the right precision, width.

    Then prediction goes straight to the network, so that one row costs microseconds.
    """
    return (
        type(X) is np.ndarray
        and X.ndim == 2
        and X.dtype == dtype
        and X.shape[1] == estimator.n_features_in_
        and X.shape[0] > 0
        and not hasattr(estimator, "feature_names_in_")
    )


def _are_plain(estimator: Any, X: Any, y: Any, reset: bool, finite: bool) -> bool:
    """Whether validation would give back these very rows and targets, with nothing to say."""
    if not (type(X) is np.ndarray and X.ndim == 2 and X.dtype in FLOATS and X.size > 0):
        return False
    if not (type(y) is np.ndarray and y.dtype.kind in "fiub" and y.shape == (X.shape[0],)):
        return False
    known = vars(estimator)
    if not reset and ("feature_names_in_" in known or known["n_features_in_"] != X.shape[1]):
        return False
    if get_config()["assume_finite"]:
        return True
    return _sum_is_finite(y) and (not finite or _sum_is_finite(X))


def _sum_is_finite(values: np.ndarray) -> bool:
    """Whether no value is NaN or infinite; "no" also where large ones add up to infinity."""
    if values.dtype.kind != "f":
        return True
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(values.sum()))


def _explained(estimator: Any, X: Any, error: ValueError) -> ValueError:
    """scikit-learn's error as one line, with the place of the trouble where that can be found."""
    name = type(estimator).__name__
    # arrays that are printed below the message say nothing that their shape does not
    lines = [line.strip() for line in str(error).splitlines()]
    text = " ".join(line for line in lines if line and not line.startswith(("array=", "[")))
    if text.startswith("Input X contains"):
        return DataError(f"{lines[0]} {name}: {_where_not_finite(X)}")
    if text.startswith("Complex data not supported"):
        which = "X" if np.iscomplexobj(X) else "y"
        return DataError(
            f"Complex data not supported. {name}: {which} holds complex numbers; give their real "
            "and imaginary parts as columns of their own."
        )
    if text.startswith("could not convert string to float"):
        return DataError(f"{text}. {name}: {_where_text(X)}")
    return DataError(text) if len(lines) > 1 else error


def _where_not_finite(X: Any) -> str:
    remedy = "fill missing values first, for instance with SimpleImputer."
    if scipy.sparse.issparse(X):
        return f"a stored value of X is not finite; {remedy}"
    values = np.asarray(X)
    finite = np.isfinite(values) if values.dtype.kind == "f" else np.vectorize(_is_finite)(values)
    row, column = np.argwhere(~finite)[0]
    return f"the first is in row {row}, column {_column(X, int(column))}; {remedy}"


def _is_finite(value: Any) -> bool:
    """Whether a cell of a table of objects holds a number; pandas' NA and None are none."""
    try:
        return math.isfinite(float(value))
    except (TypeError, ValueError):
        return False


def _where_text(X: Any) -> str:
    remedy = "encode text first, for instance with OneHotEncoder."
    values = np.asarray(X)
    if values.ndim < 2 and values.dtype.kind in "OUS":
        return "X must be a table of numbers, one row a sample; it is text."
    for column in range(values.shape[1] if values.ndim == 2 else 0):
        for row, value in enumerate(values[:, column]):
            if isinstance(value, str):
                where = f"row {row}, column {_column(X, column)}"
                return f"{where} holds the text {str(value)!r}; {remedy}"
    return "y must hold numbers, it holds text."


def _column(X: Any, column: int) -> str:
    names = getattr(X, "columns", None)
    return str(column) if names is None else f"{column} ({names[column]!r})"
