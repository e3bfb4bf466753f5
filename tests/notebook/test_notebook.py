"""A notebook is executed with a real kernel: graphs, traces, reports, histories, the live curve."""

from __future__ import annotations

import inspect
import re
import sys

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

import chainrule as cr

CELLS = [
    """
    import chainrule as cr
    x, t = cr.input("x", ("rows", 64)), cr.target("t", ("rows",), dtype=int)
    W, b = cr.parameter("W1", (64, 10)), cr.parameter("b1", (10,))
    J = cr.Objective(cr.softmax_cross_entropy(x @ W + b, t))
    J.graph
    """,
    """
    data = cr.load_digits()
    X, y = data.X_train[:100] / 16, data.y_train[:100]
    trace = J.trace(J.initial(0), X, y)
    _ = trace.backward()
    trace
    """,
    "cr.check_gradient(J, X, y, max_entries=50, progress=False)",
    """
    model = cr.MLPClassifier((5,), solver="cg", max_iter=8, random_state=0, tol=1e-9,
                             callbacks=[cr.LiveCurve(every=0)])
    import warnings
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _ = model.fit(X, y)
    """,
    "model.history_",
    "model",
]


@pytest.fixture(scope="module")
def outputs():
    nbclient = pytest.importorskip("nbclient", reason="no nbclient: pip install nbclient ipykernel")
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    cells = [nbformat.v4.new_code_cell(inspect.cleandoc(text)) for text in CELLS]
    book = nbformat.v4.new_notebook(cells=cells)
    client = nbclient.NotebookClient(book, timeout=120, kernel_name="python3")
    client.create_kernel_manager()
    client.km.kernel_cmd = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    return [cell.outputs for cell in client.execute().cells]


def html(outputs):
    return "".join(one.get("data", {}).get("text/html", "") for one in outputs)


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # of the kernel's own machinery
def test_everything_is_rich_in_a_notebook(outputs):
    graph, trace, report, live, history, model = map(html, outputs)
    assert "<svg" in graph
    assert "W1" in graph
    assert trace.count('class="gradient"') >= 4
    assert "The gradient is right" in report
    assert "<table" in report
    (shown,) = [one for one in outputs[3] if one.output_type == "display_data"]
    assert "cg 8/8" in shown["data"]["text/plain"]  # one place, drawn anew
    assert "<svg" in live
    assert history.count("<svg") == 1
    assert "chainrule-layers" in model
    assert not re.search("<script", graph + trace + report + live + history)


def test_reports_are_tables_in_notebooks():
    x, t = cr.input("x", ("rows", 3)), cr.target("t", ("rows",))
    w = cr.parameter("<b>w</b>", (3, 1))
    J = cr.Objective(cr.squared_error(x @ w, cr.reshape(t, ("rows", 1))))
    rng = np.random.default_rng(0)
    report = cr.check_gradient(J, rng.normal(size=(9, 3)), rng.normal(size=9))
    shown = report._repr_html_()
    assert "&lt;b&gt;w&lt;/b&gt; (3 × 1)" in shown
    assert "<b>w" not in shown
    assert "largest relative error" in shown
    assert 'class="right"' in shown


def test_a_large_graph_shows_its_layers_first():
    model = cr.MLPClassifier((4,) * 6, max_iter=1, solver="lbfgs", random_state=0)
    data = cr.load_digits()
    with pytest.warns(ConvergenceWarning):
        model.fit(data.X_train[:50], data.y_train[:50])
    shown = model.network_._repr_html_()
    folded, whole = shown.split("<details>")[:2]
    assert "layer 7" in folded
    assert "layer 7" not in whole
    assert "every operation" in whole
    assert model.network_._repr_svg_().count('class="node layer"') == 7
