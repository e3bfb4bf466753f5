"""What a page is told of a run: everything at its beginning, its standing after every change."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from chainrule.server import frames
from chainrule.server.network import Network
from chainrule.server.run import Run


def run_message(run: Run, own_name: str | None, playing: bool) -> dict[str, Any]:
    """What a page needs to draw a run before its first frame."""
    network, points = run.network, run.points
    shapes = network.objective.vector.shapes.items()
    return {
        "type": "run",
        "run": run.number,
        "settings": run.settings,
        "start_settings": run.start_settings,
        "sizes": list(network.sizes),
        "kind": network.kind,
        "columns": _columns(network),
        "boxes": [{"column": box.column, "name": box.name} for box in network.boxes],
        "is_own": network.is_own,
        "is_plane": points.is_plane,
        "classes": list(points.classes),
        "image": None if points.image is None else asdict(points.image),
        "learnt": points.n_train,
        "tests": len(points.X) - points.n_train,
        "scored": run.most_scored,
        "axes": list(points.axes),
        "offset": list(points.offset),
        "scale": list(points.scale),
        "parameters": [{"name": name, "shape": list(shape)} for name, shape in shapes],
        "own": own_name,
        "playing": playing,
        "failure": run.failure,
    }


def status_message(run: Run, playing: bool, inside: bool) -> dict[str, Any]:
    """How a run stands: sent whenever something was done."""
    return {
        "type": "status",
        "playing": playing,
        "inside": inside,
        "settings": run.settings,
        "changed": any(event[0] in ("set", "edit") and event[1] for event in run.journal),
        "failure": run.failure,
    }


def points_frame(run: Run) -> bytes:
    """The points, by the two columns that are drawn; none where they are images."""
    points = run.points
    if points.image is not None:
        points = replace(points, X=points.X[:0], y=points.y[:0])
    columns = points.drawn(run.settings["across"], run.settings["up"])
    return frames.pack_points(run.number, points, columns)


def _columns(network: Network) -> list[dict[str, Any]]:
    """What the page needs to draw each column of neurons and the links into it."""
    shapes = network.objective.vector.shapes
    return [
        {
            "weights": column.weights,
            "biases": column.biases,
            "activation": column.activation,
            "is_linked": shapes[column.weights][0] == network.sizes[i],
        }
        for i, column in enumerate(network.columns)
    ]
