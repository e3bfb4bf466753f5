"""An encoder's columns as plain data for the model file, and back, believing nothing."""

from __future__ import annotations

from collections.abc import Callable
from reprlib import repr as short
from typing import Any

from chainrule.errors import FileFormatError, describe
from chainrule.tables.columns import STORAGES
from chainrule.tables.encodings import (
    CYCLES,
    LEVEL_WAYS,
    Encoding,
    LevelEncoding,
    NoEncoding,
    NumberEncoding,
    TimeEncoding,
)
from chainrule.tables.inference import DECLARABLE, KINDS
from chainrule.tables.scaling import LARGEST, Scaling
from chainrule.tables.specs import ColumnSpec
from chainrule.tables.statistics import MAX_LEVELS

__all__ = ["VERSION", "columns_from_dict", "columns_to_dict"]

VERSION = 1
MAX_COLUMNS = 1_000_000
WAYS_OF_KIND = {
    "numeric": ("number",),
    "binary": ("levels",),
    "categorical": ("levels",),
    "datetime": ("time",),
}


def columns_to_dict(specs: tuple[ColumnSpec, ...], named: bool) -> dict[str, Any]:
    """Plain data: version, whether the names are the data's own, the columns in order."""
    return {"version": VERSION, "named": named, "columns": [_spec_to_dict(spec) for spec in specs]}


def _spec_to_dict(spec: ColumnSpec) -> dict[str, Any]:
    data = {key: value for key, value in vars(spec).items() if key != "encoding"}
    return data | {"encoding": spec.encoding.to_dict()}


def columns_from_dict(data: Any) -> tuple[tuple[ColumnSpec, ...], bool, dict[str, Any]]:
    """(columns, named, options) from plain data; a ``FileFormatError`` names what is wrong."""
    where = "column encoder"
    version = _get(data, where, "version", "an integer ≥ 1", lambda v: _is_count(v) and v >= 1)
    if version > VERSION:
        remedy = "Read it with a newer chainrule."
        raise FileFormatError(describe(where, f"version at most {VERSION}", version, remedy))
    named = _get(data, where, "named", "true or false", _is_bool)
    columns = _get(
        data, where, "columns", "a list", lambda v: isinstance(v, list) and len(v) <= MAX_COLUMNS
    )
    specs = tuple(_spec_from_dict(entry, f"{where}, column {i}") for i, entry in enumerate(columns))
    names = [spec.name for spec in specs]
    if len(set(names)) < len(names):
        raise FileFormatError(describe(where, "every column name once", "one again"))
    return specs, named, _options(data, where)


def _options(data: dict[str, Any], where: str) -> dict[str, Any]:
    options = _get(data, where, "options", "an object", lambda v: isinstance(v, dict))
    where = f"{where}, options"
    _get(
        options,
        where,
        "types",
        "an object of types",
        lambda v: isinstance(v, dict) and all(_among(kind, DECLARABLE) for kind in v.values()),
    )
    _get(
        options,
        where,
        "max_one_hot",
        "an integer ≥ 1 or null",
        lambda v: v is None or (_is_count(v) and v >= 1),
    )
    if "least_missing" in options:  # files of an earlier day have none
        counts = "an integer ≥ 1"
        _get(options, where, "least_missing", counts, lambda v: _is_count(v) and v >= 1)
    known = ("types", "max_one_hot", "least_missing")
    return {name: options[name] for name in known if name in options}


def _spec_from_dict(data: Any, where: str) -> ColumnSpec:
    kind = _get(data, where, "kind", f"one of {', '.join(KINDS)}", lambda v: _among(v, KINDS))
    rows = _get(data, where, "rows", "an integer ≥ 0", _is_count)
    encoding = _get(data, where, "encoding", "an object", lambda v: isinstance(v, dict))
    return ColumnSpec(
        name=_get(data, where, "name", "a string", lambda v: isinstance(v, str)),
        kind=kind,
        storage=_get(
            data, where, "storage", f"one of {', '.join(STORAGES)}", lambda v: _among(v, STORAGES)
        ),
        declared=_get(data, where, "declared", "true or false", _is_bool),
        rows=rows,
        missing=_get(data, where, "missing", f"0 to {rows}", lambda v: _is_count(v) and v <= rows),
        low=_get(data, where, "low", "a finite number or null", _is_bound),
        high=_get(data, where, "high", "a finite number or null", _is_bound),
        note=_get(data, where, "note", "a string", lambda v: isinstance(v, str)),
        encoding=_encoding_from_dict(encoding, kind, where),
    )


