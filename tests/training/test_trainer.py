"""The trainer: state, order of rows, epochs and stretches, going on to the same bits."""

from __future__ import annotations

import json

import numpy as np
import pytest

from chainrule.errors import DataError, NumericalError, OptionError, ShapeError
from chainrule.training import (
    SGD,
    UPDATES,
    AdamW,
    Exponential,
    History,
    Plateau,
    Trainer,
    Validation,
    minimize_batches,
    run_to_end,
)


def make_trainer(problem, **options):
    options = {"batch_size": 16, "max_epochs": 6, "n_iter_no_change": None, **options}
    return Trainer(problem.objective, problem.X, problem.y, theta0=problem.theta0, **options)


def test_the_seed_decides_everything(make):
    runs = {}
    for seed in (0, 0, 1):
        problem = make(rate=0.3)
        result = minimize_batches(
            problem.objective, problem.X, problem.y,
            theta0=problem.theta0, batch_size=16, max_epochs=5, seed=seed,
        )  # fmt: skip
        if seed in runs:
            np.testing.assert_array_equal(result.theta, runs[seed])
        runs[seed] = result.theta
    assert np.abs(runs[0] - runs[1]).max() > 1e-3


def test_every_row_once_an_epoch_in_a_new_order(make):
    """One row a batch at a rate of 0: the losses are the rows' own, in the order of the visit."""
    problem = make(strength=0.0)
    own = [problem.by_hand(problem.theta0, problem.X[[i]], problem.y[[i]])[0] for i in range(53)]
    trainer = make_trainer(problem, update=SGD(0.0), batch_size=1)
    epochs = [trainer.run(53) for _ in range(2)]
    for losses in epochs:
        np.testing.assert_allclose(np.sort(losses), np.sort(own), rtol=1e-12)
        assert not np.allclose(losses, own)
    assert not np.allclose(epochs[0], epochs[1])
    still = make_trainer(problem, update=SGD(0.0), batch_size=1, shuffle=False)
    np.testing.assert_allclose(still.run(53), own, rtol=1e-12)


