"""The numbers that come out, against the recipe's formulas written in plain NumPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.errors import DataError
from chainrule.tables import ColumnEncoder, TableReader, read_table


def scaled(column):
    """The recipe: x − median, ÷ (q75 − q25), or ½ (max − min), or × 0; then the smooth clip."""
    known = column[~np.isnan(column)]
    spread = np.quantile(known, 0.75) - np.quantile(known, 0.25)
    spread = spread if spread else (known.max() - known.min()) / 2
    z = (column - np.median(known)) / spread if spread else 0 * column
    return np.nan_to_num(z / np.sqrt(1 + (z / 3) ** 2))


def test_numbers_are_centred_scaled_and_clipped():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(5, 3, 200), rng.standard_cauchy(200), rng.integers(0, 99, 200)])
    encoded = ColumnEncoder().fit(X).encode(X)
    assert encoded.dense.dtype == np.float32
    expected = np.column_stack([scaled(column) for column in X.T])
    np.testing.assert_allclose(encoded.dense, expected, rtol=1e-6, atol=1e-7)
    assert encoded.codes.shape == (200, 0)


def test_without_a_middle_half_the_range_counts():
    x = np.array([0.0] * 18 + [5.0, -1.0])
    encoded = ColumnEncoder().fit({"x": x}).encode({"x": x})
    np.testing.assert_allclose(encoded.dense[:, 0], scaled(x), rtol=1e-6)
    z = 5 / 3
    np.testing.assert_allclose(encoded.dense[18, 0], z / np.sqrt(1 + (z / 3) ** 2), rtol=1e-6)


def test_missing_numbers_are_the_median_and_are_indicated():
    x = np.array([1.0, np.nan, 4.0, 2.0, np.nan, 9.0, 3.0])
    encoder = ColumnEncoder().fit({"x": x})
    dense = encoder.encode({"x": x}).dense
    assert encoder.dense_kinds_ == ("numeric", "indicator")
    np.testing.assert_allclose(dense[:, 0], scaled(x), rtol=1e-6)
    np.testing.assert_allclose(dense[:, 1], scaled(np.isnan(x) * 1.0), rtol=1e-6)
    assert dense[1, 0] == 0
    # not missing in training: the median stands in, nothing is indicated
    complete = ColumnEncoder().fit({"x": [1.0, 2.0, 3.0, 5.0]})
    np.testing.assert_array_equal(complete.encode({"x": [None, 2.5]}).dense[:, 0], [0, 0])


def test_two_values_are_plus_and_minus_one():
    values = ["no", "yes", None, "no", "yes", "yes", "yes", "no"]
    raw = np.array([-1, 1, 0, -1, 1, 1, 1, -1.0])
    encoder = ColumnEncoder().fit({"c": values})
    dense = encoder.encode({"c": [*values, "perhaps"]}).dense[:, 0]
    np.testing.assert_allclose(dense[:-1], scaled(raw), rtol=1e-6)
    assert dense[-1] == dense[2]
    assert encoder.get_feature_names_out().tolist() == ["c_yes"]
    assert encoder.dense_kinds_ == ("binary",)


@pytest.mark.parametrize("count", [3, 8])
def test_up_to_nine_levels_with_missing_are_one_hot(count):
    levels = [f"w{i}" for i in range(count)]
    values = [*levels, None, "w0", "w0", "w0", "w0", "w1"]
    raw = np.array([[float(value == level) for level in levels] for value in values])
    encoder = ColumnEncoder().fit({"c": values})
    encoded = encoder.encode({"c": [*values, "unseen"]})
    np.testing.assert_allclose(
        encoded.dense[:-1], np.column_stack([scaled(c) for c in raw.T]), rtol=1e-6
    )
    np.testing.assert_array_equal(encoded.dense[-1], encoded.dense[count])
    assert encoder.get_feature_names_out().tolist() == [f"c_{level}" for level in levels]


def test_more_levels_are_codes_from_one_in_order():
    levels = [f"w{i}" for i in range(9)]
    values = [*levels[::-1], None, "w3"]
    encoder = ColumnEncoder().fit({"c": values, "n": np.arange(11.0)})
    encoded = encoder.encode({"c": [*values, "unseen"], "n": np.arange(12.0)})
    assert encoded.codes.dtype == np.int32
    assert encoded.codes[:, 0].tolist() == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 4, 0]
    assert encoder.cardinalities_ == (10,)
    assert encoder.get_feature_names_out().tolist() == ["n", "c"]
    joined = encoder.transform({"c": values, "n": np.arange(11.0)})
    np.testing.assert_array_equal(joined[:, 1], encoded.codes[:11, 0])
    np.testing.assert_array_equal(joined[:, 0], encoded.dense[:11, 0])


def test_one_hot_for_all_where_asked():
    values = [f"w{i:03}" for i in range(200)] * 2
    encoder = ColumnEncoder(max_one_hot=None).fit({"c": values})
    encoded = encoder.encode({"c": values})
    assert encoded.codes.shape == (400, 0)
    # 2 ones in 400 rows: median and quartiles are 0, so half the range scales
    one = 2 / np.sqrt(1 + (2 / 3) ** 2)
    np.testing.assert_allclose(encoded.dense, one * np.tile(np.eye(200), (2, 1)), rtol=1e-6)


def test_numbers_as_categories_are_ordered_as_numbers():
    encoder = ColumnEncoder(types={"c": "categorical"}).fit({"c": [10, 9, 2, 10]})
    assert encoder.get_feature_names_out().tolist() == ["c_2", "c_9", "c_10"]


def test_times_are_elapsed_and_where_in_their_cycles():
    # 2024-01-01 was a Monday
    times = np.array(["2024-01-01T06", "2024-01-04T00", "NaT", "2024-01-03T12"], "M8[s]")
    encoder = ColumnEncoder().fit({"t": times})
    dense = encoder.encode({"t": times}).dense
    names = encoder.get_feature_names_out().tolist()
    part = {name: dense[:, place] for place, name in enumerate(names)}
    days = np.array([0.25, 3, np.nan, 2.5])
    np.testing.assert_allclose(part["t_elapsed"], scaled(days), rtol=1e-6, atol=1e-7)
    for cycle, share in (("week", days / 7), ("day", days)):
        sin, cos = np.sin(2 * np.pi * share), np.cos(2 * np.pi * share)
        np.testing.assert_allclose(part[f"t_{cycle}_sin"], np.nan_to_num(sin), atol=1e-6)
        np.testing.assert_allclose(part[f"t_{cycle}_cos"], np.nan_to_num(cos), atol=1e-6)
    np.testing.assert_allclose(part["t_missing"], scaled(np.isnan(days) * 1.0), rtol=1e-6)
    year = np.arctan2(part["t_year_sin"], part["t_year_cos"])[[0, 1, 3]] % (2 * np.pi)
    np.testing.assert_allclose(year, 2 * np.pi * days[[0, 1, 3]] / 365.2425, atol=0.03)


def test_cycles_that_stand_still_give_no_feature():
    weeks = np.datetime64("2024-01-01") + 7 * np.arange(5)
    names = ColumnEncoder().fit({"t": weeks}).get_feature_names_out().tolist()
    assert names == ["t_elapsed", "t_year_sin", "t_year_cos"]


def test_extreme_numbers_stay_finite_and_in_order():
    largest = np.finfo(float).max
    x = np.array([-largest, -1e30, -1.0, 0.0, 5e-324, 1.0, 1e30, largest, np.nan])
    for training in (x, x[2:6], x[[3, 4]], x[[0, 7]]):
        y = ColumnEncoder(types={"x": "numeric"}).fit({"x": training}).encode({"x": x}).dense[:, 0]
        assert np.isfinite(y).all()
        assert (np.diff(y[:-1]) >= 0).all()
        assert np.abs(y).max() <= 3


def test_an_outlier_does_not_move_the_rest():
    x = np.random.default_rng(0).normal(size=1001)
    plain = ColumnEncoder().fit({"x": x}).encode({"x": x}).dense
    x[0] = 1e30
    wild = ColumnEncoder().fit({"x": x}).encode({"x": x}).dense
    np.testing.assert_allclose(wild[1:], plain[1:], atol=0.01)
    assert 2.99 < wild[0, 0] <= 3


def test_constant_and_identifying_columns_give_nothing_but_are_known():
    table = {"id": range(30), "k": [5] * 30, "x": np.linspace(0, 1, 30), "none": [None] * 30}
    encoder = ColumnEncoder().fit(table)
    assert encoder.get_feature_names_out().tolist() == ["x"]
    assert encoder.n_features_in_ == 4
    assert encoder.encode({"x": [0.5]}).dense.shape == (1, 1)


def test_a_table_that_says_nothing_has_no_features():
    assert ColumnEncoder().fit_transform({"k": [1, 1]}).shape == (2, 0)


def test_feature_names_are_never_the_same_twice():
    table = {"x": [1.0, None, 3.0], "x_missing": [1.0, 2.0, 4.0], "c": ["x", "y", "x"]}
    names = ColumnEncoder().fit(table).get_feature_names_out().tolist()
    assert names == ["x", "x_missing", "x_missing_", "c_y"]


def test_ten_thousand_categories():
    values = [f"w{i % 10_000}" for i in range(25_000)]
    encoder = ColumnEncoder().fit({"c": values})
    codes = encoder.encode({"c": values}).codes[:, 0]
    assert encoder.cardinalities_ == (10_001,)
    assert sorted(set(codes.tolist())) == list(range(1, 10_001))
    order = {level: place for place, level in enumerate(sorted(set(values)), start=1)}
    assert codes.tolist() == [order[value] for value in values]


def test_adult_by_hand(shared_data):
    folder = shared_data / "tabular"
    train = read_table(folder / "adult_train.csv").without("income")
    encoder = ColumnEncoder().fit(train)
    test = encoder.encode(read_table(folder / "adult_test.csv").without("income"))
    assert test.dense.shape == (16281, 33)
    assert encoder.cardinalities_ == (17, 15, 42)
    rows = np.loadtxt(folder / "adult_train.csv", delimiter=",", skiprows=1, usecols=0)
    known = np.quantile(rows, [0.25, 0.5, 0.75])
    z = (25 - known[1]) / (known[2] - known[0])  # the first row of the test part is 25 years old
    np.testing.assert_allclose(test.dense[0, 0], z / np.sqrt(1 + (z / 3) ** 2), rtol=1e-6)


@pytest.mark.parametrize("chunk_rows", [97, 5000])
def test_a_stream_is_the_whole(shared_data, chunk_rows):
    path = shared_data / "tabular" / "california_housing.csv"
    whole = ColumnEncoder().fit(path)
    stream = ColumnEncoder().fit(TableReader(path, chunk_rows=chunk_rows))
    assert stream.to_dict() == whole.to_dict()
    chunks = list(stream.encode_chunks(TableReader(path, chunk_rows=chunk_rows)))
    expected = whole.encode(path)
    np.testing.assert_array_equal(np.concatenate([c.dense for c in chunks]), expected.dense)
    np.testing.assert_array_equal(np.concatenate([c.codes for c in chunks]), expected.codes)
    assert max(map(len, chunks)) <= chunk_rows


def test_an_empty_table_is_refused():
    with pytest.raises(DataError, match=r"0 sample\(s\)"):
        ColumnEncoder().fit({"a": []})
    with pytest.raises(DataError, match=r"0 feature\(s\)"):
        ColumnEncoder().fit({})
    with pytest.raises(DataError, match=r"0 sample\(s\)"):
        ColumnEncoder().fit({"a": [1, 2]}).transform({"a": []})


floats = st.floats(allow_nan=True, allow_infinity=False)


@given(st.lists(floats, min_size=1, max_size=30), st.lists(floats, min_size=1, max_size=10))
def test_any_numbers_are_encoded_within_three(training, new):
    encoder = ColumnEncoder(types={"x": "numeric"}).fit({"x": training})
    for values in (training, new):
        dense = encoder.encode({"x": values}).dense
        assert np.isfinite(dense).all()
        assert np.abs(dense).max(initial=0) <= 3
