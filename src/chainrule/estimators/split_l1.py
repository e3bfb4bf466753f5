"""L1 penalties for L-BFGS: exact zeros, by splitting each weight in two.

min f(W) + λ Σ|W| is the smooth problem min f(P − N) + λ Σ(P + N) with P, N ≥ 0, which L-BFGS-B
solves with bounds (Schmidt, Fung, Rosales 2007, section 2). At the solution one of P and N is 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from time import perf_counter
from typing import Any

import numpy as np
import scipy.optimize

from chainrule.errors import ShapeError
from chainrule.training import History, Objective, Progress, Result
from chainrule.training.callbacks import Callbacks
from chainrule.training.checkpoints import Checkpoints, State
from chainrule.training.legs import Legs
from chainrule.training.rows import PartitionedRows, Rows, bind_rows


def minimize_l1(
    objective: Objective,
    X: Any,
    y: np.ndarray,
    sample_weight: np.ndarray | None,
    *,
    theta0: np.ndarray,
    strength: float,
    max_iter: int,
    tol: float,
    max_fun: int,
    callbacks: Sequence[Any] = (),
    kept: Checkpoints | None = None,
) -> Result:
    """θ with the least J(θ) + strength · Σ|W| over all matrices W of the network.

    Parameters
    ----------
    objective : Objective
        J, smooth.
    theta0 : ndarray of shape (parameters,)
    strength : float
        λ > 0.
    max_iter, max_fun : int
        Iterations and evaluations at most.
    tol : float
        Stop when the largest entry of the projected gradient is at most this.
    callbacks : sequence
        As ``chainrule.training.minimize`` takes them.
    kept : Checkpoints, optional
        The search then runs in legs, as ``minimize`` does with ``checkpoint``.
    """
    rows = bind_rows(objective.rows, X, y, sample_weight)
    problem = _Split(objective, rows, theta0, strength, max_iter, Callbacks(callbacks))
    leg = partial(problem.leg, max_fun, tol)
    problem.told.begin(problem.progress())
    try:
        if kept is None:
            leg()
        else:
            course = {"strength": strength, "max_iter": max_iter, "tol": tol, "max_fun": max_fun}
            Legs(problem, kept, leg, course).run()
    except KeyboardInterrupt:
        problem.status, problem.message = "interrupted", "Interrupted."
        problem.iteration = len(problem.history)
    finally:
        problem.told.end(problem.progress())
    return Result(
        theta=problem.theta,
        loss=problem.value(problem.theta),
        n_iter=problem.iteration,
        n_evaluations=problem.evaluations,
        status=problem.status,
        message=problem.message,
        history=problem.history,
        seconds=perf_counter() - problem.begun,
    )


class _Split:
    """J(P − N) + λ Σ(P + N) and its gradient, as a function of (P, N, the other parameters)."""

    def __init__(
        self,
        objective: Objective,
        rows: Rows | PartitionedRows,
        theta0: np.ndarray,
        strength: float,
        max_iter: int,
        told: Callbacks,
    ) -> None:
        self.objective = objective
        self.rows = rows
        self.told = told
        self.max_iter = self.leg_ends = max_iter
        self.iteration = 0
        self.status = self.message = ""
        self.strength = strength
        self.theta = theta0.copy()
        self.history = History()
        self.evaluations = 0
        self.begun = perf_counter()
        penalised = np.zeros(objective.vector.size, bool)
        for name, shape in objective.vector.shapes.items():
            penalised[objective.vector.slices[name]] = len(shape) >= 2
        self.matrices = np.flatnonzero(penalised)
        self.others = np.flatnonzero(~penalised)
        self._last = (np.nan, np.nan)

    def start(self, theta: np.ndarray) -> np.ndarray:
        W = theta[self.matrices].astype(np.float64)
        return np.concatenate([np.maximum(W, 0), np.maximum(-W, 0), theta[self.others]])

    def join(self, x: np.ndarray) -> np.ndarray:
        count = len(self.matrices)
        theta = np.empty(self.objective.vector.size)
        theta[self.matrices] = x[:count] - x[count : 2 * count]
        theta[self.others] = x[2 * count :]
        return theta

    def bounds(self) -> list[tuple[float | None, None]]:
        free: list[tuple[float | None, None]] = [(None, None)]
        return [(0.0, None)] * (2 * len(self.matrices)) + free * len(self.others)

    def __call__(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        self.evaluations += 1
        theta = self.join(x).astype(self.theta.dtype)
        loss, gradient = self.objective.evaluate(theta, self.rows)
        gradient = gradient.astype(np.float64)
        slope = gradient[self.matrices]
        split = 2 * len(self.matrices)
        loss += self.strength * float(x[:split].sum())
        self._last = (loss, float(np.linalg.norm(gradient)))
        parts = [slope + self.strength, self.strength - slope, gradient[self.others]]
        return loss, np.concatenate(parts)

    def value(self, theta: np.ndarray) -> float:
        cost = self.strength * float(np.abs(theta[self.matrices]).sum(dtype=np.float64))
        return self.objective.evaluate(theta, self.rows)[0] + cost

    def leg(self, max_fun: int, tol: float) -> None:
        """L-BFGS-B from θ to the end of the leg."""
        before = self.iteration
        found = scipy.optimize.minimize(
            self,
            self.start(self.theta),
            jac=True,
            method="L-BFGS-B",
            bounds=self.bounds(),
            callback=self.iteration_ended,
            options={
                "maxiter": self.leg_ends - before,
                "maxfun": max(max_fun - self.evaluations, 1),
                "gtol": tol,
                "ftol": 1e-15,
            },
        )
        self.theta = self.join(found.x).astype(self.theta.dtype)
        self.iteration = before + int(found.nit)
        if found.status == 1 and self.iteration == self.leg_ends < self.max_iter:
            return
        self.message = str(found.message)
        self.status = {0: "converged", 1: "max_iter", 99: "callback"}.get(found.status, "failed")

    def iteration_ended(self, x: np.ndarray) -> None:
        """Take note of it; ends the search where a callback asks for it."""
        self.record(x)
        if self.told.epoch_ended(self.progress()):
            raise StopIteration

    @property
    def merit(self) -> float:
        """What makes a checkpoint the best: a low loss."""
        return -self.history["loss"][-1] if len(self.history) else -math.inf

    def state(self) -> State:
        """All that the next leg depends on."""
        numbers = {
            "iteration": self.iteration,
            "evaluations": self.evaluations,
            "status": self.status,
            "message": self.message,
            "seconds": perf_counter() - self.begun,
            "history": self.history.to_dict(nan=None),
        }
        return {"arrays": {"theta": self.theta.copy()}, "numbers": numbers}

    def load_state(self, state: State) -> None:
        """Go on from what ``state`` gave."""
        theta, numbers = state["arrays"]["theta"], state["numbers"]
        if theta.shape != self.theta.shape or theta.dtype != self.theta.dtype:
            raise ShapeError(f"state 'theta': expected {self.theta.dtype} of {self.theta.shape}")
        self.theta = theta
        self.iteration, self.evaluations = int(numbers["iteration"]), int(numbers["evaluations"])
        self.status, self.message = str(numbers["status"]), str(numbers["message"])
        self.begun = perf_counter() - float(numbers["seconds"])
        self.history = History(numbers["history"])

    def record(self, x: np.ndarray) -> None:
        self.theta = self.join(x).astype(self.theta.dtype)
        self.history.append(
            epoch=len(self.history) + 1,
            loss=self._last[0],
            gradient_norm=self._last[1],
            seconds=perf_counter() - self.begun,
        )

    def progress(self) -> Progress:
        seen = self.theta.view()
        seen.flags.writeable = False
        return Progress(
            self.objective, seen, len(self.history), self.max_iter, self.history, "lbfgs"
        )
