"""The chain rule of one node, as a formula and as numbers: where a gradient comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.graph import Apply, Node, Trace
from chainrule.ops import ROWS

MOST_TERMS = 60

FORMULAS: dict[str, tuple[str, tuple[str, ...]]] = {
    "matmul": ("y = a · b", ("∂L/∂a = ∂L/∂y · bᵀ", "∂L/∂b = aᵀ · ∂L/∂y")),
    "add": ("y = a + b", ("∂L/∂a = ∂L/∂y", "∂L/∂b = Σ ∂L/∂y")),
    "subtract": ("y = a − b", ("∂L/∂a = ∂L/∂y", "∂L/∂b = −∂L/∂y")),
    "multiply": ("y = a · b", ("∂L/∂a = ∂L/∂y · b", "∂L/∂b = ∂L/∂y · a")),
    "identity": ("y = x", ("∂L/∂x = ∂L/∂y",)),
    "sigmoid": ("y = 1 / (1 + e⁻ˣ)", ("∂L/∂x = ∂L/∂y · y (1 − y)",)),
    "tanh": ("y = tanh x", ("∂L/∂x = ∂L/∂y · (1 − y²)",)),
    "relu": ("y = max(0, x)", ("∂L/∂x = ∂L/∂y · [x > 0]",)),
    "leaky_relu": ("y = max(x, 0.01 x)", ("∂L/∂x = ∂L/∂y · (1 or 0.01)",)),
    "elu": ("y = x or eˣ − 1", ("∂L/∂x = ∂L/∂y · (1 or eˣ)",)),
    "selu": ("y = λ x or λ α (eˣ − 1)", ("∂L/∂x = ∂L/∂y · (λ or λ α eˣ)",)),
    "gelu": ("y = x Φ(x)", ("∂L/∂x = ∂L/∂y · (Φ(x) + x φ(x))",)),
    "silu": ("y = x σ(x)", ("∂L/∂x = ∂L/∂y · (σ + x σ (1 − σ))",)),
    "softplus": ("y = log(1 + eˣ)", ("∂L/∂x = ∂L/∂y · σ(x)",)),
    "mish": ("y = x tanh(softplus x)", ("∂L/∂x = ∂L/∂y · dy/dx",)),
    "squared_error": ("L = ½ Σ (s − t)²", ("∂L/∂s = s − t",)),
    "absolute_error": ("L = Σ |s − t|", ("∂L/∂s = sign(s − t)",)),
    "huber": ("L = Σ ½ r² or δ (|r| − ½ δ)", ("∂L/∂s = clip(s − t, −δ, δ)",)),
    "quantile": ("L = Σ max(q (t − s), (1 − q)(s − t))", ("∂L/∂s = 1 − q or −q",)),
    "binary_cross_entropy_with_logits": ("L = Σ log(1 + eˢ) − t s", ("∂L/∂s = σ(s) − t",)),
    "softmax_cross_entropy": ("L = −log softmax(s)ₜ", ("∂L/∂s = softmax(s) − [k = t]",)),
    "weighted_mean": ("J = Σ w L / Σ w", ("∂J/∂L = w / Σ w",)),
    "l1": ("P = λ Σ |W|", ("∂P/∂W = λ sign W",)),
    "l2": ("P = λ/2 Σ W²", ("∂P/∂W = λ W",)),
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


def forward_formula(node: Apply) -> str:
    """How the operation computes."""
    return FORMULAS[node.op.name][0] if node.op.name in FORMULAS else f"y = {node.op.name}(…)"


def backward_formula(node: Apply, operand: int) -> str:
    """What it passes to an operand."""
    if node.op.name in FORMULAS and operand < len(FORMULAS[node.op.name][1]):
        return FORMULAS[node.op.name][1][operand]
    return "∂L/∂x = ∂L/∂y · ∂y/∂x"


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
                rule = backward_formula(consumer, operand)
                name = trace.graph.names[consumer]
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
