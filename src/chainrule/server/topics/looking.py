"""What the panels look at: the loss around, histograms of layers, the plane as neurons see it."""

from __future__ import annotations

from typing import Any

from chainrule.errors import OptionError, describe
from chainrule.server.command import Command, integer, short
from chainrule.server.distributions import Distributions
from chainrule.server.session import Session
from chainrule.server.surface import DIRECTIONS, Surface
from chainrule.server.warp import Warp


def directions_of(name: str, value: Any) -> str:
    """The name of a kind of directions."""
    if value not in DIRECTIONS:
        raise OptionError(describe(name, f"one of {', '.join(DIRECTIONS)}", short(value)))
    return value


def surface(session: Session, directions: str, seed: int) -> None:
    """The loss along these directions."""
    session.part(Surface).choose(directions, seed)


def space(session: Session, layer: int, first: int, second: int) -> None:
    """The plane as two neurons see it."""
    session.part(Warp).choose(layer, first, second)


COMMANDS = {
    "surface": Command(surface, {"directions": directions_of, "seed": integer}),
    "space": Command(space, {"layer": integer, "first": integer, "second": integer}),
}
PARTS = (Surface, Distributions, Warp)
