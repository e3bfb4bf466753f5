"""Values and gradients against PyTorch, where it is installed."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.ops import REGISTRY

torch = pytest.importorskip("torch")
F = torch.nn.functional


def cross_entropy(s, t, label_smoothing):
    return F.cross_entropy(s, t, reduction="none", label_smoothing=label_smoothing)


def quantile(s, t, q):
    return torch.maximum(q * (t - s), (q - 1) * (t - s)).sum(dim=1)


SAME = {
    "absolute_error": lambda s, t: F.l1_loss(s, t, reduction="none").sum(dim=1),
    "binary_cross_entropy_with_logits": lambda s, t: F.binary_cross_entropy_with_logits(
        s, t, reduction="none"
    ).sum(dim=1),
    "concatenate": lambda *xs, axis: torch.cat(xs, dim=axis),
    "divide": torch.divide,
    "elu": lambda x, alpha: F.elu(x, alpha),
    "gelu": lambda x, approximate: F.gelu(x, approximate="tanh" if approximate else "none"),
    "huber": lambda s, t, delta: F.huber_loss(s, t, delta=delta, reduction="none").sum(dim=1),
    "l1": lambda W, strength: strength * torch.linalg.vector_norm(W, 1),
    "l2": lambda W, strength: strength / 2 * torch.linalg.vector_norm(W) ** 2,
    "layer_norm": lambda x, g, b, epsilon: F.layer_norm(x, x.shape[-1:], g, b, epsilon),
    "leaky_relu": lambda x, slope: F.leaky_relu(x, slope),
    "log_softmax": lambda x: F.log_softmax(x, dim=-1),
    "matmul": torch.matmul,
    "maximum": torch.maximum,
    "mish": F.mish,
    "multiply": torch.multiply,
    "poisson": lambda s, t: F.poisson_nll_loss(s, t, reduction="none").sum(dim=1),
    "power": lambda x, exponent: x**exponent,
    "quantile": quantile,
    "relu": F.relu,
    "selu": F.selu,
    "sigmoid": torch.sigmoid,
    "silu": F.silu,
    "softmax": lambda x: F.softmax(x, dim=-1),
    "softmax_cross_entropy": cross_entropy,
    "softplus": F.softplus,
    "squared_error": lambda s, t: F.mse_loss(s, t, reduction="none").sum(dim=1) / 2,
    "subtract": torch.subtract,
    "take": lambda table, indices: F.embedding(indices, table),
    "tanh": torch.tanh,
    "weighted_mean": lambda x, w: (x * w).sum() / w.sum(),
}


@pytest.mark.parametrize("name", SAME)
def test_same_value_and_gradients_as_pytorch(name):
    for seed in range(25):
        rng = np.random.default_rng(seed)
        op, inputs = REGISTRY[name].sample(rng, int(rng.integers(1, 6)), int(rng.integers(1, 5)))
        y = np.asarray(op.forward(*inputs))
        dy = rng.normal(size=y.shape)
        gradients = op.backward(dy, *inputs, y)

        tensors = [torch.tensor(np.asarray(x)) for x in inputs]
        for tensor, gradient in zip(tensors, gradients, strict=True):
            tensor.requires_grad_(gradient is not None)
        output = SAME[name](*tensors, **op.options)
        output.backward(torch.tensor(dy))

        np.testing.assert_allclose(y, output.detach().numpy(), rtol=1e-12, atol=1e-13)
        for tensor, gradient in zip(tensors, gradients, strict=True):
            if gradient is not None:
                theirs = torch.zeros_like(tensor) if tensor.grad is None else tensor.grad
                np.testing.assert_allclose(gradient, theirs.numpy(), rtol=1e-11, atol=1e-13)
