"""Two- and three-layer networks against plain NumPy formulas, forward and backward."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr


def logistic(x):
    return 1 / (1 + np.exp(-x))


# each with its derivative in terms of its value h
ACTIVATIONS = {
    "sigmoid": (logistic, lambda h: h * (1 - h)),
    "tanh": (np.tanh, lambda h: 1 - h**2),
    "relu": (lambda x: np.maximum(0, x), lambda h: (h > 0).astype(float)),
}
N, F, C = 7, 5, 3
LAMBDA = 0.1
every_activation = pytest.mark.parametrize("name", ACTIVATIONS)


def draw(*shapes, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape) for shape in shapes]


def softmax_loss(scores, y):
    """Σ over rows of −log p_y, and its gradient: the lecture's function."""
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    dscores = p.copy()
    dscores[np.arange(len(y)), y] -= 1
    return -np.log(p[np.arange(len(y)), y]).sum(), dscores


def close(ours, formula):
    np.testing.assert_allclose(ours, formula, rtol=1e-12, atol=1e-14)


# by formula ------------------------------------------------------------------------------


def two_layers(f, df, W1, b1, W2, b2, X, y):
    """J = 1/N Σ −log p_y + λ/2 (‖W1‖² + ‖W2‖²), and every gradient, step by step."""
    h = f(X @ W1 + b1)
    scores = h @ W2 + b2
    total, dscores = softmax_loss(scores, y)
    loss = total / len(X) + LAMBDA / 2 * (np.sum(W1**2) + np.sum(W2**2))
    dscores = dscores / len(X)
    dW2, db2 = h.T @ dscores + LAMBDA * W2, dscores.sum(axis=0)
    dh = dscores @ W2.T
    dz = dh * df(h)
    dW1, db1 = X.T @ dz + LAMBDA * W1, dz.sum(axis=0)
    return loss, {
        "W1": dW1, "b1": db1, "W2": dW2, "b2": db2,
        "h": dh, "scores": dscores, "x": dz @ W1.T,
    }  # fmt: skip


def three_layers(f, df, W1, b1, W2, b2, W3, b3, X, y):
    """The same one layer deeper, without a penalty."""
    h1 = f(X @ W1 + b1)
    h2 = f(h1 @ W2 + b2)
    total, dscores = softmax_loss(h2 @ W3 + b3, y)
    dscores = dscores / len(X)
    dz2 = (dscores @ W3.T) * df(h2)
    dz1 = (dz2 @ W2.T) * df(h1)
    return total / len(X), {
        "W3": h2.T @ dscores, "b3": dscores.sum(axis=0),
        "W2": h1.T @ dz2, "b2": dz2.sum(axis=0),
        "W1": X.T @ dz1, "b1": dz1.sum(axis=0),
    }  # fmt: skip


# as graphs -------------------------------------------------------------------------------


def graph_of_two_layers(name, hidden=4):
    f = getattr(cr, name)
    x, t = cr.input("x", ("rows", F)), cr.target("t", ("rows",), dtype=int)
    W1, b1 = cr.parameter("W1", (F, hidden)), cr.parameter("b1", (hidden,))
    W2, b2 = cr.parameter("W2", (hidden, C)), cr.parameter("b2", (C,))
    h = f(x @ W1 + b1, name="h")
    scores = (h @ W2 + b2).named("scores")
    loss = cr.softmax_cross_entropy(scores, t)
    return cr.Objective(loss, penalty=cr.l2(W1, W2, strength=LAMBDA))


def graph_of_three_layers(name, hidden=(4, 6)):
    f = getattr(cr, name)
    x, t = cr.input("x", ("rows", F)), cr.target("t", ("rows",), dtype=int)
    h, width = x, F
    for layer, size in enumerate(hidden, start=1):
        W, b = cr.parameter(f"W{layer}", (width, size)), cr.parameter(f"b{layer}", (size,))
        h, width = f(h @ W + b), size
    scores = h @ cr.parameter("W3", (width, C)) + cr.parameter("b3", (C,))
    return cr.Objective(cr.softmax_cross_entropy(scores, t))


