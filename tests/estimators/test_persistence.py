"""Model files: the same predictions to the bit, nothing that runs, damage refused."""

import json

import numpy as np
import pytest
from safetensors.numpy import load_file
from sklearn.base import clone

import chainrule as cr
from chainrule.errors import FileFormatError, WrongTypeError
from chainrule.estimators import (
    MLPClassifier,
    MLPRegressor,
    OneVsAllClassifier,
    SoftmaxClassifier,
    load,
    save,
)
from chainrule.files import read_model, write_model
from chainrule.training import Adam, Cosine

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

MODELS = {
    "perceptron": MLPClassifier((9,), max_iter=3, random_state=0),
    "single": MLPClassifier(
        np.array([9, 4]), max_iter=3, dtype="float32", activation=["tanh", "elu"]
    ),
    "own layers": MLPClassifier(
        layers=[cr.Dense(8, "gelu", init=cr.normal(0.1)), cr.LayerNorm(), cr.Dropout(0.2)],
        solver=Adam(0.01),
        learning_rate=Cosine(),
        class_weight={0: 2.0},
        max_iter=3,
    ),
    "early": MLPClassifier((9,), max_iter=4, early_stopping=True, n_iter_no_change=np.inf),
    "values": MLPRegressor("poisson", (9,), max_iter=3),
    "one-vs-all": OneVsAllClassifier(max_iter=3),
    "softmax": SoftmaxClassifier(max_iter=3, l1_ratio=0.5),
}


@pytest.fixture(params=MODELS)
def fitted(request, digits):
    return MODELS[request.param].fit(*digits)


def outputs(model, X):
    return model.predict_proba(X) if hasattr(model, "predict_proba") else model.predict(X)


def test_loaded_models_predict_to_the_bit(fitted, digits, tmp_path):
    X, y = digits
    path = tmp_path / "model.safetensors"
    save(fitted, path)
    again = load(path)
    assert type(again) is type(fitted)
    np.testing.assert_array_equal(outputs(again, X), outputs(fitted, X))
    np.testing.assert_array_equal(again.predict(X), fitted.predict(X))
    assert again.summary() == fitted.summary()
    assert repr(again) == repr(fitted)
    assert again.history_ == fitted.history_
    for name in ("classes_", "n_iter_", "loss_", "loss_curve_", "validation_scores_", "t_"):
        if hasattr(fitted, name):
            np.testing.assert_array_equal(getattr(again, name), getattr(fitted, name))
    assert again.score(X, y) == fitted.score(X, y)
    again.fit(X, y)


