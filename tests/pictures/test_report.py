"""Reports: one page that needs nothing else, holds the right numbers, and takes names as text."""

from __future__ import annotations

import base64
import re
import warnings
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, log_loss, mean_squared_error, precision_score, r2_score

import chainrule as cr
from chainrule.errors import ShapeError, WrongTypeError
from chainrule.pictures.report import Subject, neuron_states, report_html, versions, write_report
from chainrule.pictures.report.metrics import by_class, overall

from .gallery import digits, network, regression, softmax, watched, wave

HOSTILE = [
    "<script>alert(1)</script>",
    "$\\frac{",
    'a"><img src=x onerror=alert(2)>',
    "\x00\u202e&",
]


class Page(HTMLParser):
    """What a page holds: tags with attributes, text by section, tables as cells."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text, self.cells, self.section = [], {}, {}, ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.tags.append((tag, given))
        if tag == "section":
            self.section = given["id"]
        if tag in ("td", "th"):
            self.cells.setdefault(self.section, []).append("")

    def handle_data(self, data):
        self.text[self.section] = self.text.get(self.section, "") + data
        if self.cells.get(self.section) and self.lasttag in ("td", "th", "b", "code"):
            self.cells[self.section][-1] += data


def fit(model, X, y, **more):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(X, y, **more)


@pytest.fixture(scope="module")
def of_digits():
    _, _, X, y = digits()
    facts = {"name": "64-20-10", "image_shape": (8, 8), "others": {"softmax": softmax()}}
    return report_html(Subject(network(), X=X, y=y, command="chainrule x 'a b'", **facts))


@pytest.fixture(scope="module")
def hostile():
    """Columns, classes, target and name that would like to be markup or formulas."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 4))
    y = np.array(HOSTILE)[np.argmax(X + rng.normal(scale=0.5, size=X.shape), axis=1)]
    model = fit(cr.MLPClassifier((5,), solver="cg", max_iter=15, random_state=0), X, y)
    facts = {"columns": HOSTILE, "target": HOSTILE[2], "name": HOSTILE[0], "data": HOSTILE[0]}
    return report_html(Subject(model, X=X, y=y, made={"command": HOSTILE[0]}, **facts))


SECTIONS = ["data", "network", "gradient", "training", "results", "weights", "neurons", "again"]


def test_every_section_is_there_in_order(of_digits):
    page = Page(of_digits)
    assert [given["id"] for tag, given in page.tags if tag == "section"] == SECTIONS
    links = [given["href"][1:] for tag, given in page.tags if tag == "a"]
    assert links == SECTIONS


@pytest.mark.parametrize("which", ["of_digits", "hostile"])
def test_the_page_needs_nothing_else_and_runs_nothing(which, request):
    text = request.getfixturevalue(which)
    page = Page(text)
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "link", "iframe", "object", "embed", "base", "form"}
    for tag, given in page.tags:
        assert not [key for key in given if key.startswith("on")], tag
        for key in ("src", "srcset", "href"):
            if key in given:
                assert re.match(r"data:image/(svg\+xml|png);base64,|#", given[key]), (tag, key)
    assert "url(" not in text
    assert "@import" not in text
    (policy,) = [g["content"] for t, g in page.tags if g.get("http-equiv")]
    assert policy.startswith("default-src 'none'")


def test_pictures_come_for_light_dark_and_paper(of_digits):
    page = Page(of_digits)
    sources = [given for tag, given in page.tags if tag == "source"]
    images = [given for tag, given in page.tags if tag == "img"]
    assert len(images) >= 7
    assert [one["media"] for one in sources] == ["print", "(prefers-color-scheme: dark)"] * len(
        images
    )
    for paper, dark, image in zip(sources[::2], sources[1::2], images, strict=True):
        assert paper["srcset"] == image["src"] != dark["srcset"]
        assert image["alt"]
        for data in (image["src"], dark["srcset"]):
            kind, content = data.split(";base64,")
            if kind == "data:image/svg+xml":
                picture = ElementTree.fromstring(base64.b64decode(content))
                assert picture.tag.endswith("svg")
                assert not [e for e in picture.iter() if e.tag.endswith("script")]


