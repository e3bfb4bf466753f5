"""The confusion matrix: its counts, its colours, its words."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

from chainrule.errors import DataError, ShapeError
from chainrule.pictures import confusion_matrix, plot_confusion


@pytest.fixture(autouse=True)
def no_figures_left():
    yield
    plt.close("all")


def cells(ax):
    places = {text.get_position(): text.get_text() for text in ax.texts}
    return {(int(y), int(x)): int(text) for (x, y), text in places.items()}


def test_counts_true_by_predicted():
    counts, classes = confusion_matrix(["b", "a", "b", "b"], ["b", "b", "a", "c"])
    assert classes.tolist() == ["a", "b", "c"]
    assert counts.tolist() == [[0, 1, 0], [1, 1, 1], [0, 0, 0]]


def test_cells_show_the_counts_and_zeros_stay_empty():
    ax = plot_confusion([[5, 1], [0, 6]])
    assert cells(ax) == {(0, 0): 5, (0, 1): 1, (1, 1): 6}
    assert ax.get_title(loc="left") == "11 of 12 right (91.7%)"


def test_labels_and_predictions_give_the_same_picture():
    ax = plot_confusion([0, 0, 1], [0, 1, 1])
    assert cells(ax) == {(0, 0): 1, (0, 1): 1, (1, 1): 1}
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["0", "1"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted", "true")


def test_right_is_blue_wrong_is_orange_nothing_is_white():
    image = np.asarray(plot_confusion([[8, 2], [0, 9]]).images[0].get_array())
    assert image[0, 0, 2] > image[0, 0, 0]
    assert image[0, 1, 0] > image[0, 1, 2]
    np.testing.assert_allclose(image[1, 0, :3], 1.0)


def test_many_and_long_class_names_are_drawn():
    ax = plot_confusion(np.eye(50, dtype=int), labels=[f"class {i}" for i in range(50)])
    ax.figure.canvas.draw()
    assert not ax.texts  # too small to read


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ([[[1, 2, 3], [1, 2, 3]]], ShapeError, "confusion matrix"),
        ([np.zeros((0, 0), int)], ShapeError, "confusion matrix"),
        ([[[0.5, 0.5], [0.0, 1.0]]], DataError, "counts ≥ 0"),
        ([[0, 1], [0]], ShapeError, "one label a row"),
        ([[], []], DataError, "at least one row"),
    ],
)
def test_refuses_what_is_not_a_confusion(arguments, error, words):
    with pytest.raises(error, match=words):
        plot_confusion(*arguments)
