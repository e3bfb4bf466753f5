"""Each operation as an expression of plain NumPy, and the functions that some of them call."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from chainrule.graph.node import Apply
from chainrule.ops import ROWS, activations, normalization

Rule = Callable[[Any, Apply, list[str]], str]

_ERF = inspect.getsource(activations.erf)

HELPERS: dict[str, str] = {
    "sigmoid": inspect.getsource(activations.sigmoid),
    "softplus": inspect.getsource(activations.softplus),
    "erf": _ERF.replace("_erf_of_floats", "np.frompyfunc(erf1, 1, 1)"),
    "softmax": inspect.getsource(normalization.softmax),
    "log_softmax": inspect.getsource(normalization.log_softmax),
    "relu": '''def relu(x):
    """max(0, x)."""
    return np.maximum(x, 0)
''',
    "leaky_relu": '''def leaky_relu(x, slope):
    """x for x > 0, slope · x otherwise."""
    return np.where(x > 0, x, slope * x)
''',
    "elu": '''def elu(x, alpha):
    """x for x > 0, alpha (eˣ − 1) otherwise."""
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))
''',
    "gelu": '''def gelu(x):
    """x times the normal distribution's share below x."""
    return 0.5 * x * (1 + erf(x * 0.7071067811865476))
''',
    "gelu_tanh": '''def gelu_tanh(x):
    """gelu in its tanh form."""
    return 0.5 * x * (1 + np.tanh(0.7978845608028654 * (x + 0.044715 * x**3)))
''',
    "layer_norm": '''def layer_norm(x, gain, shift, epsilon):
    """gain · (x − mean) / √(variance + epsilon) + shift over the columns of each row."""
    centred = x - x.mean(axis=-1, keepdims=True)
    inverse = 1 / np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + epsilon)
    return centred * inverse * gain + shift
''',
}
"""What a file may have to define; where the library has a function of its own, its very text."""

NEEDS = {"gelu": ("erf",)}
"""Helpers that call others."""


def _infix(sign: str) -> Rule:
    return lambda op, node, inputs: f"({f' {sign} '.join(inputs)})"


def _call(function: str, *options: str) -> Rule:
    """A function of the operands, then of the operation's options."""

    def rule(op: Any, node: Apply, inputs: list[str]) -> str:
        given = [f"{name}={getattr(op, name)!r}" for name in options]
        return f"{function}({', '.join([*map(bare, inputs), *given])})"

    return rule


def _silu(op: Any, node: Apply, inputs: list[str]) -> str:
    (x,) = inputs
    return f"({x} * sigmoid({bare(x)}))"


def _mish(op: Any, node: Apply, inputs: list[str]) -> str:
    (x,) = inputs
    return f"({x} * np.tanh(softplus({bare(x)})))"


def _selu(op: Any, node: Apply, inputs: list[str]) -> str:
    return f"({op.SCALE!r} * elu({bare(inputs[0])}, alpha={op.ALPHA!r}))"


def _gelu(op: Any, node: Apply, inputs: list[str]) -> str:
    return f"{'gelu_tanh' if op.approximate else 'gelu'}({bare(inputs[0])})"


def _reshape(op: Any, node: Apply, inputs: list[str]) -> str:
    sizes = ["-1" if size == ROWS else str(size) for size in node.shape]
    return f"{inputs[0]}.reshape({', '.join(sizes)})"


def _concatenate(op: Any, node: Apply, inputs: list[str]) -> str:
    return f"np.concatenate([{', '.join(map(bare, inputs))}], axis={op.axis})"


RULES: dict[str, Rule] = {
    "absolute": _call("np.abs"),
    "add": _infix("+"),
    "concatenate": _concatenate,
    "cos": _call("np.cos"),
    "divide": _infix("/"),
    "dropout": lambda op, node, inputs: inputs[0],
    "elu": _call("elu", "alpha"),
    "exp": _call("np.exp"),
    "gelu": _gelu,
    "identity": lambda op, node, inputs: inputs[0],
    "layer_norm": _call("layer_norm", "epsilon"),
    "leaky_relu": _call("leaky_relu", "slope"),
    "log": _call("np.log"),
    "log_softmax": _call("log_softmax"),
    "matmul": _infix("@"),
    "maximum": _call("np.maximum"),
    "mean": _call("np.mean", "axis", "keepdims"),
    "mish": _mish,
    "multiply": _infix("*"),
    "negate": lambda op, node, inputs: f"(-{inputs[0]})",
    "power": lambda op, node, inputs: f"({inputs[0]} ** {op.exponent!r})",
    "relu": _call("relu"),
    "reshape": _reshape,
    "scale": lambda op, node, inputs: f"({inputs[0]} * {op.factor!r})",
    "selu": _selu,
    "sigmoid": _call("sigmoid"),
    "silu": _silu,
    "sin": _call("np.sin"),
    "softmax": _call("softmax"),
    "softplus": _call("softplus"),
    "sqrt": _call("np.sqrt"),
    "square": _call("np.square"),
    "subtract": _infix("-"),
    "sum": _call("np.sum", "axis", "keepdims"),
    "take": lambda op, node, inputs: f"{inputs[0]}[{bare(inputs[1])}]",
    "tanh": _call("np.tanh"),
    "transpose": lambda op, node, inputs: f"{inputs[0]}.T",
}
"""By the operation's name."""


def bare(text: str) -> str:
    """``text`` without the brackets around all of it."""
    if not text.startswith("("):
        return text
    depth = 0
    for place, sign in enumerate(text):
        depth += (sign == "(") - (sign == ")")
        if depth == 0:
            return text[1:-1] if place == len(text) - 1 else text
    return text
