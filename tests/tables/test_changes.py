"""After training: permuted, unknown and lost columns, changed types, unseen values, no leakage."""

import warnings

import numpy as np
import pandas as pd
import pytest

from chainrule.errors import DataError
from chainrule.tables import ColumnEncoder

TRAIN = {
    "age": [39.0, 50.0, None, 38.0],
    "sex": ["m", "f", "f", "m"],
    "zip": ["01234", "80331", "80331", None],
    "flag": [True, False, True, None],
    "day": np.array(["2024-01-01", "2024-02-01", "2024-05-07", "NaT"], "M8[D]"),
    "group": [1, 2, 3, 1],
}
TYPES = {"group": "categorical"}


@pytest.fixture
def encoder():
    return ColumnEncoder(types=TYPES).fit(TRAIN)


def test_permuted_columns_give_the_same(encoder):
    expected = encoder.transform(TRAIN)
    for names in (list(TRAIN)[::-1], sorted(TRAIN)):
        permuted = {name: TRAIN[name] for name in names}
        np.testing.assert_array_equal(encoder.transform(permuted), expected)
        np.testing.assert_array_equal(encoder.transform(pd.DataFrame(permuted)), expected)


def test_the_order_of_rows_does_not_matter(encoder):
    shuffled = {name: [values[i] for i in (2, 0, 3, 1)] for name, values in TRAIN.items()}
    assert ColumnEncoder(types=TYPES).fit(shuffled).to_dict() == encoder.to_dict()


def test_unknown_and_lost_columns_are_named(encoder):
    table = {name: values for name, values in TRAIN.items() if name not in ("age", "zip")}
    with pytest.raises(DataError) as caught:
        encoder.transform({**table, "income": [1, 2, 3, 4]})
    assert str(caught.value).startswith(
        "X: expected the columns of training; came no 'age', no 'zip', an unknown 'income'."
    )


def test_many_unknown_columns_are_counted():
    encoder = ColumnEncoder().fit({"a": [1, 2]})
    with pytest.raises(DataError, match="an unknown 'c9', 21 more\\. "):
        encoder.transform({"a": [1], **{f"c{i}": [1] for i in range(31)}})


def test_columns_that_say_nothing_may_be_lost():
    encoder = ColumnEncoder(types={"i": "ignored"}).fit({"k": [1, 1], "i": [1, 2], "x": [1, 2]})
    assert encoder.transform({"x": [1.5]}).shape == (1, 1)
    assert encoder.transform({"x": [1.5], "k": ["other"], "i": [[]]} | {"i": [0]}).shape == (1, 1)


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("age", ["39", "x"], r"expected numbers as in training; came text \('39' in row 0\)"),
        ("age", [None, True], r"expected numbers as in training; came True and False \('True'"),
        ("age", [1, True], "row 1: expected a number; came 'True'"),
        ("age", np.array(["2020-01-01"], "M8[D]"), "expected numbers.*came dates or times"),
        ("sex", [None, 3.5], r"expected text as in training; came numbers \(3.5 in row 1\)"),
        ("sex", [True, False], "expected text as in training; came True and False"),
        ("zip", [1234, 80331], r"expected text as in training; came numbers \(1234 in row 0\)"),
        ("flag", ["yes", "no"], "expected True and False as in training; came text"),
        ("flag", [1, 0], "expected True and False as in training; came numbers"),
        ("day", [20240101], "expected dates or times as in training; came numbers"),
        ("day", ["someday"], "row 0: expected a date such as 2024-01-31.*; came 'someday'"),
    ],
)
def test_a_changed_type_is_named_with_a_value(encoder, name, values, message):
    table = {other: [None] * len(values) for other in TRAIN} | {name: values}
    with pytest.raises(DataError, match=f"column {name!r}.*{message}"):
        encoder.transform(table)


@pytest.mark.parametrize(
    ("name", "values", "same"),
    [
        ("age", [39, 50], [39.0, 50.0]),
        ("age", np.array([39, 50], np.uint8), [39.0, 50.0]),
        ("day", ["2024-01-01", "1.2.2024"], np.array(["2024-01-01", "2024-02-01"], "M8[D]")),
        ("group", [1.0, 3.0], [1, 3]),
        ("group", ["1", "3.0"], [1, 3]),
        ("sex", ["m", "other"], ["m", None]),
        ("group", [1, 7], [1, None]),
    ],
)
def test_the_same_values_in_another_dress_are_the_same(encoder, name, values, same):
    nothing = {other: [None, None] for other in TRAIN}
    first = encoder.transform(nothing | {name: values})
    np.testing.assert_array_equal(first, encoder.transform(nothing | {name: same}))


def test_all_missing_columns_always_fit(encoder):
    out = encoder.transform({name: [None, None] for name in TRAIN})
    assert np.isfinite(out).all()
    np.testing.assert_array_equal(out[0], out[1])


def test_a_file_may_spell_true_in_its_own_way(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("flag,x\ntrue,1\nfalse,2\nTRUE,3\n")
    with pytest.raises(DataError):
        ColumnEncoder(types={"flag": "binary"}).fit(path)
    path.write_text("flag,x\ntrue,1\nfalse,2\ntrue,3\n")
    encoder = ColumnEncoder().fit(path)
    frame = {"flag": [True, False, True], "x": [1, 2, 3]}
    np.testing.assert_array_equal(encoder.transform(frame), encoder.transform(path))


def test_without_names_columns_go_by_place():
    X = np.random.default_rng(0).normal(size=(20, 2))
    frame = pd.DataFrame(X, columns=["a", "b"])
    named = ColumnEncoder().fit(frame)
    with pytest.warns(UserWarning, match="X does not have valid feature names, but ColumnEncoder"):
        np.testing.assert_array_equal(named.transform(X), named.transform(frame))
    plain = ColumnEncoder().fit(X)
    with pytest.warns(UserWarning, match="X has feature names, but ColumnEncoder was fitted witho"):
        np.testing.assert_array_equal(plain.transform(frame), plain.transform(X))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plain.transform(X)
    with pytest.raises(DataError, match="X has 3 features, but ColumnEncoder is expecting 2"):
        plain.transform(np.ones((1, 3)))


def test_nothing_is_learned_from_other_rows():
    """A column whose only information lies in the statistics of the test part."""
    rng = np.random.default_rng(0)
    train = {"x": rng.normal(size=50), "c": ["a", "b"] * 25}
    encoder = ColumnEncoder().fit(train)
    before = encoder.to_dict()
    target = np.array([0, 1] * 10)
    leaking = {"x": 1e6 * target + 5.0, "c": np.where(target, "unseen 1", "unseen 2")}
    alone = np.concatenate(
        [encoder.transform({"x": [x], "c": [c]}) for x, c in zip(*leaking.values(), strict=True)]
    )
    np.testing.assert_array_equal(encoder.transform(leaking), alone)
    assert encoder.to_dict() == before
    # which unseen level it is cannot be told, so nothing about the target is left in it
    assert len(np.unique(encoder.transform(leaking)[:, 1])) == 1


def test_a_second_fit_forgets_the_first():
    encoder = ColumnEncoder().fit(TRAIN)
    encoder.fit(np.array([[1.0], [2.0], [4.0]]))
    assert not hasattr(encoder, "feature_names_in_")
    assert encoder.get_feature_names_out().tolist() == ["x0"]
