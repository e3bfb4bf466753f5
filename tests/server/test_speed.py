"""How many steps a session makes in one go."""

import pytest

from chainrule.server.speed import STRETCH_SECONDS, Speed


def test_the_first_stretch_is_one_step_whatever_a_step_costs():
    assert Speed().stretch(steps_a_second=0) == 1


@pytest.mark.parametrize("cost", [1e-6, 1e-4, 1e-2, 1.0])
def test_stretches_come_to_take_their_time_and_never_much_more(cost):
    speed = Speed()
    for _ in range(60):
        steps = speed.stretch(steps_a_second=0)
        assert steps == 1 or steps * cost <= 1.01 * STRETCH_SECONDS
        speed.note(steps, steps * cost)
    assert steps >= 0.9 * min(STRETCH_SECONDS / cost, 1e6) or steps == 1 >= STRETCH_SECONDS / cost


def test_a_step_that_becomes_costly_is_believed_at_once():
    speed = Speed()
    for _ in range(60):
        speed.note(100, 100 * 1e-5)
    speed.note(1, 0.5)
    assert speed.stretch(steps_a_second=0) == 1


@pytest.mark.parametrize("rate", [1, 30, 1000])
def test_so_many_steps_a_second_are_made(rate):
    now = 0.0
    speed = Speed(lambda: now)
    speed.restart()
    made, most = 0, 0
    while now < 10:
        steps = speed.stretch(rate)
        speed.note(steps, steps * 1e-5)
        made, most = made + steps, max(most, steps)
        now += max(speed.wait(), 1e-3)
    assert abs(made - 10 * rate) <= 1
    assert most <= max(1, STRETCH_SECONDS / 1e-5)


def test_what_was_missed_while_away_is_not_made_up_for():
    now = 0.0
    speed = Speed(lambda: now)
    speed.restart()
    assert speed.stretch(100) == 1
    speed.note(1, 1e-5)
    now = 60.0
    made = 0
    while (steps := speed.stretch(100)) > 0:
        speed.note(steps, steps * 1e-5)
        made += steps
    assert 100 * 0.25 <= made <= 2 * 100 * STRETCH_SECONDS / 1e-5


def test_a_shorter_turn_takes_fewer_steps():
    speed = Speed()
    for _ in range(60):
        speed.note(100, 100 * 1e-5)
    assert speed.stretch(0) == pytest.approx(1000, abs=1)
    assert speed.stretch(0, seconds=0.002) == pytest.approx(200, abs=1)
