"""How the outputs and gradients of every layer are distributed, over the moments of the run.

The moments are those of the timeline, so that the whole run is there when the panel opens, and
nothing is counted while it is closed.
"""

from __future__ import annotations

import base64
import math
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from chainrule.server.moment import Snapshot
from chainrule.server.network import PIXELS
from chainrule.server.part import Part
from chainrule.server.session import Session
from chainrule.server.timeline import Timeline
from chainrule.training.recording import Histogram, LayerCounts, density, layer_counts

PANEL = "histograms"
ROWS = 256
BINS = 40
MOST_COLUMNS = 60
SLICE_SECONDS = 0.003
REST = 4.0
AGAIN_SECONDS = 0.5

Counts = dict[str, LayerCounts]


class Distributions(Part):
    """Histograms of a session's run at its moments."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._counts: dict[int, Counts] = {}
        self._due = 0.0
        self._sent: tuple[Any, ...] = ()

    def begun(self) -> None:
        """Another run."""
        self._counts.clear()
        self._forget()

    def shown(self) -> None:
        """The page needs everything anew."""
        self._forget()

    def wait(self, now: float) -> float:
        """Nothing to do while nobody looks."""
        return self._due - now if self.session.watched == PANEL else math.inf

    def work(self) -> None:
        """Count at a few moments; tell the page when all are counted."""
        begun = time.monotonic()
        self._due = begun + AGAIN_SECONDS
        run = self.session.run
        if not self.session.listener.wants_frame or not np.all(np.isfinite(run.theta)):
            return
        moments = self._moments()
        stamp = (run.number, run.steps, len(run.journal), len(moments), moments[0].steps)
        if stamp == self._sent:
            return
        ids = {id(one) for one in moments}
        self._counts = {key: one for key, one in self._counts.items() if key in ids}
        for one in moments:
            if id(one) in self._counts:
                continue
            self._counts[id(one)] = self._count(one.memory.theta)
            spent = time.monotonic() - begun
            if spent > SLICE_SECONDS:
                rest = REST * spent if self.session.playing else 0
                self._due = begun + spent + rest
                return
        records = [self._counts[id(one)] for one in moments] + [self._count(run.theta)]
        epochs = [*(one.epochs for one in moments), run.epochs]
        self.session.listener.send(message(run.number, epochs, records))
        self._sent = stamp

    def _moments(self) -> Sequence[Snapshot]:
        moments = self.session.part(Timeline).moments
        return moments[:: math.ceil(len(moments) / MOST_COLUMNS)]

    def _count(self, theta: np.ndarray) -> Counts:
        run = self.session.run
        with np.errstate(all="ignore"):
            trace = run.network.objective.trace(
                np.asarray(theta, np.float64), run.X_train[:ROWS], run.t_train[:ROWS]
            )
            counts = layer_counts(trace, BINS)
        return {name: one for name, one in counts.items() if name != PIXELS}

    def _forget(self) -> None:
        self._sent, self._due = (), 0.0


def message(run: int, epochs: Sequence[float], records: Sequence[Counts]) -> dict[str, Any]:
    """What the page draws: of each layer two pictures, a column a moment, dark where many are."""
    layers = []
    for name, last in records[-1].items():
        counts = [record[name] for record in records]
        layers.append(
            {
                "name": name,
                "zero": last.zero,
                "outputs": _picture([(one.values, one.value_edges) for one in counts]),
                "gradients": _picture([(one.gradients, one.gradient_edges) for one in counts]),
            }
        )
    return {"type": "histograms", "run": run, "epochs": list(epochs), "layers": layers}


def _picture(pairs: Sequence[Histogram]) -> dict[str, Any]:
    """Bytes 255 · share of each bin, column after column, lowest bin first."""
    edges, shares = density(pairs, BINS)
    bytes_ = np.clip(np.rint(255 * shares), 0, 255).astype(np.uint8)
    return {
        "low": float(edges[0]),
        "high": float(edges[-1]),
        "bins": BINS,
        "shares": base64.b64encode(bytes_.tobytes()).decode("ascii"),
    }
