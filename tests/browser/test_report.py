"""Reports in a real browser: by day, by night, on paper, on a phone; kept in artifacts/report."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="playwright is not installed")

ROOT = Path(__file__).resolve().parents[2]
ARTIFACTS = ROOT / "artifacts" / "report"


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """A report on a table with names that are long, foreign and hostile."""
    import numpy as np
    from sklearn.exceptions import ConvergenceWarning

    import chainrule as cr
    from chainrule.pictures.report import write_report

    rng = np.random.default_rng(0)
    X = rng.normal(size=(240, 3))
    names = np.array(["<img src=x onerror=document.title='bad'>", "سیب" * 9, "$x$" + "y" * 60])
    y = names[np.argmax(X + rng.normal(scale=0.6, size=X.shape), axis=1)]
    options = {"solver": "adam", "max_iter": 30, "random_state": 0, "activation": "relu"}
    with pytest.warns(ConvergenceWarning):
        model = cr.MLPClassifier((12, 6), **options).fit(
            X[:180], y[:180], validation_data=(X[180:], y[180:])
        )
    path = tmp_path_factory.mktemp("report") / "report.html"
    facts = {"columns": ["<b>a</b>", "ستون", "c" * 80], "command": "chainrule train " + "x" * 200}
    write_report(path, model, X[180:], y[180:], name="a table", data="60 rows held back", **facts)
    return path


@pytest.fixture
def open_report(browser, report):
    contexts, troubles = [], []

    def opened(width=1000, scheme="light"):
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=False
        )
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on(
            "console", lambda said: troubles.append(said.text) if said.type == "error" else None
        )
        page.on(
            "request",
            lambda asked: (
                None if asked.url.startswith(("file:", "data:")) else troubles.append(asked.url)
            ),
        )
        page.goto(report.as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    assert troubles == []


def keep(page, name):
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=ARTIFACTS / f"{name}.png", full_page=True)


def shown_images(page):
    return page.evaluate("[...document.images].map((i) => [i.currentSrc.length, i.naturalWidth])")


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1000])
def test_every_width_and_scheme(open_report, width, scheme):
    page = open_report(width, scheme)
    assert page.title() == "Report on a table"  # no name of the table's has become a script
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", paper)[:3])) < 200) == (scheme == "dark")
    assert all(natural > 0 for _, natural in shown_images(page))
    keep(page, f"report-{width}-{scheme}")


@pytest.mark.slow
def test_pictures_follow_the_scheme(open_report):
    light, dark = (
        [src for src, _ in shown_images(open_report(scheme=s))] for s in ("light", "dark")
    )
    assert len(light) == len(dark) >= 6
    sources = [
        open_report(scheme=s).evaluate("document.images[0].currentSrc") for s in ("light", "dark")
    ]
    assert sources[0] != sources[1]


@pytest.mark.slow
def test_paper_is_white_and_nothing_is_cut_off(open_report):
    page = open_report(scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator("nav").is_hidden()
    light = open_report().evaluate("document.images[0].currentSrc")
    page.wait_for_function("(src) => document.images[0].currentSrc === src", arg=light)
    pdf = page.pdf(format="A4", path=ARTIFACTS / "report.pdf")
    assert pdf.startswith(b"%PDF")
    page.set_viewport_size({"width": 700, "height": 1000})  # A4 without its margins
    wide = """() => [...document.querySelectorAll('table, pre, img, svg')]
      .filter((e) => e.getBoundingClientRect().right > innerWidth + 1)
      .map((e) => e.outerHTML.slice(0, 200))"""
    assert page.evaluate(wide) == []
    keep(page, "report-print")


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_finding_of_axe(browser, report, scheme):
    source = os.environ.get("AXE_CORE", "node_modules/axe-core/axe.min.js")
    if not Path(source).is_file():
        pytest.skip("axe-core is not installed: npm install axe-core, or set AXE_CORE")
    context = browser.new_context(color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    page.goto(report.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    page.evaluate(Path(source).read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    context.close()
    bad = [
        (one["id"], one["nodes"][0]["html"][:200])
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]
    assert bad == []
