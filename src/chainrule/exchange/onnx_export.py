"""To ONNX: a file that other programs predict with."""

from __future__ import annotations

import os
from functools import partial
from typing import Any

import numpy as np

import chainrule
from chainrule.estimators.targets import Labels
from chainrule.exchange.onnx_builder import Builder
from chainrule.exchange.onnx_columns import add_columns
from chainrule.exchange.onnx_rules import RULES
from chainrule.exchange.portable import Portable, portable
from chainrule.exchange.walk import walk
from chainrule.files import atomic_write
from chainrule.graph import Graph, Node
from chainrule.graph.node import Apply, Constant, Parameter

__all__ = ["to_onnx"]


def to_onnx(model: Any, path: str | os.PathLike[str] | None = None, *, dtype: Any = None) -> Any:
    """The fitted estimator as an ONNX model.

    Its input is called "x" (rows, columns); its outputs are "label" and "probabilities" of a
    classifier, "prediction" of a regressor. A model of tables has an input for each column, see
    ``chainrule.exchange.column_arrays``.

    Parameters
    ----------
    model : estimator
        Fitted.
    path : path-like, optional
        A file to write the model to, atomically.
    dtype : "float32" or "float64", optional
        The precision of inputs and parameters. Default: the model's own.

    Returns
    -------
    onnx.ModelProto

    Raises
    ------
    ExportError
        When there is no rule for an operation of the network.
    """
    taken = portable(model, dtype)
    built = onnx_model(taken)
    if path is not None:
        with atomic_write(path) as file:
            file.write(built.SerializeToString())
    return built


def onnx_model(taken: Portable) -> Any:
    """The ONNX model of what is exported."""
    onnx = Builder(taken.dtype)
    scores, output = add_network(onnx, taken, _table_inputs(onnx, taken))
    if taken.labels is None:
        onnx.output(output, "prediction", taken.dtype, _shape(taken.output))
    else:
        labels = taken.labels
        label = _label(onnx, scores, labels)
        shape = ("rows", len(labels.classes)) if labels.kind == "multilabel" else ("rows",)
        kind = np.int64 if labels.kind == "multilabel" else _plain_classes(labels).dtype
        onnx.output(label, "label", kind, shape)
        onnx.output(output, "probabilities", taken.dtype, _shape(taken.output))
    about = {"columns": "\n".join(taken.columns)} if taken.columns and not taken.encoder else {}
    return onnx.model(taken.title, chainrule.__version__, about)


def _table_inputs(onnx: Builder, taken: Portable) -> dict[str, str] | None:
    """The network's inputs from the columns of a table."""
    if taken.encoder is None or taken.features is None:
        return None
    dense, codes = add_columns(onnx, taken.encoder)
    given: dict[str, str] = {}
    for name, places in (("x", taken.features.x), ("z", taken.features.z)):
        if places and dense is not None:
            some = onnx.add("Gather", dense, onnx.integers(list(places)), axis=1)
            given[name] = onnx.cast(some, taken.dtype)
    if codes is not None:
        offsets = onnx.constant(taken.features.offsets.astype(np.int64))
        given["codes"] = onnx.add("Add", codes, offsets)
    return given


def add_network(onnx: Builder, taken: Portable, given: dict[str, str] | None = None) -> list[str]:
    """Scores and output of a network; ``given`` are inputs that are there already, by name."""

    def leaf(node: Node) -> str:
        name = str(node.name)
        if isinstance(node, Parameter):
            return onnx.constant(taken.parameters[name], name)
        if isinstance(node, Constant):
            return onnx.constant(graph.constant(node, taken.dtype))
        if given is not None:
            return given[name]
        return onnx.input(name, np.int64 if node.integer else taken.dtype, _shape(node))

    def said(rule: Any, node: Apply, inputs: list[str]) -> str:
        return rule(onnx, node.op, node, inputs)

    graph = Graph(taken.scores, taken.output)
    rules = {name: partial(said, rule) for name, rule in RULES.items()}
    return walk((taken.scores, taken.output), leaf, rules, target="ONNX")


def _label(onnx: Builder, scores: str, labels: Labels) -> str:
    if labels.kind == "multilabel":
        return onnx.cast(onnx.positive(scores), np.int64)
    if labels.kind == "binary":
        second = onnx.cast(onnx.positive(scores), np.int64)
        if len(labels.classes) == 1:
            second = onnx.add("Mul", second, onnx.constant(np.int64(0)))
        number = onnx.add("Reshape", second, onnx.integers([-1]))
    else:
        number = onnx.add("ArgMax", scores, axis=1, keepdims=0)
    return onnx.add("Gather", onnx.constant(_plain_classes(labels), "classes"), number)


def _plain_classes(labels: Labels) -> np.ndarray:
    return labels.classes.astype(object) if labels.classes.dtype.kind in "OU" else labels.classes


def _shape(node: Node) -> tuple[Any, ...]:
    return node.shape
