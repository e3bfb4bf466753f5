"""Models in files, for tables as they come: the scaling goes into the first layer.

A model is trained on X′ = (X − shift) · factor. Since X′ W + b = X (factor · W) + (b − (factor ·
shift) W), the same predictions come from unscaled rows and other weights in the first layer; so
the file holds one network, nothing beside it, and ``chainrule.load`` takes rows as they are.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.cli.console import made_now
from chainrule.cli.sources import Scaling, Source
from chainrule.errors import FileFormatError, describe
from chainrule.estimators import load, save
from chainrule.files import read_model

TABLE, KEYS = "table", ("columns", "target")
MADE = "made"
"""Under which name a file says by which command and which versions it was made."""


@dataclass(frozen=True)
class Kept:
    """A model from a file.

    Attributes
    ----------
    model : estimator
    columns : tuple of str or None
        Names of the columns that it reads, where it was learnt from a table.
    target : str or None
        The name of the column that it predicts.
    """

    model: Any
    columns: tuple[str, ...] | None
    target: str | None


def save_model(model: Any, source: Source, path: str | os.PathLike[str]) -> None:
    """Write a model file that predicts from rows as ``source`` has them."""
    table = {"columns": list(source.columns), "target": source.target}
    notes = {TABLE: table} if source.target else {}
    save(unscaled(model, source.scaling), path, notes | {MADE: made_now()})


def keep_table_model(
    model: Any, columns: Sequence[str], target: str, path: str | os.PathLike[str]
) -> None:
    """Write a model file of an estimator that encodes columns itself."""
    table = {"columns": list(columns), "target": target}
    save(model, path, {TABLE: table, MADE: made_now()})


def load_model(path: Path) -> Kept:
    """The model in a file, and the columns that it speaks of.

    Raises
    ------
    FileFormatError
        When the file is not a model's.
    """
    model = load(path)
    table = read_model(path)[1].get(TABLE)
    if table is None:
        return Kept(model, None, None)
    columns, target = (table.get(key) if isinstance(table, dict) else None for key in KEYS)
    if not (
        isinstance(target, str)
        and isinstance(columns, list)
        and len(columns) == model.n_features_in_
        and all(isinstance(name, str) for name in columns)
    ):
        expected = f"the names of {model.n_features_in_} columns and of the target"
        raise FileFormatError(describe(path, expected, repr(table)))
    return Kept(model, tuple(columns), target)


def unscaled(model: Any, scaling: Scaling) -> Any:
    """The same model for rows that are not scaled."""
    twin = copy.copy(model)
    if hasattr(model, "coefs_"):
        W, b = _moved(model.coefs_[0], model.intercepts_[0], scaling)
        twin.coefs_ = [W, *model.coefs_[1:]]
        twin.intercepts_ = [b, *model.intercepts_[1:]]
    else:
        W, twin.intercept_ = _moved(model.coef_.T, model.intercept_, scaling)
        twin.coef_ = np.ascontiguousarray(W.T)
    return twin


def _moved(W: np.ndarray, b: np.ndarray, scaling: Scaling) -> tuple[np.ndarray, np.ndarray]:
    moved = W * scaling.factor[:, np.newaxis]
    return moved.astype(W.dtype), (b - scaling.shift @ moved).astype(b.dtype)
