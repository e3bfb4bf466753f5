"""What somebody has written, made an image as the data set makes its own.

The ink is a square of ``CELLS`` × ``CELLS`` cells, black or white. Both sets began so: as scans of
handwriting in black and white.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

import numpy as np

from chainrule.errors import OptionError, describe
from chainrule.server.command import short

CELLS = 112
INK_BYTES = CELLS * CELLS // 8
MIDDLE = 14.5
"""Where the mass of MNIST's images is centred: the middle of the pixel 14, counted from 0."""

MOST_STRETCH = 2.0
"""Wider than tall by no more than this: a single stroke stays one."""


def ink_of(name: str, value: Any) -> np.ndarray | None:
    """The cells (CELLS, CELLS) as booleans from base64 of their bits, row by row; "" is None."""
    if value == "":
        return None
    expected = f"base64 of {INK_BYTES} bytes, or nothing"
    if not isinstance(value, str) or len(value) != 4 * -(-INK_BYTES // 3):
        raise OptionError(describe(name, expected, short(value)))
    try:
        content = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise OptionError(describe(name, expected, short(value))) from None
    bits = np.unpackbits(np.frombuffer(content, np.uint8))
    if bits.size != CELLS * CELLS:
        raise OptionError(describe(name, expected, f"{len(content)} bytes"))
    ink = bits.reshape(CELLS, CELLS).astype(bool)
    return ink if ink.any() else None


def as_mnist(ink: np.ndarray) -> np.ndarray:
    """28 × 28 bytes: the larger side 20 pixels, grey at the edges, centred by its mass.

    References
    ----------
    Y. LeCun, C. Cortes, C. J. C. Burges: The MNIST database of handwritten digits.
    """
    cut = cut_out(ink)
    scale = 20 / max(cut.shape)
    height, width = (max(1, round(side * scale)) for side in cut.shape)
    small = np.rint(255 * resampled(cut, height, width)).astype(np.uint8)
    mass = small.sum()
    if not mass:
        return np.zeros((28, 28), np.uint8)
    rows, columns = np.arange(height) + 0.5, np.arange(width) + 0.5
    top = round(MIDDLE - float(small.sum(axis=1) @ rows / mass))
    left = round(MIDDLE - float(small.sum(axis=0) @ columns / mass))
    top, left = min(max(top, 0), 28 - height), min(max(left, 0), 28 - width)
    image = np.zeros((28, 28), np.uint8)
    image[top : top + height, left : left + width] = small
    return image


def as_digits(ink: np.ndarray) -> np.ndarray:
    """8 × 8 counts 0 … 16: scaled to 32 × 20 in the middle of 32 × 32; ink counted in 4 × 4 blocks.

    References
    ----------
    E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits, UCI, 1998; the scaling is
    that of NIST's form-based handprint recognition system.
    """
    cut = cut_out(ink)
    tall, wide = 32 / cut.shape[0], 20 / cut.shape[1]
    width = max(1, round(cut.shape[1] * min(wide, MOST_STRETCH * tall)))
    bitmap = np.zeros((32, 32), np.uint8)
    left = (32 - width) // 2
    bitmap[:, left : left + width] = resampled(cut, 32, width) >= 0.5
    return bitmap.reshape(8, 4, 8, 4).sum(axis=(1, 3), dtype=np.uint8)


def cut_out(ink: np.ndarray) -> np.ndarray:
    """The smallest part that holds all ink."""
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def resampled(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Every new pixel the mean of what it covers: A(height) · image · A(width)ᵀ."""
    return shares(image.shape[0], height) @ image @ shares(image.shape[1], width).T


def shares(before: int, after: int) -> np.ndarray:
    """(after, before): which part of each new pixel each old one covers; rows sum to 1."""
    edges = np.arange(after + 1) * before / after
    low, high = edges[:-1, None], edges[1:, None]
    old = np.arange(before)
    covered = np.minimum(high, old + 1) - np.maximum(low, old)
    return np.clip(covered, 0, None) * after / before
