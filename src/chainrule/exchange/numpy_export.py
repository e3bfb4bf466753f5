"""To one Python file that predicts with NumPy alone, and can be read."""

from __future__ import annotations

import base64
import builtins
import keyword
import os
import re
from collections import Counter
from functools import partial
from textwrap import fill
from typing import Any

import numpy as np

import chainrule
from chainrule.errors import ExportError
from chainrule.estimators.targets import Labels
from chainrule.exchange.numpy_columns import HELPERS as HELPERS_OF_COLUMNS
from chainrule.exchange.numpy_columns import TABLE_MAIN, columns_text
from chainrule.exchange.numpy_rules import HELPERS, NEEDS, RULES, bare
from chainrule.exchange.portable import Portable, portable
from chainrule.exchange.walk import walk
from chainrule.files import atomic_write
from chainrule.graph import Graph, Node
from chainrule.graph.node import Apply, Constant, Parameter
from chainrule.ops.shapes import format_shape

__all__ = ["to_numpy"]

IN_WORDS = 24
"""Arrays of so many numbers are written as numbers; larger ones as their bytes."""

READ_TWICE = ("mish", "silu")
"""Operations whose expression names its operand twice."""

TAKEN = {
    *HELPERS,
    *dir(builtins),
    *("CLASSES", "answer", "array", "base64", "erf1", "file", "lines", "np", "predict"),
    *("predict_proba", "s", "scores", "sys"),
    *("is_missing", "numbers", "seconds", "scaled", "wave", "level", "codes", "inputs", "table"),
}
"""Names that the file uses otherwise."""


def to_numpy(model: Any, path: str | os.PathLike[str] | None = None, *, dtype: Any = None) -> str:
    """The fitted estimator as the text of a Python file that needs NumPy and nothing else.

    The file has ``predict(x)`` and, of a classifier, ``predict_proba(x)``; run as a program it
    reads a CSV file of numbers.

    Parameters
    ----------
    model : estimator
        Fitted.
    path : path-like, optional
        A file to write the text to, atomically.
    dtype : "float32" or "float64", optional
        Default: the model's own.

    Raises
    ------
    ExportError
        When there is no rule for an operation of the network.
    """
    text = script(portable(model, dtype))
    if path is not None:
        with atomic_write(path, "w") as file:
            file.write(text)
    return text


def script(taken: Portable) -> str:
    """The text of the file for what is exported."""
    return _Script(taken).text()


