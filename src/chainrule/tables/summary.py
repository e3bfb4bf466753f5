"""What the encoder learned of each column, for a person to read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from rich.table import Table as RichTable

from chainrule.tables.columns import shortened
from chainrule.tables.encodings import LevelEncoding, NumberEncoding, TimeEncoding
from chainrule.tables.specs import ColumnSpec

__all__ = ["Row", "Summary"]

HEADINGS = ("column", "type", "missing", "levels or range", "encoded as")
SHOWN_LEVELS = 3
SHOWN_SIGNS = 30
"""Of levels, beyond the first, so that a line of a summary fits into a terminal."""


class Row(NamedTuple):
    """One line of the summary."""

    column: str
    type: str
    missing: str
    content: str
    encoded: str


class Summary:
    """A table of columns: plain where printed, in colours where rich prints it.

    Attributes
    ----------
    rows : tuple of Row
    """

    def __init__(self, columns: Sequence[ColumnSpec]) -> None:
        self.rows = tuple(_row(spec) for spec in columns)
        self._used = tuple(spec.used for spec in columns)

    def __repr__(self) -> str:
        lines = [HEADINGS, *self.rows]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in lines
        )

    def __rich__(self) -> RichTable:
        table = RichTable(box=None, pad_edge=False, header_style="bold")
        for heading in HEADINGS:
            table.add_column(heading, justify="right" if heading == "missing" else "left")
        for row, used in zip(self.rows, self._used, strict=True):
            table.add_row(*row, style=None if used else "dim")
        return table


def _row(spec: ColumnSpec) -> Row:
    # nothing but a declaration makes a column ignored
    kind = f"{spec.kind} (declared)" if spec.declared and spec.kind != "ignored" else spec.kind
    share = spec.missing / spec.rows if spec.rows else 0.0
    return Row(_one_line(spec.name), kind, _percent(share), _content(spec), _encoded(spec))


def _percent(share: float) -> str:
    if share == 0:
        return "–"
    return "< 0.1 %" if share < 0.001 else f"{100 * share:.1f} %"


def _content(spec: ColumnSpec) -> str:
    if isinstance(spec.encoding, LevelEncoding):
        levels = spec.encoding.levels
        shown = [shortened(level, 20)[1:-1] for level in levels[:SHOWN_LEVELS]]
        while len(shown) > 1 and len(", ".join(shown)) > SHOWN_SIGNS:
            shown.pop()
        more = ["…"] if len(levels) > len(shown) else []
        return f"{len(levels)}: {', '.join([*shown, *more])}"
    if spec.low is None or spec.high is None:
        return ""
    if isinstance(spec.encoding, TimeEncoding):
        return f"{_moment(spec.low)} … {_moment(spec.high)}"
    return f"{_number(spec.low)} … {_number(spec.high)}"


def _number(value: float) -> str:
    """Whole numbers with all their digits, up to a trillion."""
    whole = abs(value) < 1e12 and value == int(value)
    return str(int(value)) if whole else f"{value:.6g}"


def _moment(seconds: float) -> str:
    moment = np.datetime64(round(seconds * 1e6), "us")
    return str(moment.astype("datetime64[D]" if seconds % 86_400 == 0 else "datetime64[s]"))


def _encoded(spec: ColumnSpec) -> str:
    parts = [_way(spec)]
    if spec.note and not spec.declared:  # then the note says no more than the type does
        parts.append(spec.note)
    return "; ".join(part for part in parts if part)


def _way(spec: ColumnSpec) -> str:
    encoding = spec.encoding
    if isinstance(encoding, LevelEncoding):
        ways = {
            "binary": "±1",
            "one-hot": f"one-hot, {len(encoding.levels)} features",
            "embedding": f"code in {encoding.cardinality}",
        }
        return ways[encoding.choice]
    if isinstance(encoding, TimeEncoding):
        elapsed = ["elapsed"] if encoding.elapsed else []
        waves = [f"sin, cos of {cycle}" for cycle in encoding.cycles]
        return ", ".join([*elapsed, *waves, *_indicator(encoding.indicator is not None)])
    if isinstance(encoding, NumberEncoding):
        value = ["scaled"] if encoding.value else []
        return ", ".join([*value, *_indicator(encoding.indicator is not None)]) or "not used"
    return "not used"


def _indicator(present: bool) -> list[str]:
    return ["missing?"] if present else []


def _one_line(text: str) -> str:
    return " ".join(text.split())
