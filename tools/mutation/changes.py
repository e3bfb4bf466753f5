"""Every small change of a source file that a test should notice.

One operator, comparison, number, condition, sign, result or call at a time. Left alone is what no
test should pin down: docstrings and messages, annotations, decorators, what is printed for people
(`__repr__` and its like), the examples that an operation draws for its tests.
"""

from __future__ import annotations

import ast
import copy
import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn,
    ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip
CALLS = {"min": "max", "max": "min", "any": "all", "all": "any"}
CALLS |= {"minimum": "maximum", "maximum": "minimum"}
EXAMPLES = {"sample"}  # what draws inputs for the tests over the registry
PRINTED = {"__repr__", "__str__", "__format__", "_repr_html_", "_repr_mimebundle_"}
NOTHING = {"None", "NotImplemented", "False", "''", "[]", "()", "{}"}  # None would be much the same
EXACT = (ast.Eq, ast.NotEq, ast.Is, ast.IsNot, ast.In, ast.NotIn)


@dataclass(frozen=True)
class Mutant:
    """One changed file.

    Attributes
    ----------
    file : str
        Relative to the package.
    line : int
        Of the change.
    lines : range
        The lines of the statement; a test that runs one of them may notice.
    where : str
        The function, with its class.
    was, now : str
        The statement's changed lines, without their indentation.
    source : str
        The whole file with the change.
    """

    file: str
    line: int
    lines: range
    where: str
    was: str
    now: str
    source: str

    @property
    def name(self) -> str:
        """The same as long as the line stays what it is, wherever it moves."""
        return f"{self.file} {self.where}: {self.was} → {self.now}"

    def diff(self, before: str) -> str:
        """The change as `diff -u` shows it, with two lines around."""
        sides = (before.splitlines(), self.source.splitlines())
        names = (f"a/{self.file}", f"b/{self.file}")
        return "\n".join(difflib.unified_diff(*sides, *names, n=2, lineterm=""))


def mutants(path: Path, package: Path) -> list[Mutant]:
    """Every change of a file, in the order of its lines."""
    source = path.read_text(encoding="utf-8")
    name = path.relative_to(package).as_posix()
    found: dict[str, Mutant] = {}
    for node, statement, where in _places(ast.parse(source)):
        for new in _changed(node):
            text = _replaced(source, node, ast.unparse(new), isinstance(node, ast.stmt))
            if text != source and _compiles(text):
                was, now = _difference(source, text)
                lines = range(statement.lineno, _head_end(statement) + 1)
                found[text] = Mutant(name, node.lineno, lines, where, was, now, text)
    return sorted(found.values(), key=lambda mutant: mutant.line)


Place = tuple[ast.expr | ast.stmt, ast.stmt, str]


def _places(tree: ast.Module) -> Iterator[Place]:
    """Each node that may be changed, its statement and its function."""
    for statement in tree.body:
        yield from _inside(statement, statement, "module")


def _inside(node: ast.AST, statement: ast.stmt, where: str) -> Iterator[Place]:
    if isinstance(node, ast.stmt):
        statement = node
    if _is_talk(node):
        return
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        if node.name in PRINTED | EXAMPLES:
            return
        where = node.name if where == "module" else f"{where}.{node.name}"
        children: list[ast.AST] = [*node.body]
        if isinstance(node, ast.FunctionDef):
            children += [*node.args.defaults, *(d for d in node.args.kw_defaults if d)]
    elif isinstance(node, ast.AnnAssign):
        children = [node.value] if node.value else []
    else:
        children = [*ast.iter_child_nodes(node)]
    if isinstance(node, (ast.expr, ast.stmt)):
        yield node, statement, where
    for child in children:
        yield from _inside(child, statement, where)


