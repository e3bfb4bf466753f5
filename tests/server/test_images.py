"""Images of digits as data: what is learnt from and tested on, and what a run does with them."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from sklearn.datasets import load_digits

from chainrule.datasets import load_mnist
from chainrule.errors import DataError
from chainrule.files import read_model
from chainrule.server import images
from chainrule.server.announce import points_frame, run_message
from chainrule.server.frames import FRAME_HEADER, fingerprint
from chainrule.server.images import IMAGE_SETS, is_available, points_of_images
from chainrule.server.modelfile import model_bytes
from chainrule.server.own import MOST_AT_ONCE, points_of
from chainrule.server.run import MOST_SCORED
from chainrule.server.runfile import read_run, write_run
from chainrule.server.script import script
from chainrule.server.settings import read_settings
from chainrule.server.timeline import Timeline

from .steering import at_rest, do, learn

DIGITS = {"dataset": "digits", "hidden_layer_sizes": [12], "activations": ["tanh"]}


@pytest.fixture
def no_mnist(monkeypatch, tmp_path):
    monkeypatch.setenv("CHAINRULE_DATA", str(tmp_path))
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))
    images._read_mnist.cache_clear()


@pytest.fixture
def mnist(monkeypatch, mnist_folder):
    monkeypatch.setenv("CHAINRULE_DATA", str(mnist_folder))
    images._read_mnist.cache_clear()
    return load_mnist(mnist_folder)


def test_the_digits_are_all_there_in_the_order_of_the_seed():
    X, y = load_digits(return_X_y=True)
    points = points_of_images("digits", train_share=0.8, seed=3)
    assert points.n_train == round(0.8 * 1797)
    assert points.X.dtype == np.uint8
    theirs = sorted((*row, label) for row, label in zip(X.astype(int), y, strict=True))
    ours = sorted((*row, label) for row, label in zip(points.X.astype(int), points.y, strict=True))
    assert [list(map(int, row)) for row in ours] == [list(map(int, row)) for row in theirs]
    again = points_of_images("digits", train_share=0.8, seed=3)
    assert np.array_equal(points.X, again.X)
    assert not np.array_equal(points.X, points_of_images("digits", train_share=0.8, seed=4).X)


def test_mnist_keeps_its_own_test_rows_and_is_shared(mnist):
    points = points_of_images("mnist", train_share=0.25, seed=5)
    assert points.n_train == 15_000
    assert np.array_equal(points.X[15_000:], mnist.X_test)
    assert np.array_equal(points.y[15_000:], mnist.y_test)
    assert np.array_equal(points.X[:15_000], mnist.X_train[-15_000:])
    other = points_of_images("mnist", train_share=0.9)
    assert np.shares_memory(points.X, other.X)
    with pytest.raises(ValueError, match="read-only"):
        points.X[0, 0] = 1


def test_a_solver_that_reads_all_at_once_gets_fewer(mnist):
    settings = read_settings({"dataset": "mnist", "solver": "cg", "train_percent": 90})
    assert points_of(settings, None).n_train == MOST_AT_ONCE
    settings["solver"] = "adam"
    assert points_of(settings, None).n_train == 54_000


@pytest.mark.usefixtures("no_mnist")
def test_without_its_files_mnist_is_refused_with_what_to_do():
    assert not is_available("mnist")
    assert is_available("digits")
    with pytest.raises(
        DataError, match="MNIST: expected its four files; came none.*CHAINRULE_DATA"
    ):
        points_of_images("mnist")


def test_other_files_in_mnists_place_are_refused(no_mnist, tmp_path):
    from chainrule.datasets import write_idx

    for part, rows in (("train", 4), ("t10k", 2)):
        write_idx(tmp_path / f"{part}-images-idx3-ubyte", np.ones((rows, 5, 5), np.uint8))
        write_idx(tmp_path / f"{part}-labels-idx1-ubyte", np.ones(rows, np.uint8))
    with pytest.raises(DataError, match=r"expected images of \(28, 28\)"):
        points_of_images("mnist")


@pytest.mark.parametrize("name", list(IMAGE_SETS))
def test_what_a_page_begins_with_is_allowed(name):
    settings = read_settings({**IMAGE_SETS[name].start, "dataset": name})
    assert settings["hidden_layer_sizes"] == [20]


def test_it_learns_to_read(opened):
    session = opened(**{**IMAGE_SETS["digits"].start, "dataset": "digits"})
    run = session.run
    learn(session, 20 * run.learner.per_epoch)
    h = np.tanh(run.X_test / 16 @ (W := run.network.objective.unpack(run.theta))["W1"] + W["b1"])
    answers = (h @ W["W2"] + W["b2"]).argmax(axis=1)
    right = np.mean(answers == run.points.y[run.points.n_train :])
    assert right > 0.93
    assert run.observe(0, (0, 0)).scores[1] == pytest.approx(right)


@pytest.mark.parametrize("loss", ["cross_entropy", "one_vs_all", "squared_error"])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_every_loss_and_kind_of_solver_learns(opened, loss, solver):
    session = opened(**DIGITS, loss=loss, solver=solver, learning_rate=0.01)
    before = session.run.observe(0, (0, 0)).losses[0]
    learn(session, 60)
    assert session.run.failure is None
    assert session.run.observe(0, (0, 0)).losses[0] < 0.7 * before


def test_a_page_is_told_of_images_and_gets_no_plane(opened):
    session = opened(**DIGITS)
    told = run_message(session.run, None, False)
    assert told["image"] == {"height": 8, "width": 8, "ink": 16.0}
    assert (told["learnt"], told["tests"]) == (898, 899)
    assert told["sizes"] == [64, 12, 10]
    assert told["boxes"] == []
    assert points_frame(session.run)[8:12] == bytes(4)  # no rows
    frames = []
    listener = type(session.listener)()
    listener.offer = lambda frame, _: frames.append(frame)
    session.listener = type("Watching", (type(listener),), {"wants_frame": True})()
    session.listener.offer = listener.offer
    session._next_frame = 0
    session._dirty = True
    session._draw()
    header = FRAME_HEADER.unpack_from(frames[0])
    assert header[14] == header[16] == 0  # planes, thumbs


def test_scores_while_it_learns_are_of_the_first_images(mnist, opened):
    session = opened(dataset="mnist", hidden_layer_sizes=[4], train_percent=10)
    report = session.run.observe(0, (0, 0))
    assert report.confusion.sum(axis=(1, 2)).tolist() == [MOST_SCORED, MOST_SCORED]
    output = session.run.network.values(report.theta, mnist.X_test[:MOST_SCORED])[-1]
    assert report.scores[1] == np.mean(output.argmax(axis=1) == mnist.y_test[:MOST_SCORED])
    told = run_message(session.run, None, False)
    assert (told["scored"], told["tests"]) == (MOST_SCORED, 10_000)


@pytest.mark.parametrize(
    "changes", [{}, {"solver": "cg"}, {"dropout": 0.2, "regularization": "l1"}]
)
def test_the_script_repeats_the_run_to_the_same_bits(opened, tmp_path, changes):
    session = opened(**{**DIGITS, "train_percent": 30, "solver": "adam", **changes})
    learn(session, 30)
    path = tmp_path / "playground.py"
    path.write_text(script(session.run, None), encoding="utf-8")
    done = subprocess.run([sys.executable, path], capture_output=True, text=True, check=True)
    assert f"fingerprint {fingerprint(session.run.theta):016x}" in done.stdout


def test_the_model_file_holds_the_scale_of_the_pixels(opened, tmp_path):
    session = opened(**DIGITS)
    path = tmp_path / "model.safetensors"
    path.write_bytes(model_bytes(session.run))
    arrays, header = read_model(path)
    assert arrays["W1"].shape == (64, 12)
    assert header["classes"] == [str(k) for k in range(10)]
    assert '"scale"' in str(header["network"]).replace("'", '"')


def test_a_run_file_with_a_fork_makes_the_run_again(opened):
    session = opened(**DIGITS, solver="adam")
    learn(session, 40)
    do(session, "branch", settings={"solver": "rmsprop"})
    learn(session, 25)
    file = read_run(write_run(session.run, None), session.most_units)
    other = opened()
    with other.lock:
        other.part(Timeline).open(file)
    at_rest(other)
    assert fingerprint(other.run.theta) == fingerprint(session.run.theta)
    theirs = other.part(Timeline).branch
    assert theirs is not None
    assert np.array_equal(theirs.theta, session.part(Timeline).branch.theta)


def test_step_inside_shows_the_image_of_the_row(opened):
    session = opened(**DIGITS)
    do(session, "inside", position=0, row=2)
    told = session.inside.describe()
    row = session.inside.rows[2]
    assert told["point"] is None
    assert np.array_equal(np.array(told["pixels"]) * 16, session.run.points.X[row])
    assert "scale" in [node["op"] for node in told["nodes"]]
    for position in range(session.inside.last + 1):
        session.inside.move(position)
        session.inside.describe()
