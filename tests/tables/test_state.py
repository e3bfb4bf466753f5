"""An encoder as plain data: the same numbers after it, and hostile data refused."""

import copy
import json
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule.errors import FileFormatError
from chainrule.files import read_model, write_model
from chainrule.tables import ColumnEncoder

TABLE = {
    "number": [1.5, None, -2.0, 1e30],
    "const": [3, 3, 3, 3],
    "two": ["a", "b", None, "a"],
    "few": ["x", "y", "z", None],
    "many": [f"w{i}" for i in range(4)],
    "day": np.array(["2024-01-01", "2024-02-01", "2024-05-07", "NaT"], "M8[D]"),
    "left": [1, 2, 3, 4],
}


@pytest.fixture(scope="module")
def encoder():
    return ColumnEncoder(types={"left": "ignored"}, max_one_hot=4).fit(TABLE)


def test_json_gives_the_same_encoder(encoder):
    text = json.dumps(encoder.to_dict(), allow_nan=False)
    again = ColumnEncoder.from_dict(json.loads(text))
    assert again.to_dict() == encoder.to_dict()
    assert again.get_params() == encoder.get_params()
    assert again.transform(TABLE).tobytes() == encoder.transform(TABLE).tobytes()
    assert again.get_feature_names_out().tolist() == encoder.get_feature_names_out().tolist()
    assert repr(again.summary()) == repr(encoder.summary())
    assert encoder.cardinalities_ == (5,)


def test_a_model_file_carries_it(encoder, tmp_path):
    theta = {"theta": np.zeros(3)}
    write_model(tmp_path / "m.safetensors", theta, {"preprocessing": encoder.to_dict()})
    _, header = read_model(tmp_path / "m.safetensors")
    again = ColumnEncoder.from_dict(header["preprocessing"])
    assert again.transform(TABLE).tobytes() == encoder.transform(TABLE).tobytes()


def test_a_pickle_carries_it(encoder):
    again = pickle.loads(pickle.dumps(encoder))
    assert again.transform(TABLE).tobytes() == encoder.transform(TABLE).tobytes()


def test_without_names_it_stays_without():
    X = np.array([[1.0, 2.0], [3.0, 5.0]])
    again = ColumnEncoder.from_dict(ColumnEncoder().fit(X).to_dict())
    assert not hasattr(again, "feature_names_in_")
    assert again.transform(X).shape == (2, 2)


COLUMNS = list(TABLE)


