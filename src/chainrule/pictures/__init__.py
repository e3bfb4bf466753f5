"""Pictures of what was learnt: curves, weights, decisions, mistakes, the loss around the end.

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
from chainrule.pictures.boundary import plot_decision_boundary
from chainrule.pictures.calibration import plot_calibration
from chainrule.pictures.confusion import confusion_matrix, plot_confusion
from chainrule.pictures.histograms import plot_histograms
from chainrule.pictures.layer import plot_layer
from chainrule.pictures.loss import plot_loss
from chainrule.pictures.misclassified import plot_misclassified
from chainrule.pictures.network import plot_network
from chainrule.pictures.neuron import plot_neuron
from chainrule.pictures.predictions import plot_predictions
from chainrule.pictures.rates import plot_learning_rates
from chainrule.pictures.score import plot_score
from chainrule.pictures.style import COLOURS, DARK, DIVERGING, LIGHT, Look, in_style
from chainrule.pictures.surface import plot_loss_surface
from chainrule.pictures.weights import plot_weights
from chainrule.pictures.worst import plot_worst

__all__ = [
    "COLOURS",
    "DARK",
    "DIVERGING",
    "LIGHT",
    "Look",
    "confusion_matrix",
    "in_style",
    "plot_activations",
    "plot_calibration",
    "plot_confusion",
    "plot_decision_boundary",
    "plot_histograms",
    "plot_layer",
    "plot_learning_rates",
    "plot_loss",
    "plot_loss_surface",
    "plot_misclassified",
    "plot_network",
    "plot_neuron",
    "plot_predictions",
    "plot_score",
    "plot_weights",
    "plot_worst",
]
