"""Where things lie on a cluster: which worker holds which partitions, and its own objective."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from distributed import Client, Future

from chainrule.cluster import on_workers
from chainrule.cluster.faults import LOGGER
from chainrule.errors import ClusterError, describe
from chainrule.training import Objective

LOOK_AGAIN = 10.0
"""Seconds after which it is looked at where the partitions lie, though no worker came or went."""

PATIENCE = 120.0
"""Seconds to wait for a worker where there is none."""

Group = tuple[str, list[int]]
"""A worker's address, and the numbers of the partitions that it holds."""


class Placement:
    """Which workers there are and what each holds; what changes is told by the logger.

    Parameters
    ----------
    client : distributed.Client
    parts : sequence of Future
    """

    def __init__(self, client: Client, parts: Sequence[Future]) -> None:
        self.client = client
        self.parts = list(parts)
        self._workers: dict[str, int] = {}
        self._groups: list[Group] = []
        self._looked = -LOOK_AGAIN

    def groups(self) -> tuple[list[Group], bool]:
        """What each worker holds, or should; and whether that is known from before.

        Raises
        ------
        ClusterError
            There is no worker, and none comes.
        """
        workers: Any = self.client.nthreads()
        if workers == self._workers and time.monotonic() - self._looked < LOOK_AGAIN:
            return self._groups, True
        if self._workers:
            self._say_what_changed(workers)
        if not workers:
            workers = self._wait()
        self._workers, self._groups = workers, self._look(workers)
        self._looked = time.monotonic()
        return self._groups, False

    def forget(self) -> None:
        """Something does not lie where it was thought to: look again next time."""
        self._looked = -LOOK_AGAIN

    def _wait(self) -> Any:
        """The workers, as soon as there is one."""
        LOGGER.warning("no worker is there; waiting for one, %g s at most", PATIENCE)
        try:
            self.client.wait_for_workers(1, timeout=PATIENCE)
        except TimeoutError as error:
            came = f"none in {PATIENCE:g} s"
            raise ClusterError(describe("cluster", "workers", came, "Start some.")) from error
        return self.client.nthreads()

    def _look(self, workers: Mapping[str, int]) -> list[Group]:
        holders: Any = self.client.who_has(self.parts)
        planned = spread(workers, self.parts)
        groups: dict[str, list[int]] = {}
        for i, part in enumerate(self.parts):
            own = sorted(set(holders.get(part.key, ())) & set(workers))
            groups.setdefault(own[0] if own else planned[i], []).append(i)
        return sorted(groups.items(), key=lambda item: item[1])

    def _say_what_changed(self, workers: Mapping[str, int]) -> None:
        joined = [one for one in workers if one not in self._workers]
        for one in self._workers:
            if one not in workers:
                LOGGER.warning("worker %s is gone; its partitions are made again elsewhere", one)
        for one in joined:
            LOGGER.warning("worker %s has joined", one)
        if joined and all(part.done() for part in self.parts):
            self.client.rebalance(self.parts)


class Copies:
    """Objectives on the workers, each sent to the cluster once.

    A worker has a future of its own: of one for all, Dask drops the replicas when no task needs
    them.
    """

    def __init__(self, client: Client, objective: Objective, there: Future) -> None:
        self.client = client
        self._sent = {objective: there}
        self._own: dict[tuple[Objective, str], Future] = {}

    def sent(self, objective: Objective) -> Future:
        """The future of ``objective``."""
        if objective not in self._sent:
            there = self.client.submit(on_workers.hand_over, objective, pure=False)
            self._sent[objective] = there
        return self._sent[objective]

    def of(self, objective: Objective, worker: str) -> Future:
        """The future of a worker's own."""
        if (objective, worker) not in self._own:
            self._own[objective, worker] = self.client.submit(
                on_workers.hand_over, self.sent(objective),
                workers=[worker], allow_other_workers=True, pure=False,
            )  # fmt: skip
        return self._own[objective, worker]


def spread(workers: Mapping[str, int], parts: Sequence[Any]) -> list[str]:
    """A worker for each partition: neighbours together, as many for each."""
    names = sorted(workers)
    return [names[i * len(names) // len(parts)] for i in range(len(parts))]
