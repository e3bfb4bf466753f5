"""Model files of version 1 stay readable: these were written by chainrule 0.1.0, once."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.estimators import load
from chainrule.files import read_model

MODELS = (
    "perceptron",
    "own-layers",
    "early",
    "many-labels",
    "values",
    "two-values",
    "one-vs-all",
    "softmax",
)


@pytest.fixture(scope="module")
def folder(project_root):
    return project_root / "tests" / "files" / "version1"


@pytest.fixture(scope="module")
def expected(folder):
    with np.load(folder / "expected.npz", allow_pickle=False) as file:
        return dict(file)


@pytest.mark.parametrize("name", MODELS)
def test_estimators_predict_what_they_predicted(folder, expected, name):
    model = load(folder / f"{name}.safetensors")
    predicted = model.predict(expected["X"])
    if expected[name].dtype.kind == "f":
        # other machines may round the last bits otherwise
        np.testing.assert_allclose(predicted, expected[name], rtol=1e-5, atol=1e-7)
    else:
        np.testing.assert_array_equal(predicted.astype(expected[name].dtype), expected[name])
    if hasattr(model, "predict_proba"):
        found = model.predict_proba(expected["X"])
        np.testing.assert_allclose(found, expected[f"{name} p"], rtol=1e-5, atol=1e-7)
    assert len(model.history_) == len(model.loss_curve_) > 0


def test_the_file_of_plain_arrays(folder):
    arrays, header = read_model(folder / "plain.safetensors")
    np.testing.assert_array_equal(arrays["W1"], np.arange(12.0).reshape(3, 4))
    assert arrays["n"] == 7
    assert arrays["n"].dtype == np.uint8
    assert header == {"network": {"σ": None}, "history": [0.5, 1e-300]}


def test_every_fixture_is_read(folder):
    files = {path.stem for path in folder.glob("*.safetensors")}
    assert files == {*MODELS, "plain"}