def test_saving_what_was_loaded_writes_the_same(fitted, tmp_path):
    save(fitted, tmp_path / "one")
    save(load(tmp_path / "one"), tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_parameters_are_there_for_other_programs(digits, tmp_path):
    model = MLPClassifier((9,), max_iter=3).fit(*digits)
    save(model, tmp_path / "model.safetensors")
    arrays = load_file(tmp_path / "model.safetensors")
    vectors = {name: arrays.pop(name).shape for name in list(arrays) if name.startswith("memory ")}
    assert vectors == {"memory mean": (685,), "memory square": (685,)}
    assert {name: array.shape for name, array in arrays.items()} == {
        "W1": (64, 9),
        "b1": (9,),
        "W2": (9, 10),
        "b2": (10,),
    }
    np.testing.assert_array_equal(arrays["W1"], model.coefs_[0])


@pytest.mark.parametrize(
    "labels",
    [
        np.array(list("abcdefghij")),
        np.array(list("abcdefghij"), dtype=object),
        np.array(["zero", "eins", "zwei", "trois", "четыре", "五", "6", "", " 8", "\n"]),
        np.arange(10) * 2.0,
        np.arange(10).astype(np.uint8),
    ],
    ids=["text", "objects", "any text", "floats", "bytes"],
)
def test_classes_keep_their_type(digits, labels, tmp_path):
    X, y = digits
    model = SoftmaxClassifier(max_iter=3).fit(X, labels[y])
    save(model, tmp_path / "model")
    again = load(tmp_path / "model")
    assert again.classes_.dtype == model.classes_.dtype
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


def test_columns_are_known_by_name_after_loading(digits, tmp_path):
    pandas = pytest.importorskip("pandas")
    X, y = digits
    frame = pandas.DataFrame(X[:, :3], columns=["a", "b", "c"])
    save(SoftmaxClassifier(max_iter=3).fit(frame, y), tmp_path / "model")
    with pytest.raises(ValueError, match="feature names"):
        load(tmp_path / "model").predict(frame[["b", "a", "c"]])


def test_table_of_labels(digits, tmp_path):
    X, y = digits
    model = MLPClassifier((5,), max_iter=3).fit(X, np.c_[y < 5, y % 2].astype(int))
    save(model, tmp_path / "model")
    np.testing.assert_array_equal(load(tmp_path / "model").predict(X), model.predict(X))


def test_edited_weights_are_saved(digits, tmp_path):
    X, y = digits
    model = MLPClassifier((5,), max_iter=3).fit(X, y)
    model.coefs_ = [2 * W for W in model.coefs_]
    save(model, tmp_path / "model")
    np.testing.assert_array_equal(load(tmp_path / "model").predict_proba(X), model.predict_proba(X))


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("callbacks", [print]),
        ("scoring", lambda model, X, y: 0.0),
        ("activation", cr.relu),
        ("random_state", np.random.RandomState(0)),
    ],
)
def test_what_is_not_plain_data_is_refused(digits, tmp_path, option, value):
    model = MLPClassifier((5,), max_iter=3).fit(*digits).set_params(**{option: value})
    with pytest.raises(WrongTypeError, match=f"option '{option}'.*plain data.*set_params"):
        save(model, tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_only_fitted_estimators_of_ours_are_saved(tmp_path):
    with pytest.raises(ValueError, match="not fitted"):
        save(MLPClassifier(), tmp_path / "model")
    with pytest.raises(WrongTypeError, match="expected one of MLPClassifier.*came dict"):
        save({}, tmp_path / "model")  # type: ignore[arg-type]


def test_every_damaged_byte_is_noticed(digits, tmp_path):
    X, y = digits
    path = tmp_path / "model"
    save(SoftmaxClassifier(max_iter=3).fit(X[:, 20:24], y), path)
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for position in rng.choice(len(whole), 150, replace=False):
        damaged = bytearray(whole)
        damaged[position] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        with pytest.raises(FileFormatError):
            load(path)
    for length in rng.choice(len(whole), 50, replace=False):
        path.write_bytes(whole[:length])
        with pytest.raises(FileFormatError):
            load(path)


def changed(header, *keys, to):
    """The header with one entry changed."""
    header = json.loads(json.dumps(header))
    inner = header
    for key in keys[:-1]:
        inner = inner[key]
    if to is None:
        del inner[keys[-1]]
    else:
        inner[keys[-1]] = to
    return header


@pytest.mark.parametrize(
    ("keys", "to"),
    [
        (["estimator"], "os.system"),
        (["estimator"], None),
        (["estimator_format"], 3),
        (["params", "alpha"], -1),
        (["params", "alpha"], {"exec": "rm"}),
        (["params", "alpha"], {"layer Dense": {"units": -3}}),
        (["params", "gamma"], 1),
        (["params"], 3),
        (["attributes", "__class__"], "x"),
        (["attributes", "predict"], "x"),
        (["attributes", "n_features_in_"], 63),
        (["attributes"], None),
        (["classes"], None),
        (["classes", "values", "values"], ["a", "b"]),
        (["classes", "values", "dtype"], "V8"),
        (["classes", "kind"], "unknown"),
        (["network"], None),
        (["network", "outputs"], [0]),
        (["network", "outputs"], [0, 1, 99]),
        (["network", "nodes"], []),
        (["history", "loss"], None),
        (["history"], 5),
    ],
    ids=str,
)
def test_headers_made_by_others_are_refused(digits, tmp_path, keys, to):
    path = tmp_path / "model"
    save(MLPClassifier((5,), max_iter=3).fit(*digits), path)
    arrays, header = read_model(path)
    write_model(path, arrays, changed(header, *keys, to=to))
    with pytest.raises(FileFormatError, match="expected an estimator"):
        load(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda arrays: arrays.pop("b2"),
        lambda arrays: arrays.update(W9=np.zeros(3)),
        lambda arrays: arrays.update(W1=np.zeros((3, 3))),
        lambda arrays: arrays.update(b1=np.zeros(5, np.float32)),
        lambda arrays: arrays.update({name: value.astype(int) for name, value in arrays.items()}),
        lambda arrays: arrays.clear(),
    ],
    ids=["missing", "stranger", "shape", "two precisions", "integers", "none"],
)
def test_arrays_that_do_not_fit_are_refused(digits, tmp_path, change):
    path = tmp_path / "model"
    save(MLPClassifier((5,), max_iter=3).fit(*digits), path)
    arrays, header = read_model(path)
    change(arrays)
    write_model(path, arrays, header)
    with pytest.raises(FileFormatError, match="expected an estimator"):
        load(path)


