"""What the two multi-layer perceptrons have in common: hidden layers, penalty, public arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.estimators.fitting import TrainedEstimator
from chainrule.estimators.network import Hidden, Network
from chainrule.estimators.options import hidden_layers


class MultiLayerPerceptron(TrainedEstimator):
    """Hidden layers; θ shown as ``coefs_`` and ``intercepts_``."""

    alpha: float
    coefs_: list[np.ndarray]
    intercepts_: list[np.ndarray]

    def _hidden(self) -> Hidden:
        return hidden_layers(self)

    def _penalised(self, network: Network, total_weight: float) -> Network:
        return network.penalised(self.alpha / total_weight)

    def _has_arrays(self) -> bool:
        return hasattr(self, "coefs_")

    def _arrays(self) -> tuple[np.ndarray, ...]:
        return (*self.coefs_, *self.intercepts_)

    def _show(self, network: Network, values: dict[str, np.ndarray]) -> dict[str, Any]:
        return {
            "coefs_": [values[name] for name in network.weights],
            "intercepts_": [values[name] for name in network.biases],
            "n_layers_": len(network.weights) + 1,
        }

    def _shown_in(self, network: Network) -> dict[str, np.ndarray]:
        shown = dict(zip(network.weights, self.coefs_, strict=False))
        return shown | dict(zip(network.biases, self.intercepts_, strict=False))
