"""Decision boundaries, calibration, worst rows, predictions: what is drawn is what was computed."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from sklearn.calibration import calibration_curve
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from chainrule.errors import DataError, OptionError, ShapeError
from chainrule.pictures import (
    LIGHT,
    plot_calibration,
    plot_decision_boundary,
    plot_predictions,
    plot_worst,
)

from .gallery import held_back_probabilities, moons, watched, wave


@pytest.fixture(autouse=True)
def no_figures_left():
    yield
    plt.close("all")


class Side:
    """Class "b" right of a = 0.5, as sure as it is far away; other columns must stay typical."""

    classes_ = np.array(["a", "b"])

    def __init__(self, others=()):
        self.others = others

    def predict_proba(self, X):
        X = np.asarray(X, float)
        assert np.all(X[:, 2:] == self.others)
        p = 1 / (1 + np.exp(-20 * (X[:, 0] - 0.5)))
        return np.column_stack([1 - p, p])


def pixel(ax, x, y):
    """The colour on the canvas at a place in the picture's own coordinates."""
    ax.figure.canvas.draw()
    pixels = np.asarray(ax.figure.canvas.buffer_rgba())
    column, row = ax.transData.transform((x, y))
    return pixels[pixels.shape[0] - 1 - round(row), round(column), :3] / 255


def test_each_side_has_its_colour_and_is_paler_in_the_middle():
    X = np.array([[0.0, 0.0], [1.0, 1.0]])
    ax = plot_decision_boundary(Side(), X)
    left, right = pixel(ax, 0.0, 0.5), pixel(ax, 1.0, 0.5)
    assert left[2] > left[0]  # blue
    assert right[0] > right[2]  # orange
    near = pixel(ax, 0.47, 0.5)
    assert np.linalg.norm(1 - near) < np.linalg.norm(1 - left)
    line = ax.collections[0].get_paths()[0].vertices
    np.testing.assert_allclose(line[:, 0], 0.5, atol=1.2 / 199)


def test_rows_are_drawn_where_they_are_with_the_class_they_have():
    X, y = moons()
    ax = plot_decision_boundary(watched()[0], X, y)
    points = {
        one.get_label(): one.get_offsets() for one in ax.collections if one.get_label()[0] != "_"
    }
    assert set(points) == {"lower", "upper"}
    np.testing.assert_allclose(points["upper"], X[y == "upper"])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["lower", "upper"]
    for i in (0, 1):
        assert ax.get_xlim()[0] < X[:, 0].min() <= X[:, 0].max() < ax.get_xlim()[1]
        assert (ax.get_xlabel(), ax.get_ylabel())[i] == f"column {i}"


def test_other_columns_stay_at_their_median():
    X = np.array([[0.0, 0.0, 3.0, 1.0], [1.0, 1.0, 5.0, 2.0], [0.5, 0.2, 9.0, 7.0]])
    plot_decision_boundary(Side(others=(5.0, 2.0)), X)


def test_a_data_frame_keeps_names_and_types():
    seen = []

    class Reader(Side):
        def predict_proba(self, X):
            seen.append(X)
            return super().predict_proba(np.asarray(X[["a $x$", "b"]], float))

    frame = pd.DataFrame(
        {"city": ["x", "y", "y"], "a $x$": [0.0, 1.0, 0.5], "b": [1.0, 2.0, 3.0], "n": [4, 4, 7]}
    )
    ax = plot_decision_boundary(Reader(), frame, columns=("a $x$", "b"))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("a $x$", "b")
    ax.figure.canvas.draw()  # a dollar is a dollar
    (rows,) = seen
    assert list(rows.columns) == list(frame.columns)
    assert set(rows["city"]) == {"y"}
    assert set(rows["n"]) == {4}


def test_any_estimator_of_scikit_learn():
    X, y = moons()
    for model in (LogisticRegression(), make_pipeline(StandardScaler(), LinearSVC())):
        ax = plot_decision_boundary(model.fit(X, y), X, y, resolution=40)
        boundary = ax.collections[0].get_paths()[0].vertices
        inner = model.fit(X, y)
        w = (inner if hasattr(inner, "coef_") else None) and inner.coef_[0]
        if w is not None:
            np.testing.assert_allclose(boundary @ w + inner.intercept_, 0, atol=0.25)


def test_a_straight_line_has_straight_contours():
    X, _ = wave()
    model = LinearRegression().fit(X, X @ [1.0, 2.0])
    ax = plot_decision_boundary(model, X, resolution=30)
    colour = [pixel(ax, *place) for place in ((-1.0, 1.0), (1.0, 0.0), (0.0, -1.0), (1.0, 1.0))]
    np.testing.assert_allclose(colour[0], colour[1], atol=0.09)  # both 1
    assert colour[2][0] > colour[0][0] > colour[3][0]  # paler below, darker above


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"columns": (0, 0)}, OptionError, "two different ones"),
        ({"columns": (0, 5)}, OptionError, "a place from 0 to 1"),
        ({"columns": ("a", 1)}, OptionError, "a place from 0 to 1"),
        ({"resolution": 1}, OptionError, "resolution"),
        ({"X": np.zeros(3)}, ShapeError, "X: expected shape"),
        ({"X": np.zeros((0, 2))}, ShapeError, "at least one row"),
        ({"y": [1]}, ShapeError, "y: expected 2 values"),
        ({"X": np.array([["a", "b"]], object)}, DataError, "Choose two columns of numbers"),
    ],
)
def test_refuses_planes_that_are_none(options, error, words):
    given = {"X": np.zeros((2, 2)), "y": None} | options
    with pytest.raises(error, match=words):
        plot_decision_boundary(Side(), given.pop("X"), given.pop("y"), **given)


