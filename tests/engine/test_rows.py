"""However rows are stored, the numbers are those of a plain array; what is wrong is refused."""

from __future__ import annotations

import re

import numpy as np
import pytest
import scipy.sparse as sp

import chainrule as cr
from chainrule import engine
from chainrule.engine import Shuffle, UpdateRule
from chainrule.errors import DataError, GraphError, LabelError, OptionError, ShapeError

WIDTH, ROWS = 37, 211


@pytest.fixture
def case(tools):
    case = tools.network((WIDTH, 8, 5), rows=ROWS)
    rng = np.random.default_rng(5)
    whole = rng.integers(0, 9, size=(ROWS, WIDTH)) * (rng.random((ROWS, WIDTH)) < 0.4)
    case.whole = whole.astype(np.float64)
    return case


def results(case, X, y=None):
    y = case.target if y is None else y
    state = UpdateRule("adam").initial_state(case.vector.size, case.dtype)
    theta = case.theta.copy()
    case.compiled.run_batches(
        theta, state, X, y, rule=UpdateRule("adam"), learning_rate=0.01, batch_size=32,
        n_batches=9, order=Shuffle(4),
    )  # fmt: skip
    loss, weight, gradient = case.compiled.sums(case.theta, X, y)
    return [
        np.array([loss, weight]),
        gradient,
        theta,
        case.compiled.forward(case.theta, X, case.scores),
    ]


def storage(whole, tmp_path):
    def mapped(dtype):
        path = tmp_path / f"{dtype}.npy"
        np.save(path, whole.astype(dtype))
        return np.load(path, mmap_mode="r")

    wide = np.zeros((ROWS, 2 * WIDTH + 3))
    wide[:, 1 : 2 * WIDTH + 1 : 2] = whole
    rows = np.zeros((2 * ROWS, WIDTH), np.float32)
    rows[::2] = whole
    frozen = whole.copy()
    frozen.flags.writeable = False
    record = np.zeros((ROWS, 1 + 8 * WIDTH), np.uint8)  # rows that start at odd addresses
    record[:, 1:] = whole.copy().view(np.uint8).reshape(ROWS, -1)
    odd = record[:, 1:].view(np.float64) if record[:, 1:].flags.c_contiguous else None
    dtypes = ["uint8", "int8", "int32", "int64", "uint16", "float16", "float32", ">f8"]
    kinds = {dtype: whole.astype(dtype) for dtype in dtypes}
    kinds |= {
        "columns apart": wide[:, 1 : 2 * WIDTH + 1 : 2],
        "rows apart": rows[::2],
        "columns first": np.asfortranarray(whole),
        "backwards": whole[::-1, ::-1].copy()[::-1, ::-1],
        "read only": frozen,
        "mapped uint8": mapped("uint8"),
        "mapped float32": mapped("float32"),
        "csr": sp.csr_array(whole),
        "csr float32": sp.csr_matrix(whole.astype(np.float32)),
        "csr int64 indices": _wide_indices(whole),
        "coo": sp.coo_array(whole),
        "mapping": {"x": whole},
    }
    return kinds if odd is None else kinds | {"odd": odd}


def _wide_indices(whole):
    matrix = sp.csr_array(whole)
    matrix.indices, matrix.indptr = matrix.indices.astype(np.int64), matrix.indptr.astype(np.int64)
    return matrix


def test_every_storage_gives_the_same_bits(case, tmp_path):
    expected = results(case, case.whole)
    for name, X in storage(case.whole, tmp_path).items():
        for one, other in zip(results(case, X), expected, strict=True):
            assert np.array_equal(one, other), name


def test_booleans(case):
    X = case.whole > 0
    for one, other in zip(results(case, X), results(case, X.astype(float)), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.int64, np.uint64])
def test_labels_of_every_integer_type(case, dtype):
    y = case.target.astype(dtype)
    expected = results(case, case.whole)
    for labels in (y, np.repeat(y, 2)[::2], y[::-1].copy()[::-1]):
        for one, other in zip(results(case, case.whole, labels), expected, strict=True):
            assert np.array_equal(one, other)


