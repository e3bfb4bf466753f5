"""Full-batch searches in legs, so that their state can be kept: SciPy shows no solver's memory."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

from chainrule.training.checkpoints import Checkpoints, State
from chainrule.training.identity import describe_network, describe_rows
from chainrule.training.objective import Objective
from chainrule.training.rows import PartitionedRows, Rows


class Stop(Exception):
    """Ends a solver from inside its callback; ``status`` says why."""


class LegEnds(Exception):
    """Ends a leg of a solver that does not count iterations itself."""


class Search(Protocol):
    """A search for θ that can be stopped and gone on with.

    Attributes
    ----------
    objective : Objective
    rows : Rows
    status : str
        Empty as long as it goes on.
    iteration, max_iter : int
    leg_ends : int
        The iteration after which the leg under way ends.
    merit : float
        What makes a state the best.
    """

    objective: Objective
    rows: Rows | PartitionedRows
    status: str
    iteration: int
    max_iter: int
    leg_ends: int

    @property
    def merit(self) -> float: ...

    def state(self) -> State:
        """All that the next leg depends on."""
        ...

    def load_state(self, state: State) -> None:
        """Go on from what ``state`` gave."""
        ...


class Legs:
    """A search in legs of ``kept.every`` iterations, its state kept after each.

    Parameters
    ----------
    search : Search
    kept : Checkpoints
    leg : callable
        Searches on from where the search stands to ``search.leg_ends``, or to the end of all.
    course : dict
        The options that the course of the search depends on.
    """

    def __init__(
        self, search: Search, kept: Checkpoints, leg: Callable[[], None], course: dict[str, Any]
    ) -> None:
        self.search, self.kept, self.leg = search, kept, leg
        self.course = course | {"checkpoint_every": kept.every}

    def run(self) -> None:
        """Leg after leg, from the state that is found, if there is one."""
        search, kept = self.search, self.kept
        self._compare()
        if kept.found is not None:
            with kept.reading():
                search.load_state(kept.found)
        best = search.merit
        while not search.status:
            search.leg_ends = min(search.iteration + kept.every, search.max_iter)
            with suppress(LegEnds, Stop):
                self.leg()
            if search.status == "callback":  # which is not the end of a leg
                return
            state = search.state()
            kept.save(state, search.iteration, best=state if search.merit > best else None)
            best = max(best, search.merit)

    def _compare(self) -> None:
        search, kept = self.search, self.kept
        kept.same("training", self.course)
        if "data" not in kept.identity:
            kept.same("data", describe_rows(search.rows))
        kept.same("network", describe_network(search.objective))
