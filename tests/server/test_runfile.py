"""Run files: made again to the same bits, and refused where they are not what they should be."""

from __future__ import annotations

import asyncio
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule.errors import ChainruleError, DataError
from chainrule.server import runfile
from chainrule.server.encoded import READINGS
from chainrule.server.own import Own
from chainrule.server.runfile import MAX_EVENTS, MAX_RUN_BYTES, read_run, write_run
from chainrule.server.settings import read_settings
from chainrule.server.tables import TooLarge
from chainrule.server.timeline import Timeline

from .steering import at_rest, do, learn
from .wire import httpx, run


def reopened(session, opened):
    content = write_run(session.run, session.own)
    other = opened(dataset="plane", loss="squared_error")
    do_open(other, content)
    at_rest(other)
    return other


def do_open(session, content):
    with session.lock:
        session.part(Timeline).open(read_run(content, session.most_units))


@pytest.mark.parametrize("solver", ["sgd", "adam", "cg", "lbfgs"])
def test_a_run_file_makes_edits_changes_and_the_branch_again(opened, solver):
    session = opened(dataset="xor", solver=solver, seed=4)
    learn(session, 30)
    do(session, "edit", parameter="b1", index=[1], value=0.25)
    learn(session, 20)
    do(session, "set", settings={"regularization": "l2", "strength": 0.01})
    learn(session, 20)
    do(session, "branch", settings={"solver": "rmsprop", "activations": ["relu", "tanh"]})
    learn(session, 30)
    other = reopened(session, opened)
    assert other.run.journal == session.run.journal
    assert np.array_equal(other.run.theta, session.run.theta)
    one, same = (each.part(Timeline).branch for each in (session, other))
    assert np.array_equal(one.theta, same.theta)
    assert same.settings["activations"] == ["relu", "tanh"]


@pytest.mark.parametrize("reading", READINGS)
def test_a_table_goes_with_its_run(opened, reading):
    rows = [f"{i % 10},{i // 10},{'نه' if i % 10 > 4 else 'آری'}" for i in range(100)]
    content = "\n".join(["left,up,answer", *rows]).encode()
    session = opened()
    session.upload = content
    do(session, "own", columns=["left", "up"], target="answer", reading=reading)
    learn(session, 40)
    other = reopened(session, opened)
    assert other.run.points.classes == session.run.points.classes
    assert np.array_equal(other.run.points.X, session.run.points.X)
    assert np.array_equal(other.run.theta, session.run.theta)


def test_points_from_python_are_refused_with_a_way_out(opened):
    session = opened()
    with session.lock:
        session.own = Own("X, y", session.run.points)
        session.run.settings = {**session.run.settings, "dataset": "own"}
    with pytest.raises(DataError, match="Take the script"):
        write_run(session.run, session.own)


GOOD = {
    "format": "chainrule run",
    "version": 1,
    "settings": {"dataset": "xor"},
    "journal": [
        ["steps", 5],
        ["edit", "W1", [0, 0], 1.5],
        ["fork", {"solver": "adam"}],
        ["set", {"learning_rate": 0.1}],
    ],
    "own": None,
    "fingerprint": "0123456789abcdef",
}


def test_the_good_one_is_read():
    file = read_run(json.dumps(GOOD).encode(), 64)
    assert file.settings["dataset"] == "xor"
    assert file.journal[0] == ("steps", 5)
    assert file.journal[2][1]["activations"] == ["tanh", "tanh"]


BAD = {
    "no JSON": b"PK\x03\x04",
    "not UTF-8": b"\xff\xfe{",
    "deep": b"[" * 200_000,
    "a list": b"[]",
    "NaN": json.dumps({**GOOD, "settings": {"learning_rate": float("nan")}}).encode(),
    "infinite": json.dumps({**GOOD, "journal": [["edit", "W1", [0, 0], 1e999]]}).encode(),
    "another format": {"format": "pickle"},
    "a newer version": {"version": 2},
    "no version": {"version": True},
    "an unknown setting": {"settings": {"__class__": 1}},
    "a setting beyond": {"settings": {"hidden_layer_sizes": [10**9]}},
    "a fork nobody asked for": {"journal": [["fork", {"dataset": "xor"}]]},
    "two forks": {"journal": [["fork", {"solver": "adam"}]] * 2},
    "too many steps": {"journal": [["steps", 10**9], ["steps", 1]]},
    "steps back": {"journal": [["steps", -1]]},
    "steps of a flag": {"journal": [["steps", True]]},
    "an unknown event": {"journal": [["eval", "1"]]},
    "an event that is none": {"journal": ["steps"]},
    "an empty event": {"journal": [[]]},
    "a list for a kind": {"journal": [[["steps"], 1]]},
    "a restart in between": {"journal": [["set", {"dataset": "gauss"}]]},
    "too many events": {"journal": [["steps", 1]] * (MAX_EVENTS + 1)},
    "a long name": {"journal": [["edit", "W" * 300, [0, 0], 1.0]]},
    "three indices": {"journal": [["edit", "W1", [0, 0, 0], 1.0]]},
    "points of its own elsewhere": {
        "own": {"table": "a", "columns": ["a", "b"], "target": "c", "reading": "direct"}
    },
    "no points of its own": {"settings": {"dataset": "own"}},
    "columns that are none": {
        "settings": {"dataset": "own"},
        "own": {"table": "a,b,c", "columns": "ab", "target": "c", "reading": "direct"},
    },
    "half a surrogate": {
        "settings": {"dataset": "own"},
        "own": {"table": "\ud800", "columns": ["a", "b"], "target": "c", "reading": "direct"},
    },
    "no fingerprint": {"fingerprint": "12"},
    "one field more": {"code": "print()"},
}


