"""One table from many kinds of data: pandas, polars, NumPy, dicts, files, all the same numbers."""

import datetime as dt
import subprocess
import sys
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse

from chainrule.errors import DataError, WrongTypeError
from chainrule.tables import ColumnEncoder, as_table

NAN = float("nan")
DAYS = [dt.datetime(2024, 1, 31, 12), None, dt.datetime(2020, 2, 29), dt.datetime(2021, 7, 1, 6)]
DATA = {
    "number": [1.5, None, -2.0, 1e30],
    "whole": [3, 1, 2, 3],
    "word": ["a", "b", None, "a"],
    "flag": [True, None, False, True],
    "day": DAYS,
}


def structured():
    kinds = [("number", "f8"), ("whole", "i2"), ("word", "U5"), ("flag", "O"), ("day", "M8[s]")]
    rows = zip(*DATA.values(), strict=True)
    filled = [(NAN if a is None else a, b, c or "", d, e) for a, b, c, d, e in rows]
    return np.array(filled, dtype=kinds)


def csv_file(folder):
    path = folder / "data.csv"
    with open(path, "w", encoding="utf-8") as file:
        print(*DATA, sep=",", file=file)
        for row in zip(*DATA.values(), strict=True):
            print(*("" if value is None else value for value in row), sep=",", file=file)
    return path


SOURCES = {
    "dict": lambda folder: DATA,
    "dict of arrays": lambda folder: {k: np.array(v, dtype=object) for k, v in DATA.items()},
    "pandas": lambda folder: pd.DataFrame(DATA),
    "pandas nullable": lambda folder: pd.DataFrame(DATA).astype(
        {"number": "Float64", "whole": "Int64", "word": "string", "flag": "boolean"}
    ),
    "pandas objects": lambda folder: pd.DataFrame(DATA, dtype=object),
    "pandas categorical": lambda folder: pd.DataFrame(DATA).astype({"word": "category"}),
    "polars": lambda folder: pl.DataFrame(DATA),
    "polars categorical": lambda folder: pl.DataFrame(
        DATA, schema_overrides={"word": pl.Categorical, "whole": pl.UInt8}
    ),
    "structured": lambda folder: structured(),
    "csv": csv_file,
}


@pytest.mark.parametrize("kind", SOURCES)
def test_all_give_the_same_numbers(tmp_path, kind):
    expected = ColumnEncoder().fit(DATA)
    names = expected.get_feature_names_out().tolist()
    assert names == [
        "number", "number_missing", "whole", "word_b", "flag_True",
        "day_elapsed", "day_year_sin", "day_year_cos", "day_week_sin", "day_week_cos",
        "day_day_sin", "day_day_cos", "day_missing",
    ]  # fmt: skip
    source = SOURCES[kind](tmp_path)
    encoder = ColumnEncoder().fit(source)
    assert [spec.kind for spec in encoder.columns_] == [spec.kind for spec in expected.columns_]
    np.testing.assert_array_equal(encoder.transform(source), expected.transform(DATA))
    # what was learned from one kind reads any other
    np.testing.assert_array_equal(expected.transform(source), expected.transform(DATA))
    np.testing.assert_array_equal(encoder.transform(DATA), expected.transform(DATA))


def test_times_with_a_zone_are_taken_in_utc():
    naive = pd.to_datetime(["2024-01-01 12:00", "2024-06-01 12:00", None])
    berlin = naive.tz_localize("UTC").tz_convert("Europe/Berlin")
    zoned = pl.DataFrame({"t": naive}).with_columns(
        pl.col("t").dt.replace_time_zone("UTC").dt.convert_time_zone("Asia/Tokyo")
    )
    plain = as_table({"t": naive.to_numpy()})["t"].values
    objects = [None if pd.isna(t) else t.to_pydatetime() for t in berlin]
    for source in (pd.DataFrame({"t": berlin}), zoned, {"t": objects}):
        np.testing.assert_array_equal(as_table(source)["t"].values, plain)


@pytest.mark.parametrize(
    ("values", "storage", "expected"),
    [
        ([1, 2.5, None, NAN], "number", [1, 2.5, NAN, NAN]),
        ([1, None, pd.NA, np.int8(4)], "number", [1, NAN, NAN, 4]),
        ([Decimal("1.5"), Decimal("NaN"), 1], "number", [1.5, NAN, 1]),
        ([2**70, 1, 2], "number", [2.0**70, 1, 2]),
        ([2**62 + 1, 1], "number", [2**62 + 1, 1]),
        ([10**17, None], "number", [1e17, NAN]),
        (np.array([1, 2], "m8[h]"), "number", [3600, 7200]),
        (np.ma.array([1, 2, 3], mask=[0, 1, 0]), "number", [1, NAN, 3]),
        ([None, NAN], "number", [NAN, NAN]),
        (np.array([1, 2], np.float16), "number", [1, 2]),
    ],
)
def test_numbers_of_all_kinds(values, storage, expected):
    column = as_table({"c": values})["c"]
    assert column.storage == storage
    np.testing.assert_array_equal(column.values, expected)


def test_durations_are_seconds():
    lengths = [dt.timedelta(hours=1), None, dt.timedelta(milliseconds=1500)]
    for source in (pl.DataFrame({"t": lengths}), pd.DataFrame({"t": lengths})):
        np.testing.assert_array_equal(as_table(source)["t"].values, [3600, NAN, 1.5])


def test_dates_of_polars_and_of_python():
    days = [dt.date(2024, 1, 31), None]
    for source in (pl.DataFrame({"t": days}), {"t": days}):
        column = as_table(source)["t"]
        assert column.values[0] == np.datetime64("2024-01-31")
        assert column.missing.tolist() == [False, True]


