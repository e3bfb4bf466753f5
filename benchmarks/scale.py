"""Past one machine: rows from a file that is larger than memory, and the cost of a cluster.

    python -m benchmarks.scale file --rows 10000000      one epoch from a memory-mapped file
    python -m benchmarks.scale parquet --rows 10000000   the same from Parquet
    python -m benchmarks.scale overhead                  an evaluation on two workers, and by hand
    python -m benchmarks.scale workers                   evaluations on 1, 2, 4 and 8 workers

The data are made in a folder that is removed in the end; 20 columns of float32.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np

import chainrule as cr

COLUMNS, HIDDEN, BATCH = 20, 20, 1000
BLOCK = 1 << 20
DEVICE = {"dashboard_address": "127.0.0.1:0", "host": "127.0.0.1", "threads_per_worker": 1}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("what", choices=["file", "parquet", "overhead", "workers", "one-epoch"])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--memory", default="512MB", help="what streaming may hold")
    parser.add_argument("--seconds", type=float, default=4.0, help="of repetition")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--how", help=argparse.SUPPRESS)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    if given.what == "one-epoch":
        print(json.dumps(one_epoch(given.folder, given.how, given.memory)))
    elif given.what in ("file", "parquet"):
        out_of_core(given.rows, given.memory, parquet=given.what == "parquet")
    elif given.what == "overhead":
        overhead(given.seconds)
    else:
        workers(given.workers, given.seconds)


# one epoch, each in a process of its own -----------------------------------------------------


def out_of_core(rows: int, memory: str, *, parquet: bool) -> None:
    """Rows per second and anonymous memory of one epoch: streamed, and with all rows in memory."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder, rows, parquet=parquet)
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        print(f"{rows:,} rows x {COLUMNS} columns, {size / 1e9:.2f} GB of files")
        found = {}
        for how in ("memory", "parquet" if parquet else "file"):
            command = ["one-epoch", "--folder", name, "--how", how, "--memory", memory]
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.scale", *command],
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            found[how] = one = json.loads(done.stdout)
            print(
                f"{how:8s} {one['rows_per_second'] / 1e6:6.2f} million rows/s in the epoch, "
                f"{one['seconds']:6.1f} s in all, RssAnon at most "
                f"{one['anonymous'] / 1e6:7.0f} MB, loss {one['loss']:.5f}"
            )
        whole, streamed = found.values()
        ratio = streamed["rows_per_second"] / whole["rows_per_second"]
        print(f"streamed / in memory: {ratio:.2f} (bar 0.70)")


def make(folder: Path, rows: int, *, parquet: bool) -> None:
    """``X.npy`` and ``y.npy``; with ``parquet`` the same rows in a folder of Parquet files."""
    X = np.lib.format.open_memmap(folder / "X.npy", "w+", np.float32, (rows, COLUMNS))
    y = np.lib.format.open_memmap(folder / "y.npy", "w+", np.int8, (rows,))
    generator = np.random.default_rng(0)
    w = generator.normal(size=COLUMNS).astype(np.float32)
    if parquet:
        (folder / "parquet").mkdir()
    for start in range(0, rows, BLOCK):
        block = generator.standard_normal((min(BLOCK, rows - start), COLUMNS), np.float32)
        X[start : start + len(block)] = block
        y[start : start + len(block)] = np.tanh(block @ w) + block[:, 0] * block[:, 1] > 0
        if parquet:
            write_parquet(folder / "parquet" / f"{start:012d}.parquet", block, y[start:][:BLOCK])


def write_parquet(path: Path, X: np.ndarray, y: np.ndarray) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {f"x{i}": np.ascontiguousarray(X[:, i]) for i in range(COLUMNS)}
    pq.write_table(
        pa.table(columns | {"y": np.asarray(y)}), path, row_group_size=1 << 18,
        use_dictionary=False, compression="none",
    )  # fmt: skip


def one_epoch(folder: Path, how: str, memory: str) -> dict[str, float]:
    """Train for one epoch on what is in ``folder``."""
    model = cr.MLPClassifier((HIDDEN,), max_iter=1, batch_size=BATCH, random_state=0, tol=0)
    if how != "memory":
        import chainrule.cluster  # noqa: F401 - loading it is no part of the work
    with anonymous_memory() as peak:
        begin = time.perf_counter()
        if how == "memory":
            model.fit(np.load(folder / "X.npy"), np.load(folder / "y.npy"))
        elif how == "file":
            X, y = (np.load(folder / name, mmap_mode="r") for name in ("X.npy", "y.npy"))
            cr.cluster.fit(model, X, y, memory=memory)
        else:
            cr.cluster.fit(model, folder / "parquet", "y", memory=memory)
        seconds = time.perf_counter() - begin
    return {
        "seconds": seconds,
        "rows_per_second": model.t_ / model.history_[-1]["seconds"],
        "anonymous": peak(),
        "loss": model.loss_,
    }


@contextmanager
def anonymous_memory() -> Iterator[Callable[[], int]]:
    """The largest RssAnon of this process while the block runs, looked at every 20 ms."""
    most, done = [0], threading.Event()

    def look() -> None:
        while not done.wait(0.02):
            text = Path("/proc/self/status").read_text()
            line = next(one for one in text.splitlines() if one.startswith("RssAnon"))
            most[0] = max(most[0], int(line.split()[1]) * 1024)

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield lambda: most[0]
    finally:
        done.set()
        watcher.join()


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
    median = float(np.median(times))
    print(f"{what:44s} median {median:8.2f} ms, least {times.min():8.2f} ms, {len(times)} runs")
    return median


def overhead(seconds: float) -> None:
    """An evaluation over 8 partitions on two workers; without rows; and in NumPy over futures."""
    from distributed import Client, LocalCluster

    with LocalCluster(n_workers=2, **DEVICE) as cluster, Client(cluster) as client:
        objective, theta, few = problem(80, 8)
        there = resident(client, objective, few)
        say(
            "80 rows: what the cluster costs",
            spent(lambda: objective.evaluate(theta, there), seconds),
        )
        objective, theta, loads = problem(800_000, 8)
        there = resident(client, objective, loads)
        ours = say(
            "800,000 rows: on two workers", spent(lambda: objective.evaluate(theta, there), seconds)
        )
        X, y = (np.concatenate([getattr(load, name) for load in loads]) for name in "Xy")
        alone = say(
            "the engine alone, in this process", spent(lambda: objective(theta, X, y), seconds)
        )
        blocks = [client.submit(lambda load: (load.X, load.y), load, pure=False) for load in loads]
        found = by_hand(client, blocks, objective, theta)
        wanted = objective.evaluate(theta, there)
        assert abs(found[0] - wanted[0]) < 1e-9 * abs(wanted[0])
        numpy = say(
            "NumPy over futures", spent(lambda: by_hand(client, blocks, objective, theta), seconds)
        )
    print(f"above the engine: {ours - alone:.1f} ms (bar 20)")
    print(f"NumPy / chainrule: {numpy / ours:.1f} (bar 3)")


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