class _Script:
    """The file in the making: names, lines of the functions, arrays."""

    def __init__(self, taken: Portable) -> None:
        self.taken = taken
        self.names: dict[Node, str] = {}
        self.arrays: dict[str, np.ndarray] = {}
        self.lines: list[str] = []
        self.uses: Counter[Node] = Counter()
        self._graph = Graph(taken.scores, taken.output)
        for node in self._graph.order:
            self.uses.update(node.inputs)
            if isinstance(node, Apply) and node.op.name in READ_TWICE:
                self.uses.update(node.inputs)
        self._count = 0

    def text(self) -> str:
        """The whole file."""
        inputs = [self._name(node) for node in self.taken.inputs]
        bodies = [self._scores(inputs)]
        encoder, features = self.taken.encoder, self.taken.features
        if encoder is None or features is None:
            bodies += self._answers(inputs, f"scores({', '.join(inputs)})")
        else:
            names = [str(node.name) for node in self.taken.inputs]
            bodies += [HELPERS_OF_COLUMNS, columns_text(encoder, features, names, self._keep)]
            bodies += self._answers(["table"], "scores(*inputs(table))")
        code = "\n\n".join(bodies)
        arrays = "\n".join(_array_text(name, value) for name, value in self.arrays.items())
        called = {name for name in HELPERS if re.search(rf"(?<![\w.]){name}\(", code)}
        called |= {other for name in called for other in NEEDS.get(name, ())}
        used = [name for name in HELPERS if name in called]
        imports = ["import base64", "import sys"]
        imports += ["from math import erf as erf1"] if "erf" in used else []
        parts = [
            f'"""{self._title()}"""\n\n' + "\n".join(imports) + "\n\nimport numpy as np\n",
            *(HELPERS[name] for name in used),
            *bodies,
            ARRAY,
            arrays,
            *([MAIN] if self._reads_rows else [TABLE_MAIN] if encoder is not None else []),
        ]
        return "\n\n".join(part.strip("\n") + "\n" for part in parts)

    @property
    def _reads_rows(self) -> bool:
        """Whether rows of numbers are all that it takes."""
        inputs = self.taken.inputs
        return len(inputs) == 1 and inputs[0].ndim == 2 and self.taken.encoder is None

    def _title(self) -> str:
        taken = self.taken
        said = f"{taken.title} {taken.sizes} in plain NumPy, written by chainrule "
        lines = [f"{said}{chainrule.__version__}.", ""]
        if taken.columns and self._reads_rows:
            names = ", ".join(map(_harmless, taken.columns))
            columns = fill(names, 92, break_long_words=False)
            lines += ["Columns of x, in this order:", "", columns, ""]
        if self._reads_rows or taken.encoder is not None:
            lines += ["    python THIS_FILE.py rows.csv    prints a prediction for each row", ""]
        return "\n".join(lines)

    def _scores(self, inputs: list[str]) -> str:
        for node, given in zip(self.taken.inputs, inputs, strict=True):
            kind = "np.int64" if node.integer else f"np.{self.taken.dtype}"
            self.lines.append(f"{given} = np.asarray({given}, dtype={kind})")
        (result,) = self._walk(self.taken.scores)
        shape = format_shape(self.taken.scores.shape)
        says = f"What the network computes for each row, {shape}."
        return self._function("scores", inputs, says, result)

    def _keep(self, name: str, value: np.ndarray) -> str:
        self.arrays[name] = value
        return name

    def _answers(self, inputs: list[str], call: str) -> list[str]:
        taken = self.taken
        once = self.uses[taken.scores] <= 1
        self.lines = [] if once else [f"s = {call}"]
        (result,) = self._walk(taken.output, {taken.scores: call if once else "s"})
        if taken.labels is None:
            return [self._function("predict", inputs, "The value of each row.", result)]
        says = "The probability of each class for each row."
        probabilities = self._function("predict_proba", inputs, says, result)
        self.arrays["CLASSES"] = _text_classes(taken.labels.classes)
        self.lines = []
        return [probabilities, self._function("predict", inputs, *_decode(taken.labels, call))]

    def _walk(self, output: Node, known: dict[Node, str] | None = None) -> list[str]:
        rules = {name: partial(self._said, rule) for name, rule in RULES.items()}
        return walk((output,), self._leaf, rules, known, target="NumPy")

    def _leaf(self, node: Node) -> str:
        if isinstance(node, Constant):
            value = self._graph.constant(node, self.taken.dtype)
            if value.size == 1 and node.ndim == 0:
                return repr(node.value.item())
            name = f"CONSTANT{len(self.arrays)}"
            self.arrays[name] = value
            return name
        name = self._name(node)
        if isinstance(node, Parameter):
            self.arrays[name] = self.taken.parameters[str(node.name)]
        return name

    def _said(self, rule: Any, node: Apply, inputs: list[str]) -> str:
        """An expression; a line of its own where it has a name, is read twice, or is long."""
        text = rule(node.op, node, inputs)
        ends = node in (self.taken.scores, self.taken.output)
        if ends or (node.name is None and self.uses[node] <= 1 and len(text) < 60):
            return text
        name = self._name(node)
        self.lines.append(f"{name} = {bare(text)}")
        return name

    def _name(self, node: Node) -> str:
        """A name for Python, the node's own where that is one."""
        if node not in self.names:
            name = re.sub(r"\W", "_", node.name or "", flags=re.ASCII)
            used = {*TAKEN, *self.names.values()}
            if not name or name in used or keyword.iskeyword(name) or not name.isidentifier():
                self._count += 1
                name = f"v{self._count}"
            self.names[node] = name
        return self.names[node]

    def _function(self, name: str, inputs: list[str], says: str, result: str) -> str:
        lines = [f"def {name}({', '.join(inputs)}):", f'    """{says}"""']
        lines += [f"    {line}" for line in self.lines]
        return "\n".join([*lines, f"    return {bare(result)}\n"])


def _decode(labels: Labels, call: str) -> tuple[str, str]:
    """What ``predict`` says of itself, and from the scores to what it gives."""
    if labels.kind == "multilabel":
        return "1 for each label that a row has, else 0.", f"({call} > 0).astype(np.int64)"
    says = "The class of each row."
    if labels.kind == "multiclass":
        return says, f"CLASSES[{call}.argmax(axis=1)]"
    if len(labels.classes) == 1:
        return says, f"CLASSES[np.zeros(len({call}), dtype=int)]"
    return says, f"CLASSES[({call}[:, 0] > 0).astype(int)]"


def _text_classes(classes: np.ndarray) -> np.ndarray:
    return classes.astype(str) if classes.dtype.kind == "O" else classes


def _array_text(name: str, value: np.ndarray) -> str:
    if value.dtype.kind == "U":
        return f"{name} = np.array({value.tolist()!r})"
    if value.size <= IN_WORDS and np.all(np.isfinite(value)):
        start = f"{name} = np.array("
        numbers = np.array2string(
            value, separator=", ", max_line_width=92, floatmode="unique", prefix=start
        )
        return f"{start}{numbers}, dtype={value.dtype.str!r})"
    if value.dtype.kind not in "fiub":
        raise ExportError(f"NumPy: {name} holds {value.dtype}, which cannot be written down")
    little = np.ascontiguousarray(value).astype(value.dtype.newbyteorder("<"))
    content = base64.b64encode(little.tobytes()).decode()
    lines = "\n".join(content[i : i + 96] for i in range(0, len(content), 96))
    return f'{name} = array({little.dtype.str!r}, {value.shape}, """\n{lines}\n""")'


def _harmless(name: str) -> str:
    """A name inside a docstring: nothing in it ends the string."""
    return repr(name)[1:-1].replace('"', "'")


ARRAY = '''
def array(dtype, shape, text):
    """The array whose bytes, row after row, are written as base64."""
    return np.frombuffer(base64.b64decode(text), dtype=dtype).reshape(shape)
'''

MAIN = """
if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        lines = [line.strip().split(",") for line in file if line.strip()]
    try:
        float(lines[0][0])
    except ValueError:
        lines = lines[1:]  # names of columns
    for answer in predict(np.array(lines, dtype=float)):
        print(answer)
"""