@every_activation
@pytest.mark.parametrize("seed", range(5))
def test_two_layers(name, seed):
    f, df = ACTIVATIONS[name]
    W1, b1, W2, b2, X = draw((F, 4), (4,), (4, C), (C,), (N, F), seed=seed)
    y = np.random.default_rng(seed).integers(C, size=N)
    expected, gradients = two_layers(f, df, W1, b1, W2, b2, X, y)

    J = graph_of_two_layers(name)
    theta = J.pack({"W1": W1, "b1": b1, "W2": W2, "b2": b2})
    loss, gradient = J(theta, X, y)
    close(loss, expected)
    for parameter, ours in J.unpack(gradient).items():
        close(ours, gradients[parameter])

    # the same along the graph: every intermediate has its gradient too
    trace = J.trace(theta, X, y)
    close(trace.forward(), expected)
    trace.backward()
    for node, formula in gradients.items():
        close(trace.gradient(node), formula)


@every_activation
@pytest.mark.parametrize("seed", range(5))
def test_three_layers(name, seed):
    f, df = ACTIVATIONS[name]
    shapes = {"W1": (F, 4), "b1": (4,), "W2": (4, 6), "b2": (6,), "W3": (6, C), "b3": (C,)}
    values = dict(zip(shapes, draw(*shapes.values(), seed=seed), strict=True))
    (X,) = draw((N, F), seed=seed + 100)
    y = np.random.default_rng(seed).integers(C, size=N)
    expected, gradients = three_layers(f, df, *values.values(), X, y)
    J = graph_of_three_layers(name)
    loss, gradient = J(J.pack(values), X, y)
    close(loss, expected)
    for parameter, ours in J.unpack(gradient).items():
        close(ours, gradients[parameter])


def test_weights_of_rows_count_as_repeated_rows():
    J = graph_of_two_layers("tanh")
    theta, X = *draw((J.vector.size,)), draw((N, F))[0]
    y = np.random.default_rng(0).integers(C, size=N)
    times = np.array([1, 2, 0, 3, 1, 1, 2])
    loss, gradient = J(theta, X, y, times)
    repeated, its_gradient = J(theta, np.repeat(X, times, axis=0), np.repeat(y, times))
    close(loss, repeated)
    np.testing.assert_allclose(gradient, its_gradient, rtol=1e-11, atol=1e-13)


# column form and rows form ---------------------------------------------------------------


def lecture_network():
    """3 inputs, hidden 4 and 4, 1 output, sigmoid: values in the lecture's column form."""
    shapes = {"W1": (4, 3), "b1": (4, 1), "W2": (4, 4), "b2": (4, 1), "W3": (1, 4), "b3": (1, 1)}
    return dict(zip(shapes, draw(*shapes.values(), seed=1), strict=True))


def by_hand(v, x):
    """h1 = f(W1 x + b1), h2 = f(W2 h1 + b2), out = W3 h2 + b3, x one column."""
    h1 = logistic(v["W1"] @ x + v["b1"])
    h2 = logistic(v["W2"] @ h1 + v["b2"])
    return h1, h2, v["W3"] @ h2 + v["b3"]


def test_the_column_form():
    """x (3, 1), h1 (4, 1), h2 (4, 1), out (1, 1), for one column as for many."""
    v = lecture_network()
    p = {name: cr.parameter(name, value.shape) for name, value in v.items()}
    x = cr.input("x", ("rows", 3))
    h1 = cr.sigmoid(p["W1"] @ x.T + p["b1"], name="h1")
    h2 = cr.sigmoid(p["W2"] @ h1 + p["b2"], name="h2")
    out = p["W3"] @ h2 + p["b3"]
    assert (x.T.shape, h1.shape, h2.shape, out.shape) == (
        (3, "rows"), (4, "rows"), (4, "rows"), (1, "rows"),
    )  # fmt: skip

    (column,) = draw((3, 1), seed=2)
    trace = cr.Trace(out, v | {"x": column.T})
    trace.forward()
    expected = by_hand(v, column)
    for node, formula, shape in zip((h1, h2, out), expected, [(4, 1), (4, 1), (1, 1)], strict=True):
        assert trace.value(node).shape == shape
        close(trace.value(node), formula)


