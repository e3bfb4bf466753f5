"""A playground that really runs, and a page that has not said hello yet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="module")
def playground() -> Iterator[Any]:
    from .wire import Playground  # needs the extra; a test that gets here has it

    with Playground(limit=6) as running:
        yield running


@pytest.fixture
def caller(playground: Any) -> Any:
    from .wire import Page

    for session in list(playground.sessions._by_id):
        playground.sessions._by_id.pop(session).close()
    return Page(playground)


@pytest.fixture
def opened() -> Iterator[Any]:
    """Opens sessions; what is done to them is done in the test's thread."""
    from .steering import open_session

    sessions = []

    def make(**settings: Any) -> Any:
        sessions.append(open_session(**settings))
        return sessions[-1]

    yield make
    for session in sessions:
        session.close()
