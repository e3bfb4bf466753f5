"""IDX, the format of MNIST: a type, the dimensions, the numbers.

    2 bytes     zero
    1 byte      type of the numbers
    1 byte      number of dimensions d
    4·d bytes   the dimensions
    the rest    the numbers, C order; everything big-endian

A file may be compressed with gzip; that is seen from its first bytes, not from its name.
"""

from __future__ import annotations

import gzip
import math
import os
import struct
import zlib
from pathlib import Path
from typing import IO

import numpy as np

from chainrule.errors import FileFormatError, WrongTypeError, describe
from chainrule.files import atomic_write

__all__ = ["read_idx", "write_idx"]

TYPES = {
    0x08: np.dtype(">u1"),
    0x09: np.dtype(">i1"),
    0x0B: np.dtype(">i2"),
    0x0C: np.dtype(">i4"),
    0x0D: np.dtype(">f4"),
    0x0E: np.dtype(">f8"),
}
MAX_DIMENSIONS = 32
MAX_BYTES = 2**32
CHUNK = 2**20


def read_idx(path: str | os.PathLike[str], max_bytes: int = MAX_BYTES) -> np.ndarray:
    """Read one array from an IDX file, plain or gzipped.

    Parameters
    ----------
    path : path-like
    max_bytes : int
        Files that declare more bytes than this are refused before memory is taken for them.

    Returns
    -------
    ndarray
        Of the declared shape and type, in the byte order of this machine.

    Raises
    ------
    FileFormatError
        Not IDX, truncated, longer than declared, or larger than `max_bytes`.
    OSError
        The file cannot be opened.
    """
    path = Path(path)
    with open(path, "rb") as raw:
        zipped = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        try:
            if not zipped:
                return _read(path, raw, max_bytes)
            with gzip.GzipFile(fileobj=raw) as file:
                return _read(path, file, max_bytes)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise FileFormatError(describe(path, "a whole gzip file", str(error))) from error


def _read(path: Path, file: IO[bytes] | gzip.GzipFile, max_bytes: int) -> np.ndarray:
    dtype, shape = _read_head(path, file)
    size = math.prod(shape) * dtype.itemsize
    # an array with a dimension of 0 has no bytes, and NumPy's limits all the same
    if math.prod(max(one, 1) for one in shape) * dtype.itemsize > max_bytes:
        raise FileFormatError(
            describe(path, f"at most {max_bytes} bytes of numbers", f"shape {shape}, {size} bytes")
        )
    content = _read_up_to(file, size + 1)
    if len(content) != size:
        came = f"{len(content)} bytes" if len(content) < size else "more bytes"
        raise FileFormatError(describe(path, f"{size} bytes of numbers for shape {shape}", came))
    return np.frombuffer(content, dtype).reshape(shape).astype(dtype.newbyteorder("="), copy=False)


def _read_head(path: Path, file: IO[bytes] | gzip.GzipFile) -> tuple[np.dtype, tuple[int, ...]]:
    head = _read_up_to(file, 4)
    if len(head) < 4 or head[:2] != b"\0\0":
        raise FileFormatError(describe(path, "an IDX file, from bytes 00 00", _hexadecimal(head)))
    code, dimensions = head[2], head[3]
    if code not in TYPES:
        expected = "a type among " + ", ".join(f"0x{known:02X}" for known in TYPES)
        raise FileFormatError(describe(path, expected, f"0x{code:02X}"))
    if dimensions > MAX_DIMENSIONS:
        raise FileFormatError(describe(path, f"at most {MAX_DIMENSIONS} dimensions", dimensions))
    sizes = _read_up_to(file, 4 * dimensions)
    if len(sizes) < 4 * dimensions:
        expected = f"{4 * dimensions} bytes of dimensions"
        raise FileFormatError(describe(path, expected, f"{len(sizes)} bytes"))
    return TYPES[code], struct.unpack(f">{dimensions}I", sizes)


def _read_up_to(file: IO[bytes] | gzip.GzipFile, size: int) -> bytearray:
    # By chunks: a short file that declares terabytes costs no more memory than it has bytes.
    content = bytearray()
    while len(content) < size and (chunk := file.read(min(CHUNK, size - len(content)))):
        content += chunk
    return content


def _hexadecimal(content: bytes | bytearray) -> str:
    return f"bytes {content.hex(' ')}" if content else "an empty file"


def write_idx(path: str | os.PathLike[str], array: np.ndarray) -> None:
    """Write one array as an uncompressed IDX file, atomically; the inverse of `read_idx`."""
    codes = {dtype: code for code, dtype in TYPES.items()}
    stored = array.dtype.newbyteorder(">")
    if stored not in codes:
        expected = "one of " + ", ".join(dtype.name for dtype in codes)
        raise WrongTypeError(describe("array", expected, array.dtype))
    with atomic_write(path) as file:
        file.write(bytes([0, 0, codes[stored], array.ndim]))
        file.write(struct.pack(f">{array.ndim}I", *array.shape))
        file.write(array.astype(stored, order="C", copy=False).tobytes())
