"""The one table: what is allowed, what is refused, and that the page offers nothing else."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.errors import ChainruleError, OptionError
from chainrule.server.settings import TABLE, read_settings, restarts, table

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


def test_the_defaults_are_allowed():
    settings = read_settings({})
    assert settings == read_settings(settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("batch_size", 0),
        ("batch_size", 1001),
        ("batch_size", True),
        ("batch_size", "10"),
        ("batch_size", 2.5),
        ("learning_rate", math.nan),
        ("learning_rate", math.inf),
        ("learning_rate", 0),
        ("hidden_layer_sizes", [65]),
        ("hidden_layer_sizes", [2] * 9),
        ("hidden_layer_sizes", 4),
        ("activations", ["softmax", "tanh"]),
        ("features", []),
        ("features", ["x3"]),
        ("dataset", "moons"),
        ("noise", 51),
        ("seed", -1),
        ("speed", 7),
        ("discretize", True),
    ],
)
def test_what_is_outside_is_refused_by_name(name, value):
    with pytest.raises(OptionError, match=r"expected .*; came"):
        read_settings({name: value})


@given(st.sampled_from([s.name for s in TABLE]), JSON)
def test_anything_at_all_is_read_or_refused(name, value):
    try:
        settings = read_settings({name: value})
    except ChainruleError:
        return
    assert read_settings(settings) == settings


def test_one_activation_a_layer():
    assert read_settings({"hidden_layer_sizes": [3, 3, 3]})["activations"] == ["tanh"] * 3
    assert read_settings({"hidden_layer_sizes": []})["activations"] == []
    with pytest.raises(OptionError, match="activations: expected 2"):
        read_settings({"hidden_layer_sizes": [3, 3], "activations": ["relu"]})


def test_features_keep_their_order():
    chosen = read_settings({"features": ["sin_x2", "x1", "x1"]})["features"]
    assert chosen == ["x1", "sin_x2"]


def test_what_begins_a_run_anew():
    before = read_settings({})
    assert restarts(before, read_settings({"seed": 1}))
    assert not restarts(before, read_settings({"learning_rate": 0.5, "batch_size": 3}))


def test_the_table_is_plain_data():
    assert json.loads(json.dumps(table()))[0]["name"] == "dataset"
