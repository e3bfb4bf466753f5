"""Rows that stay on the workers of a cluster: each evaluation sends θ out, and sums come back.

One task for each worker over the partitions that it holds, in which neighbours are added at once;
then a tree of tasks, ``FAN_IN`` wide, until few enough are left to come to this process.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from distributed import Client, Future

from chainrule.cluster import on_workers
from chainrule.cluster.faults import LOGGER, speaking
from chainrule.cluster.streaming import Told
from chainrule.errors import ClusterError, describe
from chainrule.training import Objective, Partitions, Sums
from chainrule.training.partitions import Work
from chainrule.training.rows import Rows
from chainrule.training.sums import total

FAN_IN = 16
"""Workers' sums that are added in one task, and that come to the client."""

LARGE = 1 << 20
"""Bytes of θ, over all tasks, from which on it is sent to the workers once, and by them."""

LOOK_AGAIN = 2.0
"""Seconds after which it is looked at which workers there are."""


class ResidentRows(Partitions):
    """Prepared rows on workers; a partition is a future.

    Parameters
    ----------
    client : distributed.Client
    parts : sequence of Future
        Of ``Rows``.
    objective : pair
        An objective, and the future of the same.
    """

    def __init__(
        self,
        client: Client,
        parts: Sequence[Future],
        objective: tuple[Objective, Future],
        told: Told,
    ) -> None:
        self.client = client
        self.parts = list(parts)
        self.told = told
        self._objectives = [objective]
        measured = client.gather(client.map(on_workers.measure, self.parts, pure=False))
        self.counts = [count for count, _, _ in measured]  # type: ignore[union-attr]
        self.weights = sum(weight for _, weight, _ in measured)  # type: ignore[union-attr]
        self._columns = measured[0][2]  # type: ignore[index]
        self.count = sum(self.counts)
        self._workers: dict[str, int] = {}
        self._groups: list[tuple[str, list[int]]] = []
        self._looked = -LOOK_AGAIN

    @property
    def partitions(self) -> int:
        """How many there are."""
        return len(self.parts)

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows and columns of the first input."""
        return self.count, *self._columns

    def total_weight(self) -> float:
        """Σ w."""
        return self.weights

    def add_up(self, objective: Objective, work: Work) -> Sums:
        """The sums of ``work`` over all partitions, made where they lie."""
        with speaking(self.client):
            sums = self._add_up(objective, work)
        self.told(self.count)
        return sums

    def wrong(self, objective: Objective, theta: np.ndarray) -> Rows:
        """The first partition whose loss or gradient at θ is not finite."""
        with speaking(self.client):
            there = self._sent(objective)
            asked = self.client.map(
                on_workers.is_wrong, self.parts, objective=there, theta=theta, pure=False
            )
            wrong: Any = self.client.gather(asked)
            return self.parts[wrong.index(True) if True in wrong else 0].result()

    def describe(self) -> Mapping[str, str]:
        """What a checkpoint compares."""
        return {"partitions": " ".join(map(str, self.counts))}

    def _add_up(self, objective: Objective, work: Work) -> Sums:
        there, count = self._sent(objective), self.partitions
        groups = self._where()
        asked: Any = work
        if getattr(work, "theta", np.empty(0)).nbytes * len(groups) > LARGE:
            asked = self.client.submit(on_workers.hand_over, work, pure=False)
        nodes = [
            self.client.submit(
                on_workers.add_up, there, asked, numbers, count,
                *(self.parts[i] for i in numbers),
                workers=[worker], allow_other_workers=True, pure=False,
            )
            for worker, numbers in groups
        ]  # fmt: skip
        while len(nodes) > FAN_IN:
            some = (nodes[i : i + FAN_IN] for i in range(0, len(nodes), FAN_IN))
            nodes = [
                self.client.submit(on_workers.add_nodes, count, *one, pure=False) for one in some
            ]
        found: Any = self.client.gather(nodes)
        return total({place: sums for one in found for place, sums in one.items()}, count)

    def _sent(self, objective: Objective) -> Future:
        """The future of ``objective``, which is sent once."""
        for known, there in self._objectives:
            if known is objective:
                return there
        there = self.client.submit(on_workers.hand_over, objective, pure=False)
        self._objectives.append((objective, there))
        return there

    def _where(self) -> list[tuple[str, list[int]]]:
        """The workers and the partitions that each holds, looked at again now and then."""
        if time.monotonic() - self._looked < LOOK_AGAIN:
            return self._groups
        workers: Any = self.client.nthreads()
        if not workers:
            came = "none; they may be on their way"
            raise ClusterError(describe("cluster", "workers", came, "Start some."))
        if self._workers and workers != self._workers:
            self._say_what_changed(workers)
        holders: Any = self.client.who_has(self.parts)
        groups: dict[str, list[int]] = {}
        for i, (part, planned) in enumerate(
            zip(self.parts, spread(workers, self.parts), strict=True)
        ):
            own = sorted(set(holders.get(part.key, ())) & set(workers))
            groups.setdefault(own[0] if own else planned, []).append(i)
        self._workers, self._groups = workers, sorted(groups.items(), key=lambda item: item[1])
        self._looked = time.monotonic()
        return self._groups

    def _say_what_changed(self, workers: Mapping[str, int]) -> None:
        joined = [one for one in workers if one not in self._workers]
        for one in self._workers:
            if one not in workers:
                LOGGER.warning("worker %s is gone; its partitions are made again elsewhere", one)
        for one in joined:
            LOGGER.warning("worker %s has joined", one)
        if joined and all(part.done() for part in self.parts):
            self.client.rebalance(self.parts)


def spread(workers: Mapping[str, int], parts: Sequence[Any]) -> list[str]:
    """A worker for each partition: neighbours together, as many for each."""
    names = sorted(workers)
    return [names[i * len(names) // len(parts)] for i in range(len(parts))]
