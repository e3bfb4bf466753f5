"""Threads: the same bits for any number, side by side, over a fork, and interrupted in time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from chainrule.engine import Shuffle, UpdateRule, default_threads
from chainrule.engine.threads import read_quota


@pytest.fixture(params=["float32", "float64"])
def case(tools, request):
    return tools.network((60, 50, 10), "sigmoid", rows=3000, dtype=request.param)


def everything(case, n_threads, batch_size=256):
    rule = UpdateRule("adam")
    theta, state = case.theta.copy(), rule.initial_state(case.vector.size, case.dtype)
    report = case.compiled.run_batches(
        theta, state, case.inputs, case.target, case.weight, rule=rule, learning_rate=0.01,
        batch_size=batch_size, n_batches=30, order=Shuffle(2), clip_norm=0.3,
        n_threads=n_threads,
    )  # fmt: skip
    loss, weight, gradient = case.compiled.sums(
        case.theta, case.inputs, case.target, case.weight, n_threads=n_threads
    )
    scores = case.compiled.forward(case.theta, case.inputs, case.scores, n_threads=n_threads)
    return [theta, report.losses, report.gradient_norms, np.array([loss, weight]), gradient, scores]


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("batch_size", [64, 200, 256, 1000])
def test_the_same_bits_for_any_number_of_threads(case, batch_size):
    expected = everything(case, 1, batch_size)
    for n_threads in (2, 3, 16):
        assert same(everything(case, n_threads, batch_size), expected)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_earlier_calls_left_behind_changes_nothing(tools, dtype):
    options = {"dtype": dtype, "rows": 3000}
    used, fresh = (tools.network((60, 50, 10), "sigmoid", **options) for _ in range(2))
    expected = [fresh.compiled.sums(fresh.theta, *_first(fresh, n)) for n in (70, 3000, 1)]
    for _ in range(2):
        for n_threads, rows, wanted in zip((3, 1, 2), (70, 3000, 1), expected, strict=True):
            data = _first(used, rows)
            used.compiled.sums(10 * used.theta, *data, n_threads=n_threads)
            found = used.compiled.sums(used.theta, *data, n_threads=n_threads)
            assert found[:2] == wanted[:2]
            np.testing.assert_array_equal(found[2], wanted[2])


def _first(case, rows):
    return {k: v[:rows] for k, v in case.inputs.items()}, case.target[:rows], case.weight[:rows]


def test_many_python_threads_use_one_program(case):
    expected, found = everything(case, 1), []

    def work():
        found.extend(same(everything(case, 1 + i % 2), expected) for i in range(4))

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 20


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_has_its_own_threads(case):
    expected = everything(case, 2)
    child = os.fork()
    if child == 0:
        os._exit(0 if same(everything(case, 2), expected) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert same(everything(case, 2), expected)


_LONG = """
import sys, threading, time, numpy as np, chainrule as cr
from chainrule import engine
x, t = cr.input("x", ("rows", 2)), cr.target("t", ("rows",))
loss = cr.squared_error(cr.tanh(x @ cr.parameter("W", (2, 3))) @ cr.parameter("V", (3, 1)), t)
vector = cr.ParameterVector(cr.Graph(loss).parameters)
compiled = engine.compile(loss, None, vector, "float32")
rule, theta = engine.UpdateRule("sgd"), np.ones(vector.size, np.float32)
state, stop = rule.initial_state(vector.size, "float32"), np.zeros(1, np.uint8)
X, y = np.random.default_rng(0).normal(size=(200, 2)), np.zeros(200)
def run():
    return compiled.run_batches(theta, state, X, y, rule=rule, learning_rate=1e-6, batch_size=10,
                                n_batches=1 << 24, stop=stop, n_threads=1)
"""


def test_control_c_stops_at_once():
    script = _LONG + (
        "print('ready', flush=True)\n"
        "try:\n    run()\n"
        "except KeyboardInterrupt:\n    print(state.step, np.isfinite(theta).all(), flush=True)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == "ready\n"
        time.sleep(0.3)
        start = time.monotonic()
        run.send_signal(signal.SIGINT)
        steps, finite = run.stdout.readline().split()
        waited = time.monotonic() - start
    assert int(steps) > 0
    assert finite == "True"
    assert waited < 1.0  # 50 ms of ours; the rest is for a busy machine


def test_a_flag_stops_from_another_thread():
    names: dict = {}
    exec(_LONG, names)
    threading.Timer(0.2, lambda: names["stop"].__setitem__(0, 1)).start()
    report = names["run"]()
    assert report.stopped == "interrupted"
    assert 0 < report.n_done == names["state"].step < 1 << 24


def test_default_threads(monkeypatch):
    for name in ("OMP_NUM_THREADS", "LOKY_MAX_CPU_COUNT"):
        monkeypatch.delenv(name, raising=False)
    most = default_threads()
    assert 1 <= most <= (os.cpu_count() or 1)
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")
    assert default_threads() == 1
    monkeypatch.delenv("LOKY_MAX_CPU_COUNT")
    monkeypatch.setenv("OMP_NUM_THREADS", "1,4")
    assert default_threads() == 1
    monkeypatch.setenv("OMP_NUM_THREADS", "junk")
    assert default_threads() == most


def test_the_quota_of_a_container(tmp_path):
    assert read_quota(tmp_path) is None
    for text, cpus in [("max 100000", None), ("150000 100000", 2), ("50000 100000", 1)]:
        (tmp_path / "cpu.max").write_text(text + "\n")
        assert read_quota(tmp_path) == cpus
    (tmp_path / "cpu.max").unlink()
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000\n")
    for text, cpus in [("-1", None), ("400000", 4)]:
        (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text(text + "\n")
        assert read_quota(tmp_path) == cpus
