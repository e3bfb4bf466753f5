"""A page's side of the wire. Importing this skips a module where the extra is missing."""

from __future__ import annotations

import asyncio
import json
import struct
import time
from collections.abc import Callable
from typing import Any

import pytest

for needed in ("starlette", "uvicorn", "websockets", "httpx"):
    pytest.importorskip(needed, reason="the extra [playground] is not installed")

import httpx  # noqa: E402
import websockets  # noqa: E402

from chainrule.server.app import TYPES  # noqa: E402
from chainrule.server.frames import FRAME_HEADER  # noqa: E402
from chainrule.server.launch import Playground, in_notebook, playground  # noqa: E402
from chainrule.server.protocol import SUBPROTOCOL  # noqa: E402

__all__ = [
    "TYPES",
    "Page",
    "Playground",
    "floats",
    "httpx",
    "in_notebook",
    "playground",
    "read_frame",
    "run",
    "websockets",
]


class Page:
    """What a page does, without drawing: hello, messages, frames, acknowledgements."""

    def __init__(self, playground: Playground, **options: Any) -> None:
        self.playground = playground
        self.options = options
        self.messages: list[dict[str, Any]] = []
        self.frames: list[bytes] = []
        self.points: list[bytes] = []
        self.acknowledge = True
        self.session = ""

    async def __aenter__(self) -> Page:
        options = {
            "subprotocols": [SUBPROTOCOL, f"token.{self.playground.token}"],
            "max_size": None,
            **self.options,
        }
        self.socket = await websockets.connect(
            f"ws://127.0.0.1:{self.playground.port}/ws", **options
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.socket.close()

    async def hello(self, **fields: Any) -> dict[str, Any]:
        await self.say(type="hello", session=self.session, **fields)
        welcome = await self.until(lambda m: m["type"] in ("welcome", "error"))
        self.session = welcome.get("session", "")
        return welcome

    async def say(self, **message: Any) -> None:
        await self.socket.send(json.dumps(message))

    async def drain(self) -> None:
        """Read until the server ends the connection: raises ``ConnectionClosed``."""
        while True:
            await self.socket.recv()

    async def flood(self, **message: Any) -> None:
        """Send without end and without reading, then read."""
        for _ in range(10_000):
            await self.say(**message)
        await self.drain()

    async def until(
        self, wanted: Callable[[dict[str, Any]], bool], seconds: float = 20
    ) -> dict[str, Any]:
        """The next message that is wanted; frames meanwhile are kept and acknowledged."""
        end = time.monotonic() + seconds
        while True:
            data = await asyncio.wait_for(self.socket.recv(), end - time.monotonic())
            if isinstance(data, str):
                message = json.loads(data)
                self.messages.append(message)
                if wanted(message):
                    return message
            else:
                await self._take(data)

    async def frame(self, wanted: Callable[[dict[str, Any]], bool] = lambda _: True) -> dict:
        """The next frame whose numbers are wanted."""
        while True:
            data = await asyncio.wait_for(self.socket.recv(), 20)
            if isinstance(data, str):
                self.messages.append(json.loads(data))
                continue
            await self._take(data)
            if data[:4] == b"CRF1" and wanted(read_frame(data)):
                return read_frame(data)

    async def _take(self, data: bytes) -> None:
        if data[:4] == b"CRD1":
            self.points.append(data)
            return
        self.frames.append(data)
        if self.acknowledge:
            await self.say(type="drawn", frame=read_frame(data)["sequence"])


NAMES = (
    *("magic", "sequence", "run", "flags", "steps", "epochs", "batch_rate", "epoch_rate"),
    *("train_loss", "test_loss", "penalty", "train_score", "test_score"),
    *("side", "planes", "thumb_side", "thumbs", "parameters", "curve", "classes", "focus"),
    "fingerprint",
)


def read_frame(data: bytes) -> dict[str, Any]:
    return dict(zip(NAMES, FRAME_HEADER.unpack_from(data), strict=True))


def floats(data: bytes, offset: int, count: int) -> tuple[float, ...]:
    return struct.unpack_from(f"<{count}f", data, offset)


def run(coroutine: Any) -> Any:
    """Run a test's coroutine."""
    return asyncio.run(asyncio.wait_for(coroutine, 60))
