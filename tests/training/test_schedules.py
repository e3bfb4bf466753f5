"""Every schedule against its formula, batch by batch."""

from __future__ import annotations

import math

import numpy as np
import pytest

from chainrule.errors import OptionError
from chainrule.training import (
    SCHEDULES,
    SGD,
    Adaptive,
    Constant,
    Cosine,
    CosLog,
    Exponential,
    FlatCosine,
    InverseScaling,
    OneCycle,
    Plateau,
    Step,
    Trainer,
    make_schedule,
)

EPOCHS, PER_EPOCH, ROWS = 10, 4, 53
TOTAL = EPOCHS * PER_EPOCH


def one_cycle(k):
    t = k / TOTAL
    if t < 0.25:
        return 0.1 + 0.9 * (1 - math.cos(math.pi * t / 0.25)) / 2
    return 0.01 + 0.99 * (1 + math.cos(math.pi * (t - 0.25) / 0.75)) / 2


FORMULAS = {
    "constant": (Constant(), lambda k: 1.0),
    "step": (Step(every=3, drop=0.5), lambda k: 0.5 ** (k // PER_EPOCH // 3)),
    "exponential": (Exponential(0.9), lambda k: 0.9**k),
    "invscaling": (
        InverseScaling(0.7),
        lambda k: 1 / (k // PER_EPOCH * ROWS + 1) ** 0.7,
    ),
    "cosine": (
        Cosine(end=0.2),
        lambda k: 0.2 + 0.8 * (1 + math.cos(math.pi * k / TOTAL)) / 2,
    ),
    "one-cycle": (OneCycle(warmup=0.25, start=0.1, end=0.01), one_cycle),
    "coslog4": (
        CosLog(),
        lambda k: (1 - math.cos(2 * math.pi * math.log2(1 + 15 * k / TOTAL))) / 2,
    ),
    "flat_cos": (
        FlatCosine(),
        lambda k: 1 if k <= TOTAL / 2 else (1 + math.cos(math.pi * (2 * k / TOTAL - 1))) / 2,
    ),
}


def make_trainer(problem, **options):
    options = {
        "update": SGD(0.3), "batch_size": 16, "max_epochs": EPOCHS, "shuffle": False,
        "n_iter_no_change": None, **options,
    }  # fmt: skip
    return Trainer(problem.objective, problem.X, problem.y, theta0=problem.theta0, **options)


def test_every_schedule_is_tested():
    assert {*FORMULAS, "plateau", "adaptive"} == set(SCHEDULES)


@pytest.mark.parametrize("name", FORMULAS)
def test_a_schedule_is_its_formula(problem, name):
    """The updates that were made are those of the rates written out by hand."""
    schedule, factor = FORMULAS[name]
    trainer = make_trainer(problem, schedule=schedule)
    theta, rates = problem.theta0, []
    for k in range(TOTAL):
        rates.append(trainer.learning_rate)
        trainer.run(1)
        rows = slice(k % PER_EPOCH * 16, k % PER_EPOCH * 16 + 16)
        gradient = problem.by_hand(theta, problem.X[rows], problem.y[rows])[1]
        theta = theta - 0.3 * factor(k) * gradient
    np.testing.assert_allclose(rates, [0.3 * factor(k) for k in range(TOTAL)], rtol=1e-12)
    np.testing.assert_allclose(trainer.theta, theta, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", FORMULAS)
def test_rates_of_one_stretch_are_those_of_single_steps(problem, name):
    single, whole = (make_trainer(problem, schedule=FORMULAS[name][0]) for _ in range(2))
    for _ in range(TOTAL):
        single.run(1)
    whole.run(TOTAL)
    np.testing.assert_array_equal(single.theta, whole.theta)


def test_progress_ends_at_one(problem):
    trainer = make_trainer(problem, schedule=Cosine(end=0.25))
    trainer.run(TOTAL + 7)
    assert trainer.learning_rate == pytest.approx(0.3 * 0.25)


def test_a_plateau_lowers_the_rate_after_patience(problem):
    """The validation says how training goes: better, better, then four times nothing."""
    scores = iter([1.0, 2.0, 2.0, 1.5, 2.00005, 1.0, 3.0, 3.0, 3.0, 3.0])
    trainer = make_trainer(
        problem,
        schedule=Plateau(drop=0.5, patience=2, tol=1e-4, least=0.2),
        validation=lambda theta: next(scores),
    )
    rates = [trainer.run_epoch()["learning_rate"] / 0.3 for _ in range(10)]
    np.testing.assert_allclose(rates, [1, 1, 1, 1, 0.5, 0.5, 0.25, 0.25, 0.25, 0.2])


def test_a_plateau_follows_the_loss_without_a_validation(problem):
    trainer = make_trainer(
        problem, update=SGD(1e-9), schedule=Plateau(drop=0.1, patience=1, tol=1e-3)
    )
    rates = [trainer.run_epoch()["learning_rate"] for _ in range(4)]
    np.testing.assert_allclose(rates, [1e-9, 1e-9, 1e-10, 1e-11])


def test_adaptive_divides_by_five_where_training_would_stop(problem):
    trainer = make_trainer(
        problem, update=SGD(1e-5), schedule="adaptive", n_iter_no_change=1, max_epochs=50, tol=1.0
    )
    rates = []
    while trainer.finished is None:
        rates.append(trainer.run_epoch()["learning_rate"])
    # the first epoch improves on infinity, then every second one is one too many; at 4e-7,
    # which is no more than 1e-6, training ends
    expected = [1e-5] * 3 + [2e-6] * 2 + [4e-7] * 2
    np.testing.assert_allclose(rates, expected)
    assert "did not improve more than tol=1" in trainer.finished


def test_a_schedule_by_name():
    assert make_schedule("adaptive") == Adaptive()
    assert make_schedule(Cosine(0.5)) == Cosine(0.5)
    with pytest.raises(OptionError, match="schedule must be one of constant, .*'linear'"):
        make_schedule("linear")


@pytest.mark.parametrize(
    ("make_wrong", "message"),
    [
        (lambda: Step(every=0), "step: every"),
        (lambda: OneCycle(warmup=1.0), "one-cycle: warmup"),
        (lambda: Plateau(drop=1.5), "plateau: drop"),
        (lambda: FlatCosine(flat=-0.1), "flat_cos: flat"),
    ],
)
def test_impossible_options_are_refused(make_wrong, message):
    with pytest.raises(OptionError, match=message):
        make_wrong()
