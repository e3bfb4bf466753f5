"""A page of the playground as a person sees it. Importing this skips where something is missing."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

for needed in ("starlette", "uvicorn", "websockets"):
    pytest.importorskip(needed, reason="the extra [playground] is not installed")
pytest.importorskip("playwright", reason="playwright is not installed")

from playwright.sync_api import Page  # noqa: E402

from chainrule.server.launch import Playground, playground  # noqa: E402
from chainrule.server.run import Run  # noqa: E402

__all__ = ["ARTIFACTS", "Desk", "Playground", "cells", "numbers", "playground"]

ARTIFACTS = Path(__file__).resolve().parents[2] / "artifacts" / "playground"


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


def cells(page: Page, column: int) -> list[str]:
    """The texts of one column of the numbers shown."""
    return [
        text.replace(",", "")
        for text in page.locator(f".numbers td:nth-child({column})").all_inner_texts()
    ]


def numbers(texts: list[str]) -> list[float]:
    """Numbers from the page's English texts."""
    return [float(re.sub("−", "-", text).replace("E", "e")) for text in texts]
