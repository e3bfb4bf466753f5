"""Starting the playground: from Python, from a notebook, from the command line."""

from __future__ import annotations

import builtins
import secrets
import socket
import threading
import time
import webbrowser
from typing import Any

import numpy as np
import uvicorn

from chainrule.errors import ChainruleError, DataError
from chainrule.server.app import make_app
from chainrule.server.lessons import start_of
from chainrule.server.models import Wrapped, wrap
from chainrule.server.own import Own
from chainrule.server.protocol import MAX_MESSAGE_BYTES
from chainrule.server.sessions import Sessions
from chainrule.server.settings import MAX_UNITS, read_settings

START_SECONDS = 20.0


class Playground:
    """A playground that runs in this process; in a notebook it shows itself.

    Attributes
    ----------
    url : str
        Opens it, once and in any browser of this machine; holds the launch's token.
    """

    def __init__(
        self,
        settings: dict[str, Any] | None = None,
        own: Own | None = None,
        wrapped: Wrapped | None = None,
        *,
        port: int = 0,
        framed: bool = True,
        limit: int | None = None,
        lesson: dict[str, Any] | None = None,
    ) -> None:
        self._wrapped = wrapped
        theta = None if wrapped is None else wrapped.theta
        options = {} if limit is None else {"limit": limit}
        most_units = MAX_UNITS if wrapped is None else max(MAX_UNITS, wrapped.most_units)
        if lesson is not None:
            settings = {**start_of(lesson), **(settings or {})}
        start = read_settings(settings or {}, most_units=most_units)
        self.sessions = Sessions(start, own, theta, most_units=most_units, lesson=lesson, **options)
        self.token = secrets.token_urlsafe(24)
        self._socket = _listen(port)
        self.port = self._socket.getsockname()[1]
        self._server = uvicorn.Server(_config(make_app(self.sessions, self.token, framed)))
        # Ctrl-C in Thread.join marks a running thread as ended in Python 3.11 and 3.12
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="playground server", daemon=True)
        self._thread.start()
        self._wait()

    @property
    def url(self) -> str:
        """The link that opens it."""
        return f"http://127.0.0.1:{self.port}/?token={self.token}"

    @property
    def theta(self) -> np.ndarray:
        """The parameters as they stand in the page opened last, edits included."""
        run = self._run()
        return np.array(run.theta)

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """``theta`` by name: W1, b1, W2, …"""
        run = self._run()
        return {
            name: np.array(one) for name, one in run.network.objective.unpack(run.theta).items()
        }

    def update_model(self) -> Any:
        """Write what the page has learnt or edited into the model, and return the model."""
        if self._wrapped is None:
            raise DataError("this playground was opened without a model; read .parameters instead")
        run = self._run()
        return self._wrapped.read_back(run.network, run.theta)

    def close(self) -> None:
        """End the server and its sessions."""
        self._server.should_exit = True
        self._ended.wait(timeout=10)
        self.sessions.close()
        self._socket.close()

    def wait(self) -> None:
        """Return when the server has ended; Ctrl-C ends it."""
        try:
            while not self._ended.wait(timeout=0.5):
                pass
        except KeyboardInterrupt:
            self.close()

    def __enter__(self) -> Playground:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Playground at {self.url}"

    def _repr_html_(self) -> str:
        return (
            f'<iframe src="{self.url}" title="chainrule playground" allow="clipboard-write" '
            'style="width:100%;height:860px;border:1px solid #8884;border-radius:8px"></iframe>'
        )

    def _run(self) -> Any:
        session = self.sessions.newest
        if session is None:
            raise DataError(f"no page is open yet; open {self.url}")
        return session.run

    def _serve(self) -> None:
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self._ended.set()

    def _wait(self) -> None:
        end = time.monotonic() + START_SECONDS
        while not self._server.started:
            if time.monotonic() > end or not self._thread.is_alive():
                raise ChainruleError("the playground's server did not start")
            time.sleep(0.01)


def playground(
    model: Any = None,
    X: Any = None,
    y: Any = None,
    *,
    port: int = 0,
    open_browser: bool | None = None,
    **settings: Any,
) -> Playground:
    """Open the playground: a small network learns in the browser while you watch.

    Parameters
    ----------
    model : MLPClassifier, MLPRegressor, SoftmaxClassifier or OneVsAllClassifier, optional
        The same model, live: its layers, activation, solver and penalty; fitted or not.
    X, y : array of shape (rows, columns), array of shape (rows,), optional
        Its points. Of more than two columns it learns all, and the page draws two of them at a
        time, the others at their medians.
    port : int
        0: any free one.
    open_browser : bool, optional
        Default: yes, except in a notebook, where the handle shows the page itself.
    **settings
        Of the page, such as ``dataset="spiral"``, ``hidden_layer_sizes=[8, 8]``.

    Returns
    -------
    Playground
        Its ``parameters`` are those in the page, weights edited there included;
        ``update_model()`` writes them into ``model``.
    """
    wrapped, own = None, None
    if model is not None or X is not None:
        wrapped = wrap(model, X, y)
        own = wrapped.own
        settings = {**wrapped.settings, **settings}
    handle = Playground(settings, own, wrapped if model is not None else None, port=port)
    if open_browser if open_browser is not None else not in_notebook():
        webbrowser.open(handle.url)
    return handle


def in_notebook() -> bool:
    """Whether this runs in a notebook's kernel."""
    # IPython puts it there
    get_ipython = getattr(builtins, "get_ipython", lambda: None)
    return type(get_ipython()).__name__ == "ZMQInteractiveShell"


def _listen(port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind(("127.0.0.1", port))
    except OSError as error:
        sock.close()
        raise DataError(f"port {port}: {error.strerror}; choose another, or 0 for any") from None
    return sock


def _config(app: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_level="error",
        access_log=False,
        ws="websockets-sansio",
        ws_max_size=MAX_MESSAGE_BYTES,
        ws_per_message_deflate=False,
        ws_ping_interval=20,
        timeout_graceful_shutdown=1,
        server_header=False,
    )
