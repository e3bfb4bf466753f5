"""Every error of chainrule, in one hierarchy.

Catch `ChainruleError` to catch them all. A mistake of the user also derives from ValueError or
TypeError, as scikit-learn's users expect. A message says where, what was expected, what came, and
what to do; `describe` writes it in that order. Where a lesson helps, it names the `chapter`.
"""

from __future__ import annotations

__all__ = [
    "ChainruleError",
    "CheckpointError",
    "CheckpointWarning",
    "ClusterError",
    "DataError",
    "EngineUnavailableWarning",
    "ExportError",
    "FileFormatError",
    "GradientError",
    "GraphError",
    "LabelError",
    "MissingPackageError",
    "NumericalError",
    "OptionError",
    "ShapeError",
    "WrongTypeError",
    "chapter",
    "describe",
    "one_line",
]


LONGEST = 500
"""Letters of a name or a value that a message shows."""


def describe(where: object, expected: object, came: object, remedy: str = "") -> str:
    """`{where}: expected {expected}; came {came}. {remedy}`.

    >>> describe("matmul", "(rows, 3)", "(rows, 4)", "Transpose W.")
    'matmul: expected (rows, 3); came (rows, 4). Transpose W.'
    """
    where, expected, came = (
        text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
        for text in (str(where), str(expected), str(came))
    )
    return f"{where}: expected {expected}; came {came}. {remedy}".rstrip()


def one_line(text: str, longest: int = 500) -> str:
    """``text`` without line breaks, cut where it is very long: for what others have written."""
    text = " ".join(text.split())
    return text if len(text) <= longest else text[: longest - 1] + "…"


CHAPTERS = {
    "probabilities": (2, "Softmax: scores become probabilities"),
    "loss": (3, "The loss and its gradient"),
    "activations": (5, "Activation functions"),
    "back-propagation": (6, "The graph and back-propagation"),
    "packing": (7, "Packing, and SciPy's optimisers"),
    "gradient check": (9, "Checking a gradient"),
    "learning": (10, "Gradient descent and mini-batches"),
}
"""Which chapter of the book, in docs/book, teaches what a message is about."""


def chapter(topic: str) -> str:
    """Where to read about a topic of `CHAPTERS`.

    >>> chapter("gradient check")
    'chapter 9 of the book, “Checking a gradient”'
    """
    number, title = CHAPTERS[topic]
    return f"chapter {number} of the book, “{title}”"


class ChainruleError(Exception):
    """The root of every error raised by chainrule."""


class ShapeError(ChainruleError, ValueError):
    """Shapes that do not fit together; names the operation, its operands and their shapes."""


class LabelError(ChainruleError, ValueError):
    """A label outside the classes, or labels that cannot be classes."""


class DataError(ChainruleError, ValueError):
    """Data that cannot be learned from: NaN, an empty table, a wrong column, one class only."""


class OptionError(ChainruleError, ValueError):
    """An option outside its allowed values; names the option and what is allowed."""


class GraphError(ChainruleError, ValueError):
    """A graph that cannot be run as it stands: an unbound, missing or ambiguous node."""


class GradientError(ChainruleError, ArithmeticError):
    """A gradient that is not the derivative of its loss; names the worst entry."""


class WrongTypeError(ChainruleError, TypeError):
    """A value of a type that is not understood here."""


class FileFormatError(ChainruleError, ValueError):
    """A file that is not what its format says: truncated, foreign, too new or malformed."""


class CheckpointError(ChainruleError, ValueError):
    """A checkpoint that is of other data, another network or other options; names which."""


class ClusterError(ChainruleError, RuntimeError):
    """A cluster that is gone, or whose workers die again and again; says how to go on."""


class ExportError(ChainruleError, ValueError):
    """A model that another format cannot hold; names the node or the option."""


class MissingPackageError(ChainruleError, ModuleNotFoundError):
    """A package that an extra of chainrule brings is not installed; says which."""

    def __init__(self, what: str, extra: str, error: ModuleNotFoundError) -> None:
        command = f"pip install 'chainrule[{extra}]'"
        super().__init__(f"{what} needs the package {error.name!r}: {command}", name=error.name)


class NumericalError(ChainruleError, ArithmeticError):
    """A loss or a gradient that is not finite.

    Attributes
    ----------
    step : int or None
        The step (iteration or mini-batch, from 0) at which it was seen.
    layer : str or None
        The name of the first node or parameter that is not finite.
    cause : str or None
        The likely cause, in words.
    theta : ndarray or None
        The last good parameters, where training was under way.
    """

    def __init__(
        self,
        message: str,
        *,
        step: int | None = None,
        layer: str | None = None,
        cause: str | None = None,
        theta: object = None,
    ) -> None:
        super().__init__(message)
        self.step = step
        self.layer = layer
        self.cause = cause
        self.theta = theta


class CheckpointWarning(UserWarning):
    """A checkpoint that could not be written; training goes on."""


class EngineUnavailableWarning(UserWarning):
    """The compiled engine is missing or could not be loaded; NumPy does the work, slower."""
