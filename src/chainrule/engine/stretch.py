"""Between Python and a stretch of mini-batches in compiled code: what goes in, what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from chainrule.engine.batches import BatchReport, UpdateRule, UpdateState
from chainrule.engine.program import Program
from chainrule.errors import OptionError


def row_numbers(order: np.ndarray) -> np.ndarray:
    """An order of the rows as contiguous int64."""
    if order.ndim not in (1, 2) or order.dtype.kind not in "iu":
        raise OptionError(
            "order must be a vector of row numbers, or a matrix of them with a row for each "
            f"epoch, got {order.dtype} {order.shape}"
        )
    return np.ascontiguousarray(order, np.int64)


def check_epochs(order: Any, needed: int) -> None:
    """Refuse a matrix of orders with fewer rows than the batches reach over."""
    if isinstance(order, np.ndarray) and order.ndim == 2 and len(order) < needed:
        raise OptionError(
            f"order has rows for {len(order)} epochs, the batches reach over {needed}"
        )


def check_state(state: UpdateState, rule: UpdateRule, size: int, dtype: np.dtype) -> None:
    """Refuse a memory that is not of this rule, size and precision."""
    good = len(state.slots) == rule.slots and all(
        slot.shape == (size,)
        and slot.dtype == dtype
        and slot.flags.c_contiguous
        and slot.flags.writeable
        for slot in state.slots
    )
    if not good:
        raise OptionError(
            f"the state does not fit: {rule.kind} remembers {rule.slots} contiguous vectors "
            f"of {size} numbers of {dtype}; see rule.initial_state"
        )


def room_for(
    after_epochs: np.ndarray | None, ends: int, size: int, dtype: np.dtype
) -> np.ndarray | None:
    """The numbers of a matrix with a row for θ after each of ``ends`` epochs; refuses another."""
    if after_epochs is None:
        return None
    fits = after_epochs.ndim == 2 and len(after_epochs) >= ends and after_epochs.shape[1] == size
    flags = after_epochs.flags
    if not (fits and after_epochs.dtype == dtype and flags.c_contiguous and flags.writeable):
        raise OptionError(
            f"after_epochs must be a contiguous matrix of {dtype} with a row of {size} for each "
            f"of {ends} epochs, got {after_epochs.dtype} {after_epochs.shape}"
        )
    return after_epochs.reshape(-1)


def spans(
    program: Program,
    vector: Any,
    rates: Mapping[str, float],
    factors: Mapping[str, float],
    decays: bool,
) -> list[list[float]]:
    """[begin, end, l1, l2, rate, decay] along θ, neighbours with the same factors joined."""
    for name in (*rates, *factors):
        if name not in vector.slices:
            raise OptionError(f"factors name the parameter {name!r}, which is not there")
    joined: list[list[float]] = []
    for name, where in sorted(vector.slices.items(), key=lambda item: item[1].start):
        own = [
            program.l1.get(name, 0.0),
            program.l2.get(name, 0.0),
            float(rates.get(name, 1.0)),
            float(factors.get(name, 1.0)) if decays else 1.0,
        ]
        if joined and joined[-1][2:] == own:
            joined[-1][1] = where.stop
        else:
            joined.append([where.start, where.stop, *own])
    return joined


def told(outcome: tuple[Any, ...], vector: Any, numbers: np.ndarray) -> BatchReport:
    """The report of a stretch: losses, weights, penalties and norms are the rows of ``numbers``."""
    done, why, bad = outcome[:3]
    stopped = {"loss": "non-finite loss", "gradient": "non-finite gradient"}.get(why, why)
    kept = numbers[:, : done + (why in ("loss", "gradient"))]
    parameter = None
    if bad >= 0:
        slices = vector.slices.items()
        parameter = next(name for name, where in slices if where.start <= bad < where.stop)
    return BatchReport(done, *kept, stopped=stopped or None, parameter=parameter)
