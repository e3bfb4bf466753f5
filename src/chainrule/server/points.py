"""Points in the plane to learn from: the seven classic sets and three with more classes.

Every set is drawn by a seeded generator: the same seed gives the same points. Coordinates lie in
about [−6, 6]; labels are 0, 1, … for classes and real numbers for regression.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from chainrule.errors import OptionError

CLASSIFICATION_POINTS = 500
REGRESSION_POINTS = 1200
FEATURES: tuple[str, ...] = ("x1", "x2", "x1_squared", "x2_squared", "x1_x2", "sin_x1", "sin_x2")
"""What a network may read of a point, by name."""


@dataclass(frozen=True)
class Image:
    """What a row of images is: ``height`` rows of ``width`` pixels from 0 (paper) to ``ink``."""

    height: int
    width: int
    ink: float


@dataclass(frozen=True, eq=False)
class Points:
    """Points with labels, split into those to learn from and those to test on.

    Attributes
    ----------
    X : ndarray of float64 (rows, columns)
        Two columns, or more where they came with a model; of images their pixels, in uint8.
    y : ndarray (rows,)
        int64 classes 0, 1, … or float64 values.
    n_train : int
        The first ``n_train`` rows are learnt from, the rest test.
    classes : tuple of str
        The names of the classes; empty for regression.
    axes : tuple of str
        The names of the columns.
    offset, scale : tuple of float
        Coordinate = (original − offset) · scale, of each column.
    target_offset, target_scale : float
        Original value = target_offset + y · target_scale, for regression on a table.
    image : Image or None
        Where every row is one.
    """

    X: np.ndarray
    y: np.ndarray
    n_train: int
    classes: tuple[str, ...] = ()
    axes: tuple[str, ...] = ("x1", "x2")
    offset: tuple[float, ...] = (0.0, 0.0)
    scale: tuple[float, ...] = (1.0, 1.0)
    target_offset: float = 0.0
    target_scale: float = 1.0
    image: Image | None = None

    @property
    def is_classification(self) -> bool:
        """Whether the labels are classes."""
        return bool(self.classes)

    @property
    def is_plane(self) -> bool:
        """Whether there are two columns: then the network reads features of them."""
        return self.X.shape[1] == 2

    def read_columns(self, names: Sequence[str]) -> int:
        """How many columns the network reads: the features of these names, or all there are."""
        return len(names) if self.is_plane else self.X.shape[1]

    def drawn(self, across: int, up: int) -> tuple[int, int]:
        """The two columns that are drawn: those asked for, as far as they are there."""
        last = self.X.shape[1] - 1
        return (0, 1) if self.is_plane else (min(across, last), min(up, last))

    def on_plane(self, grid: np.ndarray, across: int, up: int) -> np.ndarray:
        """Points of the picture (rows, 2) as rows of all columns, the others at their medians."""
        if self.is_plane:
            return grid
        first, second = self.drawn(across, up)
        rows = np.tile(np.median(self.X, axis=0), (len(grid), 1))
        rows[:, second] = grid[:, 1]
        rows[:, first] = grid[:, 0]
        return rows


def circle(rng: np.random.Generator, noise: float, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """r ~ U(0, 2.5) inside, U(3.5, 5) around it; the label is that of a jittered position."""
    half = CLASSIFICATION_POINTS // 2
    r = np.concatenate([rng.uniform(0, 2.5, half), rng.uniform(3.5, 5, half)])
    X = _polar(r, rng.uniform(0, 2 * np.pi, 2 * half))
    jittered = X + rng.uniform(-5, 5, X.shape) * noise
    return X, (np.hypot(*jittered.T) < 2.5).astype(np.int64)


def xor(rng: np.random.Generator, noise: float, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """x ~ U(−5, 5)², 0.3 kept free of the axes; label: the sign of x1 x2, jittered."""
    X = rng.uniform(-5, 5, (CLASSIFICATION_POINTS, 2))
    X += np.where(X > 0, 0.3, -0.3)
    jittered = X + rng.uniform(-5, 5, X.shape) * noise
    return X, (jittered.prod(axis=1) >= 0).astype(np.int64)


def gauss(rng: np.random.Generator, noise: float, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Two normal clouds at (2, 2) and (−2, −2); the variance grows from 0.5 to 4 with noise."""
    half = CLASSIFICATION_POINTS // 2
    spread = np.sqrt(0.5 + noise / 0.5 * 3.5)
    centres = np.repeat([[2.0, 2.0], [-2.0, -2.0]], half, axis=0)
    X = centres + spread * rng.standard_normal(centres.shape)
    return X, np.repeat([1, 0], half)


