"""The masks of dropout: the same bits in NumPy and in the compiled engine.

A mask's random bits depend on the seed, the number of the mask (``stream``) and the number of the
step alone, never on threads or blocks of rows: they are those of a counter-based generator,
Philox-4x64-10 (Salmon et al. 2011) as NumPy has it.
"""

from __future__ import annotations

import numpy as np

from chainrule.graph import Mask

LANES = 1 << 16


def kept_threshold(rate: float) -> int:
    """A unit is kept where its 16 random bits are at least this."""
    return min(round(rate * LANES), LANES - 1)


def draw_mask(
    node: Mask, rows: int, seed: int, step: int, dtype: np.dtype, level: float = 1.0
) -> np.ndarray:
    """The mask of ``node`` for the ``rows`` rows of batch number ``step``, at ``level`` · its rate.

    Entry (r, u) reads the 16-bit lane r · units + u of the stream whose counter starts at
    (0, stream, step, 0). Kept entries are 1 / (1 − rate), the rate as the lanes can express it,
    so that the mean of the mask is 1.
    """
    shape = (rows, *(int(size) for size in node.shape[1:]))
    count = int(np.prod(shape))
    generator = np.random.Philox(key=[seed, 0], counter=[0, node.stream, step, 0])
    words = generator.random_raw(-(-count // 4)).astype("<u8")
    lanes = words.view("<u2")[:count].reshape(shape)
    threshold = kept_threshold(node.rate * level)
    return np.where(lanes >= threshold, LANES / (LANES - threshold), 0).astype(dtype)
