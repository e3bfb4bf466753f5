"""Every target predicts: one way to ask each of them."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_digits

TARGETS = ("numpy", "onnx", "torch")


def run_numpy(taken, *inputs):
    from chainrule.exchange.numpy_export import script

    space = {"__name__": "exported"}
    exec(compile(script(taken), "exported.py", "exec"), space)
    found = {"scores": space["scores"](*inputs), "label": space["predict"](*inputs)}
    answer = space.get("predict_proba", space["predict"])(*inputs)
    return found | {"output": answer}


def run_onnx(taken, *inputs):
    onnxruntime = pytest.importorskip("onnxruntime", reason="the extra [onnx]")
    from chainrule.exchange.onnx_export import onnx_model

    session = onnxruntime.InferenceSession(onnx_model(taken).SerializeToString())
    names = [one.name for one in session.get_inputs()]
    kinds = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(int64)": np.int64}
    given = {
        one.name: np.asarray(value, kinds[one.type])
        for one, value in zip(session.get_inputs(), inputs, strict=True)
    }
    assert names == [str(node.name) for node in taken.inputs]
    answers = [one.name for one in session.get_outputs()]
    found = dict(zip(answers, session.run(None, given), strict=True))
    return found | {"output": found.get("probabilities", found.get("prediction"))}


def run_torch(taken, *inputs):
    torch = pytest.importorskip("torch", reason="the extra [torch]")
    from chainrule.exchange.torch_export import TorchNetwork

    given = [
        torch.tensor(np.asarray(value, np.int64 if node.integer else taken.dtype))
        for node, value in zip(taken.inputs, inputs, strict=True)
    ]
    with torch.no_grad():
        scores = TorchNetwork(taken, "scores")(*given).numpy()
        return {"scores": scores, "output": TorchNetwork(taken, "prediction")(*given).numpy()}


RUN = {"numpy": run_numpy, "onnx": run_onnx, "torch": run_torch}


@pytest.fixture(params=TARGETS)
def run(request):
    """``run(taken, *inputs)``: what the target says, as arrays by name."""
    return RUN[request.param]


@pytest.fixture(scope="session")
def digits():
    X, y = load_digits(return_X_y=True)
    return X[:200] / 16, y[:200]


@pytest.fixture(scope="session")
def values():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 4))
    return X, np.abs(np.stack([np.sin(X[:, 0]), X[:, 1] * X[:, 2]], axis=1))


@pytest.fixture(autouse=True)
def converged_or_not():
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Stochastic Optimizer")
        warnings.filterwarnings("ignore", ".*failed to converge")
        yield
