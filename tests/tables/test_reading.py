"""CSV files of any columns: separators, missing cells, line ends, and what is refused."""

import csv

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.errors import DataError, OptionError
from chainrule.tables import TableReader, read_table


@pytest.fixture
def write(tmp_path):
    def write(text, encoding="utf-8"):
        path = tmp_path / "table.csv"
        path.write_bytes(text.encode(encoding) if isinstance(text, str) else text)
        return path

    return write


def cells(table, name):
    column = table[name]
    return [None if code < 0 else column.levels[code] for code in column.values]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_separators_line_ends_and_byte_order_mark(write, separator, end, mark):
    lines = [["name", "n"], ["a b", "1"], ["c", "2"], ["d", "3"]]
    table = read_table(write(mark + end.join(separator.join(line) for line in lines)))
    assert table.names == ("name", "n")
    assert cells(table, "name") == ["a b", "c", "d"]
    assert cells(table, "n") == ["1", "2", "3"]
    assert table["n"].lines is not None
    assert table["n"].lines.tolist() == [2, 3, 4]


def test_quotes_hide_separators_and_newlines(write):
    text = 'id,place\r\n1,"Ulm; Neu-Ulm, ""\n\nSüd"""\r\n2,x\r\n'
    table = read_table(write(text))
    assert cells(table, "place") == ['Ulm; Neu-Ulm, "\n\nSüd"', "x"]
    assert table["id"].lines is not None
    assert table["id"].lines.tolist() == [4, 5]


@pytest.mark.parametrize("cell", ["", "  ", "?", "NA", "N/A", " nan ", "NULL", "null"])
def test_missing_cells(write, cell):
    table = read_table(write(f"a,b\n{cell},1\nx,2\n"))
    assert cells(table, "a") == [None, "x"]
    assert table["a"].missing.tolist() == [True, False]


def test_missing_cells_are_an_option(write):
    table = read_table(write("a,b\nNA,-999\n,1\n"), missing=["-999"])
    assert cells(table, "a") == ["NA", ""]
    assert cells(table, "b") == [None, "1"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a;b\n1,5;x\n-0,25;y\n", ["1.5", "-0.25"]),
        ("a;b\n1,5;2.5\n2,5;3.5\n", ["1,5", "2,5"]),
        ('a,b\n"1,5",x\n"2,5",y\n', ["1,5", "2,5"]),
    ],
)
def test_decimal_commas_where_cells_are_not_separated_by_commas(write, text, expected):
    assert cells(read_table(write(text)), "a") == expected


def test_a_separator_may_be_said(write):
    path = write("a;b,c\n1;2,3\n")
    assert read_table(path, separator=";").names == ("a", "b,c")
    assert read_table(path, separator=",").names == ("a;b", "c")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a header line and rows; came an empty file"),
        ("a,b\n", "expected rows below the header; came none"),
        ("a,b,a\n1,2,3\n", "expected every column name once; came 'a' again"),
        ("a,,b\n1,2,3\n", "expected a name for every column; came none for column 2"),
        ("1,2\n3,4\n", "expected a header line; came numbers: 1, 2"),
        ('a,b\n"x\ny",2\n3\n', ", line 4: expected 2 cells as in the header; came 1"),
        ("a,b\n1,2\n\n1,2,3\n", ", line 4: expected 2 cells as in the header; came 3"),
        ('a;b\n"1;2\n', ", line 2: expected semicolon separated cells; came unexpected end"),
    ],
)
def test_one_line_says_what_is_wrong(write, text, message):
    path = write(text)
    with pytest.raises(DataError) as caught:
        read_table(path)
    assert str(caught.value).startswith(f"{path}")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_another_encoding_is_refused(write):
    for text in ("größe,b\n1,2\n", "a,b\n" + 300 * "x,y\n" + "größe,1\n"):
        with pytest.raises(DataError, match="expected text in UTF-8; came .*Save the file"):
            read_table(write(text, "latin-1"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"separator": ":"}, "separator: expected"),
        ({"missing": "NA"}, "missing: expected a list of cells"),
        ({"chunk_rows": 0}, "chunk_rows: expected an integer ≥ 1; came 0"),
    ],
)
def test_options_are_checked(write, options, message):
    with pytest.raises(OptionError, match=message):
        TableReader(write("a\n1\n"), **options)


def test_chunks_are_the_whole(write):
    rows = [(str(i), f"w{i % 7}") for i in range(2500)]
    path = write("n,w\n" + "".join(f"{n},{w}\n" for n, w in rows))
    whole = read_table(path)
    reader = TableReader(path, chunk_rows=1100)
    for _ in range(2):
        chunks = list(reader)
        assert [len(chunk) for chunk in chunks] == [1100, 1100, 300]
        for name in ("n", "w"):
            joined = [cell for chunk in chunks for cell in cells(chunk, name)]
            assert joined == cells(whole, name)
        assert chunks[2]["n"].where(0) == "column 'n', line 2202"


def test_a_file_that_changes_its_columns_between_passes_is_refused(write):
    reader = TableReader(write("a,b\n1,2\n"))
    write("a,c\n1,2\n")
    with pytest.raises(DataError, match="expected the columns it had before; came 'a', 'c'"):
        next(iter(reader))


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)


@given(
    rows=st.lists(st.tuples(texts, texts, st.integers()), min_size=1, max_size=20),
    separator=st.sampled_from(",;\t"),
)
def test_written_is_read(tmp_path_factory, rows, separator):
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=separator).writerows([("a", "b", "c"), *rows])
    table = read_table(path, separator=separator, missing=[])
    assert table.shape == (len(rows), 3)
    for place, name in enumerate("abc"):
        assert cells(table, name) == [str(row[place]).strip() for row in rows]


def test_tables_take_rows_and_columns(write):
    table = read_table(write("a,b\n1,x\n2,y\n3,x\n"))
    part = table.without("a").take([2, 0])
    assert part.shape == (2, 1)
    assert cells(part, "b") == ["x", "x"]
    assert part["b"].where(0) == "column 'b', line 4"
    assert cells(table.take(np.array([False, True, False])), "a") == ["2"]
    assert table.select([]).take([0]).rows == 1
    with pytest.raises(DataError, match="expected a column 'z'; came only 'a', 'b'"):
        table.without("z")
