"""The gradient check: every entry of a gradient against central differences of its loss.

First look: a central difference with the step of ``step_size``. What disagrees gets a second look
at three smaller and smaller steps, with extrapolation, and, if an activation crosses its corner
between the two evaluations at every one of them, it is a kink and no error. So a strongly curved
loss or a network near its corners raises no false alarm, and a factor of 1.001 is still found.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from chainrule.check.diagnosis import diagnose
from chainrule.check.kinks import crosses_a_kink
from chainrule.check.numerical import central, extrapolated, rounding_noise, step_size
from chainrule.check.problem import Problem, as_problem
from chainrule.check.progress import LateProgress
from chainrule.check.report import Comparison, GradientReport, ParameterReport
from chainrule.errors import OptionError

DIRECTIONS = 5
NOISE = 8.0  # standard deviations of rounding that are put down to chance
SHRINK = (1.0, 1 / 8, 1 / 64)  # steps of the second look, in units of the first
CONFIRMED = 10  # so many wrong entries of one parameter need no further second look


def check_gradient(
    model_or_objective: Any,
    X: Any,
    y: Any,
    *,
    tol: float = 1e-6,
    max_entries: int = 1000,
    random_state: int = 0,
    progress: bool | None = None,
    sample_weight: Any = None,
    theta: Any = None,
) -> GradientReport:
    """Compare a gradient with (J(θ + h e_i) − J(θ − h e_i)) / 2h, in float64.

    Parameters
    ----------
    model_or_objective : model or objective
        Anything with ``as_objective(X, y) -> (J, theta, X, y)``, fitted or not; or an objective
        ``J(theta, X, y, sample_weight) -> (loss, gradient)`` with ``initial``, or with ``theta``
        given here.
    X, y : array-like
        Data. A few dozen rows are enough to find an error.
    tol : float
        The relative error |a − n| / max(|a|, |n|, noise / tol) that is tolerated, where noise is
        what rounding of the loss, measured, makes of a difference.
    max_entries : int
        Up to so many parameters all are compared. Beyond, a random sample of so many, spread over
        the parameters, and random directions through each, which every entry enters.
    random_state : int
        Seed of the sample, the directions and an objective's initial parameters.
    progress : bool, optional
        Default: a bar on a terminal when it takes longer than a second.
    sample_weight : array of shape (rows,), optional
    theta : array of shape (parameters,), optional
        Where to check. Default: the model's or the objective's parameters, those that are exactly
        0 moved off it, because at 0 a penalty has no slope and an activation its corner.

    Returns
    -------
    GradientReport
        Printable; ``ok``, ``worst``, ``raise_if_wrong()``.

    Notes
    -----
    Step: Nocedal, Wright (2006), Numerical Optimization, section 8.1. Noise: Moré, Wild (2011),
    Estimating computational noise. Central differences with h = 6·10⁻⁶ have 9 to 10 right digits.
    """
    if not 0 < tol < 1:
        raise OptionError(f"tol must be between 0 and 1, got {tol}")
    if max_entries < 1:
        raise OptionError(f"max_entries must be at least 1, got {max_entries}")
    rng = np.random.default_rng(random_state)
    problem = as_problem(model_or_objective, X, y, sample_weight, theta, random_state, rng)
    loss, gradient = problem.gradient()
    chosen = _choose(problem.slices, max_entries, rng)
    count = sum(map(len, chosen.values()))
    extent = f"all {count:,} entries"
    directions = 0
    if count < problem.theta.size:
        directions = DIRECTIONS
        extent = (
            f"{count:,} of {problem.theta.size:,} entries, drawn with seed {random_state}, and "
            f"{directions} random directions through each parameter"
        )
    everywhere = rng.choice([-1.0, 1.0], size=problem.theta.shape)
    noise = rounding_noise(problem.line(everywhere * np.maximum(1, np.abs(problem.theta))))
    checker = _Checker(problem, gradient, tol, noise)
    total = count + directions * len(chosen)
    with LateProgress("gradient check", total, progress) as bar:
        parameters = tuple(
            checker.parameter(name, entries, _directions(problem, name, directions, rng), bar)
            for name, entries in chosen.items()
        )
    return GradientReport(parameters, tol, extent, loss)


def _choose(
    slices: Mapping[str, slice], limit: int, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """The entries to compare: all, or ``limit`` of them, small parameters whole."""
    sizes = {name: where.stop - where.start for name, where in slices.items()}
    shares: dict[str, int] = {}
    left = limit
    for done, name in enumerate(sorted(sizes, key=lambda name: sizes[name])):
        fair = max(left // (len(sizes) - done), 1)
        shares[name] = sizes[name] if sum(sizes.values()) <= limit else min(sizes[name], fair)
        left -= shares[name]
    return {
        name: where.start + np.sort(rng.choice(sizes[name], size=shares[name], replace=False))
        for name, where in slices.items()
    }


def _directions(
    problem: Problem, name: str, count: int, rng: np.random.Generator
) -> list[np.ndarray]:
    """Random directions of length 1 through one parameter, every entry of which takes part."""
    where = problem.slices[name]
    found = []
    for _ in range(count):
        direction = np.zeros_like(problem.theta)
        signs = rng.choice([-1.0, 1.0], size=where.stop - where.start)
        direction[where] = signs / max(np.sqrt(signs.size), 1.0)
        found.append(direction)
    return found


@dataclass(frozen=True)
class _Look:
    """One comparison, and the line along which it was made."""

    result: Comparison
    direction: np.ndarray | int
    h: float
    is_kink: bool = False


class _Checker:
    """Compares along one line after another."""

    def __init__(self, problem: Problem, gradient: np.ndarray, tol: float, noise: float) -> None:
        self.problem = problem
        self.gradient = gradient
        self.tol = tol
        self.noise = noise

    def parameter(
        self, name: str, entries: np.ndarray, directions: list[np.ndarray], bar: LateProgress
    ) -> ParameterReport:
        """What there is to say about one parameter."""
        looks = []
        for direction in [*map(int, entries), *directions]:
            looks.append(self._first_look(name, direction))
            bar.advance()
        looks = self._reconsider(looks)
        wrong = [look for look in looks if self._is_wrong(look)]
        sound = [look.result for look in looks if not look.is_kink]
        return ParameterReport(
            name=name,
            shape=tuple(self.problem.shapes[name]),
            checked=len(entries),
            directions=len(directions),
            worst=max(sound, key=lambda one: one.relative_error, default=None),
            kinks=tuple(look.result for look in looks if look.is_kink),
            wrong=len(wrong),
            diagnosis=self._diagnose(looks) if wrong else "",
        )

    def _is_wrong(self, look: _Look) -> bool:
        return not look.is_kink and look.result.relative_error > self.tol

    def _first_look(self, name: str, direction: np.ndarray | int) -> _Look:
        where, theta = self.problem.slices[name], self.problem.theta
        if isinstance(direction, np.ndarray):
            index, analytic = None, float(self.gradient @ direction)
            h = step_size(float(np.linalg.norm(theta[where])))
        else:
            shape = self.problem.shapes[name]
            index = tuple(map(int, np.unravel_index(direction - where.start, shape)))
            analytic, h = float(self.gradient[direction]), step_size(abs(theta[direction]))
        result = Comparison(name, index, analytic, central(self.problem.line(direction), h), 0.0)
        return _Look(self._scored(result, self.noise / h), direction, h)

    def _scored(self, result: Comparison, noise: float) -> Comparison:
        a, n = result.analytic, result.numerical
        error = abs(a - n) / max(abs(a), abs(n), NOISE * noise / self.tol)
        return replace(result, relative_error=error if np.isfinite(error) else np.inf)

    def _reconsider(self, looks: list[_Look]) -> list[_Look]:
        """A second look at what disagrees, the worst first, until enough is confirmed."""
        order = sorted(range(len(looks)), key=lambda i: -looks[i].result.relative_error)
        confirmed = 0
        for i in order:
            if not self._is_wrong(looks[i]) or confirmed == CONFIRMED:
                break
            looks[i] = self._second_look(looks[i])
            confirmed += self._is_wrong(looks[i])
        return looks

    def _second_look(self, look: _Look) -> _Look:
        line = self.problem.line(look.direction)
        trusted = np.inf
        numerical = noise = None
        for h in (look.h * shrink for shrink in SHRINK):
            if self._crosses(look.direction, h):
                continue
            value, spread = extrapolated(line, h)
            # the step is chosen by how far it can be trusted, not by whether it agrees
            if numerical is None or spread + self.noise / h < trusted:
                trusted, numerical, noise = spread + self.noise / h, value, 2 * self.noise / h
        if numerical is None or noise is None:
            return replace(look, is_kink=True)
        return replace(look, result=self._scored(replace(look.result, numerical=numerical), noise))

    def _crosses(self, direction: np.ndarray | int, h: float) -> bool:
        below, above = (self.problem.moved(direction, t) for t in (-h, h))
        return crosses_a_kink(self.problem.objective, below, above, self.problem.X, self.problem.y)

    def _diagnose(self, looks: list[_Look]) -> str:
        entries = [look for look in looks if not look.is_kink and look.result.index is not None]
        wrong = np.array([self._is_wrong(look) for look in entries], dtype=bool)
        if not wrong.any():
            return (
                "a random direction disagrees although the entries that were drawn agree: a few "
                "entries are wrong; raise max_entries to find them"
            )
        return diagnose(
            np.array([look.result.analytic for look in entries]),
            np.array([look.result.numerical for look in entries]),
            wrong,
            self.problem.theta[[int(look.direction) for look in entries]],
            self.problem.rows,
        )