GOES_ON = {
    "adam": MLPClassifier((9,), alpha=2.0),
    "sgd": MLPClassifier((9,), solver="sgd", learning_rate="invscaling", learning_rate_init=0.1),
    "rmsprop": MLPClassifier((9,), solver="rmsprop", dtype="float32", dropout=0.2),
    "adamw": MLPRegressor("huber", (9,), solver="adamw", learning_rate="cosine"),
    "adaptive": MLPRegressor(hidden_layer_sizes=(9,), solver="sgd", learning_rate="adaptive"),
    "plain sgd": SoftmaxClassifier(solver="sgd", momentum=0.0),
    "one-vs-all": OneVsAllClassifier(solver="nesterov"),
}


def assert_same_bits(one, two):
    for name, value in one.parameters_.items():
        np.testing.assert_array_equal(value, two.parameters_[name])
    for name in ("t_", "loss_curve_", "n_iter_", "best_loss_", "validation_scores_"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


@pytest.mark.parametrize("name", GOES_ON)
def test_partial_fit_goes_on_to_the_same_bits(name, digits, tmp_path):
    X, y = digits
    model = clone(GOES_ON[name]).set_params(random_state=3, batch_size=40)
    classes = {} if isinstance(model, MLPRegressor) else {"classes": range(10)}
    for _ in range(3):
        model.partial_fit(X, y, **classes)
    save(model, tmp_path / "model")
    again = load(tmp_path / "model")
    for _ in range(2):
        assert_same_bits(again.partial_fit(X, y), model.partial_fit(X, y))
    # without memory the rule starts afresh
    save(model, tmp_path / "bare", memory=False)
    assert set(load_file(tmp_path / "bare")) == set(model.parameters_)
    bare = load(tmp_path / "bare")
    np.testing.assert_array_equal(bare.predict(X), model.predict(X))
    bare.partial_fit(X, y)
    if name != "plain sgd":
        first = next(iter(model.parameters_))
        assert np.any(bare.parameters_[first] != model.partial_fit(X, y).parameters_[first])


@pytest.mark.parametrize("early_stopping", [True, False])
def test_warm_start_goes_on_to_the_same_bits(early_stopping, digits, tmp_path):
    X, y = digits
    model = MLPClassifier(
        (9,), max_iter=6, warm_start=True, early_stopping=early_stopping, random_state=3, tol=0.05
    ).fit(X, y)
    save(model, tmp_path / "model")
    again = load(tmp_path / "model")
    for _ in range(3):
        assert_same_bits(again.fit(X, y), model.fit(X, y))
        assert again.history_["loss"] == model.history_["loss"]


@pytest.mark.parametrize(
    ("keys", "to"),
    [
        (["memory"], None),
        (["memory"], {"dict": []}),
        (["memory", "dict", 0, 1], "gd"),
        (["memory", "dict", 0, 1], "sgd"),
        (["memory", "dict", 1, 1], None),
    ],
    ids=str,
)
def test_memories_made_by_others_are_refused(digits, tmp_path, keys, to):
    path = tmp_path / "model"
    save(MLPClassifier((5,), max_iter=3).fit(*digits), path)
    arrays, header = read_model(path)
    assert header["memory"]["dict"][0] == ["rule", "adam"]
    write_model(path, arrays, changed(header, *keys, to=to))
    with pytest.raises(FileFormatError, match="expected an estimator"):
        load(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda arrays: arrays.pop("memory mean"),
        lambda arrays: arrays.update({"memory mean": np.zeros(3)}),
        lambda arrays: arrays.update({"memory mean": arrays["memory mean"].astype("f4")}),
        lambda arrays: arrays.update({"memory other": arrays["memory mean"]}),
    ],
    ids=["missing", "shape", "precision", "stranger"],
)
def test_vectors_of_memories_that_do_not_fit_are_refused(digits, tmp_path, change):
    path = tmp_path / "model"
    save(MLPClassifier((5,), max_iter=3).fit(*digits), path)
    arrays, header = read_model(path)
    change(arrays)
    write_model(path, arrays, header)
    with pytest.raises(FileFormatError, match="expected an estimator"):
        load(path)


def test_saving_into_a_missing_folder_names_it(digits, tmp_path):
    model = SoftmaxClassifier(max_iter=2).fit(*digits)
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*nowhere; create it first"):
        save(model, tmp_path / "nowhere" / "model")
