"""Every estimator with every activation says the same in every format."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import numpy as np
import pytest

import chainrule as cr
from chainrule import exchange
from chainrule.errors import MissingPackageError, OptionError, WrongTypeError
from chainrule.estimators import (
    MLPClassifier,
    MLPRegressor,
    OneVsAllClassifier,
    SoftmaxClassifier,
)
from chainrule.exchange.numpy_export import script
from chainrule.exchange.portable import portable
from chainrule.networks import ACTIVATIONS

LETTERS = np.array(list("abcdefghij"))


def own_layers(x):
    h = cr.Dense(6, "relu")(x, 1)
    return cr.LayerNorm()(h + cr.sigmoid(h) * 0.5, 1)


def fits(digits, values):
    (X, y), (V, t) = digits, values
    quick = {"max_iter": 4, "random_state": 0}
    many = np.stack([y == 0, y > 4, X[:, 20] > 0.5], axis=1).astype(int)
    return {
        "ten classes": (MLPClassifier((9,), **quick), X, LETTERS[y]),
        "single": (MLPClassifier((9, 4), dtype="float32", **quick), X, y),
        "two classes": (MLPClassifier((9,), **quick), X, np.where(y > 4, "high", "low")),
        "objects": (MLPClassifier((9,), **quick), X, np.where(y > 4, "é", "").astype(object)),
        "true and false": (MLPClassifier((9,), **quick), X, y > 4),
        "one class": (MLPClassifier((3,), **quick), X, np.full(len(y), 7)),
        "labels": (MLPClassifier((9,), **quick), X, many),
        "dropout": (MLPClassifier((9,), dropout=0.5, **quick), X, y * 2.0),
        "layers": (
            MLPClassifier(
                layers=[cr.Dense(8, "gelu"), cr.LayerNorm(), cr.Dropout(0.2), cr.Dense(4, "selu")],
                **quick,
            ),
            X,
            y,
        ),
        "own layers": (MLPClassifier(layers=own_layers, **quick), X, y),
        "no hidden layer": (MLPClassifier((), **quick), X, y),
        "one value": (MLPRegressor(hidden_layer_sizes=(7,), **quick), V, t[:, 0]),
        "two values": (MLPRegressor("huber", (7,), **quick), V, t),
        "counts": (MLPRegressor("poisson", (7,), **quick), V, t[:, 0]),
        "one-vs-all": (OneVsAllClassifier(max_iter=4), X, LETTERS[y]),
        "one-vs-all of two": (OneVsAllClassifier(max_iter=4), X, y > 4),
        "softmax": (SoftmaxClassifier(max_iter=4, l1_ratio=0.5), X, y),
        "no intercept": (SoftmaxClassifier(max_iter=4, fit_intercept=False), X, y),
    }


NAMES = (
    "ten classes",
    "single",
    "two classes",
    "objects",
    "true and false",
    "one class",
    "labels",
    "dropout",
    "layers",
    "own layers",
    "no hidden layer",
    "one value",
    "two values",
    "counts",
    "one-vs-all",
    "one-vs-all of two",
    "softmax",
    "no intercept",
)


@pytest.fixture(scope="module")
def fitted(digits, values):
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {name: (model.fit(X, y), X) for name, (model, X, y) in fits(digits, values).items()}


def test_the_list_is_whole(fitted):
    assert set(fitted) == set(NAMES)


def assert_same(found, model, X, atol=1e-5):
    expected = model.predict_proba(X) if hasattr(model, "predict_proba") else model.predict(X)
    assert found["output"].shape == expected.shape
    np.testing.assert_allclose(found["output"], expected, rtol=1e-5, atol=atol)
    if "label" in found and hasattr(model, "predict_proba"):
        labels = model.predict(X)
        assert found["label"].shape == labels.shape
        assert found["label"].astype(labels.dtype).tolist() == labels.tolist()


@pytest.mark.parametrize("name", NAMES)
def test_an_estimator(run, fitted, name):
    model, X = fitted[name]
    own = model.parameters_["W1"].dtype
    X = X.astype(own)
    atol = 1e-9 if own == np.float64 and name != "layers" else 1e-5
    assert_same(run(portable(model), X), model, X, atol)
    assert_same(run(portable(model), X[:1]), model, X[:1], atol)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_in_the_other_precision(run, fitted, dtype):
    model, X = fitted["ten classes"]
    found = run(portable(model, dtype), X.astype(dtype))
    assert found["output"].dtype == np.dtype(dtype)
    assert_same(found, model, X)


@pytest.mark.parametrize("activation", ["logistic", *ACTIVATIONS])
def test_an_activation(run, digits, values, activation):
    (X, y), (V, t) = digits, values
    options = {"activation": activation, "max_iter": 3, "random_state": 0, "dtype": "float32"}
    classifier = MLPClassifier((7, 5), **options).fit(X, y)
    assert_same(run(portable(classifier), X.astype("f4")), classifier, X)
    regressor = MLPRegressor(hidden_layer_sizes=(7,), **options).fit(V, t)
    assert_same(run(portable(regressor), V.astype("f4")), regressor, V)


def test_probabilities_of_nothing_stay_zero(run, digits):
    """One against all, and the row belongs to none: the sum of the shares is 0."""
    X, y = digits
    model = OneVsAllClassifier(max_iter=2).fit(X, y)
    model.intercept_ = np.full(10, -2000.0)
    found = run(portable(model), X[:3])
    np.testing.assert_array_equal(found["output"], np.zeros((3, 10)))


# what each format is to its own users -------------------------------------------------


def test_the_numpy_file_needs_numpy_and_nothing_else(fitted, tmp_path):
    model, X = fitted["ten classes"]
    text = exchange.to_numpy(model, tmp_path / "model.py")
    assert (tmp_path / "model.py").read_text(encoding="utf-8") == text
    header = ",".join(f"c{i}" for i in range(64))
    np.savetxt(tmp_path / "rows.csv", X[:20], delimiter=",", header=header, comments="")
    program = (
        "import runpy, sys; sys.modules['chainrule'] = None; "
        "sys.argv = ['model.py', 'rows.csv']; runpy.run_path('model.py', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == model.predict(X[:20]).tolist()


def test_the_numpy_file_can_be_read(fitted):
    text = exchange.to_numpy(fitted["layers"][0])
    code = text[text.index("def scores") : text.index("def array")]
    for line in (
        '"""What the network computes for each row, (rows, 10)."""',
        "x = np.asarray(x, dtype=np.float64)",
        "gelu(",
        "layer_norm(",
        "return softmax(scores(x))",
        "return CLASSES[scores(x).argmax(axis=1)]",
    ):
        assert line in code
    assert "dropout" not in text
    assert max(map(len, text.splitlines())) <= 100


@pytest.mark.parametrize("column", ['"""\nimport os', "\\", "a\\x4", "\\N{", "ok", "é", "'" * 3])
def test_names_of_columns_are_text_and_nothing_else(fitted, column):
    model, X = fitted["one value"]
    text = script(dataclasses.replace(portable(model), columns=(column, *"bcd")))
    space = {"__name__": "exported"}
    exec(compile(text, "exported.py", "exec"), space)
    assert "os" not in space
    np.testing.assert_allclose(space["predict"](X), model.predict(X))


