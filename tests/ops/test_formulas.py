"""Values against plain NumPy, written as in a textbook: naive, but right where numbers are tame."""

from __future__ import annotations

import math

import numpy as np
import pytest

from chainrule.ops import REGISTRY


def logistic(x):
    return 1 / (1 + np.exp(-x))


def normalized(x):
    return np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True)


def cross_entropy(s, t, label_smoothing):
    classes = s.shape[1]
    onehot = np.eye(classes)[t] if t.ndim == 1 else t
    smooth = (1 - label_smoothing) * onehot + label_smoothing / classes
    return -np.sum(smooth * np.log(normalized(s)), axis=1)


def gelu(x, approximate):
    if approximate:
        return x / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return np.vectorize(lambda v: v * (1 + math.erf(v / math.sqrt(2))) / 2, otypes=[float])(x)


def layer_norm(x, gain, bias, epsilon):
    mean, variance = x.mean(axis=1, keepdims=True), x.var(axis=1, keepdims=True)
    return gain * (x - mean) / np.sqrt(variance + epsilon) + bias


def huber(s, t, delta):
    r = np.abs(s - t)
    return np.where(r <= delta, r**2 / 2, delta * (r - delta / 2)).sum(axis=1)


def quantile(s, t, q):
    return np.where(t >= s, q * (t - s), (1 - q) * (s - t)).sum(axis=1)


def bernoulli(s, t):
    p = logistic(s)
    return -(t * np.log(p) + (1 - t) * np.log(1 - p)).sum(axis=1)


FORMULAS = {
    "absolute": np.abs,
    "absolute_error": lambda s, t: np.abs(s - t).sum(axis=1),
    "add": np.add,
    "binary_cross_entropy_with_logits": bernoulli,
    "concatenate": lambda *xs, axis: np.concatenate(xs, axis),
    "cos": np.cos,
    "divide": np.divide,
    "dropout": lambda x, mask, rate: np.where(mask > 0, x / (1 - rate), 0),
    "elu": lambda x, alpha: np.where(x > 0, x, alpha * (np.exp(x) - 1)),
    "exp": np.exp,
    "gelu": gelu,
    "huber": huber,
    "identity": lambda x: x,
    "l1": lambda W, strength: strength * np.sum(np.abs(W)),
    "l2": lambda W, strength: strength / 2 * np.linalg.norm(W) ** 2,
    "layer_norm": layer_norm,
    "leaky_relu": lambda x, slope: np.maximum(x, slope * x),
    "log": np.log,
    "log_softmax": lambda x: np.log(normalized(x)),
    "matmul": lambda a, b: np.einsum("ij,jk->ik", a, b),
    "maximum": lambda a, b: (a + b + np.abs(a - b)) / 2,
    "mean": lambda x, axis, keepdims: np.mean(x, axis=axis, keepdims=keepdims),
    "mish": lambda x: x * np.tanh(np.log(1 + np.exp(x))),
    "multiply": np.multiply,
    "negate": np.negative,
    "poisson": lambda s, t: (np.exp(s) - t * s).sum(axis=1),
    "power": lambda x, exponent: np.exp(exponent * np.log(x)),
    "quantile": quantile,
    "relu": lambda x: (x + np.abs(x)) / 2,
    "reshape": lambda x, target: x.ravel().reshape(target),
    "scale": lambda x, factor: factor * x,
    "selu": lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * (np.exp(x) - 1)),
    "sigmoid": logistic,
    "silu": lambda x: x * logistic(x),
    "sin": np.sin,
    "softmax": normalized,
    "softmax_cross_entropy": cross_entropy,
    "softplus": lambda x: np.log(1 + np.exp(x)),
    "sqrt": lambda x: x**0.5,
    "square": lambda x: x**2,
    "squared_error": lambda s, t: ((s - t) ** 2).sum(axis=1) / 2,
    "subtract": np.subtract,
    "sum": lambda x, axis, keepdims: np.sum(x, axis=axis, keepdims=keepdims),
    "take": lambda table, indices: np.array([table[i] for i in indices]),
    "tanh": lambda x: (np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x)),
    "transpose": lambda x: np.swapaxes(x, 0, 1),
    "weighted_mean": lambda x, w: np.average(x, weights=w),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_values_are_those_of_the_formula(name):
    for seed in range(25):
        rng = np.random.default_rng(seed)
        op, inputs = REGISTRY[name].sample(rng, int(rng.integers(1, 6)), int(rng.integers(1, 5)))
        expected = FORMULAS[name](*inputs, **op.options)
        np.testing.assert_allclose(op.forward(*inputs), expected, rtol=1e-12, atol=1e-13)


def test_softmax_cross_entropy_counts_the_rows_it_is_told():
    """The gradient of row i carries the weight of row i, for labels, one-hot and soft targets."""
    rng = np.random.default_rng(0)
    scores, weight = rng.normal(size=(4, 3)), np.array([1.0, 0.0, 2.5, 1.0])
    labels = np.array([2, 0, 1, 1])
    op = REGISTRY["softmax_cross_entropy"]()
    ds, nothing = op.backward(weight, scores, labels, op.forward(scores, labels))
    assert nothing is None
    expected = weight[:, None] * (normalized(scores) - np.eye(3)[labels])
    np.testing.assert_allclose(ds, expected, rtol=1e-12)


def test_a_look_up_that_comes_twice_adds_twice():
    op = REGISTRY["take"]()
    table, indices = np.arange(6.0).reshape(3, 2), np.array([1, 1, 0])
    gradient, _ = op.backward(np.array([[1.0, 2], [10, 20], [100, 200]]), table, indices, None)
    np.testing.assert_array_equal(gradient, [[100, 200], [11, 22], [0, 0]])


def test_maximum_shares_the_gradient_of_a_tie():
    op = REGISTRY["maximum"]()
    a, b = np.array([1.0, 2, 3]), np.array([2.0, 2, 2])
    da, db = op.backward(np.full(3, 4.0), a, b, np.maximum(a, b))
    np.testing.assert_array_equal(da, [0, 2, 4])
    np.testing.assert_array_equal(db, [4, 2, 0])
