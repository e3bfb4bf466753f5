"""The application: the page's files, its connection, and what it takes along."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib import resources

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from chainrule.errors import ChainruleError, DataError
from chainrule.server import encoded, tables
from chainrule.server import lessons as classroom
from chainrule.server.connection import serve
from chainrule.server.images import IMAGE_SETS, is_available
from chainrule.server.modelfile import model_bytes
from chainrule.server.runfile import check_run_size, read_run, write_run
from chainrule.server.script import script
from chainrule.server.security import App, Guard
from chainrule.server.session import Session
from chainrule.server.sessions import Sessions
from chainrule.server.settings import HIDEABLE, table
from chainrule.server.topics.timeline import open_run

TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json; charset=utf-8",
    "svg": "image/svg+xml",
}


def make_app(sessions: Sessions, token: str, framed: bool = False) -> App:
    """The guarded application."""
    files = page_files()

    async def page_file(request: Request) -> Response:
        name = request.path_params.get("name", "index.html")
        if name not in files:
            return Response("not found", 404)
        return Response(files[name], media_type=TYPES[name.rsplit(".", 1)[-1]])

    async def settings_table(request: Request) -> Response:
        return JSONResponse(
            {
                "table": table(sessions.most_units),
                "start": sessions.settings,
                "hideable": HIDEABLE,
                "lessons": classroom.LESSONS,
                "images": {
                    name: {"start": dict(one.start), "available": is_available(name)}
                    for name, one in IMAGE_SETS.items()
                },
                "page": {"lesson": "own", **sessions.lesson["page"]} if sessions.lesson else {},
            }
        )

    async def upload(request: Request) -> Response:
        session = sessions.get(request.headers.get("x-session", ""))
        if session is None:
            return JSONResponse({"error": "unknown session"}, 404)
        name = tables.file_name(request.headers.get("x-name", ""))
        try:
            content = await read_limited(request, tables.check_size, name)
            columns = tables.header_of(content, name)
            kinds = await asyncio.to_thread(encoded.kinds_of, content, name)
        except DataError as error:
            return JSONResponse(
                {"error": str(error)}, 413 if isinstance(error, tables.TooLarge) else 422
            )
        session.upload, session.upload_name = content, name
        return JSONResponse({"columns": columns, "kinds": kinds, "bytes": len(content)})

    async def all_lessons(request: Request) -> Response:
        session = sessions.get(request.headers.get("x-session", ""))
        own = sessions.lesson if session is None else session.lesson
        return JSONResponse({"lessons": classroom.lessons(), "own": own})

    async def own_lesson(request: Request) -> Response:
        session = sessions.get(request.headers.get("x-session", ""))
        if session is None:
            return JSONResponse({"error": "unknown session"}, 404)
        try:
            content = await read_limited(request, classroom.check_size, "lesson.json")
            session.lesson = await asyncio.to_thread(classroom.read_lesson, content)
        except DataError as error:
            status = 413 if isinstance(error, classroom.LessonTooLarge) else 422
            return JSONResponse({"error": str(error)}, status)
        return JSONResponse({"lesson": session.lesson})

    def exported(request: Request) -> Session | None:
        return sessions.get(request.headers.get("x-session", ""))

    async def script_file(request: Request) -> Response:
        session = exported(request)
        if session is None:
            return Response("unknown session", 404)
        content = await asyncio.to_thread(_script_of, session)
        return Response(content, media_type="text/x-python")

    async def model_file(request: Request) -> Response:
        session = exported(request)
        if session is None:
            return Response("unknown session", 404)
        content = await asyncio.to_thread(_model_of, session)
        return Response(content, media_type="application/octet-stream")

    async def run_file(request: Request) -> Response:
        session = exported(request)
        if session is None:
            return Response("unknown session", 404)
        try:
            content = await asyncio.to_thread(_run_of, session)
        except DataError as error:
            return Response(str(error), 422)
        return Response(content, media_type=TYPES["json"])

    async def open_run_file(request: Request) -> Response:
        session = exported(request)
        if session is None:
            return JSONResponse({"error": "unknown session"}, 404)
        try:
            content = await read_limited(request, check_run_size, "run file")
            file = await asyncio.to_thread(read_run, content, sessions.most_units)
        except ChainruleError as error:
            return JSONResponse(
                {"error": str(error)}, 413 if isinstance(error, tables.TooLarge) else 422
            )
        session.tell(open_run, {"file": file})
        return JSONResponse({"bytes": len(content)})

    async def websocket(socket: WebSocket) -> None:
        await serve(socket, sessions)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await asyncio.to_thread(sessions.close)

    routes = [
        Route("/", page_file),
        Route("/settings.json", settings_table),
        Route("/api/table", upload, methods=["POST"]),
        Route("/api/lessons", all_lessons),
        Route("/api/lesson", own_lesson, methods=["POST"]),
        Route("/api/script", script_file),
        Route("/api/model", model_file),
        Route("/api/run", run_file, methods=["GET"]),
        Route("/api/run", open_run_file, methods=["POST"]),
        WebSocketRoute("/ws", websocket),
        Route("/{name}", page_file),
    ]
    return Guard(Starlette(routes=routes, lifespan=lifespan), token, framed)


# A session's lock may be held for as long as a step takes: it is waited for in a thread, so that
# other sessions go on.


def _script_of(session: Session) -> str:
    with session.lock:
        return script(session.run, session.own)


def _model_of(session: Session) -> bytes:
    with session.lock:
        return model_bytes(session.run)


def _run_of(session: Session) -> bytes:
    with session.lock:
        return write_run(session.run, session.own)


def page_files() -> dict[str, bytes]:
    """Every file of the page by name, read once: no request ever names a path."""
    folder = resources.files("chainrule.server") / "page"
    return {
        entry.name: entry.read_bytes()
        for entry in folder.iterdir()
        if entry.is_file() and entry.name.rsplit(".", 1)[-1] in TYPES
    }


async def read_limited(
    request: Request, check_size: Callable[[int, str], None], name: str
) -> bytes:
    """The body, refused as soon as it is too long, whatever length it announced."""
    announced = request.headers.get("content-length", "0")
    if announced.isdigit():
        check_size(int(announced), name)
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        check_size(len(content), name)
    return bytes(content)
