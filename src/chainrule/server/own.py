"""Points that somebody brought, and the points and the loss that go with settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chainrule.errors import DataError, describe
from chainrule.server.drawing import points_of_drawing
from chainrule.server.encoded import points_of_table
from chainrule.server.images import IMAGE_SETS, points_of_images
from chainrule.server.network import Stack
from chainrule.server.points import Points, make_points
from chainrule.server.settings import (
    CLASSIFICATION_LOSSES,
    FULL_BATCH_SOLVERS,
    REGRESSION_LOSSES,
)
from chainrule.server.tables import points_of_csv, shuffled

MOST_AT_ONCE = 10_000
"""Images of MNIST for a solver whose every step reads them all, so that a page gets pictures."""


@dataclass(frozen=True)
class Own:
    """Points that somebody brought: a CSV's bytes and the chosen columns, or arrays.

    ``stack`` makes the hidden layers of a model that has its own; ``reading`` is one of
    ``READINGS``.
    """

    name: str
    points: Points | None = None
    content: bytes = b""
    columns: tuple[str, ...] = ()
    target: str = ""
    stack: Stack | None = None
    reading: str = "direct"
    _last: dict[tuple[float, int], Points] = field(default_factory=dict, compare=False)

    def split(self, settings: Mapping[str, Any]) -> Points:
        """The points in the order of the seed, split as set."""
        share, seed = settings["train_percent"] / 100, settings["data_seed"]
        if self.points is not None:
            return shuffled(self.points, share, seed)
        if (share, seed) not in self._last:  # a table is read once, not at every new start
            points = self._read(share, seed)
            self._last.clear()
            self._last[share, seed] = points
        return self._last[share, seed]

    def _read(self, share: float, seed: int) -> Points:
        options: dict[str, Any] = {"train_share": share, "seed": seed, "name": self.name}
        if self.reading == "direct":
            return points_of_csv(self.content, self.columns, self.target, **options)
        options["reading"] = self.reading
        return points_of_table(self.content, self.columns, self.target, **options)


def points_of(settings: Mapping[str, Any], own: Own | None) -> Points:
    """The points of these settings."""
    if settings["dataset"] == "own":
        if own is None:
            remedy = "Open a CSV file first."
            raise DataError(describe("dataset", "own points", "none", remedy))
        return own.split(settings)
    if settings["dataset"] == "drawn":
        share, seed = settings["train_percent"] / 100, settings["data_seed"]
        return points_of_drawing(settings["drawing"], train_share=share, seed=seed)
    if settings["dataset"] in IMAGE_SETS:
        return points_of_images(settings["dataset"], **image_options(settings))
    return make_points(
        settings["dataset"],
        seed=settings["data_seed"],
        noise=settings["noise"] / 100,
        n_classes=settings["n_classes"],
        train_share=settings["train_percent"] / 100,
    )


def image_options(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What ``points_of_images`` is told by these settings."""
    share, seed = settings["train_percent"] / 100, settings["data_seed"]
    options = {"train_share": share, "seed": seed}
    at_once = settings["solver"] in FULL_BATCH_SOLVERS
    return {**options, "most": MOST_AT_ONCE} if at_once else options


def fitting_loss(loss: str, points: Points) -> str:
    """``loss`` if it suits these points, else the usual one."""
    if points.is_classification:
        return loss if loss in CLASSIFICATION_LOSSES else "cross_entropy"
    return loss if loss in REGRESSION_LOSSES else "squared_error"
