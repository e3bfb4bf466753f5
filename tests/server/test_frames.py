"""Binary frames: bytes of a picture, and a frame read back number by number."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.server.frames import (
    FRAME_HEADER,
    SIDE,
    fingerprint,
    grid,
    pack_frame,
    pack_points,
    paint,
    thumb_side,
    to_bytes,
)
from chainrule.server.points import make_points
from chainrule.server.run import Run
from chainrule.server.settings import read_settings


def test_the_first_pixel_is_the_top_left():
    points = grid().reshape(SIDE, SIDE, 2)
    assert points[0, 0].tolist() == pytest.approx([-5.94, 5.94])
    assert points[0, -1].tolist() == pytest.approx([5.94, 5.94])
    assert points[-1, 0].tolist() == pytest.approx([-5.94, -5.94])


def test_bytes_keep_the_sign_exactly():
    values = np.array([-np.inf, -2, -1, -1e-9, -0.0, 0, 1e-9, 0.5, 1, 7, np.nan])
    assert to_bytes(values).tolist() == [0, 0, 0, 127, 128, 128, 128, 192, 255, 255, 128]


@pytest.mark.parametrize(("units", "side"), [(8, 50), (65, 25), (512, 20)])
def test_many_units_have_small_pictures(units, side):
    assert thumb_side(units) == side


def test_a_frame_read_back():
    settings = read_settings({"hidden_layer_sizes": [3], "activations": ["tanh"]})
    run = Run(7, settings, make_points("circle"))
    run.advance(50)
    report = run.observe(1, (10.0, 0.4))
    values = run.network.values(run.theta, run.features_of(grid()))
    frame = pack_frame(5, report, paint(values, run.network.kind, 2), 2)
    header = FRAME_HEADER.unpack_from(frame)
    assert header[:4] == (b"CRF1", 5, 7, 1)
    assert header[4:6] == (50.0, 2.0)
    assert header[13:] == (SIDE, 1, 50, 4, 13, 2, 2, 3, fingerprint(run.theta))
    at = FRAME_HEADER.size
    assert np.array_equal(np.frombuffer(frame, "<f4", 13, at), run.theta)
    at += 4 * 13
    curve = np.frombuffer(frame, "<f4", 6, at).reshape(2, 3)
    assert curve[:, 0].tolist() == [1, 2]
    assert np.allclose(curve[1, 1:], report.losses[:2])
    at += 4 * (3 * 2 + 3)
    confusion = np.frombuffer(frame, "<u4", 8, at).reshape(2, 2, 2)
    assert confusion.sum(axis=(1, 2)).tolist() == [250, 250]
    at += 32
    plane = np.frombuffer(frame, np.uint8, SIDE * SIDE, at)
    assert np.array_equal(plane, to_bytes(values[-1][:, 0]))
    at += SIDE * SIDE
    thumbs = np.frombuffer(frame, np.uint8, 4 * 2500, at).reshape(4, 50, 50)
    expected = values[0][:, 1].reshape(SIDE, SIDE)[::2, ::2]
    assert np.array_equal(thumbs[1], to_bytes(expected))
    at += 4 * 2500
    focus = np.frombuffer(frame, np.uint8, SIDE * SIDE, at)
    assert np.array_equal(focus, to_bytes(values[0][:, 2]))
    assert len(frame) == at + SIDE * SIDE + 3


def test_classes_are_painted_by_the_winner_and_how_sure_it_is():
    output = np.tile([[0.2, 0.5, 0.3]], (SIDE * SIDE, 1))
    planes = paint([output], "classes").planes
    assert np.all(planes[0] == 1)
    assert np.all(planes[1] == int(255 * (0.5 - 1 / 3) / (2 / 3)))


def test_points_frame():
    points = make_points("plane", seed=1, train_share=0.25)
    frame = pack_points(3, points)
    assert np.frombuffer(frame, "<u4", 4, 4).tolist() == [3, 1200, 300, 0]
    numbers = np.frombuffer(frame, "<f4", offset=20).reshape(-1, 3)
    assert np.allclose(numbers[:, :2], points.X, atol=1e-6)
    assert np.allclose(numbers[:, 2], points.y, atol=1e-6)


def test_the_fingerprint_tells_one_bit():
    theta = np.linspace(0, 1, 5, dtype=np.float32)
    other = theta.copy()
    other[3] = np.nextafter(other[3], 2, dtype=np.float32)
    assert fingerprint(theta) == fingerprint(theta.copy())
    assert fingerprint(theta) != fingerprint(other)
