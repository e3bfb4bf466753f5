"""Rows without end: seconds a row at 10⁷ memory-mapped rows against 10⁵, network 20-100-2."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

import chainrule as cr
from benchmarks.measure import Bar, Case, Contender, Run
from chainrule.training import SGD, Trainer

COLUMNS = 20
MANY, FEW = 10**7, 10**5
WINDOW = 2**16


def memory_mapped(rows: int, folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Random rows in a file, written piece by piece, and labels from the first column."""
    path = folder / f"{rows}.npy"
    if not path.exists():
        out = np.lib.format.open_memmap(path, "w+", np.float32, (rows, COLUMNS))
        rng = np.random.default_rng(0)
        for start in range(0, rows, FEW):
            out[start : start + FEW] = rng.standard_normal((FEW, COLUMNS), dtype=np.float32)
        out.flush()
    X = np.load(path, mmap_mode="r")
    return X, (X[:, 0] > 0).astype(np.int64)


def epoch(rows: int, window: int | None, folder: Path) -> Run:
    """Seconds a row of one epoch of plain SGD, batch 256."""
    X, y = memory_mapped(rows, folder)
    x, t = cr.input("x", ("rows", COLUMNS)), cr.target("t", ("rows",), dtype=int)
    scores = cr.sequential([cr.Dense(100, "relu"), cr.Dense(2)], x)
    J = cr.Objective(cr.softmax_cross_entropy(scores, t))
    theta = J.initial(random_state=0).astype(np.float32)
    trainer = Trainer(J, X, y, theta0=theta, update=SGD(0.01), max_epochs=1000, window=window)
    repeats = max(1, MANY // rows // 10)

    def run() -> float:
        for _ in range(repeats):
            trainer.run_epoch()
        return rows * repeats

    return run


def _case(name: str, window: int | None, ratio: float, folder: Path) -> Case:
    return Case(
        f"20-100-2, 10⁷ memory-mapped rows against 10⁵, {name}: a row",
        "s",
        [
            Contender("10⁷ rows", lambda: epoch(MANY, window, folder)),
            Contender("10⁵ rows", lambda: epoch(FEW, window, folder)),
        ],
        [Bar(1 / ratio, ["10⁵ rows"], ours="10⁷ rows")],
        rounds=3,
    )


_folder = tempfile.TemporaryDirectory(prefix="chainrule-benchmark-")  # removed at exit
CASES = [
    _case("windowed shuffle", WINDOW, 1.15, Path(_folder.name)),
    _case("full shuffle", None, 1.6, Path(_folder.name)),
]
