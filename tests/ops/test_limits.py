"""Far out, at ±10⁴, in both precisions: exact in the limit, and never a NaN.

The limits stand here by hand; nothing is computed from the rule that is tested.
"""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.ops import REGISTRY

FAR = 1e4
both_precisions = pytest.mark.parametrize("dtype", [np.float32, np.float64])

# options, then value and slope at +10⁴, then both at −10⁴
SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772
ACTIVATIONS = {
    "identity": ({}, (FAR, 1), (-FAR, 1)),
    "sigmoid": ({}, (1, 0), (0, 0)),
    "tanh": ({}, (1, 0), (-1, 0)),
    "relu": ({}, (FAR, 1), (0, 0)),
    "leaky_relu": ({"slope": 0.25}, (FAR, 1), (-2500, 0.25)),
    "elu": ({"alpha": 0.3}, (FAR, 1), (-0.3, 0)),
    "selu": ({}, (FAR * SELU_SCALE, SELU_SCALE), (-SELU_SCALE * SELU_ALPHA, 0)),
    "gelu": ({}, (FAR, 1), (0, 0)),
    "gelu, tanh form": ({"approximate": True}, (FAR, 1), (0, 0)),
    "silu": ({}, (FAR, 1), (0, 0)),
    "softplus": ({}, (FAR, 1), (0, 0)),
    "mish": ({}, (FAR, 1), (0, 0)),
}
CLASSIFIERS = {
    "softmax",
    "log_softmax",
    "softmax_cross_entropy",
    "binary_cross_entropy_with_logits",
}
MAY_OVERFLOW = {"exp", "power", "poisson"}


def test_every_activation_is_listed():
    module = "chainrule.ops.activations"
    activations = {name for name, op in REGISTRY.items() if op.__module__ == module}
    assert activations == {name.split(",")[0] for name in ACTIVATIONS}


def assert_exact(array, expected, dtype):
    """Equal up to the last digits of `dtype`; a limit of 0 or ±1 is met without any error."""
    assert array.dtype == dtype
    np.testing.assert_allclose(array, np.asarray(expected, dtype), rtol=2 * np.finfo(dtype).eps)


