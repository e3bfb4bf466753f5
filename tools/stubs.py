"""Write src/chainrule/__init__.pyi: what type checkers and editors know of ``import chainrule``.

Public names are loaded on first use, which no type checker follows. This reads the same lists as
the package itself (functions of operations, leaves, homes of the other names).

    python tools/stubs.py            writes the file
    python tools/stubs.py --check    exit code 1 if it is not current
"""

from __future__ import annotations

import dataclasses
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import chainrule
from chainrule.graph import FUNCTIONS, LEAVES
from chainrule.ops import REGISTRY

TARGET = Path(__file__).resolve().parents[1] / "src" / "chainrule" / "__init__.pyi"
PLAIN = {"bool", "float", "int", "str", "int | None", "float | None"}
HEAD = '''\
"""Written by tools/stubs.py from the lists of chainrule/__init__.py; not edited by hand."""

# fmt: off
# ruff: noqa: E501, I001

from typing import Any

'''


def stub() -> str:
    """The text of the stub file."""
    by_hand = {**LEAVES, **{k: f for k, f in FUNCTIONS.items() if not _is_made(f)}}
    homes = [*chainrule._HOMES.items(), ("chainrule.graph.functions", [*by_hand])]
    homes += [("chainrule.graph.node", ["Apply"]), ("chainrule", chainrule._ROOMS)]
    imports = [_import(home, names) for home, names in sorted(homes)]
    functions = [
        f"def {name}({_parameters(name, function)}) -> Apply: ..."
        for name, function in sorted(FUNCTIONS.items())
        if _is_made(function)
    ]
    public = [f'    "{name}",' for name in chainrule.__all__]
    listing = "\n".join(["__all__ = [", *public, "]"])
    return HEAD + "\n".join([*imports, "", listing, "", "__version__: str", "", *functions]) + "\n"


def _is_made(function: Callable[..., Any]) -> bool:
    """Whether the function was made from its operation, rather than written out."""
    return not hasattr(inspect.getmodule(function), function.__name__)


def _import(home: str, names: list[str]) -> str:
    return f"from {home} import {', '.join(sorted(names))}"


def _parameters(name: str, function: Callable[..., Any]) -> str:
    """The operands, positional; the options, with their types where those are plain."""
    operation = REGISTRY[name]
    fields = dataclasses.fields(operation) if dataclasses.is_dataclass(operation) else ()
    types = {field.name: str(field.type) for field in fields} | {"name": "str | None"}
    operands, options, by_name = [], [], []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is inspect.Parameter.POSITIONAL_ONLY:
            operands.append(f"{parameter.name}: Any")
        else:
            kind = types[parameter.name]
            kind = kind if kind in PLAIN or parameter.name == "name" else "Any"
            default = "" if parameter.default is dataclasses.MISSING else " = ..."
            named = parameter.kind is inspect.Parameter.KEYWORD_ONLY
            (by_name if named else options).append(f"{parameter.name}: {kind}{default}")
    return ", ".join([*operands, "/", *options, "*", *by_name])


def main() -> None:
    """Write the stub, or check it."""
    text = stub()
    if "--check" not in sys.argv[1:]:
        TARGET.write_text(text, encoding="utf-8")
    elif not TARGET.exists() or TARGET.read_text(encoding="utf-8") != text:
        sys.exit(f"{TARGET.name}: expected the current public names; run python tools/stubs.py")


if __name__ == "__main__":
    main()
