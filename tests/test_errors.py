"""The error hierarchy: one root, and the built-in types that callers catch."""

from __future__ import annotations

import pickle

import pytest

from chainrule import errors

VALUE_ERRORS = [
    errors.ShapeError,
    errors.LabelError,
    errors.DataError,
    errors.OptionError,
    errors.GraphError,
    errors.FileFormatError,
]


@pytest.mark.parametrize("kind", VALUE_ERRORS)
def test_mistakes_of_value_are_value_errors(kind):
    assert issubclass(kind, ValueError)
    assert issubclass(kind, errors.ChainruleError)


def test_other_families():
    assert issubclass(errors.WrongTypeError, TypeError)
    assert issubclass(errors.NumericalError, ArithmeticError)
    assert issubclass(errors.GradientError, ArithmeticError)
    assert issubclass(errors.ClusterError, RuntimeError)
    assert issubclass(errors.EngineUnavailableWarning, UserWarning)


def test_every_public_error_has_the_root():
    kinds = [getattr(errors, name) for name in errors.__all__ if name.endswith("Error")]
    assert len(kinds) == 14
    assert all(issubclass(kind, errors.ChainruleError) for kind in kinds)


def test_numerical_error_says_where_and_survives_pickling():
    error = errors.NumericalError("loss is nan", step=7, layer="W2", cause="rate too large")
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.step, copy.layer, copy.cause) == (7, "W2", "rate too large")
    assert str(copy) == "loss is nan"


def test_describe_orders_where_expected_came_remedy():
    line = errors.describe("matmul", "(rows, 3)", (4, 2), "Transpose W.")
    assert line == "matmul: expected (rows, 3); came (4, 2). Transpose W."
    assert errors.describe("x", 1, 2) == "x: expected 1; came 2."


def test_describe_cuts_what_is_very_long():
    line = errors.describe("cell", "a number", "7" * 100_000, "Shorten it.")
    assert line == f"cell: expected a number; came {'7' * 500}…. Shorten it."
    line = errors.describe("c" * 501, "e" * 500, 1)
    assert line == f"{'c' * 500}…: expected {'e' * 500}; came 1."
