"""Callbacks that remember: the path of the parameters, histograms of every layer.

Both are bounded: when the limit is reached every second record goes, and from then on only every
second, fourth, … epoch is taken, so that the whole run stays covered evenly.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np

from chainrule.errors import OptionError, describe
from chainrule.graph.layers import layers_of
from chainrule.graph.node import Node
from chainrule.graph.trace import Trace
from chainrule.training.callbacks import Callback, Progress

Record = TypeVar("Record")


class _Thinned(Callback, Generic[Record]):
    """Keeps at most ``limit`` records, evenly over all epochs, and always the last one."""

    def __init__(self, limit: int) -> None:
        if limit < 4:
            raise OptionError(describe("limit", "an integer ≥ 4", limit))
        self.limit = limit
        self.epochs: list[int] = []
        self.records: list[Record] = []
        self._stride = 1

    @abstractmethod
    def _take(self, progress: Progress) -> Record:
        """What is kept of an epoch."""

    def on_train_begin(self, progress: Progress) -> None:
        """Start afresh, with where training starts."""
        self.epochs, self.records, self._stride = [], [], 1
        self._add(progress)

    def on_epoch_end(self, progress: Progress) -> None:
        """Remember this epoch, if it is one of those that are kept."""
        if progress.epoch % self._stride == 0:
            self._add(progress)

    def on_train_end(self, progress: Progress) -> None:
        """Remember the end."""
        if self.epochs and self.epochs[-1] != progress.epoch:
            self._add(progress)

    def _add(self, progress: Progress) -> None:
        if len(self.epochs) >= self.limit:
            self._stride *= 2
            kept = [i for i, epoch in enumerate(self.epochs) if epoch % self._stride == 0]
            self.epochs = [self.epochs[i] for i in kept]
            self.records = [self.records[i] for i in kept]
        self.epochs.append(progress.epoch)
        self.records.append(self._take(progress))


class ParameterPath(_Thinned[np.ndarray]):
    """Remembers θ as training goes, for ``plot_loss_surface(…, path=…)``.

    Parameters
    ----------
    limit : int
        At most so many θ are kept.

    Attributes
    ----------
    epochs : list of int
    records : list of ndarray of shape (parameters,)
    """

    def __init__(self, limit: int = 200) -> None:
        super().__init__(limit)

    def _take(self, progress: Progress) -> np.ndarray:
        return np.array(progress.theta, np.float64)


@dataclass(frozen=True)
class LayerCounts:
    """Histograms of one layer at one time.

    Attributes
    ----------
    values, gradients : ndarray of int of shape (bins,)
        How many of its outputs, and of the loss's gradients with respect to them, lie in each bin.
    value_edges, gradient_edges : ndarray of shape (bins + 1,)
    zero : float
        The share of outputs that are exactly 0.
    """

    values: np.ndarray
    value_edges: np.ndarray
    gradients: np.ndarray
    gradient_edges: np.ndarray
    zero: float


class LayerHistograms(_Thinned[dict[str, LayerCounts]]):
    """Remembers how the outputs and gradients of every layer are distributed.

    Looks at the first rows that training sees; memory is limit × layers × 2 bins of integers.

    Parameters
    ----------
    limit : int
        At most so many epochs are kept.
    rows : int
        Rows looked at in each.
    bins : int

    Attributes
    ----------
    epochs : list of int
    records : list of dict
        ``LayerCounts`` by the name of the layer's last node.
    """

    def __init__(self, limit: int = 60, rows: int = 256, bins: int = 40) -> None:
        super().__init__(limit)
        for name, value in (("rows", rows), ("bins", bins)):
            if value < 1:
                raise OptionError(describe(name, "an integer ≥ 1", value))
        self.rows = rows
        self.bins = bins

    def _take(self, progress: Progress) -> dict[str, LayerCounts]:
        seen = progress.rows
        if seen is None:
            raise OptionError(
                describe("LayerHistograms", "training that shows its rows", progress.solver)
            )
        part = seen.take(slice(0, self.rows))
        objective = progress.objective
        inputs: Any = dict(part.inputs)
        trace = objective.trace(np.array(progress.theta), inputs, part.y, part.weight)
        trace.backward()
        return {
            trace.graph.names[node]: self._count(trace, node)
            for node in (layer.nodes[-1] for layer in layers_of(trace.graph))
        }

    def _count(self, trace: Trace, node: Node) -> LayerCounts:
        value, gradient = trace.value(node), trace.gradient(node)
        return LayerCounts(
            *_histogram(value, self.bins),
            *_histogram(gradient, self.bins),
            float(np.mean(value == 0)),
        )


def _histogram(array: np.ndarray, bins: int) -> tuple[np.ndarray, np.ndarray]:
    finite = array[np.isfinite(array)].astype(np.float64)
    return np.histogram(finite, bins=bins)
