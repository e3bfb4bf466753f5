"""One loss and gradient over all of MNIST, 784-20-10, sigmoid."""

from __future__ import annotations

import numpy as np

import chainrule as cr
from benchmarks import peers
from benchmarks.data import mnist_floats
from benchmarks.measure import Bar, Case, Contender, Run

SIZES = (784, 20, 10)


def sigmoid_network(columns: int, hidden: int, classes: int) -> cr.Objective:
    """The lecture's network and objective, λ = 1e-4 on the weights."""
    x = cr.input("x", ("rows", columns))
    t = cr.target("t", ("rows",), dtype=int)
    W1, b1 = cr.parameter("W1", (columns, hidden)), cr.parameter("b1", (hidden,))
    W2, b2 = cr.parameter("W2", (hidden, classes)), cr.parameter("b2", (classes,))
    scores = cr.sigmoid(x @ W1 + b1) @ W2 + b2
    penalty = cr.l2(W1, W2, strength=1e-4)
    return cr.Objective(cr.softmax_cross_entropy(scores, t), penalty=penalty)


def ours(dtype: str) -> Run:
    """The objective, called as SciPy calls it."""
    X, y = mnist_floats(dtype)
    J = sigmoid_network(*SIZES)
    theta = J.initial(random_state=0).astype(dtype)
    return lambda: J(theta, X, y) and None


def lecture(dtype: str) -> Run:
    """Plain NumPy as the lecture writes it."""
    X, y = mnist_floats(dtype)
    theta = sigmoid_network(*SIZES).initial(random_state=0).astype(dtype)
    return lambda: peers.lecture_objective(theta, X, y, *SIZES) and None


def _case(dtype: str) -> Case:
    return Case(
        f"full-batch loss + gradient, 60000×784, 784-20-10, sigmoid, {dtype}",
        "s",
        [
            Contender("chainrule", lambda: ours(dtype)),
            Contender("plain NumPy", lambda: lecture(dtype)),
            Contender(
                "PyTorch, 1 thread",
                lambda: peers.torch_full_batch(*mnist_floats(dtype), SIZES, threads=1),
                needs="torch",
            ),
            Contender(
                "PyTorch, 2 threads",
                lambda: peers.torch_full_batch(*mnist_floats(dtype), SIZES, threads=2),
                needs="torch",
            ),
            Contender("JAX jit", lambda: peers.jax_full_batch(*mnist_floats(dtype), SIZES), "jax"),
        ],
        [Bar(6, ["PyTorch, 1 thread", "PyTorch, 2 threads"]), Bar(3, ["JAX jit"])],
    )


CASES = [_case(np.dtype(one).name) for one in (np.float32, np.float64)]
