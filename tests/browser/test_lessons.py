"""Lessons in a real browser: taken as a person takes them, compared with what the engine holds."""

from __future__ import annotations

import json

import numpy as np
import pytest

from chainrule.server.lessons import lessons, read_lesson

from .desk import ARTIFACTS, Desk, Playground

MINE = {
    "chainrule_lesson": 1,
    "id": "mine",
    "title": "<img src=x onerror=alert(1)> درس من",
    "settings": {"dataset": "gauss", "seed": 7},
    "page": {"hide": ["export"]},
    "steps": [
        {
            "title": "First",
            "text": "<b>Not bold</b> & plain.\n\nSecond paragraph.",
            "goal": [{"measure": "epochs", "at_least": 2}],
        },
        {"text": "Just read.", "settings": {"noise": 30}},
    ],
}


def begin(desk: Desk, name: str) -> None:
    desk.page.click("#lessons-open")
    desk.page.click(f"#lessons [data-lesson='{name}']")
    desk.page.wait_for_selector("#lesson:not([hidden])")


def go_on(desk: Desk) -> None:
    """To the next step, once the goal is said to be reached."""
    desk.page.wait_for_selector("#lesson .reached:not([hidden])")
    desk.page.click("#lesson [data-lesson=next]")


def shown(desk: Desk, line: int = 0) -> str:
    return desk.page.locator("#lesson .goal .now").nth(line).inner_text()


@pytest.mark.slow
def test_one_neuron_from_beginning_to_end(open_desk):
    desk = open_desk()
    page = desk.page
    begin(desk, "one-neuron")
    first = lessons()[0]["steps"][0]["settings"]
    desk.wait("document.querySelectorAll('.node').length === 7 + 1")
    assert desk.run.settings["dataset"] == first["dataset"] == "gauss"
    assert desk.run.settings["hidden_layer_sizes"] == []
    assert "lesson=one-neuron" in page.url
    score = desk.run.observe(0, (0, 0)).scores[1]
    desk.wait(f"document.querySelector('#lesson .now').textContent === 'now {100 * score:.1f}%'")
    page.click("#play")
    page.wait_for_selector("#lesson .reached:not([hidden])")
    desk.shot("lesson-reached")
    page.click("#lesson [data-lesson=next]")
    desk.wait("document.querySelector('#epochs').dataset.steps === '0'")
    page.click("[data-key='1.0']")
    for name, nth, value in (("W1", 0, "1"), ("W1", 1, "1"), ("b1", 0, "0")):
        page.fill(f"[data-parameter={name}] >> nth={nth}", value)
    page.press("[data-parameter=b1]", "Enter")
    page.wait_for_selector("#lesson .reached:not([hidden])")
    output = desk.run.network.values(desk.run.theta, desk.run.X_test)[-1]
    right = np.mean(
        desk.run.network.predict(output) == desk.run.points.y[desk.run.points.n_train :]
    )
    assert shown(desk) == f"now {100 * right:.1f}%"
    assert right >= 0.95
    go_on(desk)
    desk.wait("document.querySelector('[data-dataset=circle]').ariaChecked === 'true'")
    page.click("#play")
    go_on(desk)
    for feature in ("0.2", "0.3"):
        page.click(f"[data-key='{feature}']")
    desk.wait("document.querySelector('#play').ariaPressed === 'false'")
    page.click("#play")
    page.wait_for_selector("#lesson .reached:not([hidden])")
    assert "whole lesson is done" in page.inner_text("#lesson .reached")
    assert page.inner_text("#lesson [data-lesson=next]") == "Next lesson ›"
    page.click("#lessons-open")
    assert page.inner_text("#lessons [data-lesson='one-neuron'] .mark") == "✓ done"
    page.keyboard.press("Escape")
    page.click("#lesson [data-lesson=next]")
    desk.wait("document.querySelector('#lesson-title').textContent.startsWith('XOR')")


def test_xor_is_learnt_with_a_layer_that_the_person_adds(open_desk):
    desk = open_desk()
    page = desk.page
    begin(desk, "xor")
    desk.wait("document.querySelectorAll('.node').length === 7 + 1")
    page.click("#play")
    go_on(desk)
    page.click("[data-key=add]")
    for _ in range(2):
        page.click("[data-key='more.1']")
    desk.wait("document.querySelectorAll('.node').length === 7 + 4 + 1")
    page.click("#play")
    go_on(desk)
    desk.until(
        lambda: desk.run.settings["activations"] == ["identity"], "the next step's activation"
    )


