"""Writing an ONNX graph operator by operator."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.errors import MissingPackageError

try:
    import onnx
    from onnx import helper, numpy_helper
except ModuleNotFoundError as error:
    raise MissingPackageError("ONNX", "onnx", error) from error

OPSET, ML_OPSET, IR_VERSION = 18, 3, 10


class Builder:
    """Operators and constants in the order in which they are added.

    Parameters
    ----------
    dtype : numpy dtype
        The precision of real numbers.
    """

    def __init__(self, dtype: np.dtype) -> None:
        self.dtype = np.dtype(dtype)
        self.inputs: list[Any] = []
        self.outputs: list[Any] = []
        self._nodes: list[Any] = []
        self._constants: dict[str, Any] = {}
        self._count = 0

    def add(self, operator: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Apply ``operator``; the name of its result."""
        self._count += 1
        result = f"{operator.lower()}_{self._count}"
        self._nodes.append(
            helper.make_node(operator, inputs, [result], name=result, domain=domain, **attributes)
        )
        return result

    def constant(self, value: Any, name: str | None = None) -> str:
        """An array that stays as it is; the same one is kept once."""
        array = np.asarray(value)
        if name is None:
            name = f"constant_{len(self._constants)}_{array.dtype}"
            for known, kept in self._constants.items():
                if _same(numpy_helper.to_array(kept), array):
                    return known
        self._constants[name] = numpy_helper.from_array(array, name)
        return name

    def number(self, value: float) -> str:
        """A real number."""
        return self.constant(np.asarray(value, self.dtype))

    def integers(self, values: list[int]) -> str:
        """A list of integers: sizes, axes."""
        return self.constant(np.asarray(values, np.int64))

    def positive(self, x: str) -> str:
        """Where x > 0."""
        return self.add("Greater", x, self.number(0))

    def cast(self, x: str, dtype: Any) -> str:
        """x in another type."""
        return self.add("Cast", x, to=element(dtype))

    def in_single(self, operator: str, x: str) -> str:
        """An operator that runtimes have in single precision only."""
        if self.dtype == np.float32:
            return self.add(operator, x)
        return self.cast(self.add(operator, self.cast(x, np.float32)), self.dtype)

    def input(self, name: str, dtype: Any, shape: tuple[Any, ...]) -> str:
        """Something to be given: its name."""
        self.inputs.append(helper.make_tensor_value_info(name, element(dtype), shape))
        return name

    def output(self, value: str, name: str, dtype: Any, shape: tuple[Any, ...]) -> None:
        """Give ``value`` out under ``name``."""
        self._nodes.append(helper.make_node("Identity", [value], [name], name=name))
        self.outputs.append(helper.make_tensor_value_info(name, element(dtype), shape))

    def model(self, title: str, version: str, about: dict[str, str]) -> Any:
        """The whole, checked."""
        graph = helper.make_graph(
            self._nodes, title, self.inputs, self.outputs, list(self._constants.values())
        )
        sets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML_OPSET)]
        made = helper.make_model(
            graph,
            opset_imports=sets,
            ir_version=IR_VERSION,
            producer_name="chainrule",
            producer_version=version,
        )
        helper.set_model_props(made, about)
        onnx.checker.check_model(made, full_check=True)
        return made


def element(dtype: Any) -> int:
    """ONNX's number of a NumPy type; text is its own."""
    dtype = np.dtype(dtype)
    if dtype.kind in "OU":
        return onnx.TensorProto.STRING
    return helper.np_dtype_to_tensor_dtype(dtype)


def _same(one: np.ndarray, other: np.ndarray) -> bool:
    return (
        one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    )
