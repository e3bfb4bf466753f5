"""Fits that stop and go on: any estimator, to the same bits; killed at any moment."""

from __future__ import annotations

import copy
import json
import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone

from chainrule.errors import CheckpointError, FileFormatError, OptionError
from chainrule.estimators import (
    MLPClassifier,
    MLPRegressor,
    OneVsAllClassifier,
    RealMLPClassifier,
    SoftmaxClassifier,
    load,
    save,
)
from chainrule.files import read_model, write_model
from chainrule.training.checkpoints import LAST

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

FITS = {
    "adam": MLPClassifier((9,), max_iter=12, random_state=0),
    "no seed": MLPClassifier((9,), max_iter=12, random_state=np.random.RandomState(7)),
    "dropout": MLPClassifier((9,), max_iter=12, random_state=0, dropout=0.3, dtype="float32"),
    "early": MLPClassifier(
        (9,),
        solver="sgd",
        max_iter=40,
        learning_rate="adaptive",
        learning_rate_init=0.1,
        early_stopping=True,
        validation_fraction=0.3,
        n_iter_no_change=4,
        random_state=np.random.RandomState(3),
    ),
    "unshuffled": MLPRegressor("huber", (9,), max_iter=12, random_state=0, shuffle=False),
    "values": MLPRegressor(hidden_layer_sizes=(9,), max_iter=12, solver="cg", random_state=0),
    "softmax": SoftmaxClassifier(max_iter=20),
    "l1": SoftmaxClassifier(max_iter=20, l1_ratio=0.5, alpha=1e-3),
    "one-vs-all": OneVsAllClassifier(max_iter=12),
    "one-vs-all in batches": OneVsAllClassifier(solver="adam", max_iter=12, random_state=1),
}
ATTRIBUTES = ("n_iter_", "t_", "loss_", "best_loss_", "loss_curve_", "validation_scores_")


class PowerCut(Exception):
    pass


def cut_after(epoch):
    def cut(progress):
        if progress.epoch == epoch:
            raise PowerCut

    return cut


@pytest.fixture(params=FITS)
def make(request):
    fit = FITS[request.param]
    seed = copy.deepcopy(fit.random_state)

    def make(**options):
        options = {"checkpoint_every": 3, "random_state": copy.deepcopy(seed), **options}
        return clone(fit).set_params(**options)

    make.is_mini_batch = fit.solver in ("adam", "sgd")
    return make


def assert_same(found, whole):
    for name, value in whole.parameters_.items():
        assert found.parameters_[name].tobytes() == value.tobytes(), name
    for name in ATTRIBUTES:
        if hasattr(whole, name):
            np.testing.assert_array_equal(getattr(found, name), getattr(whole, name))
    assert found.training_status_ == whole.training_status_
    for name, column in whole.history_.columns.items():
        if name != "seconds":
            np.testing.assert_array_equal(found.history_[name], column)


def test_a_fit_goes_on_to_the_same_bits(make, digits, tmp_path):
    X, y = digits
    whole = make(checkpoint=tmp_path / "whole").fit(X, y)
    if make.is_mini_batch:  # which checkpoints do not change
        assert_same(whole, make().fit(X, y))
    for epoch in (2, 5, 11):
        with pytest.raises(PowerCut):
            make(checkpoint=str(tmp_path / "cut"), callbacks=[cut_after(epoch)]).fit(X, y)
    found = make(checkpoint=str(tmp_path / "cut")).fit(X, y)
    assert_same(found, whole)
    # what has ended is read, not trained again
    read = make(checkpoint=tmp_path / "cut", callbacks=[cut_after(1)]).fit(X, y)
    assert_same(read, whole)


