"""L1 penalties for L-BFGS: exact zeros, by splitting each weight in two.

min f(W) + λ Σ|W| is the smooth problem min f(P − N) + λ Σ(P + N) with P, N ≥ 0, which L-BFGS-B
solves with bounds (Schmidt, Fung, Rosales 2007, section 2). At the solution one of P and N is 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from typing import Any

import numpy as np
import scipy.optimize

from chainrule.training import History, Objective, Progress, Result
from chainrule.training.callbacks import Callbacks


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
    """
    problem = _Split(objective, X, y, sample_weight, theta0, strength)
    told = Callbacks(callbacks)
    told.begin(problem.progress(max_iter))
    status, message, n_iter = "interrupted", "Interrupted.", 0

    def iteration_ended(x: np.ndarray) -> None:
        problem.record(x)
        if told.epoch_ended(problem.progress(max_iter)):
            raise StopIteration

    try:
        found = scipy.optimize.minimize(
            problem,
            problem.start(theta0),
            jac=True,
            method="L-BFGS-B",
            bounds=problem.bounds(),
            callback=iteration_ended,
            options={"maxiter": max_iter, "maxfun": max_fun, "gtol": tol, "ftol": 1e-15},
        )
        problem.theta = problem.join(found.x).astype(theta0.dtype)
        n_iter, message = int(found.nit), str(found.message)
        status = {0: "converged", 1: "max_iter", 99: "callback"}.get(found.status, "failed")
    except KeyboardInterrupt:
        n_iter = len(problem.history)
    finally:
        told.end(problem.progress(max_iter))
    return Result(
        theta=problem.theta,
        loss=problem.value(problem.theta),
        n_iter=n_iter,
        n_evaluations=problem.evaluations,
        status=status,
        message=message,
        history=problem.history,
        seconds=perf_counter() - problem.begun,
    )


class _Split:
    """J(P − N) + λ Σ(P + N) and its gradient, as a function of (P, N, the other parameters)."""

    def __init__(
        self,
        objective: Objective,
        X: Any,
        y: np.ndarray,
        weight: np.ndarray | None,
        theta0: np.ndarray,
        strength: float,
    ) -> None:
        self.objective = objective
        self.data = (X, y, weight)
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
        loss, gradient = self.objective(theta, *self.data)
        gradient = gradient.astype(np.float64)
        slope = gradient[self.matrices]
        split = 2 * len(self.matrices)
        loss += self.strength * float(x[:split].sum())
        self._last = (loss, float(np.linalg.norm(gradient)))
        parts = [slope + self.strength, self.strength - slope, gradient[self.others]]
        return loss, np.concatenate(parts)

    def value(self, theta: np.ndarray) -> float:
        cost = self.strength * float(np.abs(theta[self.matrices]).sum(dtype=np.float64))
        return self.objective(theta, *self.data)[0] + cost

    def record(self, x: np.ndarray) -> None:
        self.theta = self.join(x).astype(self.theta.dtype)
        self.history.append(
            epoch=len(self.history) + 1,
            loss=self._last[0],
            gradient_norm=self._last[1],
            seconds=perf_counter() - self.begun,
        )

    def progress(self, max_iter: int) -> Progress:
        seen = self.theta.view()
        seen.flags.writeable = False
        return Progress(self.objective, seen, len(self.history), max_iter, self.history, "lbfgs")
