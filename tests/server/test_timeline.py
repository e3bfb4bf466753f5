"""The timeline: moments, going back, branches, and making a run again from an address."""

from __future__ import annotations

import runpy

import numpy as np
import pytest

from chainrule.errors import DataError, OptionError
from chainrule.server.frames import fingerprint
from chainrule.server.own import points_of
from chainrule.server.run import Run
from chainrule.server.script import script
from chainrule.server.settings import read_settings
from chainrule.server.timeline import MAX_MOMENTS, Timeline

from .steering import at_rest, do, learn


def straight(steps, changes=None, more=0, **settings):
    """A run that nobody scrubbed: so many steps, other settings, so many more."""
    given = read_settings(settings)
    run = Run(1, given, points_of(given, None))
    run.advance(steps)
    if changes:
        run.apply({**run.settings, **changes})
        run.advance(more)
    run.close()
    return run


def test_moments_cover_the_whole_run_and_are_never_too_many(opened):
    session = opened(dataset="xor")
    line = session.part(Timeline)
    for _ in range(40):
        learn(session, 5000)
        assert len(line.moments) <= MAX_MOMENTS
    steps = [one.steps for one in line.moments]
    assert steps[0] == 0
    assert steps == sorted(set(steps))
    assert sum(step < 1000 for step in steps) > 8
    assert steps[-1] > 150_000


def test_moments_of_a_large_network_are_few(opened):
    session = opened(hidden_layer_sizes=[64] * 8, solver="adam")
    line = session.part(Timeline)
    for _ in range(60):
        learn(session, 5)
    size = sum(one.memory.size for one in line.moments)
    assert len(line.moments) >= 4
    assert size <= 8 * 2**20


@pytest.mark.parametrize("solver", ["sgd", "momentum", "adam"])
def test_an_earlier_moment_is_the_run_of_that_time_and_goes_on_the_same_way(opened, solver):
    settings = {"dataset": "spiral", "solver": solver, "dropout": 0.2}
    session = opened(**settings)
    learn(session, 1000)
    moment = session.part(Timeline).moments[-4]
    do(session, "scrub", steps=moment.steps)
    assert session.view is moment
    assert np.array_equal(moment.memory.theta, straight(moment.steps, **settings).theta)
    do(session, "go_back")
    assert session.view is None
    assert session.run.steps == moment.steps
    learn(session, 1000 - moment.steps)
    assert np.array_equal(session.run.theta, straight(1000, **settings).theta)
    assert session.run.journal == [("steps", 1000)]


def test_a_moment_that_is_not_kept_and_going_on_from_now_are_refused(opened):
    session = opened()
    learn(session, 100)
    with pytest.raises(DataError, match="a moment that is kept"):
        do(session, "scrub", steps=99)
    with pytest.raises(DataError, match="an earlier moment"):
        do(session, "go_back")


def test_going_back_forgets_later_edits_and_a_failure(opened):
    session = opened(dataset="gauss")
    learn(session, 50)
    do(session, "edit", parameter="W1", index=[0, 0], value=3.0)
    learn(session, 50)
    with session.lock:
        session.run.failure = "as if"
    do(session, "scrub", steps=50)
    do(session, "go_back")
    assert session.run.failure is None
    learn(session, 50)
    assert np.array_equal(session.run.theta, straight(100, dataset="gauss").theta)


CHANGES = [
    {"learning_rate": 0.5},
    {"solver": "adam", "learning_rate": 0.01},
    {"activations": ["relu", "relu"]},
    {"solver": "lbfgs"},
    {"solver": "rmsprop", "learning_rate": 0.003, "activations": ["relu", "tanh"]},
]


