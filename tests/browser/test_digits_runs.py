"""Runs that learn from digits, in a real browser: forks, scripts, every width."""

from __future__ import annotations

import numpy as np
import pytest

from .desk import artifact
from .test_digits import DIGITS, PIXELS, learnt


@pytest.mark.slow
def test_a_fork_of_a_digits_run_and_its_script(open_desk, tmp_path):
    desk = open_desk(f"{DIGITS}&fork=60&fork_solver=sgd&fork_learning_rate=0.1&panel=timeline")
    page = desk.page
    desk.wait("document.querySelectorAll('.pair canvas').length === 2")
    desk.wait("document.querySelector('[data-side=branch] p').textContent.includes('Epoch')")
    width, _, rgb = page.evaluate(PIXELS, "[data-side=branch] canvas")
    assert width == 240
    assert len({tuple(rgb[i : i + 3]) for i in range(0, len(rgb), 3)}) > 10  # its weights
    with page.expect_download() as download:
        page.click("#script")
    download.value.save_as(tmp_path / "playground.py")
    assert "points_of_images('digits'" in (tmp_path / "playground.py").read_text(encoding="utf-8")
    page.click("#inside")
    page.wait_for_selector("[data-phase=forward]")
    desk.wait("document.querySelector('#seen-text').textContent.includes('mini-batch')")
    inside = desk.session.inside
    expected = desk.run.points.X[inside.rows[inside.row]]
    _, _, rgb = page.evaluate(PIXELS, "#seen")
    assert np.corrcoef(rgb[::3], -expected.astype(float))[0, 1] > 0.999


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "fa"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 800, 1280, 2560])
def test_it_fits_every_width(open_desk, width, scheme, language):
    desk = open_desk(
        f"{DIGITS}&language={language}&stop_epoch=20&panel=mistakes",
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
        locale="fa-IR" if language == "fa" else "en-GB",
    )
    page = desk.page
    learnt(desk, 20)
    page.wait_for_selector(".mistake")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    clipped = page.evaluate(
        """() => [...document.querySelectorAll('button:not(.node), h2, h3, .hint, .answers b')]
          .filter((e) => e.offsetParent && e.scrollWidth > e.clientWidth + 2)
          .map((e) => e.outerHTML)"""
    )
    assert clipped == []
    page.screenshot(path=artifact(f"digits-{width}-{scheme}-{language}"), full_page=True)
