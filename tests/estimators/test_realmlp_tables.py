"""Nasty tables: each is learnt from, or refused with one line that names what is wrong."""

from __future__ import annotations

import csv
import io
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chainrule.errors import ChainruleError
from chainrule.estimators import RealMLPClassifier, RealMLPRegressor
from chainrule.tables import ColumnEncoder, read_table

QUICK = {"n_epochs": 2, "hidden_layer_sizes": (4,), "random_state": 0}
ROWS = 30


def column(kind, rng, rows=ROWS):
    """One column of a nasty kind."""
    whole = np.arange(rows)
    made = {
        "plain": lambda: rng.normal(size=rows),
        "missing": lambda: np.full(rows, np.nan),
        "nothing": lambda: [None] * rows,
        "constant": lambda: np.full(rows, 3.5),
        "outliers": lambda: np.where(whole % 7 == 0, 1e30, rng.normal(size=rows)),
        "largest": lambda: np.where(whole % 2 == 0, 1.7e308, -1.7e308),
        "least": lambda: np.where(whole % 2 == 0, 5e-324, 0.0),
        "beyond 2^53": lambda: 2**60 + rng.integers(0, 3, rows),
        "unsigned": lambda: np.array([2**64 - 1, 0, 5] * rows, np.uint64)[:rows],
        "infinite": lambda: np.where(whole == 3, np.inf, 1.0),
        "mixed": lambda: [(1, "a", None, 2.5, True)[i % 5] for i in whole],
        "objects": lambda: [object() for _ in whole],
        "lists": lambda: [[1, 2] for _ in whole],
        "true": lambda: whole % 3 == 0,
        "text": lambda: [f"so many words in row {i} of this table" for i in whole],
        "signs": lambda: [("ä\n", '"', ",", ";", "\u202e", "", " ")[i % 7] for i in whole],
        "many": lambda: [f"level {i}" for i in rng.integers(0, 20, rows)],
        "rare": lambda: ["common"] * (rows - 1) + ["once"],
        "dates": lambda: pd.date_range("1600-01-01", periods=rows, freq="97D"),
        "complex": lambda: np.full(rows, 1 + 2j),
    }
    return made[kind]()


KINDS = [
    "plain", "missing", "nothing", "constant", "outliers", "largest", "least", "beyond 2^53",
    "unsigned", "infinite", "mixed", "objects", "lists", "true", "text", "signs", "many", "rare",
    "dates", "complex",
]  # fmt: skip
REFUSED = {"infinite", "objects", "lists", "text", "complex"}


def learnt_or_refused(X, y, kind=RealMLPClassifier, types=None):
    """The predictions, or None where the table was refused as it should be."""
    model = kind(**QUICK, types=types)
    refusal: Exception | None = None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "The number of unique classes is greater than 50%")
        try:
            predicted = model.fit(X, y).predict(X)
        except (ValueError, TypeError) as error:
            refusal = error
    if refusal is not None:
        assert isinstance(refusal, ChainruleError)
        assert "\n" not in str(refusal)
        assert len(str(refusal)) > 20
        return None
    if kind is RealMLPRegressor:
        assert np.isfinite(predicted).all()
    else:
        assert np.isfinite(model.predict_proba(X)).all()
    return predicted


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_column_beside_a_plain_one(kind):
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"plain": column("plain", rng), kind: column(kind, rng)})
    y = rng.integers(0, 2, ROWS)
    assert (learnt_or_refused(X, y) is None) == (kind in REFUSED)
    told = learnt_or_refused(X, y.astype(float), RealMLPRegressor)
    assert (told is None) == (kind in REFUSED)


TABLES = st.lists(st.sampled_from(KINDS), min_size=1, max_size=4, unique=True)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TABLES, st.integers(0, 99), st.sampled_from(["classes", "one each", "values", "one class"]))
def test_any_of_them_together(kinds, seed, target):
    rng = np.random.default_rng(seed)
    X = pd.DataFrame({kind: column(kind, rng) for kind in kinds})
    y = {
        "classes": rng.integers(0, 3, ROWS),
        "one each": np.arange(ROWS),
        "one class": np.zeros(ROWS, int),
        "values": 1e30 * rng.normal(size=ROWS),
    }[target]
    learnt_or_refused(X, y, RealMLPRegressor if target == "values" else RealMLPClassifier)


