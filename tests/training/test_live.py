"""The curve that grows: in a notebook's cell, else as a line of text."""

from __future__ import annotations

import io
import math
import sys
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

import chainrule as cr
from chainrule.training import History, LiveCurve, Progress
from chainrule.training.curves import curves_svg
from chainrule.training.live import sparkline

DIGITS = cr.load_digits()


def fit(callback, **options):
    chosen = {"hidden_layer_sizes": (5,), "solver": "cg", "max_iter": 6, "random_state": 0}
    model = cr.MLPClassifier(**(chosen | options), callbacks=[callback])
    with pytest.warns(ConvergenceWarning):
        return model.fit(DIGITS.X_train[:200] / 16, DIGITS.y_train[:200])


def test_text_where_there_is_no_notebook():
    said = io.StringIO()
    model = fit(LiveCurve(every=0.0, file=said))
    lines = said.getvalue().split("\r")
    assert said.getvalue().endswith("\n")
    assert f"loss {model.history_['loss'][-1]:.4g}" in lines[-1]
    assert lines[-1].startswith("cg 6/6  █")


def test_text_goes_to_standard_error(capsys):
    fit(LiveCurve())
    out, err = capsys.readouterr()
    assert out == ""
    assert "cg 6/6" in err


class Display:
    """IPython's display function, as far as it is used."""

    def __init__(self):
        self.shown = []

    def __call__(self, bundle, raw, display_id):
        assert raw
        assert display_id
        self.shown.append(bundle)
        return self

    def update(self, bundle, raw):
        assert raw
        self.shown.append(bundle)


@pytest.fixture
def notebook(monkeypatch):
    display = Display()
    shell = SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(display=display))
    return display


def test_a_notebook_gets_one_place_that_is_drawn_anew(notebook, capsys):
    model = fit(LiveCurve(every=0.0))
    assert len(notebook.shown) == 7  # six iterations and the end
    points = []
    for bundle in notebook.shown:
        svg = bundle["text/html"].split("<svg", 1)[1].split("</svg>")[0]
        path = ElementTree.fromstring(f"<svg{svg}</svg>").findall(".//*[@stroke-width='1.8']")[0]
        points.append(path.get("d").count("L") + 1)
    assert points == [1, 2, 3, 4, 5, 6, 6]
    assert f"{model.loss_:.4g}" in notebook.shown[-1]["text/plain"]
    assert capsys.readouterr() == ("", "")


def test_pictures_are_not_drawn_too_often(notebook):
    fit(LiveCurve(every=1000.0))
    assert len(notebook.shown) == 2  # the first and the last


def test_a_terminal_with_ipython_gets_text(monkeypatch):
    shell = SimpleNamespace()  # no kernel: the IPython prompt
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    said = io.StringIO()
    fit(LiveCurve(file=said))
    assert "loss" in said.getvalue()


def test_an_end_without_a_beginning_is_nothing():
    LiveCurve().on_train_end(Progress(None, np.zeros(1), 0, 1, History(), "cg"))


def history(**columns):
    made = History()
    for i in range(len(next(iter(columns.values())))):
        made.append(epoch=i + 1, **{name: values[i] for name, values in columns.items()})
    return made


def test_a_history_shows_its_curves_and_its_table():
    shown = history(loss=[4.0, 2.0, 1.0], validation_score=[0.5, 0.7, 0.6])._repr_html_()
    assert "validation score" in shown
    assert shown.count("<tr>") == 4
    assert "no epochs" in History()._repr_html_()
    long = history(loss=[1.0] * 50)._repr_html_()
    assert long.count("<tr>") == 12
    assert "…" in long


@pytest.mark.parametrize(
    "losses", [[1.0], [0.0, 0.0], [-1.0, 3.0], [math.inf, 2.0, math.nan, 1.0], [1e-300, 1e300]]
)
def test_every_curve_is_finite_markup(losses):
    text = curves_svg(history(loss=losses).columns)
    root = ElementTree.fromstring(text)
    assert "nan" not in text
    assert "inf" not in text.replace("infin", "")
    (line,) = root.findall(".//*[@stroke-width='1.8']")
    finite = sum(map(math.isfinite, losses))
    assert line.get("d").count("L") + line.get("d").count("M") == finite


def test_points_are_where_the_numbers_are():
    """On a plain scale a loss half way between two others is drawn half way."""
    root = ElementTree.fromstring(curves_svg(history(loss=[3.0, 2.0, 1.0]).columns))
    (line,) = root.findall(".//*[@stroke-width='1.8']")
    points = [p.split() for p in line.get("d")[1:].split("L")]
    (x1, y1), (x2, y2), (x3, y3) = [[float(v) for v in p] for p in points]
    assert x2 - x1 == pytest.approx(x3 - x2, abs=0.2)
    assert y2 - y1 == pytest.approx(y3 - y2, abs=0.2)
    assert y3 > y1  # lower on the page


def test_of_many_epochs_a_part_is_drawn_the_last_one_always():
    text = curves_svg(history(loss=[1.0 / (i + 1) for i in range(100_000)]).columns)
    assert len(text) < 20_000
    assert ">100000<" in text


def test_blocks_rise_and_fall_with_the_values():
    assert sparkline([0.0, 1.0, 0.5]) == "▁█▅"
    assert sparkline([1.0, 1.0]) == "▁▁"
    assert sparkline([math.nan, 1.0, 2.0]) == " ▁█"
    assert sparkline([math.nan]) == ""
    assert len(sparkline(list(range(1000)))) <= 40
