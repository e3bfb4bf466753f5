"""One vector for all parameters: the lecture's concatenate and reshape, as views."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chainrule as cr
from chainrule.errors import GraphError, ShapeError


def lecture_vector(F=4, H=3, C=2):
    shapes = {"W1": (F, H), "b1": (H,), "W2": (H, C), "b2": (C,)}
    return cr.ParameterVector([cr.parameter(name, shape) for name, shape in shapes.items()])


def test_packing_is_the_lectures_concatenate():
    vector, rng = lecture_vector(), np.random.default_rng(0)
    W1, b1, W2, b2 = (rng.normal(size=shape) for shape in vector.shapes.values())
    theta = vector.pack({"W2": W2, "b1": b1, "W1": W1, "b2": b2})  # any order of the mapping
    np.testing.assert_array_equal(theta, np.concatenate((W1.ravel(), b1, W2.ravel(), b2)))


def test_unpacking_is_the_lectures_reshape_without_a_copy():
    F, H = 4, 3
    vector, theta = lecture_vector(F, H), np.arange(23.0)
    parts = vector.unpack(theta)
    np.testing.assert_array_equal(parts["W1"], np.reshape(theta[: F * H], (F, H)))
    np.testing.assert_array_equal(parts["b1"], theta[F * H : (F + 1) * H])
    parts["W2"][0, 0] = -1.0
    assert theta[vector.slices["W2"].start] == -1.0
    assert all(np.shares_memory(part, theta) for part in parts.values())


@given(st.lists(st.lists(st.integers(0, 4), max_size=3), min_size=1, max_size=5))
def test_pack_undoes_unpack_for_any_shapes(shapes):
    vector = cr.ParameterVector([cr.parameter(f"p{i}", tuple(s)) for i, s in enumerate(shapes)])
    theta = np.arange(float(vector.size))
    np.testing.assert_array_equal(vector.pack(vector.unpack(theta)), theta)


def test_locate_names_the_entry():
    vector = lecture_vector()
    theta = np.arange(float(vector.size))
    for index in range(vector.size):
        name, inside = vector.locate(index)
        assert vector.unpack(theta)[name][inside] == index
    with pytest.raises(ShapeError, match=r"entries 0\.\.22, got 23"):
        vector.locate(23)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"b2": None}, "missing: b2; unknown: none"),
        ({"b3": np.zeros(1)}, "missing: none; unknown: b3"),
        ({"b1": np.zeros(4)}, r"parameter 'b1': expected shape \(3,\), got \(4,\)"),
    ],
)
def test_pack_refuses_what_does_not_fit(change, message):
    vector = lecture_vector()
    values = {name: np.zeros(shape) for name, shape in vector.shapes.items()} | change
    values = {name: value for name, value in values.items() if value is not None}
    with pytest.raises((GraphError, ShapeError), match=message):
        vector.pack(values)


def test_a_theta_of_another_length_is_refused():
    with pytest.raises(ShapeError, match=r"a vector of 23 parameters, got shape \(24,\)"):
        lecture_vector().unpack(np.zeros(24))


def test_two_parameters_of_one_name_are_refused():
    with pytest.raises(GraphError, match="two parameters are called 'W'"):
        cr.ParameterVector([cr.parameter("W", (1,)), cr.parameter("W", (2,))])
