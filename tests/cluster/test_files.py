"""Folders of Parquet and CSV files: what is read, what is refused, and where it was."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import chainrule as cr
from chainrule.cluster import files
from chainrule.cluster.frames import as_frame
from chainrule.errors import DataError, OptionError

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture
def frame(digits):
    named = pd.DataFrame(digits.X, columns=[f"p{i}" for i in range(64)])
    return named.assign(digit=digits.y)


@pytest.fixture
def folder(frame, tmp_path):
    frame[:700].to_parquet(tmp_path / "a.parquet", row_group_size=200)
    frame[700:700].to_parquet(tmp_path / "b.parquet")  # no rows
    frame[700:].to_parquet(tmp_path / "c.parquet", row_group_size=500)
    return tmp_path


def test_a_folder_trains_as_the_array_does(folder, frame, digits):
    make = {"alpha": 1e-2, "solver": "newton-cg", "tol": 1e-12}
    alone = cr.SoftmaxClassifier(**make).fit(frame.drop(columns="digit"), digits.y)
    for source in (folder, str(folder / "*.parquet")):
        found = cr.SoftmaxClassifier(**make).fit(source, "digit")
        np.testing.assert_allclose(found.coef_, alone.coef_, atol=1e-6)
    assert list(found.feature_names_in_) == list(frame.columns[:64])
    assert found.score(frame.drop(columns="digit"), digits.y) > 0.95


def test_small_row_groups_are_read_together(folder):
    loads = files.loads_of(folder, "digit", None, rows=350)
    assert [load.where.removeprefix(str(folder)) for load in loads] == [
        "/a.parquet, row groups 0 to 1",
        "/a.parquet, row groups 2 to 3",
        "/b.parquet, row group 0",
        "/c.parquet, row group 0",
        "/c.parquet, row group 1",
        "/c.parquet, row group 2",
    ]
    assert sum(len(load.read()[1]) for load in loads) == 1797


def test_bad_rows_are_named_with_file_and_row_group(folder, frame, monkeypatch):
    monkeypatch.setattr("chainrule.cluster.fitting.PIECE_BYTES", 1 << 30)  # one group a piece
    frame.loc[1300, "p9"] = np.nan
    frame[700:].to_parquet(folder / "c.parquet", row_group_size=500)
    with pytest.raises(DataError, match=r"c\.parquet, row group 1: .*NaN.*row 100, column 9"):
        cr.SoftmaxClassifier().fit(folder, "digit")
    lost = frame[["p0", "digit"]].astype({"digit": float})
    lost.loc[3, "digit"] = np.nan
    lost[:9].to_parquet(folder / "a.parquet")
    with pytest.raises(DataError, match=r"a\.parquet, row group 0: y: .* none in row 3"):
        cr.SoftmaxClassifier().fit(folder, "digit")


def test_a_damaged_file_is_named(folder):
    (folder / "b.parquet").write_bytes(b"PAR1 and nothing else")
    with pytest.raises(DataError, match=r"b\.parquet: expected a Parquet file"):
        cr.SoftmaxClassifier().fit(folder, "digit")


def test_tables_of_any_columns_from_either_kind_of_file(table, tmp_path):
    options = {"n_epochs": 16, "random_state": 0}
    alone = cr.RealMLPClassifier(**options).fit(table.drop(columns="label"), table["label"])
    for kind in ("parquet", "csv"):
        (tmp_path / kind).mkdir()
        for i, part in enumerate((table[:150], table[150:400], table[400:])):
            write = part.to_parquet if kind == "parquet" else part.to_csv
            write(tmp_path / kind / f"{i}.{kind}", index=False)
        found = cr.RealMLPClassifier(**options).fit(tmp_path / kind, "label")
        assert found.classes_.tolist() == ["large", "small"]
        assert [one.kind for one in found.encoder_.columns_] == [
            one.kind for one in alone.encoder_.columns_
        ]
        X, y = table.drop(columns="label"), table["label"]
        assert found.score(X, y) > alone.score(X, y) - 0.05 > 0.85


def test_values_are_learned_from_a_folder(table, tmp_path):
    table = table.copy()
    table["out"] = 3.0 * np.log(table["size"].fillna(1.0)) + (table["town"] == "Ulm") + 1000
    for i, part in enumerate((table[:50], table[50:])):
        part.drop(columns="label").to_parquet(tmp_path / f"{i}.parquet")
    found = cr.RealMLPRegressor(n_epochs=32, batch_size=32, random_state=0).fit(tmp_path, "out")
    X, y = table.drop(columns=["label", "out"]), table["out"]
    alone = cr.RealMLPRegressor(n_epochs=32, batch_size=32, random_state=0).fit(X, y)
    assert found.score(X, y) > alone.score(X, y) - 0.05
    np.testing.assert_array_equal(found.target_range_[:, 0], [y.min(), y.max()])
    assert found.target_center_[0] == pytest.approx(y.mean(), rel=1e-12)
    assert found.target_scale_[0] == pytest.approx(y.std(ddof=0), rel=1e-9)


def test_categories_of_single_files_are_all_known(tmp_path):
    rng = np.random.default_rng(0)
    for name, towns in (("a", ["Ulm", "Bonn"]), ("b", ["Köln", "Jena"])):
        town = rng.choice(towns, 100)
        frame = pd.DataFrame({"town": town, "x": rng.normal(size=100), "y": town == towns[0]})
        frame.astype({"town": "category"}).to_parquet(tmp_path / f"{name}.parquet")
    found = cr.RealMLPClassifier(n_epochs=8, random_state=0).fit(tmp_path, "y")
    assert found.encoder_.columns_[0].encoding.levels == ("Bonn", "Jena", "Köln", "Ulm")
    assert found.score(frame[["town", "x"]], frame["y"]) == 1.0


def test_lines_of_a_csv_file_are_cut_outside_of_quotes(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "CSV_BYTES", 100)
    lines = [f'{i},"a ""b""\nand, c {i % 3}",{i % 2}' for i in range(200)]
    (tmp_path / "x.csv").write_text("number,text,y\n" + "\n".join(lines) + "\n", encoding="utf-8")
    loads = files.loads_of(tmp_path / "x.csv", "y", None, 1)
    assert len(loads) > 20
    read = pd.concat([load.read()[0] for load in loads], ignore_index=True)
    pd.testing.assert_frame_equal(
        read, pd.read_csv(tmp_path / "x.csv")[["number", "text"]], check_dtype=False
    )


def test_a_cell_that_is_no_number_is_named_with_its_file(tmp_path):
    (tmp_path / "0.csv").write_text("x,y\n1,0\n2,1\n3,0\n", encoding="utf-8")
    (tmp_path / "1.csv").write_text("x,y\n1,0\nmany,1\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"1\.csv, bytes 4 to 15: .*many"):
        cr.SoftmaxClassifier().fit(tmp_path, "y")


def test_weights_are_a_column(folder, frame):
    weight = np.random.default_rng(0).uniform(0, 2, len(frame))
    for path in folder.glob("*"):
        path.unlink()
    frame.assign(w=weight).to_parquet(folder / "a.parquet", row_group_size=300)
    make = {"alpha": 1e-2, "solver": "newton-cg", "tol": 1e-12}
    found = cr.cluster.fit(cr.SoftmaxClassifier(**make), folder, "digit", sample_weight="w")
    X = frame.drop(columns="digit")
    alone = cr.SoftmaxClassifier(**make).fit(X, frame["digit"], weight)
    np.testing.assert_allclose(found.coef_, alone.coef_, atol=1e-6)


def test_what_is_not_there_is_said(folder, tmp_path):
    with pytest.raises(FileNotFoundError, match="no Parquet or CSV file"):
        cr.SoftmaxClassifier().fit(str(tmp_path / "*.pq"), "digit")
    with pytest.raises(DataError, match=r"a\.parquet: expected a column 'nothing'; came only"):
        cr.SoftmaxClassifier().fit(folder, "nothing")
    with pytest.raises(OptionError, match="the names of their columns in the files"):
        cr.cluster.fit(cr.SoftmaxClassifier(), folder, np.zeros(1797))
    pq.write_table(pa.table({"x": [1.0], "digit": [1]}), folder / "c.parquet")
    with pytest.raises(DataError, match="64 columns as in the first partition; came 1"):
        cr.SoftmaxClassifier().fit(folder, "digit")
    (folder / "d.csv").write_text("x,digit\n1,1\n", encoding="utf-8")
    with pytest.raises(OptionError, match="Parquet or CSV files; came both"):
        cr.SoftmaxClassifier().fit(folder, "digit")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floats_of_one_precision_lie_row_by_row(dtype, monkeypatch):
    monkeypatch.setattr("chainrule.cluster.frames.BLOCK_ROWS", 7)
    X = np.random.default_rng(0).normal(size=(50, 3)).astype(dtype)
    names = ["a", "b", "c"]
    tables = [pa.Table.from_pandas(pd.DataFrame(part, columns=names)) for part in np.split(X, [11])]
    table = pa.concat_tables(tables)  # columns in two chunks
    found = as_frame(table)
    assert found.columns.tolist() == names
    assert found.to_numpy().flags.c_contiguous
    np.testing.assert_array_equal(found, X)
    assert found.dtypes.tolist() == [np.dtype(dtype)] * 3


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"a": [1.0, None], "b": [2.0, 3.0]}),
        pd.DataFrame({"a": [1.0, 2.0], "b": np.array([2, 3], np.float32)}),
        pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]}),
        pd.DataFrame({"a": [1.0, 2.0]}, index=[3.5, 4.5]),
        pd.DataFrame({"a": [1.0, 2.0]})[:0],
    ],
)
def test_all_other_tables_are_read_as_arrow_gives_them(frame):
    table = pa.Table.from_pandas(frame)
    pd.testing.assert_frame_equal(as_frame(table), table.to_pandas())


def test_a_damaged_parquet_file_is_named_in_one_line(folder):
    path = folder / "a.parquet"
    whole = path.read_bytes()
    footer = int.from_bytes(whole[-8:-4], "little")
    for content in (b"", b"PAR1", whole[:-1], whole[: -8 - footer] + b"\xff" * footer + whole[-8:]):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"a\.parquet: expected a Parquet file; came ") as told:
            files.loads_of(path, "digit", None, rows=350)
        assert "\n" not in str(told.value)


def test_a_damaged_row_group_is_named_in_one_line(folder):
    path = folder / "a.parquet"
    whole = bytearray(path.read_bytes())
    whole[4:400] = b"\xff" * 396
    path.write_bytes(whole)
    first = files.loads_of(path, "digit", None, rows=350)[0]
    with pytest.raises(DataError, match=r"a\.parquet, row groups 0 to 1: ") as told:
        first.piece(0)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("content", "where"),
    [
        (b"a,digit\n1,2\n3\n", "t.csv: expected a CSV file; came .*2 columns"),
        (b"a,\xff,digit\n1,2,3\n", "t.csv: expected a CSV file; came .*utf-8"),
    ],
    ids=["a short row", "not UTF-8"],
)
def test_a_csv_file_that_cannot_be_read_is_named_in_one_line(tmp_path, content, where):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=where) as told:
        files.loads_of(path, "digit", None, rows=350)
    assert "\n" not in str(told.value)


def test_a_file_that_cannot_be_opened_is_an_error_of_the_system(tmp_path):
    with pytest.raises(FileNotFoundError):
        files.loads_of(tmp_path / "no.parquet", "digit", None, rows=350)
