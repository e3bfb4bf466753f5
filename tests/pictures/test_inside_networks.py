"""Layers, networks, neurons, histograms, the loss surface: the numbers behind the picture."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from sklearn.linear_model import LogisticRegression

import chainrule as cr
from chainrule.errors import DataError, OptionError, ShapeError, WrongTypeError
from chainrule.pictures import (
    DIVERGING,
    plot_histograms,
    plot_layer,
    plot_loss,
    plot_loss_surface,
    plot_network,
    plot_neuron,
    plot_score,
)
from chainrule.pictures.histograms import shares_of
from chainrule.training import History
from chainrule.training.planes import principal_plane, random_plane

from .gallery import moons, network, softmax, watched


@pytest.fixture(autouse=True)
def no_figures_left():
    yield
    plt.close("all")


def texts(ax):
    return [text.get_text() for text in ax.texts]


# layers ----------------------------------------------------------------------------------


def test_a_layer_shows_its_weights_zero_is_paper():
    W = np.array([[0.0, 2.0], [-2.0, 1.0], [0.5, 0.0]])
    ax = plot_layer(W, inputs=["a", "$b$", "c"], units=["u", "v"])
    image = ax.images[0]
    np.testing.assert_array_equal(image.get_array(), W)
    assert image.get_clim() == (-2.0, 2.0)
    np.testing.assert_allclose(image.to_rgba(W)[0, 1], DIVERGING(1.0))
    ax.figure.canvas.draw()
    pixels = np.asarray(ax.figure.canvas.buffer_rgba())
    x, y = ax.transData.transform((0, 1))
    seen = pixels[pixels.shape[0] - 1 - round(y), round(x), :3] / 255
    np.testing.assert_allclose(seen, DIVERGING(0.0)[:3], atol=0.01)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "$b$", "c"]


@pytest.mark.parametrize("layer", [1, 2])
def test_any_layer_of_an_estimator(layer):
    ax = plot_layer(network(), layer=layer)
    np.testing.assert_array_equal(ax.images[0].get_array(), network().coefs_[layer - 1])
    assert (
        ax.get_title(loc="left")
        == f"Weights of layer {layer}: {'64 × 20' if layer == 1 else '20 × 10'}"
    )


def test_scikit_learns_models_have_layers_too():
    X, y = moons()
    model = LogisticRegression().fit(X, y)
    np.testing.assert_array_equal(plot_layer(model).images[0].get_array(), model.coef_.T)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: plot_layer(network(), layer=3), OptionError, "layer: expected 1 to 2"),
        (lambda: plot_layer([]), DataError, "at least one layer"),
        (
            lambda: plot_layer([np.array([["a"]])]),
            DataError,
            "weights of layer 1: expected numbers",
        ),
        (lambda: plot_layer(np.ones(3)), ShapeError, r"shape \(inputs, units\)"),
        (lambda: plot_layer(np.ones((2, 2)), units=["a"]), ShapeError, "units: expected 2"),
        (lambda: plot_network([np.ones((2, 3)), np.ones((2, 1))]), ShapeError, "layer 2"),
        (lambda: plot_network([np.ones((2, 3))], limit=1), OptionError, "limit"),
        (lambda: plot_network([np.ones((2, 3))], inputs=["a"]), ShapeError, "inputs"),
        (lambda: plot_neuron([]), ShapeError, "1 to 6 numbers"),
        (lambda: plot_neuron([1.0], inputs=[1.0, 2.0]), ShapeError, "inputs: expected 1"),
        (lambda: plot_neuron([1.0], activation="swoosh"), OptionError, "activation"),
    ],
)
def test_refuses_what_is_no_network(call, error, words):
    with pytest.raises(error, match=words):
        call()


# networks and neurons --------------------------------------------------------------------


def test_a_circle_a_neuron_a_line_a_weight():
    weights = [np.array([[1.0, -2.0, 0.5], [0.0, 1.0, 1.0]]), np.array([[3.0], [-1.0], [0.0]])]
    ax = plot_network(weights, inputs=["x1", "$x2"], outputs=["y"])
    assert len(ax.patches) == 2 + 3 + 1
    first, second = ax.collections
    assert (len(first.get_segments()), len(second.get_segments())) == (6, 3)
    widths = dict(
        zip(
            [tuple(map(tuple, s)) for s in second.get_segments()],
            second.get_linewidths(),
            strict=True,
        )
    )
    top = max(widths, key=widths.get)
    assert top == ((3.0, 1.0), (6.0, 0.0))  # from the first hidden neuron: weight 3
    colour = second.get_colors()[np.argmax(second.get_linewidths())]
    np.testing.assert_allclose(colour, DIVERGING(1.0))
    assert set(texts(ax)) == {"2 inputs", "3 hidden", "1 output", "x1", "$x2", "y"}
    ax.figure.canvas.draw()


def test_of_large_layers_a_part_is_drawn_and_the_number_told():
    ax = plot_network(network(), limit=10)
    assert len(ax.patches) == 9 + 9 + 10
    assert {"64 inputs", "20 hidden", "10 outputs"} <= set(texts(ax))
    assert [text for text in texts(ax) if text.isdigit()] == list("0123456789")
    assert ax.get_title(loc="left") == "Network 64-20-10"


def test_one_neuron_is_computed_as_the_lecture_does():
    ax = plot_neuron([0.5, -1.5], 0.25, [1.0, 2.0])
    net = 0.5 * 1.0 - 1.5 * 2.0 + 0.25
    y = 1 / (1 + np.exp(-net))
    assert f"{y:.3g}" in texts(ax)
    assert any(f"b = {net:.4g}" in text for text in texts(ax))
    assert {"x1 = 1", "x2 = 2", "0.5", "-1.5", "bias +0.25"} <= set(texts(ax))
    assert {"dendrites\ntake signals in", "axon\npasses a signal on"} <= set(texts(ax))


@pytest.mark.parametrize("count", range(1, 7))
def test_any_number_of_inputs_fits(count):
    ax = plot_neuron(np.ones(count), activation="relu", names=["$\\frac"] * count)
    ax.figure.canvas.draw()
    heights = [t.get_position()[1] for t in ax.texts if t.get_text() == "$\\frac"]
    assert len(heights) == count
    assert max(map(abs, heights)) <= 2.5


# histograms ------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["outputs", "gradients"])
def test_shares_add_up_in_every_epoch(what):
    _, _, seen = watched()
    for layer in ("h1", "h2", "scores"):
        edges, shares = shares_of(seen, layer, what)
        assert shares.shape == (len(seen.epochs), len(edges) - 1)
        assert np.all(shares >= 0)
        assert np.all(shares.sum(axis=1) <= 1 + 1e-12)
        assert np.all(shares.sum(axis=1) > 0.97)


def test_a_panel_a_layer_over_the_epochs():
    _, _, seen = watched()
    ax = plot_histograms(seen)
    assert [panel.get_title(loc="left") for panel in ax.child_axes] == ["h1", "h2", "scores"]
    for panel in ax.child_axes:
        assert panel.get_xlim()[0] <= 0
        assert panel.get_xlim()[1] >= seen.epochs[-1]
        assert panel.get_xlabel() == "epoch"
    zero = seen.records[-1]["h2"].zero
    assert ax.child_axes[1].get_title(loc="right") == f"{zero:.0%} exactly 0"
    mesh = ax.child_axes[0].collections[0].get_array()
    assert mesh[0].argmax() == 0 or mesh[:, -1].argmax() < 3  # relu: most outputs near 0
    with pytest.raises(OptionError, match="outputs"):
        plot_histograms(seen, what="weights")
    with pytest.raises(DataError, match="at least one record"):
        plot_histograms(cr.LayerHistograms())


# the loss surface ------------------------------------------------------------------------


def bowl():
    """J = mean ½ (w·x − 0)² over x = e₁, e₂: a bowl with its least point at w = 0."""
    x, t = cr.input("x", ("rows", 2)), cr.target("t", ("rows", 1))
    w = cr.parameter("w", (2, 1))
    return cr.Objective(cr.squared_error(x @ w, t)), np.eye(2), np.zeros((2, 1))


def test_a_path_is_drawn_in_the_plane_in_which_it_lies():
    J, X, y = bowl()
    path = [np.array([4.0, 0.0]), np.array([2.0, 1.0]), np.array([0.0, 0.0])]
    ax = plot_loss_surface(J, X, y, theta=path[-1], path=path)
    drawn = ax.lines[0].get_xydata()
    lengths = np.linalg.norm(np.diff(drawn, axis=0), axis=1)
    np.testing.assert_allclose(lengths, [np.hypot(2, 1), np.hypot(2, 1)])
    np.testing.assert_allclose(drawn[-1], 0, atol=1e-12)
    assert {"start", "end"} <= set(texts(ax))
    (x0, x1), (y0, y1) = ax.get_xlim(), ax.get_ylim()
    assert x0 < drawn[:, 0].min() <= drawn[:, 0].max() < x1
    assert y0 < drawn[:, 1].min() <= drawn[:, 1].max() < y1
    share = float(ax.get_xlabel().split("(")[1].split("%")[0]) / 100
    sizes = np.linalg.svd(np.array(path), compute_uv=False) ** 2
    assert share == pytest.approx(sizes[0] / sizes.sum(), abs=0.006)


def test_heights_are_losses():
    """Darker is higher: the bowl is palest in its middle."""
    J, X, y = bowl()
    ax = plot_loss_surface(J, X, y, theta=np.zeros(2) + 1e-9, path=np.eye(2) * 3, resolution=15)
    levels = ax.collections[0]
    low, high = levels.get_clim()
    xs, ys = np.linspace(*ax.get_xlim(), 15), np.linspace(*ax.get_ylim(), 15)
    largest = max(0.25 * (a * a + b * b) for a in xs for b in ys)
    assert low == pytest.approx(0, abs=0.02)
    assert high == pytest.approx(largest, rel=0.01)


def test_random_directions_are_as_long_as_the_weights_of_each_unit():
    values = {"W1": np.array([[3.0, 0.0], [4.0, 1.0]]), "b1": np.ones(2)}
    plane = random_plane(values, np.zeros(6), 0)
    for direction in (plane.u, plane.v):
        W = direction[:4].reshape(2, 2)
        np.testing.assert_allclose(np.linalg.norm(W, axis=0), [5.0, 1.0])
        assert not direction[4:].any()  # biases stay
    again = random_plane(values, np.zeros(6), 0)
    np.testing.assert_array_equal(plane.u, again.u)


def test_coordinates_undo_points():
    rng = np.random.default_rng(0)
    thetas = rng.normal(size=(9, 5))
    plane = principal_plane(thetas, thetas[-1])
    point = plane.point(0.3, -2.0)
    np.testing.assert_allclose(plane.coordinates(point[np.newaxis]), [[0.3, -2.0]])


def test_an_estimator_and_its_path():
    model, path, _ = watched()
    ax = plot_loss_surface(model, *moons(), path=path, resolution=9)
    np.testing.assert_allclose(ax.lines[0].get_xydata()[-1], 0, atol=1e-9)
    assert len(ax.lines[0].get_xdata()) == len(path.records)
    random = plot_loss_surface(softmax(), np.zeros((3, 64)), [0, 1, 2], resolution=5)
    assert random.get_xlim() == (-1.0, 1.0)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"directions": "path"}, OptionError, "random"),
        ({"directions": "up"}, OptionError, "directions"),
        ({"resolution": 2}, OptionError, "resolution"),
        ({"span": 0}, OptionError, "span"),
        ({"path": [np.zeros(2)]}, ShapeError, "at least two θ of 2 numbers"),
        ({"path": np.zeros((3, 2))}, ShapeError, "two different"),
        ({"theta": None}, OptionError, "theta: expected the middle"),
        ({"model": 3}, WrongTypeError, "model: expected an estimator"),
    ],
)
def test_refuses_surfaces_that_are_none(options, error, words):
    J, X, y = bowl()
    given = {"model": J, "theta": np.zeros(2)} | options
    with pytest.raises(error, match=words):
        plot_loss_surface(given.pop("model"), X, y, **given)


# curves ----------------------------------------------------------------------------------


def history(**columns):
    made = History()
    for i in range(len(next(iter(columns.values())))):
        made.append(epoch=i + 1, **{name: values[i] for name, values in columns.items()})
    return made


def test_a_validation_loss_is_dashed_in_the_same_colour():
    ax = plot_loss(history(loss=[3.0, 1.0], validation_loss=[3.5, 2.0]))
    lines = [line for line in ax.lines if len(line.get_xdata()) > 1]
    assert [line.get_label() for line in lines] == ["training", "validation"]
    assert lines[0].get_color() == lines[1].get_color()
    assert lines[1].get_linestyle() != lines[0].get_linestyle()
    np.testing.assert_array_equal(lines[1].get_ydata(), [3.5, 2.0])
    assert set(texts(ax)) == {"training", "validation"}


def test_the_best_score_has_a_ring():
    ax = plot_score({"a": history(loss=[1.0] * 3, validation_score=[0.5, 0.9, 0.7])})
    (ring,) = [line for line in ax.lines if line.get_markerfacecolor() == "none"]
    assert ring.get_xydata().tolist() == [[2.0, 0.9]]
    low, high = ax.get_ylim()
    assert low < 0.5 < 0.9 < high
    with pytest.raises(DataError, match="validation score curve: expected at least one finite"):
        plot_score(history(loss=[1.0]))


def test_names_of_the_users_own_stay_text():
    ax = plot_loss({"$\\frac{": [3.0, 2.0], "a\nb" * 30: [2.0, 1.0]})
    ax.figure.canvas.draw()
    assert "$\\frac{" in texts(ax)
    assert max(map(len, texts(ax))) <= 28


def test_real_curves_are_those_of_the_history():
    ax = plot_score(network())
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), network().history_["validation_score"])
    assert to_rgb(ax.lines[0].get_color())
