"""How an estimator prints: its layers with shapes and parameter counts, and how training went."""

from __future__ import annotations

from typing import Any

from sklearn.utils import estimator_html_repr

from chainrule.estimators.network import Network
from chainrule.graph.layers import layers_of
from chainrule.graph.markup import table
from chainrule.graph.show import align
from chainrule.ops.shapes import format_shape

ENDINGS = {
    "max_iter": "stopped by max_iter",
    "max_epochs": "all planned epochs made",
    "max_time": "stopped by max_time",
    "callback": "stopped by a callback",
}
HEADS = ("layer", "operation", "output", "parameters")


def layer_rows(network: Network) -> list[tuple[str, str, str, int]]:
    """One row a layer: number, operations, shape of the output, number of parameters."""
    return [
        (str(layer.number), layer.words, format_shape(layer.nodes[-1].shape), layer.size)
        for layer in layers_of(network.graph)
    ]


def training_state(estimator: Any) -> str:
    """How training went, in a sentence."""
    iterations = estimator.n_iter_
    iterations = iterations if isinstance(iterations, int) else max(iterations)
    how = ENDINGS.get(estimator.training_status_, estimator.training_status_)
    best = getattr(estimator, "best_epoch_", None)
    what = "iteration" if best is None else "epoch"
    text = f"{how} after {iterations} {what}{'' if iterations == 1 else 's'}"
    text += "" if best is None else f", kept: epoch {best}"
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
    lines = align(HEADS, [*cells, ("", "", "total", f"{total:,}")], right={3})
    theta = estimator._theta
    return (
        f"{name}: {estimator.n_features_in_} columns in, {theta.dtype}\n"
        f"{lines}\n{training_state(estimator)}"
    )


def html_table(estimator: Any) -> str:
    """For a notebook: scikit-learn's diagram, and below it the layers and the state of training."""
    diagram = estimator_html_repr(estimator)
    if not _is_fitted(estimator):
        return diagram
    rows = layer_rows(estimator._network)
    total = sum(row[3] for row in rows)
    state = f"{total:,} parameters, {estimator._theta.dtype}; {training_state(estimator)}"
    cells = [(*row[:3], f"{row[3]:,}") for row in rows]
    return diagram + table(HEADS, cells, {3}, state, class_="chainrule-layers")
