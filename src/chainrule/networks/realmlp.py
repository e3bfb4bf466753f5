"""RealMLP: a network for tables with good defaults, and where its parameters start on given rows.

Presets and network after Holzmüller, Grinsztajn, Steinwart, "Better by default" (NeurIPS 2024),
whose TD ("tuned defaults") and TD-S (simplified) they are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from chainrule.errors import DataError
from chainrule.graph import FUNCTIONS, Graph, Node, Trace
from chainrule.graph.functions import concatenate, dropout, input, parameter, reshape
from chainrule.networks.initializers import (
    RandomState,
    Rng,
    initial_value,
    make_rng,
    normal,
)
from chainrule.networks.layers import activation_function, require_count
from chainrule.networks.tabular import (
    FrontScale,
    NTKDense,
    ParametricActivation,
    PeriodicEmbedding,
)
from chainrule.ops import ROWS

__all__ = ["PRESETS", "Features", "Preset", "RealMLP", "realmlp"]

EMBEDDING_SIZE = 8
ROWS_OF_BIAS = 5
"""Through the mean of how many rows the kink of a unit goes at the start ("he+5")."""


@dataclass(frozen=True)
class Preset:
    """What makes up a RealMLP network, beside its sizes.

    Attributes
    ----------
    activation : str
    waves : bool
        Whether numbers are embedded by learnt waves (PBLD).
    parametric : bool
        Whether each unit learns how much of its activation it uses.
    from_data : bool
        Whether weights and biases start from the training rows (``RealMLP.initial``); otherwise
        from N(0, 1), the last layer from 0.
    dropout : float
    """

    activation: str
    waves: bool
    parametric: bool
    from_data: bool
    dropout: float


PRESETS: dict[tuple[str, str], Preset] = {
    ("td", "classification"): Preset("selu", True, True, True, 0.15),
    ("td", "regression"): Preset("mish", True, True, True, 0.15),
    ("td-s", "classification"): Preset("selu", False, False, False, 0.0),
    ("td-s", "regression"): Preset("mish", False, False, False, 0.0),
}
"""By name and task."""


@dataclass(frozen=True)
class Features:
    """Which input of a RealMLP network reads which feature of a row.

    Attributes
    ----------
    x : tuple of int
        Dense features that waves read; all of them where there are no waves.
    z : tuple of int
        The other dense features: indicators, ±1, one-hot.
    cardinalities : tuple of int
        Of each embedded column, how many codes it has. All columns share one table.
    """

    x: tuple[int, ...]
    z: tuple[int, ...]
    cardinalities: tuple[int, ...]

    @property
    def offsets(self) -> np.ndarray:
        """What is added to the codes of each embedded column."""
        return np.concatenate(([0], np.cumsum(self.cardinalities)))[:-1].astype(np.int32)

    def inputs(self, dense: np.ndarray, codes: np.ndarray) -> dict[str, np.ndarray]:
        """The inputs by name, those that the network has: "x", "z", "codes"."""
        named = {"x": _columns(dense, self.x), "z": _columns(dense, self.z)}
        named["codes"] = codes + self.offsets.astype(codes.dtype)
        return {name: values for name, values in named.items() if values.shape[1]}


def _columns(dense: np.ndarray, places: tuple[int, ...]) -> np.ndarray:
    if places == tuple(range(dense.shape[1])):
        return dense
    return np.ascontiguousarray(dense[:, list(places)])


@dataclass(frozen=True, eq=False)
class RealMLP:
    """A network that ``realmlp`` has built.

    Attributes
    ----------
    preset : Preset
    scores : Node
        The output, (rows, outputs).
    layers : tuple of (Node, str, str)
        What each linear layer reads, and the names of its W and b.
    features : Features
        What each input reads.
    """

    preset: Preset
    scores: Node
    layers: tuple[tuple[Node, str, str], ...]
    features: Features

    def inputs(self, dense: np.ndarray, codes: np.ndarray) -> dict[str, np.ndarray]:
        """The inputs by name from the dense features and the codes of embedded columns."""
        return self.features.inputs(dense, codes)

    def rate_factors(self) -> dict[str, float]:
        """What the learning rate is multiplied by, of each parameter where that is not 1."""
        named = {name: _rate_factor(name) for name in self._parameter_names()}
        return {name: factor for name, factor in named.items() if factor != 1}

    def decay_factors(self) -> dict[str, float]:
        """What the weight decay is multiplied by: the factor of the rate, 0 for biases of layers.

        A step decays by rate · decay, and both carry the factor, which so counts twice: the
        recipe's defaults were found with it. Front factors go back by 36 · rate · decay.
        """
        names = self._parameter_names()
        return {name: 0.0 if name[0] == "b" else _rate_factor(name) for name in names}

    def initial(
        self, inputs: Mapping[str, np.ndarray], random_state: RandomState = None
    ) -> dict[str, np.ndarray]:
        """Where the parameters start, by name.

        With ``preset.from_data``, layer after layer: W ~ N(0, 1), each column divided so that
        x W / √columns has standard deviation 1 over these rows; b_j = − Σ p_i (x W / √columns)_ij
        over 5 random rows i with p ~ Dirichlet(1), so that each unit has its kink among the data.

        Parameters
        ----------
        inputs : mapping of str to ndarray
            Rows of the training part, as ``inputs`` gives them; some hundreds are enough.
        random_state : None, int or generator
        """
        rng = make_rng(random_state)
        graph = Graph(self.scores)
        values = {str(p.name): np.array(initial_value(p, rng)) for p in graph.parameters}
        if self.preset.from_data:
            for x, W, b in self.layers:
                known = {leaf.name: inputs[str(leaf.name)] for leaf in Graph(x).inputs}
                needed = {p.name: values[str(p.name)] for p in Graph(x).parameters}
                rows = np.asarray(Trace(x, {**known, **needed}).forward(), dtype=np.float64)
                values[W], values[b] = _start(rows, values[W], rng)
        return values

    def _parameter_names(self) -> list[str]:
        return [str(parameter.name) for parameter in Graph(self.scores).parameters]


def realmlp(
    dense: int,
    outputs: int,
    *,
    cardinalities: Sequence[int] = (),
    waved: Sequence[int] | None = None,
    preset: Preset,
    hidden: Sequence[int] = (256, 256, 256),
) -> RealMLP:
    """[waves of x, E[codes]] · front → (NTK product → activation → dropout) × 3 → NTK product.

    Parameters
    ----------
    dense : int
        Dense features.
    outputs : int
        Scores a row.
    cardinalities : sequence of int
        Of each embedded column, how many codes it has; columns of the input "codes".
    waved : sequence of int, optional
        The dense features that are quantities, which waves may read. Default: all.
    preset : Preset
        One of ``PRESETS``.
    hidden : sequence of int
        Units of each hidden layer.
    """
    if not dense and not cardinalities:
        raise DataError("RealMLP needs at least one feature to learn from, got none")
    for size in cardinalities:
        require_count("realmlp: cardinalities", size)
    features = split_features(dense, cardinalities, waved, preset)
    y = FrontScale()(_front(features, preset))
    layers: list[tuple[Node, str, str]] = []
    for index, units in enumerate(hidden, start=1):
        layers.append((y, f"W{index}", f"b{index}"))
        y = _activate(NTKDense(units)(y, index), index, preset)
    last = len(layers) + 1
    layers.append((y, f"W{last}", f"b{last}"))
    start = normal(1.0) if preset.from_data else 0.0
    scores = NTKDense(outputs, init=start, bias_init=start)(y, last)
    return RealMLP(preset, scores, tuple(layers), features)


def split_features(
    dense: int, cardinalities: Sequence[int], waved: Sequence[int] | None, preset: Preset
) -> Features:
    """Which input reads which feature, see ``realmlp``."""
    whole = tuple(range(dense))
    x = whole if waved is None or not preset.waves else tuple(int(place) for place in waved)
    z = tuple(place for place in whole if place not in set(x))
    return Features(x, z, tuple(int(size) for size in cardinalities))


def _front(features: Features, preset: Preset) -> Node:
    parts: list[Node] = []
    cardinalities = features.cardinalities
    if features.x:
        x = input("x", (ROWS, len(features.x)))
        parts.append(PeriodicEmbedding()(x) if preset.waves else x)
    if features.z:
        parts.append(input("z", (ROWS, len(features.z))))
    if cardinalities:
        columns = len(cardinalities)
        codes = input("codes", (ROWS, columns), dtype=int)
        E = parameter("E", (int(sum(cardinalities)), EMBEDDING_SIZE), init=normal(1.0))
        parts.append(reshape(FUNCTIONS["take"](E, codes), (ROWS, columns * EMBEDDING_SIZE)))
    return parts[0] if len(parts) == 1 else concatenate(parts, axis=1)


def _activate(z: Node, index: int, preset: Preset) -> Node:
    if preset.parametric:
        y = ParametricActivation(preset.activation)(z, index)
    else:
        y = activation_function(preset.activation)(z)
    return dropout(y, preset.dropout, stream=index) if preset.dropout else y


def _start(rows: np.ndarray, W: np.ndarray, rng: Rng) -> tuple[np.ndarray, np.ndarray]:
    """W and b of one layer that reads ``rows``, see ``RealMLP.initial``."""
    z = rows @ W / math.sqrt(len(W))
    spread = z.std(axis=0)
    # one row, or rows that are all the same, say nothing about the spread
    spread = np.where(spread > 1e-12, spread, 1.0)
    units = W.shape[1]
    # not integers(): the older generators of NumPy have choice() as well
    chosen = rng.choice(len(rows), size=(ROWS_OF_BIAS, units))
    p = rng.dirichlet(np.ones(ROWS_OF_BIAS), size=units).T
    return W / spread, -(p * (z / spread)[chosen, np.arange(units)]).sum(axis=0)


def _rate_factor(name: str) -> float:
    if name.startswith("front"):
        return 6.0
    return 0.1 if _is_bias(name) or name[0] == "a" or name.startswith("wave_") else 1.0


def _is_bias(name: str) -> bool:
    return name[0] == "b" or name.startswith(("wave_b", "wave_c"))
