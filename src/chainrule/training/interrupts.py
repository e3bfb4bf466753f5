"""Ctrl-C without half-made steps."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np


@contextmanager
def graceful(stop: np.ndarray) -> Iterator[None]:
    """While it lasts the first Ctrl-C sets ``stop[0]``, so that the batch under way is finished.

    A second one raises KeyboardInterrupt at once. Where Python's own handler does not stand (a
    thread, a program that handles Ctrl-C itself) everything stays as it is.
    """
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return

    def on_interrupt(number: int, frame: Any) -> None:
        if stop[0]:
            signal.default_int_handler(number, frame)
        stop[0] = 1

    signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
