"""`{public} chainrule.check`: every public name of a room, from its own list.

For `chainrule` itself the names whose home is the room given as second argument. So a new
public name is in the reference without a line more. Classes show the methods that the project
defines, not those inherited from other packages.
"""

from __future__ import annotations

import inspect
import re
from importlib import import_module
from typing import Any, ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import chainrule


def names(room: str) -> list[str]:
    """What is imported from `chainrule` and lives in the room, else the room's own list."""
    module = import_module(room)
    public = [name for name in chainrule.__all__ if chainrule._HOME_OF.get(name) == room]
    return public if public and room != "chainrule.training" else list(module.__all__)


def entry(room: str, name: str) -> list[str]:
    """An autodoc directive for one name."""
    path = f"chainrule.{name}" if name in chainrule.__all__ else f"{room}.{name}"
    thing = getattr(import_module(room), name)
    if inspect.isclass(thing):
        lines = [f".. autoclass:: {path}"]
        own = methods(thing)
        return [*lines, f"   :members: {', '.join(own)}", ""] if own else [*lines, ""]
    if callable(thing):
        return [f".. autofunction:: {path}", ""]
    listed = ", ".join(f"``{one}``" for one in thing) if isinstance(thing, (dict, tuple)) else ""
    return [f".. py:data:: {path}", "", f"   {listed}", ""]


def methods(cls: type) -> list[str]:
    """Documented public methods and properties defined in this project."""
    found = {}
    for parent in reversed(cls.__mro__):
        if parent.__module__.startswith("chainrule."):
            for name, value in vars(parent).items():
                if callable(value) or isinstance(value, (property, classmethod, staticmethod)):
                    found[name] = value
    return [name for name, value in found.items() if name[0] != "_" and inspect.getdoc(value)]


class Public(SphinxDirective):
    """The directive."""

    required_arguments = 1
    optional_arguments = 100
    option_spec: ClassVar[dict[str, Any]] = {}

    def run(self) -> list[nodes.Node]:
        """Entries of all names of the room, or of those given."""
        room, *chosen = self.arguments
        lines = [line for name in chosen or names(room) for line in entry(room, name)]
        return self.parse_text_to_nodes("\n".join(["```{eval-rst}", *lines, "```"]))


BETWEEN_LITERALS = re.compile(r"(``.*?``)")


def bars_are_signs(
    app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]
) -> None:
    """|x| in a docstring is an absolute value, never a substitution."""
    for i, line in enumerate(lines):
        if "|" in line and not line.lstrip().startswith((">>>", "...", "array", "\\|")):
            parts = BETWEEN_LITERALS.split(line)
            parts[::2] = [part.replace("|", "\\|") for part in parts[::2]]
            lines[i] = "".join(parts)


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.add_directive("public", Public)
    app.connect("autodoc-process-docstring", bars_are_signs, priority=200)  # before numpydoc
    return {"parallel_read_safe": True, "parallel_write_safe": True}