# calibration -----------------------------------------------------------------------------


def observed(ax):
    (line,) = [one for one in ax.lines if one.get_label() == "observed"]
    return line.get_xydata().T


def test_calibration_is_scikit_learns():
    rng = np.random.default_rng(0)
    p = rng.uniform(size=500)
    y = rng.uniform(size=500) < p**2
    share, said = calibration_curve(y, p, n_bins=10)
    x, came = observed(plot_calibration(y, p))
    np.testing.assert_allclose(x, said)
    np.testing.assert_allclose(came, share)
    two = plot_calibration(y, np.column_stack([1 - p, p]))
    np.testing.assert_allclose(observed(two)[1], share)


def test_of_many_classes_the_one_predicted_is_judged():
    p = np.array([[0.7, 0.2, 0.1], [0.1, 0.72, 0.18], [0.05, 0.05, 0.9]])
    ax = plot_calibration(["a", "c", "c"], p, classes=["a", "b", "c"])
    np.testing.assert_allclose(observed(ax), [[0.71, 0.9], [0.5, 1.0]])
    # rows in a bin times the distance: (2 · 0.21 + 1 · 0.1) / 3
    assert ax.get_title(loc="left") == "Calibration: expected error 0.173"


def test_bars_show_how_many_rows_there_are():
    ax = plot_calibration([0, 0, 0, 1], [0.15, 0.12, 0.11, 0.9])
    heights = [bar.get_height() for bar in ax.patches]
    assert np.flatnonzero(heights).tolist() == [1, 9]
    assert heights[1] == pytest.approx(3 * heights[9])


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (([0, 1], [0.5]), ShapeError, "y_true, probabilities"),
        (([0, 1], [0.5, 1.5]), DataError, "from 0 to 1"),
        (([0, 1], [[0.5, 0.3, 0.2]] * 2), ShapeError, "classes: expected 3"),
        (([], []), ShapeError, "at least one row"),
    ],
)
def test_refuses_what_is_no_probability(arguments, error, words):
    with pytest.raises(error, match=words):
        plot_calibration(*arguments)


# worst rows, predictions -----------------------------------------------------------------


def names(ax):
    return [label.get_text() for label in ax.get_yticklabels()]


def test_the_surest_mistakes_come_first():
    p = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7]])
    ax = plot_worst(["a", "a", "b", "b"], p, classes=["a", "b"])
    assert names(ax) == ["row 1: a → b", "row 2: b → a"]
    true, said = (line.get_xdata().tolist() for line in ax.lines[:2])
    assert true == [0.2, 0.4]
    assert said == [0.8, 0.6]
    assert ax.lines[0].get_color() == LIGHT.blue
    assert ax.get_title(loc="left") == "The 2 worst of 4 rows"


def test_values_are_sorted_by_their_distance():
    ax = plot_worst([1.0, 2.0, 3.0], [1.5, 2.0, 1.0], names=["x", "$y$", "z"], limit=2)
    assert names(ax) == ["z", "x"]
    ax.figure.canvas.draw()


def test_none_wrong_is_said():
    ax = plot_worst([0, 1], np.eye(2), classes=[0, 1])
    assert ax.get_title(loc="left") == "None of 2 rows is wrong"


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: plot_worst([0], [[1.0]], classes=[0, 1]), ShapeError, "probabilities of shape"),
        (lambda: plot_worst([7], [[1.0, 0.0]], classes=[0, 1]), DataError, "among the classes"),
        (lambda: plot_worst(["a"], ["b"]), ShapeError, "one number a row"),
        (lambda: plot_worst([1.0], [1.0], limit=0), OptionError, "limit"),
        (lambda: plot_worst([1.0], [1.0], names=[]), ShapeError, "names"),
        (lambda: plot_predictions([1.0], [1.0, 2.0]), ShapeError, "y_true and y_pred"),
        (lambda: plot_predictions([1.0], [np.nan]), DataError, "finite"),
    ],
)
def test_refuses_what_is_no_prediction(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_predictions_against_the_truth():
    ax = plot_predictions([0.0, 1.0, 2.0], [0.0, 1.0, 3.0])
    np.testing.assert_allclose(ax.lines[1].get_xydata(), [[0, 0], [1, 1], [2, 3]])
    assert ax.get_title(loc="left") == "R² 0.500, root mean square error 0.577"
    assert ax.get_xlim() == ax.get_ylim()


def test_real_probabilities_are_well_calibrated():
    """Softmax regression on the digits: within a twentieth."""
    from .gallery import digits

    title = plot_calibration(digits()[3], held_back_probabilities()).get_title(loc="left")
    assert float(title.split()[-1]) < 0.05


def test_colours_are_the_looks():
    ax = plot_predictions([0.0, 1.0], [0.0, 1.0])
    assert to_rgb(ax.lines[1].get_color()) == to_rgb(LIGHT.blue)
