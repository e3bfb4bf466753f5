"""Models that several tests look at are trained once, and gone when the tests are over."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from . import gallery


@pytest.fixture(scope="session", autouse=True)
def models_go_at_the_end() -> Iterator[None]:
    yield
    for kept in vars(gallery).values():
        if hasattr(kept, "cache_clear"):
            kept.cache_clear()
