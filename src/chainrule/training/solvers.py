"""Full-batch training: SciPy's solvers and plain gradient descent, each step over all rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from chainrule.training.callbacks import Callback
from chainrule.training.objective import Objective
from chainrule.training.result import Result

SOLVERS: tuple[str, ...] = ("cg", "lbfgs", "bfgs", "tnc", "newton-cg", "gd")
"""The full-batch solvers by name."""


def minimize(
    objective: Objective,
    X: Any,
    y: Any,
    sample_weight: Any = None,
    *,
    theta0: np.ndarray,
    solver: str = "cg",
    max_iter: int = 200,
    tol: float | None = None,
    learning_rate: float = 0.1,
    validation: Callable[[np.ndarray], Any] | None = None,
    n_iter_no_change: int | None = None,
    callbacks: Sequence[Callback | Callable[..., Any]] = (),
    progress_bar: bool | None = None,
    options: Mapping[str, Any] | None = None,
) -> Result:
    """θ with the least J(θ), from θ₀, by a solver that looks at all rows in every step.

    Parameters
    ----------
    objective : Objective
    X, y, sample_weight
        As ``objective(theta, X, y, sample_weight)`` takes them.
    theta0 : ndarray of shape (parameters,)
        Where to start. Its precision is the objective's; the solver itself works in float64.
    solver : {"cg", "lbfgs", "bfgs", "tnc", "newton-cg", "gd"}
        ``scipy.optimize.minimize``'s CG, L-BFGS-B, BFGS, TNC, Newton-CG (with
        ``objective.hessp``), or plain gradient descent θ ← θ − learning_rate · ∇J.
    max_iter : int
        Iterations at most.
    tol : float, optional
        Stop when the largest entry of the gradient is at most this (Newton-CG: when the mean
        step is). Default: SciPy's; 1e-5 for "gd".
    learning_rate : float
        Of "gd" alone.
    validation : callable, optional
        ``validation(theta)`` after every iteration: a score, greater is better, or a
        ``Validation(score, loss)``. The result then holds the parameters of the best iteration.
    n_iter_no_change : int, optional
        With a validation: stop after so many iterations without a better score.
    callbacks : sequence of Callback or callable
        A callable is called as ``on_epoch_end``; ``True`` stops.
    progress_bar : bool, optional
        Default: on a terminal, once training has taken a second.
    options : mapping, optional
        More options of SciPy's solver, such as ``{"maxfun": 15000}`` for "lbfgs".

    Returns
    -------
    Result
        Ctrl-C ends training with ``status="interrupted"`` and the best parameters so far.

    Raises
    ------
    NumericalError
        When loss or gradient is not finite: says at which iteration, in which layer and the
        likely cause; ``.theta`` holds the last good parameters.
    OptionError
        When an option is out of its range, or the network has dropout, which needs mini-batches.
    """
    raise NotImplementedError
