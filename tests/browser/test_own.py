"""Own points in a real browser: drawn by mouse, finger and keyboard; tables of any columns."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.server.drawing import FIRST_DRAWING, points_of_drawing
from chainrule.server.encoded import points_of_table

from .desk import ARTIFACTS, Desk
from .test_lessons import drop

TOWNS = ("Ulm", "Bonn", "Köln")
MIXED = "age,town,since,id,kind\n" + "".join(
    f"{20 + i % 37 if i % 9 else ''},{TOWNS[i % 3]},2024-0{1 + i % 9}-11,c{i},"
    f"{'old' if i % 37 > 18 else 'young'}\n"
    for i in range(300)
)


def draw_mode(desk: Desk) -> None:
    desk.page.click("[data-dataset=drawn]")
    desk.page.wait_for_selector("#pad:not([hidden])")
    desk.wait("document.querySelector('#draw-status').textContent.includes('36')")


def place(desk: Desk, x: float, y: float) -> tuple[float, float]:
    """Where a point of the plane stands in the window."""
    box = desk.page.locator("#pad").bounding_box()
    return box["x"] + (x + 6) / 12 * box["width"], box["y"] + (6 - y) / 12 * box["height"]


def drawn(desk: Desk) -> set[tuple[float, float, int]]:
    points = desk.run.points
    return {
        (round(x, 2), round(y, 2), int(k)) for (x, y), k in zip(points.X, points.y, strict=True)
    }


def has_points(desk: Desk, count: int) -> None:
    """Until so many points are learnt from, and the page says so."""
    desk.wait(f"document.querySelector('#draw-status').textContent.includes('Points: {count}.')")
    desk.until(lambda: len(desk.run.points.y) == count, f"{count} points are learnt from")


def test_points_drawn_with_the_mouse_are_learnt_from(open_desk):
    desk = open_desk("hidden_layer_sizes=8&solver=adam&learning_rate=0.03&train_percent=90")
    page = desk.page
    draw_mode(desk)
    assert len(drawn(desk)) == len(points_of_drawing(FIRST_DRAWING).y)
    page.click("[data-pen=clear]")
    assert "at least four points" in page.inner_text("#draw-status")
    for pen, centre in ((0, -3.0), (2, 3.0)):
        page.click(f"[data-pen='{pen}']")
        page.mouse.move(*place(desk, centre, -3))
        page.mouse.down()
        page.mouse.move(*place(desk, centre, 3), steps=24)
        page.mouse.up()
    desk.until(lambda: len(desk.run.points.y) > 20, "both strokes")
    points = drawn(desk)
    assert {k for x, _, k in points if x < 0} == {0}
    assert {k for x, _, k in points if x > 0} == {2}
    assert all(abs(abs(x) - 3) < 0.1 and abs(y) < 3.1 for x, y, _ in points)
    assert desk.run.points.classes == ("0", "1", "2")
    page.click("#play")
    desk.wait("document.querySelectorAll('.score.train b')[1].textContent === '100.0%'")
    answers = desk.run.network.values(desk.run.theta, np.array([[-3.0, 0], [3.0, 0]], np.float32))
    assert answers[-1].argmax(axis=1).tolist() == [0, 2]
    desk.shot("drawn")


def test_a_stroke_while_it_plays_goes_on_playing_and_can_be_undone(open_desk):
    desk = open_desk()
    draw_mode(desk)
    desk.page.click("#play")
    before = drawn(desk)
    desk.page.mouse.click(*place(desk, 5, 5))
    has_points(desk, 37)
    assert drawn(desk) - before == {(5.0, 5.0, 0)}
    steps = desk.run.steps
    desk.wait(f"Number(document.querySelector('#epochs').dataset.steps) > {steps}")
    desk.page.click("[data-pen=undo]")
    has_points(desk, 36)
    assert drawn(desk) == before
    desk.page.click("[data-pen=erase]")
    x, y, _ = next(iter(before))
    desk.page.mouse.click(*place(desk, x, y))
    desk.wait("!document.querySelector('#draw-status').textContent.includes('36')")
    desk.page.wait_for_timeout(400)
    assert (x, y) not in {point[:2] for point in drawn(desk)}


def test_drawing_by_keyboard_alone(open_desk):
    desk = open_desk()
    page = desk.page
    page.focus("[data-dataset=circle]")
    for _ in range(9):
        page.keyboard.press("ArrowRight")
    page.wait_for_selector("#pad:not([hidden])")
    before = drawn(desk)
    page.focus("#regenerate")
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "pad":
            break
    assert page.evaluate("document.activeElement.id") == "pad"
    for key in ("Shift+ArrowRight", "ArrowRight", "Shift+ArrowDown", "3", "Space"):
        page.keyboard.press(key)
    has_points(desk, 37)
    assert drawn(desk) - before == {(1.25, -1.0, 3)}
    assert "1.25" in page.inner_text("#draw-status")
    assert "class 3" in page.inner_text("#draw-status")
    assert page.get_attribute("#play", "aria-pressed") == "false"  # Space drew, and no more
    desk.shot("drawn-by-keyboard")
    page.keyboard.press("Delete")
    has_points(desk, 36)
    page.keyboard.press("Control+z")
    has_points(desk, 37)


def test_drawing_with_a_finger(open_desk):
    desk = open_desk(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = desk.page
    page.tap("[data-dataset=drawn]")
    page.wait_for_selector("#pad:not([hidden])")
    page.tap("[data-pen='1']")
    page.locator("#pad").scroll_into_view_if_needed()
    scrolled = page.evaluate("scrollY")
    session = page.context.new_cdp_session(page)
    touches = [place(desk, x, 5) for x in (-5, -4, -3, -2)]
    for kind, (x, y) in zip(
        ["touchStart", "touchMove", "touchMove", "touchMove"], touches, strict=True
    ):
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    has_points(desk, 40)
    assert page.evaluate("scrollY") == scrolled  # the finger drew and did not scroll
    assert sum(abs(y - 5) < 0.15 and k == 1 for _, y, k in drawn(desk)) == 4
    desk.shot("drawn-by-touch")


def test_an_address_holds_the_drawing_and_repeats_its_run(open_desk):
    desk = open_desk("stop_epoch=30")
    draw_mode(desk)
    desk.page.mouse.click(*place(desk, -5, 4))
    has_points(desk, 37)
    desk.page.click("#play")
    desk.at_epoch(30)
    other = open_desk(desk.page.evaluate("location.hash").removeprefix("#"))
    other.page.click("#play")
    other.at_epoch(30)
    assert drawn(other) == drawn(desk)
    assert other.fingerprint == desk.fingerprint


@pytest.mark.parametrize("text", ["____" * 5, "AAAA" * 9, "%3Cimg%3E", "AAAB" * 1001])
def test_an_address_with_a_drawing_that_is_none_begins_with_the_first(open_desk, text):
    desk = open_desk(f"dataset=drawn&drawing={text}")
    assert desk.run.settings["drawing"] == FIRST_DRAWING
    assert desk.page.locator("#pad").is_visible()


def taken(desk: Desk, text: str, name: str = "mixed.csv") -> None:
    drop(desk.page, name, text)
    desk.page.wait_for_selector("#columns:not([hidden]) [data-own=use]")


def test_a_dropped_table_of_many_columns_is_drawn_in_pairs(open_desk):
    desk = open_desk("seed=2")
    page = desk.page
    taken(desk, MIXED)
    assert page.input_value("[data-own=own_reading]") == "columns"
    ticks = page.locator(".ticks label").all_inner_texts()
    assert [tick.split("\n")[0] for tick in ticks] == ["age", "town", "since", "id"]
    assert not page.is_checked("[data-own='tick 3']")  # an identifier
    page.uncheck("[data-own='tick 2']")
    page.click("[data-own=use]")
    desk.wait("document.querySelector('#legend').textContent.includes('young')")
    expected = points_of_table(MIXED.encode(), ["age", "town"], "kind")
    assert desk.run.points.axes == expected.axes
    assert np.array_equal(desk.run.points.X, expected.X)
    shown = page.locator("[data-plane=across] option").all_inner_texts()
    assert tuple(shown) == expected.axes
    assert "age" in page.locator("[data-plane] option:checked").all_inner_texts()
    page.click("#play")
    desk.wait("parseFloat(document.querySelectorAll('.score.test b')[1].textContent) >= 90")
    desk.shot("table-in-pairs")


def test_a_table_by_its_principal_components(open_desk, tmp_path):
    desk = open_desk()
    page = desk.page
    path = tmp_path / "mixed.csv"
    path.write_text(MIXED, encoding="utf-8")
    page.set_input_files("#file", path)
    page.select_option("[data-own=own_reading]", "components")
    page.click("[data-own=use]")
    desk.wait("document.querySelector('#legend').textContent.includes('young')")
    left_out = ["age", "town", "since"]
    expected = points_of_table(MIXED.encode(), left_out, "kind", reading="components")
    assert np.array_equal(desk.run.points.X, expected.X)
    assert desk.run.points.axes[0].startswith("PC1 (")
    with page.expect_download() as download:
        page.click("#script")
    script = tmp_path / "playground.py"
    download.value.save_as(script)
    text = script.read_text(encoding="utf-8")
    assert "points_of_table" in text
    assert "reading='components'" in text
    page.select_option("[data-own=own_target]", "age")
    page.click("[data-own=use]")
    desk.wait("!document.querySelector('#notice').hidden")
    assert "expected a label; came none" in page.inner_text("#notice")
    desk.shot("table-components")


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "fa"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280, 2560])
def test_own_points_at_every_width_scheme_and_language(open_desk, width, scheme, language):
    desk = open_desk(
        f"dataset=drawn&language={language}",
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
        locale="fa-IR" if language == "fa" else "en-GB",
    )
    page = desk.page
    page.wait_for_selector("#pad:not([hidden])")
    taken(desk, MIXED)
    page.focus("#pad")
    page.keyboard.press("ArrowUp")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=ARTIFACTS / f"own-{width}-{scheme}-{language}.png", full_page=True)
