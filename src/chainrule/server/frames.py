"""Binary frames: points once a run, pictures while it learns. Little-endian, no JSON.

A picture holds one byte a pixel: 128 + ⌊128 v⌋, v clipped to [−1, 1], so that a byte ≥ 128 says
exactly that v ≥ 0. Pixel (row, column) is the point x1 = −6 + 12 (column + ½) / side,
x2 = 6 − 12 (row + ½) / side: the first row is the top.

=======  ===========================================================================
bytes    frame "CRF1"
=======  ===========================================================================
0        "CRF1", then uint32: sequence, run, flags (1 playing, 2 finished, 4 failed, 8 past)
16       float64: steps, epochs, batches a second, epochs a second
48       float32: train loss, test loss, penalty, train score, test score
68       uint32: side, planes, thumb side, thumbs, parameters, curve points, classes,
         focused unit + 1 (0: none)
100      uint64: fingerprint of θ
108      float32 parameters · float32 curve (epoch, train, test) · float32 reasons ·
         uint32 confusion, train then test · bytes: planes, thumbs, focus, unit states
=======  ===========================================================================

Frame "CRB1" is the same for the branch, without thumbs. Frame "CRD1" holds the points: uint32 run,
rows, n_train, kind; then float32 x1, x2, y.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from chainrule.server.points import Points

EXTENT = 6.0
SIDE = 100
FRAME_HEADER = struct.Struct("<4sIII4d5f8IQ")
POINTS_HEADER = struct.Struct("<4sIIII")
PLAYING, FINISHED, FAILED, PAST = 1, 2, 4, 8


def grid(side: int = SIDE) -> np.ndarray:
    """The points (side², 2) of a picture's pixels, the top row first."""
    middle = -EXTENT + 2 * EXTENT * (np.arange(side) + 0.5) / side
    x1, x2 = np.meshgrid(middle, -middle)
    return np.column_stack([x1.ravel(), x2.ravel()])


def to_bytes(values: np.ndarray) -> np.ndarray:
    """128 + ⌊128 v⌋ for v in [−1, 1], beyond clipped; NaN is 128."""
    scaled = np.floor(values * 128)
    scaled += 128
    np.clip(scaled, 0, 255, out=scaled)
    scaled[np.isnan(scaled)] = 128
    return scaled.astype(np.uint8)


def thumb_side(units: int) -> int:
    """How large a neuron's own picture is: small where there are many."""
    return 50 if units <= 64 else 25 if units <= 256 else 20


@dataclass(frozen=True)
class Pictures:
    """The pictures of one moment.

    Attributes
    ----------
    planes : ndarray of uint8 (1 or 2, SIDE, SIDE)
        The output; for several classes the winning class, then how sure.
    thumbs : ndarray of uint8 (units, side, side)
        Every hidden unit, layer after layer, then every output.
    focus : ndarray of uint8 (SIDE, SIDE) or None
        One unit at full size.
    """

    planes: np.ndarray
    thumbs: np.ndarray
    focus: np.ndarray | None


def paint(values: Sequence[np.ndarray], kind: str, focus: int | None = None) -> Pictures:
    """Pictures from the values of every layer on ``grid()``; the last one is the output.

    Values of no rows make no pictures.
    """
    *hidden, output = values
    if not len(output):
        return NO_PICTURES
    layers = [*hidden, output if kind != "classes" else 2 * output - 1]
    units = sum(layer.shape[1] for layer in layers)
    side = thumb_side(units)
    if kind == "classes":
        k = output.shape[1]
        sure = (output.max(axis=1) - 1 / k) / (1 - 1 / k) if k > 1 else output[:, 0]
        best = output.argmax(axis=1).astype(np.uint8)
        planes = np.stack([best, (255 * np.clip(np.nan_to_num(sure), 0, 1)).astype(np.uint8)])
    else:
        planes = to_bytes(output.T)
    step = SIDE // side
    thumbs = np.concatenate([_thumbs(layer, step) for layer in layers])
    wide = None
    if focus is not None and 0 <= focus < units:
        wide = to_bytes(_unit(layers, focus)).reshape(SIDE, SIDE)
    return Pictures(planes.reshape(-1, SIDE, SIDE), thumbs, wide)


NO_PICTURES = Pictures(np.zeros((0, SIDE, SIDE), np.uint8), np.zeros((0, 50, 50), np.uint8), None)
"""Of a run that learns from images: there is no plane to go over."""


def _thumbs(layer: np.ndarray, step: int) -> np.ndarray:
    """Bytes (units, side, side) of every ``step``-th pixel of a layer's values (pixels, units)."""
    few = layer.reshape(SIDE, SIDE, -1)[::step, ::step]
    return np.ascontiguousarray(to_bytes(few).transpose(2, 0, 1))


def _unit(layers: Sequence[np.ndarray], number: int) -> np.ndarray:
    """The values of one unit, counted through all layers."""
    for layer in layers:
        if number < layer.shape[1]:
            return layer[:, number]
        number -= layer.shape[1]
    raise IndexError(number)


@dataclass(frozen=True)
class Report:
    """The numbers of one moment; see the module for their places."""

    run: int
    flags: int
    steps: int
    epochs: float
    batches_per_second: float
    epochs_per_second: float
    losses: tuple[float, float, float]
    scores: tuple[float, float]
    theta: np.ndarray
    curve: np.ndarray
    reasons: np.ndarray
    states: np.ndarray
    confusion: np.ndarray


def pack_frame(
    sequence: int,
    report: Report,
    pictures: Pictures,
    focus: int | None,
    magic: bytes = b"CRF1",
) -> bytes:
    """One "CRF1" frame, or one of the same layout under another name."""
    side = pictures.thumbs.shape[1] if len(pictures.thumbs) else thumb_side(0)
    header = FRAME_HEADER.pack(
        magic,
        sequence & 0xFFFFFFFF,
        report.run,
        report.flags,
        report.steps,
        report.epochs,
        report.batches_per_second,
        report.epochs_per_second,
        *_float32(*report.losses, *report.scores),
        SIDE,
        len(pictures.planes),
        side,
        len(pictures.thumbs),
        report.theta.size,
        len(report.curve),
        report.confusion.shape[-1],
        0 if pictures.focus is None or focus is None else focus + 1,
        fingerprint(report.theta),
    )
    parts = [
        np.asarray(report.theta, "<f4"),
        np.asarray(report.curve, "<f4"),
        np.asarray(report.reasons, "<f4"),
        np.asarray(report.confusion, "<u4"),
        pictures.planes,
        pictures.thumbs,
        np.zeros(0, np.uint8) if pictures.focus is None else pictures.focus,
        report.states,
    ]
    return header + b"".join(part.tobytes() for part in parts)


def pack_points(run: int, points: Points, columns: tuple[int, int] = (0, 1)) -> bytes:
    """One "CRD1" frame of these two columns; kind 1: classes, 0: values."""
    header = POINTS_HEADER.pack(
        b"CRD1", run, len(points.X), points.n_train, int(points.is_classification)
    )
    return header + np.column_stack([points.X[:, list(columns)], points.y]).astype("<f4").tobytes()


def fingerprint(theta: np.ndarray) -> int:
    """The first 64 bits of SHA-256 of θ's bytes: equal runs show equal ones."""
    little = theta.astype(theta.dtype.newbyteorder("<"), copy=False)
    return int.from_bytes(hashlib.sha256(little.tobytes()).digest()[:8], "big")


def _float32(*values: float) -> list[float]:
    # struct refuses what float32 cannot hold; a diverged loss is shown as infinite
    with np.errstate(over="ignore"):
        return [float(np.float32(value)) for value in values]
