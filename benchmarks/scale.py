"""Past one machine: rows from a file that is larger than memory, and the cost of a cluster.

    python -m benchmarks.scale file --rows 100000000     one epoch from a memory-mapped file
    python -m benchmarks.scale parquet --rows 100000000  the same from Parquet
    python -m benchmarks.scale overhead                  an evaluation on two workers, and by hand
    python -m benchmarks.scale workers                   evaluations on 1, 2, 4 and 8 workers
    python -m benchmarks.scale spark                     MNIST beside MLlib: needs pyspark and Java

The data are made in a folder that is removed in the end; 20 columns of float32. The exit status is
1 where a bar is missed or nothing could be measured.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

import chainrule as cr
from benchmarks import out_of_core, spark
from benchmarks.out_of_core import COLUMNS, HIDDEN

DEVICE = {"dashboard_address": "127.0.0.1:0", "host": "127.0.0.1", "threads_per_worker": 1}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.scale",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = ["file", "parquet", "overhead", "workers", "spark", "one-epoch"]
    parser.add_argument("what", choices=what, metavar="|".join(what[:-1]))
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--memory", default="512MB", help="what streaming may hold")
    parser.add_argument("--times", type=int, default=1, help="turns of streaming and memory")
    parser.add_argument("--cold", action="store_true", help="drop files from the page cache first")
    parser.add_argument("--seconds", type=float, default=4.0, help="of repetition")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--iterations", type=int, default=50, help="of Spark's L-BFGS")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--how", help=argparse.SUPPRESS)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    if given.what == "one-epoch":
        found = out_of_core.one_epoch(given.folder, given.how, given.rows, given.memory)
        print(json.dumps(found))
    elif not measured(given):
        sys.exit(1)


def measured(given: argparse.Namespace) -> bool:
    """Whether all bars of what is asked for are cleared."""
    if given.what in ("file", "parquet"):
        parquet, options = given.what == "parquet", {"times": given.times, "cold": given.cold}
        return out_of_core.out_of_core(given.rows, given.memory, parquet=parquet, **options)
    if given.what == "overhead":
        return overhead(given.seconds)
    if given.what == "spark":
        return spark.compare(given.iterations, cores=2)
    workers(given.workers, given.seconds)
    return True


# evaluations on a cluster --------------------------------------------------------------------


def problem(rows: int, partitions: int):
    """The objective of a network, θ, and its rows in partitions, as loads."""
    from chainrule.cluster.sources import blocks_of

    generator = np.random.default_rng(0)
    X = generator.standard_normal((rows, COLUMNS), np.float32)
    y = (X[:, 0] + X[:, 1] * X[:, 2] > 0).astype(np.int64)
    model = cr.MLPClassifier((HIDDEN,), activation="tanh", random_state=0)
    objective, theta, _, _ = model.as_objective(X[:100], y[:100])
    return objective, theta, blocks_of(X, y, None, -(-rows // partitions))


def as_it_is(piece):
    return piece.X, piece.y, None


def resident(client, objective, loads):
    from chainrule.cluster.dask_pieces import DaskPieces

    return DaskPieces.of(client, loads, lambda rows: None).rows(as_it_is, objective)


def spent(run: Callable[[], object], seconds: float) -> np.ndarray:
    """Milliseconds of each of as many runs as fit into ``seconds``, after three to warm up."""
    found, end = [], time.perf_counter() + seconds
    for _ in range(3):
        run()
    while time.perf_counter() < end or len(found) < 5:
        begin = time.perf_counter()
        run()
        found.append(1e3 * (time.perf_counter() - begin))
    return np.array(found)


def say(what: str, times: np.ndarray) -> float:
    low, median, high = np.percentile(times, [10, 50, 90])
    print(
        f"{what:44s} median {median:7.2f} ms, least {times.min():7.2f}, 10 % {low:7.2f}, "
        f"90 % {high:7.2f}, {len(times)} runs"
    )
    return float(median)


def overhead(seconds: float) -> bool:
    """An evaluation over 8 partitions on two workers; without rows; and in NumPy over futures."""
    from distributed import Client, LocalCluster

    with LocalCluster(n_workers=2, **DEVICE) as cluster, Client(cluster) as client:
        objective, theta, few = problem(80, 8)
        empty = partial(objective.evaluate, theta, resident(client, objective, few))
        cost = say("80 rows: what the cluster costs", spent(empty, seconds))
        objective, theta, loads = problem(800_000, 8)
        there = resident(client, objective, loads)
        full = partial(objective.evaluate, theta, there)
        ours = say("800,000 rows: on two workers", spent(full, seconds))
        X, y = (np.concatenate([getattr(load, name) for load in loads]) for name in "Xy")
        here = partial(objective, theta, X, y)
        alone = say("the engine alone, in this process", spent(here, seconds))
        blocks = [client.submit(lambda load: (load.X, load.y), load, pure=False) for load in loads]
        numpy = partial(by_hand, client, blocks, objective, theta)
        found, wanted = numpy(), full()
        assert abs(found[0] - wanted[0]) < 1e-9 * abs(wanted[0])
        theirs = say("NumPy over futures", spent(numpy, seconds))
    print(f"above the engine: {ours - alone:.1f} ms; over 80 rows {cost:.1f} ms (bar 20)")
    print(f"NumPy / chainrule: {theirs / ours:.1f} (bar 3)")
    return max(ours - alone, cost) <= 20 and theirs / ours >= 3


def by_hand(client, blocks, objective, theta):
    """The same objective as one writes it: a task a partition, sums on the client."""
    W1, b1, W2, b2 = (objective.unpack(theta)[name] for name in ("W1", "b1", "W2", "b2"))
    sums = client.gather(
        [client.submit(numpy_sums, block, W1, b1, W2, b2, pure=False) for block in blocks]
    )
    loss, weight, gradient = (sum(parts) for parts in zip(*sums, strict=True))
    cost, slope = objective.penalty_and_gradient(theta)
    return loss / weight + cost, gradient / weight + slope


def numpy_sums(block, W1, b1, W2, b2):
    X, y = block
    X = X.astype(np.float64)
    h = np.tanh(X @ W1 + b1)
    s = (h @ W2 + b2)[:, 0]
    loss = np.logaddexp(0, s) - y * s
    d = (1 / (1 + np.exp(-s)) - y)[:, None]
    dh = d @ W2.T * (1 - h * h)
    parts = (X.T @ dh, dh.sum(axis=0), h.T @ d, d.sum(axis=0))
    return loss.sum(), float(len(y)), np.concatenate([part.ravel() for part in parts])


def workers(counts: list[int], seconds: float) -> None:
    """The same 800,000 rows on so many workers, beside what the cost model says."""
    from distributed import Client, LocalCluster

    objective, theta, loads = problem(800_000, 8)
    few = problem(80, 8)[2]
    X, y = (np.concatenate([getattr(load, name) for load in loads]) for name in "Xy")
    one = cr.Objective(objective.row_loss, objective.penalty, n_threads=1)
    work = say("the engine alone, one thread", spent(lambda: one(theta, X, y), seconds))
    for count in counts:
        with LocalCluster(n_workers=count, **DEVICE) as cluster, Client(cluster) as client:
            empty = partial(objective.evaluate, theta, resident(client, objective, few))
            full = partial(objective.evaluate, theta, resident(client, objective, loads))
            cost = float(np.median(spent(empty, seconds / 2)))
            found = say(f"{count} workers", spent(full, seconds))
            said = work / min(count, 2) + cost  # two cores
            print(f"    the model: {work:.1f} / {min(count, 2)} + {cost:.1f} = {said:.1f} ms; "
                  f"measured / model {found / said:.2f}")  # fmt: skip


if __name__ == "__main__":
    main()
