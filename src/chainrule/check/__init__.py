"""Gradients by differences, and the report that compares them with the chain rule's."""

from chainrule.check.gradient import check_gradient
from chainrule.check.numerical import numerical_gradient
from chainrule.check.report import Comparison, GradientReport, ParameterReport

__all__ = [
    "Comparison",
    "GradientReport",
    "ParameterReport",
    "check_gradient",
    "numerical_gradient",
]