def test_a_fit_without_a_seed_goes_on_from_its_own_start(digits, tmp_path):
    """The rows held back and their order are those of the fit that was cut off."""
    X, y = digits
    model = MLPClassifier((5,), max_iter=8, early_stopping=True, checkpoint=tmp_path)
    model.set_params(checkpoint_every=1, callbacks=[cut_after(4)])
    with pytest.raises(PowerCut):
        model.fit(X, y)
    arrays, header = read_model(tmp_path / LAST)
    elsewhere = np.random.get_state()  # noqa: NPY002 - the generator of a fit without a seed
    model.set_params(callbacks=None).fit(X, y)
    assert repr(np.random.get_state()) == repr(elsewhere)  # noqa: NPY002
    assert len(model.loss_curve_) == 8
    seed = np.random.RandomState()
    seed.set_state(("MT19937", arrays["start/key"], header["start"]["pos"], 0, 0.0))
    again = MLPClassifier((5,), max_iter=8, early_stopping=True, random_state=seed).fit(X, y)
    assert again.loss_curve_ == model.loss_curve_


def test_a_table_goes_on_to_the_same_bits(tmp_path):
    """The columns are learned anew from the same rows; so are the target and the temperature."""
    rng = np.random.default_rng(0)
    table = {"height": rng.normal(size=80), "town": rng.choice(["Ulm", "Bonn", "Köln"], 80)}
    table["height"][::9] = np.nan
    y = (table["town"] == "Ulm") ^ (np.nan_to_num(table["height"]) > 0)

    def fit(**options):
        model = RealMLPClassifier(
            n_epochs=9, hidden_layer_sizes=(8,), batch_size=16, random_state=0, **options
        )
        return model.fit(table, y)

    whole = fit()
    with pytest.raises(PowerCut):
        fit(checkpoint=tmp_path, checkpoint_every=2, callbacks=[cut_after(6)])
    found = fit(checkpoint=tmp_path, checkpoint_every=2)
    for name, value in whole.parameters_.items():
        assert found.parameters_[name].tobytes() == value.tobytes(), name
    assert found.temperature_ == whole.temperature_
    assert found.loss_curve_ == whole.loss_curve_
    table["town"][3] = "Bonn" if table["town"][3] == "Ulm" else "Ulm"
    with pytest.raises(CheckpointError, match=r"data: input 'town', content: expected SHA-256"):
        fit(checkpoint=tmp_path)


CHANGES = {
    "options: alpha": lambda model, X, y: (model.set_params(alpha=0.5), X, y),
    "options: hidden_layer_sizes": lambda m, X, y: (m.set_params(hidden_layer_sizes=(8,)), X, y),
    "options: activation": lambda m, X, y: (m.set_params(activation="tanh"), X, y),
    "options: solver": lambda model, X, y: (model.set_params(solver="rmsprop"), X, y),
    "options: estimator": lambda model, X, y: (
        SoftmaxClassifier(solver="adam", checkpoint=model.checkpoint),
        X,
        y,
    ),
    "data: input X, shape": lambda model, X, y: (model, X[:-1], y[:-1]),
    "data: input X, type": lambda model, X, y: (model, X.astype(np.float32), y),
    "data: input X, content": lambda model, X, y: (model, X[::-1], y),
    "data: target, content": lambda model, X, y: (model, X, y[::-1]),
    "data: classes, content": lambda model, X, y: (model, X, y + 1),
}


@pytest.mark.parametrize("named", CHANGES)
def test_a_fit_of_something_else_is_refused_by_name(digits, tmp_path, named):
    model = MLPClassifier((9,), max_iter=2, random_state=0, checkpoint=tmp_path).fit(*digits)
    changed, X, y = CHANGES[named](clone(model), *digits)
    with pytest.raises(CheckpointError, match=f"checkpoint .*, {named}: expected .*; came .*"):
        changed.fit(X, y)


def test_a_generator_beyond_its_words_is_refused(digits, tmp_path):
    """NumPy would read memory that is not the generator's."""
    model = MLPClassifier((9,), max_iter=2, random_state=0, checkpoint=tmp_path).fit(*digits)
    arrays, header = read_model(tmp_path / LAST)
    for part in (header["start"], header["numbers"]["order"]["generator"]):
        kept, part["pos"] = part["pos"], 10**6
        write_model(tmp_path / LAST, arrays, header)
        with pytest.raises(FileFormatError, match="expected 624 words and a place in them"):
            clone(model).fit(*digits)
        part["pos"] = kept
    arrays["state/order"][0] = 10**9
    write_model(tmp_path / LAST, arrays, header)
    with pytest.raises(FileFormatError, match="expected each of 300 rows once"):
        clone(model).fit(*digits)


