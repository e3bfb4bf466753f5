"""The computational graph: nodes, graphs, and traces that run them."""

from chainrule.graph.functions import FUNCTIONS, LEAVES
from chainrule.graph.graph import Graph
from chainrule.graph.node import (
    Apply,
    Constant,
    Input,
    Mask,
    Node,
    Parameter,
    Target,
    apply,
)
from chainrule.graph.trace import Step, Trace

__all__ = [
    "FUNCTIONS",
    "LEAVES",
    "Apply",
    "Constant",
    "Graph",
    "Input",
    "Mask",
    "Node",
    "Parameter",
    "Step",
    "Target",
    "Trace",
    "apply",
]
