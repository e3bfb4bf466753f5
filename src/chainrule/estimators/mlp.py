"""What the two multi-layer perceptrons have in common: hidden layers, penalty, public arrays."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from chainrule.errors import OptionError
from chainrule.estimators.fitting import TrainedEstimator
from chainrule.estimators.network import Hidden, Network
from chainrule.estimators.options import hidden_layers
from chainrule.estimators.rules import is_mini_batch


class MultiLayerPerceptron(TrainedEstimator):
    """Hidden layers; θ shown as ``coefs_`` and ``intercepts_``."""

    alpha: float
    hidden_layer_sizes: Any
    coefs_: list[np.ndarray]
    intercepts_: list[np.ndarray]

    def _hidden(self, first: bool) -> Hidden:
        hidden = hidden_layers(self)
        if first or hidden.layers is not None:
            return hidden
        sizes = tuple(W.shape[1] for W in self.coefs_[:-1])
        # scikit-learn's "sgd" and "adam" go on with the layers that there are, its lbfgs fails
        if len(sizes) == len(hidden.sizes) and is_mini_batch(self):
            return replace(hidden, sizes=sizes)
        if sizes != hidden.sizes:
            raise OptionError(
                f"hidden_layer_sizes={self.hidden_layer_sizes!r}, but a fit that goes on from the "
                f"last one (warm_start, partial_fit) has its layers, {sizes}. Set them back, or "
                "fit anew with warm_start=False."
            )
        return hidden

    def _strengths(self, total_weight: float) -> tuple[float, float]:
        return float(self.alpha / total_weight), 0.0

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
