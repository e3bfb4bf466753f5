"""How many steps a session makes in one go."""

import pytest

from chainrule.server.speed import STRETCH_SECONDS, Speed


def test_the_first_stretch_is_one_step_whatever_a_step_costs():
    assert Speed().stretch(steps_a_second=0, per_epoch=25) == 1


@pytest.mark.parametrize("cost", [1e-6, 1e-4, 1e-2, 1.0])
def test_stretches_come_to_take_their_time_and_never_much_more(cost):
    speed = Speed()
    for _ in range(60):
        steps = speed.stretch(steps_a_second=0, per_epoch=25)
        assert steps == 1 or steps * cost <= 1.01 * STRETCH_SECONDS
        speed.note(steps, steps * cost)
    assert steps >= 0.9 * min(STRETCH_SECONDS / cost, 1e6) or steps == 1 >= STRETCH_SECONDS / cost


def test_a_step_that_becomes_costly_is_believed_at_once():
    speed = Speed()
    for _ in range(60):
        speed.note(100, 100 * 1e-5)
    speed.note(1, 0.5)
    assert speed.stretch(steps_a_second=0, per_epoch=25) == 1
