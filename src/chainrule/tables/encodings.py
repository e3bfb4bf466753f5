"""How a column becomes numbers: one class per way, each with its state as plain data.

A column gives a few dense features (float32), or one code (an index into an embedding), or
nothing. From nothing to the particular: no encoding, numbers, levels, times.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal

import numpy as np

from chainrule.tables.columns import BOOL_LEVELS, Column
from chainrule.tables.scaling import Scaling
from chainrule.tables.values import levels_of, numbers_of, times_of

__all__ = ["CYCLES", "Encoding", "LevelEncoding", "NoEncoding", "NumberEncoding", "TimeEncoding"]

LevelWay = Literal["binary", "one-hot", "embedding"]
LEVEL_WAYS = ("binary", "one-hot", "embedding")

DAY = 86_400.0
CYCLES = {"year": 365.2425 * DAY, "week": 7 * DAY, "day": DAY}
"""What repeats in time, in seconds."""

EPOCH_TO_MONDAY = 4 * DAY
"""1970-01-01 was a Thursday; weeks are counted from the Monday after it."""


class Encoding(ABC):
    """One column's way to numbers."""

    way: ClassVar[str]

    @abstractmethod
    def features(self, name: str) -> tuple[tuple[str, str], ...]:
        """(name, kind) of every dense feature of the column ``name``."""

    @abstractmethod
    def dense(self, column: Column, out: np.ndarray) -> None:
        """Write the dense features of every row into ``out`` (rows, features)."""

    @property
    def cardinality(self) -> int:
        """How many codes an embedded column has, 0 included; 0 for columns not embedded."""
        return 0

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Plain data that JSON holds."""


@dataclass(frozen=True)
class NoEncoding(Encoding):
    """A column that says nothing: constant, identifier-like, or left out."""

    way = "none"

    def features(self, name: str) -> tuple[tuple[str, str], ...]:
        return ()

    def dense(self, column: Column, out: np.ndarray) -> None:
        """Nothing is written: there is no feature."""

    def to_dict(self) -> dict[str, Any]:
        return {"way": self.way}


@dataclass(frozen=True)
class NumberEncoding(Encoding):
    """[clip((x − median) / scale), clip((missing? − median) / scale)].

    Attributes
    ----------
    value : Scaling or None
        None where all known values are equal.
    indicator : Scaling or None
        None where no value was missing in training.
    """

    value: Scaling | None
    indicator: Scaling | None
    way = "number"

    def features(self, name: str) -> tuple[tuple[str, str], ...]:
        value = [] if self.value is None else [(name, "numeric")]
        return (*value, *_indicator_feature(name, self.indicator))

    def dense(self, column: Column, out: np.ndarray) -> None:
        values, _ = numbers_of(column)
        if self.value is not None:
            out[:, 0] = self.value(values)
        if self.indicator is not None:
            out[:, -1] = self.indicator(np.isnan(values).astype(np.float64))

    def to_dict(self) -> dict[str, Any]:
        return {"way": self.way, "value": _plain(self.value), "indicator": _plain(self.indicator)}


@dataclass(frozen=True)
class LevelEncoding(Encoding):
    """Levels numbered from 1, 0 for missing and unknown; as one ±1 column, as one-hot, as codes.

    Attributes
    ----------
    levels : tuple of str
        Sorted, without repetition.
    choice : {"binary", "one-hot", "embedding"}
    scalings : tuple of Scaling
        One for each dense feature.
    as_numbers : bool
        Whether texts are compared as numbers: "3.0" is the level "3".
    """

    levels: tuple[str, ...]
    choice: LevelWay
    scalings: tuple[Scaling, ...] = ()
    as_numbers: bool = False
    way = "levels"

    @cached_property
    def index(self) -> Mapping[str, int]:
        """From a level to its number."""
        return {level: place for place, level in enumerate(self.levels, start=1)}

    @cached_property
    def table(self) -> np.ndarray:
        """The dense features of every code (codes, features), scaled."""
        raw = raw_features(self.choice, len(self.levels))
        columns = [scaling(raw[:, place]) for place, scaling in enumerate(self.scalings)]
        return np.array(columns, dtype=np.float32).reshape(len(columns), len(raw)).T

    @property
    def cardinality(self) -> int:
        return len(self.levels) + 1 if self.choice == "embedding" else 0

    def features(self, name: str) -> tuple[tuple[str, str], ...]:
        if self.choice == "embedding":
            return ()
        shown = self.levels[1:] if self.choice == "binary" else self.levels
        return tuple((f"{name}_{level}", self.choice) for level in shown)

    def codes(self, column: Column) -> np.ndarray:
        """The number of each row's level, int32; 0 where it is missing or was never seen."""
        levels, codes = levels_of(column, as_numbers=self.as_numbers)
        if column.storage == "bool" and not set(BOOL_LEVELS) & set(self.levels):
            levels = [self._own_spelling(level) for level in levels]
        places = [self.index.get(level, 0) for level in levels]
        # the last place is the one that code −1, missing, finds
        return np.array([*places, 0], dtype=np.int32)[codes]

    def dense(self, column: Column, out: np.ndarray) -> None:
        if self.choice != "embedding":
            out[:] = self.table[self.codes(column)]

    def _own_spelling(self, level: str) -> str:
        # a file may write true or TRUE where a frame says True
        return next((own for own in self.levels if own.lower() == level.lower()), level)

    def to_dict(self) -> dict[str, Any]:
        return {
            "way": self.way,
            "levels": list(self.levels),
            "choice": self.choice,
            "scalings": [scaling.to_dict() for scaling in self.scalings],
            "as_numbers": self.as_numbers,
        }


