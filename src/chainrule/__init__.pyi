"""Written by tools/stubs.py from the lists of chainrule/__init__.py; not edited by hand."""

# fmt: off
# ruff: noqa: E501, I001

from typing import Any

from chainrule import cluster
from chainrule.check import GradientReport, check_gradient, numerical_gradient
from chainrule.datasets import load_digits, load_mnist, read_csv, read_idx
from chainrule.estimators import MLPClassifier, MLPRegressor, OneVsAllClassifier, RealMLPClassifier, RealMLPRegressor, SoftmaxClassifier, load, save
from chainrule.exchange import from_sklearn, to_numpy, to_onnx, to_sklearn, to_torch
from chainrule.graph import Graph, Node, Trace
from chainrule.graph.functions import concatenate, constant, dropout, input, l1, l2, parameter, reshape, target
from chainrule.graph.node import Apply
from chainrule.networks import Dense, Dropout, Embedding, LayerNorm, ParameterVector, glorot_normal, glorot_uniform, he_normal, he_uniform, normal, sequential, uniform
from chainrule.ops import Operation
from chainrule.server.launch import Playground, playground
from chainrule.tables import ColumnEncoder, read_table
from chainrule.training import LayerHistograms, LiveCurve, Objective, ParameterPath

__all__ = [
    "ColumnEncoder",
    "Dense",
    "Dropout",
    "Embedding",
    "GradientReport",
    "Graph",
    "LayerHistograms",
    "LayerNorm",
    "LiveCurve",
    "MLPClassifier",
    "MLPRegressor",
    "Node",
    "Objective",
    "OneVsAllClassifier",
    "Operation",
    "ParameterPath",
    "ParameterVector",
    "Playground",
    "RealMLPClassifier",
    "RealMLPRegressor",
    "SoftmaxClassifier",
    "Trace",
    "__version__",
    "absolute",
    "absolute_error",
    "add",
    "binary_cross_entropy_with_logits",
    "check_gradient",
    "cluster",
    "concatenate",
    "constant",
    "cos",
    "divide",
    "dropout",
    "elu",
    "exp",
    "from_sklearn",
    "gelu",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "huber",
    "identity",
    "input",
    "l1",
    "l2",
    "layer_norm",
    "leaky_relu",
    "load",
    "load_digits",
    "load_mnist",
    "log",
    "log_softmax",
    "matmul",
    "maximum",
    "mean",
    "mish",
    "multiply",
    "negate",
    "normal",
    "numerical_gradient",
    "parameter",
    "playground",
    "poisson",
    "power",
    "quantile",
    "read_csv",
    "read_idx",
    "read_table",
    "relu",
    "reshape",
    "save",
    "scale",
    "selu",
    "sequential",
    "sigmoid",
    "silu",
    "sin",
    "softmax",
    "softmax_cross_entropy",
    "softplus",
    "sqrt",
    "square",
    "squared_error",
    "subtract",
    "sum",
    "take",
    "tanh",
    "target",
    "to_numpy",
    "to_onnx",
    "to_sklearn",
    "to_torch",
    "transpose",
    "uniform",
    "weighted_mean",
]

__version__: str

def absolute(x: Any, /, *, name: str | None = ...) -> Apply: ...
def absolute_error(scores: Any, target: Any, /, *, name: str | None = ...) -> Apply: ...
def add(a: Any, b: Any, /, *, name: str | None = ...) -> Apply: ...
def binary_cross_entropy_with_logits(scores: Any, target: Any, /, *, name: str | None = ...) -> Apply: ...
def cos(x: Any, /, *, name: str | None = ...) -> Apply: ...
def divide(a: Any, b: Any, /, *, name: str | None = ...) -> Apply: ...
def elu(x: Any, /, alpha: float = ..., *, name: str | None = ...) -> Apply: ...
def exp(x: Any, /, *, name: str | None = ...) -> Apply: ...
def gelu(x: Any, /, approximate: bool = ..., *, name: str | None = ...) -> Apply: ...
def huber(scores: Any, target: Any, /, delta: float = ..., *, name: str | None = ...) -> Apply: ...
def identity(x: Any, /, *, name: str | None = ...) -> Apply: ...
def layer_norm(x: Any, gain: Any, bias: Any, /, epsilon: float = ..., *, name: str | None = ...) -> Apply: ...
def leaky_relu(x: Any, /, slope: float = ..., *, name: str | None = ...) -> Apply: ...
def log(x: Any, /, *, name: str | None = ...) -> Apply: ...
def log_softmax(x: Any, /, *, name: str | None = ...) -> Apply: ...
def matmul(a: Any, b: Any, /, *, name: str | None = ...) -> Apply: ...
def maximum(a: Any, b: Any, /, *, name: str | None = ...) -> Apply: ...
def mean(x: Any, /, axis: Any = ..., keepdims: bool = ..., *, name: str | None = ...) -> Apply: ...
def mish(x: Any, /, *, name: str | None = ...) -> Apply: ...
def multiply(a: Any, b: Any, /, *, name: str | None = ...) -> Apply: ...
def negate(x: Any, /, *, name: str | None = ...) -> Apply: ...
def poisson(scores: Any, target: Any, /, *, name: str | None = ...) -> Apply: ...
def power(x: Any, /, exponent: float = ..., *, name: str | None = ...) -> Apply: ...
def quantile(scores: Any, target: Any, /, q: float = ..., *, name: str | None = ...) -> Apply: ...
def relu(x: Any, /, *, name: str | None = ...) -> Apply: ...
def scale(x: Any, /, factor: float = ..., *, name: str | None = ...) -> Apply: ...
def selu(x: Any, /, *, name: str | None = ...) -> Apply: ...
def sigmoid(x: Any, /, *, name: str | None = ...) -> Apply: ...
def silu(x: Any, /, *, name: str | None = ...) -> Apply: ...
def sin(x: Any, /, *, name: str | None = ...) -> Apply: ...
def softmax(x: Any, /, *, name: str | None = ...) -> Apply: ...
def softmax_cross_entropy(scores: Any, target: Any, /, label_smoothing: float = ..., *, name: str | None = ...) -> Apply: ...
def softplus(x: Any, /, *, name: str | None = ...) -> Apply: ...
def sqrt(x: Any, /, *, name: str | None = ...) -> Apply: ...
def square(x: Any, /, *, name: str | None = ...) -> Apply: ...
def squared_error(scores: Any, target: Any, /, *, name: str | None = ...) -> Apply: ...
def subtract(a: Any, b: Any, /, *, name: str | None = ...) -> Apply: ...
def sum(x: Any, /, axis: Any = ..., keepdims: bool = ..., *, name: str | None = ...) -> Apply: ...
def take(table: Any, indices: Any, /, *, name: str | None = ...) -> Apply: ...
def tanh(x: Any, /, *, name: str | None = ...) -> Apply: ...
def transpose(x: Any, /, *, name: str | None = ...) -> Apply: ...
def weighted_mean(x: Any, w: Any, /, *, name: str | None = ...) -> Apply: ...