def test_names_stay_text(hostile):
    page = Page(hostile)
    assert "<script>alert(1)</script>" in page.text["data"]
    assert "onerror=alert(2)" in page.text["data"]
    assert page.text["again"].count("<script>") >= 1
    assert "\x00" not in hostile
    assert [tag for tag, given in page.tags if "onerror" in given] == []


def test_the_same_model_gives_the_same_page():
    subject = Subject(watched()[0], name="moons")
    assert report_html(subject) == report_html(subject)


def test_figures_are_scikit_learns(of_digits):
    _, _, X, y = digits()
    model = network()
    said, p = model.predict(X), model.predict_proba(X)
    found = {name: value for name, value, _ in overall(Subject(model, X=X, y=y))}
    assert found["accuracy"] == f"{np.mean(said == y):.1%}"
    assert float(found["log loss"]) == pytest.approx(log_loss(y, p), abs=1e-4)
    assert float(found["macro F1"]) == pytest.approx(f1_score(y, said, average="macro"), abs=1e-4)
    precisions = [row[1] for row in by_class(y, said)]
    np.testing.assert_allclose(precisions, precision_score(y, said, average=None))
    page = Page(of_digits)
    for text in found.values():
        assert text in page.cells["results"]
    assert "The gradient is right" in page.text["gradient"]
    assert "chainrule x 'a b'" in page.text["again"]
    for name, version in versions().items():
        assert name in page.cells["again"]
        assert version in page.cells["again"]


def test_figures_of_a_regression():
    X, y = wave()
    said = regression().predict(X)
    subject = Subject(regression(), X=X, y=y, columns=["a", "b"], target="height")
    found = {name: value for name, value, _ in overall(subject)}
    assert float(found["R²"]) == pytest.approx(r2_score(y, said), abs=1e-4)
    root = float(found["root mean square error"])
    assert root == pytest.approx(mean_squared_error(y, said) ** 0.5, rel=1e-3)
    page = Page(report_html(subject))
    assert "height" in page.text["data"]
    assert {"a", "b"} <= set(page.cells["data"])


def test_models_are_compared(of_digits):
    cells = Page(of_digits).cells["results"]
    _, _, X, y = digits()
    for name, model in {"64-20-10": network(), "softmax": softmax()}.items():
        place = cells.index(name)
        assert cells[place + 1] == f"{model.score(X, y):.4f}"


@pytest.mark.parametrize(
    "make",
    [
        lambda: cr.OneVsAllClassifier(solver="cg", max_iter=10),
        lambda: cr.SoftmaxClassifier(max_iter=10),
        lambda: cr.MLPClassifier((4,), solver="adam", max_iter=3, early_stopping=True),
    ],
)
@pytest.mark.parametrize("classes", [2, 5])
def test_every_classifier_has_a_report(make, classes):
    X, y, *_ = digits()
    few = y < classes
    model = fit(make(), X[few][:200], y[few][:200])
    page = Page(report_html(Subject(model, X=X[few][:80], y=y[few][:80])))
    assert "gradient is right" in page.text["gradient"]
    with_rows = len([1 for tag, _ in page.tags if tag == "img"])
    alone = Page(report_html(Subject(model)))
    assert 2 <= len([1 for tag, _ in alone.tags if tag == "img"]) < with_rows
    assert "No rows were given" in alone.text["data"]
    assert "no rows were given" in alone.text["gradient"]


@pytest.mark.parametrize("kind", ["RealMLPClassifier", "RealMLPRegressor"])
def test_models_that_read_tables_have_a_report(kind):
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"city": rng.choice(["<b>Bonn", "Ulm", "Jena"], 150), "age": rng.normal(40, 9, 150)}
    )
    frame.loc[3, "age"] = np.nan
    y = (frame["city"] == "Ulm").to_numpy() * 2.0 + rng.normal(scale=0.1, size=150)
    y = np.where(y > 1, "yes", "no") if kind.endswith("Classifier") else y
    options = {"hidden_layer_sizes": (8,), "n_epochs": 3, "random_state": 0}
    model = fit(getattr(cr, kind)(**options), frame, y)
    page = Page(report_html(Subject(model, X=frame, y=y, name="table")))
    assert {"city", "age", "categorical", "numeric"} <= set(page.cells["data"])
    assert "gradient is right" in page.text["gradient"]
    assert "passes" not in page.text["weights"]


