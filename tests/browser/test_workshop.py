"""The whole way: a teacher's lesson in either language; a practitioner from a CSV to a script."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import numpy as np
import pytest

from chainrule.files import read_model
from chainrule.server.frames import grid
from chainrule.server.timeline import Timeline

from .desk import Desk, assert_pixels

LESSON = {
    "chainrule_lesson": 1,
    "id": "clouds",
    "title": {"en": "Two clouds", "fa": "دو ابر"},
    "summary": {"en": "One line is enough.", "fa": "یک خط بس است."},
    "settings": {"dataset": "gauss", "hidden_layer_sizes": []},
    "steps": [
        {
            "text": {"en": "Press Play.", "fa": "پخش را بزنید."},
            "goal": [{"measure": "test_score", "at_least": 0.95}],
        },
        {
            "text": {"en": "Now with noise.", "fa": "اکنون با نویز."},
            "settings": {"noise": 50, "stop_epoch": 20},
            "goal": [
                {"measure": "epochs", "at_least": 20},
                {"measure": "train_loss", "at_most": 1},
            ],
        },
    ],
}
WORDS = {
    "en": ("Two clouds", "Press Play.", "Now with noise."),
    "fa": ("دو ابر", "پخش را بزنید.", "اکنون با نویز."),
}
WESTERN = str.maketrans("۰۱۲۳۴۵۶۷۸۹٫٪", "0123456789.%")


def measured(desk: Desk, line: int) -> float:
    """The number of a goal as it stands now, in whichever digits."""
    text = desk.page.locator("#lesson .goal .now").nth(line).inner_text().translate(WESTERN)
    return float(re.findall(r"\d+(?:\.\d+)?", text)[0])


def tab_to(desk: Desk, selector: str, most: int = 120) -> None:
    """Press Tab until this part has the focus."""
    for _ in range(most):
        if desk.page.evaluate("(s) => document.activeElement?.matches(s)", selector):
            return
        desk.page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not reach {selector}")


def choose_file(desk: Desk, selector: str, path) -> None:
    """The file, through the dialog that Space on the button opens."""
    tab_to(desk, selector)
    with desk.page.expect_file_chooser() as chooser:
        desk.page.keyboard.press("Space")
    chooser.value.set_files(path)


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "fa"])
def test_a_teacher_runs_a_lesson_of_their_own_by_keyboard(open_desk, tmp_path, language):
    path = tmp_path / "clouds.json"
    path.write_text(json.dumps(LESSON, ensure_ascii=False), encoding="utf-8")
    desk = open_desk(locale="fa-IR" if language == "fa" else "en-GB")
    page = desk.page
    title, first, second = WORDS[language]
    tab_to(desk, "#lessons-open")
    page.keyboard.press("Enter")
    page.wait_for_selector("#lessons[open]")
    choose_file(desk, "[data-lesson=file]", path)
    page.wait_for_selector("#lesson:not([hidden])")
    assert page.inner_text("#lesson-title") == title
    assert first in page.inner_text("#lesson")
    desk.wait("document.querySelector('#epochs').dataset.steps === '0'")
    tab_to(desk, "#play")
    page.keyboard.press("Enter")
    page.wait_for_selector("#lesson .reached:not([hidden])")
    page.keyboard.press("Enter")  # stop
    desk.wait("document.querySelector('#play').ariaPressed === 'false'")
    run, n = desk.run, desk.run.points.n_train
    output = run.network.values(run.theta, run.X_test)[-1]
    right = np.mean(run.network.predict(output) == run.points.y[n:])
    assert measured(desk, 0) == pytest.approx(100 * right, abs=0.051)
    tab_to(desk, "#lesson [data-lesson=next]")
    page.keyboard.press("Enter")
    desk.wait("document.querySelector('#epochs').dataset.steps === '0'")
    assert second in page.inner_text("#lesson")
    desk.until(lambda: desk.run.settings["noise"] == 50, "the next step's noise")
    tab_to(desk, "#play")
    page.keyboard.press("Enter")
    page.wait_for_selector("#lesson .reached:not([hidden])")
    desk.at_epoch(20)
    losses = desk.run._losses(desk.run.theta)
    assert measured(desk, 0) == 20
    assert measured(desk, 1) == pytest.approx(losses[0], rel=0.02)
    desk.shot(f"workshop-lesson-{language}")


def towns(rows: int = 240) -> str:
    """Houses: which are sold depends on the area, the year and the town, and chance."""
    rng = np.random.default_rng(3)
    lines = ["area,built,town,rooms,sold"]
    for i in range(rows):
        area, built = rng.uniform(40, 200), rng.integers(1920, 2020)
        town = ("Ulm", "Bonn", "Köln")[i % 3]
        likes = (area - 120) / 40 + (built - 1970) / 30 + (town == "Ulm") + rng.normal()
        shown = "" if i % 11 == 0 else f"{area:.1f}"
        lines.append(f"{shown},{built},{town},{1 + int(area // 30)},{'yes' if likes > 0 else 'no'}")
    return "\n".join(lines) + "\n"


def output_on_plane(desk: Desk) -> np.ndarray:
    """What the engine answers on the pixels: two columns vary, the others are at their medians."""
    run = desk.run
    across, up = run.settings["across"], run.settings["up"]
    X = np.tile(np.median(run.points.X, axis=0), (100 * 100, 1))
    X[:, [across, up]] = grid()
    return run.network.values(run.theta, X.astype(run.theta.dtype))[-1][:, 0]


def saved(desk: Desk, button: str, folder):
    """The file that a button gives, through the keyboard."""
    tab_to(desk, button)
    with desk.page.expect_download() as download:
        desk.page.keyboard.press("Enter")
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


@pytest.mark.slow
def test_a_practitioner_goes_from_a_csv_to_a_model_file_and_a_script(open_desk, tmp_path):
    """By keyboard: a table, other axes, a run, a branch that is kept, a model file, a script."""
    table = tmp_path / "houses.csv"
    table.write_text(towns(), encoding="utf-8")
    desk = open_desk("hidden_layer_sizes=6&stop_epoch=40&panel=timeline")
    page = desk.page
    choose_file(desk, "#file", table)
    page.wait_for_selector("[data-own=use]")
    tab_to(desk, "[data-own=use]")
    page.keyboard.press("Enter")
    desk.wait("document.querySelector('#legend').textContent.includes('yes')")
    assert page.locator("[data-plane] option:checked").all_inner_texts() == ["area", "rooms"]
    assert "area_missing" in desk.run.points.axes
    assert_pixels(desk, "#heat", output_on_plane(desk))
    tab_to(desk, "[data-plane=up]")
    page.keyboard.type("built")
    desk.until(lambda: desk.run.points.axes[desk.run.settings["up"]] == "built", "built goes up")
    desk.wait("location.hash.includes('up=')")
    assert_pixels(desk, "#heat", output_on_plane(desk))

    tab_to(desk, "#play")
    page.keyboard.press("Enter")
    desk.at_epoch(40)
    moments = [one for one in desk.session.part(Timeline).moments if one.steps < desk.run.steps]
    desk.wait(f"document.querySelector('[data-line=moment]').max === '{len(moments)}'")
    tab_to(desk, "[data-line=moment]")
    for _ in range(4):
        page.keyboard.press("ArrowLeft")
    desk.wait(f"document.querySelector('#epochs').dataset.steps === '{moments[-4].steps}'")
    tab_to(desk, "[data-branch=solver]")
    page.keyboard.type("Ada")
    tab_to(desk, "[data-act=branch]")
    page.keyboard.press("Enter")
    desk.wait("document.querySelectorAll('.pair canvas').length === 2")
    tab_to(desk, "#play")
    page.keyboard.press("Enter")
    desk.at_epoch(40)
    branch = desk.session.part(Timeline).branch
    assert branch.settings["solver"] == "adam"
    tab_to(desk, "[data-act=keep]")
    page.keyboard.press("Enter")
    desk.wait("document.querySelector('[data-setting=solver]').value === 'adam'")
    assert_pixels(desk, "#heat", output_on_plane(desk))
    desk.shot("workshop-houses")

    arrays, header = read_model(saved(desk, "#model", tmp_path))
    for name, value in desk.run.network.objective.unpack(desk.run.theta).items():
        assert np.array_equal(arrays[name], value)
    assert header["classes"] == ["no", "yes"]
    script = saved(desk, "#script", tmp_path)
    done = subprocess.run(
        [sys.executable, script.name], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert desk.fingerprint in done.stdout
    shown = page.locator(".score.test b").first.inner_text()
    told = float(re.findall(r"penalty included: (\S+)", done.stdout)[0])
    assert told == pytest.approx(float(shown), rel=0.01)


@pytest.mark.slow
def test_principal_components_and_a_refusal_by_keyboard(open_desk, tmp_path):
    table = tmp_path / "houses.csv"
    table.write_text(towns(), encoding="utf-8")
    desk = open_desk("language=fa", quiet=True)
    page = desk.page
    choose_file(desk, "#file", table)
    page.wait_for_selector("[data-own=own_reading]")
    tab_to(desk, "[data-own=own_reading]")
    page.keyboard.press("End")
    desk.wait("document.querySelector('[data-own=own_reading]').value === 'components'")
    tab_to(desk, "[data-own=use]")
    page.keyboard.press("Enter")
    desk.wait("document.querySelector('#legend').textContent.includes('yes')")
    assert [axis[:3] for axis in desk.run.points.axes] == ["PC1", "PC2"]
    run = desk.run
    assert_pixels(desk, "#heat", run.network.values(run.theta, run.pixels)[-1][:, 0])
    bad = tmp_path / "bad.csv"
    bad.write_text("a,b\n1,2\n", encoding="utf-8")
    choose_file(desk, "#file", bad)
    desk.wait("!document.querySelector('#notice').hidden")
    assert "bad.csv: expected at least 3 columns" in page.inner_text("#notice")
    assert desk.run is run
