"""What stands between the page's server and the rest of the browser's world.

Bound to 127.0.0.1; a known ``Host`` only (DNS rebinding); no foreign ``Origin``; a random token per
launch, compared in constant time, for everything that is not a file of the page; headers that
let the page load nothing from elsewhere and be framed by nobody it should not.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
PROTECTED = ("/api/", "/ws")


class Guard:
    """An ASGI application in front of another.

    Parameters
    ----------
    app : ASGI application
    token : str
    framed : bool
        Whether a page on this machine (a notebook) may show this one inside itself.
    """

    def __init__(self, app: App, token: str, framed: bool = False) -> None:
        self.app = app
        self.token = token
        self.framed = framed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on with the headers added."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        reason = self._refusal(scope)
        if reason:
            await _refuse(scope, receive, send, *reason)
            return

        async def with_headers(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *self._headers(scope)]
            await send(message)

        await self.app(scope, receive, with_headers)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        headers = _headers_of(scope)
        port = (scope.get("server") or ("", 0))[1]
        hosts = {f"{name}:{port}" for name in LOOPBACK}
        if headers.get("host", "") not in hosts:
            return 421, "expected this machine's own address as Host"
        origin = headers.get("origin")
        if origin is not None and origin not in {f"http://{host}" for host in hosts}:
            return 403, "a page from elsewhere may not talk to this server"
        if scope["path"].startswith(PROTECTED) and not self._knows_token(headers):
            return 401, "wrong or missing token: open the link that the command printed"
        return None

    def _knows_token(self, headers: dict[str, str]) -> bool:
        given = headers.get("authorization", "").removeprefix("Bearer ").encode()
        offered = headers.get("sec-websocket-protocol", "").split(",")
        candidates = [given] + [
            one.strip().removeprefix("token.").encode()
            for one in offered
            if one.strip().startswith("token.")
        ]
        matches = [hmac.compare_digest(one, self.token.encode()) for one in candidates]
        return any(matches)

    def _headers(self, scope: Scope) -> list[tuple[bytes, bytes]]:
        host = _headers_of(scope).get("host", "")
        ancestors = "http://localhost:* http://127.0.0.1:*" if self.framed else "'none'"
        policy = (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
            f"connect-src 'self' ws://{host}; base-uri 'none'; form-action 'none'; "
            f"frame-ancestors {ancestors}; require-trusted-types-for 'script'"
        )
        fixed = [
            (b"content-security-policy", policy.encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"no-referrer"),
            (b"cross-origin-opener-policy", b"same-origin"),
            (b"cross-origin-resource-policy", b"same-origin"),
            (b"cache-control", b"no-store"),
            (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
        ]
        return fixed if self.framed else [*fixed, (b"x-frame-options", b"DENY")]


def _headers_of(scope: Scope) -> dict[str, str]:
    return {key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]}


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, reason: str) -> None:
    if scope["type"] == "websocket":
        # answered before it is accepted: the browser sees a failed handshake, 403
        await receive()
        await send({"type": "websocket.close", "code": 1008, "reason": reason})
        return
    body = reason.encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
