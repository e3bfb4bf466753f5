"""Checkpoints: training goes on to the same bits, and from nothing that is not its own."""

from __future__ import annotations

import errno
import math
import os

import numpy as np
import pytest

import chainrule as cr
from chainrule import files
from chainrule.errors import CheckpointError, CheckpointWarning, FileFormatError, OptionError
from chainrule.files import read_model, write_model
from chainrule.training import Cosine, Validation, minimize, minimize_batches
from chainrule.training.checkpoints import BEST, LAST, Checkpoints
from chainrule.training.history import COLUMNS, History
from chainrule.training.identity import digest

FULL_BATCH = ("cg", "lbfgs", "bfgs", "tnc", "newton-cg", "gd")


class PowerCut(Exception):
    pass


def cut_after(epoch):
    def cut(progress):
        if progress.epoch == epoch:
            raise PowerCut

    return cut


def assert_same(found, whole):
    assert found.theta.dtype == whole.theta.dtype
    assert found.theta.tobytes() == whole.theta.tobytes()
    for name in COLUMNS:
        if name != "seconds":
            np.testing.assert_array_equal(found.history[name], whole.history[name])
    for name in ("loss", "n_iter", "n_evaluations", "status", "message", "best_epoch"):
        assert getattr(found, name) == getattr(whole, name), name


@pytest.mark.parametrize("solver", FULL_BATCH)
def test_a_full_batch_search_goes_on_to_the_same_bits(problem, tmp_path, solver):
    data = problem.objective, problem.X, problem.y
    options = {"theta0": problem.theta0, "solver": solver, "max_iter": 19, "checkpoint_every": 4}
    whole = minimize(*data, **options, checkpoint=tmp_path / "whole")
    for epoch in (2, 9, 12):
        with pytest.raises(PowerCut):
            minimize(*data, **options, checkpoint=tmp_path / "cut", callbacks=[cut_after(epoch)])
        kept = read_model(tmp_path / "cut" / LAST)[1]["numbers"] if epoch > 4 else {"iteration": 0}
        assert kept["iteration"] == (epoch - 1) // 4 * 4
    assert_same(minimize(*data, **options, checkpoint=tmp_path / "cut"), whole)
    # what has ended is read, not run
    again = minimize(*data, **options, checkpoint=tmp_path / "cut", callbacks=[cut_after(1)])
    assert_same(again, whole)


def test_without_checkpoints_a_solver_is_scipys_single_call(problem):
    found = minimize(problem.objective, problem.X, problem.y, theta0=problem.theta0, max_iter=19)
    import scipy.optimize

    direct = scipy.optimize.minimize(
        problem.objective,
        problem.theta0,
        args=(problem.X, problem.y),
        method="CG",
        jac=True,
        options={"maxiter": 19},
    )
    np.testing.assert_array_equal(found.theta, direct.x)


def test_one_leg_is_the_single_call(problem, tmp_path):
    data = problem.objective, problem.X, problem.y
    options = {"theta0": problem.theta0, "solver": "lbfgs", "max_iter": 9}
    alone = minimize(*data, **options)
    kept = minimize(*data, **options, checkpoint=tmp_path, checkpoint_every=9)
    assert kept.theta.tobytes() == alone.theta.tobytes()


@pytest.mark.parametrize("update", cr.training.UPDATES)
@pytest.mark.parametrize("schedule", ["constant", "plateau", "adaptive", "one-cycle"])
def test_mini_batches_go_on_to_the_same_bits(make, tmp_path, update, schedule):
    problem = make(rate=0.2)
    data = problem.objective, problem.X, problem.y
    options = {
        "theta0": problem.theta0.astype(np.float32),
        "update": update,
        "schedule": schedule,
        "batch_size": 8,
        "max_epochs": 13,
        "tol": 1e-3,
        "n_iter_no_change": 3,
        "seed": 5,
    }
    whole = minimize_batches(*data, **options)
    for epoch in (2, 7):
        with pytest.raises(PowerCut):
            minimize_batches(
                *data,
                **options,
                checkpoint=tmp_path,
                checkpoint_every=3,
                callbacks=[cut_after(epoch)],
            )
    kept = minimize_batches(*data, **options, checkpoint=tmp_path, checkpoint_every=5)
    assert_same(kept, whole)


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_early_stopping_goes_on_with_its_best(problem, tmp_path, solver):
    goal = problem.theta0 * 0.7

    def validation(theta):
        return Validation(-float(np.abs(theta - goal).sum()), math.inf)

    def run(folder, **more):
        data = problem.objective, problem.X, problem.y
        shared = {"theta0": problem.theta0, "validation": validation, "n_iter_no_change": 4, **more}
        if solver == "lbfgs":
            return minimize(*data, **shared, solver=solver, checkpoint=folder, checkpoint_every=3)
        return minimize_batches(
            *data, **shared, batch_size=9, update=solver, checkpoint=folder, checkpoint_every=3
        )

    whole = run(tmp_path / "whole")
    assert whole.best_epoch < whole.n_iter
    for epoch in (4, 5):
        with pytest.raises(PowerCut):
            run(tmp_path / "cut", callbacks=[cut_after(epoch)])
    assert_same(run(tmp_path / "cut"), whole)