def _is_talk(node: ast.AST) -> bool:
    """Whether a node is for people: a message, a docstring, a type; or is never run."""
    if isinstance(node, (ast.Raise, ast.JoinedStr, ast.Import, ast.ImportFrom)):
        return True
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return True
    if isinstance(node, ast.keyword) and node.arg == "stacklevel":
        return True
    if isinstance(node, ast.Call):
        return ast.unparse(node.func) in {"warnings.warn", "cast", "TypeVar"}
    if isinstance(node, ast.IfExp):
        return _is_text(node.body) and _is_text(node.orelse)
    if isinstance(node, ast.Assign):
        return ast.unparse(node.targets[0]) in {"__all__", "__slots__"}
    if isinstance(node, ast.BinOp):
        return _is_text(node.left) or _is_text(node.right)
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def _changed(node: ast.expr | ast.stmt) -> Iterator[ast.AST]:
    """The same node with one thing different, in every way there is."""
    new = copy.deepcopy(node)
    if isinstance(new, (ast.BinOp, ast.BoolOp, ast.AugAssign)) and type(new.op) in SWAPS:
        new.op = SWAPS[type(new.op)]()  # type: ignore[assignment]
        yield new
    elif isinstance(new, ast.Compare):
        for i, op in enumerate(new.ops):
            if type(op) in SWAPS:
                other = copy.deepcopy(new)
                other.ops[i] = SWAPS[type(op)]()  # type: ignore[call-overload]
                yield other
    elif isinstance(new, ast.Constant) and isinstance(new.value, bool):
        yield ast.Constant(not new.value)
    elif isinstance(new, ast.Constant) and isinstance(new.value, (int, float)):
        yield ast.Constant(new.value + 1)
    elif isinstance(new, ast.UnaryOp) and isinstance(new.op, (ast.Not, ast.USub, ast.Invert)):
        yield new.operand
    elif isinstance(new, ast.Call):
        yield from _other_call(new)
    else:
        yield from _other_course(new)


def _other_call(call: ast.Call) -> Iterator[ast.AST]:
    if isinstance(call.func, ast.Name) and call.func.id in CALLS:
        call.func.id = CALLS[call.func.id]
        yield call
    elif isinstance(call.func, ast.Attribute) and call.func.attr in CALLS:
        call.func.attr = CALLS[call.func.attr]
        yield call


def _other_course(node: ast.AST) -> Iterator[ast.AST]:
    """Another branch, result or end of a loop; a call that is left out."""
    if isinstance(node, (ast.If, ast.IfExp, ast.While)):
        if not _changes_by_itself(node.test):
            node.test = ast.UnaryOp(ast.Not(), node.test)
            yield node
    elif isinstance(node, ast.Return):
        if node.value is not None and ast.unparse(node.value) not in NOTHING:
            yield ast.Return(ast.Constant(None))
    elif isinstance(node, ast.Break):
        yield ast.Continue()
    elif isinstance(node, ast.Continue):
        yield ast.Break()
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield ast.Pass()


def _changes_by_itself(test: ast.expr) -> bool:
    """Whether one of the changes of a condition is its opposite already."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return True
    return isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], EXACT)


def _replaced(source: str, node: ast.AST, text: str, whole: bool) -> str:
    """The source with ``text`` where ``node`` is; of an `if` or `while` its condition only."""
    if isinstance(node, (ast.If, ast.While)):
        node, text, whole = node.test, f"not ({ast.unparse(node.test)})", False
    lines = source.encode().splitlines(keepends=True)
    first, last = node.lineno - 1, node.end_lineno - 1  # type: ignore[attr-defined]
    before = lines[first][: node.col_offset]  # type: ignore[attr-defined]
    after = lines[last][node.end_col_offset :]  # type: ignore[attr-defined]
    new = text if whole or text.replace(".", "").isalnum() else f"({text})"
    changed = b"".join(lines[:first]) + before + new.encode() + after
    return (changed + b"".join(lines[last + 1 :])).decode()


def _compiles(text: str) -> bool:
    try:
        compile(text, "<changed>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


def _head_end(statement: ast.stmt) -> int:
    """The last line of a statement; of one with a body, of what comes before the body."""
    body = getattr(statement, "body", None)
    if body:
        return max(statement.lineno, body[0].lineno - 1)
    return statement.end_lineno or statement.lineno


def _difference(before: str, after: str) -> tuple[str, str]:
    """The lines that differ, in one line each."""
    old, new = before.splitlines(), after.splitlines()
    start = next(i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b)
    end = 0
    while old[len(old) - 1 - end] == new[len(new) - 1 - end] and end < len(new) - 1 - start:
        end += 1
    sides = (old[start : len(old) - end], new[start : len(new) - end])
    was, now = (" ".join(line.strip() for line in side) for side in sides)
    return was, now
