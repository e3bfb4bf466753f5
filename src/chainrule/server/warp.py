"""The plane as two neurons of a layer see it: the grid drawn in their coordinates.

Frame "CRW1", little-endian: "CRW1", then uint32: run, layer, first neuron, second neuron, lines in
each direction, points of a line, data points; then float32: every point of the upright lines, of
the level lines, each as its two coordinates; every data point as coordinates and label.
"""

from __future__ import annotations

import struct
import time

import numpy as np

from chainrule.errors import OptionError, describe
from chainrule.server.frames import EXTENT
from chainrule.server.part import Part
from chainrule.server.session import Session

PANEL = "space"
HEADER = struct.Struct("<4s7I")
LINES, SAMPLES = 13, 49
MOST_POINTS = 500
LEAST_SECONDS = 0.1


class Warp(Part):
    """Two neurons of a hidden layer (from 1), and the plane in their coordinates."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.layer, self.first, self.second = 1, 0, 1
        self._due = 0.0
        self._fresh = False

    def choose(self, layer: int, first: int, second: int) -> None:
        """Look through these two neurons.

        Raises
        ------
        OptionError
            A layer or neuron that is not there.
        """
        sizes = self.session.run.network.sizes[1:-1]
        if not 1 <= layer <= len(sizes):
            raise OptionError(describe("layer", f"1 to {len(sizes)}", layer))
        if not 0 <= max(first, second) < sizes[layer - 1]:
            expected = f"neurons 0 to {sizes[layer - 1] - 1} of layer {layer}"
            raise OptionError(describe("space", expected, f"{first}, {second}"))
        self.layer, self.first, self.second = layer, first, second
        self._fresh = True

    def begun(self) -> None:
        """Another run may have fewer neurons."""
        self.layer, self.first, self.second = 1, 0, 1
        self._fresh = True

    def shown(self) -> None:
        """The page needs it anew."""
        self._fresh = True

    def looked(self) -> None:
        """A picture of the grid with the others, ten times a second while the run plays."""
        now = time.monotonic()
        sizes = self.session.run.network.sizes[1:-1]
        if self.session.watched != PANEL or len(sizes) < self.layer:
            return
        if max(self.first, self.second) >= sizes[self.layer - 1]:
            return
        if self._fresh or not self.session.playing or now >= self._due:
            self.session.listener.send_binary(self._frame())
            self._due, self._fresh = now + LEAST_SECONDS, False

    def _frame(self) -> bytes:
        run, view = self.session.run, self.session.view
        theta = run.theta if view is None else view.memory.theta
        node = run.network.layers[self.layer - 1]
        pair = [self.first, self.second]
        grid = run.features_of_picture(lines())
        data = run.X_train[:MOST_POINTS]
        warped, points = (run.network.evaluate(theta, X, [node])[0][:, pair] for X in (grid, data))
        labels = run.points.y[: len(data)]
        header = HEADER.pack(
            b"CRW1", run.number, self.layer, self.first, self.second, LINES, SAMPLES, len(data)
        )
        tail = np.column_stack([points, labels]).astype("<f4")
        return header + warped.astype("<f4").tobytes() + tail.tobytes()


def lines() -> np.ndarray:
    """The points of the upright lines, each from below, then of the level lines, from the left."""
    at = np.linspace(-EXTENT, EXTENT, LINES)
    along = np.linspace(-EXTENT, EXTENT, SAMPLES)
    upright = np.column_stack([np.repeat(at, SAMPLES), np.tile(along, LINES)])
    level = upright[:, ::-1]
    return np.concatenate([upright, level])
