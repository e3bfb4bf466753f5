"""Each operation in PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chainrule.errors import MissingPackageError
from chainrule.graph.node import Apply
from chainrule.ops import ROWS
from chainrule.ops.shapes import normalize_axes

try:
    import torch  # pyright: ignore[reportMissingImports]  # an extra
    import torch.nn.functional as F  # pyright: ignore[reportMissingImports]
except ModuleNotFoundError as error:
    raise MissingPackageError("PyTorch", "torch", error) from error

Rule = Callable[[Any, Apply, list[Any]], Any]


def _plain(function: Callable[..., Any]) -> Rule:
    return lambda op, node, inputs: function(*inputs)


def _reshape(op: Any, node: Apply, inputs: list[Any]) -> Any:
    return inputs[0].reshape([-1 if size == ROWS else size for size in node.shape])


def _reduce(function: Callable[..., Any]) -> Rule:
    def rule(op: Any, node: Apply, inputs: list[Any]) -> Any:
        axes = normalize_axes(op.axis, node.inputs[0].ndim)
        return function(inputs[0], dim=tuple(axes), keepdim=op.keepdims)

    return rule


def _layer_norm(op: Any, node: Apply, inputs: list[Any]) -> Any:
    x, gain, shift = inputs
    return F.layer_norm(x, gain.shape, gain, shift, op.epsilon)


def _maximum(op: Any, node: Apply, inputs: list[Any]) -> Any:
    return torch.maximum(*torch.broadcast_tensors(*inputs))


RULES: dict[str, Rule] = {
    "absolute": _plain(torch.abs),
    "add": _plain(torch.add),
    "concatenate": lambda op, node, inputs: torch.cat(inputs, dim=op.axis),
    "cos": _plain(torch.cos),
    "divide": _plain(torch.div),
    "elu": lambda op, node, inputs: F.elu(*inputs, alpha=op.alpha),
    "exp": _plain(torch.exp),
    "gelu": lambda op, node, inputs: F.gelu(
        *inputs, approximate="tanh" if op.approximate else "none"
    ),
    "identity": lambda op, node, inputs: inputs[0],
    "layer_norm": _layer_norm,
    "leaky_relu": lambda op, node, inputs: F.leaky_relu(inputs[0], op.slope),
    "log": _plain(torch.log),
    "log_softmax": lambda op, node, inputs: torch.log_softmax(*inputs, dim=-1),
    "matmul": _plain(torch.matmul),
    "maximum": _maximum,
    "mean": _reduce(torch.mean),
    "mish": _plain(F.mish),
    "multiply": _plain(torch.mul),
    "negate": _plain(torch.neg),
    "power": lambda op, node, inputs: torch.pow(inputs[0], op.exponent),
    "relu": _plain(torch.relu),
    "reshape": _reshape,
    "scale": lambda op, node, inputs: inputs[0] * op.factor,
    "selu": _plain(F.selu),
    "sigmoid": _plain(torch.sigmoid),
    "silu": _plain(F.silu),
    "sin": _plain(torch.sin),
    "softmax": lambda op, node, inputs: torch.softmax(*inputs, dim=-1),
    # PyTorch's own default goes over to x at 20; the logarithm does not need it
    "softplus": lambda op, node, inputs: torch.logaddexp(inputs[0], torch.zeros_like(inputs[0])),
    "sqrt": _plain(torch.sqrt),
    "square": _plain(torch.square),
    "subtract": _plain(torch.sub),
    "sum": _reduce(torch.sum),
    "take": lambda op, node, inputs: inputs[0][inputs[1]],
    "tanh": _plain(torch.tanh),
    "transpose": lambda op, node, inputs: inputs[0].permute(*reversed(range(node.ndim))),
    "dropout": lambda op, node, inputs: inputs[0],  # in training see ``TorchNetwork``
}
"""By the operation's name."""