def test_the_rows_form_is_the_transpose_of_the_column_form():
    """Data in rows: X (N, 3) @ W (3, 4), each matrix the transpose of the lecture's."""
    v = lecture_network()
    rows = {name: value.T if name[0] == "W" else value.ravel() for name, value in v.items()}
    p = {name: cr.parameter(name, value.shape) for name, value in rows.items()}
    x = cr.input("x", ("rows", 3))
    h1 = cr.sigmoid(x @ p["W1"] + p["b1"])
    h2 = cr.sigmoid(h1 @ p["W2"] + p["b2"])
    out = h2 @ p["W3"] + p["b3"]
    assert p["W1"].shape == (3, 4)
    assert (h1.shape, h2.shape, out.shape) == (("rows", 4), ("rows", 4), ("rows", 1))

    (X,) = draw((N, 3), seed=3)
    ours = cr.Trace(out, rows | {"x": X}).forward()
    assert ours.shape == (N, 1)
    for i in range(N):
        close(ours[i], by_hand(v, X[i, :, None])[-1][0])


def test_both_forms_have_the_same_gradients():
    v = lecture_network()
    rows = {name: value.T if name[0] == "W" else value.ravel() for name, value in v.items()}
    (X,) = draw((N, 3), seed=3)

    def gradients(values, column):
        p = {name: cr.parameter(name, value.shape) for name, value in values.items()}
        h = cr.input("x", ("rows", 3))
        h = h.T if column else h
        for layer in "123":
            W, b = p[f"W{layer}"], p[f"b{layer}"]
            z = W @ h + b if column else h @ W + b
            h = z if layer == "3" else cr.sigmoid(z)
        return cr.Trace(cr.sum(cr.square(h)), values | {"x": X}).backward()

    column, row = gradients(v, True), gradients(rows, False)
    for name in v:
        close(column[name].T if name[0] == "W" else column[name].ravel(), row[name])


# the graph's own words -------------------------------------------------------------------


def test_nodes_have_forward_and_backward():
    """The lecture's multiply gate: forward keeps nothing, backward applies the chain rule."""
    a, b = cr.parameter("a", ()), cr.parameter("b", ())
    product = a * b
    y = product.forward(3.0, -4.0)
    assert y == -12
    assert product.backward(2.0, 3.0, -4.0, y) == (-8.0, 6.0)


def test_backpropagation_gives_the_gradient_of_everything():
    """f = (x + y) z at (−2, 5, −4): ∂f/∂x = ∂f/∂y = −4, ∂f/∂z = 3, ∂f/∂q = −4."""
    x, y, z = (cr.parameter(name, ()) for name in "xyz")
    q = cr.add(x, y, name="q")
    trace = cr.Trace(q * z, {"x": -2.0, "y": 5.0, "z": -4.0})
    assert trace.forward() == -12
    gradients = trace.backward()
    assert {name: float(gradients[name]) for name in "xyzq"} == {"x": -4, "y": -4, "z": 3, "q": -4}


# packing ---------------------------------------------------------------------------------


def test_packing_is_concatenate_and_ravel():
    J = graph_of_two_layers("sigmoid")
    H = 4
    W1, b1, W2, b2 = draw((F, H), (H,), (H, C), (C,))
    W = np.concatenate((W1.ravel(), b1, W2.ravel(), b2))
    np.testing.assert_array_equal(J.pack({"W1": W1, "b1": b1, "W2": W2, "b2": b2}), W)
    back = J.unpack(W)
    np.testing.assert_array_equal(back["W1"], np.reshape(W[: F * H], (F, H)))
    np.testing.assert_array_equal(back["b1"], W[F * H : (F + 1) * H])
    np.testing.assert_array_equal(
        back["W2"], np.reshape(W[(F + 1) * H : (F + 1) * H + H * C], (H, C))
    )
    np.testing.assert_array_equal(back["b2"], W[(F + 1) * H + H * C :])


def test_unpacking_copies_nothing():
    J = graph_of_two_layers("sigmoid")
    theta = J.initial(random_state=0)
    parts = J.unpack(theta)
    assert all(np.shares_memory(part, theta) for part in parts.values())
    parts["b2"][:] = 7
    np.testing.assert_array_equal(theta[-C:], 7)


def test_the_gradient_is_packed_likewise():
    J = graph_of_two_layers("tanh")
    theta, X = *draw((J.vector.size,)), draw((N, F))[0]
    y = np.random.default_rng(0).integers(C, size=N)
    loss, dW = J(theta, X, y)
    assert dW.shape == theta.shape
    report = cr.check_gradient(J, X, y, theta=theta)
    assert report.ok
    assert report.loss == pytest.approx(loss)
    numerical = cr.numerical_gradient(lambda w: J(w, X, y)[0], theta)
    np.testing.assert_allclose(dW, numerical, atol=1e-3)  # the forward difference's own error
