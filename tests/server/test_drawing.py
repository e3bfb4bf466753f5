"""Drawn points: there and back, on the lattice, within limits, and anything else refused."""

from __future__ import annotations

import base64

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.errors import DataError, OptionError
from chainrule.server.drawing import (
    FIRST_DRAWING,
    MAX_DRAWN,
    STEP,
    drawing_of,
    points_of_drawing,
    read_drawing,
)
from chainrule.server.settings import read_settings

CODES = st.lists(
    st.tuples(st.integers(0, 240), st.integers(0, 240), st.integers(0, 7)), min_size=4, max_size=60
)


@given(CODES, st.integers(0, 5))
def test_points_come_back_as_they_were_drawn(codes, seed):
    drawn = sorted((x * STEP - 6, y * STEP - 6, k) for x, y, k in codes)
    text = drawing_of(np.array([one[:2] for one in drawn]), np.array([one[2] for one in drawn]))
    if len({k for _, _, k in codes}) < 2:
        with pytest.raises(DataError, match="at least 2 classes"):
            points_of_drawing(text, seed=seed)
        return
    points = points_of_drawing(text, train_share=0.75, seed=seed)
    came = sorted((x, y, k) for (x, y), k in zip(points.X, points.y, strict=True))
    assert np.allclose(came, drawn, atol=1e-12)
    assert points.classes == tuple(map(str, range(max(k for _, _, k in codes) + 1)))
    assert 1 <= points.n_train < len(points.y)


def test_places_between_go_to_the_nearest():
    text = drawing_of(np.array([[0.02, -5.98], [7, -7], [0, 0], [1, 1]]), np.array([0, 1, 0, 1]))
    X = points_of_drawing(text).X
    assert sorted(map(tuple, np.round(X, 2))) == [(0, -6), (0, 0), (1, 1), (6, -6)]


def test_the_first_drawing_can_be_learnt_from():
    points = points_of_drawing(FIRST_DRAWING)
    assert points.classes == ("0", "1")
    assert np.abs(points.X).max() < 6
    assert read_settings({"dataset": "drawn"})["drawing"] == FIRST_DRAWING


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("AAA", "four letters"),
        ("AAA=", "four letters"),
        ("AAAA\n", "four letters"),
        ("<im>", "four letters"),
        ("AA A", "four letters"),
        ("____", "places of 0 to 240"),
        (base64.urlsafe_b64encode(bytes([0, 0, 8])).decode(), "classes of 0 to 7"),
        ("AAAA" * (MAX_DRAWN + 1), "at most 1000 points; came 1001"),
    ],
)
def test_what_is_no_drawing_is_refused(text, message):
    with pytest.raises(OptionError, match=message):
        read_settings({"drawing": text})


@pytest.mark.parametrize("text", ["", "AAAA", "AAAA" * 9])
def test_too_little_is_no_data(text):
    with pytest.raises(DataError, match="drawing: expected at least 4 points"):
        points_of_drawing(text)


@given(st.text(max_size=40) | st.binary(max_size=30).map(lambda b: base64.b64encode(b).decode()))
def test_any_text_is_read_or_refused(text):
    refused = "drawing: expected"
    try:
        assert read_drawing(text) == text
    except OptionError as error:
        refused = str(error)
    assert refused.startswith("drawing: expected")


def test_line_ends_in_a_drawing_are_shown_in_one_line():
    with pytest.raises(OptionError) as told:
        read_drawing("\n\r\x00")
    assert str(told.value).endswith(r"came '\n\r\x00'.")
