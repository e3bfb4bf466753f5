"""Tables that nobody planned for: each is encoded, or refused in one line that names the column."""

import csv
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.errors import ChainruleError, DataError
from chainrule.tables import ColumnEncoder, TableReader, read_table

surrogates = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
words = st.text(surrogates, max_size=6)
floats = st.floats(allow_nan=True, allow_infinity=False) | st.sampled_from([1e30, -1e30, 5e-324])
whole = st.integers(-(2**70), 2**70) | st.integers(0, 1)
moments = st.datetimes()
CELLS = {
    "float": floats,
    "whole": whole,
    "bool": st.booleans(),
    "word": words,
    "time": moments,
    "mixed": floats | whole | words | st.booleans(),
    "few": st.sampled_from(["a", "b", "ä\n;,\"'"]),
    "nothing": st.none(),
    "same": st.just(7),
    "strange": st.sampled_from([[1], {"a": 1}, 1j, object]),
}


@st.composite
def tables(draw, kinds=tuple(CELLS)):
    rows = draw(st.sampled_from([1, 2, 3, 5, 21]))
    names = draw(st.lists(words, min_size=1, max_size=3, unique=True))
    table = {}
    for name in names:
        cell = CELLS[draw(st.sampled_from(kinds))]
        table[name] = draw(
            st.lists(
                cell | st.none() if draw(st.booleans()) else cell, min_size=rows, max_size=rows
            )
        )
    return table


def check(encoder, source, rows):
    """What holds of any encoded table."""
    encoded = encoder.encode(source)
    assert len(encoded) == rows
    assert np.isfinite(encoded.dense).all()
    assert np.abs(encoded.dense).max(initial=0) <= 3
    assert (encoded.codes >= 0).all()
    assert (encoded.codes < np.array(encoder.cardinalities_, dtype=int)).all()
    names = encoder.get_feature_names_out()
    assert len(set(names)) == len(names) == encoded.dense.shape[1] + encoded.codes.shape[1]
    assert len(encoder.summary().rows) == encoder.n_features_in_
    state = json.loads(json.dumps(encoder.to_dict(), allow_nan=False))
    again = ColumnEncoder.from_dict(state).encode(source)
    assert again.dense.tobytes() == encoded.dense.tobytes()
    assert again.codes.tobytes() == encoded.codes.tobytes()
    return encoded


def check_refusal(error, names=None):
    """One line, of a kind that users of scikit-learn catch, naming one of the columns."""
    message = str(error)
    assert isinstance(error, (ValueError, TypeError))
    assert "\n" not in message
    if names is not None:
        assert any(f"column {name!r}" in message for name in names), message


@given(table=tables())
def test_any_table_of_objects_is_encoded_or_refused_by_name(table):
    rows = len(next(iter(table.values())))
    try:
        encoder = ColumnEncoder().fit(table)
    except ChainruleError as error:
        check_refusal(error, table)
        return
    encoded = check(encoder, table, rows)
    # rows are encoded one by one: no row knows of another
    half = {name: values[rows // 2 :] for name, values in table.items()}
    np.testing.assert_array_equal(encoder.encode(half).dense, encoded.dense[rows // 2 :])


@given(table=tables([kind for kind in CELLS if kind != "strange"]), seed=st.integers(0, 99))
def test_frames_permuted_in_rows_and_columns_are_the_same(table, seed):
    rows = len(next(iter(table.values())))
    rng = np.random.default_rng(seed)
    order = rng.permutation(rows)
    frame = pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in table.items()})
    try:
        encoder = ColumnEncoder().fit(frame)
    except DataError as error:
        check_refusal(error, table)
        return
    shuffled = frame.iloc[order][[frame.columns[i] for i in rng.permutation(len(frame.columns))]]
    twin = ColumnEncoder().fit(frame.iloc[order])
    assert twin.to_dict() == encoder.to_dict()
    np.testing.assert_array_equal(encoder.transform(shuffled), encoder.transform(frame)[order])


@given(
    table=tables(["float", "whole", "bool", "word", "time", "few", "nothing", "same"]),
    separator=st.sampled_from(",;\t"),
    end=st.sampled_from(["\n", "\r\n"]),
    mark=st.sampled_from(["", "\ufeff"]),
    chunk_rows=st.integers(1, 31),
)
def test_any_file_is_encoded_or_refused(tmp_path_factory, table, separator, end, mark, chunk_rows):
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    rows = len(next(iter(table.values())))
    with open(path, "w", newline="", encoding="utf-8") as file:
        file.write(mark)
        writer = csv.writer(file, delimiter=separator, lineterminator=end, quoting=csv.QUOTE_ALL)
        writer.writerow(table)
        writer.writerows(zip(*table.values(), strict=True))
    try:
        whole = read_table(path, separator=separator)
        encoder = ColumnEncoder().fit(whole)
    except DataError as error:
        check_refusal(error)
        return
    assert whole.rows == rows
    encoded = check(encoder, whole, rows)
    reader = TableReader(path, separator=separator, chunk_rows=chunk_rows)
    assert ColumnEncoder().fit(reader).to_dict() == encoder.to_dict()
    chunks = list(encoder.encode_chunks(reader))
    np.testing.assert_array_equal(np.concatenate([c.dense for c in chunks]), encoded.dense)


@given(table=tables(), other=tables())
def test_any_other_table_is_encoded_or_refused_in_one_line(table, other):
    try:
        encoder = ColumnEncoder().fit(table)
    except ChainruleError:
        return
    rows = len(next(iter(other.values())))
    renamed = dict(zip(table, other.values(), strict=False))
    for new in (other, renamed):
        try:
            encoded = encoder.encode(new)
        except ChainruleError as error:
            check_refusal(error)
        else:
            assert np.isfinite(encoded.dense).all()
            assert len(encoded) == rows


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_very_few_rows(rows):
    table = {
        "x": [1e30, None, -1e30][:rows],
        "c": ["a", None, "b"][:rows],
        "i": [2**53 + 1, 2**53 + 2, 2**53 + 3][:rows],
    }
    check(ColumnEncoder().fit(table), table, rows)
