"""What a column is taken for, and the one line that refuses it."""

import numpy as np
import pytest

from chainrule.errors import DataError, OptionError
from chainrule.tables import ColumnEncoder, TableReader, TextColumnError, read_table

ROWS = 40
SENTENCES = [f"this is sentence number {i} of a report" for i in range(ROWS)]
DAYS = np.datetime64("2024-01-01") + np.arange(ROWS)


def kind_of(values, name="c", **options):
    other = np.linspace(0, 1, len(values))
    return ColumnEncoder(**options).fit({name: values, "other": other}).columns_[0].kind


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1.5, 2.5] * 20, "numeric"),
        ([1, 2] * 20, "numeric"),
        ([0, 1] * 20, "binary"),
        ([0.0, 1.0, np.nan, 0.0] * 10, "binary"),
        ([True, False] * 20, "binary"),
        (["yes", "no", None, "no"] * 10, "binary"),
        (["a", "b", "c", "a"] * 10, "categorical"),
        (["a", None] * 20, "categorical"),
        ([True, None] * 20, "categorical"),
        ([7] * ROWS, "constant"),
        (["x"] * ROWS, "constant"),
        ([True] * ROWS, "constant"),
        ([None] * ROWS, "constant"),
        ([np.nan] * ROWS, "constant"),
        ([np.datetime64("2024-01-01")] * ROWS, "constant"),
        ([7, np.nan] * 20, "numeric"),
        (DAYS, "datetime"),
        (list(range(ROWS)), "numeric"),
        ([2**62 + i for i in range(ROWS)], "identifier"),
        ([2**62 + i % 7 for i in range(ROWS)], "numeric"),
        ([f"A{i}" for i in range(ROWS)], "identifier"),
        ([f"A{i}" for i in range(10)], "categorical"),
        ([f"A{i % 30}" for i in range(ROWS)], "categorical"),
        ([f"{i % 9} of these and those" for i in range(ROWS)], "categorical"),
        ([1, "a", 2, "b"] * 10, "categorical"),
    ],
)
def test_kinds_of_values(values, kind):
    assert kind_of(values) == kind


@pytest.mark.parametrize(
    "name", ["id", "customer_id", "PassengerId", "UserID", "Unnamed: 0", "UUID"]
)
def test_numbers_that_are_never_repeated_identify_where_the_name_says_so(name):
    assert kind_of(list(range(ROWS)), name) == "identifier"
    assert kind_of([i // 2 for i in range(ROWS)], name) == "numeric"
    assert kind_of([i + 0.5 for i in range(ROWS)], name) == "numeric"


@pytest.mark.parametrize("name", ["paid", "width", "Covid", "idle", "keys_per_minute"])
def test_names_that_merely_contain_the_letters_do_not_identify(name):
    assert kind_of(list(range(ROWS)), name) == "numeric"


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "2.5", "", "1e3"], "numeric"),
        (["0", "1.0", "NA", "1"], "binary"),
        (["01234", "1234", "2", "04"], "categorical"),
        (["true", "false", "?", "true"], "binary"),
        (["2024-01-31", "", "2024-02-01 12:30:15.5", "2024-02-01T12:00+02:00"], "datetime"),
        (["31.1.2024", "1.02.2024", "", "28.2.2024 8:00"], "categorical"),
        (["31.1.2024", "1.02.2024", "", "28.2.2024 08:00"], "datetime"),
        (["2024-02-30", "2024-01-01", "", "2024-01-02"], "categorical"),
        (["1", "2", "x", "3"], "categorical"),
        (["5", "5.0", "5", "5"], "constant"),
    ],
)
def test_kinds_of_cells(tmp_path, cells, kind):
    path = tmp_path / "t.csv"
    path.write_text("c,other\n" + "".join(f"{cell},{i}\n" for i, cell in enumerate(cells)))
    assert ColumnEncoder().fit(path).columns_[0].kind == kind


def test_free_text_is_refused_with_advice_and_all_such_columns_named():
    table = {
        "a": SENTENCES,
        "n": range(ROWS),
        "b": SENTENCES[::-1],
        "c": ["x" * 60 + str(i) for i in range(ROWS)],
    }
    with pytest.raises(TextColumnError) as caught:
        ColumnEncoder().fit(table)
    assert caught.value.columns == ("a", "b", "c")
    message = str(caught.value)
    assert message.startswith(
        "column 'a': expected numbers, dates or categories; came free text (40 different texts "
        "in 40 rows, such as 'this is sentence number 0 of a report')"
    )
    assert "types={'a': 'ignored'}" in message
    assert message.endswith("The same holds for 'b', 'c'.")
    assert "\n" not in message


def test_what_is_refused_may_be_declared():
    kinds = ColumnEncoder(types={"a": "ignored", "b": "categorical"}).fit(
        {"a": SENTENCES, "b": SENTENCES, "n": range(ROWS)}
    )
    assert [spec.kind for spec in kinds.columns_] == ["ignored", "categorical", "numeric"]
    assert kinds.cardinalities_ == (ROWS + 1,)


