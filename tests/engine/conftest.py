"""What the engine's tests share: small networks, and the NumPy rules as their oracle."""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest

import chainrule as cr
from chainrule import engine
from chainrule.graph import Graph
from chainrule.networks import ParameterVector

if not engine.info()["isas"]:
    pytest.skip("the native module is not built", allow_module_level=True)

TOLERANCE = {"float64": 1e-12, "float32": 2e-5}


class Case:
    """A row loss with its compiled form, its parameters and data."""

    def __init__(self, loss, values, data, weight, dtype, penalty=None):
        self.loss, self.dtype, self.weight = loss, dtype, weight
        self.graph = Graph(loss)
        self.vector = ParameterVector(self.graph.parameters)
        self.theta = self.vector.pack(values, np.dtype(dtype).type)
        self.data = data
        self.inputs = {node.name: data[node.name] for node in self.graph.inputs}
        self.target = data[self.graph.targets[0].name] if self.graph.targets else None
        self.program = engine.lower(loss, self.vector, penalty, dtype)
        self.compiled = engine.compile(loss, penalty, self.vector, dtype)

    def oracle(self):
        """(Σ w·loss, Σ w·gradient as one vector) by the NumPy rules."""
        values = {**self.vector.unpack(self.theta), **self.data}
        trace = cr.Trace(self.graph, values, dtype=self.dtype)
        losses = trace.forward().astype(np.float64)
        gradients = trace.backward(self.weight.astype(self.dtype))
        parts = {name: np.asarray(gradients[name]) for name in self.vector.slices}
        return float(losses @ self.weight), self.vector.pack(parts)

    def check(self):
        """The engine gives what the NumPy rules give."""
        assert self.compiled is not None, self.program.describe()
        loss, weight, gradient = self.compiled.sums(
            self.theta, self.inputs, self.target, self.weight
        )
        expected, slope = self.oracle()
        tolerance = TOLERANCE[self.dtype]
        scale = float(np.abs(self.weight).sum())
        assert weight == pytest.approx(self.weight.sum(), rel=1e-6)
        assert loss == pytest.approx(expected, rel=tolerance, abs=tolerance * scale)
        np.testing.assert_allclose(
            gradient, slope, rtol=tolerance, atol=tolerance * max(1.0, np.abs(slope).max())
        )


def network(sizes=(12, 9, 4), activation="tanh", rows=107, dtype="float64", seed=0, **options):
    """A classifier of Dense layers, ready to compare."""
    rng = np.random.default_rng(seed)
    h = cr.input("x", ("rows", sizes[0]))
    t = cr.target("t", ("rows",), dtype=int)
    values = {}
    for i, (m, n) in enumerate(pairwise(sizes), 1):
        h = h @ cr.parameter(f"W{i}", (m, n)) + cr.parameter(f"b{i}", (n,))
        values[f"W{i}"], values[f"b{i}"] = rng.normal(size=(m, n)) / np.sqrt(m), rng.normal(size=n)
        if i < len(sizes) - 1:
            h = getattr(cr, activation)(h, name=f"h{i}")
    loss = cr.softmax_cross_entropy(h, t, **options)
    data = {"x": rng.normal(size=(rows, sizes[0])), "t": rng.integers(sizes[-1], size=rows)}
    case = Case(loss, values, data, rng.uniform(0.1, 2, size=rows), dtype)
    case.scores = h
    return case


@pytest.fixture
def tools():
    return SimpleNamespace(Case=Case, network=network, tolerance=TOLERANCE)
