"""One search over all rows: SciPy's solver or plain descent, and what is noted of each step."""

from __future__ import annotations

import math
from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np
import scipy.optimize

from chainrule.errors import NumericalError, OptionError, ShapeError
from chainrule.training.callbacks import Callbacks, Progress
from chainrule.training.checkpoints import State
from chainrule.training.diagnosis import explain
from chainrule.training.history import History
from chainrule.training.legs import LegEnds, Stop
from chainrule.training.objective import Objective
from chainrule.training.result import Result
from chainrule.training.rows import PartitionedRows, Rows
from chainrule.training.validation import Validation, as_validation
from chainrule.training.watch import Watch

METHODS = {
    "cg": ("CG", "gtol"),
    "lbfgs": ("L-BFGS-B", "gtol"),
    "bfgs": ("BFGS", "gtol"),
    "tnc": ("TNC", "gtol"),
    "newton-cg": ("Newton-CG", "xtol"),
}
"""SciPy's name of each solver, and of the option that ``tol`` sets."""


class Search:
    """One run of a solver: counts, remembers the best, keeps the history, calls back."""

    def __init__(
        self,
        objective: Objective,
        rows: Rows | PartitionedRows,
        theta0: np.ndarray,
        solver: str,
        max_iter: int,
        validation: Callable[[np.ndarray], Any] | None,
        n_iter_no_change: int | None,
        told: Callbacks,
    ) -> None:
        self.objective = objective
        self.rows = rows
        self.dtype = np.dtype(np.float32 if theta0.dtype == np.float32 else np.float64)
        self.theta0 = theta0.astype(np.float64)
        self.theta = self.theta0.copy()
        self.best_theta, self.best_loss = self.theta0.copy(), math.inf
        self.solver = solver
        self.max_iter = self.leg_ends = max_iter
        self.validation = validation
        self.watch = Watch(self.theta0.copy(), True, 0.0, n_iter_no_change)
        self.told = told
        self.history = History()
        self.iteration = self.evaluations = 0
        self.status, self.message = "", ""
        self._overflown: np.ndarray | None = None
        self._recent: dict[int, tuple[float, float]] = {}
        self._errors = np.geterr()
        self.begun = perf_counter()

    def run(self, solve: Callable[[], None]) -> Result:
        """Run ``solve`` between the callbacks' begin and end, whatever ends it."""
        theta = self.theta.view()
        theta.flags.writeable = False
        self.progress = Progress(
            self.objective,
            theta,
            0,
            self.max_iter,
            self.history,
            self.solver,
            rows=self.rows if isinstance(self.rows, Rows) else None,
        )
        self.told.begin(self.progress)
        try:
            solve()
        except Stop:
            pass
        except KeyboardInterrupt:
            self.status = "interrupted"
            self.message = "Training interrupted; the best parameters are kept."
        finally:
            self.told.end(self.progress)
        return self._result()

    def scipy(self, tol: float | None, options: dict[str, Any]) -> None:
        """``scipy.optimize.minimize`` with our counting in between."""
        method, tolerance = METHODS[self.solver]
        options, before = dict(options), self.iteration
        if self.solver != "tnc":  # which has no such option: the callback counts
            options.setdefault("maxiter", self.leg_ends - before)
        if "maxfun" in options:
            options["maxfun"] = max(options["maxfun"] - self.evaluations, 1)
        if tol is not None:
            options.setdefault(tolerance, tol)
        with np.errstate(all="ignore"):  # a trial step that overflows
            found = scipy.optimize.minimize(
                self.evaluate,
                self.theta.copy(),
                method=method,
                jac=True,
                hessp=self.hessp if self.solver == "newton-cg" else None,
                callback=self.iteration_ends,
                options=options,
            )
        self.theta[...] = found.x
        if self.iteration == self.leg_ends < self.max_iter and not found.success:
            return
        limit = found.status == 1 or (self.solver == "tnc" and found.status == 3)
        self.status = "converged" if found.success else "max_iter" if limit else "failed"
        self.message = f"{method}: {found.message}"
        if self.status == "failed" and self._overflown is not None and not self.iteration:
            raise self._trouble()

    def descend(self, learning_rate: float, tol: float) -> None:
        """θ ← θ − learning_rate · ∇J(θ), the lecture's loop, until ∇J is nowhere above ``tol``."""
        theta, rate = self.theta.copy(), learning_rate
        gradient = self.evaluate(theta)[1]
        while np.max(np.abs(gradient)) > tol:
            theta = theta - rate * gradient
            gradient = self.evaluate(theta)[1]
            self.iteration_ends(theta, rate)
            if self.iteration >= self.leg_ends:
                if self.iteration >= self.max_iter:
                    self.status = "max_iter"
                    self.message = f"Maximum of {self.max_iter} iterations reached."
                return
        self.status, self.message = "converged", f"No entry of the gradient is above {tol:g}."

    def evaluate(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """Loss and gradient in float64, computed in the precision of θ₀."""
        loss, gradient = self.objective.evaluate(theta.astype(self.dtype, copy=False), self.rows)
        self.evaluations += 1
        with np.errstate(over="ignore"):
            norm = float(np.linalg.norm(gradient))
        if not math.isfinite(loss + norm):
            self._overflown = theta.copy()
            if self.evaluations == 1:
                raise self._trouble()
            return self._wall(theta)
        if loss < self.best_loss:
            self.best_loss = loss
            self.best_theta[...] = theta
        self._recent[hash(theta.tobytes())] = loss, norm
        return loss, gradient.astype(np.float64, copy=False)

    def _wall(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """In place of a loss that overflows: a parabola up from the best parameters so far.

        Line searches interpolate between losses and slopes; infinities would end them.
        """
        height = abs(self.best_loss) + 1
        away = theta - self.best_theta
        with np.errstate(over="ignore"):
            return self.best_loss + height, 2 * height / max(np.dot(away, away), 1e-300) * away

    def hessp(self, theta: np.ndarray, v: np.ndarray) -> np.ndarray:
        """The Hessian at θ times v."""
        self.evaluations += 2
        return self.objective.hessian_product(theta, v, self.rows)

    def iteration_ends(self, theta: np.ndarray, rate: float = math.nan) -> None:
        """Validation, history, callbacks; ends the search where one of them asks for it."""
        self.iteration += 1
        self.theta[...] = theta
        key = hash(theta.tobytes())
        if key not in self._recent:
            self.evaluate(theta)
        if key not in self._recent:  # no line search turned back from what overflows
            raise self._trouble()
        loss, norm = self._recent[key]
        self._recent.clear()
        with np.errstate(**self._errors):
            self._report(theta, loss, norm, rate)
        if self.validation is not None and self.watch.stalled:
            self._stop("converged", "The validation score did not improve any more.")
        if self.solver == "tnc" and self.iteration >= self.max_iter:
            self._stop("max_iter", f"Maximum of {self.max_iter} iterations reached.")
        if self.solver == "tnc" and self.iteration >= self.leg_ends:
            raise LegEnds

    def _report(self, theta: np.ndarray, loss: float, norm: float, rate: float) -> None:
        said = self._validate(theta)
        self.history.append(
            epoch=self.iteration,
            loss=loss,
            validation_loss=said.loss,
            validation_score=said.score,
            gradient_norm=norm,
            learning_rate=rate,
            seconds=perf_counter() - self.begun,
        )
        self.progress.epoch = self.iteration
        if self.told.epoch_ended(self.progress):
            self._stop("callback", "A callback asked to stop.")

    def _trouble(self) -> NumericalError:
        theta = self.theta if self._overflown is None else self._overflown
        return explain(
            self.objective,
            theta.astype(self.dtype),
            self.rows,
            step=self.iteration,
            good=self.best_theta.astype(self.dtype),
        )

    def _validate(self, theta: np.ndarray) -> Validation:
        if self.validation is None:
            return Validation(math.nan)
        said = as_validation(self.validation(theta.astype(self.dtype)))
        self.watch.see(said.score, self.iteration, theta)
        return said

    @property
    def merit(self) -> float:
        """What makes a checkpoint the best: a high score, or a low loss."""
        return self.watch.best if self.watch.best_epoch else -self.best_loss

    def state(self) -> State:
        """All that the next leg depends on."""
        return {
            "arrays": {
                "theta": self.theta.copy(),
                "least_theta": self.best_theta.copy(),
                "best_theta": self.watch.best_theta.copy(),
            },
            "numbers": {
                "iteration": self.iteration,
                "evaluations": self.evaluations,
                "least_loss": self.best_loss if math.isfinite(self.best_loss) else None,
                "status": self.status,
                "message": self.message,
                "seconds": perf_counter() - self.begun,
                "watch": self.watch.numbers(),
                "history": self.history.to_dict(nan=None),
            },
        }

    def load_state(self, state: State) -> None:
        """Go on from what ``state`` gave."""
        arrays, numbers = state["arrays"], state["numbers"]
        for name in ("theta", "least_theta", "best_theta"):
            if arrays[name].shape != self.theta.shape or arrays[name].dtype != np.float64:
                raise ShapeError(f"state {name!r}: expected float64 of shape {self.theta.shape}")
        for name in ("iteration", "evaluations"):
            if type(numbers[name]) is not int or numbers[name] < 0:
                raise OptionError(f"state {name!r}: expected an integer ≥ 0, got {numbers[name]!r}")
        self.iteration, self.evaluations = numbers["iteration"], numbers["evaluations"]
        self.theta[...], self.best_theta[...] = arrays["theta"], arrays["least_theta"]
        least = numbers["least_loss"]
        self.best_loss = math.inf if least is None else float(least)
        self.status, self.message = str(numbers["status"]), str(numbers["message"])
        self.begun = perf_counter() - float(numbers["seconds"])
        self.watch.restore(numbers["watch"], arrays["best_theta"])
        self.history.columns = History(numbers["history"]).columns
        self.progress.epoch = self.iteration

    def _stop(self, status: str, message: str) -> None:
        self.status, self.message = status, message
        raise Stop

    def _result(self) -> Result:
        watched = self.watch.best_epoch > 0
        theta, loss = self.theta, self.history["loss"][-1] if len(self.history) else self.best_loss
        if watched:
            theta, loss = self.watch.best_theta, self.history["loss"][self.watch.best_epoch - 1]
        elif self.status == "interrupted":
            theta, loss = self.best_theta, self.best_loss
        return Result(
            theta=theta.astype(self.dtype),
            loss=loss,
            n_iter=self.iteration,
            n_evaluations=self.evaluations,
            status=self.status,
            message=self.message,
            history=self.history,
            seconds=perf_counter() - self.begun,
            best_epoch=self.watch.best_epoch if watched else None,
            best_score=self.watch.best if watched else math.nan,
        )