def place(path):
    return [COLUMNS.index(part) if part in COLUMNS else part for part in path]


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["version"], 2, "expected version at most 1; came 2. Read it with a newer chainrule"),
        (["version"], True, "version: expected an integer ≥ 1; came True"),
        (["version"], 0, "version: expected an integer ≥ 1; came 0"),
        (["named"], 1, "named: expected true or false; came 1"),
        (["columns"], {}, "columns: expected a list"),
        (["columns", "number"], [], "column 0: expected an object; came list"),
        (["columns", "number", "name"], 3, "column 0: name: expected a string; came 3"),
        (["columns", "number", "name"], "two", "expected every column name once"),
        (["columns", "number", "kind"], "text", "kind: expected one of numeric,"),
        (["columns", "number", "kind"], "binary", "way: expected levels for binary; came 'number'"),
        (["columns", "const", "kind"], "numeric", "way: expected number for numeric; came 'none'"),
        (["columns", "number", "storage"], [], "storage: expected one of number,"),
        (["columns", "number", "rows"], -1, "rows: expected an integer ≥ 0; came -1"),
        (["columns", "number", "missing"], 5, "missing: expected 0 to 4; came 5"),
        (["columns", "number", "low"], float("nan"), "low: expected a finite number or null"),
        (["columns", "number", "high"], 10**400, "high: expected a finite number or null"),
        (["columns", "number", "note"], None, "note: expected a string"),
        (["columns", "number", "encoding"], None, "encoding: expected an object"),
        (["columns", "number", "encoding", "value"], [0.0, 0.0], "scale > 0; came"),
        (["columns", "number", "encoding", "value"], [0.0, float("inf")], "scale > 0; came"),
        (["columns", "number", "encoding", "value"], [float("nan"), 1.0], "scale > 0; came"),
        (["columns", "number", "encoding", "value"], ["0", 1.0], "scale > 0; came"),
        (["columns", "number", "encoding", "value"], [True, 1.0], "scale > 0; came"),
        (["columns", "number", "encoding", "value"], [10**400, 1.0], "scale > 0; came"),
        (["columns", "number", "encoding", "indicator"], 3, "indicator: expected a scaling or nu"),
        (["columns", "two", "encoding", "levels"], ["a"], "expected two levels; came 1"),
        (["columns", "two", "encoding", "levels"], ["a", "a"], "levels: expected up to .* differe"),
        (["columns", "two", "encoding", "levels"], [["a"], "b"], "levels: expected up to"),
        (["columns", "two", "encoding", "choice"], "one-hot", "choice: expected binary; came"),
        (["columns", "few", "encoding", "choice"], "binary", "expected one-hot or embedding; came"),
        (["columns", "few", "encoding", "scalings"], [], "scalings: expected 3 scalings"),
        (["columns", "many", "encoding", "levels"], [], "levels: expected up to"),
        (["columns", "many", "encoding", "as_numbers"], 0, "as_numbers: expected true or false"),
        (["columns", "day", "encoding", "cycles"], ["moon"], "cycles: expected some of year, we"),
        (["columns", "day", "encoding", "cycles"], ["day", "day"], "cycles: expected some of"),
        (["columns", "day", "encoding", "cycles"], "day", "cycles: expected some of"),
        (["options"], None, "options: expected an object"),
        (["options", "types"], {"a": "text"}, "types: expected an object of types"),
        (["options", "max_one_hot"], 0, "max_one_hot: expected an integer ≥ 1 or null"),
    ],
)
def test_hostile_data_are_refused_by_place(encoder, path, value, message):
    data = copy.deepcopy(encoder.to_dict())
    *inner, last = place(path)
    target = data
    for part in inner:
        target = target[part]
    target[last] = value
    with pytest.raises(FileFormatError, match=f"^column encoder.*{message}") as caught:
        ColumnEncoder.from_dict(data)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_every_entry_is_needed(encoder):
    whole = encoder.to_dict()

    def paths(node, path):
        entries = node.items() if isinstance(node, dict) else enumerate(node)
        for key, value in entries:
            if isinstance(node, dict) and key not in COLUMNS:
                yield [*path, key]
            if isinstance(value, (dict, list)):
                yield from paths(value, [*path, key])

    for path in list(paths(whole, [])):
        data = copy.deepcopy(whole)
        target = data
        for part in path[:-1]:
            target = target[part]
        del target[path[-1]]
        if path[-1] == "least_missing":  # files of an earlier day have none
            assert ColumnEncoder.from_dict(data).least_missing == 1
            continue
        with pytest.raises(FileFormatError, match=f"expected '{path[-1]}'; came none"):
            ColumnEncoder.from_dict(data)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@settings(max_examples=300)
@given(data=st.data())
def test_any_change_is_refused_or_still_an_encoder(encoder, data):
    state = copy.deepcopy(encoder.to_dict())
    node = state
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        if not keys:
            return
        key = data.draw(st.sampled_from(keys))
        inside = isinstance(node[key], (dict, list)) and data.draw(st.booleans())
        if not inside:
            node[key] = data.draw(anything)
            break
        node = node[key]
    try:
        changed = ColumnEncoder.from_dict(state)
    except FileFormatError:
        return
    assert repr(changed.summary())
    assert ColumnEncoder.from_dict(changed.to_dict()).to_dict() == changed.to_dict()


@pytest.mark.parametrize("data", [None, [], "x", 3, {}])
def test_other_things_are_refused(data):
    with pytest.raises(FileFormatError, match="^column encoder"):
        ColumnEncoder.from_dict(data)
