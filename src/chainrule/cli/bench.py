"""``chainrule bench``: how long typical work takes here, to keep and to compare with later.

Ours alone, on numbers of MNIST's and the digits' shapes; speed does not depend on what they are.
For a comparison with other libraries see ``benchmarks/`` in the repository.
"""

from __future__ import annotations

import json
import statistics
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import typer
from rich.progress import track
from rich.table import Table
from rich.text import Text
from sklearn.exceptions import ConvergenceWarning

import chainrule
from chainrule import engine
from chainrule.cli.console import check_writable, err, out
from chainrule.errors import FileFormatError, describe
from chainrule.estimators import MLPClassifier
from chainrule.files import atomic_write
from chainrule.graph import FUNCTIONS, LEAVES
from chainrule.networks import Dense, sequential
from chainrule.training import SGD, Objective, Trainer

FORMAT = "chainrule bench 1"
Task = Callable[[], float]
"""Does the work once and says how many units it did."""


def run(save: Path | None, compare: Path | None, rounds: int, slower: float) -> None:
    """Time every task, print the medians, keep them, compare them.

    Raises
    ------
    typer.Exit
        With code 1 where a task takes more than ``slower`` times as long as in ``compare``.
    """
    if save is not None:
        check_writable(save, "--save")
    earlier = None if compare is None else read(compare)
    now = {
        name: measure(make(), rounds)
        for name, make in track(TASKS.items(), "Measuring", console=err(), transient=True)
    }
    out().print(_table(now, earlier, slower))
    if save is not None:
        kept = {"format": FORMAT, "version": chainrule.__version__, "engine": engine.info()}
        with atomic_write(save, "w") as file:
            json.dump(kept | {"seconds": now}, file, indent=1)
    if earlier and any(now[name] > slower * earlier[name] for name in now.keys() & earlier.keys()):
        raise typer.Exit(1)


def measure(task: Task, rounds: int) -> float:
    """Median seconds of a unit, after one warm-up."""
    task()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        units = task()
        times.append((time.perf_counter() - start) / units)
    return statistics.median(times)


def read(path: Path) -> dict[str, float]:
    """Seconds by task from a file that ``--save`` wrote."""
    text = path.read_bytes()
    try:
        kept = json.loads(text)
        if kept["format"] != FORMAT:
            raise ValueError
        return {str(name): float(seconds) for name, seconds in kept["seconds"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        wanted = "a file that chainrule bench --save wrote"
        raise FileFormatError(describe(path, wanted, "something else")) from None


def _table(now: dict[str, float], earlier: dict[str, float] | None, slower: float) -> Table:
    table = Table(box=None, padding=(0, 2), pad_edge=False)
    table.add_column("work", no_wrap=True)
    table.add_column("now", justify="right")
    if earlier is not None:
        table.add_column("then", justify="right")
        table.add_column("times as long", justify="right")
    for name, seconds in now.items():
        row: list[str | Text] = [name, _seconds(seconds)]
        if earlier is not None and name in earlier:
            ratio = seconds / earlier[name]
            style = "bold red" if ratio > slower else "green" if ratio * slower < 1 else ""
            row += [_seconds(earlier[name]), Text(f"{ratio:.2f}", style)]
        table.add_row(*row)
    return table


def _seconds(value: float) -> str:
    for unit, scale in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if value * scale >= 1:
            return f"{value * scale:.3g} {unit}"
    return f"{value * 1e9:.3g} ns"


# the tasks -------------------------------------------------------------------------------


def _numbers(rows: int, columns: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((rows, columns), dtype=np.float32)
    return X, rng.integers(0, classes, rows)


def _objective(sizes: tuple[int, ...], activation: str) -> Objective:
    x = LEAVES["input"]("x", ("rows", sizes[0]))
    t = LEAVES["target"]("t", ("rows",), dtype=int)
    layers = [Dense(size, activation) for size in sizes[1:-1]]
    scores = sequential([*layers, Dense(sizes[-1])], x)
    return Objective(FUNCTIONS["softmax_cross_entropy"](scores, t))


def _batches(
    sizes: tuple[int, ...], rows: int, batch: int, steps: int, activation: str
) -> Callable[[], Task]:
    def make() -> Task:
        J = _objective(sizes, activation)
        X, y = _numbers(rows, sizes[0], sizes[-1])
        theta = J.initial(random_state=0).astype(np.float32)
        trainer = Trainer(J, X, y, theta0=theta, update=SGD(0.01), batch_size=batch)
        return lambda: float(len(trainer.run(steps)))

    return make


def _gradient(rows: int, sizes: tuple[int, ...], dtype: str) -> Callable[[], Task]:
    def make() -> Task:
        J = _objective(sizes, "sigmoid")
        X, y = _numbers(rows, sizes[0], sizes[-1])
        X, theta = X.astype(dtype), J.initial(random_state=0).astype(dtype)

        def task() -> float:
            J(theta, X, y)
            return 1.0

        return task

    return make


def _fit() -> Task:
    X, y = _numbers(100, 20, 2)
    model = MLPClassifier((50,), max_iter=100, tol=0.0, n_iter_no_change=1000, random_state=0)

    def task() -> float:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(X, y)
        return 1.0

    return task


def _predict(rows: int) -> Callable[[], Task]:
    def make() -> Task:
        X, y = _numbers(max(rows, 500), 784, 10)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model = MLPClassifier((20,), max_iter=1, random_state=0).fit(X[:500], y[:500])
        part = X[:rows]

        def task() -> float:
            model.predict(part)
            return 1.0

        return task

    return make


TASKS: dict[str, Callable[[], Task]] = {
    "a mini-batch of 256, 784-20-10, relu, float32": _batches(
        (784, 20, 10), 20_000, 256, 50, "relu"
    ),
    "a mini-batch of 256, 784-512-512-10, relu, float32": _batches(
        (784, 512, 512, 10), 5_000, 256, 5, "relu"
    ),
    "a mini-batch of 10, 2-4-2-2, tanh, float32": _batches((2, 4, 2, 2), 250, 10, 20_000, "tanh"),
    "loss + gradient, 10000×784, 784-20-10, float32": _gradient(10_000, (784, 20, 10), "float32"),
    "loss + gradient, 1400×64, 64-20-10, float64": _gradient(1_400, (64, 20, 10), "float64"),
    "a fit, 100×20, 50 hidden, 100 epochs of adam": _fit,
    "predict 1 row, 784-20-10": _predict(1),
    "predict 10000 rows, 784-20-10": _predict(10_000),
}
"""What is timed, by the name that is printed."""
