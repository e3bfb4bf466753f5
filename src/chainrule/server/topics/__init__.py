"""What a page may ask for, a module a topic; a new topic is one line in ``TOPICS``.

A topic's module holds ``COMMANDS``, its commands by the type of their message, and may hold
``PARTS``, what each session keeps for it.
"""

from __future__ import annotations

from types import ModuleType

from chainrule.server.command import Command
from chainrule.server.part import Part
from chainrule.server.topics import looking, own, playing, reading, stepping, timeline

TOPICS: tuple[ModuleType, ...] = (playing, own, stepping, timeline, looking, reading)

COMMANDS: dict[str, Command] = {
    name: command for topic in TOPICS for name, command in topic.COMMANDS.items()
}
PARTS: tuple[type[Part], ...] = tuple(
    part for topic in TOPICS for part in getattr(topic, "PARTS", ())
)
