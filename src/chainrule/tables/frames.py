"""Columns of pandas, polars and pyarrow: only what the given object offers, nothing imported.

Which library an object is of is told by the module of its class, so that none of the three needs
to be installed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from chainrule.errors import WrongTypeError
from chainrule.tables.columns import BOOL_LEVELS, Column, recoded
from chainrule.tables.objects import column_of, text_column
from chainrule.tables.values import levels_of

__all__ = ["frame_columns", "library_of"]


def library_of(X: Any) -> str:
    """ "pandas", "polars", "pyarrow" or another library's name, from the classes of ``X``."""
    names = [kind.__module__.partition(".")[0] for kind in type(X).__mro__]
    known = [name for name in names if name in ("pandas", "polars", "pyarrow")]
    return known[0] if known else names[0]


def frame_columns(X: Any) -> Iterator[tuple[Any, Callable[[str], Column]]]:
    """(label, the column as a function of its name) of every column of a frame."""
    library = library_of(X)
    if library == "pandas":
        for place, label in enumerate(X.columns):
            series = X.iloc[:, place]
            yield label, lambda name, series=series: _of_pandas(name, series)
    elif library == "polars":
        for series in X.iter_columns():
            yield series.name, lambda name, series=series: _of_polars(name, series)
    else:
        for label, values in zip(X.column_names, X.columns, strict=True):
            yield label, lambda name, values=values: column_of(name, values.to_pylist())


def _of_pandas(name: str, series: Any) -> Column:
    dtype = series.dtype
    if hasattr(dtype, "categories") and hasattr(series, "cat"):
        return _of_categories(name, series.cat.categories, series.cat.codes.to_numpy())
    kind = dtype.kind
    if isinstance(dtype, np.dtype):
        return column_of(name, series.to_numpy())
    if kind == "M":
        if getattr(dtype, "tz", None) is not None or hasattr(dtype, "pyarrow_dtype"):
            series = _in_utc(series)
        return Column(name, "time", series.to_numpy(dtype="datetime64[us]"))
    if kind in "iuf":
        if kind != "f" and not series.isna().any():
            return column_of(name, series.to_numpy(dtype=np.uint64 if kind == "u" else np.int64))
        return column_of(name, series.to_numpy(dtype=np.float64, na_value=np.nan))
    return column_of(name, series.to_numpy(dtype=object, na_value=None))


def _in_utc(series: Any) -> Any:
    if series.dt.tz is None:
        return series
    return series.dt.tz_convert("UTC").dt.tz_localize(None)


def _of_categories(name: str, categories: Any, codes: np.ndarray) -> Column:
    """A categorical is levels, whatever its categories are: who made it one meant that."""
    try:
        levels, places = levels_of(column_of(name, categories.to_numpy()))
        known: list[str | None] = [levels[int(place)] for place in places]
    except WrongTypeError:
        known = [str(category) for category in categories]  # intervals, for one
    different, codes = recoded(known, codes.astype(np.int32))
    return Column(name, "text", codes, different)


def _of_polars(name: str, series: Any) -> Column:
    dtype = series.dtype
    kind = type(dtype).__name__ if not isinstance(dtype, type) else dtype.__name__
    if dtype.is_integer() and not series.null_count():
        return column_of(name, series.to_numpy())
    if dtype.is_numeric():
        return column_of(name, np.array(series.cast(_polars_type("Float64")).to_numpy()))
    if kind == "Boolean":
        codes = [-1 if value is None else int(value) for value in series.to_list()]
        return Column(name, "bool", np.array(codes, dtype=np.int32), BOOL_LEVELS)
    if kind in ("String", "Utf8", "Categorical", "Enum"):
        return text_column(name, series.cast(_polars_type("String")).to_list())
    if kind == "Duration":
        seconds = series.dt.total_microseconds().cast(_polars_type("Float64")) / 1e6
        return column_of(name, np.array(seconds.to_numpy()))
    if kind in ("Date", "Datetime"):
        return Column(name, "time", _polars_times(series))
    return column_of(name, series.to_list())


def _polars_times(series: Any) -> np.ndarray:
    # through whole numbers: the first releases of polars 1 crash on times with NumPy 2
    if getattr(series.dtype, "time_zone", None) is not None:
        series = series.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    micro = series.cast(_polars_type("Datetime")("us")).to_physical()
    return micro.fill_null(np.iinfo(np.int64).min).to_numpy().astype("datetime64[us]")


def _polars_type(name: str) -> Any:
    """A data type of polars, which is imported already where a frame of it is given."""
    return getattr(sys.modules["polars"], name)
