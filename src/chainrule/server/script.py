"""The run as a Python script that repeats it to the same bits."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from chainrule.server.learning import precision
from chainrule.server.own import Own
from chainrule.server.run import Run
from chainrule.server.script_points import points_imports, points_lines, read_line
from chainrule.server.settings import FULL_BATCH_SOLVERS

UPDATES = {
    "sgd": "SGD({learning_rate!r})",
    "momentum": "Momentum({learning_rate!r}, momentum={momentum!r})",
    "nesterov": "Nesterov({learning_rate!r}, momentum={momentum!r})",
    "rmsprop": "RMSProp({learning_rate!r})",
    "adam": "Adam({learning_rate!r})",
    "adamw": "AdamW({learning_rate!r})",
}

HEAD = '''"""A network, its points and its training, as they stood in the chainrule playground.

It repeats the run: the same seeds give the same bits on the same instruction set and version.
"""

import numpy as np

import chainrule as cr
from chainrule.server.frames import fingerprint
'''

TAIL = """
print(f"parameters {theta.size}, fingerprint {fingerprint(theta):016x}")
loss_on_test, _ = objective(theta, X[n:], y[n:])
print(f"loss on the points it has not seen, penalty included: {loss_on_test:.6g}")
"""


def script(run: Run, own: Own | None) -> str:
    """Python that makes the points, builds the network, and replays everything done to it."""
    start = run.start_settings
    parts = [
        HEAD + _imports(run, own),
        points_lines(start, own),
        _network(run, start),
        f"objective = {_objective(run, start)}\n" + _initial(run),
        _training(run, own) + TAIL,
    ]
    return "\n".join(parts)


def _imports(run: Run, own: Own | None) -> str:
    settings = run.start_settings
    changes = [what[0] for event, *what in run.journal if event == "set"]
    solvers = {settings["solver"], *(one["solver"] for one in changes if "solver" in one)}
    stepwise = sorted(solvers - set(FULL_BATCH_SOLVERS))
    lines = []
    if stepwise:
        lines.append("from chainrule.server.learning import FOREVER, go_on")
    if settings["dropout"] and stepwise:
        lines.append("from chainrule.networks import Dropout")
    if own is not None and own.stack is not None and settings["dataset"] == "own":
        lines.append("from chainrule.graph import Graph")
    lines = sorted([*lines, *points_imports(settings, own)])
    names = {UPDATES[solver].split("(")[0] for solver in stepwise} | (
        {"Trainer"} if stepwise else set()
    )
    if solvers & set(FULL_BATCH_SOLVERS):
        names.add("minimize")
    lines.append(f"from chainrule.training import {', '.join(sorted(names))}")
    return "\n".join(lines) + "\n"


def _network(run: Run, settings: Mapping[str, Any]) -> str:
    """The graph written out: the same leaves in the same order as ``network.build``."""
    sizes = run.network.sizes
    if run.network.is_own:
        return _own_network(run, settings)
    lines = [f"x = cr.input('x', ('rows', {sizes[0]}))"]
    before, image = "x", run.points.image
    if image is not None:
        lines.append(f"pixels = cr.scale(x, 1 / {image.ink!r})")
        before = "pixels"
    for i, (wide, units) in enumerate(pairwise(sizes), start=1):
        init = "cr.normal(0.001)" if settings["init"] == "small_normal" else repr(settings["init"])
        lines += [
            f"W{i} = cr.parameter('W{i}', ({wide}, {units}), init={init})",
            f"b{i} = cr.parameter('b{i}', ({units},), init=0.0)",
        ]
        if i == len(sizes) - 1:
            lines.append(f"scores = {before} @ W{i} + b{i}")
        else:
            lines.append(f"h{i} = cr.{settings['activations'][i - 1]}({before} @ W{i} + b{i})")
            if settings["dropout"] and settings["solver"] not in FULL_BATCH_SOLVERS:
                lines.append(f"h{i} = Dropout({settings['dropout']!r})(h{i}, {i})")
            before = f"h{i}"
    return "\n".join([*lines, *_loss(run, settings)]) + "\n"


def _own_network(run: Run, settings: Mapping[str, Any]) -> str:
    """The graph as the model file of the page holds it."""
    return (
        "# the layers came from Python; the model file holds their graph\n"
        "(loss,) = Graph.from_dict(header['row_loss']).outputs\n"
        "matrices = [p for p in Graph(loss).parameters if p.ndim == 2]\n"
        f"{_labels(run, settings)}\n"
    )


def _labels(run: Run, settings: Mapping[str, Any]) -> str:
    """The line that makes of labels what the loss reads."""
    loss, kind, outputs = settings["loss"], run.network.kind, run.network.sizes[-1]
    dtype = f"np.{_dtype(settings)}"
    if kind == "value":
        return f"y = labels.astype({dtype})"
    if loss == "cross_entropy" and kind == "classes":
        return "y = labels"
    right = "labels == 1" if kind == "sign" else f"np.equal.outer(labels, np.arange({outputs}))"
    low = -1.0 if loss == "squared_error" else 0.0
    return f"y = np.where({right}, 1.0, {low}).astype({dtype})"


def _loss(run: Run, settings: Mapping[str, Any]) -> list[str]:
    loss, kind, outputs = settings["loss"], run.network.kind, run.network.sizes[-1]
    if kind == "value":
        lines = ["t = cr.target('t', ('rows',))", f"loss = cr.{loss}(scores, t)"]
        return [*lines, _labels(run, settings)]
    if loss == "cross_entropy" and kind == "classes":
        return [
            "t = cr.target('t', ('rows',), dtype=int)",
            "loss = cr.softmax_cross_entropy(scores, t)",
            _labels(run, settings),
        ]
    shape = "('rows',)" if kind == "sign" else f"('rows', {outputs})"
    squared = loss == "squared_error"
    function = "squared_error" if squared else "binary_cross_entropy_with_logits"
    return [
        f"t = cr.target('t', {shape})",
        f"loss = cr.{function}({'cr.tanh(scores)' if squared else 'scores'}, t)",
        _labels(run, settings),
    ]


def _objective(run: Run, settings: Mapping[str, Any]) -> str:
    if settings["regularization"] == "none":
        return "cr.Objective(loss)"
    matrices = ", ".join(f"W{i}" for i in range(1, len(run.network.sizes)))
    if run.network.is_own:
        matrices = "*matrices"
    penalty = f"cr.{settings['regularization']}({matrices}, strength={settings['strength']!r})"
    return f"cr.Objective(loss, penalty={penalty})"


def _initial(run: Run) -> str:
    dtype = _dtype(run.start_settings)
    if run.network.is_own:
        return f"theta = arrays['start'].astype(np.{dtype})\n"
    if run.given is None:
        seed = run.start_settings["seed"]
        return f"theta = objective.initial({seed}).astype(np.{dtype})\n"
    numbers = np.asarray(run.given, np.float64).tolist()
    return f"theta = np.array({numbers!r}, np.{dtype})\n"


def _training(run: Run, own: Own | None) -> str:
    """The journal as lines: mini-batches through a trainer, solvers through ``minimize``."""
    settings = dict(run.start_settings)
    lines = [] if _looks_for_minimum(settings) else [f"trainer = {_trainer(settings)}"]
    for event, *what in run.journal:
        theta = "theta" if _looks_for_minimum(settings) else "trainer.theta"
        if event == "steps" and _looks_for_minimum(settings):
            lines.append(
                f"theta = minimize(objective, X[:n], y[:n], theta0=theta, "
                f"solver={settings['solver']!r}, max_iter={what[0]}).theta"
            )
        elif event == "steps":
            lines.append(f"trainer.run({what[0]})")
        elif event == "edit":
            name, index, value = what
            place = ", ".join(map(str, index))
            lines.append(f"objective.unpack({theta})[{name!r}][{place}] = {value!r}")
        elif event == "set" and what[0]:
            lines += _changed(run, own, settings, what[0])
            settings |= what[0]
    if not _looks_for_minimum(settings):
        lines.append("theta = trainer.theta")
    return "\n".join(lines) + "\n"


def _changed(
    run: Run, own: Own | None, before: Mapping[str, Any], changes: Mapping[str, Any]
) -> list[str]:
    """The lines that go on with other settings, as ``Run.apply`` does."""
    after = {**before, **changes}
    was, will = _looks_for_minimum(before), _looks_for_minimum(after)
    lines = [f"# {', '.join(f'{key} = {value!r}' for key, value in changes.items())}"]
    if was != will:
        lines.append(read_line(after, own).rstrip())
    if was != will or after["activations"] != before["activations"]:
        lines.append(_network(run, after).rstrip())
    theta = "theta" if was else "trainer.theta"
    if was != will:
        theta += f".astype(np.{_dtype(after)})"
    lines.append(f"objective, theta = {_objective(run, after)}, {theta}")
    if will:
        return lines
    if was:
        return [*lines, f"trainer = {_trainer(after)}"]
    return [*lines, f"trainer, before = {_trainer(after)}, trainer", "go_on(trainer, before)"]


def _looks_for_minimum(settings: Mapping[str, Any]) -> bool:
    return settings["solver"] in FULL_BATCH_SOLVERS


def _trainer(settings: Mapping[str, Any]) -> str:
    update = UPDATES[settings["solver"]].format(**settings)
    return (
        f"Trainer(\n    objective, X[:n], y[:n], theta0=theta, update={update},\n"
        f"    batch_size={settings['batch_size']}, seed={settings['seed']},\n"
        "    max_epochs=FOREVER, n_iter_no_change=None, n_threads=1,\n)"
    )


def _dtype(settings: Mapping[str, Any]) -> str:
    return precision(settings).__name__
