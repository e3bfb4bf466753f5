"""One page's connection: messages in, messages and pictures out, nothing piling up.

At most two frames are under way that the page has not drawn yet; a newer frame takes the place
of one that waits. A page that reads nothing holds one frame and a bounded number of messages.
Every message tells how many of the page's commands it knows of, so that a page whose hand is
quicker than its line is not set back by what was true before.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from chainrule.errors import ChainruleError, OptionError
from chainrule.server.images import IMAGE_SETS, is_available
from chainrule.server.listener import Listener
from chainrule.server.protocol import MAX_MESSAGE_BYTES, SUBPROTOCOL, dumps, read_message
from chainrule.server.session import Session, TooManySessions
from chainrule.server.sessions import Sessions
from chainrule.server.settings import read_settings
from chainrule.server.topics import COMMANDS

MOST_UNDRAWN = 2
MOST_MESSAGES = 200
HELLO_SECONDS = 10.0
TOO_MANY, TAKEN_OVER, TOO_FAST, BAD_HELLO = 4001, 4002, 4003, 4004


class Connection(Listener):
    """What a session's thread talks to; hands everything to the event loop's sender.

    Attributes
    ----------
    heard : int
        The page's commands that the session has taken up.
    """

    def __init__(self, socket: WebSocket, loop: asyncio.AbstractEventLoop) -> None:
        self.socket = socket
        self.visible = True
        self.heard = 0
        self.close_code: int | None = None
        self._loop = loop
        self._wake = asyncio.Event()
        self._messages: deque[str | bytes] = deque()
        self._latest: tuple[int, bytes] | None = None
        self._undrawn: set[int] = set()

    # called by the session's thread ------------------------------------------------------

    @property
    def wants_frame(self) -> bool:
        """Whether the page sees and has drawn what it got."""
        return self.visible and self._latest is None and len(self._undrawn) < MOST_UNDRAWN

    def send(self, message: dict[str, Any]) -> None:
        """Take a control message; a page that does not read is cut off."""
        self._put(dumps({**message, "heard": self.heard}))

    def send_binary(self, data: bytes) -> None:
        """Take data that must arrive."""
        self._put(data)

    def offer(self, frame: bytes, sequence: int) -> None:
        """Take the latest frame."""
        self._latest = (sequence, frame)
        self._notify()

    def _put(self, content: str | bytes) -> None:
        if len(self._messages) >= MOST_MESSAGES:
            self.finish(TOO_FAST)
            return
        self._messages.append(content)
        self._notify()

    def _notify(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._wake.set)
        except RuntimeError:  # the server has stopped meanwhile
            self.close_code = TAKEN_OVER

    # called in the event loop ------------------------------------------------------------

    def drawn(self, frame: int) -> None:
        """The page has drawn this frame."""
        self._undrawn.discard(frame)

    def tell(self, session: Session, act: Callable[..., None], arguments: dict[str, Any]) -> None:
        """A command of the page, in its turn; too many that wait end the connection."""

        def heard(session: Session, **arguments: Any) -> None:
            self.heard += 1
            act(session, **arguments)

        if not session.tell(heard, arguments):
            self.finish(TOO_FAST)

    def finish(self, code: int) -> None:
        """End the connection."""
        self.close_code = code
        self._notify()

    async def pump(self) -> None:
        """Send what there is until the connection ends."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._messages:
                content = self._messages.popleft()
                if isinstance(content, str):
                    await self.socket.send_text(content)
                else:
                    await self.socket.send_bytes(content)
            latest, self._latest = self._latest, None
            if latest is not None:
                self._undrawn.add(latest[0])
                await self.socket.send_bytes(latest[1])
            if self.close_code is not None:
                await self.socket.close(self.close_code)
                return


async def serve(socket: WebSocket, sessions: Sessions) -> None:
    """A page's connection from its hello to its end."""
    await socket.accept(subprotocol=SUBPROTOCOL)
    session, resumed = await _greet(socket, sessions)
    if session is None:
        return
    connection = Connection(socket, asyncio.get_running_loop())
    earlier = session.listener
    if isinstance(earlier, Connection):
        earlier.finish(TAKEN_OVER)
    connection.send({"type": "welcome", "session": session.id, "resumed": resumed})
    session.attach(connection)
    tasks = [
        asyncio.create_task(connection.pump()),
        asyncio.create_task(_listen(socket, session, connection)),
    ]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            error = task.exception()
            if error is not None and not isinstance(error, (WebSocketDisconnect, RuntimeError)):
                raise error
    finally:
        session.detach(connection)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _greet(socket: WebSocket, sessions: Sessions) -> tuple[Session | None, bool]:
    """The session that the hello asks for: the same one again, or a new one."""
    try:
        hello = await asyncio.wait_for(socket.receive_json(), HELLO_SECONDS)
        if not isinstance(hello, dict) or hello.get("type") != "hello":
            raise OptionError("hello: expected the first message to be a hello.")
        session = sessions.get(str(hello.get("session", "")))
        wanted = hello.get("settings")
        settings = None
        if wanted is not None:
            settings = read_settings(wanted, sessions.settings, sessions.most_units)
        if session is not None and settings in (None, session.run.start_settings):
            return session, True
        if session is not None and settings in (None, session.run.settings):
            return session, True
        if settings is not None and not _is_there(settings["dataset"], sessions):
            settings["dataset"] = sessions.settings["dataset"]
        if session is not None:
            session.tell(COMMANDS["set"].act, {"settings": settings})
            return session, False
        return await asyncio.to_thread(sessions.open, settings), False
    except WebSocketDisconnect:
        return None, False
    except (ChainruleError, ValueError, KeyError, TypeError, TimeoutError) as error:
        too_many = isinstance(error, TooManySessions)
        kind = type(error).__name__
        await socket.send_text(dumps({"type": "error", "kind": kind, "message": str(error)[:500]}))
        await socket.close(TOO_MANY if too_many else BAD_HELLO)
        return None, False


def _is_there(dataset: str, sessions: Sessions) -> bool:
    """Whether a session can begin with these points."""
    if dataset == "own":
        return sessions.own is not None
    return dataset not in IMAGE_SETS or is_available(dataset)


async def _listen(socket: WebSocket, session: Session, connection: Connection) -> None:
    """Every message of the page, checked, to the session."""
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        content = message.get("text")
        if content is None:
            content = message.get("bytes") or b""
        if len(content) > MAX_MESSAGE_BYTES:
            connection.finish(1009)
            return
        try:
            command, arguments = read_message(content)
        except OptionError as error:
            connection.tell(session, _refuse, {"error": error})
            continue
        if command == "drawn":
            connection.drawn(arguments["frame"])
        elif command == "visible":
            connection.visible = arguments["visible"]
        else:
            connection.tell(session, COMMANDS[command].act, arguments)


def _refuse(_session: Session, error: OptionError) -> None:
    raise error
