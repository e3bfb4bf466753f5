"""An estimator in the playground: its options, its weights there and back, the handle."""

from __future__ import annotations

import json

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import DataError
from chainrule.networks import Dense, Dropout, LayerNorm
from chainrule.server.frames import fingerprint
from chainrule.server.inside import Inside
from chainrule.server.modelfile import MODEL_FILE, model_bytes
from chainrule.server.models import wrap
from chainrule.server.run import Run
from chainrule.server.script import script
from chainrule.server.settings import read_settings

from .wire import Page, Playground, in_notebook, playground, run


def data(classes=2, seed=0):
    rng = np.random.default_rng(seed)
    y = np.arange(60) % classes
    X = rng.normal(size=(60, 2)) + 3 * np.column_stack([y == 1, y == 2]) + [100, -7]
    return X * [1, 40], y


def values():
    X, _ = data()
    return X, 50 + 3 * X[:, 0] - X[:, 1] ** 2 / 100


MODELS = {
    "binary": (lambda: cr.MLPClassifier((5, 3), max_iter=30, random_state=0), data()),
    "many classes": (lambda: cr.MLPClassifier((4,), max_iter=30, random_state=0), data(3)),
    "regression": (
        lambda: cr.MLPRegressor(hidden_layer_sizes=(4,), max_iter=30, random_state=0),
        values(),
    ),
    "softmax": (lambda: cr.SoftmaxClassifier(max_iter=30), data(3)),
    "one-vs-all": (lambda: cr.OneVsAllClassifier(max_iter=30), data(3)),
}


def shown(wrapped):
    points = wrapped.own.split({"train_percent": 90, "data_seed": 0})
    settings = read_settings(wrapped.settings, most_units=256)
    return Run(1, settings, points, wrapped.theta, wrapped.stack)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", MODELS)
def test_the_page_shows_what_the_model_computes(name):
    make, (X, y) = MODELS[name]
    model = make().fit(X, y)
    wrapped = wrap(model, X, y)
    page = shown(wrapped)
    points = page.points
    original = points.X / points.scale + points.offset
    output = page.network.values(page.theta, page.features_of(points.X))[-1]
    if name == "regression":
        expected = (model.predict(original) - points.target_offset) / points.target_scale
        assert np.allclose(output[:, 0], expected, rtol=1e-3, atol=1e-3)
    elif name == "binary":
        assert np.allclose(output[:, 0], 2 * model.predict_proba(original)[:, 1] - 1, atol=1e-3)
    else:
        assert np.array_equal(output.argmax(axis=1), model.predict(original))
    page.close()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", MODELS)
def test_weights_come_back_as_they_went(name):
    make, (X, y) = MODELS[name]
    model = make().fit(X, y)
    before = [np.array(one) for one in model.parameters_.values()]
    wrapped = wrap(model, X, y)
    page = shown(wrapped)
    assert wrapped.read_back(page.network, wrapped.theta) is model
    for earlier, now in zip(before, model.parameters_.values(), strict=True):
        assert np.allclose(earlier, now, rtol=1e-6, atol=1e-9)
    page.close()


def wide(classes=3, columns=6):
    """Six columns, of which the second and the fifth say what class it is."""
    rng = np.random.default_rng(1)
    y = np.arange(90) % classes
    X = rng.normal(size=(90, columns))
    X[:, 1] += 4 * (y == 1)
    X[:, 4] += 4 * (y == 2)
    return X * 10 + 5, y