def test_bytes_scaled_while_loading(tools):
    rng = np.random.default_rng(0)
    x, t = cr.input("x", ("rows", 40)), cr.target("t", ("rows", 3))
    loss = cr.squared_error(cr.scale(x, factor=1 / 255) @ cr.parameter("W", (40, 3)), t)
    data = {"x": rng.integers(256, size=(70, 40), dtype=np.uint8), "t": rng.normal(size=(70, 3))}
    for dtype in ("float32", "float64"):
        case = tools.Case(loss, {"W": rng.normal(size=(40, 3))}, data, np.ones(70), dtype)
        assert "x + scale" in case.program.describe()
        case.oracle_data = case.data = {"x": data["x"].astype(dtype), "t": data["t"]}
        case.check()


def test_no_rows(case):
    empty = case.whole[:0]
    loss, weight, gradient = case.compiled.sums(case.theta, empty, case.target[:0])
    assert (loss, weight) == (0.0, 0.0)
    assert not gradient.any()
    assert case.compiled.forward(case.theta, empty, case.scores).shape == (0, 5)
    state = UpdateRule("sgd").initial_state(case.vector.size, "float64")
    with pytest.raises(OptionError, match="batch_size"):
        case.compiled.run_batches(
            case.theta, state, empty, case.target[:0], rule=UpdateRule("sgd"), learning_rate=0.1,
            batch_size=4,
        )  # fmt: skip


def test_what_is_not_finite_is_found_while_loading(case):
    for value, told in [(np.nan, "NaN"), (np.inf, "infinity"), (-np.inf, "infinity")]:
        X = case.whole.copy()
        X[[97, 140], [36, 0]] = value
        for rows in (X, X.astype(np.float32), sp.csr_array(X), np.asfortranarray(X)):
            with pytest.raises(DataError, match=f"row 97: .* got {told}"):
                case.compiled.forward(case.theta, rows, case.scores, check_finite=True)
    X[97, 36] = np.nan
    assert np.isnan(case.compiled.forward(case.theta, X, case.scores)[97]).all()


def test_labels_outside_are_refused(case):
    for wrong in (5, -1, 2**40):
        y = case.target.copy()
        y[130] = wrong
        told = re.escape(f"'t', row 130: expected values in [0, 4], got {wrong:g}")
        with pytest.raises(LabelError, match=told):
            case.compiled.sums(case.theta, case.whole, y)
        state = UpdateRule("sgd").initial_state(case.vector.size, "float64")
        options = {"rule": UpdateRule("sgd"), "learning_rate": 0.1, "batch_size": 64}
        with pytest.raises(LabelError, match="row 130"):
            case.compiled.run_batches(case.theta.copy(), state, case.whole, y, **options)


def test_targets_outside_are_refused():
    x, t = cr.input("x", ("rows", 1)), cr.target("t", ("rows",))
    s = x @ cr.parameter("W", (1, 1))
    X = np.ones((3, 1))
    for loss, y, told in [
        (cr.poisson(s, t), [1, -2.0, 3], r"in \[0, \], got -2"),
        (cr.binary_cross_entropy_with_logits(s, t), [0, 1, 1.5], r"in \[0, 1\], got 1.5"),
        (cr.binary_cross_entropy_with_logits(s, t), [0, 1, np.nan], "got nan"),
    ]:
        vector = cr.ParameterVector(cr.Graph(loss).parameters)
        compiled = engine.compile(loss, None, vector)
        with pytest.raises(LabelError, match=told):
            compiled.sums(np.ones(1), X, np.array(y))


def test_indices_outside_are_refused():
    c, t = cr.input("c", ("rows", 2), dtype=int), cr.target("t", ("rows", 6))
    taken = cr.reshape(cr.take(cr.parameter("E", (4, 3)), c), ("rows", 6))
    loss = cr.squared_error(taken, t)
    vector = cr.ParameterVector(cr.Graph(loss).parameters)
    compiled = engine.compile(loss, None, vector)
    for wrong in (4, -1, 2**33):
        index = np.array([[0, 1], [3, 2], [1, wrong]])
        with pytest.raises(LabelError, match="'c', row 2"):
            compiled.sums(np.ones(12), index, np.ones((3, 6)))
    with pytest.raises(DataError, match="expected integers"):
        compiled.sums(np.ones(12), np.ones((3, 2)), np.ones((3, 6)))


