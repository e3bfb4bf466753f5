"""Programs: what they say of themselves, and that no wrong one ever runs."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import chainrule as cr
from chainrule import engine
from chainrule.engine import _native as native
from chainrule.engine.loading import native as load_native


def test_describe_tells_steps_buffers_and_fusions(tools):
    text = tools.network((784, 20, 10), "sigmoid", dtype="float32").program.describe()
    for part in (
        "float32, blocks of 64 rows, 15910 parameters",
        "matmul + add + h1",
        "softmax_cross_entropy + its gradient",
        "dense sigmoid",
        "2,007,040 flops",
    ):
        assert part in text


def program_data():
    """A program with every kind of step."""
    x, c = cr.input("x", ("rows", 40)), cr.input("c", ("rows",), dtype=int)
    t = cr.target("t", ("rows",), dtype=int)
    W, V = cr.parameter("W", (40, 6)), cr.parameter("V", (3, 6))
    h = cr.dropout(cr.gelu(x @ (W * 2.0) + cr.parameter("b", (6,))), rate=0.2)
    joined = cr.concatenate([h, cr.take(cr.parameter("E", (5, 2)), c)], axis=1)
    normal = cr.layer_norm(joined, cr.parameter("g", (8,)), cr.parameter("s", (8,)))
    mixed = cr.log_softmax(normal) * cr.softmax(joined) + cr.sum(joined, axis=1, keepdims=True)
    scores = cr.tanh(mixed @ cr.parameter("U", (8, 6))) @ (V.T @ V)
    loss = cr.softmax_cross_entropy(scores, t) + cr.sum(cr.square(scores), axis=1)
    vector = cr.ParameterVector(cr.Graph(loss).parameters)
    program = engine.lower(loss, vector, dtype="float64")
    assert not program.not_lowered
    return program.to_native()


def places(data):
    """Every integer of a program: where it is kept, and its key."""
    found = [(data, key) for key in data if isinstance(data[key], int)]
    for phase in ("prologue", "forward", "backward"):
        for step in data[phase]:
            for entry in (step, *step["operands"]):
                found += [(entry, key) for key in entry if type(entry[key]) is int]
    for leaf in data["inputs"]:
        found += [(leaf, key) for key in ("at", "width", "nonzero")]
    return found


def test_a_program_with_any_number_out_of_range_is_refused():
    whole = program_data()
    native.MachineFloat64(whole)
    refused = 0
    for i in range(len(places(whole))):
        for wrong in (-(2**62), -1000, 10**9, 2**62):
            data = copy.deepcopy(whole)
            entry, key = places(data)[i]
            if key in ("group", "scratch", "map", "gradient", "nonzero", "dy", "y") and wrong < 0:
                continue  # −1 and below mean "none" in some of these
            entry[key] = wrong
            try:
                native.MachineFloat64(data)
            except (ValueError, RuntimeError, OverflowError):
                refused += 1
    assert refused > 400


@pytest.mark.parametrize("seed", range(8))
def test_a_program_with_random_changes_runs_or_is_refused(seed):
    """The sanitizers' run of this test watches what an accepted one touches."""
    rng, whole, ran = np.random.default_rng(seed), program_data(), 0
    for _ in range(100):
        data = copy.deepcopy(whole)
        found = places(data)
        for _ in range(2):
            entry, key = found[rng.integers(len(found))]
            if key not in ("row_units", "label_units", "nonzero_units", "block_rows", "theta_size"):
                entry[key] = int(rng.integers(-2, 60))
        try:
            machine = native.MachineFloat64(data)
        except ValueError:
            continue
        types = [np.int64 if leaf["space"] == "labels" else np.float64 for leaf in data["inputs"]]
        rows = [
            np.zeros((9, leaf["width"]), dtype)
            for leaf, dtype in zip(data["inputs"], types, strict=True)
        ]
        if data["weight_at"] >= 0:
            ran += 1
            size = data["theta_size"]
            machine.sums(np.ones(size), rows, None, np.zeros(size), 1, False)
    assert ran > 0


def test_the_native_module_checks_what_python_passes(tools):
    case = tools.network((3, 4, 2))
    machine, theta = native.MachineFloat64(case.program.to_native()), case.theta
    X, y, out = np.ones((5, 3)), np.zeros(5, np.int64), np.empty(case.vector.size)
    machine.sums(theta, [X, y], None, out, 1, False)
    wrong = [
        (theta[1:], [X, y], None, out),
        (theta, [X], None, out),
        (theta, [X[:, :2], y], None, out),
        (theta, [X, y[1:]], None, out),
        (theta, [X, y.astype(float)], None, out),
        (theta, [X.astype(np.complex128), y], None, out),
        (theta, [X, y], np.ones(4), out),
        (theta, [X, y], np.ones(5, np.float32), out),
        (theta, [X, y], None, out[1:]),
        (theta, [X, (y, y, y, 1)], None, out),
        (theta, [(X.ravel(), y, y, 2), y], None, out),
        (theta, [X[None, None], y], None, out),
    ]
    for arguments in wrong:
        with pytest.raises((ValueError, TypeError, RuntimeError)):
            machine.sums(*arguments, 1, False)
    with pytest.raises((ValueError, TypeError)):
        native.MachineFloat32(case.program.to_native())


def test_info():
    info = engine.info()
    assert info["compiled"] == engine.available()
    assert info["isa"] in info["isas"]
    assert info["threads"] >= 1
    assert load_native() is native or not engine.available()