@both_precisions
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_are_exact_in_the_limit(name, dtype):
    options, (high, high_slope), (low, low_slope) = ACTIVATIONS[name]
    op = REGISTRY[name.split(",")[0]](**options)
    x = np.array([FAR, -FAR], dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        y = op.forward(x)
        (dx,) = op.backward(np.ones_like(x), x, y)
    assert_exact(y, [high, low], dtype)
    assert_exact(dx, [high_slope, low_slope], dtype)


@both_precisions
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_have_no_gap_on_the_way_out(name, dtype):
    """Between the origin and the limit: everything finite, and slopes bounded as they must be."""
    options, _, _ = ACTIVATIONS[name]
    op = REGISTRY[name.split(",")[0]](**options)
    out = np.geomspace(1e-30, FAR, 400)
    x = np.concatenate([-out[::-1], [0.0], out]).astype(dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        y = op.forward(x)
        (dx,) = op.backward(np.ones_like(x), x, y)
    assert np.all(np.isfinite(y))
    assert np.all(np.abs(dx) <= 1.76)  # the steepest is selu: λα = 1.758


@both_precisions
def test_softmax_far_out(dtype):
    op = REGISTRY["softmax"]()
    x = np.array([[FAR, -FAR, 0], [-FAR, -FAR, -FAR], [FAR, FAR, -FAR]], dtype)
    third, half = 1 / 3, 1 / 2
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        y = op.forward(x)
        (dx,) = op.backward(np.array([[1, 2, 4]] * 3, dtype), x, y)
    assert_exact(y, [[1, 0, 0], [third] * 3, [half, half, 0]], dtype)
    # y (dy − Σ dy y), row by row: Σ dy y is 1, 7/3 and 3/2
    expected = [[0, 0, 0], [-4 / 9, -1 / 9, 5 / 9], [-0.25, 0.25, 0]]
    np.testing.assert_allclose(dx, expected, rtol=0, atol=4 * np.finfo(dtype).eps)


@both_precisions
def test_log_softmax_far_out(dtype):
    op = REGISTRY["log_softmax"]()
    x = np.array([[FAR, -FAR, 0], [-FAR, -FAR, -FAR], [FAR, FAR, -FAR]], dtype)
    log2, log3 = 0.6931471805599453, 1.0986122886681098
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        y = op.forward(x)
        (dx,) = op.backward(np.array([[1, 2, 4]] * 3, dtype), x, y)
    assert_exact(y, [[0, -2 * FAR, -FAR], [-log3] * 3, [-log2, -log2, -2 * FAR - log2]], dtype)
    # dy − softmax(x) Σ dy, and Σ dy = 7
    expected = [[-6, 2, 4], [-4 / 3, -1 / 3, 5 / 3], [-2.5, -1.5, 4]]
    np.testing.assert_allclose(dx, expected, rtol=8 * np.finfo(dtype).eps)


@both_precisions
def test_softmax_cross_entropy_far_out(dtype):
    op = REGISTRY["softmax_cross_entropy"]()
    scores = np.array([[FAR, -FAR, 0], [FAR, -FAR, 0], [-FAR, -FAR, -FAR]], dtype)
    labels = np.array([0, 1, 2])
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        loss = op.forward(scores, labels)
        ds, _ = op.backward(np.ones(3, dtype), scores, labels, loss)
    assert_exact(loss, [0, 2 * FAR, 1.0986122886681098], dtype)
    assert_exact(ds, [[0, 0, 0], [1, -1, 0], [1 / 3, 1 / 3, -2 / 3]], dtype)
    onehot = np.eye(3, dtype=dtype)[labels]
    np.testing.assert_array_equal(op.forward(scores, onehot), loss)
    np.testing.assert_array_equal(op.backward(np.ones(3, dtype), scores, onehot, loss)[0], ds)


@both_precisions
def test_binary_cross_entropy_far_out(dtype):
    op = REGISTRY["binary_cross_entropy_with_logits"]()
    scores = np.array([[FAR], [FAR], [-FAR], [-FAR], [FAR]], dtype)
    target = np.array([[1], [0], [1], [0], [0.25]], dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        loss = op.forward(scores, target)
        ds, _ = op.backward(np.ones(5, dtype), scores, target, loss)
    assert_exact(loss, [0, FAR, FAR, 0, 0.75 * FAR], dtype)
    assert_exact(ds, [[0], [1], [-1], [0], [0.75]], dtype)


@both_precisions
@pytest.mark.parametrize("name", sorted(set(REGISTRY) - CLASSIFIERS))
def test_no_nan_far_out(name, dtype):
    seen = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        op, inputs = REGISTRY[name].sample(rng, 3, 4)
        inputs = [far_out(name, x, rng, dtype) for x in inputs]
        with np.errstate(all="ignore"):
            y = np.asarray(op.forward(*inputs))
            signs = rng.choice([-1.0, 1.0], size=y.shape).astype(dtype)
            gradients = [g for g in op.backward(signs, *inputs, y) if g is not None]
        assert not np.any(np.isnan(y)), f"{op!r}: the value is NaN"
        assert not any(np.any(np.isnan(g)) for g in gradients), f"{op!r}: a gradient is NaN"
        if name not in MAY_OVERFLOW:
            assert np.all(np.isfinite(y))
            assert all(np.all(np.isfinite(g)) for g in gradients)
        seen += len(gradients)
    assert seen >= 20


def far_out(name, x, rng, dtype):
    """`x` with its reals replaced by ±10⁴, as far as the operation is defined there."""
    x = np.asarray(x)
    if x.dtype.kind != "f":
        return x
    signs = 1.0 if name in {"log", "sqrt", "power", "weighted_mean"} else [-1.0, 1.0]
    far = FAR * rng.choice(np.atleast_1d(signs), size=x.shape)
    # counts are not negative
    if name == "poisson":
        far = np.where(np.all(x == np.round(x)), np.abs(far), far)
    return far.astype(dtype)