def test_warm_starts_and_checkpoints_do_not_mix(digits, tmp_path):
    with pytest.raises(OptionError, match="warm_start=False"):
        MLPClassifier(warm_start=True, checkpoint=tmp_path).fit(*digits)


def test_partial_fit_keeps_nothing(digits, tmp_path):
    X, y = digits
    MLPClassifier((5,), checkpoint=tmp_path / "runs").partial_fit(X, y, classes=np.arange(10))
    assert not (tmp_path / "runs").exists()


def test_a_model_file_does_not_name_the_folder(digits, tmp_path):
    model = MLPClassifier((5,), max_iter=2, checkpoint=tmp_path / "runs").fit(*digits)
    save(model, tmp_path / "m.safetensors")
    assert load(tmp_path / "m.safetensors").checkpoint is None
    assert str(tmp_path).encode() not in (tmp_path / "m.safetensors").read_bytes()


KILLED = """
import json, os, random, signal, sys, time, warnings
import numpy as np
from pathlib import Path
from sklearn.datasets import load_digits
from chainrule.estimators import MLPClassifier
from chainrule.files import read_model

folder, kills = Path(sys.argv[1]), int(sys.argv[2])
warnings.simplefilter("ignore")
X, y = load_digits(return_X_y=True)
X, y = X[:200] / 16, y[:200]
EPOCHS = 60

def model(**options):
    return MLPClassifier(
        (60,), max_iter=EPOCHS, dropout=0.1, early_stopping=True, n_iter_no_change=EPOCHS,
        random_state=0, n_threads=1, **options)

def child(runs, tell):
    def report(progress):
        os.write(tell, bytes([progress.epoch]))
    fitted = model(checkpoint=runs, checkpoint_every=1, callbacks=[report]).fit(X, y)
    np.savez(folder / "result.npz", **fitted.parameters_)

def born(runs):
    hear, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.close(hear)
            child(runs, tell)
            code = 0
        finally:
            os._exit(code)
    os.close(tell)
    return pid, hear

def kept(runs):
    path = runs / "last.safetensors"
    return read_model(path)[1]["numbers"]["epoch"] if path.exists() else 0

rng = random.Random(0)
killed = finished = cycle = 0
longest, epochs_lost, halves = 0.3, [], 0
results = []
while killed < kills or not finished:
    runs = folder / f"runs{cycle}"
    before = kept(runs)
    start = time.monotonic()
    pid, hear = born(runs)
    if killed < kills:
        time.sleep(rng.uniform(0, longest))
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    seen = os.read(hear, 65536)
    os.close(hear)
    after = kept(runs)                   # which refuses a half-written file
    if os.WIFSIGNALED(status):
        killed += 1
        halves += len(list(runs.glob(".*.part")))
        done = max([before, *seen])
        epochs_lost.append(done - after)
    else:
        assert os.WEXITSTATUS(status) == 0, status
        finished, cycle = finished + 1, cycle + 1
        with np.load(folder / "result.npz") as file:
            results.append({name: file[name] for name in file})
whole = model().fit(X, y).parameters_
same = all(np.array_equal(one[name], whole[name]) for one in results for name in whole)
print(json.dumps({"killed": killed, "finished": finished, "same": same, "halves": halves,
                  "lost": [min(epochs_lost), max(epochs_lost)], "epochs": EPOCHS}))
"""


def kill(folder, kills):
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(folder), str(kills)],
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["killed"] == kills
    assert told["finished"] >= 1
    assert told["same"], told
    # at most the epoch whose checkpoint was being written
    assert told["lost"][0] >= 0
    assert told["lost"][1] <= 1, told
    return told


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL and fork as POSIX has them")
def test_killed_at_random_points_training_ends_with_the_same_bits(tmp_path):
    kill(tmp_path, 8)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL and fork as POSIX has them")
def test_killed_a_hundred_times_training_ends_with_the_same_bits(tmp_path):
    kill(tmp_path, 100)
