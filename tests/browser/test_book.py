"""The built documentation in a real browser: by day and by night, on a phone, in both languages.

`make docs` builds it first; without it these tests are skipped and say so.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="playwright is not installed")
ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "docs" / "_build" / "html"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (SITE / "index.html").is_file(), reason="not built: make docs"),
]
OF_SPHINX = {"genindex.html", "search.html", "py-modindex.html"}


def pages():
    """Every page in English, and those that have a translation in Persian."""
    translated = ROOT / "docs" / "locale" / "fa" / "LC_MESSAGES"
    found = [path.relative_to(SITE) for path in SITE.rglob("*.html")]
    return sorted(
        path
        for path in found
        if path.name not in OF_SPHINX
        and (
            path.parts[0] != "fa"
            or (translated / path.relative_to("fa").with_suffix(".po")).is_file()
        )
    )


@pytest.fixture
def open_page(browser):
    """Opens pages from disk, which may ask for nothing from elsewhere."""
    contexts, outside = [], []

    def opened(width, scheme="light"):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.on(
            "request",
            lambda asked: (
                None
                if asked.url.startswith(("file:", "data:", "blob:"))
                else outside.append(asked.url)
            ),
        )
        return page

    yield opened
    for context in contexts:
        context.close()
    assert outside == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_finding_of_axe(open_page, scheme):
    source = os.environ.get("AXE_CORE", ROOT / "node_modules" / "axe-core" / "axe.min.js")
    if not Path(source).is_file():
        pytest.skip("axe-core is not installed: npm install axe-core, or set AXE_CORE")
    page, serious = open_page(1280, scheme), []
    assert pages()
    for name in pages():
        page.goto(f"file://{SITE / name}")
        page.add_script_tag(path=str(source))
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        serious += [
            f"{name}: {one['id']}: {one['nodes'][0]['html'][:160]}"
            for one in found["violations"]
            if one["impact"] in ("serious", "critical")
        ]
    assert serious == []


WIDER = """() => [...document.querySelectorAll('article *')]
  .filter(one => one.getBoundingClientRect().right > innerWidth + 1 && !one.closest(
    'pre, table, .table-wrapper, .math, mjx-container, svg, [style*="overflow"], .cell_output'))
  .slice(0, 3).map(one => one.outerHTML.slice(0, 120))"""


def test_a_phone_of_360_pixels_scrolls_no_page_sideways(open_page):
    page, wide = open_page(360), []
    for name in pages():
        page.goto(f"file://{SITE / name}")
        if page.evaluate("document.documentElement.scrollWidth") > 360:
            wide.append(f"{name}: {page.evaluate(WIDER)}")
    assert wide == []
