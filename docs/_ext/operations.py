"""`{operations} activations`: the operations of one file of `chainrule.ops`, from the registry.

Name, operands and options from the class itself, the formula from its docstring's first
sentence, and whether the compiled engine has a step for it.
"""

from __future__ import annotations

import inspect
from typing import Any, ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from chainrule.engine import unlowered
from chainrule.graph import FUNCTIONS
from chainrule.ops import REGISTRY, Operation


def members(module: str) -> list[type[Operation]]:
    """The registered operations of a module, in the order of its file."""
    return [op for op in REGISTRY.values() if op.__module__ == f"chainrule.ops.{module}"]


def formula(operation: type[Operation]) -> str:
    """The first paragraph of its docstring."""
    return " ".join(inspect.getdoc(operation).split("\n\n")[0].split())  # type: ignore[union-attr]


def table(module: str) -> list[str]:
    """A list table in reStructuredText."""
    without = set(unlowered())
    lines = [
        ".. list-table::",
        "   :header-rows: 1",
        "   :widths: 30 58 12",
        "   :class: operations",
        "",
        "   * - function",
        "     - formula",
        "     - engine",
    ]
    for operation in members(module):
        if operation.name not in FUNCTIONS:
            continue
        signature = inspect.signature(FUNCTIONS[operation.name])
        shown = ", ".join(
            one.name if one.default in (one.empty, None) else f"{one.name}={one.default}"
            for one in signature.parameters.values()
            if one.name != "name"
        )
        lines += [
            f"   * - ``{operation.name}({shown})``",
            f"     - {formula(operation).replace('|', chr(92) + '|').replace('*', chr(92) + '*')}",
            f"     - {'NumPy' if operation.name in without else 'yes'}",
        ]
    return lines


class Operations(SphinxDirective):
    """The directive."""

    required_arguments = 1
    option_spec: ClassVar[dict[str, Any]] = {}

    def run(self) -> list[nodes.Node]:
        """The table's nodes."""
        if not members(self.arguments[0]):
            raise self.error(f"chainrule.ops.{self.arguments[0]} defines no operation")
        return self.parse_text_to_nodes("\n".join(self._as_myst()))

    def _as_myst(self) -> list[str]:
        return ["```{eval-rst}", *table(self.arguments[0]), "```"]


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.add_directive("operations", Operations)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