@dataclass(frozen=True)
class TimeEncoding(Encoding):
    """[clip((t − median) / scale), sin and cos of 2πt/T for each cycle T, missing?].

    Attributes
    ----------
    elapsed : Scaling or None
        Of t in seconds since 1970; None where all known times are equal.
    cycles : tuple of {"year", "week", "day"}
        Those in which the training's times differ. Missing times have sin = cos = 0.
    indicator : Scaling or None
    """

    elapsed: Scaling | None
    cycles: tuple[str, ...]
    indicator: Scaling | None
    way = "time"

    def features(self, name: str) -> tuple[tuple[str, str], ...]:
        waves = [f"{name}_{cycle}_{wave}" for cycle in self.cycles for wave in ("sin", "cos")]
        elapsed = [] if self.elapsed is None else [(f"{name}_elapsed", "numeric")]
        cyclic = [(wave, "cyclic") for wave in waves]
        return (*elapsed, *cyclic, *_indicator_feature(name, self.indicator))

    def dense(self, column: Column, out: np.ndarray) -> None:
        seconds = seconds_of(column)
        place = 0
        if self.elapsed is not None:
            out[:, 0] = self.elapsed(seconds)
            place = 1
        for cycle in self.cycles:
            angle = 2 * np.pi * phase(seconds, cycle)
            out[:, place] = np.nan_to_num(np.sin(angle))
            out[:, place + 1] = np.nan_to_num(np.cos(angle))
            place += 2
        if self.indicator is not None:
            out[:, place] = self.indicator(np.isnan(seconds).astype(np.float64))

    def to_dict(self) -> dict[str, Any]:
        return {
            "way": self.way,
            "elapsed": _plain(self.elapsed),
            "cycles": list(self.cycles),
            "indicator": _plain(self.indicator),
        }


def raw_features(choice: LevelWay, levels: int) -> np.ndarray:
    """The features of codes 0 … levels before scaling: 0, −1, +1, or zeros and one one."""
    if choice == "binary":
        return np.array([[0.0], [-1.0], [1.0]])
    if choice == "one-hot":
        return np.eye(levels + 1)[:, 1:]
    return np.empty((levels + 1, 0))


def seconds_of(column: Column) -> np.ndarray:
    """Seconds since 1970 of each row, float64, NaN for missing."""
    times, _ = times_of(column)
    micro = times.astype(np.int64).astype(np.float64)
    return np.where(np.isnat(times), np.nan, micro / 1e6)


def phase(seconds: np.ndarray, cycle: str) -> np.ndarray:
    """The share of ``cycle`` that has gone by, in [0, 1): of the year, of the week from Monday."""
    start = EPOCH_TO_MONDAY if cycle == "week" else 0.0
    return np.mod((seconds - start) / CYCLES[cycle], 1.0)


def _indicator_feature(name: str, indicator: Scaling | None) -> tuple[tuple[str, str], ...]:
    return () if indicator is None else ((f"{name}_missing", "indicator"),)


def _plain(scaling: Scaling | None) -> list[float] | None:
    return None if scaling is None else scaling.to_dict()