def test_onnx_says_what_it_is(fitted, tmp_path):
    onnx = pytest.importorskip("onnx", reason="the extra [onnx]")
    model = exchange.to_onnx(fitted["ten classes"][0], tmp_path / "model.onnx")
    assert onnx.load(tmp_path / "model.onnx") == model
    onnx.checker.check_model(model, full_check=True)
    assert [one.name for one in model.graph.input] == ["x"]
    assert [one.name for one in model.graph.output] == ["label", "probabilities"]
    assert {one.name for one in model.graph.initializer} >= {"W1", "b1", "W2", "b2"}
    assert model.producer_name == "chainrule"


def test_a_module_of_pytorch_can_be_trained_on(fitted, digits):
    torch = pytest.importorskip("torch", reason="the extra [torch]")
    model, X = fitted["dropout"]
    module = exchange.to_torch(model, output="scores", dtype="float32")
    assert not module.training
    x, y = torch.tensor(X, dtype=torch.float32), torch.tensor(digits[1])
    module.train()
    assert not torch.equal(module(x), module(x))  # dropout draws
    optimizer = torch.optim.Adam(module.parameters(), 0.01)
    losses = []
    for _ in range(30):
        loss = torch.nn.functional.cross_entropy(module(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 1.3
    again = exchange.to_torch(model, output="scores", dtype="float32")
    again.load_state_dict(module.state_dict())
    torch.testing.assert_close(again(x), module.eval()(x))


def test_gradients_in_pytorch_are_those_of_the_chain_rule(fitted, digits):
    torch = pytest.importorskip("torch", reason="the extra [torch]")
    model, X = fitted["ten classes"]
    module = exchange.to_torch(model, output="scores")
    labels = np.searchsorted(model.classes_, LETTERS[digits[1]])
    torch.nn.functional.cross_entropy(module(torch.tensor(X)), torch.tensor(labels)).backward()
    J, theta, X, y = model.set_params(alpha=0.0).as_objective(X, LETTERS[digits[1]])
    gradient = J.unpack(J(theta, X, y)[1])
    for name, parameter in module.named_parameters():
        np.testing.assert_allclose(parameter.grad.numpy(), gradient[name], rtol=1e-9, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ten classes", "two classes", "one value", "layers"])
def test_a_program_of_pytorch_runs_without_chainrule(fitted, tmp_path, name):
    pytest.importorskip("torch", reason="the extra [torch]")
    model, X = fitted[name]
    exchange.to_torch(model, tmp_path / "model.pt2")
    np.save(tmp_path / "X.npy", X)
    program = (
        "import sys; sys.modules['chainrule'] = None; import numpy as np, torch; "
        "module = torch.export.load('model.pt2').module(); x = torch.tensor(np.load('X.npy')); "
        "np.save('y.npy', module(x).detach().numpy()); assert len(module(x[:1])) == 1"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert_same({"output": np.load(tmp_path / "y.npy")}, model, X)


def test_mistakes(fitted):
    with pytest.raises(WrongTypeError, match="export: expected one of OneVsAllClassifier, "):
        exchange.to_numpy(object())
    with pytest.raises(Exception, match="not fitted"):
        exchange.to_numpy(MLPClassifier())
    pytest.importorskip("torch", reason="the extra [torch]")
    with pytest.raises(OptionError, match="output: expected 'prediction' or 'scores'"):
        exchange.to_torch(fitted["softmax"][0], output="logits")


@pytest.mark.parametrize(("package", "function"), [("onnx", "to_onnx"), ("torch", "to_torch")])
def test_a_missing_package_is_named(package, function):
    program = f"""
import sys
class Absent:
    def find_spec(self, name, *more):
        if name.partition(".")[0] == {package!r}:
            raise ModuleNotFoundError("not there", name=name)
sys.meta_path.insert(0, Absent())
import chainrule as cr
cr.to_numpy, cr.from_sklearn
cr.{function}
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 1
    assert f"pip install 'chainrule[{package}]'" in done.stderr
    assert MissingPackageError.__name__ in done.stderr
