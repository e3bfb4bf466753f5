"""Callbacks that remember: the path of the parameters, histograms of every layer.

Both are bounded: when the limit is reached every second record goes, and from then on only every
second, fourth, … epoch is taken, so that the whole run stays covered evenly.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from chainrule.errors import OptionError, describe
from chainrule.graph.layers import layers_of
from chainrule.graph.node import Node
from chainrule.graph.trace import Trace
from chainrule.training.callbacks import Callback, Progress
from chainrule.training.thinning import Thinned

Record = TypeVar("Record")
Histogram = tuple[np.ndarray, np.ndarray]
"""Counts of shape (bins,) and edges of shape (bins + 1,)."""

CENTRAL = (0.005, 0.995)
"""Shares of the numbers of a histogram below what is drawn, and up to it."""


class _Recorder(Callback, Generic[Record]):
    """Keeps at most ``limit`` records, evenly over all epochs, and always the last one."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._kept: Thinned[Record] = Thinned(limit)

    @property
    def epochs(self) -> list[int]:
        """Of which epoch each record is."""
        return [int(position) for position in self._kept.positions]

    @property
    def records(self) -> list[Record]:
        """What was kept."""
        return self._kept.records

    @abstractmethod
    def _take(self, progress: Progress) -> Record:
        """What is kept of an epoch."""

    def on_train_begin(self, progress: Progress) -> None:
        """Start afresh, with where training starts."""
        self._kept = Thinned(self.limit)
        self._kept.add(progress.epoch, self._take(progress))

    def on_epoch_end(self, progress: Progress) -> None:
        """Remember this epoch, if it is one of those that are kept."""
        if self._kept.wants(progress.epoch):
            self._kept.add(progress.epoch, self._take(progress))

    def on_train_end(self, progress: Progress) -> None:
        """Remember the end."""
        if self._kept.positions and self._kept.positions[-1] != progress.epoch:
            self._kept.add(progress.epoch, self._take(progress))


class ParameterPath(_Recorder[np.ndarray]):
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


class LayerHistograms(_Recorder[dict[str, LayerCounts]]):
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
        trace = progress.objective.trace(
            np.array(progress.theta), dict(part.inputs), part.y, part.weight
        )
        return layer_counts(trace, self.bins)


def layer_counts(trace: Trace, bins: int) -> dict[str, LayerCounts]:
    """Histograms of the outputs of every layer and of the gradients there, by its last node."""
    trace.backward()
    return {
        trace.graph.names[node]: _count(trace, node, bins)
        for node in (layer.nodes[-1] for layer in layers_of(trace.graph))
    }


def density(pairs: Sequence[Histogram], bins: int) -> tuple[np.ndarray, np.ndarray]:
    """Edges of common bins, and of each (counts, edges) the share of its numbers in each bin.

    The bins cover what 99 % of the numbers of a histogram reach; further ones are left out.
    """
    below = [_cumulated(counts) for counts, _ in pairs]
    reach = [np.interp(CENTRAL, one, own) for one, (_, own) in zip(below, pairs, strict=True)]
    low, high = float(min(a for a, _ in reach)), float(max(b for _, b in reach))
    high = high if high > low else low + 1e-12 + abs(low) * 1e-6
    edges = np.linspace(low, high, bins + 1)
    along = [np.interp(edges, own, one) for one, (_, own) in zip(below, pairs, strict=True)]
    return edges, np.diff(along)


def _count(trace: Trace, node: Node, bins: int) -> LayerCounts:
    value, gradient = trace.value(node), trace.gradient(node)
    return LayerCounts(
        *_histogram(value, bins), *_histogram(gradient, bins), float(np.mean(value == 0))
    )


def _cumulated(counts: np.ndarray) -> np.ndarray:
    total = max(int(counts.sum()), 1)
    return np.concatenate(([0.0], np.cumsum(counts) / total))


def _histogram(array: np.ndarray, bins: int) -> tuple[np.ndarray, np.ndarray]:
    finite = array[np.isfinite(array)].astype(np.float64)
    return np.histogram(finite, bins=bins)
