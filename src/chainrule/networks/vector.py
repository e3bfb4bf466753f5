"""All parameters in one vector θ, named views into it: the lecture's packing, without copies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from chainrule.errors import GraphError, ShapeError
from chainrule.graph import Parameter
from chainrule.networks.initializers import RandomState, initial_value, make_rng


class ParameterVector:
    """θ = concatenate((W1.ravel(), b1.ravel(), W2.ravel(), …)): where each parameter lies in it.

    Parameters
    ----------
    parameters : sequence of Parameter
        In the order in which they are packed.

    Attributes
    ----------
    size : int
        Length of θ.
    slices : dict of str to slice
        Where each parameter lies.
    shapes : dict of str to tuple of int
        Its shape.
    """

    def __init__(self, parameters: Sequence[Parameter]) -> None:
        self.parameters = tuple(parameters)
        self.slices: dict[str, slice] = {}
        self.shapes: dict[str, tuple[int, ...]] = {}
        start = 0
        for parameter in self.parameters:
            if parameter.name in self.slices:
                raise GraphError(f"two parameters are called {parameter.name!r}")
            stop = start + parameter.size
            self.slices[str(parameter.name)] = slice(start, stop)
            self.shapes[str(parameter.name)] = tuple(int(size) for size in parameter.shape)
            start = stop
        self.size = start

    def check(self, theta: np.ndarray) -> np.ndarray:
        """``theta`` as a vector of the right length, or a ``ShapeError``."""
        theta = np.asarray(theta)
        if theta.shape != (self.size,):
            raise ShapeError(
                f"theta must be a vector of {self.size} parameters, got shape {theta.shape}"
            )
        return theta

    def unpack(self, theta: np.ndarray) -> dict[str, np.ndarray]:
        """Each parameter by name, as a view into ``theta``: writing to one writes to θ."""
        theta = self.check(theta)
        return {
            name: theta[where].reshape(self.shapes[name]) for name, where in self.slices.items()
        }

    def pack(self, values: Mapping[str, np.ndarray], dtype: type = np.float64) -> np.ndarray:
        """θ from an array for each parameter.

        Raises
        ------
        GraphError, ShapeError
            When one is missing, unknown, or of another shape.
        """
        strangers = [name for name in values if name not in self.slices]
        missing = [name for name in self.slices if name not in values]
        if strangers or missing:
            raise GraphError(
                f"expected the parameters {', '.join(self.slices)}; "
                f"missing: {', '.join(missing) or 'none'}; "
                f"unknown: {', '.join(strangers) or 'none'}"
            )
        for name, shape in self.shapes.items():
            if np.shape(values[name]) != shape:
                raise ShapeError(
                    f"parameter {name!r}: expected shape {shape}, got {np.shape(values[name])}"
                )
        # not before: a network from a file may claim sizes that its arrays do not have
        theta = np.empty(self.size, dtype)
        for name, where in self.slices.items():
            theta[where] = np.asarray(values[name]).ravel()
        return theta

    def initial(self, random_state: RandomState = None) -> np.ndarray:
        """θ where training starts: each parameter as its ``init`` says, in float64."""
        rng = make_rng(random_state)
        theta = np.empty(self.size)
        for parameter in self.parameters:
            theta[self.slices[str(parameter.name)]] = initial_value(parameter, rng).ravel()
        return theta

    def locate(self, index: int) -> tuple[str, tuple[int, ...]]:
        """Name and index inside its parameter of entry ``index`` of θ."""
        for name, where in self.slices.items():
            if where.start <= index < where.stop:
                inside = np.unravel_index(index - where.start, self.shapes[name])
                return name, tuple(int(i) for i in inside)
        raise ShapeError(f"theta has entries 0..{self.size - 1}, got {index}")

    def __len__(self) -> int:
        return self.size

    def __repr__(self) -> str:
        parts = [f"{name} {shape}" for name, shape in self.shapes.items()]
        return f"ParameterVector({', '.join(parts)}: {self.size} numbers)"
