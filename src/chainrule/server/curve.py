"""The loss curve of a run, of any length on few points."""

from __future__ import annotations

CURVE_POINTS = 400

CurvePoint = tuple[float, float, float]
"""Epoch, loss on the points to learn from (penalty included), on the others."""


def add_point(curve: list[CurvePoint], point: CurvePoint) -> None:
    """A point more; when there are too many, every other one goes."""
    epochs = point[0]
    if curve and epochs < curve[-1][0]:
        curve.clear()
    if len(curve) >= 2:
        spacing = (curve[-1][0] - curve[0][0]) / CURVE_POINTS
        if epochs - curve[-2][0] <= spacing:
            curve.pop()
    if not curve or epochs > curve[-1][0]:
        curve.append(point)
    if len(curve) > CURVE_POINTS:
        curve[1:-1] = curve[2:-1:2]
