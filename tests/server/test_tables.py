"""Somebody's CSV: what is read, how it is scaled, and every refusal with its reason."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.errors import ChainruleError, DataError
from chainrule.server import tables
from chainrule.server.encoded import points_of_table
from chainrule.server.tables import (
    TABLE_NAME,
    file_name,
    header_of,
    points_of_arrays,
    points_of_csv,
)

GOOD = b"height,weight,name\n" + b"".join(
    f"{150 + i},{50 + i % 7},{'ab'[i % 2]}\n".encode() for i in range(20)
)


def read(content, columns=("height", "weight"), target="name", **options):
    return points_of_csv(content, columns, target, **options)


def test_columns_are_scaled_and_can_be_scaled_back():
    points = read(GOOD)
    assert points.classes == ("a", "b")
    assert points.axes == ("height", "weight")
    assert points.X.min(axis=0) == pytest.approx([-5, -5])
    assert points.X.max(axis=0) == pytest.approx([5, 5])
    original = points.X / points.scale + points.offset
    assert sorted(original[:, 0]) == pytest.approx(list(range(150, 170)))


def test_the_same_seed_gives_the_same_order():
    assert np.array_equal(read(GOOD, seed=3).X, read(GOOD, seed=3).X)
    assert not np.array_equal(read(GOOD, seed=3).X, read(GOOD, seed=4).X)
    assert read(GOOD, train_share=0.8).n_train == 16


def test_numbers_are_values_and_few_whole_ones_are_classes():
    X = np.random.default_rng(0).normal(size=(30, 2))
    values = points_of_arrays(X, np.linspace(3, 9, 30), ("a", "b"))
    assert values.classes == ()
    assert (values.y.min(), values.y.max()) == (-1, 1)
    assert np.allclose(values.target_offset + values.y * values.target_scale, np.linspace(3, 9, 30))
    assert points_of_arrays(X, np.arange(30) % 3, ("a", "b")).classes == ("0", "1", "2")
    assert points_of_arrays(X, np.arange(30) % 3, ("a", "b"), classes=False).classes == ()


HOSTILE = {
    "empty": (b"", "at least 3 columns"),
    "binary": (b"\xff\xfe\x00\x01" * 40, "text in UTF-8"),
    "zero bytes": (b"a,b,c\n1,2,\x00\n", "a byte 0"),
    "two columns": (b"a,b\n1,2\n", "at least 3 columns"),
    "no rows": (b"height,weight,name\n", "rows"),
    "UTF-16": ("height,weight,name\n1,2,a\n".encode("utf-16"), "text in UTF-8"),
    "Latin-1": ("höhe,weight,name\n1,2,a\n".encode("latin-1"), "text in UTF-8"),
    "100,000 columns": (b",".join([b"c"] * 100_000) + b"\n", "at most 200 columns"),
    "endless cell": (b"height," + b"x" * 200_000 + b",name\n", "comma separated cells"),
    "names again": (b"a,a,name\n1,2,x\n", "every column name once"),
    "ragged": (GOOD + b"1,2\n", "line 22"),
    "formula": (GOOD + b"=1+1,2,a\n", "line 22, column 'height'"),
    "command": (GOOD + b'"=cmd|calc",2,a\n', "line 22"),
    "NaN": (GOOD + b"nan,2,a\n", "finite number"),
    "infinity": (GOOD + b"1e999,2,a\n", "finite number"),
    "no number": (GOOD + b"tall,2,a\n", "a number"),
    "empty cell": (GOOD + b",2,a\n", "empty cell"),
    "one class": (b"height,weight,name\n" + b"1,2,a\n" * 9, "two different labels"),
    "many classes": (
        b"height,weight,name\n" + b"".join(f"{i},{i},c{i}\n".encode() for i in range(11)),
        "at most 10 classes",
    ),
    "few rows": (b"height,weight,name\n1,2,a\n2,3,b\n", "4 to 10000 rows"),
    "many columns": (
        b",".join(f"c{i}".encode() for i in range(201)) + b"\n",
        "at most 200 columns",
    ),
    "long name": (b"x" * 101 + b",b,c\n", "at most 100 signs"),
    "huge": (b"a" * (tables.MAX_BYTES + 1), "bytes"),
    "many rows": (b"height,weight,name\n" + b"1,2,a\n" * 30000, "at most 10000 rows"),
    "unclosed quote": (b'height,weight,name\n"1,2,a\n', "line"),
    "semicolons": (b"height;weight;name\n1;2;a\n", "at least 3 columns"),
}


def test_a_comma_inside_quotes_separates_nothing():
    content = GOOD.replace(b"height,", b'"height, in cm",')
    assert header_of(content) == ["height, in cm", "weight", "name"]
    assert read(content, ("height, in cm", "weight")).axes == ("height, in cm", "weight")


@pytest.mark.parametrize("content", HOSTILE.values(), ids=list(HOSTILE))
def test_a_hostile_table_is_refused_with_its_reason(content):
    data, message = content
    with pytest.raises(DataError, match=message) as refusal:
        read(data, name="mine.csv", columns=("a", "b") if b"a,a" in data else ("height", "weight"))
    assert str(refusal.value).startswith(("mine.csv", "X:", "target:"))


@pytest.mark.parametrize(
    ("columns", "target"),
    [
        (("height", "height"), "name"),
        (("height", "name"), "name"),
        (("height",), "name"),
        (("height", "weight"), "age"),
        (("../etc", "weight"), "name"),
    ],
)
def test_wrong_columns_are_refused(columns, target):
    with pytest.raises(DataError):
        read(GOOD, columns, target)


def test_a_column_of_one_value_is_no_division_by_zero():
    points = read(GOOD.replace(b",5", b",7").replace(b"70", b"71").replace(b"72", b"71"))
    assert np.all(np.isfinite(points.X))


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content):
    try:
        names = header_of(content)
        points_of_csv(content, names[:2], names[2])
    except DataError:
        pass


@given(st.lists(st.tuples(*[st.floats(width=64)] * 2), min_size=1, max_size=8))
def test_any_numbers_are_scaled_or_refused(rows):
    try:
        points = points_of_arrays(np.array(rows), np.arange(len(rows)) % 2, ("a", "b"))
    except DataError:
        return
    assert np.abs(points.X).max() <= 5.0001


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ("towns.csv", "towns.csv"),
        ("%D8%B4%D9%87%D8%B1%D9%87%D8%A7.csv", "شهرها.csv"),
        ("..%2F..%2Fetc%2Fpasswd", "passwd"),
        ("C:\\tables\\mine.csv", "mine.csv"),
        *((bad, TABLE_NAME) for bad in ("", "..", "a%0Ab", "%FF", "x" * 101, "%00", "a/")),
    ],
)
def test_the_name_of_a_file_is_a_name_and_no_path(told, name):
    assert file_name(told) == name


@given(st.data())
def test_a_table_with_bytes_changed_is_read_or_refused(data):
    content = bytearray(b"a,b,c\n1,2,x\n3,4.5,y\n-1e3,0,x\n2,2,y\n7,1,x\n")
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    for reader in (points_of_csv, points_of_table):
        with contextlib.suppress(ChainruleError):
            points = reader(bytes(content), ("a", "b"), "c")
            assert np.isfinite(points.X).all()
            assert 1 <= points.n_train < len(points.X)
