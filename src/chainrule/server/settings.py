"""The one table of what can be set: names, kinds, limits, defaults.

The server refuses by it, and the page makes its controls and its address (URL) from it, so that
what the page offers and what the server allows cannot drift apart.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from chainrule.errors import OptionError, describe
from chainrule.networks import ACTIVATIONS
from chainrule.server.drawing import FIRST_DRAWING, MAX_DRAWN, read_drawing
from chainrule.server.images import IMAGE_SETS
from chainrule.server.points import DATASETS, FEATURES

MAX_LAYERS = 8
MAX_UNITS = 64
MAX_MODEL_UNITS = 256
"""Units of a layer: those that a page may ask for, and those of a model that came from Python."""

MAX_COLUMNS = 1024
"""Columns of the points of a model that came from Python."""

MAX_STEPS = 10**9
"""Of a run that is made again from its address or its file."""

SEEDS = 2**31 - 1

MINI_BATCH_SOLVERS = ("sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw")
FULL_BATCH_SOLVERS = ("cg", "lbfgs")
CLASSIFICATION_LOSSES = ("cross_entropy", "one_vs_all", "squared_error")
REGRESSION_LOSSES = ("squared_error", "absolute_error", "huber", "quantile")
INITS = ("glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "small_normal")
SPEEDS = (1, 3, 10, 30, 100, 1000, 10000, 0)
"""Mini-batches a second; 0 is as fast as it goes."""


@dataclass(frozen=True)
class Setting:
    """One row of the table.

    Attributes
    ----------
    kind : {"choice", "integer", "number", "choices", "integers", "drawing"}
        "choices" and "integers" are lists; a drawing is a text that holds points.
    restarts : bool
        Whether a change begins the run anew; otherwise it takes effect while learning.
    """

    name: str
    kind: str
    default: Any
    choices: tuple[Any, ...] = ()
    least: float = 0
    most: float = 0
    longest: int = 0
    restarts: bool = True

    def read(self, value: Any) -> Any:
        """``value`` if it is allowed; an ``OptionError`` that says what is, otherwise."""
        return _READERS[self.kind](self, value)

    def refuse(self, expected: str, value: Any) -> OptionError:
        """The error for a value that is not allowed."""
        return OptionError(describe(self.name, expected, _short(value)))


def _choice(setting: Setting, value: Any) -> Any:
    for one in setting.choices:
        if type(value) is type(one) and value == one:
            return one
    raise setting.refuse(f"one of {', '.join(map(str, setting.choices))}", value)


def _number(setting: Setting, value: Any) -> float:
    wanted = f"a number from {setting.least:g} to {setting.most:g}"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise setting.refuse(wanted, value)
    if not math.isfinite(value) or not setting.least <= value <= setting.most:
        raise setting.refuse(wanted, value)
    return float(value)


def _integer(setting: Setting, value: Any) -> int:
    number = _number(setting, value)
    if number != int(number):
        raise setting.refuse(f"a whole number from {setting.least:g} to {setting.most:g}", value)
    return int(number)


def _drawing(setting: Setting, value: Any) -> str:
    if not isinstance(value, str):
        raise setting.refuse("text that holds points", value)
    return read_drawing(value)


def _list(read: Callable[[Setting, Any], Any]) -> Callable[[Setting, Any], list[Any]]:
    def read_list(setting: Setting, value: Any) -> list[Any]:
        if not isinstance(value, list) or len(value) > setting.longest:
            raise setting.refuse(f"a list of at most {setting.longest}", value)
        return [read(setting, one) for one in value]

    return read_list


_READERS: dict[str, Callable[[Setting, Any], Any]] = {
    "choice": _choice,
    "number": _number,
    "integer": _integer,
    "choices": _list(_choice),
    "integers": _list(_integer),
    "drawing": _drawing,
}

TABLE: tuple[Setting, ...] = (
    Setting("dataset", "choice", "circle", (*DATASETS, "drawn", *IMAGE_SETS, "own")),
    Setting("drawing", "drawing", FIRST_DRAWING, longest=4 * MAX_DRAWN),
    Setting("n_classes", "integer", 3, least=2, most=8),
    Setting("noise", "integer", 0, least=0, most=50),
    Setting("train_percent", "integer", 50, least=10, most=90),
    Setting("data_seed", "integer", 0, least=0, most=SEEDS),
    Setting("features", "choices", ["x1", "x2"], FEATURES, longest=len(FEATURES)),
    Setting("hidden_layer_sizes", "integers", [4, 2], least=1, most=MAX_UNITS, longest=MAX_LAYERS),
    Setting("activations", "choices", ["tanh", "tanh"], ACTIVATIONS, longest=MAX_LAYERS),
    Setting("init", "choice", "glorot_uniform", INITS),
    Setting("seed", "integer", 0, least=0, most=SEEDS),
    Setting(
        "loss",
        "choice",
        "cross_entropy",
        tuple({**dict.fromkeys(CLASSIFICATION_LOSSES), **dict.fromkeys(REGRESSION_LOSSES)}),
    ),
    Setting("solver", "choice", "sgd", (*MINI_BATCH_SOLVERS, *FULL_BATCH_SOLVERS)),
    Setting("batch_size", "integer", 10, least=1, most=1000, restarts=False),
    Setting("learning_rate", "number", 0.03, least=1e-6, most=100, restarts=False),
    Setting("momentum", "number", 0.9, least=0, most=0.999, restarts=False),
    Setting("regularization", "choice", "none", ("none", "l1", "l2"), restarts=False),
    Setting("strength", "number", 0.001, least=0, most=100, restarts=False),
    Setting("dropout", "number", 0.0, least=0, most=0.9),
    Setting("speed", "choice", 0, SPEEDS, restarts=False),
    Setting("stop_epoch", "integer", 0, least=0, most=10**9, restarts=False),
    Setting("across", "integer", 0, least=0, most=MAX_COLUMNS - 1, restarts=False),
    Setting("up", "integer", 1, least=0, most=MAX_COLUMNS - 1, restarts=False),
    Setting("fork", "integer", -1, least=-1, most=MAX_STEPS),
    Setting("fork_solver", "choice", "sgd", (*MINI_BATCH_SOLVERS, *FULL_BATCH_SOLVERS)),
    Setting("fork_learning_rate", "number", 0.03, least=1e-6, most=100),
    Setting("fork_activations", "choices", [], ACTIVATIONS, longest=MAX_LAYERS),
)
"""``across`` and ``up`` are the columns drawn where there are more than two; after ``fork`` steps
(−1: never) a branch leaves the run, with the other three settings (activations: those of the run
where there are none)."""

BRANCHABLE = ("solver", "learning_rate", "activations")
"""What may differ between a run and its branch."""

FORK = ("fork", *(f"fork_{name}" for name in BRANCHABLE))
LOOKS = ("speed", "stop_epoch", "across", "up", *FORK)
"""What changes nothing of how it learns."""

HIDEABLE = (
    *("transport", "step_inside", "points", "dataset", "own", "regenerate", "export", "layers"),
    *("features", "n_classes", "noise", "train_percent", "data_seed", "init", "seed", "loss"),
    *("solver", "batch_size", "learning_rate", "momentum", "regularization", "strength"),
    *("dropout", "speed", "stop_epoch", "panels", "lessons"),
)
"""Parts of the page that an address or a lesson may hide."""


def rows_of_table(most_units: int = MAX_UNITS) -> dict[str, Setting]:
    """The table by name, for layers of at most ``most_units``."""
    rows = {setting.name: setting for setting in TABLE}
    rows["hidden_layer_sizes"] = replace(rows["hidden_layer_sizes"], most=most_units)
    return rows


def read_settings(
    given: Any, base: Mapping[str, Any] | None = None, most_units: int = MAX_UNITS
) -> dict[str, Any]:
    """Every setting: those given, checked, on top of ``base`` (default: the table's defaults).

    Raises
    ------
    OptionError
        Names the setting, what is allowed and what came.
    """
    if not isinstance(given, dict):
        raise OptionError(describe("settings", "an object", _short(given)))
    settings = {s.name: s.default for s in TABLE} if base is None else dict(base)
    rows = rows_of_table(most_units)
    for name, value in given.items():
        if name not in rows:
            raise OptionError(describe("settings", "a known name", _short(name)))
        settings[name] = rows[name].read(value)
    return _agreed(settings, given)


def restarts(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether the run begins anew between the two."""
    return any(s.restarts and before[s.name] != after[s.name] for s in TABLE)


def table(most_units: int = MAX_UNITS) -> list[dict[str, Any]]:
    """The table as plain data, for the page."""
    keys = ("name", "kind", "default", "choices", "least", "most", "longest", "restarts")
    rows = rows_of_table(most_units).values()
    return [{key: getattr(setting, key) for key in keys} for setting in rows]


def _agreed(settings: dict[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """What has to fit together, made to fit where the meaning is plain."""
    chosen = [name for name in FEATURES if name in settings["features"]]
    if not chosen:
        raise OptionError(describe("features", "at least one", "none"))
    sizes, activations = settings["hidden_layer_sizes"], settings["activations"]
    if len(activations) != len(sizes):
        if "activations" in given and "hidden_layer_sizes" in given:
            expected = f"{len(sizes)}, one for each hidden layer"
            raise OptionError(describe("activations", expected, len(activations)))
        last = activations[-1] if activations else "tanh"
        activations = (activations + [last] * len(sizes))[: len(sizes)]
    forked = settings["fork_activations"]
    if forked and len(forked) != len(sizes):
        forked = (forked + [forked[-1]] * len(sizes))[: len(sizes)]
    return {
        **settings,
        "features": chosen,
        "activations": activations,
        "fork_activations": forked,
    }


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