def _encoding_from_dict(data: dict[str, Any], kind: str, where: str) -> Encoding:
    ways = WAYS_OF_KIND.get(kind, ("none",))
    way = _get(data, where, "way", f"{' or '.join(ways)} for {kind}", lambda v: _among(v, ways))
    return MAKERS[way](data, kind, where)


def _nothing(data: dict[str, Any], kind: str, where: str) -> NoEncoding:
    return NoEncoding()


def _numbers(data: dict[str, Any], kind: str, where: str) -> NumberEncoding:
    return NumberEncoding(_scaling(data, where, "value"), _scaling(data, where, "indicator"))


def _times(data: dict[str, Any], kind: str, where: str) -> TimeEncoding:
    cycles = _get(
        data,
        where,
        "cycles",
        f"some of {', '.join(CYCLES)}",
        lambda v: _is_texts(v) and v == [cycle for cycle in CYCLES if cycle in v],
    )
    elapsed, indicator = _scaling(data, where, "elapsed"), _scaling(data, where, "indicator")
    return TimeEncoding(elapsed, tuple(cycles), indicator)


def _levels(data: dict[str, Any], kind: str, where: str) -> LevelEncoding:
    ways = ("binary",) if kind == "binary" else LEVEL_WAYS[1:]
    choice = _get(data, where, "choice", " or ".join(ways), lambda v: _among(v, ways))
    levels = _get(
        data,
        where,
        "levels",
        f"up to {MAX_LEVELS} different strings",
        lambda v: _is_texts(v) and 1 <= len(v) <= MAX_LEVELS and len(set(v)) == len(v),
    )
    if choice == "binary" and len(levels) != 2:
        raise FileFormatError(describe(where, "two levels", len(levels)))
    features = 1 if choice == "binary" else len(levels) if choice == "one-hot" else 0
    scalings = _get(
        data,
        where,
        "scalings",
        f"{features} scalings",
        lambda v: isinstance(v, list) and len(v) == features,
    )
    as_numbers = _get(data, where, "as_numbers", "true or false", _is_bool)
    made = tuple(Scaling.from_dict(scaling, where) for scaling in scalings)
    return LevelEncoding(tuple(levels), choice, made, as_numbers)


MAKERS: dict[str, Callable[[dict[str, Any], str, str], Encoding]] = {
    "none": _nothing,
    "number": _numbers,
    "levels": _levels,
    "time": _times,
}


def _scaling(data: dict[str, Any], where: str, key: str) -> Scaling | None:
    value = _get(data, where, key, "a scaling or null", lambda v: v is None or isinstance(v, list))
    return None if value is None else Scaling.from_dict(value, where)


def _get(data: Any, where: str, key: str, expected: str, holds: Callable[[Any], bool]) -> Any:
    if not isinstance(data, dict):
        raise FileFormatError(describe(where, "an object", type(data).__name__))
    if key not in data:
        raise FileFormatError(describe(where, f"{key!r}", "none"))
    if not holds(data[key]):
        raise FileFormatError(describe(f"{where}: {key}", expected, short(data[key])))
    return data[key]


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**63


def _is_bool(value: Any) -> bool:
    return type(value) is bool


def _is_bound(value: Any) -> bool:
    return value is None or (type(value) in (int, float) and abs(value) <= LARGEST)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def _among(value: Any, allowed: tuple[str, ...]) -> bool:
    return isinstance(value, str) and value in allowed
