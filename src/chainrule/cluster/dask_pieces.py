"""Pieces that lie on the workers of a Dask cluster, and stay there.

Dask knows how each was made: where a worker dies, its pieces are made again on another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self

from distributed import Client, Future

from chainrule.cluster import on_workers
from chainrule.cluster.faults import speaking
from chainrule.cluster.placement import spread
from chainrule.cluster.progress import Told
from chainrule.cluster.resident import ResidentRows
from chainrule.cluster.sources import Delayed, Load
from chainrule.estimators.pieces import Piece, Pieces
from chainrule.training import Objective


class DaskPieces(Pieces):
    """Pieces as futures of (X, y, weight).

    Parameters
    ----------
    client : distributed.Client
    raw : sequence of Future
    names : sequence of str
        How messages call them.
    """

    def __init__(
        self, client: Client, raw: Sequence[Future], names: Sequence[str], told: Told
    ) -> None:
        self.client = client
        self.raw = list(raw)
        self.names = list(names)
        self.told = told

    @classmethod
    def of(cls, client: Client, loads: Sequence[Load], told: Told) -> Self:
        """The loads, each read by a worker, which keeps what it has read."""
        names = [load.where for load in loads]
        with speaking(client):
            if loads and all(isinstance(load, Delayed) for load in loads):
                parts = [load.parts for load in loads if isinstance(load, Delayed)]
                raw: Any = client.compute(parts)
            else:
                raw = client.map(on_workers.read, loads, pure=False)
        return cls(client, raw, names, told)

    def each(self, ask: Callable[[Piece], Any]) -> list[Any]:
        """``ask(piece)`` of every piece, in order."""
        with speaking(self.client):
            numbers = range(len(self.raw))
            asked = self.client.map(
                on_workers.answer, self.raw, numbers, self.names, ask=ask, pure=False
            )
            answers: Any = self.client.gather(asked)
            return answers

    def rows(self, prepare: Callable[[Piece], Any], objective: Objective) -> ResidentRows:
        """What is trained on, made on the workers."""
        with speaking(self.client):
            workers: Any = self.client.nthreads()
            there = self.client.submit(on_workers.hand_over, objective, pure=False)
            parts = [
                self.client.submit(
                    on_workers.prepare, raw, i, name, there, prepare,
                    workers=[worker], allow_other_workers=True, pure=False,
                )
                for i, (raw, name, worker) in enumerate(
                    zip(self.raw, self.names, spread(workers, self.raw), strict=True)
                )
            ]  # fmt: skip
            return ResidentRows(self.client, parts, (objective, there), self.told)

    def only(self, numbers: Sequence[int]) -> Self:
        """These pieces alone."""
        raw, names = [self.raw[i] for i in numbers], [self.names[i] for i in numbers]
        return type(self)(self.client, raw, names, self.told)
