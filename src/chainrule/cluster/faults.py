"""What can go wrong with a cluster, said in one line."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from typing import Any

from distributed import Client, KilledWorker
from distributed.comm.core import CommClosedError

from chainrule.errors import ChainruleError, ClusterError, describe

LOGGER = logging.getLogger("chainrule.cluster")
RESUME = "Call fit again with the same checkpoint= folder: it goes on from the last state."

GONE = (CommClosedError, CancelledError, TimeoutError, ConnectionError)


def is_there(client: Client) -> bool:
    """Whether the scheduler answers."""
    return client.status == "running"


@contextmanager
def speaking(client: Client) -> Iterator[None]:
    """What Dask raises in the block, told as a ``ClusterError`` that says what to do."""
    try:
        yield
    except KilledWorker as error:
        expected = "partitions that a worker can hold"
        came = f"one on which several workers died in turn ({error.task})"
        remedy = "Make partitions smaller, or give workers more memory."
        raise ClusterError(describe("cluster", expected, came, remedy)) from error
    except GONE as error:
        raise lost(client, error) from error
    except Exception as error:  # a client that was closed fails in many ways
        if is_there(client) or isinstance(error, ChainruleError):
            raise
        raise lost(client, error) from error


def lost(client: Client, error: BaseException) -> ClusterError:
    """The error for a scheduler that is gone, or a client that was closed."""
    where = f"cluster at {address_of(client)}"
    came = f"a client that is {client.status}" if not is_there(client) else type(error).__name__
    return ClusterError(describe(where, "a scheduler that answers", came, RESUME))


def address_of(client: Client) -> Any:
    """Where the scheduler is, or was."""
    scheduler = getattr(client, "scheduler", None)
    return getattr(scheduler, "address", None) or getattr(client, "_start_arg", "?")
