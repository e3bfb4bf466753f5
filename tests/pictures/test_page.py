"""A page of all pictures, light and dark, kept in artifacts/pictures to look at."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb

import chainrule as cr
from chainrule.graph.markup import Markup, tag
from chainrule.pictures import DARK, LIGHT, in_style

from .gallery import CALLS, MORE, digits, network


@pytest.fixture(autouse=True)
def no_figures_left():
    yield
    plt.close("all")


def drawings():
    """Those that matplotlib has no part in."""
    X, y, *_ = digits()
    objective, theta, X, y = network().as_objective(X[:50], y[:50])
    trace = objective.trace(theta, X, y)
    trace.backward()
    yield "graph", trace.to_svg(paper=None)
    yield "graph, folded", trace.to_svg(fold=True, paper=None)
    yield "history", network().history_._repr_html_()
    report = cr.check_gradient(network(), X, y, max_entries=50, progress=False)
    yield "gradient check", report._repr_html_()


@pytest.mark.slow
@pytest.mark.parametrize("look", [LIGHT, DARK], ids=["light", "dark"])
def test_a_page_of_all_pictures(project_root, look):
    folder = project_root / "artifacts" / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    name = "light" if look is LIGHT else "dark"
    parts = []
    for title, draw in {**CALLS, **MORE}.items():
        with in_style(look):
            ax = draw(None)
            file = folder / f"{name}-{title.replace(' ', '-').replace(',', '')}.png"
            ax.figure.savefig(file, dpi=110)
            pixels = plt.imread(file)[..., :3]
        np.testing.assert_allclose(pixels[2, 2], to_rgb(look.paper), atol=0.01)
        packed = (pixels * 255).astype(int) @ [1, 256, 65536]
        assert len(np.unique(packed)) > 20
        parts.append(tag("figure", tag("figcaption", title), tag("img", src=file.name, alt=title)))
        plt.close("all")
    for title, markup in drawings():
        parts.append(tag("figure", tag("figcaption", title), Markup(markup)))
    colours = f"background:{look.paper};color:{look.ink};font:15px system-ui;margin:2em"
    page = tag(
        "html", tag("head", tag("meta", charset="utf-8")), tag("body", *parts, style=colours)
    )
    (folder / f"{name}.html").write_text(f"<!doctype html>{page}", encoding="utf-8")
