"""Every operation of the registry: shapes, precision, derivatives, and what backward reads.

A new operation is tested here without a line more. One that cannot be checked fails.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule.errors import ShapeError
from chainrule.ops import REGISTRY, ROWS
from chainrule.ops.base import freed

EPS = np.finfo(np.float64).eps
STEP = 1e-3
RELATIVE = 1e-7

SIZES = {"rows": st.integers(1, 6), "columns": st.integers(1, 5)}
SEEDS = st.integers(0, 2**32 - 1)
every_operation = pytest.mark.parametrize("name", sorted(REGISTRY))


def sample(name, seed, rows, columns, dtype=np.float64):
    """An instance, its inputs (reals in `dtype`), and a random gradient of its output."""
    rng = np.random.default_rng(seed)
    op, inputs = REGISTRY[name].sample(rng, rows, columns)
    inputs = tuple(
        np.asarray(x, dtype if np.asarray(x).dtype.kind == "f" else None) for x in inputs
    )
    y = np.asarray(op.forward(*inputs))
    return op, inputs, y, rng.normal(size=y.shape).astype(y.dtype), rng


def operand_names(op, count):
    return [f"operand {i}" for i in range(count)] if op.variadic else list(op.operands)


def derivative(op, inputs, i, direction, dy):
    """d/dε Σ dy · f(…, x_i + ε v, …) by differences of fourth order, and how far it may be off.

    (8 (f₁ − f₋₁) − (f₂ − f₋₂)) / 12h, error h⁴/30 · f⁽⁵⁾ (Abramowitz, Stegun 25.3.6).
    """

    def at(offset):
        moved = list(inputs)
        moved[i] = inputs[i] + offset * STEP * direction
        return (dy * op.forward(*moved)), op.pieces(*moved)

    values, pieces = zip(*(at(offset) for offset in (-2, -1, 1, 2)), strict=True)
    for piece in pieces:
        same = piece is None or np.array_equal(piece, op.pieces(*inputs))
        assert same, f"{op!r}: sample() drew a point so near to a kink that the check crosses it"
    far_below, below, above, far_above = values
    slope = np.sum(8 * (above - below) - (far_above - far_below)) / (12 * STEP)
    rounding = 4 * EPS * sum(np.abs(value).sum() for value in values) / STEP
    return slope, rounding


def compare(op, inputs, dy, y, rng):
    """Compare backward with differences, along random directions and for each entry.

    Returns the number of entries compared.
    """
    gradients = op.backward(dy, *inputs, y)
    assert len(gradients) == len(inputs)
    compared = 0
    for i, (x, gradient) in enumerate(zip(inputs, gradients, strict=True)):
        if gradient is None:
            continue
        directions = [rng.uniform(-1, 1, size=x.shape) for _ in range(2)]
        for index in np.ndindex(x.shape):
            one = np.zeros(x.shape)
            one[index] = 1
            directions.append(one)
            compared += 1
        for direction in directions:
            numerical, rounding = derivative(op, inputs, i, direction, dy)
            analytic = np.sum(gradient * direction)
            scale = np.sum(np.abs(gradient * direction))
            assert abs(analytic - numerical) <= RELATIVE * scale + rounding, (
                f"{op!r}, {operand_names(op, len(inputs))[i]}, direction\n{direction}\n"
                f"backward {analytic}, differences {numerical}"
            )
    return compared


@every_operation
@given(seed=SEEDS, **SIZES)
@settings(max_examples=30)
def test_backward_is_the_derivative_of_forward(name, seed, rows, columns):
    op, inputs, y, dy, rng = sample(name, seed, rows, columns)
    compare(op, inputs, dy, y, rng)


def test_no_operation_escapes_the_check():
    compared = {}
    for name in REGISTRY:
        try:
            op, inputs, y, dy, rng = sample(name, 0, 3, 2)
            compared[name] = compare(op, inputs, dy, y, rng)
        except pytest.skip.Exception:
            compared[name] = 0
    assert {name for name, entries in compared.items() if entries > 0} == set(REGISTRY)


@every_operation
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(seed=SEEDS, **SIZES)
@settings(max_examples=15)
def test_shapes_and_precision_stay(name, dtype, seed, rows, columns):
    op, inputs, y, dy, _ = sample(name, seed, rows, columns, dtype)
    assert op.shape(*(x.shape for x in inputs)) == y.shape
    assert y.dtype == dtype
    for x, gradient in zip(inputs, op.backward(dy, *inputs, y), strict=True):
        if gradient is not None:
            assert np.shape(gradient) == x.shape
            assert np.asarray(gradient).dtype == dtype


@every_operation
@given(seed=SEEDS, rows=st.integers(0, 6), columns=st.integers(0, 5))
@settings(max_examples=15)
def test_no_rows_and_no_columns_are_shapes_too(name, seed, rows, columns):
    with np.errstate(invalid="ignore"):  # a mean of nothing is NaN
        op, inputs, y, dy, _ = sample(name, seed, rows, columns)
        gradients = op.backward(dy, *inputs, y)
    assert op.shape(*(x.shape for x in inputs)) == y.shape
    for x, gradient in zip(inputs, gradients, strict=True):
        assert gradient is None or np.shape(gradient) == x.shape


@every_operation
@given(seed=SEEDS, columns=st.integers(1, 5))
@settings(max_examples=15)
def test_the_shape_rule_holds_while_rows_are_unknown(name, seed, columns):
    rows = 11  # no other size is as large
    op, inputs, y, _, _ = sample(name, seed, rows, columns)
    symbolic = [x.shape[:1] == (rows,) for x in inputs]
    shapes = [
        (ROWS, *x.shape[1:]) if is_data else x.shape
        for x, is_data in zip(inputs, symbolic, strict=True)
    ]
    try:
        shape = op.shape(*shapes)
    except ShapeError:
        assert name in {"concatenate", "reshape"}  # these refuse to join or to break up rows
        return
    assert tuple(rows if size == ROWS else size for size in shape) == y.shape


@every_operation
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(seed=SEEDS, **SIZES)
@settings(max_examples=15)
def test_backward_reads_only_what_it_declares(name, dtype, seed, rows, columns):
    op, inputs, y, dy, _ = sample(name, seed, rows, columns, dtype)
    expected = op.backward(dy, *inputs, y)
    names = ["*"] * len(inputs) if op.variadic else op.operands
    # integers are never freed: labels and indices are leaves, and NaN is no integer
    given_inputs = [
        x if operand in op.reads or x.dtype.kind != "f" else freed(x)
        for operand, x in zip(names, inputs, strict=True)
    ]
    given_y = y if "y" in op.reads else freed(y)
    for one, other in zip(op.backward(dy, *given_inputs, given_y), expected, strict=True):
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            np.testing.assert_array_equal(one, other)


@every_operation
@given(seed=SEEDS, **SIZES)
@settings(max_examples=15)
def test_what_it_declares_it_reads(name, seed, rows, columns):
    """Every declared operand shows in some gradient: nothing is kept alive for no reason."""
    op, inputs, y, dy, _ = sample(name, seed, rows + 1, columns + 1)
    everything = dict(zip(operand_names(op, len(inputs)), inputs, strict=True)) | {"y": y}
    for read in op.reads - {"*"}:
        x = everything[read]
        if x.dtype.kind != "f" or has_no_use_for_it(op, read):
            continue
        without = [freed(value) if key == read else value for key, value in everything.items()]
        with np.errstate(invalid="ignore"):
            try:
                gradients = [g for g in op.backward(dy, *without) if g is not None]
            except ValueError:  # a look-up by NaN
                continue
        changed = any(
            not np.array_equal(one, other)
            for one, other in zip(
                gradients,
                [g for g in op.backward(dy, *inputs, y) if g is not None],
                strict=True,
            )
        )
        assert changed, f"{op!r} declares that it reads {read}, but does not"


@every_operation
@given(seed=SEEDS, **SIZES)
@settings(max_examples=10)
def test_some_gradients_are_as_good_as_all(name, seed, rows, columns):
    op, inputs, y, dy, _ = sample(name, seed, rows, columns)
    everything = op.backward(dy, *inputs, y)
    for choice in range(2 ** len(inputs)):
        wanted = tuple(bool(choice >> i & 1) for i in range(len(inputs)))
        some = op.backward_some(wanted, dy, *inputs, y)
        for one, other, is_wanted in zip(some, everything, wanted, strict=True):
            if is_wanted:
                np.testing.assert_array_equal(one, other)


def has_no_use_for_it(op, read):
    """A case of the operation in which what it reads otherwise does not matter."""
    return op.name == "power" and op.exponent in (0, 1)


@every_operation
@given(seed=SEEDS, **SIZES)
@settings(max_examples=10)
def test_neither_rule_writes_to_what_it_is_given(name, seed, rows, columns):
    op, inputs, y, dy, _ = sample(name, seed, rows, columns)
    for array in (*inputs, y, dy):
        array.flags.writeable = False
    np.testing.assert_array_equal(op.forward(*inputs), y)
    op.backward(dy, *inputs, y)


@every_operation
def test_an_operation_is_plain_data(name):
    op, _ = REGISTRY[name].sample(np.random.default_rng(0), 3, 2)
    again = type(op)(**op.options)
    assert again == op
    assert hash(again) == hash(op)
    assert repr(op).startswith(f"{name}(")
    assert type(op).__doc__
    assert set(op.reads) <= {*op.operands, "y"}


@pytest.mark.parametrize("error", [-1, 1 + 1e-6, 1 - 1e-6, 0])
def test_the_check_above_notices_a_small_error(error):
    class Wrong(REGISTRY["tanh"]):
        def backward(self, dy, x, y):
            return (super().backward(dy, x, y)[0] * error,)

    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 2))
    y = np.tanh(x)
    with pytest.raises(AssertionError, match="backward"):
        compare(Wrong(), (x,), np.ones((2, 2)), y, rng)


def test_the_check_above_refuses_to_cross_a_kink():
    x = np.array([[STEP / 2]])
    with pytest.raises(AssertionError, match="kink"):
        compare(REGISTRY["relu"](), (x,), np.ones((1, 1)), x, np.random.default_rng(0))
