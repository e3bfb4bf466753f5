"""Other formats: ONNX, PyTorch, one file of plain NumPy, scikit-learn's perceptrons.

Every target reads the same graph (``walk``) and the same description of a fitted model
(``Portable``); its table of rules says which operations it covers.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from chainrule.exchange.numpy_export import to_numpy
from chainrule.exchange.portable import network_inputs
from chainrule.exchange.sklearn_mlp import from_sklearn, to_sklearn

if TYPE_CHECKING:
    from chainrule.exchange.onnx_columns import column_arrays
    from chainrule.exchange.onnx_export import to_onnx
    from chainrule.exchange.torch_export import to_torch

__all__ = [
    "column_arrays",
    "from_sklearn",
    "network_inputs",
    "to_numpy",
    "to_onnx",
    "to_sklearn",
    "to_torch",
]

# each needs a package of its own, which the others do without
_HOMES = {"column_arrays": "onnx_columns", "to_onnx": "onnx_export", "to_torch": "torch_export"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
