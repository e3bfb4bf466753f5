"""The second pass: what the encodings need to know, counted chunk after chunk."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from typing import Any

import numpy as np

from chainrule.errors import DataError, describe
from chainrule.tables.columns import Column
from chainrule.tables.encodings import (
    CYCLES,
    Encoding,
    LevelEncoding,
    LevelWay,
    NoEncoding,
    NumberEncoding,
    TimeEncoding,
    phase,
    raw_features,
    seconds_of,
)
from chainrule.tables.inference import Kind
from chainrule.tables.quantiles import Quantiles
from chainrule.tables.scaling import Scaling, scaling_of, scaling_of_counts
from chainrule.tables.specs import ColumnSpec, checked_numbers, checked_times
from chainrule.tables.survey import Survey
from chainrule.tables.values import levels_of

__all__ = ["MAX_LEVELS", "Statistics", "statistics_for"]

MAX_LEVELS = 100_000
"""More categories than this are refused: each would be a row of an embedding."""


class Statistics(ABC):
    """What is counted of one column."""

    least_missing = 1

    def __init__(self, survey: Survey, limit: int | None) -> None:
        self.survey = survey
        self.limit = limit

    @abstractmethod
    def add(self, column: Column) -> None:
        """Count one more chunk."""

    @abstractmethod
    def join(self, other: Any) -> None:
        """Take in what another one has counted of the same column in other rows."""

    @abstractmethod
    def encoding(self) -> Encoding:
        """The encoding that follows."""

    def range(self) -> tuple[float | None, float | None]:
        """Lowest and highest value, for columns that have them."""
        return None, None

    def indicator(self) -> Scaling | None:
        """The scaling of the column that says whether a value is missing, if enough are."""
        known, missing = self.survey.present, self.survey.missing
        if not known or missing < self.least_missing:
            return None
        return scaling_of_counts([0.0, 1.0], [known, missing])

    def spec(self, kind: Kind, note: str, declared: bool) -> ColumnSpec:
        """All that is known of the column."""
        survey = self.survey
        low, high = self.range()
        return ColumnSpec(
            name=survey.name,
            kind=kind,
            storage=survey.storage,
            declared=declared,
            rows=survey.rows,
            missing=survey.missing,
            low=low,
            high=high,
            note=note,
            encoding=self.encoding(),
        )


class NoStatistics(Statistics):
    """Of a column that is not used."""

    def add(self, column: Column) -> None:
        """Nothing is counted."""

    def join(self, other: NoStatistics) -> None:
        """Nothing was counted."""

    def encoding(self) -> Encoding:
        return NoEncoding()


class NumberStatistics(Statistics):
    """Quartiles and range of the known values."""

    def __init__(self, survey: Survey, limit: int | None) -> None:
        super().__init__(survey, limit)
        self.quantiles = Quantiles(limit)

    def add(self, column: Column) -> None:
        values = checked_numbers(column)
        self.quantiles.add(values[~np.isnan(values)])

    def join(self, other: NumberStatistics) -> None:
        self.quantiles.join(other.quantiles)

    def range(self) -> tuple[float | None, float | None]:
        quantiles = self.quantiles
        return (quantiles.low, quantiles.high) if quantiles.count else (None, None)

    def encoding(self) -> Encoding:
        return NumberEncoding(scaling_of(self.quantiles), self.indicator())


class LevelStatistics(Statistics):
    """How often each level comes."""

    def __init__(
        self, survey: Survey, limit: int | None, kind: Kind, max_one_hot: int | None
    ) -> None:
        super().__init__(survey, limit)
        self.kind = kind
        self.max_one_hot = max_one_hot
        self.counts: Counter[str] = Counter()
        all_numbers = survey.numbers == survey.present and not survey.zeros_in_front
        self.as_numbers = survey.storage == "number" or (survey.storage == "cells" and all_numbers)

    def add(self, column: Column) -> None:
        levels, codes = levels_of(column, as_numbers=self.as_numbers)
        counts = np.bincount(codes[codes >= 0], minlength=len(levels)).tolist()
        for level, count in zip(levels, counts, strict=True):
            if count:
                self.counts[level] += count
        self._refuse_too_many()

    def join(self, other: LevelStatistics) -> None:
        self.counts.update(other.counts)
        self._refuse_too_many()

    def _refuse_too_many(self) -> None:
        if len(self.counts) > MAX_LEVELS:
            name = self.survey.name
            remedy = f"Group rare ones, or leave it out with types={{{name!r}: 'ignored'}}."
            expected = f"at most {MAX_LEVELS} categories"
            raise DataError(describe(f"column {name!r}", expected, "more", remedy))

    def encoding(self) -> Encoding:
        levels = tuple(sorted(self.counts, key=self._order))
        way = self._way(len(levels))
        return LevelEncoding(levels, way, self._scalings(levels, way), self.as_numbers)

    def _order(self, level: str) -> Any:
        return float(level) if self.as_numbers else level

    def _way(self, count: int) -> LevelWay:
        if self.kind == "binary":
            if count != 2:
                name = self.survey.name
                expected, came = "two values, as declared binary", f"{count} of them"
                raise DataError(describe(f"column {name!r}", expected, came))
            return "binary"
        # missing counts as a level: the cardinality of the recipe
        one_hot = self.max_one_hot is None or count + 1 <= self.max_one_hot
        return "one-hot" if one_hot else "embedding"

    def _scalings(self, levels: tuple[str, ...], way: LevelWay) -> tuple[Scaling, ...]:
        raw = raw_features(way, len(levels))
        counts = [self.survey.missing, *(self.counts[level] for level in levels)]
        # a feature that never varied becomes 0 in training and stays small elsewhere
        return tuple(
            scaling_of_counts(column.tolist(), counts) or Scaling(float(column[-1]), 1.0)
            for column in raw.T
        )


class TimeStatistics(Statistics):
    """Quartiles and range of the seconds, and which cycles they move in."""

    def __init__(self, survey: Survey, limit: int | None) -> None:
        super().__init__(survey, limit)
        self.quantiles = Quantiles(limit)
        self.phases = dict.fromkeys(CYCLES, (np.inf, -np.inf))

    def add(self, column: Column) -> None:
        checked_times(column)
        seconds = seconds_of(column)
        seconds = seconds[~np.isnan(seconds)]
        self.quantiles.add(seconds)
        if not len(seconds):
            return
        for cycle, (low, high) in self.phases.items():
            shares = phase(seconds, cycle)
            self.phases[cycle] = min(low, float(shares.min())), max(high, float(shares.max()))

    def join(self, other: TimeStatistics) -> None:
        self.quantiles.join(other.quantiles)
        for cycle, (low, high) in other.phases.items():
            own = self.phases[cycle]
            self.phases[cycle] = min(own[0], low), max(own[1], high)

    def range(self) -> tuple[float | None, float | None]:
        quantiles = self.quantiles
        return (quantiles.low, quantiles.high) if quantiles.count else (None, None)

    def encoding(self) -> Encoding:
        moving = tuple(cycle for cycle, (low, high) in self.phases.items() if low < high)
        return TimeEncoding(scaling_of(self.quantiles), moving, self.indicator())


def statistics_for(
    kind: Kind, survey: Survey, limit: int | None, max_one_hot: int | None
) -> Statistics:
    """The statistics that a column of this kind needs."""
    if kind == "numeric":
        return NumberStatistics(survey, limit)
    if kind == "datetime":
        return TimeStatistics(survey, limit)
    if kind in ("binary", "categorical"):
        return LevelStatistics(survey, limit, kind, max_one_hot)
    return NoStatistics(survey, limit)
