"""Points that somebody draws: a short text holds them, so that an address does too.

Three bytes a point, written as four letters of base64 for addresses: the columns of a lattice of
steps of 0.05 over [−6, 6] in x1 and x2, and the class.
"""

from __future__ import annotations

import base64
import re

import numpy as np

from chainrule.errors import DataError, OptionError, describe
from chainrule.server.points import Points, split

MAX_DRAWN = 1000
MAX_CLASSES = 8
LEAST_DRAWN = 4
STEP = 0.05
PLACES = 240
"""Steps of the lattice: 0 … 240 are −6 … 6."""


def read_drawing(text: str) -> str:
    """``text`` if it holds a drawing.

    Raises
    ------
    OptionError
    """
    if len(text) > 4 * MAX_DRAWN:
        raise OptionError(describe("drawing", f"at most {MAX_DRAWN} points", len(text) // 4))
    if not re.fullmatch(r"(?:[A-Za-z0-9_-]{4})*", text):
        raise OptionError(describe("drawing", "four letters of base64 a point", repr(text[:40])))
    codes = _codes(text)
    if codes.size and (codes[:, :2].max() > PLACES or codes[:, 2].max() >= MAX_CLASSES):
        expected = f"places of 0 to {PLACES} and classes of 0 to {MAX_CLASSES - 1}"
        raise OptionError(describe("drawing", expected, codes.max(axis=0).tolist()))
    return text


def drawing_of(X: np.ndarray, y: np.ndarray) -> str:
    """The text of points X (rows, 2) of classes y, on the nearest places of the lattice."""
    places = np.clip(np.rint((X + 6) / STEP), 0, PLACES)
    codes = np.column_stack([places, y]).astype(np.uint8)
    return base64.urlsafe_b64encode(codes.tobytes()).decode()


def points_of_drawing(text: str, *, train_share: float = 0.5, seed: int = 0) -> Points:
    """The points of a drawing in random order, split; classes 0 … the highest drawn.

    Raises
    ------
    DataError
        Too few points, or all of one class.
    OptionError
        No drawing.
    """
    codes = _codes(read_drawing(text))
    count = len(np.unique(codes[:, 2]))
    if len(codes) < LEAST_DRAWN or count < 2:
        came = f"{len(codes)} of {count}"
        expected = f"at least {LEAST_DRAWN} points of at least 2 classes"
        raise DataError(describe("drawing", expected, came, "Draw some more."))
    order = np.random.default_rng(seed).permutation(len(codes))
    X, y = codes[order, :2] * STEP - 6, codes[order, 2].astype(np.int64)
    names = tuple(map(str, range(int(y.max()) + 1)))
    return Points(X, y, split(len(y), train_share), names)


def _codes(text: str) -> np.ndarray:
    return np.frombuffer(base64.urlsafe_b64decode(text), np.uint8).reshape(-1, 3)


def _moons() -> str:
    """Two half moons of 18 points each, to begin with."""
    angle = np.linspace(0.1, np.pi - 0.1, 18)
    upper = np.column_stack([3 * np.cos(angle) - 1.4, 3 * np.sin(angle) - 0.9])
    lower = np.column_stack([1.4 - 3 * np.cos(angle), 0.9 - 3 * np.sin(angle)])
    return drawing_of(np.concatenate([upper, lower]), np.repeat([0, 1], 18))


FIRST_DRAWING = _moons()
