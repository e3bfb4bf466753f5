"""Memory above the data: at most 64 MB and 12 times the parameters' bytes, however many rows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROWS, COLUMNS = 2_000_000, 20

# Memory of the process's own, without the mapped file's pages, watched during an epoch of
# mini-batches and a gradient over all rows.
_RUN = """
import sys, threading, time
import numpy as np
import chainrule as cr
from chainrule.training import Adam, Trainer

def own():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("RssAnon"))

def work(X, y, hidden):
    x, t = cr.input("x", ("rows", X.shape[1])), cr.target("t", ("rows",), dtype=int)
    scores = cr.sequential([*[cr.Dense(n, "relu") for n in hidden], cr.Dense(2)], x)
    J = cr.Objective(cr.softmax_cross_entropy(scores, t))
    theta = J.initial(random_state=0).astype(np.float32)
    Trainer(J, X, y, theta0=theta, update=Adam(), batch_size=256, max_epochs=1).run_epoch()
    J(theta, X, y)
    return theta.nbytes

hidden = [int(n) for n in sys.argv[3:]]
X, y = np.load(sys.argv[1], mmap_mode="r"), np.load(sys.argv[2], mmap_mode="r")
work(X[:2000], y[:2000], [3])  # what is loaded and started once does not count
before, peak, done = own(), 0, False
def watch():
    global peak
    while not done:
        peak = max(peak, own())
        time.sleep(0.002)
watcher = threading.Thread(target=watch)
watcher.start()
parameters = work(X, y, hidden)
done = True
watcher.join()
print(peak - before, parameters)
"""


def above_the_data(tmp_path: Path, rows: int, columns: int, *hidden: int) -> tuple[int, int]:
    """Peak bytes above those before the work, and the parameters' bytes."""
    X = np.lib.format.open_memmap(tmp_path / "X.npy", "w+", np.float32, (rows, columns))
    rng = np.random.default_rng(0)
    for start in range(0, rows, 100_000):
        part = X[start : start + 100_000]
        part[:] = rng.standard_normal(part.shape, dtype=np.float32)
    np.save(tmp_path / "y.npy", (X[:, 0] > 0).astype(np.int64))
    X.flush()
    done = subprocess.run(
        [sys.executable, "-c", _RUN, tmp_path / "X.npy", tmp_path / "y.npy", *map(str, hidden)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    peak, parameters = map(int, done.stdout.split())
    return peak, parameters


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads Linux's /proc")
@pytest.mark.parametrize(
    ("rows", "columns", "hidden"),
    [(ROWS, COLUMNS, (100,)), (3000, 784, (1024, 1024))],
    ids=["many rows", "many parameters"],
)
def test_memory_above_the_data_is_bounded(tmp_path, rows, columns, hidden):
    peak, parameters = above_the_data(tmp_path, rows, columns, *hidden)
    assert peak < 64 * 2**20 + 12 * parameters
