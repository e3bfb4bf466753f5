"""Callbacks, history, progress bars, interrupts: what surrounds a training."""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
import time

import numpy as np
import pytest
from rich.console import Console

import chainrule as cr
from chainrule.errors import NumericalError, OptionError
from chainrule.training import (
    SGD,
    Callback,
    History,
    Trainer,
    find_learning_rate,
    minimize,
    minimize_batches,
    run_to_end,
)
from chainrule.training.progress import ProgressBar, progress_bars


class Recorder(Callback):
    def __init__(self, stop_at=None, fail_at=None):
        self.calls, self.stop_at, self.fail_at = [], stop_at, fail_at

    def on_train_begin(self, progress):
        self.calls.append(("begin", progress.epoch))

    def on_epoch_end(self, progress):
        self.calls.append(("epoch", progress.epoch))
        if progress.epoch == self.fail_at:
            raise RuntimeError("my own error")
        return progress.epoch == self.stop_at

    def on_train_end(self, progress):
        self.calls.append(("end", progress.epoch))


def train(problem, callbacks, solver):
    args = (problem.objective, problem.X, problem.y)
    if solver == "batches":
        return minimize_batches(
            *args, theta0=problem.theta0, max_epochs=5, callbacks=callbacks, update=SGD(0.1)
        )
    return minimize(*args, theta0=problem.theta0, max_iter=5, solver=solver, callbacks=callbacks)


@pytest.mark.parametrize("solver", ["batches", "cg", "gd"])
class TestHooks:
    def test_are_called_in_order(self, problem, solver):
        recorder = Recorder()
        train(problem, [recorder], solver)
        epochs = [("epoch", i) for i in range(1, 6)]
        assert recorder.calls == [("begin", 0), *epochs, ("end", 5)]

    def test_may_ask_to_stop(self, problem, solver):
        first, second = Recorder(stop_at=2), Recorder()
        result = train(problem, [first, second], solver)
        assert (result.status, result.n_iter) == ("callback", 2)
        assert second.calls == [("begin", 0), ("epoch", 1), ("epoch", 2), ("end", 2)]

    def test_end_even_when_one_fails(self, problem, solver):
        recorder = Recorder(fail_at=3)
        with pytest.raises(RuntimeError, match="my own error"):
            train(problem, [recorder], solver)
        assert recorder.calls[-1] == ("end", 3)

    def test_see_the_parameters_and_cannot_change_them(self, problem, solver):
        seen = []

        def look(progress):
            loss = progress.objective(progress.theta, problem.X, problem.y)[0]
            seen.append((loss, progress.history[-1]["epoch"], progress.max_epochs))
            with pytest.raises(ValueError, match="read-only"):
                progress.theta[0] = 0

        result = train(problem, [look], solver)
        assert [epoch for _, epoch, _ in seen] == [1, 2, 3, 4, 5]
        final = problem.objective(result.theta, problem.X, problem.y)[0]
        assert seen[-1][0] == pytest.approx(final, rel=1e-12)


class TestInterrupts:
    @pytest.mark.parametrize("validated", [False, True])
    def test_from_a_callback_keep_the_best_epoch(self, problem, validated):
        thetas, scores = [], iter([1.0, 3.0, 2.0])

        def interrupt(progress):
            thetas.append(progress.theta.copy())
            if progress.epoch == 3:
                raise KeyboardInterrupt

        result = minimize_batches(
            problem.objective, problem.X, problem.y, theta0=problem.theta0,
            update=SGD(0.1), callbacks=[interrupt], max_epochs=50,
            validation=(lambda theta: next(scores)) if validated else None,
        )  # fmt: skip
        assert (result.status, result.n_iter) == ("interrupted", 3)
        best = 1 if validated else 2
        np.testing.assert_array_equal(result.theta, thetas[best])
        assert result.loss == result.history["loss"][best]

    @pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send to oneself")
    @pytest.mark.parametrize("compiled", [False, True])
    def test_ctrl_c_finishes_the_batch_and_no_more(self, make, compiled):
        problem = make(rows=2000, compiled=compiled)
        trainer = Trainer(
            problem.objective, problem.X, problem.y, theta0=problem.theta0,
            batch_size=2, max_epochs=100_000, n_iter_no_change=None,
        )  # fmt: skip
        timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        begin = time.perf_counter()
        result = run_to_end(trainer)
        timer.join()
        assert result.status == "interrupted"
        assert time.perf_counter() - begin < 5
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        done = trainer.epoch * trainer.batches_per_epoch + trainer.batch
        assert trainer.step == done > 0
        assert trainer.rows_seen == done * 2
        assert np.all(np.isfinite(result.theta))
        trainer.max_epochs = trainer.epoch + 1
        assert run_to_end(trainer).status == "max_iter"


