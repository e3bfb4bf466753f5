"""A real browser on a running playground; screenshots are kept in artifacts/playground."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("starlette", reason="the extra [playground] is not installed")
pytest.importorskip("playwright", reason="playwright is not installed")

from playwright.sync_api import Browser, Page, sync_playwright

from chainrule.server.launch import Playground
from chainrule.server.run import Run

ARTIFACTS = Path(__file__).resolve().parents[2] / "artifacts" / "playground"
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
def browser() -> Iterator[Browser]:
    flags = [*FLAGS.split(), *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield chromium
        chromium.close()


@pytest.fixture
def playground() -> Iterator[Playground]:
    with Playground() as running:
        yield running


class Desk:
    """A page of the playground as a person sees it, and the run behind it as Python has it."""

    def __init__(self, page: Page, playground: Playground) -> None:
        self.page = page
        self.playground = playground

    @property
    def run(self) -> Run:
        session = self.playground.sessions.newest
        assert session is not None
        return session.run

    def open(self, address: str = "") -> Desk:
        self.page.goto(f"{self.playground.url}#{address}" if address else self.playground.url)
        self.ready()
        return self

    def ready(self) -> None:
        """Wait for the first frame."""
        self.wait("document.querySelector('#epochs').dataset.steps !== undefined")

    def wait(self, condition: str, seconds: float = 60) -> None:
        """Until the condition holds; asked from outside, for the page's policy forbids ``eval``."""
        end = time.monotonic() + seconds
        while not self.page.evaluate(condition):
            if time.monotonic() > end:
                raise AssertionError(f"after {seconds} s still not: {condition}")
            self.page.wait_for_timeout(40)

    def at_epoch(self, epoch: int) -> None:
        """Wait until the page shows exactly this epoch and rests."""
        steps = epoch * self.run.learner.per_epoch
        self.wait(
            f"document.querySelector('#epochs').dataset.steps === '{steps}' && "
            "document.querySelector('#play').getAttribute('aria-pressed') === 'false'"
        )

    @property
    def fingerprint(self) -> str:
        return self.page.inner_text("#fingerprint")

    def shot(self, name: str) -> None:
        ARTIFACTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=ARTIFACTS / f"{name}.png")


OpenDesk = Callable[..., Desk]


@pytest.fixture
def open_desk(browser: Browser, playground: Playground) -> Iterator[OpenDesk]:
    """Opens pages; a page that logs an error fails the test."""
    troubles: list[str] = []
    contexts = []

    def opened(address: str = "", quiet: bool = False, **options: Any) -> Desk:
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