def test_several_targets_and_labels():
    X, y, *_ = digits()
    two = np.column_stack([y, -y]).astype(float)
    model = fit(cr.MLPRegressor(hidden_layer_sizes=(3,), max_iter=5), X[:90], two[:90])
    assert "score" in Page(report_html(Subject(model, X=X[:90], y=two[:90]))).cells["results"]
    many = np.column_stack([y > 4, y % 2]).astype(int)
    model = fit(cr.MLPClassifier((3,), max_iter=5), X[:90], many[:90])
    assert "score" in Page(report_html(Subject(model, X=X[:90], y=many[:90]))).cells["results"]


# neurons ---------------------------------------------------------------------------------


def with_weights(activation, W, b):
    """A network of three hidden neurons with weights put there by hand."""
    X = np.random.default_rng(0).normal(size=(60, 2))
    options = {"activation": activation, "max_iter": 1, "solver": "lbfgs", "random_state": 0}
    model = fit(cr.MLPClassifier((3,), **options), X, X[:, 0] > 0)
    model.coefs_ = [np.array(W, float), model.coefs_[1]]
    model.intercepts_ = [np.array(b, float), model.intercepts_[1]]
    return model, X, X[:, 0] > 0


def test_dead_neurons_are_found():
    """Neuron 1 is below 0 for every row; neuron 2 is seldom on, which is no fault of a relu."""
    model, *rows = with_weights("relu", [[1, 1, 1], [0, 0, 0]], [0, -50, -1.3])
    (state,) = neuron_states(model, *rows)
    assert (state.name, state.activation, state.units) == ("h1", "relu", 3)
    assert state.dead == (1,)
    assert (state.saturated, state.constant) == ((), ())
    page = Page(report_html(Subject(model, X=rows[0], y=rows[1])))
    assert "1 of 3 neurons hardly work" in page.text["neurons"]
    assert "1: 1" in page.cells["neurons"]
    assert "leaky_relu" in page.text["neurons"]


def test_saturated_and_constant_neurons_are_found():
    model, *rows = with_weights("tanh", [[90, 0, 1], [0, 0, 0]], [0.0, 0.3, 0.0])
    (state,) = neuron_states(model, *rows)
    assert state.saturated == (0,)
    assert state.constant == (1,)
    assert state.dead == ()


def test_sound_neurons_are_left_in_peace():
    model, *rows = with_weights("logistic", [[1, -1, 2], [0, 1, 1]], [0.0, 0.3, 0.0])
    (state,) = neuron_states(model, *rows)
    assert state.troubles == {}
    page = Page(report_html(Subject(model, X=rows[0], y=rows[1])))
    assert "all 3 neurons work" in page.text["neurons"]
    assert (
        "no hidden neurons"
        in Page(report_html(Subject(softmax(), X=digits()[2], y=digits()[3]))).text["neurons"]
    )


# files and refusals ----------------------------------------------------------------------


def test_a_report_is_written_whole(tmp_path):
    path = tmp_path / "report.html"
    write_report(path, watched()[0], name="moons")
    text = path.read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert text.endswith("</html>\n")
    assert [one.name for one in tmp_path.iterdir()] == ["report.html"]


def test_refuses_what_it_cannot_report_on():
    X, y, *_ = digits()
    with pytest.raises(WrongTypeError, match="an estimator of chainrule; came LogisticRegression"):
        Subject(LogisticRegression())
    with pytest.raises(ShapeError, match="X and y, or neither"):
        Subject(softmax(), X=X)
    with pytest.raises(ShapeError, match="as many rows"):
        Subject(softmax(), X=X, y=y[:3])
