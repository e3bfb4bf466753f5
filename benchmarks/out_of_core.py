"""One epoch over rows in files, beside one over the same rows in memory.

Each is a process of its own; they take turns, so that what else the machine does meets both.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

import chainrule as cr

COLUMNS, HIDDEN, BATCH = 20, 20, 1000
BLOCK = 1 << 20
IN_MEMORY = 120
"""Bytes that a row takes in memory while it is trained on: itself, its target, its place."""

FASTEST, ANONYMOUS = 0.7, 1e9
"""The bars: of the rows per second in memory, and bytes."""


def out_of_core(
    rows: int, memory: str, *, parquet: bool, times: int = 1, cold: bool = False
) -> bool:
    """Rows per second and anonymous memory; whether both bars are cleared.

    ``cold`` drops the files from the page cache before they are streamed; else they are in it, as
    far as they fit.
    """
    with tempfile.TemporaryDirectory() as name:
        folder, streamed = Path(name), "parquet" if parquet else "file"
        make(folder, rows, parquet=parquet)
        files = [path for path in folder.rglob("*") if path.is_file()]
        used = [path for path in files if (path.suffix == ".parquet") is parquet]
        size = sum(path.stat().st_size for path in used)
        print(f"{rows:,} rows x {COLUMNS} columns, {size / 1e9:.2f} GB of files", flush=True)
        fit = min(rows, available() * 7 // 10 // IN_MEMORY)
        if fit < rows:
            print(f"in memory: {fit:,} of them, as many as fit")
        found: dict[str, list[dict[str, float]]] = {streamed: [], "memory": []}
        for _ in range(times):
            for how, count in ((streamed, rows), ("memory", fit)):
                if how == streamed:
                    visit(used, drop=cold)
                found[how].append(one := in_a_process(folder, how, count, memory))
                say(how, one)
        return judge(*found.values())


def say(how: str, one: dict[str, float]) -> None:
    print(
        f"{how:8s} {one['epoch'] / 1e6:6.2f} million rows/s in the epoch, "
        f"{one['fit'] / 1e6:5.2f} in the whole fit of {one['seconds']:6.1f} s, "
        f"RssAnon at most {one['anonymous'] / 1e6:6.0f} MB, loss {one['loss']:.5f}",
        flush=True,
    )


def judge(streamed: list[dict[str, float]], whole: list[dict[str, float]]) -> bool:
    epoch, fit = (
        float(np.median([one[key] for one in streamed]) / np.median([one[key] for one in whole]))
        for key in ("epoch", "fit")
    )
    most = max(one["anonymous"] for one in streamed)
    print(f"streamed / in memory: {epoch:.2f} in the epoch (bar {FASTEST:.2f}), {fit:.2f} in all")
    print(f"RssAnon at most {most / 1e6:.0f} MB (bar {ANONYMOUS / 1e6:.0f})")
    return epoch >= FASTEST and most <= ANONYMOUS


def available() -> int:
    """Bytes of memory that processes may still take."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    return 1024 * int(next(one for one in lines if one.startswith("MemAvailable")).split()[1])


def visit(paths: list[Path], *, drop: bool) -> None:
    """Bring files into the page cache, or take them out of it."""
    for path in paths:
        with path.open("rb") as file:
            os.fsync(file.fileno())
            if drop:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            while not drop and file.read(1 << 24):
                pass


def in_a_process(folder: Path, how: str, rows: int, memory: str) -> dict[str, float]:
    command = ["one-epoch", "--folder", str(folder), "--how", how, "--memory", memory]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.scale", *command, "--rows", str(rows)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout)


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


def one_epoch(folder: Path, how: str, rows: int, memory: str) -> dict[str, float]:
    """Train for one epoch on what is in ``folder``."""
    model = cr.MLPClassifier((HIDDEN,), max_iter=1, batch_size=BATCH, random_state=0, tol=0)
    if how != "memory":
        import chainrule.cluster  # noqa: F401 - loading it is no part of the work
    X, y = (np.load(folder / name, mmap_mode="r") for name in ("X.npy", "y.npy"))
    if how == "memory":
        X, y = np.array(X[:rows]), np.array(y[:rows])
    with anonymous_memory() as peak:
        begin = time.perf_counter()
        if how == "memory":
            model.fit(X, y)
        elif how == "file":
            cr.cluster.fit(model, X, y, memory=memory)
        else:
            cr.cluster.fit(model, folder / "parquet", "y", memory=memory)
        seconds = time.perf_counter() - begin
    return {
        "seconds": seconds,
        "epoch": model.t_ / model.history_[-1]["seconds"],
        "fit": model.t_ / seconds,
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
