"""What operations refuse: labels, targets, options and shapes that cannot be right."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.errors import LabelError, OptionError, ShapeError
from chainrule.ops import REGISTRY, ROWS


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 3], r"\[0, 3\), got 3 in row 1"),
        ([-1, 0], r"\[0, 3\), got -1 in row 0"),
        ([0.0, 1.0], "integers, got float64.*dtype=int"),
        ([True, False], "integers, got bool"),
        (["a", "b"], "integers, got <U1"),
        ([[0.5, 0.5, 0], [0.5, 0.7, -0.2]], r"in \[0, 1\], got -0.2 in row 1"),
        ([[2.0, 0, 0], [1, 0, 0]], r"in \[0, 1\], got 2.0 in row 0"),
        ([[1.0, 0, 0], [np.nan, 0, 0]], r"in \[0, 1\], got nan in row 1"),
    ],
)
def test_labels_that_are_no_classes(labels, message):
    op = REGISTRY["softmax_cross_entropy"]()
    with pytest.raises(LabelError, match=message):
        op.forward(np.zeros((2, 3)), np.array(labels))


@pytest.mark.parametrize("labels", [np.array([2, 0], np.uint8), np.array([2, 0], np.int16)])
def test_labels_of_any_integer_type_are_classes(labels):
    loss = REGISTRY["softmax_cross_entropy"]().forward(np.zeros((2, 3)), labels)
    np.testing.assert_allclose(loss, np.log(3))


@pytest.mark.parametrize(
    ("name", "wrong", "message"),
    [
        ("binary_cross_entropy_with_logits", -0.5, r"in \[0, 1\], got -0.5 in row 2"),
        ("binary_cross_entropy_with_logits", 2, r"in \[0, 1\], got 2.0 in row 2"),
        ("binary_cross_entropy_with_logits", np.nan, r"in \[0, 1\], got nan in row 2"),
        ("poisson", -1, "≥ 0, got -1.0 in row 2"),
        ("poisson", np.nan, "≥ 0, got nan in row 2"),
    ],
)
def test_targets_that_no_probability_fits(name, wrong, message):
    target = np.array([[0.0], [1], [wrong], [wrong]])
    with pytest.raises(LabelError, match=message):
        REGISTRY[name]().forward(np.zeros((4, 1)), target)


@pytest.mark.parametrize(
    ("indices", "message"),
    [([3], r"\[0, 3\), got 3"), ([0, -1], "got -1"), ([0.0], "integer indices, got float64")],
)
def test_look_ups_outside_the_table(indices, message):
    with pytest.raises(LabelError, match=message):
        REGISTRY["take"]().forward(np.zeros((3, 2)), np.array(indices))


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("huber", {"delta": 0}, "huber: delta must be a finite number and > 0, got 0"),
        ("huber", {"delta": "1"}, "got '1'"),
        ("huber", {"delta": None}, "got None"),
        ("huber", {"delta": True}, "got True"),
        ("quantile", {"q": 1.0}, "> 0 and < 1, got 1.0"),
        ("softmax_cross_entropy", {"label_smoothing": 1}, "≥ 0 and < 1, got 1"),
        ("softmax_cross_entropy", {"label_smoothing": -0.1}, "got -0.1"),
        ("dropout", {"rate": 1.0}, "got 1.0"),
        ("l2", {"strength": -1}, "got -1"),
        ("l1", {"strength": float("nan")}, "got nan"),
        ("scale", {"factor": float("inf")}, "got inf"),
        ("power", {"exponent": 10**400}, "exponent must be a finite number"),
        ("gelu", {"approximate": 1}, "True or False, got 1"),
        ("sum", {"axis": "0"}, "integer, got '0'"),
        ("sum", {"axis": (0, 1.0)}, "integer, got 1.0"),
        ("concatenate", {"axis": None}, "integer, got None"),
        ("reshape", {"target": 3}, "tuple of sizes, got 3"),
        ("reshape", {"target": (-2, -3)}, "sizes ≥ 0"),
        ("reshape", {"target": (-1, -1)}, "at most one −1"),
        ("reshape", {"target": (3, ROWS)}, "integer, got 'rows'"),
    ],
)
def test_options_outside_their_limits(name, options, message):
    with pytest.raises(OptionError, match=message):
        REGISTRY[name](**options)


def test_options_become_plain_numbers():
    """A NumPy scalar would widen float32 and could not be written as JSON."""
    op = REGISTRY["power"](np.float64(2))
    assert type(op.exponent) is float
    assert type(REGISTRY["power"](np.int64(2)).exponent) is int
    assert type(REGISTRY["gelu"](np.bool_(True)).approximate) is bool
    assert REGISTRY["sum"]([np.int64(0), 1]).axis == (0, 1)
    assert REGISTRY["reshape"]([ROWS, np.int64(3)]).target == (ROWS, 3)
    assert op.forward(np.ones(2, np.float32)).dtype == np.float32


@pytest.mark.parametrize(
    ("name", "options", "shapes", "message"),
    [
        ("add", {}, [(ROWS, 3), (4,)], "sizes 3 and 4 do not broadcast"),
        ("matmul", {}, [(ROWS, 3), (4, 3)], r"3 and 4 must be equal; did you mean the transpose"),
        ("matmul", {}, [(ROWS, 3), (4, 5)], "3 and 4 must be equal$"),
        ("matmul", {}, [(3,), (3, 2)], "must be matrices"),
        ("concatenate", {"axis": 1}, [(ROWS, 2), (3, 2)], "all sizes but that of axis 1"),
        ("concatenate", {"axis": 0}, [(ROWS, 2), (ROWS, 2)], "rows cannot be joined"),
        ("concatenate", {"axis": 2}, [(ROWS, 2)], "axis 2 is outside"),
        ("concatenate", {}, [], "at least one operand"),
        ("reshape", {"target": (ROWS, 4)}, [(ROWS, 6)], r"6 elements do not fit into \(4,\)"),
        ("reshape", {"target": (ROWS, -1, 4)}, [(ROWS, 6)], "6 elements do not fit"),
        ("reshape", {"target": (6,)}, [(ROWS, 6)], "rows must stay the first"),
        ("reshape", {"target": (ROWS, 6)}, [(6, 6)], "has no rows to keep"),
        ("sum", {"axis": 2}, [(ROWS, 6)], "axis 2 is outside an array of 2 dimensions"),
        ("mean", {"axis": (1, -1)}, [(ROWS, 6)], "names one dimension twice"),
        ("softmax", {}, [(ROWS,)], "last dimension, which must not be rows"),
        ("softmax", {}, [(ROWS, 0)], "at least one column"),
        ("softmax", {}, [()], "at least 1 dimension"),
        ("layer_norm", {}, [(ROWS, 3), (3,), (4,)], r"must both have shape \(3,\)"),
        ("dropout", {}, [(ROWS, 3), (ROWS, 4)], "shape of x"),
        ("take", {}, [(ROWS, 3), (ROWS,)], "may not be rows"),
        ("squared_error", {}, [(ROWS, 2), (ROWS,)], "the shape of the scores"),
        ("softmax_cross_entropy", {}, [(ROWS, 2, 2), (ROWS,)], r"must be \(rows, C\)"),
        ("softmax_cross_entropy", {}, [(ROWS, 2), (ROWS, 3)], "labels or the shape of the scores"),
        ("weighted_mean", {}, [(ROWS, 2), (ROWS,)], "one value and one weight a row"),
    ],
)
def test_shapes_that_do_not_fit(name, options, shapes, message):
    with pytest.raises(ShapeError, match=message):
        REGISTRY[name](**options).shape(*shapes)


def test_one_output_may_have_a_flat_target():
    scores, flat = np.array([[1.0], [2], [4]]), np.array([0.0, 2, 1])
    op = REGISTRY["squared_error"]()
    assert op.shape((ROWS, 1), (ROWS,)) == (ROWS,)
    np.testing.assert_array_equal(op.forward(scores, flat), [0.5, 0, 4.5])
    ds, _ = op.backward(np.ones(3), scores, flat, None)
    np.testing.assert_array_equal(ds, [[1], [0], [3]])


def test_two_operations_may_not_share_a_name():
    from chainrule.errors import GraphError

    with pytest.raises(GraphError, match="two operations are called 'tanh'"):

        class Other(REGISTRY["identity"]):
            name = "tanh"

    assert REGISTRY["tanh"].__name__ == "Tanh"