@pytest.mark.parametrize(
    ("values", "levels"),
    [
        ([1, "a", None, 2.0, True], ("1", "a", "2", "True")),
        ([1, True, 0.5], ("1", "True", "0.5")),
        ([2**53 + 1, None, 2**53], ("9007199254740993", "9007199254740992")),
        ([2**70 + 1, 1], (str(2**70 + 1), "1")),
        (["x", 2**63, 2.0**63, -0.0], ("x", str(2**63), "0")),
        (np.array([b"x", b"\xc3\xa4", b""]), ("x", "ä")),
        (np.array(["x", "", "y"]), ("x", "y")),
        (pd.Series(["x", None, "y"], dtype="string"), ("x", "y")),
        ([np.str_("x"), None, "y"], ("x", "y")),
        ([dt.date(2020, 1, 1), "x"], ("2020-01-01T00:00:00.000000", "x")),
    ],
)
def test_text_of_all_kinds(values, levels):
    column = as_table({"c": values})["c"]
    mixed = not all(isinstance(value, (str, bytes, type(None))) for value in values)
    assert column.storage == ("mixed" if mixed else "text")
    assert column.levels == levels


@pytest.mark.parametrize(
    ("values", "cells"),
    [
        (pd.Categorical(["x", None, "y"], categories=["z", "y", "x"]), ["x", None, "y"]),
        (pd.Categorical([30, 4, None]), ["30", "4", None]),
        (pd.Categorical([1.5, 2.0]), ["1.5", "2"]),
        (pd.Categorical([True, False]), ["True", "False"]),
        (pd.Categorical([1, "a", None], categories=["a", 1]), ["1", "a", None]),
        (pd.cut([1, 5, NAN], [0, 2, 9]), ["(0, 2]", "(2, 9]", None]),
    ],
)
def test_categoricals_are_levels_whatever_they_hold(values, cells):
    column = as_table(pd.DataFrame({"c": values}))["c"]
    assert [None if code < 0 else column.levels[code] for code in column.values] == cells
    assert ColumnEncoder().fit(pd.DataFrame({"c": values})).columns_[0].kind != "numeric"


def test_a_categorical_of_numbers_is_read_again_from_numbers():
    frame = pd.DataFrame({"c": pd.Categorical([30, 4, 7, 4])})
    encoder = ColumnEncoder().fit(frame)
    assert encoder.get_feature_names_out().tolist() == ["c_30", "c_4", "c_7"]
    plain = {"c": [30.0, 4.0, 7.0, 4.0]}
    np.testing.assert_array_equal(encoder.transform(plain), encoder.transform(frame))


def test_arrays_without_names_are_called_by_place():
    table = as_table(np.array([[1, "a"], [2, None]], dtype=object))
    assert (table.names, table.named) == (("x0", "x1"), False)
    assert [table[name].storage for name in table] == ["number", "text"]
    assert as_table([[1, "a"], [2, "b"]])["x0"].storage == "number"
    numbered = as_table(pd.DataFrame([[1.0, 2.0]]))
    assert (numbered.names, numbered.named) == (("x0", "x1"), False)


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        ({"a": [1], "b": [1, 2]}, DataError, "column 'b': expected 1 values as in the others"),
        ({"a": [1, [2]]}, WrongTypeError, "column 'a', row 1: expected a number.*type list"),
        ({"a": [{"b": 1}]}, WrongTypeError, "column 'a', row 0: .* a value of type dict"),
        ({"a": [1, 2j]}, DataError, "Complex data not supported: column 'a', row 1"),
        ({"a": np.ones((2, 2))}, DataError, r"column 'a': expected one value a row; .*\(2, 2\)"),
        ({"a": [10**400]}, DataError, "column 'a', row 0: expected a number that float64 can hold"),
        ({"a": "text"}, WrongTypeError, "column 'a': expected a sequence of values; came a str"),
        ({"a": [b"\xff"], "b": [1]}, WrongTypeError, "column 'a', row 0.*bytes"),
        ({"a": np.array([b"\xff"])}, DataError, "column 'a': expected text in UTF-8"),
        ({3: [1]}, WrongTypeError, "expected column names that are strings; came 3"),
        (np.ones(3), DataError, "Expected 2D array, got 1D array instead.*Reshape your data"),
        ([[1, 2], [3]], DataError, "rows of equal length"),
        (pd.Series([1, 2]), DataError, r"a Series of one column.*X.to_frame\(\)"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), DataError, "every column name once; came 'a'"),
        (pd.DataFrame([[1, 2]], columns=["a", 3]), WrongTypeError, "all strings.*came 3 among"),
        (pl.LazyFrame({"a": [1]}), WrongTypeError, r"came a LazyFrame. Call .collect\(\)"),
        (pl.DataFrame({"a": [[1]]}), WrongTypeError, "column 'a', row 0: .*type list"),
        (np.ones((2, 2), dtype=[("a", float)]), DataError, "a structured array of one dimension"),
    ],
)
def test_what_is_no_table_is_refused_by_name(X, error, message):
    with pytest.raises(error, match=message) as caught:
        as_table(X)
    assert "\n" not in str(caught.value)


def test_sparse_matrices_are_refused():
    with pytest.raises(WrongTypeError, match="expected a dense table; came a sparse matrix"):
        as_table(scipy.sparse.eye_array(3).tocsr())


def test_no_library_of_frames_is_needed():
    code = (
        "import sys; sys.modules.update(dict.fromkeys(['pandas', 'polars', 'pyarrow']));"
        "from chainrule.tables import ColumnEncoder;"
        "ColumnEncoder().fit_transform({'a': [1, None, 3], 'b': ['x', 'y', 'x']})"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