def spiral(rng: np.random.Generator, noise: float, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """r = 5 i / n, t = 3.5 π i / n, the other class turned by π; noise moves the points."""
    return _spirals(rng, noise, 2, 1.75 * 2 * np.pi)


def blobs(rng: np.random.Generator, noise: float, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """One normal cloud a class, the centres on a circle of radius 3.5."""
    y = np.arange(CLASSIFICATION_POINTS) % classes
    centres = _polar(np.full(classes, 3.5), 2 * np.pi * np.arange(classes) / classes)
    return centres[y] + (0.45 + 2 * noise) * rng.standard_normal((len(y), 2)), y


def arms(rng: np.random.Generator, noise: float, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """One spiral arm a class, a turn of 3.5 π / classes · 2 each."""
    return _spirals(rng, noise, classes, 3.5 * np.pi * 2 / max(classes, 2))


def rings(rng: np.random.Generator, noise: float, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Rings around each other, one a class; the label is that of a jittered radius."""
    y = np.arange(CLASSIFICATION_POINTS) % classes
    width = 5 / classes
    r = width * (y + rng.uniform(0.12, 0.88, len(y)))
    X = _polar(r, rng.uniform(0, 2 * np.pi, len(y)))
    jittered = np.hypot(*(X + rng.uniform(-5, 5, X.shape) * noise / 2).T)
    return X, np.clip(jittered // width, 0, classes - 1).astype(np.int64)


def plane(rng: np.random.Generator, noise: float, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """x ~ U(−6, 6)², y = (x1 + x2) / 10 at a jittered position."""
    X = rng.uniform(-6, 6, (REGRESSION_POINTS, 2))
    jittered = X + rng.uniform(-6, 6, X.shape) * noise
    return X, jittered.sum(axis=1) / 10


def peaks(rng: np.random.Generator, noise: float, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """x ~ U(−6, 6)²; six cones sign · max(0, 1 − d / 2), the largest wins, jittered."""
    centres = np.array([[-4, 2.5], [0, 2.5], [4, 2.5], [-4, -2.5], [0, -2.5], [4, -2.5]])
    signs = np.array([1, -1, 1, -1, 1, -1])
    X = rng.uniform(-6, 6, (REGRESSION_POINTS, 2))
    jittered = X + rng.uniform(-6, 6, X.shape) * noise
    distance = np.hypot(*(jittered[:, None] - centres).transpose(2, 0, 1))
    cones = signs * np.clip(1 - distance / 2, 0, 1)
    return X, cones[np.arange(len(X)), np.abs(cones).argmax(axis=1)]


Maker = Callable[[np.random.Generator, float, int], tuple[np.ndarray, np.ndarray]]
DATASETS: dict[str, Maker] = {
    "circle": circle,
    "xor": xor,
    "gauss": gauss,
    "spiral": spiral,
    "blobs": blobs,
    "arms": arms,
    "rings": rings,
    "plane": plane,
    "peaks": peaks,
}
MANY_CLASSES = ("blobs", "arms", "rings")
REGRESSION = ("plane", "peaks")


def make_points(
    dataset: str,
    *,
    seed: int = 0,
    noise: float = 0.0,
    n_classes: int = 3,
    train_share: float = 0.5,
) -> Points:
    """The points of one set, in random order, the first ``train_share`` of them to learn from.

    Parameters
    ----------
    dataset : str
        One of ``DATASETS``.
    noise : float
        0 to 0.5.
    n_classes : int
        How many classes ``blobs``, ``arms`` and ``rings`` have; the other sets have two.
    """
    if dataset not in DATASETS:
        raise OptionError(f"dataset must be one of {', '.join(DATASETS)}, got {dataset!r}")
    rng = np.random.default_rng(seed)
    X, y = DATASETS[dataset](rng, noise, n_classes)
    order = rng.permutation(len(X))
    count = n_classes if dataset in MANY_CLASSES else 2
    names = () if dataset in REGRESSION else tuple(map(str, range(count)))
    return Points(X[order], y[order], split(len(X), train_share), names)


def split(rows: int, train_share: float) -> int:
    """How many of ``rows`` are learnt from: at least one, and one to test on."""
    return min(max(round(rows * train_share), 1), rows - 1)


def features(X: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """The columns that the network reads of the points X (rows, 2), in the order of ``names``.

    Of points with more columns it reads every one.
    """
    if X.shape[1] != 2:
        return X
    x1, x2 = X[:, 0], X[:, 1]
    columns = {
        "x1": x1,
        "x2": x2,
        "x1_squared": x1 * x1,
        "x2_squared": x2 * x2,
        "x1_x2": x1 * x2,
        "sin_x1": np.sin(x1),
        "sin_x2": np.sin(x2),
    }
    return np.column_stack([columns[name] for name in names])


def _polar(r: np.ndarray, angle: np.ndarray) -> np.ndarray:
    return np.column_stack([r * np.sin(angle), r * np.cos(angle)])


def _spirals(
    rng: np.random.Generator, noise: float, classes: int, turn: float
) -> tuple[np.ndarray, np.ndarray]:
    n = CLASSIFICATION_POINTS // classes
    part = np.tile(np.arange(n) / n, classes)
    y = np.repeat(np.arange(classes), n)
    angle = turn * part + 2 * np.pi * y / classes
    X = _polar(5 * part, angle) + rng.uniform(-1, 1, (len(y), 2)) * noise
    return X, (1 - y) if classes == 2 else y
