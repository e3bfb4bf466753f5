"""The sets: which file, which target, which columns nobody is to see; and how they are split."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "tabular"
TEST_SHARE = 0.2


@dataclass(frozen=True)
class Set:
    """A table and what is predicted of it.

    ``rows`` are those of its files; ``left_out`` are names and numbers of rows: text and
    identifiers that no contender gets.
    """

    files: tuple[str, ...]
    rows: int
    target: str
    classes: bool
    left_out: tuple[str, ...] = ()


SETS = {
    "penguins": Set(("penguins.csv",), 344, "species", True),
    "titanic": Set(("titanic.csv",), 891, "Survived", True, ("PassengerId", "Name", "Ticket")),
    "mpg": Set(("mpg.csv",), 398, "mpg", False, ("name",)),
    "wine": Set(("wine_quality.csv",), 6497, "quality", False),
    "letter": Set(("letter_recognition.csv",), 20_000, "class", True),
    "california": Set(("california_housing.csv",), 20_640, "median_house_value", False),
    "adult": Set(("adult_train.csv", "adult_test.csv"), 48_842, "income", True),
}
"""By name, the small ones first."""


def split(
    name: str, seed: int, rows: int | None, data: Path = DATA
) -> tuple[Any, Any, np.ndarray, np.ndarray]:
    """(X_train, X_test, y_train, y_test) of a set, of at most ``rows`` rows drawn by the seed."""
    one = SETS[name]
    frames = [pd.read_csv(data / file, na_values=["?"]) for file in one.files]
    frame = pd.concat(frames, ignore_index=True).drop(columns=list(one.left_out))
    if rows is not None and rows < len(frame):
        frame = frame.sample(rows, random_state=seed).reset_index(drop=True)
    y = frame.pop(one.target).to_numpy()
    y = y.astype(str) if one.classes else y.astype(np.float64)
    return tuple(
        train_test_split(
            frame, y, test_size=TEST_SHARE, random_state=seed, stratify=y if one.classes else None
        )
    )
