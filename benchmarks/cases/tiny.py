"""The playground's network, 2-4-2-1: how many steps a second, per instruction set.

Each contender is a process of its own, because the instruction set is chosen when the engine is
loaded. "target" is a contender that takes exactly as long as its bar allows.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

import numpy as np

import chainrule as cr
from benchmarks.data import blobs
from benchmarks.measure import Bar, Case, Contender, Run
from chainrule import engine
from chainrule.training import SGD, Trainer

STEPS = 1_000_000


def playground_network() -> cr.Objective:
    """2-4-2-1, tanh, squared error, as the playground starts."""
    x, t = cr.input("x", ("rows", 2)), cr.target("t", ("rows", 1))
    scores = cr.sequential([cr.Dense(4, "tanh"), cr.Dense(2, "tanh"), cr.Dense(1)], x)
    return cr.Objective(cr.squared_error(scores, t))


def seconds_a_step() -> float:
    """Seconds of one step of batch 10 on 250 points, one core, over a million steps."""
    X, y = blobs(250, 2)
    J = playground_network()
    trainer = Trainer(
        J,
        X.astype(np.float32),
        (2.0 * y - 1)[:, None].astype(np.float32),
        theta0=J.initial(random_state=0).astype(np.float32),
        update=SGD(0.03),
        batch_size=10,
        max_epochs=10**9,
        n_iter_no_change=None,
        n_threads=1,
    )
    trainer.run(STEPS // 10)
    start = time.perf_counter()
    trainer.run(STEPS)
    return (time.perf_counter() - start) / STEPS


def in_process(isa: str) -> Run:
    """The step's time as the process measured it, so that its start does not count."""
    environment = os.environ | {"CHAINRULE_ISA": isa}
    command = [sys.executable, "-m", "benchmarks.cases.tiny"]

    def run() -> float:
        start = time.perf_counter()
        done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
        return (time.perf_counter() - start) / float(done.stdout)

    return run


def supported(isa: str) -> bool:
    """Whether this machine's processor has the instruction set."""
    return isa in engine.info().get("isas", ())


def _case(isa: str, steps_a_second: float) -> Case:
    def target() -> Run:
        def run() -> float:
            time.sleep(0.01)
            return 0.01 * steps_a_second

        return run

    return Case(
        f"2-4-2-1 playground network, tanh, batch 10, SGD, one core, {isa}: a step",
        "s",
        [Contender(isa, lambda: in_process(isa)), Contender("bar", target)],
        [Bar(1.0, ["bar"], ours=isa)],
        rounds=5,
    )


CASES = [_case(isa, bar) for isa, bar in (("avx512", 3e6), ("avx2", 1.5e6)) if supported(isa)]

if __name__ == "__main__":
    print(seconds_a_step())
