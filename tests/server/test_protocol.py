"""Messages: what is allowed, and that anything else is refused with a reason."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.errors import OptionError
from chainrule.server.protocol import MAX_MESSAGE_BYTES, dumps, read_message

GOOD = [
    ("play", {}),
    ("edit", {"parameter": "W1", "index": [0, 1], "value": 0.5}),
    ("look", {"unit": None}),
    ("inside", {"position": 3, "row": None}),
    ("explain", {"name": "W1", "index": [0, 0]}),
    ("drawn", {"frame": 9}),
    ("visible", {"visible": False}),
    ("own", {"columns": ["a", "b"], "target": "c", "reading": "direct"}),
]


@pytest.mark.parametrize(("kind", "fields"), GOOD)
def test_messages_are_read(kind, fields):
    assert read_message(json.dumps({"type": kind, **fields})) == (kind, fields)


BAD = [
    b"{}",
    "",
    "[]",
    "null",
    "{" * 10_000,
    "[" * 100_000,
    '{"type": "play"',
    '{"type": ["play"]}',
    '{"type": "fly"}',
    '{"type": "play", "extra": 1}',
    '{"type": "edit", "parameter": "W1", "index": [0, 0]}',
    '{"type": "edit", "parameter": "W1", "index": [0, 0], "value": NaN}',
    '{"type": "edit", "parameter": "W1", "index": [0, 0], "value": 1e999}',
    '{"type": "edit", "parameter": "W1", "index": [-1, 0], "value": 1}',
    '{"type": "edit", "parameter": "W1", "index": [0, 0, 0], "value": 1}',
    '{"type": "edit", "parameter": 7, "index": [0, 0], "value": 1}',
    '{"type": "look", "unit": true}',
    '{"type": "look", "unit": 99999999999}',
    '{"type": "visible", "visible": 1}',
    '{"type": "own", "columns": ["a", "b", "c"], "target": "c"}',
    json.dumps({"type": "set", "settings": {"x": "y" * MAX_MESSAGE_BYTES}}),
    json.dumps({"type": "own", "columns": ["a", "b"], "target": "c" * 201}),
]


@pytest.mark.parametrize("text", BAD, ids=range(len(BAD)))
def test_anything_else_is_refused(text):
    with pytest.raises(OptionError):
        read_message(text)


@given(st.text(max_size=60))
def test_no_text_breaks_the_reader(text):
    with pytest.raises(OptionError):
        read_message(text + "}")


def test_what_is_not_finite_becomes_readable_json():
    text = dumps({"a": [math.nan, math.inf, -math.inf, 1.5], "b": "é"})
    assert json.loads(text) == {"a": [None, "∞", "−∞", 1.5], "b": "é"}
