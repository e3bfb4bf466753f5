"""Planes through a point of parameter space, to look at the loss on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chainrule.errors import ShapeError, describe

MARGIN = 0.2


@dataclass(frozen=True)
class Plane:
    """θ + a·u + b·v: two directions through a point, and what to call them.

    Attributes
    ----------
    centre, u, v : ndarray of shape (parameters,)
    names : tuple of str
    shares : tuple of float, optional
        How much of the path's spread lies along each direction.
    """

    centre: np.ndarray
    u: np.ndarray
    v: np.ndarray
    names: tuple[str, str]
    shares: tuple[float, float] | None = None

    def point(self, a: float, b: float) -> np.ndarray:
        """θ at these coordinates."""
        return self.centre + a * self.u + b * self.v

    def coordinates(self, thetas: np.ndarray) -> np.ndarray:
        """The (a, b) whose points lie nearest to each θ."""
        basis = np.column_stack([self.u, self.v])
        return np.linalg.lstsq(basis, (thetas - self.centre).T, rcond=None)[0].T


def random_plane(values: dict[str, np.ndarray], centre: np.ndarray, random_state: int = 0) -> Plane:
    """Two random directions, each unit's weights as long as those of θ (Li et al. 2018)."""
    rng = np.random.default_rng(random_state)

    def direction() -> np.ndarray:
        parts = []
        for value in values.values():
            if value.ndim < 2:
                parts.append(np.zeros(value.size))
                continue
            drawn = rng.normal(size=value.shape)
            # axis 0 is what comes in: one unit's weights are a column
            length = np.linalg.norm(drawn, axis=0, keepdims=True)
            own = np.linalg.norm(value, axis=0, keepdims=True)
            parts.append((drawn / np.where(length > 0, length, 1) * own).ravel())
        return np.concatenate(parts)

    return Plane(centre, direction(), direction(), ("random direction 1", "random direction 2"))


def principal_plane(thetas: np.ndarray, centre: np.ndarray) -> Plane:
    """The two directions in which the path spreads most around where it ended."""
    _, sizes, axes = np.linalg.svd(thetas - centre, full_matrices=False)
    share = sizes**2 / max(float(np.sum(sizes**2)), 1e-300)
    if len(axes) < 2 or sizes[0] == 0:
        raise ShapeError(describe("path", "at least two different θ", f"{len(thetas)}"))
    names = (
        f"1st direction of the path ({share[0]:.0%} of it)",
        f"2nd direction ({share[1]:.0%})",
    )
    return Plane(centre, axes[0], axes[1], names, (float(share[0]), float(share[1])))


def sides(places: np.ndarray | None, span: float, directions: str) -> list[tuple[float, float]]:
    """From where to where to look along both directions, with a margin around the way."""
    if places is None:
        return [(-span, span), (-span, span)]
    least = span if directions == "random" else 0.0
    low = np.minimum(places.min(axis=0), -least)
    high = np.maximum(places.max(axis=0), least)
    # neither side much thinner than the other: a thin strip shows nothing
    size = np.maximum(high - low, 0.35 * float(np.max(high - low)) or 1.0)
    middle = (high + low) / 2
    half = size / 2 * (1 + 2 * MARGIN)
    return [(float(m - h), float(m + h)) for m, h in zip(middle, half, strict=True)]
