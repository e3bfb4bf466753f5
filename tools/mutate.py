"""Mutation testing: change the code a little, and see whether a test notices.

    python tools/mutate.py check                     every change of a room: ops, graph or check
    python tools/mutate.py check/diagnosis.py        of one file
    python tools/mutate.py ops --sample 40 --seed 1  forty of them, drawn

A change is one operator, comparison, number or condition. It is made in a copy of the package, and
the room's fast tests run against the copy until one fails. A change that no test notices has
survived: it is printed with its line, and the exit code is 1. Look at each: either a test is
missing, or the change alters nothing that anyone can see (a message's wording is never changed).
"""

from __future__ import annotations

import argparse
import ast
import copy
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "chainrule"
TESTS = {
    "ops": ["tests/ops"],
    "graph": ["tests/graph"],
    "check": ["tests/test_chapters_in_messages.py", "tests/check"],
}
SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult,
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn,
    ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One changed file.

    Attributes
    ----------
    file : str
        Relative to the package.
    line : int
    was, now : str
    source : str
        The whole file with the change.
    """

    file: str
    line: int
    was: str
    now: str
    source: str


def mutants(path: Path) -> Iterator[Mutant]:
    """Every change of a file, in the order of its lines."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = [node for node in ast.walk(tree) if hasattr(node, "lineno")]
    for i, node in enumerate(nodes):
        if (changed := _changed(node)) is None:
            continue
        other = copy.deepcopy(tree)
        twin = [one for one in ast.walk(other) if hasattr(one, "lineno")][i]
        for field, value in ast.iter_fields(changed):
            setattr(twin, field, value)
        name = path.relative_to(PACKAGE).as_posix()
        yield Mutant(name, node.lineno, ast.unparse(node), ast.unparse(twin), ast.unparse(other))


def _changed(node: ast.AST) -> ast.AST | None:
    """The same kind of node with one thing different, or None where there is nothing to change."""
    new = copy.deepcopy(node)
    if isinstance(new, (ast.BinOp, ast.BoolOp, ast.AugAssign)) and type(new.op) in SWAPS:
        if isinstance(new, ast.BinOp) and _is_text(new):
            return None
        new.op = SWAPS[type(new.op)]()  # type: ignore[assignment]
    elif isinstance(new, ast.Compare) and type(new.ops[0]) in SWAPS:
        new.ops[0] = SWAPS[type(new.ops[0])]()  # type: ignore[call-overload]
    elif isinstance(new, ast.Constant) and type(new.value) in (int, float):
        new.value += 1
    elif isinstance(new, (ast.If, ast.IfExp, ast.While)):
        new.test = ast.UnaryOp(ast.Not(), new.test)
    else:
        return None
    return new


def _is_text(node: ast.BinOp) -> bool:
    sides = (node.left, node.right)
    return isinstance(node.op, ast.BitOr) or any(
        isinstance(one, ast.JoinedStr) or (isinstance(one, ast.Constant) and type(one.value) is str)
        for one in sides
    )


def survives(mutant: Mutant, copy_of: Path, tests: list[str], seconds: float) -> bool:
    """Whether the tests pass with the change; a run that takes too long has noticed it."""
    target = copy_of / "chainrule" / mutant.file
    before = target.read_bytes()
    target.write_text(mutant.source, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    command += ["-m", "not slow and not browser", *tests]
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(copy_of), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    finally:
        target.write_bytes(before)
    return done.returncode == 0


def main() -> None:
    """Change, test, tell."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("where", help="ops, graph, check, or a file in one of them")
    parser.add_argument("--sample", type=int, help="so many changes, drawn")
    parser.add_argument("--seed", type=int, default=0, help="of the draw")
    parser.add_argument("--timeout", type=float, default=300.0, help="seconds for one change")
    asked = parser.parse_args()
    room = asked.where.split("/")[0]
    if room not in TESTS:
        parser.error(f"expected one of {', '.join(TESTS)} or a file in one; came {asked.where}")
    place = PACKAGE / asked.where
    files = [place] if place.is_file() else sorted(place.glob("*.py"))
    found = [mutant for path in files for mutant in mutants(path)]
    chosen = found
    if asked.sample is not None and asked.sample < len(found):
        chosen = random.Random(asked.seed).sample(found, asked.sample)
    survivors = 0
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(PACKAGE, Path(folder) / "chainrule")
        for mutant in chosen:
            if survives(mutant, Path(folder), TESTS[room], asked.timeout):
                survivors += 1
                print(f"survived: {mutant.file}:{mutant.line}: {mutant.was} → {mutant.now}")
    killed = len(chosen) - survivors
    print(f"{asked.where}: {killed} of {len(chosen)} changes noticed ({len(found)} possible)")
    sys.exit(bool(survivors))


if __name__ == "__main__":
    main()
