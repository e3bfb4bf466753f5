"""What happened in training: one row an epoch (mini-batches) or an iteration (SciPy's solvers)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from chainrule.errors import OptionError
from chainrule.graph.markup import table, tag
from chainrule.graph.show import align
from chainrule.training.curves import curves_svg

NOTHING = "History: no epochs yet"

COLUMNS = (
    "epoch",
    "loss",
    "validation_loss",
    "validation_score",
    "gradient_norm",
    "learning_rate",
    "seconds",
)


class History:
    """A table of plain columns.

    ============================  =========================================================
    column                        meaning
    ============================  =========================================================
    epoch                         epoch or iteration, from 1
    loss                          the objective: its mean over the epoch's batches, or at the
                                  end of the iteration
    validation_loss, _score       where a validation was given, else NaN
    gradient_norm                 Euclidean norm, before clipping; mean over the batches
    learning_rate                 of the epoch's last batch; NaN for solvers without one
    seconds                       since training began
    ============================  =========================================================

    ``history["loss"]`` is a list of numbers, ``history[-1]`` the last row as a dictionary.
    """

    def __init__(self, columns: Mapping[str, list[Any]] | None = None) -> None:
        self.columns: dict[str, list[Any]] = {name: [] for name in COLUMNS}
        if columns is not None:
            for name in COLUMNS:
                self.columns[name] = [_number(value) for value in columns[name]]
            if len({len(column) for column in self.columns.values()}) > 1:
                raise OptionError("the columns of a history must be of one length")

    def append(self, **row: float) -> None:
        """Add a row; what is not given is NaN."""
        for name, column in self.columns.items():
            column.append(row.get(name, math.nan))

    def extend(self, rows: int, **columns: Iterable[float]) -> None:
        """Add that many rows, column by column; what is not given is NaN."""
        for name, column in self.columns.items():
            column.extend(columns.get(name, [math.nan] * rows))

    def __len__(self) -> int:
        return len(self.columns["epoch"])

    def __getitem__(self, key: str | int) -> Any:
        if isinstance(key, str):
            if key not in self.columns:
                raise OptionError(f"no column is called {key!r}; there are: {', '.join(COLUMNS)}")
            return self.columns[key]
        return {name: column[key] for name, column in self.columns.items()}

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (self[i] for i in range(len(self)))

    def rows(self) -> list[dict[str, Any]]:
        """One dictionary a row."""
        return list(self)

    def to_dict(self, nan: Any = math.nan) -> dict[str, list[Any]]:
        """The columns as lists: what ``History(...)`` and a data frame take.

        ``nan`` stands where there is no number; with ``None`` infinities are texts, for JSON.
        """
        return {
            name: [_plain(value, nan) for value in column] for name, column in self.columns.items()
        }

    def __eq__(self, other: object) -> bool:
        return isinstance(other, History) and repr(self.columns) == repr(other.columns)

    __hash__ = None  # type: ignore[assignment]  # it grows

    def __repr__(self) -> str:
        heads, rows = self._cells()
        return align(heads, rows, right=set(range(len(heads)))) if heads else NOTHING

    def _repr_html_(self) -> str:
        heads, rows = self._cells()
        if not heads:
            return tag("p", NOTHING)
        numbers = table(heads, rows, set(range(len(heads))))
        return tag("div", curves_svg(self.columns), numbers, class_="chainrule-history")

    def _cells(self) -> tuple[list[str], list[list[str]]]:
        """Heads and rows to show: columns that hold numbers, of many rows the ends."""
        shown = [name for name in COLUMNS if any(v == v for v in self.columns[name])]
        rows = [[_cell(name, row[name]) for name in shown] for row in self]
        if len(rows) > 12:
            rows = [*rows[:5], ["…"] * len(shown), *rows[-5:]]
        return [name.replace("_", " ") for name in shown], rows


def _plain(value: Any, nan: Any) -> Any:
    if value != value:
        return nan
    return str(value) if nan is None and math.isinf(value) else value


def _number(value: Any) -> Any:
    """A number from what ``to_dict`` gives for it."""
    if value is None:
        return math.nan
    if value in ("inf", "-inf"):
        return float(value)
    if isinstance(value, str) or not hasattr(value, "__float__"):
        raise OptionError(f"a history holds numbers, got {value!r}")
    return value


def _cell(name: str, value: float) -> str:
    return f"{value:.0f}" if name == "epoch" else f"{value:.5g}"