def test_the_best_is_kept_beside_the_last_and_nothing_else(problem, tmp_path):
    scores = iter([1.0, 3.0, 2.0, 2.0, 2.0, 2.0, 2.0])
    minimize_batches(
        problem.objective,
        problem.X,
        problem.y,
        theta0=problem.theta0,
        validation=lambda theta: next(scores),
        max_epochs=7,
        checkpoint=tmp_path,
        checkpoint_every=2,
    )
    assert {path.name for path in tmp_path.iterdir()} == {"last.safetensors", BEST, "lock"}
    last, best = (read_model(tmp_path / name) for name in (LAST, BEST))
    assert last[1]["numbers"]["epoch"] == 7
    assert best[1]["numbers"]["epoch"] == 2
    assert len(best[1]["numbers"]["history"]["loss"]) == 2
    np.testing.assert_array_equal(last[0]["state/best_theta"], best[0]["state/theta"])


def test_ctrl_c_leaves_the_last_whole_epoch(problem, tmp_path):
    data = problem.objective, problem.X, problem.y
    options = {"theta0": problem.theta0, "max_epochs": 9, "checkpoint_every": 100}

    def press(progress):
        if progress.epoch == 5:
            progress.trainer.stop[0] = 1

    broken = minimize_batches(*data, **options, checkpoint=tmp_path, callbacks=[press])
    assert broken.status == "interrupted"
    assert read_model(tmp_path / LAST)[1]["numbers"]["epoch"] == 5
    assert_same(
        minimize_batches(*data, **options, checkpoint=tmp_path),
        minimize_batches(*data, theta0=problem.theta0, max_epochs=9),
    )


