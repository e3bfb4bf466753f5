"""A real browser on a running playground; screenshots are kept in artifacts/playground."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

FLAGS = (
    "--disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if CHROMIUM is None:
                reason = "no Chromium: apt-get install chromium, or set CHROMIUM to its path"
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="package")  # closed before other rooms' tests: it holds an event loop
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright  # a test that gets here has it

    flags = [*FLAGS.split(), *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield chromium
        chromium.close()


LATENCY = float(os.environ.get("CHAINRULE_TEST_LATENCY", "0"))
"""Seconds, for all tests: one that does not wait for what it looks at fails with 0.15."""


@pytest.fixture
def slow_line(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Holds up every message between page and server by so many seconds."""
    from starlette.websockets import WebSocket

    def slow(seconds: float) -> None:
        def held_up(method: Callable[..., Any]) -> Callable[..., Any]:
            async def call(*given: Any) -> Any:
                await asyncio.sleep(seconds)
                return await method(*given)

            return call

        for name in ("receive", "send_text", "send_bytes"):
            monkeypatch.setattr(WebSocket, name, held_up(getattr(WebSocket, name)))

    return slow


@pytest.fixture(autouse=True)
def line_of_all_tests(request: pytest.FixtureRequest) -> None:
    if LATENCY:
        request.getfixturevalue("slow_line")(LATENCY)


@pytest.fixture
def playground() -> Iterator[Any]:
    from .desk import Playground

    with Playground() as running:
        yield running


OpenDesk = Callable[..., Any]


@pytest.fixture
def open_desk(browser: Any, playground: Any) -> Iterator[OpenDesk]:
    """Opens pages; a page that logs an error fails the test."""
    from .desk import Desk

    troubles: list[str] = []
    contexts = []

    def opened(address: str = "", quiet: bool = False, **options: Any) -> Any:
        given = {"viewport": {"width": 1440, "height": 900}, "locale": "en-GB", **options}
        context = browser.new_context(**given)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: troubles.append(str(error)))
        if not quiet:
            page.on(
                "console",
                lambda said: troubles.append(said.text) if said.type == "error" else None,
            )
        return Desk(page, playground).open(address)

    yield opened
    for context in contexts:
        context.close()
    assert troubles == []