def test_a_window_keeps_neighbours_together(make):
    problem = make(strength=0.0, rows=64)
    own = [problem.by_hand(problem.theta0, problem.X[[i]], problem.y[[i]])[0] for i in range(64)]
    trainer = make_trainer(problem, update=SGD(0.0), batch_size=1, window=8)
    losses = trainer.run(64)
    visited = np.array([int(np.argmin(np.abs(np.array(own) - loss))) for loss in losses])
    assert sorted(visited) == list(range(64))
    for start in range(0, 64, 8):
        assert len(set(visited[start : start + 8] // 8)) == 1
    assert not np.array_equal(visited, np.arange(64))


@pytest.mark.parametrize("drop_last", [False, True])
def test_counters(problem, drop_last):
    trainer = make_trainer(problem, drop_last=drop_last)
    per_epoch, rows = (3, 48) if drop_last else (4, 53)
    assert trainer.batches_per_epoch == per_epoch
    trainer.run(2)
    assert (trainer.epoch, trainer.batch, trainer.step, trainer.rows_seen) == (0, 2, 2, 32)
    trainer.run_epoch()
    assert (trainer.epoch, trainer.batch, trainer.step) == (1, 0, per_epoch)
    assert trainer.rows_seen == rows
    trainer.run(2 * per_epoch + 1)
    assert (trainer.epoch, trainer.batch, trainer.step) == (3, 1, 3 * per_epoch + 1)
    assert trainer.rows_seen == 3 * rows + 16
    assert len(trainer.history) == 1


@pytest.mark.parametrize("scale", ["mean", "batch"])
def test_an_epochs_loss_is_the_mean_over_its_batches(problem, scale):
    weight = np.random.default_rng(1).uniform(0.1, 4, size=53)
    trainer = Trainer(
        problem.objective, problem.X, problem.y, weight, theta0=problem.theta0, update=SGD(0.5),
        batch_size=16, shuffle=False, penalty_scale=scale,
    )  # fmt: skip
    theta, total, sizes, norms = problem.theta0, 0.0, 0.0, []
    for start in range(0, 53, 16):
        rows = slice(start, start + 16)
        w = weight[rows]
        share = 1.0 if scale == "mean" else 1 / w.sum()
        loss, gradient = problem.by_hand(theta, problem.X[rows], problem.y[rows], w, share)
        size = w.sum() if scale == "mean" else len(w)
        total, sizes = total + size * loss, sizes + size
        norms.append(np.linalg.norm(gradient))
        theta = theta - 0.5 * gradient
    trainer.run(1)  # the part of an epoch that is run by itself counts towards it
    row = trainer.run_epoch()
    assert row["loss"] == pytest.approx(total / sizes, rel=1e-12)
    assert row["gradient_norm"] == pytest.approx(np.mean(norms), rel=1e-9)
    assert row["learning_rate"] == 0.5
    np.testing.assert_allclose(trainer.theta, theta, rtol=1e-11)


def test_a_batch_without_weight_changes_nothing_but_by_the_penalty(problem):
    weight = np.ones(53)
    weight[:16] = 0
    for scale, expected in (("batch", problem.theta0), ("mean", None)):
        trainer = Trainer(
            problem.objective, problem.X, problem.y, weight, theta0=problem.theta0,
            update=SGD(0.5), batch_size=16, shuffle=False, penalty_scale=scale,
        )  # fmt: skip
        trainer.run(1)
        if expected is None:
            expected = problem.theta0.copy()
            expected[:20] *= 1 - 0.5 * 0.03
            expected[24:36] *= 1 - 0.5 * 0.03
        np.testing.assert_allclose(trainer.theta, expected, rtol=1e-12)


def test_one_long_stretch_is_many_short_ones(make):
    results = []
    for pieces in ([24], [1] * 24, [5, 7, 12]):
        trainer = make_trainer(make(rate=0.2), update="adam", schedule="cosine")
        losses = np.concatenate([trainer.run(k) for k in pieces])
        results.append((trainer.theta, losses))
    for theta, losses in results[1:]:
        np.testing.assert_array_equal(theta, results[0][0])
        np.testing.assert_array_equal(losses, results[0][1])


def run_in(trainer, size):
    while trainer.epoch < trainer.max_epochs:
        trainer.run_epochs(size)


class TestSeveralEpochsInOneGo:
    """``run_epochs`` is ``run_epoch`` so many times, whatever happens on the way."""

    @pytest.mark.parametrize("compiled", [False, True])
    @pytest.mark.parametrize("own_order", [False, True])
    @pytest.mark.parametrize("scale", ["mean", "batch"])
    def test_the_same_bits_and_history(self, make, compiled, own_order, scale):
        problem = make(rate=0.2, compiled=compiled)
        orders = [np.random.default_rng(e).permutation(53) for e in range(30)]
        options = {
            "schedule": "invscaling", "update": "adam", "penalty_scale": scale,
            "order": (lambda epoch: orders[epoch]) if own_order else None, "max_epochs": 30,
        }  # fmt: skip
        one, many = make_trainer(problem, **options), make_trainer(problem, **options)
        for _ in range(11):
            one.run_epoch()
        assert [many.run_epochs(k) for k in (1, 7, 3)] == [1, 7, 3]
        np.testing.assert_array_equal(one.theta, many.theta)
        for name in ("epoch", "loss", "gradient_norm", "learning_rate"):
            np.testing.assert_allclose(one.history[name], many.history[name], rtol=1e-14)
        assert np.all(np.diff(many.history["seconds"]) > 0)
        for name in ("epoch", "batch", "rows_seen", "step"):
            assert getattr(one, name) == getattr(many, name)
        assert one.watch.numbers() == pytest.approx(many.watch.numbers(), rel=1e-14)

    @pytest.mark.parametrize("compiled", [False, True])
    @pytest.mark.parametrize("ties", ["first", "last"])
    def test_a_validation_looks_at_each(self, make, compiled, ties):
        problem = make(rate=0.2, compiled=compiled)
        seen = {1: [], 5: []}

        def make_one(size):
            def validation(theta):
                seen[size].append(theta.copy())
                return Validation(round(-abs(theta[0] - 0.3), 1), float(theta[1]))

            options = {"update": "adam", "schedule": "cosine", "max_epochs": 15}
            return make_trainer(problem, validation=validation, ties=ties, **options)

        one, many = make_one(1), make_one(5)
        run_in(one, 1)
        run_in(many, 5)
        np.testing.assert_array_equal(one.theta, many.theta)
        np.testing.assert_array_equal(seen[1], seen[5])
        np.testing.assert_array_equal(one.watch.best_theta, many.watch.best_theta)
        assert one.watch.best_epoch == many.watch.best_epoch
        for name in ("epoch", "validation_score", "validation_loss", "learning_rate"):
            assert one.history[name] == many.history[name]
        assert len(set(one.history["validation_score"])) < 15  # there are ties

    def test_with_a_validation_it_ends_where_training_ends(self, problem):
        options = {"update": SGD(0.02), "n_iter_no_change": 3, "max_epochs": 100}
        scores, ends = [1, 2, 3, 3, 2, 1, 3, 9, 9, 9], []
        for size in (1, 50):
            left = iter(scores)
            trainer = make_trainer(
                problem, validation=lambda theta, left=left: next(left), **options
            )
            while trainer.finished is None:
                trainer.run_epochs(size)
            ends.append((trainer.epoch, trainer.finished, trainer.watch.best_epoch))
        assert ends[0] == ends[1]
        assert ends[0][0] == 7

    def test_a_validation_that_fails_leaves_a_state_to_go_on_from(self, problem):
        fails = [False, False, False, True]

        def validation(theta):
            if fails and fails.pop(0):
                raise RuntimeError("no more rows")
            return -float(theta[0])

        trainer = make_trainer(problem, validation=validation)
        straight = make_trainer(problem, validation=lambda theta: -float(theta[0]))
        trainer.run_epochs(2)
        before = trainer.theta.copy(), trainer.epoch, trainer.step, trainer.rows_seen
        with pytest.raises(RuntimeError, match="no more rows"):
            trainer.run_epochs(3)
        np.testing.assert_array_equal(trainer.theta, before[0])
        assert (trainer.epoch, trainer.step, trainer.rows_seen) == before[1:]
        assert trainer.history["epoch"] == [1, 2]
        trainer.run_epochs(3)
        straight.run_epochs(5)
        np.testing.assert_array_equal(trainer.theta, straight.theta)
        assert trainer.history["validation_score"] == straight.history["validation_score"]

    def test_parameters_kept_for_a_validation_are_few(self, problem, monkeypatch):
        monkeypatch.setattr("chainrule.training.trainer.MOST_KEPT", 3 * problem.theta0.nbytes)
        trainer = make_trainer(problem, validation=lambda theta: 0.0)
        assert [trainer.run_epochs(k) for k in (2, 8)] == [2, 3]

    def test_it_ends_where_training_ends(self, problem):
        options = {"update": SGD(0.02), "tol": 0.004, "n_iter_no_change": 3, "max_epochs": 500}
        one, many = make_trainer(problem, **options), make_trainer(problem, **options)
        while one.finished is None:
            one.run_epoch()
        while many.finished is None:
            many.run_epochs(100)
        assert one.epoch == many.epoch > 5
        assert one.finished == many.finished
        np.testing.assert_array_equal(one.theta, many.theta)

    @pytest.mark.parametrize("compiled", [False, True])
    def test_an_error_is_the_same_error(self, make, compiled):
        problem = make(compiled=compiled)
        errors = []
        for size in (1, 50):
            trainer = make_trainer(problem, update=SGD(1e30), max_epochs=100)
            with pytest.raises(NumericalError) as caught:
                run_in(trainer, size)
            errors.append((caught.value, len(trainer.history)))
        (one, rows), (other, others) = errors
        assert (str(one), one.step, rows) == (str(other), other.step, others)
        np.testing.assert_array_equal(one.theta, other.theta)

    def test_an_interrupt_leaves_a_state_to_go_on_from(self, problem):
        trainer, straight = make_trainer(problem), make_trainer(problem)
        trainer.run_epochs(2)
        trainer.stop[0] = 1
        with pytest.raises(KeyboardInterrupt):
            trainer.run_epochs(3)
        trainer.run_epochs(3)
        straight.run_epochs(5)
        np.testing.assert_array_equal(trainer.theta, straight.theta)
        assert trainer.history["loss"] == pytest.approx(straight.history["loss"], rel=1e-14)

    def test_an_order_of_ones_own_is_asked_for_once(self, problem):
        asked = []

        def order(epoch):
            asked.append(epoch)
            return np.arange(53)

        trainer = make_trainer(problem, order=order, update=SGD(0.1))
        trainer.run_epochs(3)
        trainer.stop[0] = 1
        with pytest.raises(KeyboardInterrupt):
            trainer.run_epochs(2)
        trainer.run_epochs(2)
        assert asked == [0, 1, 2, 3, 4]

    def test_after_an_error_the_rows_come_in_the_same_order(self, problem):
        ends, problem.theta0 = [], problem.theta0.astype(np.float32)
        for size in (1, 50):
            rng = np.random.default_rng(0)  # whoever asks twice gets another order
            order = lambda epoch, rng=rng: rng.permutation(53)  # noqa: E731
            trainer = make_trainer(problem, order=order, update=SGD(1e3), max_epochs=100)
            with pytest.raises(NumericalError) as caught:
                run_in(trainer, size)
            ends.append((trainer.theta, caught.value.step, trainer.history["loss"]))
        assert ends[0][1] == ends[1][1] >= 8  # not before the third epoch
        np.testing.assert_array_equal(ends[0][0], ends[1][0])
        assert ends[0][2] == pytest.approx(ends[1][2], rel=1e-14)

    def test_orders_held_at_a_time_are_few(self, problem, monkeypatch):
        monkeypatch.setattr("chainrule.training.orders.MOST_ORDERED", 3 * 53)
        trainer = make_trainer(problem, order=lambda epoch: np.arange(53))
        assert [trainer.run_epochs(k) for k in (2, 8)] == [2, 3]


@pytest.mark.parametrize("update", UPDATES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_stored_state_goes_on_to_the_same_bits(make, update, dtype):
    """Stopped in the middle of an epoch, written as JSON and arrays, read by a new trainer."""

    def new():
        problem = make(rate=0.25)
        problem.theta0 = problem.theta0.astype(dtype)
        count = iter(range(100))
        return make_trainer(
            problem, update=update, schedule=Plateau(drop=0.5, patience=1),
            validation=lambda theta: Validation(-float(theta @ theta), next(count)),
        )  # fmt: skip

    whole = new()
    for _ in range(5):
        whole.run_epoch()

    first = new()
    first.run_epoch()
    first.run_epoch()
    first.run(3)
    state = first.state_dict()
    numbers = json.loads(json.dumps(state["numbers"], allow_nan=False))
    arrays = {name: array.copy() for name, array in state["arrays"].items()}
    first.run_epoch()  # what was stored does not move on with the trainer
    second = new()
    second.validation = lambda theta: Validation(-float(theta @ theta), second.epoch - 1)
    second.load_state_dict({"arrays": arrays, "numbers": numbers})
    while second.epoch < 5:
        second.run_epoch()
    np.testing.assert_array_equal(second.theta, whole.theta)
    for one, other in zip(second.slots, whole.slots, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(second.watch.best_theta, whole.watch.best_theta)
    assert second.memory == whole.memory
    for name in ("loss", "validation_score", "validation_loss", "learning_rate", "epoch"):
        assert second.history[name] == whole.history[name]
    assert second.rows_seen == whole.rows_seen


def test_foreign_state_is_refused(problem, make):
    trainer = make_trainer(problem, update="adam")
    with pytest.raises(OptionError, match="update rule 'sgd'.*'adam'"):
        trainer.load_state_dict(make_trainer(problem, update="sgd").state_dict())
    single = make()
    single.theta0 = single.theta0.astype(np.float32)
    with pytest.raises(ShapeError, match="'theta': expected float64"):
        trainer.load_state_dict(make_trainer(single, update="adam").state_dict())


def test_new_rows_begin_a_new_epoch(problem):
    trainer = make_trainer(problem, update=SGD(0.1), shuffle=False)
    trainer.run(2)
    theta = trainer.theta.copy()
    X, y = problem.X[20:30], problem.y[20:30]
    trainer.bind(X, y)
    row = trainer.run_epoch()
    loss, gradient = problem.by_hand(theta, X, y)
    assert row["loss"] == pytest.approx(loss)
    np.testing.assert_allclose(trainer.theta, theta - 0.1 * gradient, rtol=1e-12)
    assert trainer.rows_seen == 42
    assert (trainer.epoch, trainer.batch) == (1, 0)


def test_stop_ends_a_stretch(problem):
    trainer = make_trainer(problem)
    trainer.stop[0] = 1
    assert len(trainer.run(10)) == 0
    assert (trainer.step, trainer.stop[0]) == (0, 0)
    trainer.stop[0] = 1
    with pytest.raises(KeyboardInterrupt):
        trainer.run_epoch()
    assert len(trainer.run(10)) == 10


def test_the_callers_theta_is_left_alone(problem):
    before = problem.theta0.copy()
    make_trainer(problem).run(8)
    np.testing.assert_array_equal(problem.theta0, before)


def test_batches_are_never_larger_than_the_data(problem):
    trainer = make_trainer(problem, batch_size=1000, drop_last=True, update=SGD(0.1))
    trainer.run_epoch()
    wanted = problem.theta0 - 0.1 * problem.by_hand(problem.theta0, problem.X, problem.y)[1]
    np.testing.assert_allclose(trainer.theta, wanted, rtol=1e-12)


def test_training_stops_when_the_loss_does_not_improve(problem):
    result = minimize_batches(
        problem.objective, problem.X, problem.y, theta0=problem.theta0,
        update=SGD(1e-12), n_iter_no_change=4, max_epochs=50, tol=1e-3,
    )  # fmt: skip
    # the first epoch improves on infinity; five more in a row do not
    assert (result.n_iter, result.status) == (6, "converged")
    assert "Training loss did not improve more than tol=0.001 for 4" in result.message


def test_a_validation_restores_the_best_epoch(problem):
    scores = iter([1.0, 4.0, 2.0, 4.0, 3.0, 3.0, 3.0, 3.0])
    seen = []

    def validation(theta):
        seen.append(theta.copy())
        return next(scores)

    options = {"theta0": problem.theta0, "batch_size": 16, "n_iter_no_change": 3}
    result = minimize_batches(
        problem.objective, problem.X, problem.y, validation=validation, tol=0.0, **options
    )
    # 4.0 again is no worse than the best by tol = 0, so it counts as going on; the first is kept
    assert (result.best_epoch, result.best_score) == (2, 4.0)
    assert (result.n_iter, result.status) == (8, "converged")
    np.testing.assert_array_equal(result.theta, seen[1])
    assert result.loss == result.history["loss"][1]


def test_the_last_of_equal_scores_where_asked(problem):
    scores = iter([1.0, 4.0, 2.0, 4.0, 3.0])
    seen = []

    def validation(theta):
        seen.append(theta.copy())
        return next(scores)

    result = minimize_batches(
        problem.objective, problem.X, problem.y, theta0=problem.theta0, max_epochs=5,
        validation=validation, ties="last", n_iter_no_change=None,
    )  # fmt: skip
    assert result.best_epoch == 4
    np.testing.assert_array_equal(result.theta, seen[3])


def test_a_finished_run_goes_on_with_more_epochs(problem):
    trainer = make_trainer(problem, max_epochs=2)
    assert run_to_end(trainer).n_iter == 2
    trainer.max_epochs = 5
    result = run_to_end(trainer)
    assert (result.n_iter, len(result.history)) == (3, 5)
    straight = make_trainer(problem, max_epochs=5)
    run_to_end(straight)
    np.testing.assert_array_equal(trainer.theta, straight.theta)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"batch_size": 0}, OptionError, "batch_size must be an integer ≥ 1"),
        ({"max_epochs": 2.5}, OptionError, "max_epochs must be an integer"),
        ({"seed": -1}, OptionError, "seed must be in"),
        ({"penalty_scale": "sum"}, OptionError, "penalty_scale must be one of mean, batch"),
        ({"clip_norm": 0}, OptionError, "clip_norm must be .*> 0"),
        ({"rate_factors": {"W9": 1}}, OptionError, "rate_factors: no parameter.*'W9'.*W1"),
        ({"decay_factors": {"W1": -1}}, OptionError, "decay_factors.*'W1'.*≥ 0"),
        ({"ties": "middle"}, OptionError, "ties must be"),
    ],
)
def test_wrong_options_are_refused(problem, options, error, message):
    with pytest.raises(error, match=message):
        make_trainer(problem, **options)