@pytest.mark.parametrize("changes", CHANGES, ids=str)
def test_run_and_branch_go_on_side_by_side_from_the_same_moment(opened, changes):
    session = opened(dataset="circle", solver="momentum")
    learn(session, 600)
    moment = session.part(Timeline).moments[-2]
    do(session, "scrub", steps=moment.steps)
    do(session, "branch", settings=changes)
    line = session.part(Timeline)
    assert session.run.steps == line.branch.steps == moment.steps
    assert np.array_equal(session.run.theta, line.branch.theta.astype(np.float32))
    for stretch in (7, 1, 92):
        learn(session, stretch)
    settings = {"dataset": "circle", "solver": "momentum"}
    assert np.array_equal(session.run.theta, straight(moment.steps + 100, **settings).theta)
    more = 4 if changes.get("solver") == "lbfgs" else 100  # epochs are 25 mini-batches
    alone = straight(moment.steps, changes, more, **settings)
    assert np.array_equal(line.branch.theta, alone.theta)
    assert line.branch.epochs == pytest.approx(session.run.epochs)


@pytest.mark.parametrize("changes", CHANGES, ids=str)
def test_an_address_makes_run_and_branch_again(opened, changes):
    first = opened(dataset="xor")
    learn(first, 400)
    do(first, "branch", settings=changes)
    address = dict(first.run.settings)
    assert address["fork"] == 400
    again = opened(**address)
    at_rest(again)
    assert again.run.steps == 400
    for session in (first, again):
        learn(session, 50)
    one, other = (session.part(Timeline).branch for session in (first, again))
    assert np.array_equal(first.run.theta, again.run.theta)
    assert np.array_equal(one.theta, other.theta)
    assert one.settings["solver"] == other.settings["solver"]


def test_a_branch_must_differ_and_may_differ_in_three_things(opened):
    session = opened()
    with pytest.raises(OptionError, match="solver, learning_rate, activations"):
        do(session, "branch", settings={"dataset": "xor"})
    with pytest.raises(OptionError, match="the same"):
        do(session, "branch", settings={"solver": "sgd"})
    with pytest.raises(OptionError, match="learning_rate"):
        do(session, "branch", settings={"learning_rate": -1})
    assert session.part(Timeline).branch is None


@pytest.mark.parametrize("changes", CHANGES, ids=str)
def test_a_branch_that_is_kept_is_the_run_and_its_script_repeats_it(opened, changes, tmp_path):
    session = opened(dataset="gauss", noise=20)
    learn(session, 200)
    do(session, "branch", settings=changes)
    learn(session, 100)
    do(session, "keep_branch")
    assert session.part(Timeline).branch is None
    run = session.run
    assert run.settings["fork"] == -1
    assert run.settings["solver"] == changes.get("solver", "sgd")
    learn(session, 3)
    path = tmp_path / "kept.py"
    path.write_text(script(run, None), encoding="utf-8")
    made = runpy.run_path(str(path))["theta"]
    if run.settings["solver"] == "lbfgs":  # a solver begins anew where it was stopped
        assert made.shape == run.theta.shape
    else:
        assert fingerprint(made) == fingerprint(run.theta)


def test_a_dropped_branch_leaves_the_run_alone(opened):
    session = opened(dataset="xor")
    learn(session, 100)
    do(session, "branch", settings={"solver": "adam"})
    do(session, "drop_branch")
    learn(session, 100)
    assert session.run.settings["fork"] == -1
    assert np.array_equal(session.run.theta, straight(200, dataset="xor").theta)


def test_other_points_end_a_fork(opened):
    session = opened(dataset="xor")
    learn(session, 100)
    do(session, "branch", settings={"solver": "adam"})
    do(session, "set", settings={"dataset": "gauss"})
    assert session.run.settings["fork"] == -1
    assert session.part(Timeline).branch is None
    assert session.run.steps == 0


def test_a_hand_on_the_run_ends_making_it_again(opened):
    session = opened(dataset="xor", fork=10**9, fork_solver="adam")
    do(session, "edit", parameter="W1", index=[0, 0], value=1.0)
    assert not session.part(Timeline)._plan
    assert not session.hurried
