"""A cluster on loopback for the tests of this folder, and data for it."""

from __future__ import annotations

import multiprocessing
import socket
import threading
from contextlib import contextmanager
from types import SimpleNamespace

import dask
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits

distributed = pytest.importorskip("distributed", reason="the extra [dask] is not installed")

LOCAL = {"dashboard_address": "127.0.0.1:0", "host": "127.0.0.1", "threads_per_worker": 1}


@contextmanager
def cluster_of(workers: int, **options):
    """A client of a cluster of so many workers, and the cluster; nothing of it is left in the end.

    Neither is a port that somebody listens on, a process, or a worker's thread.
    """
    before = set(multiprocessing.active_children())
    with (
        dask.config.set({"distributed.admin.tick.limit": "1 h"}),  # a busy machine is no news
        distributed.LocalCluster(n_workers=workers, **LOCAL | options) as cluster,
        distributed.Client(cluster) as client,
    ):
        ports = ports_of(cluster)
        yield client, cluster
        ports |= ports_of(cluster)  # of workers that have joined, too
    assert ports
    assert [port for port in sorted(ports) if somebody_listens(port)] == []
    assert set(multiprocessing.active_children()) <= before


def ports_of(cluster):
    """The ports on which the scheduler, its page and the workers listen."""
    info = cluster.scheduler_info
    addresses = [cluster.scheduler_address, *info["workers"]]
    addresses += [one["nanny"] for one in info["workers"].values() if one.get("nanny")]
    services = info.get("services", {}).values()
    return {int(one.rpartition(":")[2]) for one in addresses if "inproc" not in one} | {
        int(port) for port in services if port
    }


def somebody_listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="package")
def client():
    """A client of two workers that are threads of this process, spoken to over TCP."""
    with cluster_of(2, processes=False, protocol="tcp://") as (client, _):
        yield client
    left = [one.name for one in threading.enumerate() if "Dask-Worker" in one.name]
    assert not left


@pytest.fixture(scope="session")
def digits():
    X, y = load_digits(return_X_y=True)
    return SimpleNamespace(X=X / 16, y=y)


@pytest.fixture(scope="session")
def table():
    """A frame of several kinds of columns, with the class of each row."""
    rng = np.random.default_rng(0)
    rows = 600
    size, town = rng.lognormal(size=rows), rng.choice(["Ulm", "Bonn", "Köln"], rows)
    y = np.where(size + (town == "Ulm") > 1.5, "large", "small")
    size[rng.random(rows) < 0.05] = np.nan
    return pd.DataFrame(
        {"size": size, "town": town, "count": rng.integers(0, 50, rows), "label": y}
    )


def cut(array, *edges):
    """An array in blocks that end at these rows."""
    return np.split(array, edges)
