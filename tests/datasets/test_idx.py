"""The IDX reader: every type and number of dimensions, and every way a file can lie."""

from __future__ import annotations

import gzip
import os
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.datasets import read_idx, write_idx
from chainrule.errors import FileFormatError, WrongTypeError

CODES = [
    (0x08, "B", "u1"),
    (0x09, "b", "i1"),
    (0x0B, "h", "i2"),
    (0x0C, "i", "i4"),
    (0x0D, "f", "f4"),
    (0x0E, "d", "f8"),
]


def stored(code, shape, content):
    return bytes([0, 0, code, len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + content


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a-idx"


def check_refused(path, expected, came, **options):
    with pytest.raises(FileFormatError) as caught:
        read_idx(path, **options)
    message = str(caught.value)
    assert message.startswith(f"{path}: expected {expected}")
    assert f"; came {came}" in message


@pytest.mark.parametrize(("code", "letter", "kind"), CODES)
@pytest.mark.parametrize("zipped", [False, True])
def test_every_type_as_the_format_defines_it(path, code, letter, kind, zipped):
    content = stored(code, (2, 3), struct.pack(f">6{letter}", 1, 2, 3, 4, 5, 6))
    path.write_bytes(gzip.compress(content) if zipped else content)
    array = read_idx(path)
    assert array.dtype == np.dtype(kind)
    assert array.dtype.isnative
    np.testing.assert_array_equal(array, [[1, 2, 3], [4, 5, 6]])


@pytest.mark.parametrize("shape", [(), (4,), (0,), (2, 0), (2, 3), (1,) * 32])
@pytest.mark.parametrize("kind", [kind for _, _, kind in CODES])
def test_written_is_read(path, shape, kind):
    array = (np.arange(np.prod(shape, dtype=int)) - 2).astype(kind).reshape(shape)
    write_idx(path, array)
    found = read_idx(path)
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array)


def test_what_is_read_can_be_written_to(path):
    write_idx(path, np.zeros(3, np.uint8))
    read_idx(path)[0] = 1


def test_layouts_that_are_not_contiguous_are_written_as_their_values(path):
    array = np.arange(6, dtype=np.int32).reshape(2, 3).T
    write_idx(path, array)
    np.testing.assert_array_equal(read_idx(path), array)


def test_a_type_that_idx_does_not_have_is_not_written(path):
    with pytest.raises(WrongTypeError, match="one of uint8"):
        write_idx(path, np.zeros(3, np.int64))
    assert not path.exists()


def test_truncation_at_every_length_is_refused(path):
    content = stored(0x0C, (2, 3), bytes(range(24)))
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(FileFormatError, match="expected .*; came "):
            read_idx(path)


def test_truncation_of_a_gzip_file_at_every_length_is_refused(path):
    content = gzip.compress(stored(0x08, (60,), bytes(range(60))))
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(FileFormatError, match="expected .*; came "):
            read_idx(path)


def test_flipped_bits_of_a_gzip_file_never_change_the_numbers(path):
    numbers = np.random.default_rng(0).integers(256, size=90, dtype=np.uint8)
    content = gzip.compress(stored(0x08, (90,), numbers.tobytes()), mtime=0)
    refused = 0
    for place in range(len(content)):
        for bit in range(8):
            damaged = bytearray(content)
            damaged[place] ^= 1 << bit
            path.write_bytes(damaged)
            try:
                found = read_idx(path)
            except FileFormatError:
                refused += 1
            else:
                np.testing.assert_array_equal(found, numbers)
    assert refused > 7 * len(content)


@given(content=st.binary(max_size=64))
def test_arbitrary_bytes_give_an_array_or_one_error(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("idx") / "a"
    path.write_bytes(content)
    try:
        array = read_idx(path)
    except FileFormatError:
        return
    assert array.nbytes == len(content) - 4 - 4 * array.ndim


def test_too_short_and_too_long_are_told_apart(path):
    path.write_bytes(stored(0x08, (2, 3), bytes(5)))
    check_refused(path, "6 bytes of numbers for shape (2, 3)", "5 bytes")
    path.write_bytes(stored(0x08, (2, 3), bytes(7)))
    check_refused(path, "6 bytes of numbers for shape (2, 3)", "more bytes")


def test_what_is_not_idx_is_refused(path):
    path.write_bytes(b"")
    check_refused(path, "an IDX file", "an empty file")
    path.write_bytes(b"\x89PNG")
    check_refused(path, "an IDX file", "bytes 89 50 4e 47")
    path.write_bytes(stored(0x0A, (1,), bytes(1)))
    check_refused(path, "a type among 0x08, 0x09, 0x0B, 0x0C, 0x0D, 0x0E", "0x0A")
    path.write_bytes(bytes([0, 0, 8, 33]) + bytes(200))
    check_refused(path, "at most 32 dimensions", "33")
    path.write_bytes(bytes([0, 0, 8, 2, 0, 0]))
    check_refused(path, "8 bytes of dimensions", "2 bytes")


def test_more_bytes_than_allowed_are_refused(path):
    path.write_bytes(stored(0x08, (2**32 - 1,) * 3, b""))
    check_refused(path, f"at most {2**32} bytes of numbers", "shape (4294967295,")
    path.write_bytes(stored(0x08, (101,), bytes(101)))
    check_refused(path, "at most 100 bytes of numbers", "shape (101,), 101 bytes", max_bytes=100)
    assert read_idx(path, max_bytes=101).shape == (101,)


@pytest.mark.parametrize("zipped", [False, True])
def test_a_short_file_that_declares_gigabytes_takes_little_memory(path, zipped):
    content = stored(0x08, (2**32 - 1,), bytes(100))
    path.write_bytes(gzip.compress(content) if zipped else content)
    tracemalloc.start()
    check_refused(path, "4294967295 bytes of numbers", "100 bytes")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * 2**20


def test_a_missing_file_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_idx(tmp_path / "missing")


def test_a_text_path_is_a_path(path):
    write_idx(os.fspath(path), np.ones(2, np.uint8))
    assert read_idx(os.fspath(path)).tolist() == [1, 1]


def test_no_numbers_in_endless_dimensions_are_refused(tmp_path):
    path = tmp_path / "x.idx"
    path.write_bytes(bytes([0, 0, 0x0E, 3]) + struct.pack(">3I", 0, 2**32 - 1, 2**32 - 1))
    with pytest.raises(FileFormatError, match="at most 4294967296 bytes of numbers"):
        read_idx(path)
    path.write_bytes(bytes([0, 0, 0x0E, 2]) + struct.pack(">2I", 0, 7))
    assert read_idx(path).shape == (0, 7)
