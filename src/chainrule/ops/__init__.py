"""Operations: each a shape rule, a forward rule and a backward rule in plain NumPy."""

from chainrule.ops import activations, arithmetic, arrays, losses, normalization, penalties
from chainrule.ops.base import REGISTRY, Operation
from chainrule.ops.shapes import ROWS, Shape

__all__ = [
    "REGISTRY",
    "ROWS",
    "Operation",
    "Shape",
    "activations",
    "arithmetic",
    "arrays",
    "losses",
    "normalization",
    "penalties",
]