OWN = {
    "many columns": (lambda: cr.MLPClassifier((4,), max_iter=30, random_state=0), wide()),
    "default sizes": (lambda: cr.MLPClassifier(max_iter=5, random_state=0), wide()),
    "dropout": (
        lambda: cr.MLPClassifier((5, 3), dropout=0.3, max_iter=30, random_state=0),
        wide(2),
    ),
    "a rate for each layer": (
        lambda: cr.MLPClassifier((5, 3), dropout=[0.3, 0.0], max_iter=30, random_state=0),
        wide(2),
    ),
    "an activation for each layer": (
        lambda: cr.MLPClassifier((5, 3), activation=["tanh", "relu"], max_iter=30, random_state=0),
        wide(),
    ),
    "layers": (
        lambda: cr.MLPClassifier(
            layers=[Dense(6, "relu"), LayerNorm(), Dropout(0.2), Dense(4, "tanh")],
            max_iter=30,
            random_state=0,
        ),
        wide(),
    ),
    "layers by a function": (
        lambda: cr.MLPRegressor(
            layers=lambda x: Dense(4)(cr.tanh(Dense(5)(x)), 2), max_iter=30, random_state=0
        ),
        values(),
    ),
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", OWN)
def test_models_of_many_columns_and_own_layers_are_shown_and_read_back(name):
    make, (X, y) = OWN[name]
    model = make().fit(X, y)
    before = {key: np.array(value) for key, value in model.parameters_.items()}
    wrapped = wrap(model, X, y)
    page = shown(wrapped)
    points = page.points
    original = points.X / points.scale + points.offset
    output = page.network.values(page.theta, page.features_of(points.X))[-1]
    if name == "layers by a function":
        expected = (model.predict(original) - points.target_offset) / points.target_scale
        assert np.allclose(output[:, 0], expected, rtol=1e-3, atol=1e-3)
    elif len(model.classes_) == 2:
        assert np.allclose(output[:, 0], 2 * model.predict_proba(original)[:, 1] - 1, atol=1e-3)
    else:
        assert np.allclose(output, model.predict_proba(original), atol=1e-3)
    for value in model.parameters_.values():
        value[...] = 7.0
    assert wrapped.read_back(page.network, wrapped.theta) is model
    for key, earlier in before.items():
        assert np.allclose(earlier, model.parameters_[key], rtol=1e-6, atol=1e-9), key
    page.advance(3)
    assert page.failure is None
    page.close()


def test_the_columns_that_tell_most_are_drawn_and_the_rest_stand_at_their_medians():
    X, y = wide()
    wrapped = wrap(cr.MLPClassifier((4,)), X, y)
    assert (wrapped.settings["across"], wrapped.settings["up"]) == (1, 4)
    page = shown(wrapped)
    seen = page.features_of_picture(np.array([[-6.0, 2.0], [6.0, 2.0]]))
    median = np.median(page.points.X, axis=0)
    assert np.allclose(seen[:, 1], [-6, 6])
    assert np.allclose(seen[:, 4], 2)
    assert np.allclose(np.delete(seen, [1, 4], axis=1), np.delete(median, [1, 4]), atol=1e-6)
    page.close()


@pytest.mark.parametrize("name", ["layers", "layers by a function"])
def test_the_script_repeats_a_run_of_ones_own_layers(name, tmp_path, monkeypatch, capsys):
    make, (X, y) = OWN[name]
    wrapped = wrap(make(), X, y)
    page = shown(wrapped)
    page.advance(5)
    monkeypatch.chdir(tmp_path)
    (tmp_path / MODEL_FILE).write_bytes(model_bytes(page))
    exec(compile(script(page, wrapped.own), "playground.py", "exec"), {})
    assert f"{fingerprint(page.theta):016x}" in capsys.readouterr().out
    page.close()


def test_step_inside_shows_the_masks_of_the_next_mini_batch():
    """What it says the weights will be after the update is what they are."""
    X, y = wide(2)
    model = cr.MLPClassifier((5, 3), dropout=0.4, random_state=0, batch_size=20)
    page = shown(wrap(model, X, y))
    page.advance(3)
    inside = Inside(page)
    inside.move(inside.last)
    assert any(np.any(inside.trace.value(mask) == 0) for mask in inside.graph.masks)
    after = inside.describe()["update"]["parameters"]
    page.advance(1)
    for key, value in page.network.objective.unpack(page.theta).items():
        assert np.allclose(after[key]["after"], value.ravel(), atol=1e-6), key
    page.close()


def test_layers_of_ones_own_are_drawn_as_columns_and_boxes():
    model, (X, y) = OWN["layers"][0](), OWN["layers"][1]
    page = shown(wrap(model, X, y))
    assert page.network.sizes == (6, 6, 4, 3)
    assert [(box.column, box.name) for box in page.network.boxes] == [
        (1, "layer norm"),
        (1, "dropout 0.2"),
    ]
    assert [column.weights for column in page.network.columns] == ["W1", "W2", "W3"]
    page.close()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_an_edit_in_the_page_is_read_back():
    X, y = data()
    model = cr.MLPClassifier((3,), max_iter=5, random_state=0).fit(X, y)

    async def edit(handle):
        async with Page(handle) as page:
            await page.hello()
            await page.say(type="edit", parameter="b2", index=[0], value=12.5)
            await page.until(lambda message: message["type"] == "status")

    with playground(model, X, y, open_browser=False) as handle:
        run(edit(handle))
        assert handle.parameters["b2"] == [12.5]
        handle.update_model()
    assert model.intercepts_[1] == pytest.approx([12.5])


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_model_that_is_not_fitted_learns_in_the_page():
    X, y = data()
    model = cr.MLPClassifier((3,), activation="tanh", solver="cg", random_state=4, max_iter=77)

    async def learn(handle):
        async with Page(handle) as page:
            await page.hello()
            for _ in range(30):
                await page.say(type="step")
            await page.frame(lambda frame: frame["epochs"] >= 25 or frame["flags"] & 2)

    with playground(model, X, y, open_browser=False) as handle:
        run(learn(handle))
        settings = handle.sessions.newest.run.settings
        assert (settings["solver"], settings["seed"]) == ("cg", 4)
        handle.update_model()
    assert model.score(X, y) > 0.8
    assert model.max_iter == 77


def test_changed_layers_cannot_be_read_back():
    X, y = data()
    model = cr.MLPClassifier((3,), max_iter=3, random_state=0)
    with pytest.warns(Warning, match=r".*"):
        model.fit(X, y)
    wrapped = wrap(model, X, y)
    other = Run(1, read_settings({**wrapped.settings, "hidden_layer_sizes": [5]}), wrapped.points)
    with pytest.raises(DataError, match="layers of shapes"):
        wrapped.read_back(other.network, other.theta)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (cr.MLPClassifier((257,)), "at most 8 layers of 256"),
        (cr.MLPClassifier((2,) * 9), "at most 8 layers of 256"),
        (cr.MLPClassifier((3,), solver="newton-cg"), "solver"),
    ],
)
def test_what_the_page_cannot_show_is_refused(model, message):
    with pytest.raises(DataError, match=message):
        wrap(model, *data())


