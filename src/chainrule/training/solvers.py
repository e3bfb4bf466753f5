"""Full-batch training: SciPy's solvers and plain gradient descent, each step over all rows."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from chainrule.errors import OptionError
from chainrule.ops.options import number
from chainrule.training.callbacks import Callback, Callbacks
from chainrule.training.checkpoints import EVERY, Checkpoints, open_checkpoints
from chainrule.training.legs import Legs
from chainrule.training.objective import Objective
from chainrule.training.progress import progress_bars
from chainrule.training.recipe import check_count
from chainrule.training.result import Result
from chainrule.training.rows import bind_rows
from chainrule.training.search import METHODS, Search

SOLVERS: tuple[str, ...] = (*METHODS, "gd")
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
    checkpoint: str | os.PathLike[str] | Checkpoints | None = None,
    checkpoint_every: int = EVERY,
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
    checkpoint : path-like, optional
        A folder in which the state is kept; where it holds one, the search goes on from it. The
        solver then runs in legs of ``checkpoint_every`` iterations, each started afresh from θ,
        because SciPy does not show what a solver remembers: the same bits as an uninterrupted run
        with the same ``checkpoint_every``, not those of a run without checkpoints.
    checkpoint_every : int

    Returns
    -------
    Result
        Ctrl-C ends training with ``status="interrupted"`` and the best parameters so far.

    Raises
    ------
    NumericalError
        When loss or gradient is not finite: says at which iteration, in which layer and the
        likely cause; ``.theta`` holds the last good parameters. A trial step that overflows is
        no error where the solver's line search turns back from it.
    OptionError
        When an option is out of its range, or the network has dropout, which needs mini-batches.
    """
    if solver not in SOLVERS:
        raise OptionError(f"solver must be one of {', '.join(SOLVERS)}, got {solver!r}")
    if objective.rows.masks:
        raise OptionError(
            f"solver {solver!r} looks at all rows in every step and cannot draw the masks of "
            "dropout; train with mini-batches (minimize_batches), or without dropout"
        )
    search = Search(
        objective,
        bind_rows(objective.rows, X, y, sample_weight),
        objective.vector.check(theta0),
        solver,
        check_count("max_iter", max_iter),
        validation,
        n_iter_no_change,
        Callbacks([*callbacks, *progress_bars(progress_bar)]),
    )
    if solver == "gd":
        tol = 1e-5 if tol is None else tol
        leg = partial(search.descend, number(above=0)("learning_rate", learning_rate), tol)
    else:
        leg = partial(search.scipy, tol, dict(options or {}))
    with open_checkpoints(checkpoint, checkpoint_every) as kept:
        if kept is None:
            return search.run(leg)
        course = {
            "solver": solver,
            "tol": tol,
            "max_iter": max_iter,
            "learning_rate": float(learning_rate) if solver == "gd" else None,
            "options": dict(options or {}),
            "n_iter_no_change": n_iter_no_change,
            "validation": validation is not None,
            "precision": str(search.dtype),
        }
        return search.run(Legs(search, kept, leg, course).run)
