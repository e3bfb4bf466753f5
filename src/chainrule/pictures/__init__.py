"""Pictures: loss curves, learning rates, weights, confusion, what went wrong, activation functions.

Every function takes an optional matplotlib Axes, draws on it (or on a new one) and returns it.
matplotlib is the extra ``plot``; the rest of chainrule works without.
"""

try:
    import matplotlib as _matplotlib  # noqa: F401
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        'pictures need matplotlib: pip install "chainrule[plot]"', name="matplotlib"
    ) from error

from chainrule.pictures.activations import plot_activations
from chainrule.pictures.confusion import confusion_matrix, plot_confusion
from chainrule.pictures.loss import plot_loss
from chainrule.pictures.misclassified import plot_misclassified
from chainrule.pictures.rates import plot_learning_rates
from chainrule.pictures.style import COLOURS, DIVERGING, in_style
from chainrule.pictures.weights import plot_weights

__all__ = [
    "COLOURS",
    "DIVERGING",
    "confusion_matrix",
    "in_style",
    "plot_activations",
    "plot_confusion",
    "plot_learning_rates",
    "plot_loss",
    "plot_misclassified",
    "plot_weights",
]
