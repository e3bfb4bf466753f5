"""Weights and misclassified rows: what each tile shows, and where."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

from chainrule.errors import DataError, OptionError, ShapeError
from chainrule.pictures import DIVERGING, plot_misclassified, plot_weights
from chainrule.pictures.mosaic import even_columns


@pytest.fixture(autouse=True)
def no_figures_left():
    yield
    plt.close("all")


def tiles(ax):
    return [np.asarray(image.get_array()) for image in ax.images]


def captions(ax):
    return [text.get_text() for text in ax.texts]


def test_column_k_of_the_weights_is_tile_k():
    W = np.zeros((6, 2))
    W[4, 1] = 2.0
    W[0, 1] = -1.0
    ax = plot_weights(W, image_shape=(2, 3))
    first, second = tiles(ax)
    assert not first.any()
    np.testing.assert_array_equal(second, [[-0.5, 0, 0], [0, 1, 0]])


def test_zero_is_white_the_largest_weight_blue():
    ax = plot_weights(np.array([[[0.0, 3.0], [-3.0, 0.0]]]))
    figure = ax.figure
    figure.canvas.draw()
    image = ax.images[0]
    colours = image.to_rgba(image.get_array())
    np.testing.assert_allclose(colours[0, 1], DIVERGING(1.0))
    np.testing.assert_allclose(colours[1, 0], DIVERGING(0.0))
    assert colours[0, 0, :3].min() > 0.95
    # and so they arrive on the canvas: the middle of the upper right quarter is blue
    pixels = np.asarray(figure.canvas.buffer_rgba())
    left, right, bottom, top = image.get_extent()
    place = ax.transData.transform((left + 0.75 * (right - left), top + 0.25 * (bottom - top)))
    seen = pixels[pixels.shape[0] - round(place[1]), round(place[0]), :3] / 255
    np.testing.assert_allclose(seen, DIVERGING(1.0)[:3], atol=0.01)


def test_tiles_do_not_overlap_and_are_all_in_view():
    ax = plot_weights(np.ones((20, 3, 5)), labels=[str(i) for i in range(20)])
    low, high = ax.get_xlim()
    bottom, top = ax.get_ylim()
    boxes = [image.get_extent() for image in ax.images]
    for left, right, lower, upper in boxes:
        assert low <= left < right <= high
        assert top <= upper < lower <= bottom
    for i, (l1, r1, b1, t1) in enumerate(boxes):
        for l2, r2, b2, t2 in boxes[:i]:
            assert r1 <= l2 or r2 <= l1 or b1 <= t2 or b2 <= t1


@pytest.mark.parametrize(("count", "columns"), [(1, 1), (10, 5), (20, 10), (7, 4)])
def test_rows_are_even_where_they_can_be(count, columns):
    assert even_columns(count) == columns


def test_shows_only_the_wrong_rows_the_surest_first():
    X = np.arange(5.0)[:, None] * np.ones(4)
    ax = plot_misclassified(
        X, [0, 1, 2, 3, 4], [0, 2, 2, 4, 0], confidence=[1.0, 0.3, 0.9, 0.8, 0.5]
    )
    assert captions(ax) == ["3 → 4  80%", "4 → 0  50%", "1 → 2  30%"]
    assert [tile[0, 0] for tile in tiles(ax)] == [3.0, 4.0, 1.0]
    assert ax.get_title(loc="left") == "3 of 5 wrong (true → predicted)"


def test_shows_at_most_so_many_and_says_so():
    ax = plot_misclassified(np.ones((9, 4)), np.zeros(9), np.ones(9), limit=2)
    assert len(tiles(ax)) == 2
    assert ax.get_title(loc="left").startswith("9 of 9 wrong, 2 shown")


def test_none_wrong_is_said():
    ax = plot_misclassified(np.ones((3, 4)), ["a", "b", "a"], ["a", "b", "a"])
    assert not ax.images
    assert captions(ax) == ["none"]


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: plot_weights(np.ones((6, 2))), ShapeError, "Give image_shape"),
        (lambda: plot_weights(np.ones((6, 2)), image_shape=(2, 2)), ShapeError, "2 × 2"),
        (lambda: plot_weights(np.ones(6)), ShapeError, r"\(n, height, width\)"),
        (lambda: plot_weights(np.array([["a"]])), DataError, "expected numbers"),
        (lambda: plot_weights(np.ones((2, 2, 2)), labels=["a"]), ShapeError, "labels: expected 2"),
        (lambda: plot_weights(np.ones((0, 2, 2))), DataError, "at least one"),
        (lambda: plot_misclassified(np.ones((2, 4)), [1], [1, 2]), ShapeError, "y_true"),
        (lambda: plot_misclassified(np.ones((1, 4)), [1], [2], limit=0), OptionError, "limit"),
    ],
)
def test_refuses_what_does_not_fit(call, error, words):
    with pytest.raises(error, match=words):
        call()
