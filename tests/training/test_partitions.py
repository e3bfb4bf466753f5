"""Rows in partitions: the same objective, the same bits, whoever adds up what."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chainrule.errors import CheckpointError, DataError, NumericalError, OptionError
from chainrule.training import InMemory, Sums, Trainer, minimize, minimize_batches
from chainrule.training.partitions import OneBatch
from chainrule.training.rows import bind_rows
from chainrule.training.shuffling import permutation
from chainrule.training.sums import join, total

FIXTURE = HealthCheck.function_scoped_fixture  # a function that makes problems, no state


def cut(problem, sizes, weight=None, X=None):
    """The problem's rows in partitions of these sizes, none of which is 0."""
    X = problem.X if X is None else X
    edges = np.concatenate(([0], np.cumsum(sizes)))
    return InMemory(
        [
            bind_rows(
                problem.objective.rows,
                X[a:b],
                problem.y[a:b],
                None if weight is None else weight[a:b],
            )
            for a, b in pairwise(edges)
        ]
    )


@settings(max_examples=40, deadline=None, suppress_health_check=[FIXTURE])
@given(data=st.data())
def test_any_partitioning_gives_the_objective_of_one_machine(make, data):
    problem = make(rows=data.draw(st.integers(2, 80)))
    rows = len(problem.X)
    edges = sorted(data.draw(st.sets(st.integers(1, rows - 1), max_size=12)))
    sizes = np.diff([0, *edges, rows])
    weight = np.random.default_rng(len(edges)).uniform(0.1, 3, rows)
    for own in (None, weight):
        loss, gradient = problem.objective(problem.theta0, problem.X, problem.y, own)
        parts = cut(problem, sizes, own)
        found = problem.objective(problem.theta0, parts, None)
        assert abs(found[0] - loss) <= 1e-12 * abs(loss)
        assert np.linalg.norm(found[1] - gradient) <= 1e-12 * np.linalg.norm(gradient)
        assert parts.total_weight() == pytest.approx(rows if own is None else weight.sum())


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(1, 9), st.randoms(use_true_random=False))
def test_the_root_has_the_same_bits_whoever_holds_what(count, holders, random):
    rng = np.random.default_rng(count)
    leaves = {
        (0, i): Sums(float(rng.normal()), 1.0, rng.normal(size=3) * 10.0 ** rng.integers(-8, 8))
        for i in range(count)
    }
    held: list[dict] = [{} for _ in range(holders)]
    for place, sums in leaves.items():
        random.choice(held)[place] = sums
    sent = [join(one, count) for one in held]
    random.shuffle(sent)
    found = total({place: sums for one in sent for place, sums in one.items()}, count)
    alone = total(leaves, count)
    assert found.loss == alone.loss
    assert found.weight == count
    assert found.gradient.tobytes() == alone.gradient.tobytes()


def test_the_tree_adds_neighbours_first():
    leaves = {(0, i): Sums(float(x), 1.0, np.array([x])) for i, x in enumerate((1e16, 1, -1e16))}
    assert total(leaves, 3).loss == (1e16 + 1) - 1e16
    (place,) = join({(0, 2): leaves[0, 2]}, 3)
    assert place == (1, 1)  # the last of its level rises alone


def test_twenty_iterations_of_conjugate_gradients_end_in_the_same_place(problem):
    options = {"theta0": problem.theta0, "solver": "cg", "max_iter": 20, "tol": 0.0}
    alone = minimize(problem.objective, problem.X, problem.y, **options)
    found = minimize(problem.objective, cut(problem, [1, 30, 15, 7]), None, **options)
    assert found.n_iter == alone.n_iter == 20
    assert np.linalg.norm(found.theta - alone.theta) <= 1e-9 * np.linalg.norm(alone.theta)


def test_the_product_with_the_hessian(problem):
    v = np.random.default_rng(0).normal(size=problem.theta0.size)
    alone = problem.objective.hessp(problem.theta0, v, problem.X, problem.y)
    found = problem.objective.hessp(problem.theta0, v, cut(problem, [20, 33]), None)
    np.testing.assert_allclose(found, alone, rtol=1e-6, atol=1e-9)