class TestNumbersThatGoWrong:
    @pytest.mark.parametrize("compiled", [False, True])
    def test_too_high_a_rate_is_named(self, make, compiled):
        problem = make(compiled=compiled)
        with pytest.raises(NumericalError, match="learning rate 1e\\+200 is too high") as caught:
            minimize_batches(
                problem.objective, problem.X, problem.y, theta0=problem.theta0, update=SGD(1e200)
            )
        error = caught.value
        assert error.step is not None
        assert error.step <= 3
        assert error.layer
        assert np.isfinite(problem.objective(error.theta, problem.X, problem.y)[0])

    @pytest.mark.parametrize("compiled", [False, True])
    def test_data_that_are_not_finite_are_named(self, make, compiled):
        problem = make(compiled=compiled)
        problem.X[40, 1] = np.inf
        with pytest.raises(NumericalError, match="'x' .*infinite.*data themselves") as caught:
            minimize_batches(
                problem.objective, problem.X, problem.y, theta0=problem.theta0,
                batch_size=16, shuffle=False,
            )  # fmt: skip
        assert (caught.value.step, caught.value.layer) == (2, "x")

    def test_input_that_is_not_scaled_is_named(self):
        x, t = cr.input("x", ("rows", 2)), cr.target("t", ("rows", 1))
        w = cr.parameter("w", (2, 1), init=1.0)
        J = cr.Objective(cr.squared_error(x @ w, t))
        X = np.full((10, 2), 1e200)
        with pytest.raises(NumericalError, match=r"not scaled.*1e\+200.*standardise") as caught:
            minimize_batches(J, X, np.zeros((10, 1)), theta0=J.initial())
        assert (caught.value.step, caught.value.layer) == (0, "squared_error")
        np.testing.assert_array_equal(caught.value.theta, [1.0, 1.0])

    def test_an_operation_outside_its_range_is_named(self):
        x, t = cr.input("x", ("rows", 1)), cr.target("t", ("rows", 1))
        w = cr.parameter("w", (1, 1), init=-1.0)
        J = cr.Objective(cr.squared_error(cr.log(x @ w), t))
        with pytest.raises(NumericalError, match="'log' .*NaN.*outside its range") as caught:
            minimize_batches(J, np.ones((3, 1)), np.zeros((3, 1)), theta0=J.initial())
        assert caught.value.layer == "log"

    def test_a_gradient_that_is_not_finite_is_named(self):
        x, t = cr.input("x", ("rows", 1)), cr.target("t", ("rows", 1))
        w = cr.parameter("w", (1, 1), init=0.0)
        J = cr.Objective(cr.squared_error(cr.sqrt(x @ w), t), compiled=False)
        with pytest.raises(NumericalError, match="gradient of .* is") as caught:
            minimize_batches(J, np.ones((3, 1)), np.ones((3, 1)), theta0=J.initial())
        assert caught.value.step == 0


class TestHistory:
    def test_is_a_table_of_plain_columns(self):
        history = History()
        history.append(epoch=1, loss=2.5, learning_rate=0.1, seconds=0.2, gradient_norm=3.0)
        history.append(epoch=2, loss=1.5, learning_rate=0.1, seconds=0.4, gradient_norm=2.0)
        assert history["loss"] == [2.5, 1.5]
        assert history[-1]["epoch"] == 2
        assert [row["seconds"] for row in history.rows()] == [0.2, 0.4]
        assert len(history) == 2
        assert np.isnan(history["validation_score"]).all()
        with pytest.raises(OptionError, match="no column is called 'accuracy'.*loss"):
            history["accuracy"]

    def test_prints_what_it_knows(self):
        history = History()
        assert repr(history) == "History: no epochs yet"
        for epoch in range(1, 31):
            history.append(epoch=epoch, loss=1 / epoch, seconds=0.1 * epoch)
        lines = repr(history).splitlines()
        assert lines[0].split() == ["epoch", "loss", "seconds"]
        assert lines[2].split() == ["1", "1", "0.1"]
        assert lines[-1].split() == ["30", "0.033333", "3"]
        assert len(lines) == 13


