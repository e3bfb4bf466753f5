"""Turns: never more at work than there are places, in order, and nobody waits for a slow one."""

from __future__ import annotations

import threading

import pytest

from chainrule.server.turns import LEAST_SECONDS, MOST_SECONDS, ROUND_SECONDS, Turns


class Worker(threading.Thread):
    """Takes one turn, and stays at work until told."""

    def __init__(self, turns, order):
        super().__init__(daemon=True)
        self.turns, self.order = turns, order
        self.at_work, self.done = threading.Event(), threading.Event()
        self.start()

    def run(self):
        with self.turns.turn():
            self.order.append(self)
            self.at_work.set()
            assert self.done.wait(20)


def in_line(turns, count):
    """Wait until so many stand in line."""
    pause = threading.Event()
    while len(turns._line) < count:
        pause.wait(0.001)


def test_first_come_first_served():
    turns, order = Turns(places=1, patience=20), []
    workers = []
    for count in range(6):
        workers.append(Worker(turns, order))
        in_line(turns, count)
    for worker in workers:
        assert worker.at_work.wait(20)
        assert order[-1] is worker
        worker.done.set()
    for worker in workers:
        worker.join(20)
    assert order == workers


def test_never_more_at_work_than_places():
    turns = Turns(places=2, patience=20)
    at_work, most, guard = 0, 0, threading.Lock()

    def work():
        nonlocal at_work, most
        for _ in range(200):
            with turns.turn():
                with guard:
                    at_work += 1
                    most = max(most, at_work)
                with guard:
                    at_work -= 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(30)
    assert 1 <= most <= 2
    assert turns.stretch == MOST_SECONDS


def test_a_turn_that_lasts_too_long_loses_its_place_to_the_next():
    turns, order = Turns(places=1, patience=0.02), []
    slow = Worker(turns, order)
    assert slow.at_work.wait(20)
    for _ in range(3):
        other = Worker(turns, order)
        assert other.at_work.wait(20)
        other.done.set()
        other.join(20)
    assert not slow.done.is_set()
    slow.done.set()
    slow.join(20)
    assert len(turns._since) == len(turns._line) == 0


def test_a_mistake_gives_the_place_back():
    turns = Turns(places=1, patience=20)
    with pytest.raises(ZeroDivisionError), turns.turn():
        raise ZeroDivisionError
    with turns.turn():
        assert len(turns._since) == 1


def test_the_more_are_there_the_shorter_each_learns():
    turns, order = Turns(places=1, patience=20), []
    seen = []
    workers = []
    for count in range(30):
        workers.append(Worker(turns, order))
        in_line(turns, count)
        seen.append(turns.stretch)
    expected = [ROUND_SECONDS / count for count in range(1, 31)]
    assert seen == pytest.approx([min(max(one, LEAST_SECONDS), MOST_SECONDS) for one in expected])
    for worker in workers:
        worker.done.set()
        worker.join(20)
