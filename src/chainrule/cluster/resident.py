"""Rows that stay on the workers of a cluster: each evaluation sends θ out, and sums come back.

Each worker adds up over the partitions that it holds, neighbours at once. It is asked in one of two
ways:

a. in one message that the scheduler hands on to all of them, which takes a few milliseconds;
b. by tasks, one for each worker, and a tree of tasks ``FAN_IN`` wide until few enough are left to
   come to this process. Dask makes again what a dead worker held, and moves what lies elsewhere.

(b) is the way where it is not known that everything lies where it is needed: first, when workers
come or go, when one lacks something, and now and then; and where workers are many or θ is large.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from distributed import Client, Future

from chainrule.cluster import on_workers
from chainrule.cluster.faults import speaking
from chainrule.cluster.placement import Copies, Group, Placement
from chainrule.cluster.progress import Told
from chainrule.training import Objective, Partitions, Sums
from chainrule.training.partitions import Work
from chainrule.training.rows import Rows
from chainrule.training.sums import Place, total

FAN_IN = 16
"""Workers' sums that are added in one task, and that come to the client."""

LARGE = 1 << 20
"""Bytes of θ, over all workers, from which on it is sent to them once, and by them."""


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
        self.placement = Placement(client, parts)
        self.copies = Copies(client, *objective)
        measured: Any = client.gather(client.map(on_workers.measure, self.parts, pure=False))
        self.counts = [count for count, _, _ in measured]
        self.weights = sum(weight for _, weight, _ in measured)
        self._columns = measured[0][2]
        self.count = sum(self.counts)

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
            there = self.copies.sent(objective)
            asked = self.client.map(
                on_workers.is_wrong, self.parts, objective=there, theta=theta, pure=False
            )
            wrong: Any = self.client.gather(asked)
            return self.parts[wrong.index(True) if True in wrong else 0].result()

    def describe(self) -> Mapping[str, str]:
        """What a checkpoint compares."""
        return {"partitions": " ".join(map(str, self.counts))}

    def _add_up(self, objective: Objective, work: Work) -> Sums:
        groups, known = self.placement.groups()
        small = getattr(work, "theta", np.empty(0)).nbytes * len(groups) <= LARGE
        found = None
        if known and small and len(groups) <= FAN_IN:
            found = self._in_one_message(objective, work, groups)
        if found is None:
            found = self._by_tasks(objective, work, groups, small)
        nodes = {place: sums for one in found for place, sums in one.items()}
        return total(nodes, self.partitions)

    def _in_one_message(
        self, objective: Objective, work: Work, groups: Sequence[Group]
    ) -> list[dict[Place, Sums]] | None:
        """What every worker says at once; None where one of them cannot."""
        asked = {
            worker: (
                numbers,
                self.copies.of(objective, worker).key,
                [self.parts[i].key for i in numbers],
            )
            for worker, numbers in groups
        }
        told: Any = self.client.run(
            on_workers.add_up_what_is_held, asked, work, self.partitions,
            workers=list(asked), on_error="return",
        )  # fmt: skip
        found = list(told.values())
        if all(isinstance(one, dict) for one in found):
            return found
        self.placement.forget()
        return None

    def _by_tasks(
        self, objective: Objective, work: Work, groups: Sequence[Group], small: bool
    ) -> Sequence[dict[Place, Sums]]:
        """What a tree of tasks comes to."""
        asked: Any = work
        if not small:
            asked = self.client.submit(on_workers.hand_over, work, pure=False)
        nodes = [
            self.client.submit(
                on_workers.add_up, self.copies.of(objective, worker), asked, numbers,
                self.partitions, *(self.parts[i] for i in numbers),
                workers=[worker], allow_other_workers=True, pure=False,
            )
            for worker, numbers in groups
        ]  # fmt: skip
        while len(nodes) > FAN_IN:
            some = (nodes[i : i + FAN_IN] for i in range(0, len(nodes), FAN_IN))
            nodes = [
                self.client.submit(on_workers.add_nodes, self.partitions, *one, pure=False)
                for one in some
            ]
        found: Any = self.client.gather(nodes)
        return found
