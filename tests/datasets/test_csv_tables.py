"""Numeric CSV tables: what is read, and the one line that says what cannot be."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.datasets import read_csv
from chainrule.errors import DataError


@pytest.fixture
def write(tmp_path):
    def write(text, encoding="utf-8"):
        path = tmp_path / "table.csv"
        path.write_bytes(text.encode(encoding) if isinstance(text, str) else text)
        return path

    return write


def test_numbers_and_names(write):
    table = read_csv(write("a,b,label\n1,2.5,0\n-3e2, 4 ,1\n"), target="label")
    np.testing.assert_array_equal(table.X, [[1, 2.5], [-300, 4]])
    assert table.X.dtype == np.float64
    assert table.columns == ("a", "b")
    assert table.target == "label"
    assert table.y is not None
    assert table.y.tolist() == [0, 1]
    table.X[0, 0] = 5.0


@pytest.mark.parametrize(
    ("cells", "kind", "values"),
    [
        (["1", "0", "-7"], np.dtype(np.int64), [1, 0, -7]),
        (["1", "0.5", "2"], np.dtype(np.float64), [1.0, 0.5, 2.0]),
        (["1.0", "2.0", "3"], np.dtype(np.int64), [1, 2, 3]),
        (["1.0", "2e0", "-3"], np.dtype(np.int64), [1, 2, -3]),
        (["01", "1", "0"], np.dtype("U2"), ["01", "1", "0"]),
        ([str(2**70), "0", "1"], np.dtype(np.float64), [2.0**70, 0.0, 1.0]),
        (["ja", "nein", "3"], np.dtype("<U4"), ["ja", "nein", "3"]),
        (["1_0", "2", "3"], np.dtype("<U3"), ["1_0", "2", "3"]),
    ],
)
def test_labels_are_whole_numbers_then_numbers_then_text(write, cells, kind, values):
    rows = "".join(f"{cell},1\n" for cell in cells)
    y = read_csv(write(f"t,a\n{rows}"), target="t").y
    assert y is not None
    assert y.dtype == kind
    assert y.tolist() == values


def test_without_target_all_columns_are_learned_from(write):
    table = read_csv(write("a,b\n1,2\n"))
    assert table.y is None
    assert table.target is None
    np.testing.assert_array_equal(table.X, [[1, 2]])


def test_chosen_columns_come_in_the_order_asked_for_and_others_are_not_read(write):
    table = read_csv(write("a,name,b,t\n1,x y,2,0\n"), target="t", columns=["b", "a"])
    np.testing.assert_array_equal(table.X, [[2, 1]])
    assert table.columns == ("b", "a")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("last", [True, False])
def test_line_ends_and_byte_order_mark(write, end, mark, last):
    text = mark + end.join(["a,b", "1,2", "", "3,4"]) + (end if last else "")
    table = read_csv(write(text))
    assert table.columns == ("a", "b")
    np.testing.assert_array_equal(table.X, [[1, 2], [3, 4]])


def test_quoted_cells(write):
    table = read_csv(write('"a, first","b ""x"""\n"1","2"\n'))
    assert table.columns == ("a, first", 'b "x"')
    np.testing.assert_array_equal(table.X, [[1, 2]])


numbers = st.floats(allow_nan=False, allow_infinity=False)


@given(rows=st.lists(st.tuples(numbers, numbers, st.integers(0, 9)), min_size=1, max_size=20))
def test_written_is_read_to_the_bit(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("a", "b", "t"), *rows])
    table = read_csv(path, target="t")
    assert table.X.tobytes() == np.array([row[:2] for row in rows], np.float64).tobytes()
    assert table.y is not None
    assert table.y.tolist() == [row[2] for row in rows]


@pytest.mark.parametrize(
    ("text", "where", "expected", "came"),
    [
        ("", "", "a header line and rows", "an empty file"),
        ("\n\n", "", "a header line and rows", "an empty file"),
        ("a,t\n", "", "rows below the header", "none"),
        ("a,b\n1,2\n", "", "a column 't'", "only 'a', 'b'"),
        ("a;t\n1;2\n", "", "cells separated by commas", "semicolons"),
        ("a\tt\n1\t2\n", "", "cells separated by commas", "tabs"),
        ("1,2\n3,4\n", "", "a header line", "numbers: 1, 2"),
        ("a,a,t\n1,2,3\n", "", "every column name once", "'a' again"),
        ("a,,t\n1,2,3\n", "", "a name for every column", "none for column 2"),
        ("t\n1\n", "", "columns to learn from beside the target", "none"),
        ("a,t\n1,2\n3\n", ", line 3", "2 cells", "1"),
        ("a,t\n1,2\n\n3,4,5\n", ", line 4", "2 cells", "3"),
        ("a,t\n1,2\nx,4\n", ", line 3, column 'a'", "a number", "'x'"),
        ("a,t\n1,2\n1_000,4\n", ", line 3, column 'a'", "a number", "'1_000'"),
        ("a,t\n1,2\n 0x10,4\n", ", line 3, column 'a'", "a number", "' 0x10'"),
        ("a,t\n1,2\n ,4\n", ", line 3, column 'a'", "a number", "an empty cell"),
        ("a,t\n1,2\nnan,4\n", ", line 3, column 'a'", "a finite number", "nan"),
        ("a,t\n1,2\n1e999,4\n", ", line 3, column 'a'", "a finite number", "inf"),
        ("a,t\n1,\n", ", line 2", "a label in 't'", "none"),
        ("a,t\n1,2.5\n1,nan\n", ", line 3, column 't'", "a finite number", "nan"),
        ('a,t\n"1,2\n', ", line 2", "comma separated cells", "unexpected end of data"),
        ('a,t\n"1"2,3\n', ", line 2", "comma separated cells", "',' expected after"),
    ],
)
def test_one_line_says_where_what_was_expected_and_what_came(write, text, where, expected, came):
    path = write(text)
    with pytest.raises(DataError) as caught:
        read_csv(path, target="t")
    message = str(caught.value)
    assert message.startswith(f"{path}{where}: expected {expected}; came {came}")
    assert "\n" not in message


def test_the_target_is_not_among_the_columns(write):
    with pytest.raises(DataError, match="beside the target; came 't' among them"):
        read_csv(write("a,t\n1,2\n"), target="t", columns=["a", "t"])
    with pytest.raises(DataError, match="a column 'z'; came only 'a', 't'"):
        read_csv(write("a,t\n1,2\n"), target="t", columns=["z"])


def test_another_encoding_is_refused(write):
    with pytest.raises(DataError, match=r"expected text in UTF-8; came .* Save the file as UTF-8"):
        read_csv(write("größe,t\n1,2\n", encoding="latin-1"), target="t")


def test_bytes_that_are_no_text_are_refused(write):
    with pytest.raises(DataError, match="table.csv.*expected"):
        read_csv(write(bytes(range(256))), target="t")


def test_a_missing_file_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_csv(tmp_path / "missing.csv")


def test_the_embedded_digits_as_a_file(shared_data):
    from sklearn.datasets import load_digits

    table = read_csv(shared_data / "digits" / "digits_8x8.csv", target="digit")
    X, y = load_digits(return_X_y=True)
    np.testing.assert_array_equal(table.X, X)
    np.testing.assert_array_equal(table.y, y)
    assert table.columns[:2] == ("p00", "p01")


def test_a_table_of_mixed_columns_names_the_first_that_is_not_numeric(shared_data):
    path = shared_data / "tabular" / "adult_train.csv"
    with pytest.raises(DataError, match=r"line 2, column 'workclass': expected a number; came"):
        read_csv(path, target="income")
