"""A run: learning, live changes, edits, solvers, flags, scores, and the script that repeats it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from chainrule.errors import OptionError
from chainrule.files import read_model
from chainrule.server.frames import fingerprint
from chainrule.server.health import DEAD, EXPLODING, FINE, SATURATED
from chainrule.server.modelfile import model_bytes
from chainrule.server.own import points_of
from chainrule.server.run import Run
from chainrule.server.scoring import confusion_matrix, score
from chainrule.server.script import script
from chainrule.server.settings import read_settings


def make_run(theta=None, **given):
    settings = read_settings(given)
    return Run(1, settings, points_of(settings, None), theta)


@pytest.mark.parametrize("solver", ["sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw"])
def test_stretches_of_any_length_come_to_the_same_bits(solver):
    whole, parts = make_run(solver=solver), make_run(solver=solver)
    whole.advance(300)
    for steps in (1, 24, 25, 7, 243):
        parts.advance(steps)
    assert whole.theta.tobytes() == parts.theta.tobytes()
    assert whole.steps == parts.steps == 300
    assert whole.epochs == 12


@pytest.mark.parametrize("solver", ["cg", "lbfgs"])
def test_full_batch_solvers_go_iteration_by_iteration(solver):
    run = make_run(solver=solver, dataset="gauss", regularization="l2", strength=0.1)
    losses = []
    for _ in range(200):
        run.advance(1)
        losses.append(sum(run.observe(0, (0, 0)).losses[::2]))
        if run.at_end:
            break
    assert run.at_end
    assert run.failure is None
    assert len(losses) > 3
    assert np.all(np.diff(losses) <= 1e-12)
    _, gradient = run.network.objective(run.theta, run.X_train, run.t_train)
    assert np.abs(gradient).max() < 1e-3
    run.close()


def test_a_run_can_be_left_in_the_middle_of_a_solver():
    run = make_run(solver="cg")
    run.advance(2)
    run.close()
    assert run.steps == 2


def test_a_partial_last_batch_stays_in_its_epoch():
    run = make_run(batch_size=60)
    run.advance(5)
    assert run.epochs == 1
    assert run.steps_to_epoch(1) == 5
    run.advance(2)
    assert run.steps_to_epoch(1) == 3


def test_stop_epoch():
    run = make_run(stop_epoch=3)
    run.advance(10_000)
    assert (run.steps, run.epochs, run.at_end) == (75, 3, True)


def test_live_changes_keep_the_weights_and_the_memory():
    run = make_run(solver="adam")
    run.advance(30)
    theta = run.theta.copy()
    run.apply(read_settings({"learning_rate": 0.5, "regularization": "l1"}, run.settings))
    assert np.array_equal(run.theta, theta)
    assert run.learner.trainer.step == 30
    run.advance(5)
    assert run.steps == 35
    assert run.observe(0, (0, 0)).losses[2] > 0


def test_an_edit_changes_one_number():
    run = make_run()
    run.advance(10)
    before = run.theta.copy()
    run.edit("W2", [3, 1], 0.75)
    changed = np.flatnonzero(run.theta != before)
    place = run.network.objective.vector.slices["W2"].start + 3 * 2 + 1
    assert changed.tolist() == [place]
    assert run.theta[place] == np.float32(0.75)


@pytest.mark.parametrize(
    ("name", "index", "value", "message"),
    [
        ("W9", [0, 0], 1.0, "parameter: expected one of"),
        ("W1", [0], 1.0, "W1: expected an index"),
        ("W1", [2, 0], 1.0, "W1: expected an index"),
        ("b1", [0], 1e9, "b1: expected a number"),
    ],
)
def test_a_wrong_edit_is_refused(name, index, value, message):
    with pytest.raises(OptionError, match=message):
        make_run().edit(name, index, value)


def test_a_run_that_explodes_says_so_and_keeps_good_weights():
    run = make_run(
        loss="squared_error", dataset="plane", activations=["relu", "relu"], learning_rate=100
    )
    run.advance(2000)
    assert run.failure is not None
    assert "learning rate" in run.failure or "learning_rate" in run.failure
    assert np.all(np.isfinite(run.theta))
    report = run.observe(0, (0, 0))
    assert report.flags & 4


def states_of(**changes):
    run = make_run(hidden_layer_sizes=[2], activations=[changes.pop("activation")])
    for (name, index), value in changes.pop("edits").items():
        run.edit(name, list(index), value)
    return run.observe(0, (0, 0))


def test_a_dead_unit():
    report = states_of(activation="relu", edits={("b1", (1,)): -1000.0})
    assert report.states.tolist() == [FINE, DEAD]
    assert report.reasons[1] == 1


def test_a_saturated_unit():
    edits = {("W1", (0, 0)): 0.0, ("W1", (1, 0)): 0.0, ("b1", (0,)): 3.5}
    report = states_of(activation="tanh", edits=edits)
    assert report.states[0] == SATURATED


def test_an_exploding_unit():
    report = states_of(activation="relu", edits={("W1", (0, 0)): 5000.0})
    assert report.states[0] == EXPLODING
    assert report.reasons[0] == pytest.approx(5000, rel=3)


def test_score_and_confusion():
    predicted, labels = np.array([0, 1, 2, 2]), np.array([0, 2, 2, 1])
    assert score(predicted, labels, True) == 0.5
    expected = [[1, 0, 0], [0, 0, 1], [0, 1, 1]]
    assert confusion_matrix(predicted, labels, 3).tolist() == expected
    assert score(np.array([1.0, 2.0]), np.array([1.0, 3.0]), False) == pytest.approx(0.5)


RUNS = [
    {"dataset": "spiral", "solver": "adam", "features": ["x1", "sin_x2"]},
    {"dataset": "arms", "n_classes": 4, "regularization": "l2", "solver": "nesterov"},
    {"dataset": "rings", "loss": "one_vs_all", "hidden_layer_sizes": [], "init": "small_normal"},
    {"dataset": "circle", "loss": "squared_error", "solver": "rmsprop", "noise": 20},
    {
        "dataset": "blobs",
        "loss": "squared_error",
        "solver": "adamw",
        "activations": ["elu", "relu"],
    },
    {"dataset": "peaks", "loss": "huber", "solver": "momentum", "momentum": 0.5},
    {"dataset": "xor", "solver": "cg", "regularization": "l1", "strength": 0.01},
    {"dataset": "gauss", "solver": "lbfgs"},
    {"dataset": "gauss", "solver": "adam", "dropout": 0.3},
    {"dataset": "drawn", "solver": "momentum"},
]


@pytest.mark.parametrize("given", RUNS, ids=lambda g: f"{g['dataset']}-{g.get('solver', 'sgd')}")
def test_the_script_repeats_the_run_to_the_same_bits(given, capsys):
    run = make_run(**given)
    run.advance(8)
    run.edit("b1", [0], 0.25)
    run.apply(read_settings({"batch_size": 7, "regularization": "l2"}, run.settings))
    run.advance(9)
    run.apply(read_settings({"learning_rate": 0.5}, run.settings))
    run.advance(5)
    exec(compile(script(run, None), "playground.py", "exec"), {})
    assert f"{fingerprint(run.theta):016x}" in capsys.readouterr().out
    run.close()


def test_the_script_of_given_weights(capsys):
    theta = np.linspace(-1, 1, 25)
    run = make_run(theta)
    run.advance(40)
    exec(compile(script(run, None), "playground.py", "exec"), {})
    assert f"{fingerprint(run.theta):016x}" in capsys.readouterr().out


def test_the_model_file(tmp_path):
    run = make_run(dataset="arms")
    run.advance(30)
    path = tmp_path / "model.safetensors"
    path.write_bytes(model_bytes(run))
    arrays, header = read_model(path)
    assert np.array_equal(arrays["W1"], run.network.objective.unpack(run.theta)["W1"])
    assert header["classes"] == ["0", "1", "2"]
    assert header["history"]["steps"] == 30


def test_the_loss_curve_stays_short():
    run = make_run()
    for _ in range(3000):
        run.advance(1)
        run._note((1.0, 2.0, 0.0))
    assert 150 < len(run.curve) <= 401
    epochs = [point[0] for point in run.curve]
    assert epochs == sorted(epochs)
    assert epochs[-1] == run.epochs


def test_the_curve_has_points_however_fast_it_goes():
    run = make_run(dataset="gauss")
    run.advance(200 * run.learner.per_epoch)
    epochs = [point[0] for point in run.curve]
    assert epochs[:9] == pytest.approx(range(1, 10))
    assert all(later <= max(1.11 * e, e + 1) for e, later in pairwise(epochs))
    assert epochs[-1] > 180
    at = epochs.index(epochs[20])
    again = make_run(dataset="gauss")
    again.advance(round(epochs[at] * again.learner.per_epoch))
    assert again.observe(0, (0, 0)).losses[0] == pytest.approx(run.curve[at][1], rel=1e-6)
    run.close()
    again.close()
