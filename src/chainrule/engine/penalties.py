"""The penalty as numbers: how strongly each parameter is drawn to zero."""

from __future__ import annotations

from chainrule.graph import Apply, Constant, Node, Parameter


class NotLowered(Exception):
    """A node that the engine has no step for; says which and why."""


def penalty_strengths(penalty: Node | None) -> tuple[dict[str, float], dict[str, float]]:
    """Strengths of l1 and of l2 by parameter name, read off sums of ``l1`` and ``l2``.

    Raises
    ------
    NotLowered
        When the penalty is anything but a weighted sum of these.
    """
    strengths: tuple[dict[str, float], dict[str, float]] = ({}, {})
    stack = [] if penalty is None else [(penalty, 1.0)]
    while stack:
        node, factor = stack.pop()
        if not isinstance(node, Apply):
            if isinstance(node, Constant) and node.value.size == 1 and node.value.item() == 0:
                continue
            raise NotLowered(f"{node.label}: the penalty must be a sum of l1 and l2")
        name = node.op.name
        if name == "add":
            stack += [(one, factor) for one in node.inputs]
        elif name == "scale":
            stack.append((node.inputs[0], factor * node.op.options["factor"]))
        elif name in ("l1", "l2") and isinstance(node.inputs[0], Parameter):
            into = strengths[name == "l2"]
            key = str(node.inputs[0].name)
            into[key] = into.get(key, 0.0) + factor * node.op.options["strength"]
        elif name == "multiply" and any(isinstance(one, Constant) for one in node.inputs):
            number, other = sorted(node.inputs, key=lambda one: not isinstance(one, Constant))
            if number.shape != ():
                raise NotLowered(f"{node.label}: the penalty must be a sum of l1 and l2")
            stack.append((other, factor * float(number.value)))  # type: ignore[attr-defined]
        else:
            raise NotLowered(f"{node.label}: the penalty must be a sum of l1 and l2")
    return strengths
