"""The run as a model file: θ by name, the network, what was done to the points before."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.files import write_model
from chainrule.graph import Graph
from chainrule.server.run import Run

MODEL_FILE = "playground.safetensors"


def model_bytes(run: Run) -> bytes:
    """A model file: θ by name, the network, the points' preprocessing, where it stands."""
    objective = run.network.objective
    arrays = {name: np.array(value) for name, value in objective.unpack(run.theta).items()}
    header: dict[str, Any] = {
        "network": objective.graph.to_dict(),
        "preprocessing": {
            "features": run.settings["features"],
            "offset": list(run.points.offset),
            "scale": list(run.points.scale),
            "target_offset": run.points.target_offset,
            "target_scale": run.points.target_scale,
        },
        "row_loss": Graph(objective.row_loss).to_dict(),
        "classes": list(run.points.classes),
        "history": {"steps": run.steps, "epochs": run.epochs, "n_train": run.points.n_train},
        "settings": run.settings,
    }
    if run.network.is_own:
        start = objective.initial(run.settings["seed"]) if run.given is None else run.given
        arrays["start"] = np.asarray(start, np.float64)
    if run.settings["dataset"] == "own":
        arrays |= {"points.X": run.points.X, "points.y": run.points.y}
    with tempfile.TemporaryDirectory(prefix="chainrule-") as folder:
        path = Path(folder) / MODEL_FILE
        write_model(path, arrays, header)
        return path.read_bytes()