def test_malformed_sparse_rows_are_refused(case):
    for where, value in [("indices", 37), ("indices", -1), ("indptr", 10**6), ("indptr", -5)]:
        matrix = sp.csr_array(case.whole)
        getattr(matrix, where)[20] = value
        with pytest.raises(DataError, match="malformed sparse row"):
            case.compiled.sums(case.theta, matrix, case.target)


def test_wrong_arrays_are_refused(case):
    theta, X, y, sums = case.theta, case.whole, case.target, case.compiled.sums
    with pytest.raises(ShapeError, match="'x': expected shape .rows, 37."):
        sums(theta, X[:, 1:], y)
    with pytest.raises(ShapeError, match="'x'"):
        sums(theta, X[0], y)
    with pytest.raises(ShapeError, match="same number of rows"):
        sums(theta, X[1:], y)
    with pytest.raises(ShapeError, match="weights"):
        sums(theta, X, y, np.ones(3))
    with pytest.raises(ShapeError, match="theta"):
        sums(theta[1:], X, y)
    with pytest.raises(ShapeError, match="theta"):
        sums(theta.astype(np.float32), X, y)
    with pytest.raises(DataError, match="expected integers"):
        sums(theta, X, y.astype(float))
    with pytest.raises(DataError, match="expected numbers"):
        sums(theta, X.astype(str), y)
    with pytest.raises(DataError, match="'t' is missing"):
        sums(theta, X)
    with pytest.raises(DataError, match="'x' is missing"):
        sums(theta, {"z": X}, y)
    with pytest.raises(ShapeError, match="37 columns"):
        sums(theta, sp.csr_array(X[:, :5]), y)
    other = cr.input("other", ("rows", 3)) * 2.0
    with pytest.raises(ShapeError, match="'other'"):
        case.compiled.forward(theta, {"other": X}, other)
    only_forward = engine.compile(case.scores, None, case.vector)
    with pytest.raises(GraphError, match="no gradient"):
        only_forward.sums(theta, X)


def test_wrong_options_are_refused(case):
    rule = UpdateRule("adam")
    good = {"rule": rule, "learning_rate": 0.1, "batch_size": 10, "n_batches": 3}

    def run(theta=None, state=None, **options):
        state = state or rule.initial_state(case.vector.size, "float64")
        theta = case.theta.copy() if theta is None else theta
        return case.compiled.run_batches(
            theta, state, case.whole, case.target, **{**good, **options}
        )

    assert run().n_done == 3
    wrong_states = [
        UpdateRule("sgd").initial_state(case.vector.size, "float64"),
        rule.initial_state(3, "float64"),
        rule.initial_state(case.vector.size, "float32"),
    ]
    for state in wrong_states:
        with pytest.raises(OptionError, match="state does not fit"):
            run(state=state)
    frozen = case.theta.copy()
    frozen.flags.writeable = False
    for theta in (frozen, np.repeat(case.theta, 2)[::2]):
        with pytest.raises(ShapeError, match="in place"):
            run(theta=theta)
    with pytest.raises(OptionError, match="learning rates"):
        run(learning_rate=np.ones(2))
    with pytest.raises(OptionError, match="batch_size"):
        run(batch_size=0)
    with pytest.raises(OptionError, match="which is not there"):
        run(rate_factors={"nobody": 1.0})
    for order in ([0, ROWS], [-1], np.zeros(3), [[0], [ROWS]], [[[0]]], np.zeros((0, 3), int)):
        with pytest.raises(OptionError, match="order"):
            run(order=np.array(order))
    for negative in ({"first_batch": -1}, {"n_batches": -2}):
        with pytest.raises((OptionError, ValueError)):
            run(**negative)