FORMS = st.fixed_dictionaries(
    {
        "mark": st.sampled_from(["", "\ufeff"]),
        "end": st.sampled_from(["\n", "\r\n", "\r"]),
        "separator": st.sampled_from([",", ";", "\t", "|"]),
        "quoting": st.sampled_from([csv.QUOTE_NONNUMERIC, csv.QUOTE_ALL]),
        "blank": st.booleans(),
    }
)
CELLS = st.sampled_from(["a", "b\nc", 'say "d"', "e, f", "g;h", "", "NA", "ü"])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(FORMS, st.lists(CELLS, min_size=ROWS, max_size=ROWS))
def test_files_of_any_form_hold_the_same_table(tmp_path_factory, form, cells):
    rng = np.random.default_rng(0)
    numbers = rng.integers(0, 50, ROWS)
    text = io.StringIO(newline="")
    writer = csv.writer(
        text, delimiter=form["separator"], lineterminator=form["end"], quoting=form["quoting"]
    )
    writer.writerow(["cell", "number"])
    writer.writerows(zip(cells, numbers.tolist(), strict=True))
    whole = form["mark"] + text.getvalue() + (2 * form["end"] if form["blank"] else "")
    path = tmp_path_factory.mktemp("form") / "t.csv"
    path.write_bytes(whole.encode())
    table = read_table(path)
    missing = [None if cell in ("", "NA") else cell for cell in cells]
    y = rng.integers(0, 2, ROWS)
    plain = {"cell": missing, "number": numbers.astype(float)}
    assert learnt_or_refused(plain, y) is not None
    assert learnt_or_refused(table, y) is not None
    one, two = (ColumnEncoder().fit(X).encode(X) for X in (table, plain))
    np.testing.assert_array_equal(one.dense, two.dense)
    np.testing.assert_array_equal(one.codes, two.codes)


def test_columns_called_the_same():
    X = pd.DataFrame(np.zeros((ROWS, 2)), columns=["a", "a"])
    with pytest.raises(ValueError, match="every column name once; came 'a' again"):
        RealMLPClassifier(**QUICK).fit(X, np.arange(ROWS) % 2)


@pytest.mark.parametrize("preset", ["td", "td-s"])
def test_ten_thousand_categories(preset):
    levels = [f"level {i}" for i in range(10_000)]
    X = pd.DataFrame({"many": levels * 2, "few": ["a", "b"] * 10_000})
    y = np.arange(20_000) % 2
    model = RealMLPClassifier(preset, **QUICK).fit(X, y)
    assert model.predict({"many": ["level 3", "unseen"], "few": ["a", "b"]}).tolist() == [0, 1]


def test_whole_numbers_beyond_doubles_are_kept_apart():
    """As categories, where their last digit is all that tells them apart."""
    X = pd.DataFrame({"key": [2**53, 2**53 + 1] * 100})
    model = RealMLPClassifier(**{**QUICK, "n_epochs": 64}, types={"key": "categorical"})
    y = np.arange(200) % 2
    assert model.fit(X, y).score(X, y) == 1.0


@pytest.mark.parametrize("missing", [9, 10])
def test_what_few_rows_miss_is_no_feature(missing):
    a, b = np.random.default_rng(0).normal(size=(2, 100))
    y = (a > 0).astype(int)
    a[:missing] = np.nan
    held = {"a": a[-9:], "b": b[-9:]}, y[-9:]
    model = RealMLPClassifier(n_epochs=1).fit({"a": a, "b": b}, y, validation_data=held)
    told = ["a_missing"] if missing >= 10 else []
    assert list(model.encoder_.get_feature_names_out()) == ["a", *told, "b"]