def test_more_epochs_are_allowed_where_no_schedule_looks_at_the_end(problem, tmp_path):
    data = problem.objective, problem.X, problem.y
    options = {"theta0": problem.theta0, "n_iter_no_change": None}
    minimize_batches(*data, **options, max_epochs=4, checkpoint=tmp_path)
    more = minimize_batches(*data, **options, max_epochs=7, checkpoint=tmp_path)
    assert_same(more, minimize_batches(*data, **options, max_epochs=7))
    planned = {**options, "schedule": Cosine()}
    minimize_batches(*data, **planned, max_epochs=4, checkpoint=tmp_path / "planned")
    with pytest.raises(CheckpointError, match="max_epochs: expected 4, of which .* came 7"):
        minimize_batches(*data, **planned, max_epochs=7, checkpoint=tmp_path / "planned")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"batch_size": 9}, "training: batch_size: expected 8, .* came 9"),
        ({"update": "rmsprop"}, r"training: update: expected Adam\(.*\), .* came RMSProp"),
        ({"schedule": "invscaling"}, "training: schedule"),
        ({"clip_norm": 1.0}, "training: clip_norm: expected None, .* came 1.0"),
        ({"seed": 1}, r"training: shuffle: .*seed=0.*came .*seed=1"),
        ({"theta0": np.float32}, "training: precision: expected float64, .* came float32"),
        ({"X": 0.5}, "data: input x, content: expected SHA-256"),
        ({"rows": 50}, "data: input x, shape: expected 53 × 5, .* came 50 × 5"),
        ({"y": 0}, "data: target, content"),
        ({"weight": 1.0}, "data: sample_weight, shape: expected None, .* came 53"),
        ({"strength": 0.5}, r"network: l2: expected l2\(strength=0.03\) of W1, .* came l2"),
        ({"rate": 0.5}, "dropout seed: expected None"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_other_data_network_or_options_are_refused_by_name(make, tmp_path, change, named):
    def run(change):
        network = {key: change[key] for key in ("strength", "rate") if key in change}
        problem = make(**network)
        rows = change.get("rows", 53)
        X, y = problem.X[:rows].copy(), problem.y[:rows].copy()
        if "X" in change:
            X[-1, -1] += 1e-12
        if "y" in change:
            y[3] = (y[3] + 1) % 3
        weight = None if "weight" not in change else np.full(53, change["weight"])
        others = {"batch_size": 8, "update": "adam"} | {
            key: change[key]
            for key in ("batch_size", "update", "schedule", "clip_norm", "seed")
            if key in change
        }
        theta0 = problem.theta0.astype(change.get("theta0", np.float64))
        minimize_batches(
            problem.objective,
            X,
            y,
            weight,
            theta0=theta0,
            max_epochs=2,
            checkpoint=tmp_path,
            **others,
        )

    run({})
    with pytest.raises(CheckpointError, match=named) as caught:
        run(change)
    assert "Restore it, or name another folder to start afresh." in str(caught.value)
    run({})


def test_another_width_is_named_by_the_node(tmp_path):
    def run(units):
        x, t = cr.input("x", ("rows", 2)), cr.target("t", ("rows", 1))
        objective = cr.Objective(
            cr.squared_error(cr.sequential([cr.Dense(units, "tanh"), cr.Dense(1)], x), t)
        )
        X = np.linspace(-1, 1, 20).reshape(10, 2)
        minimize(objective, X, X[:, :1], theta0=objective.initial(0), checkpoint=tmp_path)

    run(3)
    with pytest.raises(CheckpointError, match=r"network: W1: .*\[2, 3\].* came .*\[2, 4\]"):
        run(4)


def test_large_data_are_told_by_blocks(tmp_path):
    rows = 3 * 2**20
    X = np.memmap(tmp_path / "X", np.uint8, "w+", shape=(rows, 4))
    before = digest(X)
    for row in (0, rows - 1):  # the first and the last block
        X[row, 1] = 7
        assert digest(X) != before
        X[row, 1] = 0
    assert digest(X) == before
    small = np.arange(12.0).reshape(3, 4)
    assert digest(small) == digest(np.asfortranarray(small))


def test_two_trainings_in_one_folder_are_refused(tmp_path):
    pytest.importorskip("fcntl", reason="locks as POSIX has them")
    with (
        Checkpoints(tmp_path).opened(),
        pytest.raises(CheckpointError, match="no other training writes to"),
        Checkpoints(tmp_path).opened(),
    ):
        pass
    with Checkpoints(tmp_path).opened():
        pass


def train(problem, folder, **more):
    options = {"max_epochs": 6, "checkpoint": folder, "checkpoint_every": 1, **more}
    return minimize_batches(
        problem.objective, problem.X, problem.y, theta0=problem.theta0, **options
    )


def test_half_written_files_of_a_killed_process_are_removed(problem, tmp_path):
    train(problem, tmp_path)
    half = tmp_path / f".{LAST}.0123456789ab.part"
    half.write_bytes((tmp_path / LAST).read_bytes()[:100])
    train(problem, tmp_path, max_epochs=8)
    assert {path.name for path in tmp_path.iterdir()} == {LAST, BEST, "lock"}


def test_a_full_disk_costs_the_checkpoint_not_the_training(problem, tmp_path, monkeypatch):
    """The system says "no space" while the file is written; later there is room again."""
    real, calls = os.fsync, []

    def fsync(descriptor):
        calls.append(descriptor)
        if 10 < len(calls) <= 16:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(descriptor)

    monkeypatch.setattr(files.os, "fsync", fsync)
    with pytest.warns(CheckpointWarning) as caught:
        kept = train(problem, tmp_path, max_epochs=30, n_iter_no_change=None)
    monkeypatch.undo()
    assert len(caught) == 1
    assert "No space left on device" in str(caught[0].message)
    assert "training goes on, the last is of epoch " in str(caught[0].message)
    assert_same(kept, train(problem, None, max_epochs=30, n_iter_no_change=None))
    assert read_model(tmp_path / LAST)[1]["numbers"]["epoch"] == 30
    assert {path.name for path in tmp_path.iterdir()} == {LAST, BEST, "lock"}


def test_a_limit_on_file_sizes_is_said_once(problem, tmp_path):
    resource = pytest.importorskip("resource", reason="limits as POSIX has them")
    train(problem, tmp_path, max_epochs=2)
    before = (tmp_path / LAST).read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.warns(CheckpointWarning, match="File too large") as caught:
            train(problem, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert len(caught) == 1
    assert (tmp_path / LAST).read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {LAST, BEST, "lock"}
    assert_same(train(problem, tmp_path), train(problem, None))


def test_a_folder_that_goes_away_is_said(problem, tmp_path):
    folder = tmp_path / "runs"

    def remove(progress):
        if progress.epoch == 3:
            for path in folder.iterdir():
                path.unlink()
            folder.rmdir()

    with pytest.warns(CheckpointWarning, match="the last is of epoch 2"):
        train(problem, folder, callbacks=[remove])


def test_a_folder_that_cannot_be_written_to_is_refused_at_once(problem, tmp_path, monkeypatch):
    def refuse(*arguments, **options):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(tmp_path))

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    with pytest.raises(OSError, match="Read-only file system"):
        train(problem, tmp_path, callbacks=[cut_after(1)])


def test_a_file_in_place_of_the_folder_is_refused(problem, tmp_path):
    (tmp_path / "runs").write_text("")
    with pytest.raises(FileExistsError):
        train(problem, tmp_path / "runs")


DAMAGES = {
    "an unknown version": lambda a, h: h.update(checkpoint=2),
    "no numbers": lambda a, h: h.pop("numbers"),
    "no counters": lambda a, h: h["numbers"].pop("epoch"),
    "an epoch below 0": lambda a, h: h["numbers"].update(epoch=-1),
    "a step without end": lambda a, h: h["numbers"].update(step=1 << 62),
    "a batch too far": lambda a, h: h["numbers"].update(batch=999),
    "a text for a number": lambda a, h: h["numbers"].update(rows_seen="7"),
    "another schedule": lambda a, h: h["numbers"].update(schedule={"factor": 1.0}),
    "a deep history": lambda a, h: h["numbers"].update(history={"loss": [[[]]]}),
    "columns of two lengths": lambda a, h: h["numbers"]["history"]["loss"].pop(),
    "another watch": lambda a, h: h["numbers"]["watch"].update(best_epoch="x"),
    "no parameters": lambda a, h: a.pop("state/theta"),
    "other parameters": lambda a, h: a.update({"state/theta": np.zeros(3)}),
    "other precision": lambda a, h: a.update({"state/mean": a["state/mean"].astype("f4")}),
    "no data": lambda a, h: h["identity"].pop("data"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_checkpoint_that_is_not_one_is_refused(problem, tmp_path, damage):
    train(problem, tmp_path)
    arrays, header = read_model(tmp_path / LAST)
    DAMAGES[damage](arrays, header)
    write_model(tmp_path / LAST, arrays, header)
    with pytest.raises(FileFormatError) as caught:
        train(problem, tmp_path, callbacks=[cut_after(1)])
    assert str(caught.value).startswith(f"{tmp_path / LAST}: expected ")


def test_a_checkpoint_with_a_damaged_byte_is_refused(problem, tmp_path):
    train(problem, tmp_path)
    content = bytearray((tmp_path / LAST).read_bytes())
    content[-5] ^= 1
    (tmp_path / LAST).write_bytes(content)
    with pytest.raises(FileFormatError, match="content with SHA-256"):
        train(problem, tmp_path)


def test_a_pipe_or_folder_in_its_place_is_not_waited_for(problem, tmp_path):
    (tmp_path / LAST).mkdir()
    with pytest.raises(FileFormatError, match="expected a file"):
        train(problem, tmp_path)


@pytest.mark.parametrize("every", [0, -1, 1.5, True])
def test_how_often_is_a_count(problem, tmp_path, every):
    with pytest.raises(OptionError, match="checkpoint_every must be an integer ≥ 1"):
        train(problem, tmp_path, checkpoint_every=every)


def test_histories_keep_infinities():
    history = History()
    history.append(epoch=1, loss=math.inf, validation_score=-math.inf)
    plain = history.to_dict(nan=None)
    assert plain["loss"] == ["inf"]
    assert plain["validation_score"] == ["-inf"]
    assert History(plain) == history
