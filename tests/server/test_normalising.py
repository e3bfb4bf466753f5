"""What somebody has written, made an image as the data set makes its own."""

from __future__ import annotations

import base64
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.errors import OptionError
from chainrule.server.normalising import CELLS, as_digits, as_mnist, cut_out, ink_of, resampled


def encoded(ink: np.ndarray) -> str:
    return base64.b64encode(np.packbits(ink).tobytes()).decode()


def stroke(*places: tuple[float, float], radius: float = 6) -> np.ndarray:
    """Ink near a polyline, cell by cell."""
    y, x = np.mgrid[:CELLS, :CELLS] + 0.5
    ink = np.zeros((CELLS, CELLS), bool)
    for a, b in pairwise(places):
        for share in np.linspace(0, 1, 80):
            at = np.array(a) + share * (np.array(b) - a)
            ink |= np.hypot(x - at[0], y - at[1]) <= radius
    return ink


SEVEN = stroke((30, 25), (80, 25), (50, 95))
inks = st.builds(
    lambda seed, few: np.random.default_rng(seed).random((CELLS, CELLS)) < (0.3 if few else 0.0005),
    st.integers(0, 10**6),
    st.booleans(),
).filter(np.any)


@pytest.mark.parametrize(("size", "factor"), [((12, 20), 4), ((6, 9), 3), ((5, 5), 1)])
def test_resampling_by_a_whole_factor_is_the_mean_of_blocks(size, factor):
    image = np.random.default_rng(0).random((size[0] * factor, size[1] * factor))
    expected = image.reshape(size[0], factor, size[1], factor).mean(axis=(1, 3))
    assert np.allclose(resampled(image, *size), expected)
    assert np.allclose(resampled(expected, *image.shape), np.kron(expected, np.ones((factor,) * 2)))


@given(inks)
def test_mnists_way_a_box_of_20_and_the_mass_in_the_middle(ink):
    image = as_mnist(ink)
    rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
    assert max(np.ptp(rows), np.ptp(columns)) + 1 <= 20
    for axis in (0, 1):
        lines = image.sum(axis=1 - axis).astype(float)
        if not (lines[0] or lines[-1]):  # else the edge held it
            assert lines @ (np.arange(28) + 0.5) / lines.sum() == pytest.approx(14.5, abs=0.5)


@pytest.mark.parametrize("ink", [SEVEN, stroke((20, 50), (95, 60)), stroke((56, 10), (57, 100))])
def test_the_centre_of_mass_of_a_stroke_is_in_the_middle(ink):
    image = as_mnist(ink).astype(float)
    at = np.arange(28) + 0.5
    assert float(image.sum(axis=1) @ at) / image.sum() == pytest.approx(14.5, abs=0.5)
    assert float(image.sum(axis=0) @ at) / image.sum() == pytest.approx(14.5, abs=0.5)


def test_what_is_written_is_normalised_like_the_datas_own_images(mnist_folder):
    """An image of MNIST, blown up and written again, comes back as it was."""
    from chainrule.datasets import load_mnist

    data = load_mnist(mnist_folder)
    differences = []
    for row in data.X_test[:60].reshape(-1, 28, 28):
        ink = np.kron(row >= 128, np.ones((4, 4), bool))
        back = as_mnist(ink) >= 128
        differences.append(np.mean(back != (row >= 128)))
    assert np.mean(differences) < 0.02


@given(inks)
def test_the_digits_way_counts_blocks_of_a_bitmap(ink):
    image = as_digits(ink)
    assert image.shape == (8, 8)
    assert image.max() <= 16
    cut = cut_out(ink)
    width = max(1, round(cut.shape[1] * min(20 / cut.shape[1], 2 * 32 / cut.shape[0])))
    small = resampled(cut, 32, width) >= 0.5
    left = (32 - width) // 2
    counts = np.zeros((8, 8), int)
    for y, x in zip(*np.nonzero(small), strict=True):
        counts[y // 4, (x + left) // 4] += 1
    assert np.array_equal(image, counts)


def test_a_single_stroke_is_not_blown_up_to_a_block():
    image = as_digits(stroke((56, 10), (57, 100)))
    assert (image.sum(axis=0) > 0).sum() <= 3
    assert image.sum() < 0.4 * 1024


def test_ink_travels_as_bits():
    assert np.array_equal(ink_of("ink", encoded(SEVEN)), SEVEN)
    assert ink_of("ink", "") is None
    assert ink_of("ink", encoded(np.zeros_like(SEVEN))) is None


@given(st.one_of(st.none(), st.integers(), st.text(), st.text(min_size=2092, max_size=2092)))
def test_hostile_ink_is_refused(value):
    if value == "":
        return
    with pytest.raises(OptionError, match="ink: expected base64 of 1568 bytes"):
        ink_of("ink", value)
