"""Micro-benchmarks of ours alone, for regressions: ``pytest benchmarks/micro``.

CI runs each once (``--benchmark-disable``), so that they cannot rot; their figures are for
comparing two commits on one quiet machine (``--benchmark-autosave``, ``--benchmark-compare``).
"""

import numpy as np
import pytest
from benchmarks.cases.full_batch import sigmoid_network
from benchmarks.cases.tiny import playground_network
from benchmarks.data import blobs, digits

import chainrule as cr
from chainrule.ops import REGISTRY
from chainrule.training import Adam, Trainer


@pytest.mark.parametrize("name", ["sigmoid", "relu", "gelu", "softmax", "softmax_cross_entropy"])
def test_operation_forward_and_backward(benchmark, name):
    rng = np.random.default_rng(0)
    op, inputs = REGISTRY[name].sample(rng, 256, 100)

    def both():
        y = op.forward(*inputs)
        return op.backward(np.ones_like(y), *inputs, y)

    benchmark(both)


@pytest.mark.parametrize("compiled", [True, False], ids=["engine", "numpy"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_loss_and_gradient_on_digits(benchmark, compiled, dtype):
    X, y = digits(dtype)
    network = sigmoid_network(64, 20, 10)
    J = cr.Objective(network.row_loss, network.penalty, compiled=compiled)
    theta = J.initial(random_state=0).astype(dtype)
    loss, _ = benchmark(J, theta, X, y)
    assert np.isfinite(loss)


def test_trace_of_digits_forward_and_backward(benchmark):
    X, y = digits()
    J = sigmoid_network(64, 20, 10)
    theta = J.initial(random_state=0)
    benchmark(lambda: J.trace(theta, X, y).backward())


@pytest.mark.parametrize("make", [playground_network], ids=["2-4-2-1"])
def test_thousand_steps_of_a_tiny_network(benchmark, make):
    X, y = blobs(250, 2)
    J = make()
    trainer = Trainer(
        J,
        X,
        (2.0 * y - 1)[:, None],
        theta0=J.initial(random_state=0),
        update=Adam(),
        batch_size=10,
        max_epochs=10**9,
        n_iter_no_change=None,
        n_threads=1,
    )
    losses = benchmark(trainer.run, 1000)
    assert np.all(np.isfinite(losses))


@pytest.mark.parametrize("rows", [1, 1000])
def test_predict(benchmark, rows):
    X, y = digits()
    model = cr.MLPClassifier((20,), solver="lbfgs", max_iter=5, max_fun=10, tol=1e9, random_state=0)
    model.fit(X, y)
    assert len(benchmark(model.predict, X[:rows])) == rows
