"""The chain rule of one node, as a formula and as numbers: where a gradient comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.graph import Apply, Graph, Node, Trace
from chainrule.ops import ROWS

MOST_TERMS = 60

# {y}: the node; {a}, {b}: its operands; L: the last node, what is minimised
_UP = "∂L/∂{a} = ∂L/∂{y}"
FORMULAS: dict[str, tuple[str, tuple[str, ...]]] = {
    "matmul": ("{y} = {a} · {b}", ("∂L/∂{a} = ∂L/∂{y} · {b}ᵀ", "∂L/∂{b} = {a}ᵀ · ∂L/∂{y}")),
    "add": ("{y} = {a} + {b}", (_UP, "∂L/∂{b} = Σ ∂L/∂{y}")),
    "subtract": ("{y} = {a} − {b}", (_UP, "∂L/∂{b} = −∂L/∂{y}")),
    "multiply": ("{y} = {a} · {b}", (_UP + " · {b}", "∂L/∂{b} = ∂L/∂{y} · {a}")),
    "identity": ("{y} = {a}", (_UP,)),
    "sigmoid": ("{y} = 1 / (1 + exp(−{a}))", (_UP + " · {y} (1 − {y})",)),
    "tanh": ("{y} = tanh {a}", (_UP + " · (1 − {y}²)",)),
    "relu": ("{y} = max(0, {a})", (_UP + " · (1 where {a} > 0, else 0)",)),
    "leaky_relu": ("{y} = max({a}, 0.01 {a})", (_UP + " · (1 where {a} > 0, else 0.01)",)),
    "elu": ("{y} = {a} where {a} > 0, else exp({a}) − 1", (_UP + " · (1 or exp({a}))",)),
    "selu": (
        "{y} = λ {a} where {a} > 0, else λ α (exp({a}) − 1)",
        (_UP + " · (λ or λ α exp({a}))",),
    ),
    "gelu": ("{y} = {a} Φ({a})", (_UP + " · (Φ({a}) + {a} φ({a}))",)),
    "silu": ("{y} = {a} σ({a})", (_UP + " · (σ + {a} σ (1 − σ))",)),
    "softplus": ("{y} = log(1 + exp({a}))", (_UP + " · σ({a})",)),
    "mish": ("{y} = {a} tanh(softplus({a}))", (_UP + " · ∂{y}/∂{a}",)),
    "squared_error": ("{y} = ½ Σ ({a} − {b})²", (_UP + " · ({a} − {b})",)),
    "absolute_error": ("{y} = Σ |{a} − {b}|", (_UP + " · sign({a} − {b})",)),
    "huber": ("{y} = Σ ½ r² or |r| − ½, r = {a} − {b}", (_UP + " · clip({a} − {b}, −1, 1)",)),
    "quantile": ("{y} = Σ ½ |{a} − {b}|", (_UP + " · ½ sign({a} − {b})",)),
    "binary_cross_entropy_with_logits": (
        "{y} = Σ log(1 + exp({a})) − {b} · {a}",
        (_UP + " · (σ({a}) − {b})",),
    ),
    "softmax_cross_entropy": (
        "{y} = −log softmax({a}) of class {b}",
        (_UP + " · (softmax({a}) − 1 at class {b})",),
    ),
    "weighted_mean": ("{y} = mean of {a} over the n points", (_UP + " / n",)),
    "l1": ("{y} = λ Σ |{a}|", (_UP + " · λ sign {a}",)),
    "l2": ("{y} = λ/2 Σ {a}²", (_UP + " · λ {a}",)),
}


@dataclass(frozen=True)
class Contribution:
    """What one consumer of a value adds to its gradient.

    Attributes
    ----------
    via : str
        The consumer's name.
    rule : str
        Its backward rule.
    terms : list of (float, float)
        Products that are summed: gradient from above, local slope.
    total : float
        Their sum.
    """

    via: str
    rule: str
    terms: list[tuple[float, float]]
    total: float


def forward_formula(node: Apply, graph: Graph) -> str:
    """How the operation computes, in the names of the graph."""
    formula, _ = FORMULAS.get(node.op.name, ("{y} = " + node.op.name + "({a})", ()))
    return formula.format(**_names(node, graph))


def backward_formula(node: Apply, operand: int, graph: Graph) -> str:
    """What it passes to an operand, in the names of the graph."""
    names = _names(node, graph)
    known = FORMULAS.get(node.op.name, ("", ()))[1]
    if operand < len(known):
        return known[operand].format(**names)
    to = names["b"] if operand else names["a"]
    return f"∂L/∂{to} = ∂L/∂{names['y']} · ∂{names['y']}/∂{to}"


def _names(node: Apply, graph: Graph) -> dict[str, str]:
    shown = [shown_name(one, graph) for one in (node, *node.inputs)]
    return dict(zip("yab", [*shown, ""], strict=False))


def shown_name(node: Node, graph: Graph) -> str:
    """The name in formulas: L is what is minimised, the rest as the graph names it."""
    return "L" if node is graph.outputs[0] else graph.names[node].replace("weighted_", "")


def contributions(trace: Trace, node: Node, index: tuple[int, ...]) -> list[Contribution]:
    """∂L/∂(element) as the sum over all that read it: each ∂L/∂y times ∂y/∂(element)."""
    found = []
    for consumer in trace.graph.order:
        if not isinstance(consumer, Apply):
            continue
        for operand, one in enumerate(consumer.inputs):
            if one is node:
                terms = _terms(trace, consumer, operand, index)
                if terms is None:
                    continue
                total = float(sum(a * b for a, b in terms))
                rule = backward_formula(consumer, operand, trace.graph)
                name = shown_name(consumer, trace.graph)
                found.append(Contribution(name, rule, terms[:MOST_TERMS], total))
    return found


def _terms(
    trace: Trace, consumer: Apply, operand: int, index: tuple[int, ...]
) -> list[tuple[float, float]] | None:
    """Pairs (∂L/∂y, ∂y/∂element) whose products add up; None where no gradient is passed."""
    dy = trace.gradient(consumer)
    values = [trace.value(one) for one in consumer.inputs]
    if consumer.op.name == "matmul":
        if operand == 0:
            row, column = index
            pairs = zip(dy[row], values[1][column], strict=True)
        else:
            i, j = index
            pairs = zip(dy[:, j], values[0][:, i], strict=True)
        return [(float(a), float(b)) for a, b in pairs]
    if consumer.op.name in ("add", "subtract"):
        sign = -1.0 if consumer.op.name == "subtract" and operand == 1 else 1.0
        return [(float(a), sign) for a in _broadcast(dy, values[operand].shape, index)]
    local = consumer.backward(np.ones_like(dy), *values, trace.value(consumer))[operand]
    if local is None:
        return None
    above = dy[index[: dy.ndim]] if dy.ndim else dy
    return [(float(above), float(local[index]))]


def _broadcast(dy: np.ndarray, shape: tuple[int, ...], index: tuple[int, ...]) -> np.ndarray:
    """The entries of ``dy`` that one element of an operand of ``shape`` was spread to."""
    padded = (1,) * (dy.ndim - len(shape)) + shape
    places = (0,) * (dy.ndim - len(shape)) + index
    pick: list[Any] = [
        slice(None) if size == 1 and wide != 1 else place
        for size, wide, place in zip(padded, dy.shape, places, strict=True)
    ]
    return np.atleast_1d(dy[tuple(pick)]).ravel()


def nudged_loss(trace: Trace, node: Node, index: tuple[int, ...], h: float) -> float:
    """The first output with h added to one element of ``node``, everything after it recomputed."""
    values = {one: trace.value(one) for one in trace.graph.order}
    moved = np.array(values[node], dtype=np.float64)
    moved[index] += h
    values[node] = moved
    changed = {node}
    for one in trace.graph.order:
        if isinstance(one, Apply) and one is not node and changed.intersection(one.inputs):
            values[one] = np.asarray(one.forward(*(values[x] for x in one.inputs)))
            changed.add(one)
    return float(values[trace.graph.outputs[0]])


def numerical_check(trace: Trace, node: Node, index: tuple[int, ...]) -> dict[str, float]:
    """∂L/∂element two ways: by the chain rule, and by moving the element a little.

    central: (f(+h) − f(−h)) / 2h with h = 6e-6 · max(1, |x|); forward: the lecture's
    (f(+h) − f) / h with h = 1e-4.
    """
    x = float(trace.value(node)[index])
    h = float(np.cbrt(np.finfo(np.float64).eps)) * max(1.0, abs(x))
    ahead, behind = (nudged_loss(trace, node, index, sign * h) for sign in (1, -1))
    central = (ahead - behind) / (2 * h)
    forward = (nudged_loss(trace, node, index, 1e-4) - nudged_loss(trace, node, index, 0)) / 1e-4
    exact = float(trace.gradient(node)[index])
    error = abs(exact - central) / max(abs(exact), abs(central), 1e-6)
    return {
        "value": x,
        "exact": exact,
        "central": central,
        "forward": forward,
        "h": h,
        "relative_error": error,
    }


def has_rows(node: Node) -> bool:
    """Whether the first dimension of its value is rows."""
    return node.shape[:1] == (ROWS,)
