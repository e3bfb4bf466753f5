"""The flat program: plain data that says what runs on a block of rows, and in which order.

Buffers are counted in *units*: one number for each row of a block. The value of unit u and row r
lies at ``[(at + u) * ld + r]``, rows side by side, so that any runner can work on many rows at
once. What does not depend on rows (θ, what is derived from it, constants) lies in one vector.
docs/engine.md has the whole format.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np


@dataclass
class Operand:
    """Where a step finds an operand, and where its gradient goes.

    Attributes
    ----------
    space : {"none", "rows", "labels", "parameters"}
        Blocks of real numbers, blocks of integers, or the vector that does not depend on rows.
    at, width : int
        First unit (or number) and how many.
    mode : {"none", "write", "add"}
        What backward does with its gradient. Writing the gradient of a parameter means: write in
        the first block of a segment of rows, add in the others.
    gradient : int
        First unit of the gradient's block; a parameter's gradient lies at ``at``.
    nonzero : int
        First unit of the record of which values of an input are not zero, or −1: products leave
        zeros out.
    map : int
        Number of the index map from units of the result to units of the operand, or −1 where
        they are the same. For copy and reduce it leads the other way.
    """

    space: str = "none"
    at: int = 0
    width: int = 0
    mode: str = "none"
    gradient: int = -1
    nonzero: int = -1
    map: int = -1


@dataclass
class Step:
    """One operation on a block of rows (or, in the prologue, on parameters alone).

    Attributes
    ----------
    op, code : str
        The kind of step, and its elementwise function.
    y, dy, width : int
        Place of the result, of its gradient, and their number of units.
    group : int
        Units of one group (softmax, layer_norm), numbers of one table row (take), columns of the
        result (matmul), stream (mask).
    scratch : int
        Units kept from forward for backward (layer_norm).
    alpha : float
        The operation's one number: factor (gate: of what is left by the mask), exponent, …
    fused : bool
        A loss that writes its gradient while going forward.
    operands : list of Operand
    node : str
        The graph's nodes that it stands for.
    """

    op: str
    width: int
    operands: list[Operand]
    node: str
    code: str = ""
    y: int = 0
    dy: int = -1
    group: int = 1
    scratch: int = 0
    alpha: float = 0.0
    fused: bool = False

    @property
    def flops(self) -> float:
        """Arithmetic of one row, counting a multiplication and an addition as two."""
        if self.op == "dense":
            return 2.0 * self.operands[0].width * self.width
        return float(max(self.width, *(operand.width for operand in self.operands), 1))


@dataclass
class Leaf:
    """An input or target: where its rows go, and what is checked on the way.

    ``scale`` multiplies the values; those outside [``low``, ``high``] are refused where
    ``low < high`` (for labels always).
    """

    name: str
    kind: str
    space: str
    at: int
    width: int
    shape: tuple[int, ...] = ()
    nonzero: int = -1
    scale: float = 1.0
    low: float = 0.0
    high: float = 0.0


@dataclass
class Program:
    """Everything that a runner needs; made by ``lower``.

    Attributes
    ----------
    precision : {"float32", "float64"}
    block_rows : int
        Rows of a block: the block's buffers stay in the second cache.
    theta_size, derived_size : int
        Lengths of θ and of what the prologue computes from it; ``constants`` come behind.
    row_units, label_units, nonzero_units : int
        Sizes of the block's buffers.
    prologue : list of Step
        On parameters alone, once an evaluation; its way back is the same steps in reverse.
    forward, backward : list of Step
    inputs : list of Leaf
    weight_at, output_at, output_width, output_shape
        Places of the rows' weights (−1: a program without gradient) and of the result.
    l1, l2 : dict of str to float
        Strength of the penalty on each parameter.
    not_lowered : list of str
        Nodes that could not be lowered, with the reason; such a program does not run.
    """

    precision: str
    theta_size: int
    block_rows: int = 64
    derived_size: int = 0
    constants: list[float] = field(default_factory=list)
    row_units: int = 0
    label_units: int = 0
    nonzero_units: int = 0
    maps: list[np.ndarray] = field(default_factory=list)
    prologue: list[Step] = field(default_factory=list)
    forward: list[Step] = field(default_factory=list)
    backward: list[Step] = field(default_factory=list)
    inputs: list[Leaf] = field(default_factory=list)
    weight_at: int = -1
    output_at: int = 0
    output_width: int = 0
    output_shape: tuple[int, ...] = ()
    l1: dict[str, float] = field(default_factory=dict)
    l2: dict[str, float] = field(default_factory=dict)
    buffers: list[tuple[str, int, int]] = field(default_factory=list)
    fusions: list[str] = field(default_factory=list)
    not_lowered: list[str] = field(default_factory=list)

    @cached_property
    def input_names(self) -> list[str]:
        """Each input's name once, in the order in which they are read."""
        return list(dict.fromkeys(leaf.name for leaf in self.inputs if leaf.kind == "input"))

    @property
    def itemsize(self) -> int:
        """Bytes of one number."""
        return 4 if self.precision == "float32" else 8

    @property
    def flops_per_row(self) -> float:
        """Arithmetic of one row, forward and backward."""
        return sum(step.flops for step in self.forward) + sum(
            step.flops * _passes(step) for step in self.backward
        )

    def to_native(self) -> dict[str, Any]:
        """The program as the native module reads it."""
        data = {key: value for key, value in vars(self).items() if key not in _FOR_PEOPLE}
        for phase in ("prologue", "forward", "backward"):
            data[phase] = [
                vars(step) | {"operands": [vars(operand) for operand in step.operands]}
                for step in data[phase]
            ]
        data["inputs"] = [vars(leaf) for leaf in self.inputs]
        return data | {"flops_per_row": float(self.flops_per_row)}

    def describe(self) -> str:
        """Steps, buffers and fusions, with their bytes and flops for a block, as text."""
        rows = self.block_rows
        lines = [f"{self.precision}, blocks of {rows} rows, {self.theta_size} parameters"]
        if self.not_lowered:
            lines += ["not lowered, NumPy runs this graph:"]
            return "\n".join(lines + [f"  {one}" for one in self.not_lowered])
        unit = rows * self.itemsize
        lines += ["buffers:"]
        lines += [
            f"  {name:<28} {width:>6} units at {at:<7} {width * unit:>10,} bytes"
            for name, at, width in self.buffers
        ]
        for title, steps in self._phases():
            lines += [f"{title}:"] if steps else []
            lines += [self._line(title, step) for step in steps]
        lines += ["fused:"] if self.fusions else []
        lines += [f"  {fusion}" for fusion in self.fusions]
        return "\n".join(lines)

    def _phases(self) -> list[tuple[str, list[Step]]]:
        return [
            ("prologue", self.prologue),
            ("forward", self.forward),
            ("backward", self.backward),
        ]

    def _line(self, title: str, step: Step) -> str:
        what = step.op + (f" {step.code}" if step.code else "")
        rows = 1 if title == "prologue" else self.block_rows
        flops = step.flops * (_passes(step) if title == "backward" else 1.0) * rows
        units = step.width + sum(one.width for one in step.operands)
        number = units * rows * self.itemsize
        return f"  {what:<28} {step.node:<32} {flops:>12,.0f} flops {number:>12,} bytes"


_FOR_PEOPLE = {"buffers", "fusions", "not_lowered", "l1", "l2", "output_shape", "input_names"}


def _passes(step: Step) -> float:
    """How many products of forward's size a step makes on the way back."""
    wanted = sum(operand.mode != "none" for operand in step.operands[:2])
    return float(wanted) if step.op == "dense" else 1.0
