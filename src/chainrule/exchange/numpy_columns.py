"""The column encoder as lines of plain NumPy: from columns to what a network reads."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from chainrule.networks.realmlp import Features
from chainrule.tables import ColumnEncoder
from chainrule.tables.encodings import (
    CYCLES,
    EPOCH_TO_MONDAY,
    LevelEncoding,
    NumberEncoding,
    TimeEncoding,
)
from chainrule.tables.scaling import Scaling
from chainrule.tables.specs import ColumnSpec

__all__ = ["HELPERS", "TABLE_MAIN", "columns_text"]

HELPERS = '''
def is_missing(value):
    """None, NaN and the empty text."""
    return value is None or value != value or value == ""


def numbers(column):
    """Numbers of any kind, NaN where missing."""
    return np.array([np.nan if is_missing(one) else float(one) for one in column])


def seconds(column):
    """Seconds since 1970 of times in UTC, NaN where missing."""
    known = [np.datetime64("NaT") if is_missing(one) else np.datetime64(one) for one in column]
    times = np.array(known, dtype="datetime64[us]")
    return np.where(np.isnat(times), np.nan, times.astype(np.int64).astype(float) / 1e6)


def scaled(x, center, scale):
    """z / √(1 + (z/3)²) of z = (x − center) / scale; 0 where missing."""
    with np.errstate(over="ignore"):
        z = np.clip((x - center) / scale, -1e18, 1e18)
    return np.where(np.isnan(x), 0.0, z / np.sqrt(1 + np.square(z / 3)))


def wave(function, seconds, start, cycle):
    """Sine or cosine of where in a cycle a time lies; 0 where missing."""
    return np.nan_to_num(function(2 * np.pi * np.mod((seconds - start) / cycle, 1.0)))


def level(value, as_numbers):
    """A value as levels are written: whole numbers without a point."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.number)):
        try:
            value = float(value) if as_numbers else str(value)
        except ValueError:
            return str(value)
    if isinstance(value, str):
        return value
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def codes(column, levels, as_numbers=False):
    """The place of each value among ``levels``, from 1; 0 for missing and unknown."""
    place = {one: number for number, one in enumerate(levels, start=1)}
    known = [0 if is_missing(one) else place.get(level(one, as_numbers), 0) for one in column]
    return np.array(known, dtype=np.int64)
'''

TABLE_MAIN = """
if __name__ == "__main__":
    import csv

    with open(sys.argv[1], encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))
    for answer in predict({name: [line[name] for line in lines] for name in lines[0]}):
        print(answer)
"""


def columns_text(
    encoder: ColumnEncoder,
    features: Features,
    inputs: list[str],
    keep: Callable[[str, np.ndarray], str],
) -> str:
    """The function that makes ``inputs`` of a table; ``keep`` writes an array down, by name."""
    dense: list[str] = []
    codes: list[str] = []
    for number, spec in enumerate(encoder.columns_):
        if not spec.used:
            continue
        column = f"table[{spec.name!r}]"
        if isinstance(spec.encoding, LevelEncoding):
            code = _codes(spec, spec.encoding, column)
            if spec.encoding.cardinality:
                codes.append(code)
            else:
                dense.append(f"{keep(f'LEVELS{number}', spec.encoding.table)}[{code}]")
        else:
            dense += _features(spec, column)
    lines = [
        "def inputs(table):",
        '    """What the network reads, from the columns of a table (or an array of them)."""',
        '    if not hasattr(table, "keys"):',
        f"        names = {[spec.name for spec in encoder.columns_]!r}",
        "        table = dict(zip(names, np.asarray(table).T))",
    ]
    lines += _stacked("dense", dense, "np.float32") + _stacked("places", codes, "np.int64")
    made = {
        "x": f"dense[:, {list(features.x)!r}]",
        "z": f"dense[:, {list(features.z)!r}]",
        "codes": f"places + np.array({features.offsets.tolist()!r})",
    }
    return "\n".join([*lines, f"    return {', '.join(made[name] for name in inputs)},", ""])


def _stacked(name: str, parts: list[str], dtype: str) -> list[str]:
    if not parts:
        return []
    rows = [f"        {part}," for part in parts]
    return [f"    {name} = np.column_stack([", *rows, f"    ]).astype({dtype})"]


def _codes(spec: ColumnSpec, encoding: LevelEncoding, column: str) -> str:
    more = ", as_numbers=True" if encoding.as_numbers or spec.storage == "number" else ""
    return f"codes({column}, {list(encoding.levels)!r}{more})"


def _features(spec: ColumnSpec, column: str) -> list[str]:
    encoding = spec.encoding
    if isinstance(encoding, NumberEncoding):
        return _scaled(f"numbers({column})", encoding.value, encoding.indicator)
    if not isinstance(encoding, TimeEncoding):
        return []
    x = f"seconds({column})"
    starts = {"week": EPOCH_TO_MONDAY}
    waves = [
        f"wave(np.{function}, {x}, {starts.get(cycle, 0.0)!r}, {CYCLES[cycle]!r})"
        for cycle in encoding.cycles
        for function in ("sin", "cos")
    ]
    elapsed = _scaled(x, encoding.elapsed, None)
    return [*elapsed, *waves, *_scaled(x, None, encoding.indicator)]


def _scaled(x: str, value: Scaling | None, indicator: Scaling | None) -> list[str]:
    said = [] if value is None else [f"scaled({x}, {value.center!r}, {value.scale!r})"]
    if indicator is not None:
        said.append(f"scaled(np.isnan({x}) * 1.0, {indicator.center!r}, {indicator.scale!r})")
    return said
