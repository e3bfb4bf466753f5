"""A page of the playground as a person sees it. Importing this skips where something is missing."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

for needed in ("starlette", "uvicorn", "websockets"):
    pytest.importorskip(needed, reason="the extra [playground] is not installed")
pytest.importorskip("playwright", reason="playwright is not installed")

import numpy as np  # noqa: E402
from playwright.sync_api import Page, WebSocket  # noqa: E402

from chainrule.server.connection import Connection  # noqa: E402
from chainrule.server.frames import to_bytes  # noqa: E402
from chainrule.server.launch import Playground, playground  # noqa: E402
from chainrule.server.run import Run  # noqa: E402
from chainrule.server.session import Session  # noqa: E402

__all__ = [
    "ARTIFACTS",
    "Desk",
    "Playground",
    "artifact",
    "assert_pixels",
    "cells",
    "numbers",
    "playground",
]

ARTIFACTS = Path(__file__).resolve().parents[2] / "artifacts" / "playground"


class Desk:
    """A page of the playground as a person sees it, and the run behind it as Python has it.

    Who asks for the session or its run gets it when it has done all that the page has told it.
    """

    def __init__(self, page: Page, playground: Playground) -> None:
        self.page = page
        self.playground = playground
        self.told = 0
        page.on("websocket", self._listen)
        # asked for only when a test waits for one, a dialog may open before the browser is told
        page.on("filechooser", lambda chooser: None)

    @property
    def session(self) -> Session:
        name = self.page.evaluate("sessionStorage.getItem('session')")
        session = self.playground.sessions.get(name)
        assert session is not None
        line = session.listener
        if isinstance(line, Connection):
            self.until(lambda: line.heard >= self.told, "all that the page told is heard")
        with session.lock:  # what it does at this moment is done
            return session

    def _listen(self, socket: WebSocket) -> None:
        self.told = 0
        socket.on("framesent", self._note)

    def _note(self, sent: str | bytes) -> None:
        self.told += json.loads(sent)["type"] not in ("hello", "drawn", "visible")

    @property
    def run(self) -> Run:
        return self.session.run

    def open(self, address: str = "") -> Desk:
        self.page.goto(f"{self.playground.url}#{address}" if address else self.playground.url)
        self.ready()
        return self

    def ready(self) -> None:
        """Wait for the first frame."""
        self.wait("document.querySelector('#epochs').dataset.steps !== undefined")

    def wait(self, condition: str, seconds: float = 60) -> None:
        """Until the condition holds; asked from outside, for the page's policy forbids ``eval``."""
        self.until(lambda: self.page.evaluate(condition), condition, seconds)

    def until(self, holds: Callable[[], Any], told: str, seconds: float = 60) -> None:
        """The same for anything else."""
        end = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > end:
                raise AssertionError(f"after {seconds} s still not: {told}")
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
        self.page.screenshot(path=artifact(name))


def artifact(name: str) -> Path:
    """Where a screenshot is kept."""
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    return ARTIFACTS / f"{name}.png"


READ_CANVAS = """async (selector) => {
  const { paintValues } = await import('/colours.js');
  const canvas = document.querySelector(selector);
  const pixels = canvas.getContext('2d').getImageData(0, 0, 100, 100).data;
  const table = new Map();
  const rgba = new Uint8ClampedArray(1024);
  paintValues(Uint8Array.from({length: 256}, (_, i) => i), rgba, false);
  for (let i = 0; i < 256; i++) {
    const key = rgba.slice(4 * i, 4 * i + 3).join();
    table.set(key, [...(table.get(key) ?? []), i]);
  }
  return Array.from({length: 10000}, (_, i) =>
    table.get(pixels.slice(4 * i, 4 * i + 3).join()) ?? []);
}"""


def assert_pixels(desk: Desk, selector: str, values: np.ndarray, seconds: float = 20) -> None:
    """The canvas comes to show these values, pixel by pixel."""
    expected = to_bytes(values)

    def shows() -> bool:
        shown = desk.page.evaluate(READ_CANVAS, selector)
        fine = all(byte in candidates for byte, candidates in zip(expected, shown, strict=True))
        return fine and max(map(len, shown)) <= 3  # neighbours may share a colour near paper

    desk.until(shows, f"the values in {selector}", seconds)


def cells(page: Page, column: int) -> list[str]:
    """The texts of one column of the numbers shown."""
    return [
        text.replace(",", "")
        for text in page.locator(f".numbers td:nth-child({column})").all_inner_texts()
    ]


def numbers(texts: list[str]) -> list[float]:
    """Numbers from the page's English texts."""
    return [float(re.sub("−", "-", text).replace("E", "e")) for text in texts]