def test_wrong_points_are_refused():
    X, y = data()
    with pytest.raises(DataError, match="2 to 1024 columns"):
        wrap(None, X[:, :1], y)
    with pytest.raises(DataError, match=r"X\[:10000\]"):
        wrap(None, np.zeros((10_001, 2)), np.zeros(10_001))
    with pytest.raises(DataError, match="X and y"):
        wrap(cr.MLPClassifier(), X, None)


def test_the_handle():
    with Playground({"dataset": "spiral"}) as handle:
        assert handle.token in handle.url
        assert handle.url in handle._repr_html_()
        assert "iframe" in handle._repr_html_()
        with pytest.raises(DataError, match="no page is open yet"):
            _ = handle.parameters
        with pytest.raises(DataError, match="without a model"):
            handle.update_model()
        with pytest.raises(DataError, match="port"):
            Playground(port=handle.port)
    assert not in_notebook()


def test_points_without_a_model():
    X, y = data()

    async def look(handle):
        async with Page(handle) as page:
            await page.hello()
            told = next(m for m in [await page.until(lambda m: m["type"] == "run")])
            assert told["settings"]["dataset"] == "own"
            return json.dumps(told["classes"])

    with playground(X=X, y=y, open_browser=False) as handle:
        assert run(look(handle)) == '["0", "1"]'
