"""What runs on a worker: functions of plain data and of what lies there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from distributed import Worker, get_worker

from chainrule.cluster.faults import LOGGER
from chainrule.cluster.sources import Load, as_piece, named
from chainrule.estimators.pieces import Piece
from chainrule.training import Objective, Sums
from chainrule.training.partitions import Work, not_finite
from chainrule.training.rows import Rows, bind_rows
from chainrule.training.sums import Place, join

Raw = tuple[Any, Any, Any]
"""X, y, weight as they come."""


def read(load: Load) -> Raw:
    """What a load names, read here."""
    with named(load.where):
        return load.read()


def gather(X: Any, y: Any, weight: Any = None) -> Raw:
    """Partitions of Dask collections side by side."""
    return X, y, weight


def answer(raw: Raw, number: int, where: str, ask: Callable[[Piece], Any]) -> Any:
    """``ask`` of a piece; what goes wrong names it."""
    with named(where):
        return ask(as_piece(number, *raw))


def prepare(
    raw: Raw, number: int, where: str, objective: Objective, how: Callable[[Piece], Any]
) -> Rows:
    """The rows of a piece as ``objective`` reads them; they stay here."""
    with named(where):
        return bind_rows(objective.rows, *how(as_piece(number, *raw)))


def measure(rows: Rows) -> tuple[int, float, tuple[int, ...]]:
    """How many rows, Σ w, and the columns of the first input."""
    return rows.count, rows.total_weight(), next(iter(rows.inputs.values())).shape[1:]


def is_wrong(rows: Rows, objective: Objective, theta: Any) -> bool:
    """Whether loss or gradient at θ is not finite."""
    return not_finite(objective, theta, rows)


def add_up(
    objective: Objective, work: Work, numbers: Sequence[int], partitions: int, *parts: Rows
) -> dict[Place, Sums]:
    """The sums of ``work`` over some partitions, added as far as they are neighbours."""
    return _added(objective, _with_all_threads(work, get_worker()), numbers, partitions, parts)


async def add_up_what_is_held(
    asked: Mapping[str, tuple[Sequence[int], str, Sequence[str]]],
    work: Work,
    partitions: int,
    dask_worker: Worker,
) -> dict[Place, Sums] | None:
    """What ``add_up`` gives, without a task; None where this worker lacks something or fails.

    ``asked``: by a worker's address the partitions' numbers, the key of the objective, and those
    of the partitions.
    """
    try:
        numbers, objective, keys = asked[dask_worker.address]
        held: Any = dask_worker.data
        parts = [held[key] for key in keys]
        work = _with_all_threads(work, dask_worker)
        run = partial(_added, held[objective], work, numbers, partitions, parts)
        threads = dask_worker.executors["default"]
        return await asyncio.get_running_loop().run_in_executor(threads, run)
    except Exception:  # whatever it is, the task that does the same says it
        LOGGER.debug("sums are asked for again, as a task", exc_info=True)
        return None


def _with_all_threads(work: Work, worker: Worker) -> Work:
    if getattr(work, "n_threads", 1) is None:
        return replace(work, n_threads=worker.state.nthreads)  # type: ignore[type-var]  # a dataclass
    return work


def _added(
    objective: Objective, work: Work, numbers: Sequence[int], partitions: int, parts: Sequence[Rows]
) -> dict[Place, Sums]:
    nodes: dict[Place, Sums] = {}
    for number, rows in zip(numbers, parts, strict=True):
        nodes = join(nodes | {(0, number): work.of(objective, rows, number)}, partitions)
    return nodes


def add_nodes(partitions: int, *some: Mapping[Place, Sums]) -> dict[Place, Sums]:
    """The nodes of several workers, added as far as they are neighbours."""
    nodes: dict[Place, Sums] = {}
    for one in some:
        nodes |= one
    return join(nodes, partitions)


def hand_over(thing: Any) -> Any:
    """``thing``, which from now on lies on the worker."""
    return thing