@pytest.mark.parametrize(
    ("values", "kind", "names"),
    [
        ([1, 2, 3, 1], "categorical", ["c_1", "c_2", "c_3"]),
        ([1.0, 2.5, np.nan, 1.0], "categorical", ["c_1", "c_2.5"]),
        ([3, 4, 3, 4], "binary", ["c_4"]),
        (["1", "2.5", "", "7"], "numeric", ["c", "c_missing"]),
        (["2024-01-01", "2025-01-01", None, "2024-06-01"], "datetime",
         ["c_elapsed", "c_year_sin", "c_year_cos", "c_week_sin", "c_week_cos", "c_missing"]),
        ([True, False, True, True], "numeric", ["c"]),
        ([1, 2, 3, 4], "ignored", []),
    ],
)  # fmt: skip
def test_declared_types_win(values, kind, names):
    encoder = ColumnEncoder(types={"c": kind}).fit({"c": values})
    assert encoder.columns_[0].kind == kind
    assert encoder.columns_[0].declared
    assert encoder.get_feature_names_out().tolist() == names


@pytest.mark.parametrize(
    ("values", "kind", "message"),
    [
        (["1", "x", "3"], "numeric", "column 'c', row 1: expected a number; came 'x'"),
        (["1_000", "2", "3"], "numeric", "column 'c', row 0: expected a number; came '1_000'"),
        (DAYS[:3], "numeric", "column 'c': expected numbers; came dates or times"),
        (["2024-01-01", "soon"], "datetime", "column 'c', row 1: expected a date.*came 'soon'"),
        ([1, 2, 3], "datetime", "column 'c': expected dates or times; came numbers"),
        ([1, 2, 3], "binary", "column 'c': expected two values, as declared binary; came 3"),
    ],
)
def test_declared_types_that_do_not_fit_are_refused(values, kind, message):
    with pytest.raises(DataError, match=message):
        ColumnEncoder(types={"c": kind}).fit({"c": values})


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinity_is_refused_by_row(value):
    with pytest.raises(DataError, match="column 'c', row 2: expected a finite number; came -?inf"):
        ColumnEncoder().fit({"c": [1.0, 2.0, value]})
    encoder = ColumnEncoder().fit({"c": [1.0, 2.0, 3.0]})
    with pytest.raises(DataError, match="column 'c', row 1: expected a finite number; came -?inf"):
        encoder.transform({"c": [1.0, value]})


def test_infinity_in_a_file_is_refused_by_line(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("c\n1\n1e999\n")
    with pytest.raises(DataError, match="column 'c', line 3: expected a finite number; came inf"):
        ColumnEncoder().fit(path)


def test_a_slip_among_numbers_is_named_with_its_line(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("c,d\n" + "".join(f"{i},x\n" for i in range(50)) + "1o,y\n")
    message = r"column 'c': expected numbers, as in 50 of 51 cells; came '1o' in line 52\. Correct"
    with pytest.raises(DataError, match=message):
        ColumnEncoder().fit(path)
    assert ColumnEncoder(types={"c": "categorical"}).fit(path).cardinalities_ == (52,)
    assert ColumnEncoder().fit(read_table(path, missing=["1o"])).columns_[0].missing == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"types": {"c": "number"}}, r"types\['c'\]: expected one of numeric, .*; came 'number'"),
        ({"types": ["c"]}, "types: expected a mapping of columns to types; came list"),
        ({"types": {"z": "numeric"}}, "types: expected columns of X, not 'z'; came only 'c'"),
        ({"max_one_hot": 0}, "max_one_hot: expected an integer ≥ 1 or None; came 0"),
        ({"max_one_hot": True}, "max_one_hot: expected an integer ≥ 1 or None; came True"),
    ],
)
def test_options_are_checked(options, message):
    with pytest.raises(OptionError, match=message):
        ColumnEncoder(**options).fit({"c": [1, 2, 3]})


def test_too_many_categories_are_refused():
    values = [f"w{i}" for i in range(100_001)]
    with pytest.raises(
        DataError, match="column 'c': expected at most 100000 categories; came more"
    ):
        ColumnEncoder(types={"c": "categorical"}).fit({"c": values})


def test_a_value_repeated_in_any_chunk_does_not_identify(tmp_path):
    path = tmp_path / "t.csv"
    for repeated in (1, 35):
        names = [f"A{i}" for i in range(ROWS)]
        names[repeated] = names[repeated - 1]
        path.write_text("c,x\n" + "".join(f"{name},{i}\n" for i, name in enumerate(names)))
        encoder = ColumnEncoder().fit(TableReader(path, chunk_rows=10))
        assert encoder.columns_[0].kind == "categorical"
