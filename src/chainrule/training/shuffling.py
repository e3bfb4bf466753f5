"""Random orders without lists of indices: a bijection of [0, n) that is computed, not stored.

Position p of epoch e holds row ``permutation(n, seed, e)[p]``. The compiled engine computes the
same rows one batch at a time; here they come as one array, in NumPy.

A pair (left, right) in [0, a) × [0, b), a·b ≥ n, goes through eight rounds (sixteen for few rows,
where a round does little) of a Feistel network in which a hash of one half is added to the other
(Black, Rogaway 2002, section 5); what lands outside [0, n) is sent through again until it is
inside. a and b are near √n, so that hardly any does.
"""

from __future__ import annotations

import math

import numpy as np

_ROUNDS, _ROUNDS_OF_FEW, _FEW = 8, 16, 128
_ROWS_STREAM, _WINDOWS_STREAM, _FIRST_WINDOW_STREAM = 0, 1, 2
_MASK = (1 << 64) - 1


def permutation(
    n: int, seed: int, epoch: int, start: int = 0, stop: int | None = None
) -> np.ndarray:
    """The order of n rows in one epoch: int64 array, every row once; or places [start, stop)."""
    return _permutation(n, _keys(seed, epoch, _ROWS_STREAM), start, stop)


def windowed_permutation(n: int, seed: int, epoch: int, window: int) -> np.ndarray:
    """Windows of neighbouring rows in random order, the rows of each shuffled among themselves.

    A file that is larger than memory is then read ``window`` rows at a time.
    """
    windows = -(-n // window)
    parts = []
    for one in _permutation(windows, _keys(seed, epoch, _WINDOWS_STREAM)).tolist():
        size = min(window, n - one * window)
        keys = _keys(seed, epoch, _FIRST_WINDOW_STREAM + one)
        parts.append(one * window + _permutation(size, keys))
    return np.concatenate(parts) if parts else np.empty(0, np.int64)


def _permutation(n: int, keys: list[int], start: int = 0, stop: int | None = None) -> np.ndarray:
    if n <= 0:
        return np.empty(0, np.int64)
    a = math.isqrt(n - 1) + 1
    b = -(-n // a)
    position = np.arange(start, n if stop is None else stop, dtype=np.uint64)
    left, right = position % np.uint64(a), position // np.uint64(a)
    _feistel(left, right, a, b, keys)
    rows = right * np.uint64(a) + left
    while len(outside := np.flatnonzero(rows >= n)):
        again_left, again_right = left[outside], right[outside]
        _feistel(again_left, again_right, a, b, keys)
        left[outside], right[outside] = again_left, again_right
        rows[outside] = again_right * np.uint64(a) + again_left
    return rows.astype(np.int64)


def _feistel(left: np.ndarray, right: np.ndarray, a: int, b: int, keys: list[int]) -> None:
    rounds = _ROUNDS_OF_FEW if a * b <= _FEW else _ROUNDS
    for i in range(0, rounds, 2):
        _add_hash(left, right, keys[i], a)
        _add_hash(right, left, keys[i + 1], b)


_HALF = np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)


def _add_hash(half: np.ndarray, other: np.ndarray, key: int, size: int) -> None:
    """half ← (half + hash(other)) mod size, in place; numbers stay below 2³²."""
    z = (other ^ np.uint64(key & 0xFFFFFFFF)) * np.uint64(0x9E3779B1)
    z = ((z ^ (z >> _HALF) ^ np.uint64(key >> 32)) & _LOW) * np.uint64(0xD6E8FEB9)
    z = (z ^ (z >> _HALF)) & _LOW
    half += (z * np.uint64(size)) >> _HALF
    half -= np.where(half >= size, np.uint64(size), np.uint64(0))


def _keys(*words: int) -> list[int]:
    """One 64-bit key a round, from the seed, the epoch and the stream."""
    state = 0
    for word in words:
        state = _split_mix(state ^ (word & _MASK))
    return [_split_mix((state + i) & _MASK) for i in range(_ROUNDS_OF_FEW)]


def _split_mix(x: int) -> int:
    """One step of SplitMix64 (Steele, Lea, Flood 2014)."""
    x = (x + 0x9E3779B97F4A7C15) & _MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
    return x ^ (x >> 31)
