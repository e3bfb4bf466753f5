"""The confusion matrix: its counts, its colours, its words."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex

from chainrule.errors import DataError, ShapeError
from chainrule.pictures import confusion_matrix, plot_confusion

from .contrast import contrast


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


@pytest.mark.parametrize("style", ["default", "dark_background"])
def test_every_count_can_be_read_on_its_cell(style):
    """By the contrast of the Web Content Accessibility Guidelines, against the very pixel."""
    right = np.diag([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    with plt.style.context(style):
        ax = plot_confusion(right + np.arange(100).reshape(10, 10)[::-1] // 9)
    image = ax.images[0].get_array()
    assert len(ax.texts) > 80
    for text in ax.texts:
        x, y = text.get_position()
        assert contrast(to_hex(image[y, x]), to_hex(text.get_color())) >= 4.5


def test_large_counts_are_grouped_in_the_title():
    ax = plot_confusion([[5000, 500], [265, 4235]])
    assert ax.get_title(loc="left") == "9,235 of 10,000 right (92.3%)"
