"""One epoch of mini-batches: MNIST 784-20-10 and a wide network."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
from sklearn.neural_network import MLPClassifier as Peer

import chainrule as cr
from benchmarks import peers
from benchmarks.data import dense_rows, mnist, mnist_floats
from benchmarks.measure import Bar, Case, Contender, Limit, Run
from chainrule.training import SGD, Trainer

SKINNY = (784, 20, 10)
WIDE = (784, 512, 512, 10)


def products(sizes: tuple[int, ...], rows: int = 60000) -> float:
    """Flops of one epoch's products: forward, weight gradients, gradients of hidden layers."""
    pairs = list(itertools.pairwise(sizes))
    forward = sum(a * b for a, b in pairs)
    return 2.0 * rows * (2 * forward + sum(a * b for a, b in pairs[1:]))


def estimator_epoch(kind: type, solver: str, X: np.ndarray, y: np.ndarray, hidden: tuple) -> Run:
    """One pass of ``partial_fit``: what scikit-learn's interface calls an epoch."""
    options = {"momentum": 0.0, "learning_rate_init": 0.1} if solver == "sgd" else {}
    model = kind(hidden, solver=solver, batch_size=256, random_state=0, **options)
    classes = np.unique(y)
    return lambda: model.partial_fit(X, y, classes=classes) and None


def raw_bytes_epoch() -> Run:
    """The same epoch from uint8 rows, scaled inside the network."""
    X, y = mnist()
    scaled = [cr.Dense(20, "relu"), cr.Dense(10)]
    x = cr.input("x", ("rows", 784))
    t = cr.target("t", ("rows",), dtype=int)
    scores = cr.sequential(scaled, cr.scale(x, factor=1 / 255))
    J = cr.Objective(cr.softmax_cross_entropy(scores, t))
    return trainer_epoch(J, X, y)


def float_epoch() -> Run:
    """The same network on rows that are float32 already, through the same trainer."""
    X, y = mnist_floats("float32")
    x = cr.input("x", ("rows", 784))
    t = cr.target("t", ("rows",), dtype=int)
    scores = cr.sequential([cr.Dense(20, "relu"), cr.Dense(10)], x)
    return trainer_epoch(cr.Objective(cr.softmax_cross_entropy(scores, t)), X, y)


def trainer_epoch(J: cr.Objective, X: np.ndarray, y: np.ndarray) -> Run:
    """One epoch of plain SGD in float32 through the trainer."""
    theta = J.initial(random_state=0).astype(np.float32)
    trainer = Trainer(J, X, y, theta0=theta, update=SGD(0.1), batch_size=256, max_epochs=1000)

    def run() -> None:
        trainer.run_epoch()

    return run


def _contenders(
    solver: str,
    sizes: tuple[int, ...],
    rows: Callable[[], tuple[np.ndarray, np.ndarray]] = lambda: mnist_floats("float32"),
) -> list[Contender]:
    hidden, adam = sizes[1:-1], solver == "adam"

    def ours() -> Run:
        return estimator_epoch(cr.MLPClassifier, solver, *rows(), hidden)

    def theirs() -> Run:
        return estimator_epoch(Peer, solver, *rows(), hidden)

    def torch(threads: int) -> Run:
        return peers.torch_epoch(*rows(), sizes, adam=adam, threads=threads)

    return [
        Contender("chainrule", ours),
        Contender("scikit-learn", theirs),
        Contender("PyTorch, 1 thread", lambda: torch(1), needs="torch"),
        Contender("PyTorch, 2 threads", lambda: torch(2), needs="torch"),
    ]


TORCH = ("PyTorch, 1 thread", "PyTorch, 2 threads")

CASES = [
    Case(
        "MNIST epoch 784-20-10, batch 256, SGD, ReLU, float32",
        "s",
        [
            *_contenders("sgd", SKINNY),
            Contender(
                "JAX, lax.scan", lambda: peers.jax_epoch(*mnist_floats("float32"), SKINNY), "jax"
            ),
        ],
        [
            Bar(6, ["scikit-learn"]),
            Bar(5.5, TORCH),
            Bar(3, ["JAX, lax.scan"]),
            Limit(0.5, products(SKINNY)),
        ],
    ),
    Case(
        "the same with Adam",
        "s",
        _contenders("adam", SKINNY),
        [Bar(6, ["scikit-learn"]), Bar(6.5, TORCH)],
    ),
    Case(
        "the same network from uint8 rows",
        "s",
        [Contender("uint8 rows", raw_bytes_epoch), Contender("float32 rows", float_epoch)],
        [Bar(1.0, ["float32 rows"], ours="uint8 rows")],
        rounds=15,
    ),
    Case(
        "the shape of MNIST epoch 784-20-10, SGD, rows without zeros, float32",
        "s",
        _contenders("sgd", SKINNY, dense_rows),
        [],
    ),
    Case(
        "MNIST epoch 784-512-512-10, batch 256, SGD, ReLU, float32",
        "s",
        _contenders("sgd", WIDE),
        [Bar(1, TORCH), Limit(0.75, products(WIDE))],
        rounds=3,
    ),
]
