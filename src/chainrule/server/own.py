"""Points that somebody brought, and the points and the loss that go with settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chainrule.errors import DataError, describe
from chainrule.server.network import Stack
from chainrule.server.points import Points, make_points
from chainrule.server.settings import CLASSIFICATION_LOSSES, REGRESSION_LOSSES
from chainrule.server.tables import points_of_csv, shuffled


@dataclass(frozen=True)
class Own:
    """Points that somebody brought: a CSV's bytes and the chosen columns, or arrays.

    ``stack`` makes the hidden layers of a model that has its own.
    """

    name: str
    points: Points | None = None
    content: bytes = b""
    columns: tuple[str, ...] = ()
    target: str = ""
    stack: Stack | None = None

    def split(self, settings: Mapping[str, Any]) -> Points:
        """The points in the order of the seed, split as set."""
        share, seed = settings["train_percent"] / 100, settings["data_seed"]
        if self.points is not None:
            return shuffled(self.points, share, seed)
        return points_of_csv(
            self.content, self.columns, self.target, train_share=share, seed=seed, name=self.name
        )


def points_of(settings: Mapping[str, Any], own: Own | None) -> Points:
    """The points of these settings."""
    if settings["dataset"] == "own":
        if own is None:
            remedy = "Open a CSV file first."
            raise DataError(describe("dataset", "own points", "none", remedy))
        return own.split(settings)
    return make_points(
        settings["dataset"],
        seed=settings["data_seed"],
        noise=settings["noise"] / 100,
        n_classes=settings["n_classes"],
        train_share=settings["train_percent"] / 100,
    )


def fitting_loss(loss: str, points: Points) -> str:
    """``loss`` if it suits these points, else the usual one."""
    if points.is_classification:
        return loss if loss in CLASSIFICATION_LOSSES else "cross_entropy"
    return loss if loss in REGRESSION_LOSSES else "squared_error"
