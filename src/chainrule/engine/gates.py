"""An activation with what stands around it as one step: y = factor · mask · (z + a (f(z) − z)).

The learnt share a, the mask of dropout, and the factor of the product behind it may each be absent.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TypeGuard

from chainrule.engine.builder import Builder, Value
from chainrule.engine.program import Step
from chainrule.graph import Apply, Node, Parameter
from chainrule.graph.node import Mask

ACTIVATIONS = {"sigmoid", "tanh", "relu", "selu", "gelu", "silu", "softplus", "mish"}
"""Those without options that the step takes."""


@dataclass
class Gate:
    """The nodes of such a step, in order, and what they mean."""

    nodes: list[Node]
    z: Node
    activation: Apply
    share: Node | None = None
    mask: Node | None = None
    factor: float = 1.0

    @property
    def pays(self) -> bool:
        """Whether there is more than the activation alone."""
        return len(self.nodes) > 1 or self.factor != 1

    def lower(self, builder: Builder, last: Apply) -> None:
        """Emit the step; the gradient of z lies where that of the result was."""
        values = [builder.as_reals(self.z)]
        for one in (self.share, self.mask):
            values.append(Value("none", 0, 0, last) if one is None else builder.values[one])
        y = builder.new_value(last)
        name = self.activation.op.name
        approximate = name == "gelu" and self.activation.op.options["approximate"]
        step = Step(
            "gate",
            y.width,
            [builder.operand(value) for value in values],
            builder.graph.names[last],
            code="gelu_tanh" if approximate else name,
            y=y.at,
            alpha=self.factor,
        )
        builder.emit(step, y, values, in_place=True)


def find_gate(
    node: Apply, readers: Mapping[Node, int], only: Mapping[Node, Apply], rows: Collection[Node]
) -> Gate | None:
    """The gate whose activation ends with ``node``, z + a (f(z) − z) or f(z); dropout included."""
    gate = _learnt(node, readers, rows) or _plain(node, rows)
    if gate is None:
        return None
    following = only.get(node)
    if following is not None and following.op.name == "dropout":
        value, mask = following.inputs
        if value is node and isinstance(mask, Mask) and mask.shape == node.shape:
            gate.mask = mask
            gate.nodes.append(following)
    return gate


def _learnt(node: Apply, readers: Mapping[Node, int], rows: Collection[Node]) -> Gate | None:
    if node.op.name != "add":
        return None
    z, product = node.inputs
    if not _is(product, "multiply"):
        return None
    share, difference = product.inputs
    if not isinstance(share, Parameter) or not _is(difference, "subtract"):
        return None
    activation = difference.inputs[0]
    if not _is(activation, *ACTIVATIONS) or {difference.inputs[1], activation.inputs[0]} != {z}:
        return None
    inside: list[Node] = [activation, difference, product]
    fits = z.shape[1:] == share.shape and len(z.shape) == 2 and z in rows
    if not fits or readers[z] != 3 or any(readers[one] != 1 for one in inside):
        return None
    return Gate([*inside, node], z, activation, share)


def _plain(node: Apply, rows: Collection[Node]) -> Gate | None:
    if node.op.name not in ACTIVATIONS or node.inputs[0] not in rows:
        return None
    return Gate([node], node.inputs[0], node)


def _is(node: Node, *names: str) -> TypeGuard[Apply]:
    return isinstance(node, Apply) and node.op.name in names
