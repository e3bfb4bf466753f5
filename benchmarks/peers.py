"""The same work in the peers' own idiom: PyTorch, JAX, plain NumPy as the lecture writes it.

scikit-learn needs no code here: it shares the estimators' interface.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np

from benchmarks.measure import Run

# Arrays enter as arguments; each function returns a run to be timed.


def torch_epoch(
    X: np.ndarray,
    y: np.ndarray,
    sizes: Sequence[int],
    *,
    batch: int = 256,
    adam: bool = False,
    threads: int = 1,
) -> Run:
    """PyTorch eager, hand-made batches: the fastest of its usual ways for small networks."""
    import torch

    torch.manual_seed(0)
    data, labels = torch.from_numpy(X), torch.from_numpy(y)
    layers: list[torch.nn.Module] = []
    for i, (a, b) in enumerate(itertools.pairwise(sizes)):
        layers += [torch.nn.Linear(a, b)] + [torch.nn.ReLU()] * (i < len(sizes) - 2)
    model = torch.nn.Sequential(*layers).to(data.dtype)
    rule = torch.optim.Adam if adam else torch.optim.SGD
    optimizer = rule(model.parameters(), lr=0.001 if adam else 0.1)

    def run() -> None:
        torch.set_num_threads(threads)
        order = torch.randperm(len(data))
        for start in range(0, len(data), batch):
            rows = order[start : start + batch]
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(data[rows]), labels[rows])
            loss.backward()
            optimizer.step()

    return run


def torch_full_batch(
    X: np.ndarray, y: np.ndarray, sizes: Sequence[int], *, threads: int = 2
) -> Run:
    """PyTorch: one loss and gradient over all rows, sigmoid hidden layers."""
    import torch

    data, labels = torch.from_numpy(X), torch.from_numpy(y)
    layers: list[torch.nn.Module] = []
    for i, (a, b) in enumerate(itertools.pairwise(sizes)):
        layers += [torch.nn.Linear(a, b)] + [torch.nn.Sigmoid()] * (i < len(sizes) - 2)
    model = torch.nn.Sequential(*layers).to(data.dtype)

    def run() -> None:
        torch.set_num_threads(threads)
        model.zero_grad()
        torch.nn.functional.cross_entropy(model(data), labels).backward()

    return run


def _jax_network(sizes: Sequence[int], dtype: type, activation: Callable, seed: int = 0):
    import jax
    import jax.numpy as jnp

    rng = np.random.default_rng(seed)
    pairs = list(itertools.pairwise(sizes))
    parameters = [
        (jnp.asarray(0.05 * rng.standard_normal(pair), dtype), jnp.zeros(pair[1], dtype))
        for pair in pairs
    ]

    def loss(parameters, x, t):
        for W, b in parameters[:-1]:
            x = activation(x @ W + b)
        W, b = parameters[-1]
        scores = jax.nn.log_softmax(x @ W + b)
        return -jnp.take_along_axis(scores, t[:, None], axis=1).mean()

    return parameters, loss


def jax_epoch(X: np.ndarray, y: np.ndarray, sizes: Sequence[int], *, batch: int = 256) -> Run:
    """JAX: the whole epoch compiled as one lax.scan over shuffled batches, plain SGD."""
    import jax

    parameters, loss = _jax_network(sizes, X.dtype.type, jax.nn.relu)
    data, labels = jax.device_put(X), jax.device_put(y)
    batches = len(X) // batch

    @jax.jit
    def epoch(parameters, key):
        order = jax.random.permutation(key, len(X))[: batches * batch].reshape(batches, batch)

        def step(parameters, rows):
            value, slopes = jax.value_and_grad(loss)(parameters, data[rows], labels[rows])
            return jax.tree.map(lambda p, g: p - 0.1 * g, parameters, slopes), value

        return jax.lax.scan(step, parameters, order)

    def run() -> None:
        nonlocal parameters
        parameters, _ = jax.block_until_ready(epoch(parameters, jax.random.key(0)))

    return run


def jax_full_batch(X: np.ndarray, y: np.ndarray, sizes: Sequence[int]) -> Run:
    """JAX jit: one loss and gradient over all rows, sigmoid hidden layers."""
    import jax

    jax.config.update("jax_enable_x64", True)
    parameters, loss = _jax_network(sizes, X.dtype.type, jax.nn.sigmoid)
    data, labels = jax.device_put(X), jax.device_put(y)
    both = jax.jit(jax.value_and_grad(loss))
    return lambda: jax.block_until_ready(both(parameters, data, labels)) and None


def lecture_objective(theta, X, y, F: int, H: int, C: int, strength: float = 1e-4):
    """The lecture's own J for F-H-C with sigmoid: unpack, forward, backward, pack."""
    cut = np.cumsum([F * H, H, H * C])
    W1, b1 = theta[: cut[0]].reshape(F, H), theta[cut[0] : cut[1]]
    W2, b2 = theta[cut[1] : cut[2]].reshape(H, C), theta[cut[2] :]
    h = 1 / (1 + np.exp(-(X @ W1 + b1)))
    scores = h @ W2 + b2
    scores -= scores.max(axis=1, keepdims=True)
    p = np.exp(scores)
    p /= p.sum(axis=1, keepdims=True)
    rows = np.arange(len(X))
    loss = -np.log(p[rows, y]).mean() + strength / 2 * ((W1**2).sum() + (W2**2).sum())
    p[rows, y] -= 1
    dscores = p / len(X)
    dh = dscores @ W2.T * h * (1 - h)
    dW2 = h.T @ dscores + strength * W2
    dW1 = X.T @ dh + strength * W1
    packed = np.concatenate((dW1.ravel(), dh.sum(axis=0), dW2.ravel(), dscores.sum(axis=0)))
    return loss, packed