def test_a_wrong_order_is_refused(problem):
    trainer = make_trainer(problem, order=lambda epoch: np.arange(7))
    with pytest.raises(DataError, match="order must give 53 row numbers"):
        trainer.run_epoch()


def test_history_from_a_trainer_is_plain(problem):
    trainer = make_trainer(problem)
    trainer.run_epoch()
    again = History(trainer.history.to_dict(nan=None))
    assert again == trainer.history


class TestSchedulesOfDecayAndDropout:
    def run(self, make, *, compiled=True, rate=0.4, pieces=(24,), **options):
        problem = make(rate=rate, compiled=compiled)
        trainer = make_trainer(problem, update=AdamW(0.05, weight_decay=0.3), seed=4, **options)
        for batches in pieces:
            trainer.run(batches)
        return trainer.theta

    def test_engine_and_numpy_agree(self, make):
        both = {"decay_schedule": "flat_cos", "dropout_schedule": "flat_cos"}
        engine, numpy = (self.run(make, compiled=one, **both) for one in (True, False))
        np.testing.assert_allclose(engine, numpy, rtol=1e-9)
        np.testing.assert_array_equal(engine, self.run(make, pieces=(1, 10, 13), **both))

    def test_each_makes_its_own_difference(self, make):
        plain = self.run(make)
        for option in ("decay_schedule", "dropout_schedule"):
            assert np.abs(self.run(make, **{option: "flat_cos"}) - plain).max() > 1e-3

    def test_a_level_of_0_drops_and_decays_nothing(self, make):
        """One planned epoch, the second lies beyond it: flat_cos is 0 there."""
        trainers = []
        for rate, decay, options in [
            (0.4, 0.3, {"decay_schedule": "flat_cos", "dropout_schedule": "flat_cos"}),
            (0.0, 0.0, {}),
        ]:
            problem = make(rate=rate)
            trainer = make_trainer(
                problem, update=AdamW(0.05, weight_decay=decay), max_epochs=1, shuffle=False,
                **options,
            )  # fmt: skip
            if not trainers:
                trainer.run(4)
                theta, slots = trainer.theta.copy(), [one.copy() for one in trainer.slots]
            else:
                trainer.theta[...] = theta
                for mine, theirs in zip(trainer.slots, slots, strict=True):
                    mine[...] = theirs
                trainer.state.step, trainer.epoch = 4, 1
            trainer.run(8)
            trainers.append(trainer)
        np.testing.assert_allclose(trainers[0].theta, trainers[1].theta, rtol=1e-12)

    @pytest.mark.parametrize("option", ["decay_schedule", "dropout_schedule"])
    @pytest.mark.parametrize("wrong", ["plateau", Exponential(1.01), "steep"])
    def test_what_reacts_or_grows_is_refused(self, problem, option, wrong):
        with pytest.raises(OptionError, match="schedule"):
            make_trainer(problem, **{option: wrong})
