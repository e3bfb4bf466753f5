"""Masks of dropout: bits of a counter, whatever the blocks; kept in the mean."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr
from chainrule.training import SGD, Trainer
from chainrule.training.dropout import draw_mask


def mask_node(rate, units, stream=3):
    x = cr.input("x", ("rows", units))
    graph = cr.Graph(cr.dropout(x, rate=rate, stream=stream))
    return graph.masks[0]


@pytest.mark.parametrize(("rows", "units"), [(1, 1), (5, 7), (64, 16), (33, 3)])
def test_a_mask_lane_by_lane(rows, units):
    node = mask_node(0.3, units)
    mask = draw_mask(node, rows, seed=11, step=5, dtype=np.dtype(np.float64))
    words = np.random.Philox(key=[11, 0], counter=[0, 3, 5, 0]).random_raw(rows * units // 4 + 1)
    threshold = round(0.3 * 65536)
    for r in range(rows):
        for u in range(units):
            lane = r * units + u
            bits = (int(words[lane // 4]) >> (16 * (lane % 4))) & 0xFFFF
            wanted = 65536 / (65536 - threshold) if bits >= threshold else 0.0
            assert mask[r, u] == wanted


def test_the_mean_is_one_and_the_share_is_the_rate():
    mask = draw_mask(mask_node(0.4, 100), 2000, 0, 0, np.dtype(np.float32))
    assert mask.dtype == np.float32
    assert mask.mean() == pytest.approx(1.0, abs=0.01)
    assert (mask == 0).mean() == pytest.approx(0.4, abs=0.005)


def test_steps_seeds_and_streams_differ():
    def draw(stream=1, seed=0, step=0):
        return draw_mask(mask_node(0.5, 8, stream), 8, seed, step, np.dtype(float)).tobytes()

    draws = {draw(), draw(stream=2), draw(seed=1), draw(step=1), draw(step=2**40)}
    assert len(draws) == 5
    assert draw() in draws


def test_training_drops_and_evaluation_does_not(make):
    problem = make(rate=0.5)
    full = problem.by_hand(problem.theta0, problem.X, problem.y)
    loss, gradient = problem.objective(problem.theta0, problem.X, problem.y)
    assert loss == pytest.approx(full[0])
    np.testing.assert_allclose(gradient, full[1], rtol=1e-9)
    trainer = Trainer(
        problem.objective, problem.X, problem.y, theta0=problem.theta0,
        update=SGD(0.1), batch_size=53, shuffle=False, seed=9,
    )  # fmt: skip
    (met,) = trainer.run(1)
    mask = draw_mask(problem.objective.rows.masks[0], 53, 9, 0, np.dtype(float))
    parts = problem.objective.unpack(problem.theta0)
    h = np.tanh(problem.X @ parts["W1"] + parts["b1"]) * mask
    scores = h @ parts["W2"] + parts["b2"]
    log_sum = np.log(np.exp(scores).sum(axis=1))
    wanted = (log_sum - scores[np.arange(53), problem.y]).mean()
    wanted += 0.015 * ((parts["W1"] ** 2).sum() + (parts["W2"] ** 2).sum())
    assert met == pytest.approx(wanted, rel=1e-12)
    assert met != pytest.approx(full[0], rel=1e-3)
