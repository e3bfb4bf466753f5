"""To PyTorch: the network as a module, to predict with or to train on."""

from __future__ import annotations

import os
from functools import partial
from typing import Any

import numpy as np

from chainrule.errors import OptionError, describe
from chainrule.exchange.portable import Portable, portable
from chainrule.exchange.torch_rules import RULES, F, torch
from chainrule.exchange.walk import walk
from chainrule.files import atomic_write
from chainrule.graph import Graph, Node
from chainrule.graph.node import Apply, Constant, Parameter

__all__ = ["TorchNetwork", "to_torch"]

WHAT = ("prediction", "scores")


class TorchNetwork(torch.nn.Module):
    """A network of chainrule as a module of PyTorch: ``module(x)``, in evaluation mode at first.

    Parameters have the names that they have in chainrule, but for those that a module has
    otherwise. In training mode dropout draws.

    Parameters
    ----------
    taken : Portable
    what : {"prediction", "scores"}
    """

    def __init__(self, taken: Portable, what: str) -> None:
        super().__init__()
        output = taken.scores if what == "scores" else taken.output
        # stored as data: pickle would recurse from node to node
        self.graph = Graph(output)
        for node in self.graph.parameters:
            value = torch.from_numpy(np.ascontiguousarray(taken.parameters[str(node.name)]))
            self.register_parameter(self._parameter(node), torch.nn.Parameter(value.clone()))
        for node in self.graph.order:
            if isinstance(node, Constant):
                value = np.array(self.graph.constant(node, taken.dtype))
                self.register_buffer(self._buffer(node), torch.from_numpy(value))
        self.eval()

    def forward(self, *inputs: Any) -> Any:
        """The output for rows; several inputs in the order of ``graph.inputs``."""
        given = dict(zip(self.graph.inputs, inputs, strict=True))

        def leaf(node: Node) -> Any:
            if isinstance(node, Parameter):
                return self.get_parameter(self._parameter(node))
            return (
                self.get_buffer(self._buffer(node)) if isinstance(node, Constant) else given[node]
            )

        rules: dict[str, Any] = {name: partial(_said, rule) for name, rule in RULES.items()}
        if self.training:
            rules["dropout"] = _drop
        return walk(self.graph.outputs, leaf, rules, target="PyTorch")[0]

    def _parameter(self, node: Node) -> str:
        name = str(node.name).replace(".", "_")
        return name + "_" if name in dir(torch.nn.Module) or name in ("", "graph") else name

    def _buffer(self, node: Node) -> str:
        return f"constant{self.graph.order.index(node)}"


def to_torch(
    model: Any,
    path: str | os.PathLike[str] | None = None,
    *,
    output: str = "prediction",
    dtype: Any = None,
) -> Any:
    """The fitted estimator as an equivalent ``torch.nn.Module``.

    Parameters
    ----------
    model : estimator
        Fitted.
    path : path-like, optional
        A file to write the module to, atomically, as ``torch.export`` does: ``torch.export.load``
        reads it without chainrule.
    output : {"prediction", "scores"}
        What ``module(x)`` gives: probabilities or values as ``predict_proba`` and ``predict``
        give them, or what the network computes before them, to train on with a loss on scores.
    dtype : "float32" or "float64", optional
        Default: the model's own.

    Raises
    ------
    ExportError
        When there is no rule for an operation of the network.
    """
    if output not in WHAT:
        raise OptionError(describe("output", " or ".join(map(repr, WHAT)), repr(output)))
    taken = portable(model, dtype)
    module = TorchNetwork(taken, output)
    if path is not None:
        with atomic_write(path) as file:
            torch.export.save(_program(module, taken), file)
    return module


def _program(module: TorchNetwork, taken: Portable) -> Any:
    """The module as a program for any number of rows."""
    rows = torch.export.Dim("rows", min=1)
    kinds = {np.dtype(np.float32): torch.float32, np.dtype(np.float64): torch.float64}
    examples = tuple(
        torch.zeros((3, *node.shape[1:]), dtype=torch.int64 if node.integer else kinds[taken.dtype])
        for node in module.graph.inputs
    )
    # the shapes of *inputs: a tuple in a tuple
    return torch.export.export(module, examples, dynamic_shapes=(({0: rows},) * len(examples),))


def _said(rule: Any, node: Apply, inputs: list[Any]) -> Any:
    return rule(node.op, node, inputs)


def _drop(node: Apply, inputs: list[Any]) -> Any:
    return F.dropout(inputs[0], node.op.options["rate"], training=True)