@pytest.mark.parametrize("name", BAD)
def test_hostile_files_are_refused_with_a_reason(name):
    bad = BAD[name]
    content = bad if isinstance(bad, bytes) else json.dumps({**GOOD, **bad}).encode()
    with pytest.raises(ChainruleError, match=r"expected|settings|number"):
        read_run(content, 64)


def test_a_file_that_is_too_large_is_refused_before_it_is_read():
    with pytest.raises(TooLarge):
        read_run(b" " * (MAX_RUN_BYTES + 1), 64)


@pytest.mark.parametrize(
    "change",
    [
        {"journal": [["edit", "W9", [0, 0], 1.0]]},
        {"journal": [["edit", "W1", [9, 9], 1.0]]},
        {"journal": [["edit", "W1", [0, 0], 1e9]]},
        {
            "settings": {"dataset": "own"},
            "own": {
                "table": "a,b,c\n1,2,3\n",
                "columns": ["a", "x"],
                "target": "c",
                "reading": "direct",
            },
        },
    ],
    ids=["no such weight", "no such place", "too large", "no such column"],
)
def test_what_only_the_run_can_tell_is_refused_and_the_session_stays(opened, change):
    session = opened()
    learn(session, 10)
    run = session.run
    with pytest.raises(ChainruleError):
        do_open(session, json.dumps({**GOOD, **change}).encode())
    assert session.run is run
    assert session.own is None
    learn(session, 10)
    assert session.run.steps == 20


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
events = st.lists(
    st.sampled_from(["steps", "set", "edit", "fork", "x"]).flatmap(
        lambda kind: st.lists(plain, max_size=4).map(lambda rest: [kind, *rest])
    ),
    max_size=5,
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(list(GOOD)), plain), events)
def test_random_files_are_read_or_refused_and_nothing_else(fields, journal):
    for content in ({**GOOD, **fields}, {**GOOD, "journal": journal}):
        try:
            file = read_run(json.dumps(content).encode(), 64)
        except ChainruleError:
            continue
        assert all(event[0] in runfile._EVENTS for event in file.journal)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_file_with_bytes_changed_is_read_or_refused(data):
    content = bytearray(json.dumps(GOOD).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        file = read_run(bytes(content), 64)
    except ChainruleError:
        return
    assert file.settings.keys() == read_settings({}).keys()
    assert all(event[0] in runfile._EVENTS for event in file.journal)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_random_bytes_are_refused(content):
    with pytest.raises(ChainruleError):
        read_run(content, 64)


def test_a_hostile_run_file_is_refused_over_the_wire(playground, caller):
    async def attack():
        async with caller:
            await caller.hello(settings={"dataset": "gauss"})
            headers = {"authorization": f"Bearer {playground.token}", "x-session": caller.session}
            url = f"http://127.0.0.1:{playground.port}/api/run"

            def post(content, **others):
                return httpx.post(url, headers={**headers, **others}, content=content, timeout=30)

            for content, status in ((b"{", 422), (b"[" * 99_999, 422), (b" " * 9 * 2**20, 413)):
                answer = await asyncio.to_thread(post, content)
                assert answer.status_code == status
                assert "run file" in answer.json()["error"]
            answer = await asyncio.to_thread(post, b"{}", **{"x-session": "nobody"})
            assert answer.status_code == 404
            answer = await asyncio.to_thread(post, b"{}", authorization="Bearer wrong")
            assert answer.status_code in (401, 403)
            bad = json.dumps({**GOOD, "journal": [["edit", "W9", [0, 0], 1.0]]}).encode()
            assert (await asyncio.to_thread(post, bad)).status_code == 200
            error = await caller.until(lambda m: m["type"] == "error")
            assert "W9" in error["message"]
            await caller.say(type="step")
            await caller.frame(lambda one: one["epochs"] == 1)

    run(attack())
