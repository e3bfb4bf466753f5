"""The column encoder in ONNX: from the columns of a table to dense features and codes.

Each column that training used is an input of its own, (rows,): numbers as doubles, NaN where
missing; times as seconds since 1970 in UTC, as doubles; everything else as text, written as the
encoder's levels are, "" where missing.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from chainrule.exchange.onnx_builder import Builder
from chainrule.tables import ColumnEncoder, as_table
from chainrule.tables.alignment import align
from chainrule.tables.columns import Column
from chainrule.tables.encodings import (
    CYCLES,
    EPOCH_TO_MONDAY,
    LevelEncoding,
    NumberEncoding,
    TimeEncoding,
    seconds_of,
)
from chainrule.tables.scaling import CLIP, Scaling
from chainrule.tables.specs import ColumnSpec
from chainrule.tables.values import levels_of, numbers_of

__all__ = ["add_columns", "column_arrays"]


def add_columns(onnx: Builder, encoder: ColumnEncoder) -> tuple[str | None, str | None]:
    """Dense features (rows, features) as float32 and codes (rows, columns) as int64, if any."""
    dense: list[str] = []
    codes: list[str] = []
    for spec in encoder.columns_:
        if not spec.used:
            continue
        if isinstance(spec.encoding, LevelEncoding):
            code = _codes(onnx, spec, spec.encoding)
            if spec.encoding.cardinality:
                codes.append(_as_column(onnx, code))
            else:
                dense.append(onnx.add("Gather", onnx.constant(spec.encoding.table), code, axis=0))
            continue
        x = onnx.input(spec.name, np.float64, ("rows",))
        features = _features(onnx, spec, x)
        dense += [_as_column(onnx, onnx.cast(one, np.float32)) for one in features]
    return _joined(onnx, dense), _joined(onnx, codes)


def column_arrays(encoder: ColumnEncoder, X: Any) -> dict[str, np.ndarray]:
    """The columns of a table as the inputs of its ONNX model, by name.

    Parameters
    ----------
    encoder : ColumnEncoder
        Fitted.
    X : table
        As the encoder takes it.
    """
    table = align(as_table(X), encoder.columns_, encoder.named, "ONNX")
    return {spec.name: _plain(spec, table[spec.name]) for spec in encoder.columns_ if spec.used}


def _plain(spec: ColumnSpec, column: Column) -> np.ndarray:
    if isinstance(spec.encoding, TimeEncoding):
        return seconds_of(column)
    if isinstance(spec.encoding, NumberEncoding) or spec.storage == "number":
        return numbers_of(column)[0]
    as_numbers = isinstance(spec.encoding, LevelEncoding) and spec.encoding.as_numbers
    levels, codes = levels_of(column, as_numbers=as_numbers)
    return np.array([*levels, ""], dtype=object)[codes]


def _codes(onnx: Builder, spec: ColumnSpec, encoding: LevelEncoding) -> str:
    """The number of each row's level, 0 where it is missing or unknown."""
    numbers = np.arange(1, len(encoding.levels) + 1)
    if spec.storage != "number":
        text = onnx.input(spec.name, str, ("rows",))
        return onnx.add(
            "LabelEncoder",
            text,
            domain="ai.onnx.ml",
            keys_strings=list(encoding.levels),
            values_int64s=numbers.tolist(),
            default_int64=0,
        )
    x = _as_column(onnx, onnx.input(spec.name, np.float64, ("rows",)))
    levels = onnx.constant(np.array([[float(level) for level in encoding.levels]]))
    same = onnx.cast(onnx.add("Equal", x, levels), np.float64)
    code = onnx.add("MatMul", same, onnx.constant(numbers.astype(np.float64)))
    return onnx.cast(code, np.int64)


def _features(onnx: Builder, spec: ColumnSpec, x: str) -> list[str]:
    """The dense features of a column of numbers or times, as doubles (rows,)."""
    encoding, features = spec.encoding, []
    missing = onnx.add("IsNaN", x)
    if isinstance(encoding, NumberEncoding):
        value, indicator = encoding.value, encoding.indicator
    elif isinstance(encoding, TimeEncoding):
        value, indicator = encoding.elapsed, encoding.indicator
    else:
        return []
    if value is not None:
        features.append(_scaled(onnx, x, missing, value))
    for cycle in encoding.cycles if isinstance(encoding, TimeEncoding) else ():
        start = EPOCH_TO_MONDAY if cycle == "week" else 0.0
        turns = onnx.add(
            "Div", onnx.add("Sub", x, _double(onnx, start)), _double(onnx, CYCLES[cycle])
        )
        phase = onnx.add("Sub", turns, onnx.add("Floor", turns))
        angle = onnx.add("Mul", phase, _double(onnx, 2 * math.pi))
        for wave in ("Sin", "Cos"):
            value_of = onnx.add(wave, angle)
            features.append(onnx.add("Where", missing, _double(onnx, 0.0), value_of))
    if indicator is not None:
        features.append(_scaled(onnx, onnx.cast(missing, np.float64), None, indicator))
    return features


def _scaled(onnx: Builder, x: str, missing: str | None, scaling: Scaling) -> str:
    """z = (x − center) / scale; z / √(1 + (z/3)²); 0 where missing."""
    away = onnx.add("Sub", x, _double(onnx, scaling.center))
    z = onnx.add("Div", away, _double(onnx, scaling.scale))
    z = onnx.add("Clip", z, _double(onnx, -1e18), _double(onnx, 1e18))
    share = onnx.add("Div", z, _double(onnx, CLIP))
    length = onnx.add("Add", onnx.add("Mul", share, share), _double(onnx, 1.0))
    y = onnx.add("Div", z, onnx.add("Sqrt", length))
    return y if missing is None else onnx.add("Where", missing, _double(onnx, 0.0), y)


def _double(onnx: Builder, value: float) -> str:
    return onnx.constant(np.float64(value))


def _as_column(onnx: Builder, x: str) -> str:
    return onnx.add("Unsqueeze", x, onnx.integers([1]))


def _joined(onnx: Builder, parts: list[str]) -> str | None:
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else onnx.add("Concat", *parts, axis=1)