@pytest.mark.slow
def test_a_dead_neuron_is_brought_back_by_hand(open_desk):
    desk = open_desk("lesson=dead-relu")
    page = desk.page
    desk.wait("document.querySelectorAll('.node').length === 7 + 6 + 1")
    page.click("#epoch")
    page.wait_for_selector("#lesson .reached:not([hidden])")
    assert shown(desk) == f"now {(desk.run.observe(0, (0, 0)).states == 1).sum()}"
    go_on(desk)
    page.click("[data-key='1.1']")
    page.fill("[data-parameter=b1]", "20")
    page.press("[data-parameter=b1]", "Enter")
    page.wait_for_selector("#lesson .reached:not([hidden])")
    assert desk.run.observe(0, (0, 0)).states[1] == 0
    desk.shot("lesson-dead")


@pytest.mark.slow
def test_a_rate_too_high_ends_the_run_and_reaches_the_goal(open_desk):
    desk = open_desk("lesson=learning-rate")
    page = desk.page
    desk.wait("document.querySelector('[data-setting=learning_rate]').value === '3'")
    page.click("#play")
    go_on(desk)
    desk.until(lambda: desk.run.settings["learning_rate"] == 1e-5, "the next step's rate")
    assert desk.run.failure is None
    desk.wait("document.querySelector('#notice').hidden")


@pytest.mark.slow
def test_overfitting_is_seen_and_cured(open_desk):
    desk = open_desk("lesson=overfitting")
    page = desk.page
    desk.wait("document.querySelectorAll('.node').length === 7 + 32 + 1")
    assert page.is_checked("#show_test")
    page.click("#play")
    page.wait_for_selector("#lesson .reached:not([hidden])", timeout=90_000)
    page.click("#play")
    desk.wait("document.querySelector('#play').ariaPressed === 'false'")
    losses = desk.run.observe(0, (0, 0)).losses
    gap = pytest.approx(losses[1] - losses[0], rel=0.02)
    desk.until(lambda: float(shown(desk).removeprefix("now ")) == gap, f"a gap of {gap}")
    go_on(desk)
    page.select_option("[data-setting=regularization]", "l2")
    page.fill("[data-setting=strength]", "0.03")
    page.press("[data-setting=strength]", "Tab")
    page.click("#play")
    page.wait_for_selector("#lesson .reached:not([hidden])", timeout=60_000)
    desk.shot("lesson-overfitting")


@pytest.mark.slow
def test_the_backward_pass_by_keyboard_alone(open_desk):
    desk = open_desk("lesson=backward-pass")
    page = desk.page
    desk.wait("document.querySelectorAll('.node').length === 7 + 2 + 1")
    page.focus("#play")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "inside"
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-phase=forward]")
    session = desk.playground.sessions.newest
    for _ in range(len(session.inside.forward)):
        page.focus("[data-act=next]")
        position = session.inside.position
        page.keyboard.press("Enter")
        desk.wait(f"document.querySelector('.phase').textContent.includes(' {position + 1} /')")
    page.wait_for_selector("#lesson .reached:not([hidden])")
    assert shown(desk) == "now 100.0%"
    page.focus("#lesson [data-lesson=next]")
    page.keyboard.press("Enter")
    page.focus("[data-act=backward]")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-phase=update]")
    go_on(desk)
    for index in ("0,0", "1,1"):
        page.click("[data-node=W1]")
        page.focus(f"[data-gradient='W1:{index}']")
        page.keyboard.press("Enter")
        page.wait_for_selector("[data-check=central]")
    go_on(desk)
    page.focus("[data-act=update]")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-phase=forward]")
    desk.until(lambda: desk.run.steps == 1, "a step")
    page.wait_for_selector("#lesson .reached:not([hidden])")
    desk.shot("lesson-backward")
    go_on(desk)
    page.keyboard.press("Escape")
    page.click("[data-act=leave]")
    page.click("#play")
    page.wait_for_selector("#lesson .reached:not([hidden])")


