"""The sets of points against their formulas, and what a network reads of them."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.errors import OptionError
from chainrule.server.points import DATASETS, FEATURES, features, make_points, split


def made(name, **options):
    return make_points(name, **{"seed": 3, **options})


@pytest.mark.parametrize("name", DATASETS)
def test_the_same_seed_gives_the_same_points(name):
    first, again, other = made(name), made(name), made(name, seed=4)
    assert np.array_equal(first.X, again.X)
    assert np.array_equal(first.y, again.y)
    assert not np.array_equal(first.X, other.X)


@pytest.mark.parametrize("name", DATASETS)
def test_number_and_range(name):
    points = made(name)
    count = 1200 if name in ("plane", "peaks") else 498 if name in ("arms",) else 500
    assert points.X.shape == (count, 2)
    assert np.abs(points.X).max() <= 6
    assert points.is_classification == (name not in ("plane", "peaks"))


def test_circle():
    points = made("circle")
    r = np.hypot(*points.X.T)
    assert np.array_equal(points.y == 1, r < 2.5)
    assert np.all((r < 2.5) | ((r >= 3.5) & (r <= 5)))
    assert points.y.sum() == 250


def test_xor_keeps_free_of_the_axes():
    points = made("xor")
    assert np.array_equal(points.y == 1, points.X.prod(axis=1) >= 0)
    assert np.abs(points.X).min() >= 0.3
    assert np.abs(points.X).max() <= 5.3


@pytest.mark.parametrize(("noise", "variance"), [(0.0, 0.5), (0.25, 2.25), (0.5, 4.0)])
def test_gauss_centres_and_variance(noise, variance):
    points = made("gauss", noise=noise)
    for label, centre in ((1, 2.0), (0, -2.0)):
        cloud = points.X[points.y == label]
        assert np.allclose(cloud.mean(axis=0), centre, atol=4 * np.sqrt(variance / 250))
        assert np.allclose(cloud.var(axis=0), variance, rtol=0.35)


def test_spiral_lies_on_its_curve():
    points = made("spiral")
    for label, turn in ((1, 0.0), (0, np.pi)):
        i = np.arange(250)
        r, t = 5 * i / 250, 3.5 * np.pi * i / 250 + turn
        curve = np.column_stack([r * np.sin(t), r * np.cos(t)])
        ours = points.X[points.y == label]
        order = np.argsort(np.hypot(*ours.T))
        assert np.allclose(ours[order], curve, atol=1e-12)


def test_spiral_noise_moves_points_not_labels():
    clean, noisy = made("spiral"), made("spiral", noise=0.5)
    assert np.array_equal(clean.y, noisy.y)
    assert 0.1 < np.abs(clean.X - noisy.X).max() <= 0.5


@pytest.mark.parametrize("name", ["circle", "xor", "plane", "peaks"])
def test_noise_of_the_others_moves_labels_only(name):
    clean, noisy = made(name), made(name, noise=0.4)
    assert np.array_equal(clean.X, noisy.X)
    assert not np.array_equal(clean.y, noisy.y)


def test_plane():
    points = made("plane")
    assert np.allclose(points.y, points.X.sum(axis=1) / 10)


def test_peaks_at_their_centres_and_far_from_them():
    points = made("peaks")
    centres = {(-4, 2.5): 1, (0, 2.5): -1, (4, 2.5): 1, (-4, -2.5): -1, (0, -2.5): 1, (4, -2.5): -1}
    expected = np.zeros(len(points.X))
    for (a, b), sign in centres.items():
        height = sign * np.clip(1 - np.hypot(points.X[:, 0] - a, points.X[:, 1] - b) / 2, 0, None)
        expected = np.where(np.abs(height) > np.abs(expected), height, expected)
    assert np.allclose(points.y, expected)


@pytest.mark.parametrize("name", ["blobs", "arms", "rings"])
@pytest.mark.parametrize("classes", [2, 5, 8])
def test_many_classes(name, classes):
    points = made(name, n_classes=classes)
    assert len(points.classes) == classes
    assert np.array_equal(np.unique(points.y), np.arange(classes))


def test_features_by_name():
    X = np.array([[0.5, -2.0]])
    expected = [0.5, -2.0, 0.25, 4.0, -1.0, np.sin(0.5), np.sin(-2.0)]
    assert np.allclose(features(X, FEATURES), [expected])
    assert np.allclose(features(X, ["sin_x2", "x1"]), [[np.sin(-2.0), 0.5]])


@pytest.mark.parametrize(("rows", "share", "expected"), [(500, 0.5, 250), (4, 0.1, 1), (4, 0.9, 3)])
def test_split_leaves_something_on_both_sides(rows, share, expected):
    assert split(rows, share) == expected


def test_an_unknown_set_is_refused():
    with pytest.raises(OptionError, match="dataset must be one of circle"):
        make_points("moons")
