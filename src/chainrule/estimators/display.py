"""How an estimator prints: its layers with shapes and parameter counts, and how training went."""

from __future__ import annotations

import html
from typing import Any

from sklearn.utils import estimator_html_repr

from chainrule.estimators.network import Network
from chainrule.graph import Node
from chainrule.graph.node import Apply, Parameter
from chainrule.graph.show import align
from chainrule.ops.shapes import format_shape

ENDINGS = {"max_iter": "stopped by max_iter", "callback": "stopped by a callback"}
HEADS = ("layer", "operation", "output", "parameters")


def layer_rows(network: Network) -> list[tuple[str, str, str, int]]:
    """One row a layer: name, operations, shape of the output, number of parameters.

    A layer begins at every node that reads a parameter directly; the nodes after it, activations
    and dropout among them, belong to it.
    """
    rows: list[tuple[str, list[Node], int]] = []
    for node in network.graph.order:
        if not isinstance(node, Apply):
            continue
        own = [p for p in node.inputs if isinstance(p, Parameter)]
        begins = any(len(p.shape) >= 2 or node.op.name == "layer_norm" for p in own)
        if begins or not rows:
            rows.append((str(len(rows) + 1), [], 0))
        label, nodes, count = rows[-1]
        rows[-1] = (label, [*nodes, node], count + sum(p.size for p in own))
    return [_layer_row(label, nodes, count) for label, nodes, count in rows]


def _layer_row(label: str, nodes: list[Node], count: int) -> tuple[str, str, str, int]:
    names = [node.op.name for node in nodes if isinstance(node, Apply)]
    if names[:2] == ["matmul", "add"]:
        names[:2] = ["dense"]
    elif names[:1] == ["matmul"]:
        names[0] = "dense without bias"
    return label, " → ".join(names), format_shape(nodes[-1].shape), count


def training_state(estimator: Any) -> str:
    """How training went, in a sentence."""
    iterations = estimator.n_iter_
    iterations = iterations if isinstance(iterations, int) else max(iterations)
    how = ENDINGS.get(estimator.training_status_, estimator.training_status_)
    text = f"{how} after {iterations} iterations"
    loss = getattr(estimator, "loss_", None)
    if loss is not None:
        text += f", loss {loss:.6g}"
    score = getattr(estimator, "best_validation_score_", None)
    if score is not None:
        text += f", best validation score {score:.6g}"
    return text


def _is_fitted(estimator: Any) -> bool:
    return hasattr(estimator, "_network") and hasattr(estimator, "training_status_")


def text_table(estimator: Any) -> str:
    """For a terminal."""
    name = type(estimator).__name__
    if not _is_fitted(estimator):
        return f"{name}: not fitted, so its layers are not known yet"
    rows = layer_rows(estimator._network)
    total = sum(row[3] for row in rows)
    cells = [(*row[:3], f"{row[3]:,}") for row in rows]
    table = align(HEADS, [*cells, ("", "", "total", f"{total:,}")], right={3})
    theta = estimator._theta
    return (
        f"{name}: {estimator.n_features_in_} columns in, {theta.dtype}\n"
        f"{table}\n{training_state(estimator)}"
    )


STYLE = (
    "border-collapse:collapse;font-family:monospace;font-size:90%;margin:.5em 0",
    "text-align:left;padding:.15em .8em;border-bottom:1px solid currentColor",
    "text-align:left;padding:.15em .8em",
)


def html_table(estimator: Any) -> str:
    """For a notebook: scikit-learn's diagram, and below it the layers and the state of training."""
    diagram = estimator_html_repr(estimator)
    if not _is_fitted(estimator):
        return diagram
    table, head, cell = STYLE
    heads = "".join(f'<th style="{head}">{text}</th>' for text in HEADS)
    lines = [
        "".join(f'<td style="{cell}">{html.escape(str(value))}</td>' for value in row)
        for row in layer_rows(estimator._network)
    ]
    total = sum(row[3] for row in layer_rows(estimator._network))
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    size = f"{total:,} parameters, {estimator._theta.dtype}"
    state = html.escape(f"{size}; {training_state(estimator)}")
    return (
        f'{diagram}<table class="chainrule-layers" style="{table}">'
        f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody>"
        f'<caption style="caption-side:bottom;text-align:left;padding:.3em .8em">{state}</caption>'
        "</table>"
    )
