"""The page on pictures keeps its word: its code runs, prints what it says, draws what it shows."""

from __future__ import annotations

import doctest
import importlib.util
import re
import warnings

import matplotlib.pyplot as plt
import pytest


@pytest.fixture(scope="module")
def drawing(project_root):
    """tools/draw_pictures.py as a module."""
    path = project_root / "tools" / "draw_pictures.py"
    spec = importlib.util.spec_from_file_location("draw_pictures", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_code_runs_prints_and_draws_what_the_page_says(drawing, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    parts = drawing.parts_of(drawing.PAGE.read_text(encoding="utf-8"))
    folder = tmp_path / "images"
    folder.mkdir()
    with warnings.catch_warnings():  # the page turns warnings off for itself
        compared = drawing.run(parts, folder)
    plt.close("all")
    checker, flags = doctest.OutputChecker(), doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    for printed, said in compared:
        assert checker.check_output(said, printed, flags), (said, printed)
    wanted = {part.text.rpartition("/")[2] for part in parts if part.kind == "picture"}
    assert {path.name for path in folder.iterdir()} == wanted
    assert len(wanted) >= 15
    assert (tmp_path / "digits.html").stat().st_size > 100_000


def test_every_block_and_every_picture_is_known(drawing, project_root):
    page = drawing.PAGE.read_text(encoding="utf-8")
    parts = drawing.parts_of(page)
    assert page.count("```") == 2 * sum(part.kind != "picture" for part in parts)
    assert {part.kind for part in parts} == {"python", "text", "console", "picture"}
    drawn = project_root / "docs" / "images" / "pictures"
    links = [part.text for part in parts if part.kind == "picture"]
    for link in links:
        assert (project_root / "docs" / link).stat().st_size < 120_000, link
    assert {path.name for path in drawn.iterdir()} == {link.rpartition("/")[2] for link in links}


def test_every_plot_function_is_named(drawing):
    from chainrule import pictures

    page = drawing.PAGE.read_text(encoding="utf-8")
    named = set(re.findall(r"\bplot_\w+", page))
    assert named == {name for name in pictures.__all__ if name.startswith("plot_")}