class TestProgressBar:
    def test_shows_loss_rate_and_epochs_where_asked(self, problem):
        out = io.StringIO()
        bar = ProgressBar(True, Console(file=out, force_terminal=True, width=120))
        minimize_batches(
            problem.objective, problem.X, problem.y, theta0=problem.theta0, max_epochs=3,
            update=SGD(0.125), callbacks=[bar], validation=lambda theta: 0.75,
        )  # fmt: skip
        text = out.getvalue()
        for shown in ("sgd", "3/3", "loss", "score 0.75", "rate 0.12", "0:00:00"):
            assert shown in text

    def test_follows_a_plan_that_changes(self, problem):
        class Plan(Callback):
            def on_epoch_end(self, progress):
                progress.max_epochs = progress.trainer.max_epochs = 5

        out = io.StringIO()
        bar = ProgressBar(True, Console(file=out, force_terminal=True, width=120))
        minimize_batches(
            problem.objective, problem.X, problem.y, theta0=problem.theta0, max_epochs=2,
            update=SGD(0.125), callbacks=[Plan(), bar],
        )  # fmt: skip
        assert "5/5" in out.getvalue()

    def test_is_silent_where_nobody_looks(self, problem, capsys):
        minimize(problem.objective, problem.X, problem.y, theta0=problem.theta0, max_iter=3)
        captured = capsys.readouterr()
        assert (captured.out, captured.err) == ("", "")
        assert progress_bars(None) == []
        assert progress_bars(False) == []

    def test_waits_a_second_on_a_terminal(self, problem, monkeypatch):
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
        (bar,) = progress_bars(None)
        out = io.StringIO()
        bar.console = Console(file=out, force_terminal=True)
        minimize(
            problem.objective, problem.X, problem.y,
            theta0=problem.theta0, max_iter=3, callbacks=[bar], progress_bar=False,
        )  # fmt: skip
        assert out.getvalue() == ""
        monkeypatch.setattr("chainrule.training.progress.DELAY", 0.0)
        minimize(
            problem.objective, problem.X, problem.y,
            theta0=problem.theta0, max_iter=3, callbacks=[bar], progress_bar=False,
        )  # fmt: skip
        assert "cg" in out.getvalue()


class TestRateFinder:
    def test_finds_where_the_loss_falls_fastest(self, make):
        problem = make(rows=500)
        before = problem.theta0.copy()
        found = find_learning_rate(
            problem.objective, problem.X, problem.y, theta0=problem.theta0, update="sgd",
            smallest=1e-4, largest=1e3, batches=80, batch_size=64, seed=2,
        )  # fmt: skip
        np.testing.assert_array_equal(problem.theta0, before)
        assert len(found.rates) == len(found.losses) == len(found.smoothed) < 80
        assert found.rates[0] == pytest.approx(1e-4)
        np.testing.assert_allclose(np.diff(np.log(found.rates)), np.log(1e7) / 79, rtol=1e-9)
        assert found.smoothed[-1] > 4 * found.smoothed.min()
        assert 1e-3 < found.suggestion < 10
        assert f"suggestion {found.suggestion:.2g}" in repr(found)
        # training at the suggestion gets somewhere, at a hundredth of it hardly
        losses = [
            minimize_batches(
                problem.objective, problem.X, problem.y, theta0=problem.theta0,
                update=SGD(rate), batch_size=64, max_epochs=3,
            ).loss
            for rate in (found.suggestion, found.suggestion / 100)
        ]  # fmt: skip
        assert losses[0] < losses[1]

    def test_the_first_losses_are_a_training_at_these_rates(self, problem):
        found = find_learning_rate(
            problem.objective, problem.X, problem.y, theta0=problem.theta0, update="sgd",
            smallest=0.01, largest=0.1, batches=10, batch_size=16, shuffle=False,
        )  # fmt: skip
        theta = problem.theta0
        for k in range(10):
            start = k % 4 * 16
            rows = slice(start, start + 16)
            loss, gradient = problem.by_hand(theta, problem.X[rows], problem.y[rows])
            assert found.losses[k] == pytest.approx(loss, rel=1e-10)
            theta = theta - 0.01 * 10 ** (k / 9) * gradient
        mean = (0.9 * 0.1 * found.losses[0] + 0.1 * found.losses[1]) / (1 - 0.81)
        assert found.smoothed[1] == pytest.approx(mean)

    def test_wrong_ranges_are_refused(self, problem):
        args = (problem.objective, problem.X, problem.y)
        with pytest.raises(ValueError, match="0 < smallest < largest"):
            find_learning_rate(*args, theta0=problem.theta0, smallest=1.0, largest=0.1)
        with pytest.raises(ValueError, match="batches must be an integer ≥ 10"):
            find_learning_rate(*args, theta0=problem.theta0, batches=3)