def test_a_teachers_file_dropped_on_the_page_is_shown_as_text_only(open_desk, playground):
    desk = open_desk(locale="fa-IR")
    page = desk.page
    drop(page, "mine.json", json.dumps(MINE, ensure_ascii=False))
    page.wait_for_selector("#lesson:not([hidden])")
    assert page.inner_text("#lesson-title") == MINE["title"]
    assert page.locator("#lesson p").nth(0).inner_text() == "<b>Not bold</b> & plain."
    assert page.locator("#lesson img, #lesson b").count() == 0
    desk.until(lambda: desk.run.settings["seed"] == 7, "the lesson's seed")
    desk.wait("document.querySelector('#epochs').dataset.steps === '0'")
    assert page.locator("#script").is_hidden()
    page.click("#epoch")
    desk.at_epoch(1)
    page.click("#epoch")
    desk.at_epoch(2)
    page.wait_for_selector("#lesson .reached:not([hidden])")
    first = desk.fingerprint
    page.reload()
    desk.ready()
    page.wait_for_selector("#lesson .reached:not([hidden])")
    assert desk.fingerprint == first
    page.click("#lesson [data-lesson=next]")
    desk.until(lambda: desk.run.settings["noise"] == 30, "the next step's noise")
    desk.wait("document.querySelector('#epochs').dataset.steps === '0'")
    page.click("#lesson [data-lesson=next]")
    assert page.locator("#lesson").is_hidden()
    assert page.locator("#script").is_visible()


DROP = """([name, content]) => {
  const data = new DataTransfer();
  data.items.add(new File([content], name));
  for (const type of ['dragenter', 'dragover', 'drop']) {
    document.querySelector('#heat').dispatchEvent(
      new DragEvent(type, {dataTransfer: data, bubbles: true, cancelable: true}));
  }
}"""


def drop(page, name: str, content: str) -> None:
    page.evaluate(DROP, [name, content])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", json.dumps({**MINE, "steps": []}), "lesson.json, steps: expected a list of 1"),
        ("a.json", "[" * 5000, "lesson.json: expected JSON"),
        ("a.json", json.dumps(MINE) + " " * 70_000, "lesson.json: expected at most 65536 bytes"),
        ("a.exe", "MZ", "neither a CSV table nor a lesson"),
    ],
)
def test_a_wrong_file_is_refused_in_the_page_and_the_run_goes_on(open_desk, name, content, message):
    desk = open_desk(quiet=True)
    before = desk.run.number
    drop(desk.page, name, content)
    desk.wait("!document.querySelector('#notice').hidden")
    assert message in desk.page.inner_text("#notice")
    assert desk.page.locator("#lesson").is_hidden()
    assert desk.run.number == before


def test_a_lesson_given_at_launch_is_there_from_the_start(browser):
    lesson = read_lesson(json.dumps(MINE).encode())
    with Playground(lesson=lesson) as handle:
        context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
        desk = Desk(context.new_page(), handle).open()
        desk.page.wait_for_selector("#lesson:not([hidden])")
        desk.until(lambda: desk.run.settings["seed"] == 7, "the lesson's seed")
        assert desk.page.locator("#script").is_hidden()
        context.close()


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "fa"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280, 2560])
def test_lessons_at_every_width_scheme_and_language(open_desk, width, scheme, language):
    desk = open_desk(
        f"lesson=dead-relu&language={language}",
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
        locale="fa-IR" if language == "fa" else "en-GB",
    )
    page = desk.page
    desk.wait("document.querySelectorAll('.node').length === 7 + 6 + 1")
    page.click("#epoch")
    page.wait_for_selector("#lesson .reached:not([hidden])")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    name = f"lesson-{width}-{scheme}-{language}"
    page.screenshot(path=ARTIFACTS / f"{name}.png", full_page=True)
    lesson, network = (page.locator(one).bounding_box() for one in ("#lesson", ".network"))
    if width >= 1180:  # beside it, where reading begins
        assert (lesson["x"] < network["x"]) == (language == "en")
        assert abs(lesson["y"] - network["y"]) < 2
    else:
        assert lesson["y"] < network["y"]
    page.click("#lessons-open")
    assert page.evaluate("document.querySelector('#lessons').scrollWidth") <= width
    page.screenshot(path=ARTIFACTS / f"{name}-list.png")
