"""How models print, in a notebook and on a terminal."""

import html.parser

import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import chainrule as cr
from chainrule.estimators import MLPClassifier, MLPRegressor, OneVsAllClassifier, SoftmaxClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

ALL = (MLPClassifier, MLPRegressor, OneVsAllClassifier, SoftmaxClassifier)


class Cells(html.parser.HTMLParser):
    """The cells of the table of layers, and the tags that were left open."""

    def __init__(self, text):
        super().__init__()
        self.cells, self.caption, self.inside = [], "", None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        if tag == "table" and dict(attributes).get("class") == "chainrule-layers":
            self.inside = "table"
        elif self.inside and tag in ("td", "caption"):
            self.inside = tag

    def handle_endtag(self, tag):
        self.inside = None if tag == "table" else self.inside and "table"

    def handle_data(self, data):
        if self.inside == "td":
            self.cells.append(data)
        elif self.inside == "caption":
            self.caption += data


def test_summary(digits):
    model = MLPClassifier((9, 5), activation=["relu", "tanh"], dropout=[0.1, 0], random_state=0)
    assert model.summary() == "MLPClassifier: not fitted, so its layers are not known yet"
    model.set_params(max_iter=4).fit(*digits)
    lines = model.summary().splitlines()
    assert lines[0] == "MLPClassifier: 64 columns in, float64"
    cells = [line.split("  ") for line in lines[3:7]]
    table = [[one.strip() for one in row if one.strip()] for row in cells]
    assert table == [
        ["1", "dense → relu → dropout", "(rows, 9)", "585"],
        ["2", "dense → tanh", "(rows, 5)", "50"],
        ["3", "dense → softmax", "(rows, 10)", "60"],
        ["total", "695"],
    ]
    assert lines[7] == f"stopped by max_iter after 4 iterations, loss {model.loss_:.6g}"


def test_summary_of_other_models(digits):
    X, y = digits
    for kind in (OneVsAllClassifier, SoftmaxClassifier):
        assert "650" in kind(max_iter=2).fit(X, y).summary()
    layers = [cr.Dense(4, bias=False), cr.LayerNorm(), cr.Dense(3, "elu")]
    text = MLPRegressor(layers=layers, max_iter=2, early_stopping=True).fit(X, y).summary()
    for words in ("dense without bias", "layer_norm", "dense → elu", "best validation score"):
        assert words in text


@pytest.mark.parametrize("kind", ALL)
def test_notebooks(digits, kind):
    model = kind(max_iter=3)
    assert "chainrule-layers" not in model._repr_html_()
    assert kind.__name__ in model._repr_html_()
    model.fit(*digits)
    shown = Cells(model._repr_html_())
    assert shown.cells[0] == "1"
    assert "(rows, " in shown.cells[2]
    assert "parameters, float64; " in shown.caption
    assert "iterations" in shown.caption
    bundle = model._repr_mimebundle_()
    assert Cells(bundle["text/html"]).cells == shown.cells
    assert bundle["text/plain"] == repr(model)


def test_notebooks_show_pipelines(digits):
    model = make_pipeline(StandardScaler(), MLPClassifier((4,), max_iter=2)).fit(*digits)
    assert "MLPClassifier" in model._repr_html_()


def test_nothing_in_a_name_becomes_markup(digits):
    model = MLPClassifier((4,), max_iter=2).fit(*digits)
    model.training_status_ = "<script>"
    assert "&lt;script&gt; after" in model._repr_html_()


def test_parameters_that_were_changed_are_in_the_name():
    assert repr(MLPClassifier((20,), solver="cg")) == (
        "MLPClassifier(hidden_layer_sizes=(20,), solver='cg')"
    )
