"""chainrule: neural networks you can see through, fast enough for real work.

Public names are loaded on first use (PEP 562), so that ``import chainrule`` brings NumPy, the
operations and the graph only. ``__init__.pyi`` tells type checkers the same names.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from chainrule.graph import FUNCTIONS, LEAVES

__version__ = "0.1.0"

# where each public name lives; operations and leaves come from the graph's own lists
_HOMES = {
    "chainrule.graph": ["Graph", "Node", "Trace"],
    "chainrule.ops": ["Operation"],
    "chainrule.networks": [
        "Dense",
        "Dropout",
        "Embedding",
        "LayerNorm",
        "ParameterVector",
        "glorot_normal",
        "glorot_uniform",
        "he_normal",
        "he_uniform",
        "normal",
        "sequential",
        "uniform",
    ],
    "chainrule.check": ["GradientReport", "check_gradient", "numerical_gradient"],
    "chainrule.training": ["LayerHistograms", "LiveCurve", "Objective", "ParameterPath"],
    "chainrule.datasets": ["load_digits", "load_mnist", "read_csv", "read_idx"],
    "chainrule.tables": ["ColumnEncoder", "read_table"],
    "chainrule.estimators": [
        "MLPClassifier",
        "MLPRegressor",
        "OneVsAllClassifier",
        "RealMLPClassifier",
        "RealMLPRegressor",
        "SoftmaxClassifier",
        "load",
        "save",
    ],
    "chainrule.exchange": ["from_sklearn", "to_numpy", "to_onnx", "to_sklearn", "to_torch"],
    "chainrule.server.launch": ["Playground", "playground"],
}
# rooms whose functions are used by their names: cr.cluster.fit
_ROOMS = ["cluster"]
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted(["__version__", *FUNCTIONS, *LEAVES, *_ROOMS, *_HOME_OF])


def __getattr__(name: str) -> Any:
    if name in FUNCTIONS:
        value: Any = FUNCTIONS[name]
    elif name in LEAVES:
        value = LEAVES[name]
    elif name in _ROOMS:
        value = import_module(f"chainrule.{name}")
    elif name in _HOME_OF:
        value = getattr(import_module(_HOME_OF[name]), name)
    else:
        raise AttributeError(f"module 'chainrule' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, *globals()])
