"""Step inside: one mini-batch, one node at a time, forward, backward, update."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.errors import OptionError, describe
from chainrule.graph import Apply, Constant, Node
from chainrule.server import rules
from chainrule.server.learning import MiniBatches, update_rule
from chainrule.server.run import Run
from chainrule.training.objective import WEIGHT

MOST_SHOWN = 256
"""Numbers of one node that the page gets."""


class Inside:
    """The next mini-batch of a run, stepped through; ``position`` counts nodes from 0.

    Positions 0 … F are forward (so many nodes have run), then backward, then the update.

    Parameters
    ----------
    run : Run
        Not changed: the caller makes the update by one step of the run itself.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.rows = next_rows(run)
        theta = np.array(run.theta, np.float64)
        X, y = run.X_train[self.rows].astype(np.float64), run.t_train[self.rows]
        self.trace = run.network.objective.trace(theta, X, y, masks=next_masks(run, len(y)))
        self.graph = self.trace.graph
        self.forward = [n for n in self.graph.order if isinstance(n, Apply)]
        self.backward = self._backward_nodes()
        self.position = 0
        self.row = 0
        self.move(0)

    def _backward_nodes(self) -> list[Node]:
        self.trace.restart()
        self.trace.forward()
        nodes: list[Node] = []
        while (step := self.trace.backward_step()) is not None:
            nodes.append(step.node)
        return nodes

    @property
    def last(self) -> int:
        """The position of the update."""
        return len(self.forward) + len(self.backward) + 1

    def move(self, position: int) -> None:
        """Go to a position by running the trace so far and no further."""
        self.position = max(0, min(position, self.last))
        self.trace.restart()
        for _ in range(min(self.position, len(self.forward))):
            self.trace.forward_step()
        for _ in range(min(self.position - len(self.forward), len(self.backward))):
            self.trace.backward_step()

    def look_at(self, row: int) -> None:
        """Show the numbers of this row of the batch."""
        if not 0 <= row < len(self.rows):
            raise OptionError(describe("row", f"0 to {len(self.rows) - 1}", row))
        self.row = row

    @property
    def phase(self) -> str:
        """ "forward", "backward" or "update"."""
        if self.position <= len(self.forward):
            return "forward"
        return "update" if self.position == self.last else "backward"

    @property
    def current(self) -> Node | None:
        """The node that ran last."""
        if self.position == 0 or self.phase == "update":
            return None
        if self.phase == "forward":
            return self.forward[self.position - 1]
        return self.backward[self.position - len(self.forward) - 1]

    def describe(self) -> dict[str, Any]:
        """Everything the page shows at this position, as plain data."""
        current = self.current
        return {
            "position": self.position,
            "last": self.last,
            "forward": len(self.forward),
            "phase": self.phase,
            "row": self.row,
            "rows": len(self.rows),
            "point": self._point(),
            "pixels": self._pixels(),
            "current": None if current is None else self.graph.names[current],
            "formulas": self._formulas(current),
            "nodes": [self._node(node) for node in self.graph.order if not _is_aside(node)],
            "update": self._update() if self.phase == "update" else None,
        }

    def _point(self) -> list[float] | None:
        """Where the row looked at stands in the picture; None where there is none."""
        points, settings = self.run.points, self.run.settings
        if points.image is not None:
            return None
        drawn = points.drawn(settings["across"], settings["up"])
        return points.X[self.rows[self.row], list(drawn)].tolist()

    def _pixels(self) -> list[float] | None:
        """The image looked at, 0 (paper) to 1; None where rows are no images."""
        points = self.run.points
        if points.image is None:
            return None
        return (points.X[self.rows[self.row]] / points.image.ink).tolist()

    def _formulas(self, node: Node | None) -> list[str]:
        if not isinstance(node, Apply):
            return []
        if self.phase == "forward":
            return [rules.forward_formula(node, self.graph)]
        passed = [i for i, one in enumerate(node.inputs) if one.kind not in ("target", "constant")]
        return [rules.backward_formula(node, i, self.graph) for i in passed]

    def _node(self, node: Node) -> dict[str, Any]:
        names = self.graph.names
        ran = not isinstance(node, Apply) or self.forward.index(node) < self.position
        reached = self._reached(node)
        return {
            "name": names[node],
            "shown": rules.shown_name(node, self.graph),
            "kind": node.kind,
            "op": node.op.name if isinstance(node, Apply) else None,
            "shape": [size if isinstance(size, int) else str(size) for size in node.shape],
            "inputs": [names[one] for one in node.inputs if not _is_aside(one)],
            "has_rows": rules.has_rows(node),
            "value": self._numbers(node, self.trace.value(node)) if ran else None,
            "gradient": self._numbers(node, self.trace.gradient(node)) if reached else None,
        }

    def _reached(self, node: Node) -> bool:
        """Whether its gradient is complete: everything that reads it has passed its part back."""
        done = self.position - len(self.forward)
        if done <= 0 or node.kind in ("target", "constant"):
            return False
        ran = set(self.backward[:done])
        readers = [one for one in self.backward if node in one.inputs]
        return all(one in ran for one in readers) and (bool(readers) or node in ran)

    def _numbers(self, node: Node, array: np.ndarray) -> list[Any]:
        one = array[self.row] if rules.has_rows(node) else array
        return np.asarray(one, np.float64).ravel()[:MOST_SHOWN].tolist()

    def _update(self) -> dict[str, Any] | None:
        """Each parameter: before, gradient, after; None where a solver searches its own step."""
        learner = self.run.learner
        if not isinstance(learner, MiniBatches):
            return None
        theta = np.array(learner.theta, np.float64)
        vector = self.run.network.objective.vector
        gradient = vector.pack({n: self.trace.gradient(n) for n in vector.slices})
        rule = update_rule(self.run.settings)
        after = theta.copy()
        slots = [np.array(slot, np.float64) for slot in learner.trainer.slots]
        rule.step(after, gradient, slots, learner.trainer.step + 1, rule.learning_rate)
        return {
            "rule": (type(rule).__doc__ or "").splitlines()[0],
            "learning_rate": rule.learning_rate,
            "parameters": {
                name: {
                    "before": theta[where][:MOST_SHOWN].tolist(),
                    "gradient": gradient[where][:MOST_SHOWN].tolist(),
                    "after": after[where][:MOST_SHOWN].tolist(),
                }
                for name, where in vector.slices.items()
            },
        }

    def explain(self, name: str, index: list[int]) -> dict[str, Any]:
        """One gradient: its formula with numbers, and its numerical check.

        Parameters
        ----------
        index : list of int
            The element; for a node with rows without the row, which is the one looked at.
        """
        node = self.graph[name]
        if not self._reached(node):
            expected = "a node whose gradient has been computed"
            raise OptionError(describe("gradient", expected, name, "Step further first."))
        place = (self.row, *index) if rules.has_rows(node) else tuple(index)
        shape = self.trace.value(node).shape
        fits = len(place) == len(shape) and all(
            0 <= i < size for i, size in zip(place, shape, strict=True)
        )
        if not fits:
            raise OptionError(describe(name, f"an index inside {shape}", list(place)))
        parts = rules.contributions(self.trace, node, place)
        check = rules.numerical_check(self.trace, node, place)
        return {
            "name": name,
            "index": list(index),
            "row": self.row if rules.has_rows(node) else None,
            "parts": [
                {"via": p.via, "rule": p.rule, "terms": p.terms, "total": p.total} for p in parts
            ],
            **check,
        }


def next_masks(run: Run, rows: int) -> dict[Node, np.ndarray]:
    """What dropout multiplies by in the next mini-batch; a full-batch solver has none."""
    learner = run.learner
    return learner.next_masks(rows) if isinstance(learner, MiniBatches) else {}


def next_rows(run: Run) -> np.ndarray:
    """The rows of the next mini-batch, in its order; all rows for a full-batch solver."""
    learner = run.learner
    return learner.next_rows() if isinstance(learner, MiniBatches) else np.arange(len(run.X_train))


def _is_aside(node: Node) -> bool:
    """Whether it is left out of the drawing: plain numbers, and weights of rows, here all 1."""
    return node.name == WEIGHT or (isinstance(node, Constant) and node.value.size == 1)
