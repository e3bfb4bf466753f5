"""An encoder learned from parts of a table is the one learned from the whole."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest

from chainrule.errors import DataError
from chainrule.tables import ColumnEncoder
from chainrule.tables.columns import Table
from chainrule.tables.quantiles import Quantiles
from chainrule.tables.sources import as_table


def frame(rows: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "size": np.where(rng.random(rows) < 0.1, np.nan, rng.lognormal(size=rows)),
            "count": rng.integers(0, 50, rows),
            "town": rng.choice(["Ulm", "Bonn", "Köln", None], rows),
            "zip": rng.choice([f"{code:05d}" for code in range(40)], rows),
            "flag": rng.random(rows) < 0.3,
            "when": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 9000, rows), "h"),
            "user_id": np.arange(rows),
            "nothing": np.full(rows, None),
            "one": "same",
        }
    )


def each_of(parts: list[pd.DataFrame]):
    """``each`` as other machines would answer it: through pickles."""

    def each(look):
        asked = [pickle.loads(pickle.dumps(look)) for _ in parts]
        found = [look(as_table(part)) for look, part in zip(asked, parts, strict=True)]
        return pickle.loads(pickle.dumps(found))

    return each


@pytest.mark.parametrize("edges", [[], [1], [150], [20, 21, 22, 290]])
def test_parts_teach_what_the_whole_teaches(edges):
    whole = frame()
    parts = [whole.iloc[a:b] for a, b in zip([0, *edges], [*edges, len(whole)], strict=True)]
    learned = ColumnEncoder().fit_parts(each_of(parts))
    wanted = ColumnEncoder().fit(whole)
    assert learned.to_dict() == wanted.to_dict()
    found, known = learned.encode(whole), wanted.encode(whole)
    np.testing.assert_array_equal(found.dense, known.dense)
    np.testing.assert_array_equal(found.codes, known.codes)


def test_categories_that_only_one_part_has_are_known():
    parts = [pd.DataFrame({"c": ["a", "b", "a"]}), pd.DataFrame({"c": ["z", "b", "z"]})]
    learned = ColumnEncoder().fit_parts(each_of(parts))
    assert learned.columns_[0].encoding.levels == ("a", "b", "z")


def test_a_part_in_which_a_column_is_empty_has_no_say_in_its_type():
    parts = [pd.DataFrame({"c": [None, None]}), pd.DataFrame({"c": [1.5, 2.5]})]
    learned = ColumnEncoder().fit_parts(each_of(parts))
    assert learned.columns_[0].kind == "numeric"
    assert learned.columns_[0].missing == 2


def test_parts_that_do_not_fit_together_are_refused_by_column():
    numbers, texts = pd.DataFrame({"c": [1.0, 2.0]}), pd.DataFrame({"c": ["x", "y"]})
    with pytest.raises(DataError, match=r"column 'c': expected numbers .* came text"):
        ColumnEncoder().fit_parts(each_of([numbers, texts]))
    with pytest.raises(DataError, match=r"no 'c', an unknown 'd'"):
        ColumnEncoder().fit_parts(each_of([numbers, texts.rename(columns={"c": "d"})]))


def test_joined_sketches_of_quantiles_keep_their_bound():
    values = np.random.default_rng(1).normal(size=50_000)
    limit = 512
    joined = Quantiles(limit)
    for part in np.array_split(values, 13):
        own = Quantiles(limit)
        own.add(part)
        joined.join(own)
    assert joined.count == len(values)
    order = np.sort(values)
    for share in (0.01, 0.25, 0.5, 0.75, 0.99):
        (found,) = joined([share])
        rank = np.searchsorted(order, found) / len(order)
        assert abs(rank - share) < np.log2(len(values) / limit) / (2 * limit) + 1 / limit


def test_a_table_travels():
    table: Table = pickle.loads(pickle.dumps(as_table(frame(5))))
    assert table.names == tuple(frame(5).columns)
