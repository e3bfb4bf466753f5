"""A loss of the user's own: which nodes the function gets, and what it must give back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chainrule.errors import GraphError, OptionError, ShapeError
from chainrule.estimators.network import Loss
from chainrule.graph import FUNCTIONS, Node
from chainrule.ops import ROWS
from chainrule.ops.shapes import format_shape


def own_loss(function: Callable[..., Any]) -> Loss:
    """``function`` as the loss of a head; with one output its scores are (rows,), as the target is.

    What it is given and what it must return is said where it does not fit.
    """

    def loss(scores: Node, target: Node) -> Node:
        if target.ndim == 1 and scores.shape == (ROWS, 1):
            scores = FUNCTIONS["reshape"](scores, (ROWS,))
        kind = (
            "numbers of classes, which cr.softmax_cross_entropy reads"
            if target.integer
            else "numbers"
        )
        given = (
            f"the function is given scores {format_shape(scores.shape)} and targets "
            f"{format_shape(target.shape)}, {kind}"
        )
        try:
            found = function(scores, target)
        except (GraphError, ShapeError) as error:
            raise type(error)(f"loss: {error}; {given}") from error
        if not isinstance(found, Node):
            raise OptionError(
                "loss must be a function of the nodes (scores, target) that returns a node, "
                f"got {type(found).__name__}; write it with chainrule's functions, such as "
                "cr.square(scores - target)"
            )
        if found.shape != (ROWS,):
            raise ShapeError(
                f"loss must be one number a row, of shape (rows,), got "
                f"{format_shape(found.shape)}; {given}. {_remedy(found)}"
            )
        return found

    return loss


def _remedy(found: Node) -> str:
    if found.shape[:1] == (ROWS,):
        return "Sum over the outputs: cr.sum(…, axis=1)."
    return "Leave out the mean over rows: training weighs and averages them."
