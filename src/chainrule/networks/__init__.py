"""Networks: layers that build graphs, where parameters start, and the vector that holds them."""

from chainrule.networks.initializers import (
    Initializer,
    RandomState,
    glorot_normal,
    glorot_uniform,
    he_normal,
    he_uniform,
    make_rng,
    normal,
    uniform,
)
from chainrule.networks.layers import (
    ACTIVATIONS,
    Activation,
    Dense,
    Dropout,
    Embedding,
    Layer,
    LayerNorm,
    activation_function,
    sequential,
)
from chainrule.networks.vector import ParameterVector

__all__ = [
    "ACTIVATIONS",
    "Activation",
    "Dense",
    "Dropout",
    "Embedding",
    "Initializer",
    "Layer",
    "LayerNorm",
    "ParameterVector",
    "RandomState",
    "activation_function",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "make_rng",
    "normal",
    "sequential",
    "uniform",
]
