"""What happens to a cluster while it trains: the result is the same, and the progress says what."""

from __future__ import annotations

import logging
import os
import random
import signal
import threading
import time

import dask.array as da
import distributed
import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import ClusterError

from .conftest import LOCAL, cluster_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]

MAKE = {"hidden_layer_sizes": (8,), "solver": "cg", "max_iter": 40, "tol": 0, "random_state": 0}


def partitions(digits):
    return da.from_array(digits.X, (225, 64)), da.from_array(digits.y, 225)


@pytest.fixture(scope="module")
def wanted(digits):
    """θ of a fit over the same partitions to which nothing happened."""
    X = np.split(digits.X, range(225, 1797, 225))
    y = np.split(digits.y, range(225, 1797, 225))
    return cr.cluster.fit(cr.MLPClassifier(**MAKE), X, y)._theta


def test_workers_that_are_killed_at_random_change_no_bit(digits, wanted, caplog, capsys):
    caplog.set_level(logging.WARNING, "chainrule.cluster")
    chance = random.Random(time.time_ns())
    when = sorted(chance.sample(range(2, 35), 2))
    print(f"workers are killed after iterations {when}")
    killed = []

    def kill(progress):
        if progress.epoch in when:
            client.wait_for_workers(1, timeout=60)
            address, pid = chance.choice(sorted(client.run(os.getpid, on_error="ignore").items()))
            os.kill(pid, signal.SIGKILL)
            killed.append(address)

    with cluster_of(2) as (client, _):
        model = cr.MLPClassifier(**MAKE, callbacks=[kill])
        cr.cluster.fit(model, *partitions(digits), client=client, progress_bar=True)
    assert model.n_iter_ == 40
    assert model._theta.tobytes() == wanted.tobytes()
    shown = capsys.readouterr().err
    for address in killed:
        line = f"worker {address} is gone; its partitions are made again elsewhere"
        assert line in caplog.text
        assert line in shown  # beside the bar
    assert len(killed) == 2


def test_a_cluster_whose_only_worker_dies_waits_for_the_next(digits, wanted, caplog):
    caplog.set_level(logging.WARNING, "chainrule.cluster")

    def kill(progress):
        if progress.epoch == 3:
            os.kill(*client.run(os.getpid).values(), signal.SIGKILL)

    with cluster_of(1) as (client, _):
        model = cr.MLPClassifier(**MAKE, callbacks=[kill]).fit(*partitions(digits))
    assert model._theta.tobytes() == wanted.tobytes()
    assert "is gone; its partitions are made again elsewhere" in caplog.text


def test_a_cluster_that_no_worker_comes_to_is_one_line(digits, monkeypatch):
    monkeypatch.setattr("chainrule.cluster.placement.PATIENCE", 0.2)

    def leave(progress):
        if progress.epoch == 3:
            cluster.scale(0)
            while client.nthreads():
                time.sleep(0.05)

    with cluster_of(1, processes=False, protocol="tcp://") as (client, cluster):
        model = cr.MLPClassifier(**MAKE, callbacks=[leave])
        with pytest.raises(ClusterError, match=r"expected workers; came none in 0\.2 s\. Start"):
            model.fit(*partitions(digits))


def test_a_worker_that_joins_changes_no_bit(digits, wanted, caplog):
    caplog.set_level(logging.WARNING, "chainrule.cluster")

    def more(progress):
        if progress.epoch == 3:
            cluster.scale(3)
            client.wait_for_workers(3)

    with cluster_of(2, processes=False, protocol="tcp://") as (client, cluster):
        model = cr.MLPClassifier(**MAKE, callbacks=[more]).fit(*partitions(digits))
    assert model._theta.tobytes() == wanted.tobytes()
    assert "has joined" in caplog.text


def test_a_slow_worker_changes_no_bit(digits, wanted):
    """One that stands still for a while after every tenth iteration."""

    def halt(progress):
        if progress.epoch % 10 == 0:
            os.kill(slow, signal.SIGSTOP)
            threading.Timer(0.5, os.kill, (slow, signal.SIGCONT)).start()
            begun.append(time.perf_counter())
        elif progress.epoch % 10 == 1 and begun:
            waited.append(time.perf_counter() - begun[-1])

    begun, waited = [], []
    with cluster_of(2) as (client, _):
        slow = min(client.run(os.getpid).items())[1]
        model = cr.MLPClassifier(**MAKE, callbacks=[halt]).fit(*partitions(digits))
    assert model._theta.tobytes() == wanted.tobytes()
    assert min(waited) > 0.4  # every evaluation waits for it


def test_a_restarted_scheduler_and_a_checkpoint_end_with_the_same_bits(digits, tmp_path):
    make = MAKE | {"checkpoint_every": 5}
    with cluster_of(1):
        whole = cr.MLPClassifier(**make, checkpoint=tmp_path / "whole").fit(*partitions(digits))

    class Stopped(Exception):
        pass

    def stop(progress):
        if progress.epoch == 12:
            cluster.close()

    kept = make | {"checkpoint": tmp_path / "kept"}
    cluster = distributed.LocalCluster(n_workers=2, **LOCAL)
    model = cr.MLPClassifier(**kept, callbacks=[stop])
    with (
        cluster,
        distributed.Client(cluster),
        pytest.raises(ClusterError, match=r"checkpoint= folder: it goes on") as caught,
    ):
        model.fit(*partitions(digits))
    assert "\n" not in str(caught.value)
    with cluster_of(3):
        again = cr.MLPClassifier(**kept).fit(*partitions(digits))
    assert again._theta.tobytes() == whole._theta.tobytes()


def test_a_client_that_disconnects_ends_the_fit_with_one_line(digits):
    with cluster_of(1, processes=False, protocol="tcp://") as (client, _):

        def leave(progress):
            if progress.epoch == 3:
                client.close()

        with pytest.raises(ClusterError, match="expected a scheduler that answers"):
            cr.MLPClassifier(**MAKE, callbacks=[leave]).fit(*partitions(digits))


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_any_number_of_workers_gives_the_same_bits(digits, wanted, workers):
    with cluster_of(workers, processes=False, protocol="tcp://"):
        model = cr.MLPClassifier(**MAKE).fit(*partitions(digits))
    assert model._theta.tobytes() == wanted.tobytes()
