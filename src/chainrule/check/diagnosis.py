"""What a wrong gradient most likely means, read off how it is wrong.

The most telling patterns come first: not finite, a single entry, a constant factor, a penalty.
Each names the chapter of the book that teaches what went wrong.
"""

from __future__ import annotations

import numpy as np

from chainrule.errors import chapter

_CLOSE = 1e-3  # how well a pattern must explain the errors: three digits


def diagnose(
    analytic: np.ndarray,
    numerical: np.ndarray,
    wrong: np.ndarray,
    theta: np.ndarray,
    rows: int,
) -> str:
    """One sentence on the likely cause, and where to read about it.

    Parameters
    ----------
    analytic, numerical, theta : ndarray of shape (checked,)
        Both gradients, and the parameter, at the entries that were compared.
    wrong : ndarray of bool
        Which entries disagree.
    rows : int
        The number of rows of the data, which a sum instead of a mean brings in as a factor.
    """
    meaning, topic = _pattern(analytic, numerical[wrong], wrong, theta[wrong], rows)
    return f"{meaning}; see {chapter(topic)}"


def _pattern(
    analytic: np.ndarray, n: np.ndarray, wrong: np.ndarray, w: np.ndarray, rows: int
) -> tuple[str, str]:
    """What is wrong with the wrong entries, and the topic that it belongs to."""
    a = analytic[wrong]
    if not np.all(np.isfinite(a)):
        return "the analytic gradient is not finite", "probabilities"
    if not np.all(np.isfinite(n)):
        return "the loss is not finite a small step away", "probabilities"
    if len(a) == 1 and len(analytic) > 1:
        return (
            f"only this one of {len(analytic)} entries is wrong: look at its index, "
            "a slice or a loop that ends early"
        ), "packing"
    if not np.any(a):
        return (
            "the analytic gradient is 0, as if the parameter were missing from the backward pass"
        ), "back-propagation"
    meaning = _penalty(a - n, w) or _factor(a, n, rows)
    if meaning is not None:
        return meaning, "loss"
    return (
        f"{len(a)} of {len(analytic)} entries are wrong and follow no simple pattern: "
        "look for a forgotten term, a transpose, or a value that was changed after it was used"
    ), "gradient check"


def _explains(prediction: np.ndarray, observed: np.ndarray) -> bool:
    return bool(np.linalg.norm(observed - prediction) <= _CLOSE * np.linalg.norm(observed))


def _factor(a: np.ndarray, n: np.ndarray, rows: int) -> str | None:
    size = float(n @ n)
    factor = float(a @ n) / size if size else 0.0
    # the error itself must be a multiple of n, or a factor of 1 would explain every small error
    if not size or not _explains((factor - 1) * n, a - n):
        return None
    named = [
        (-1.0, "the sign is flipped"),
        (2.0, "twice too large: a ½ is missing, or a term is added twice"),
        (0.5, "half of what it should be: a square's 2 is missing, or a term is added once only"),
        (float(rows), f"{rows} times too large: a sum over rows where the loss takes the mean"),
        (1.0 / rows, f"divided by the {rows} rows once too often"),
        (-float(rows), f"flipped in sign and not divided by the {rows} rows"),
    ]
    for known, meaning in named:
        if abs(factor - known) <= _CLOSE * abs(known):
            return meaning
    return f"off by a constant factor of {factor:.6g}"


def _penalty(error: np.ndarray, theta: np.ndarray) -> str | None:
    if len(error) < 2 or np.allclose(theta, theta[0]):
        return None  # any error of one number is a multiple of it
    for direction, name in ((theta, "l2"), (np.sign(theta), "l1")):
        if name == "l1" and np.all(direction == direction[0]):
            continue  # a constant error is no sign of a penalty
        strength = float(error @ direction) / float(direction @ direction)
        if _explains(strength * direction, error):
            if strength < 0:
                return (
                    f"it lacks {-strength:.4g} · {_TERMS[name]}: the gradient of an {name} "
                    "penalty that the loss has is forgotten"
                )
            return (
                f"it has {strength:.4g} · {_TERMS[name]} too much: an {name} penalty that is not "
                "in the loss, as on a bias that should be exempt"
            )
    return None


_TERMS = {"l2": "θ", "l1": "sign θ"}