def test_one_partition_in_order_makes_the_steps_of_plain_mini_batches(problem):
    options = {
        "theta0": problem.theta0, "update": "adamw", "batch_size": 53, "max_epochs": 5,
        "shuffle": False, "clip_norm": 0.5, "n_iter_no_change": None,
    }  # fmt: skip
    alone = minimize_batches(problem.objective, problem.X, problem.y, **options)
    found = minimize_batches(problem.objective, cut(problem, [53]), None, **options)
    np.testing.assert_allclose(found.theta, alone.theta, rtol=1e-12)
    np.testing.assert_allclose(found.history["loss"], alone.history["loss"], rtol=1e-12)


def test_an_epoch_visits_every_row_once(problem):
    sizes, batches = [5, 41, 7], 6
    seen = []
    for batch in range(batches):
        for i, size in enumerate(sizes):
            start, stop = (k * size // batches for k in (batch, batch + 1))
            seen += [(i, row) for row in permutation(size, 9, 4 * 3 + i, start, stop).tolist()]
    assert sorted(seen) == [(i, row) for i, size in enumerate(sizes) for row in range(size)]
    # and these are the rows whose sums a step takes
    parts = cut(problem, sizes)
    whole = np.zeros(problem.theta0.size)
    for batch in range(batches):
        work = OneBatch(problem.theta0, batch, batches, 4, 3, 9, None, 0, 1.0, False)
        whole += parts.add_up(problem.objective, work).gradient
    wanted = problem.objective.sums(problem.theta0, problem.X, problem.y).gradient
    np.testing.assert_allclose(whole, wanted, rtol=1e-11)


@pytest.mark.parametrize("rate", [0.0, 0.3])
def test_mini_batches_learn_and_go_on_from_a_state_to_the_same_bits(make, rate):
    problem = make(rate=rate)
    parts = cut(problem, [10, 30, 13])
    options = {"theta0": problem.theta0, "batch_size": 8, "max_epochs": 12, "seed": 5}
    whole = Trainer(problem.objective, parts, None, **options)
    for _ in range(6):
        whole.run_epoch()
    state = whole.state_dict()
    again = Trainer(problem.objective, parts, None, **options)
    again.load_state_dict(state)
    for _ in range(6):
        whole.run_epoch()
        again.run_epoch()
    assert again.theta.tobytes() == whole.theta.tobytes()
    assert whole.history["loss"][-1] < whole.history["loss"][0]
    assert whole.rows_seen == 12 * 53


def test_numbers_that_go_wrong_are_found_in_their_partition(problem):
    X = problem.X.copy()
    X[40, 2] = np.inf
    parts = cut(problem, [20, 15, 18], X=X)
    assert parts.wrong(problem.objective, problem.theta0) is parts.parts[2]
    with pytest.raises(NumericalError, match="'x'.* is (NaN|infinite)"):
        minimize(problem.objective, parts, None, theta0=problem.theta0)


def test_a_checkpoint_knows_the_partitions_that_it_is_of(problem, tmp_path):
    options = {"theta0": problem.theta0, "checkpoint": tmp_path, "checkpoint_every": 2}
    minimize(problem.objective, cut(problem, [20, 33]), None, max_iter=4, **options)
    with pytest.raises(CheckpointError, match="partitions"):
        minimize(problem.objective, cut(problem, [21, 32]), None, max_iter=4, **options)


def test_what_partitions_refuse(problem):
    parts = cut(problem, [20, 33])
    with pytest.raises(DataError, match="give no y"):
        problem.objective(problem.theta0, parts, problem.y)
    with pytest.raises(DataError, match="at least one"):
        InMemory([])
    order = {"order": lambda epoch: np.arange(53)}
    with pytest.raises(OptionError, match="order"):
        Trainer(problem.objective, parts, None, theta0=problem.theta0, **order).run_epoch()
