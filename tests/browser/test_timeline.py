"""The timeline as a person uses it: looking back, going on from there, branches, sharing them."""

from __future__ import annotations

import json
from urllib.parse import parse_qs

import numpy as np
import pytest

from chainrule.server.frames import fingerprint, grid
from chainrule.server.timeline import Timeline

from .desk import artifact, assert_pixels

START = "dataset=xor&solver=momentum&stop_epoch=80&panel=timeline"
SIDE = "[data-side={}] canvas"


def learnt(desk, epoch=80):
    desk.page.click("#play")
    desk.at_epoch(epoch)


def back(desk, times):
    """Press ← on the line of moments; the page then shows that moment."""
    steps = [one.steps for one in desk.session.part(Timeline).moments]
    steps = [one for one in steps if one < desk.run.steps]
    wait_for_slider(desk, len(steps))
    for _ in range(times):
        desk.page.press("[data-line=moment]", "ArrowLeft")
    wanted = steps[-times]
    desk.wait(f"document.querySelector('#epochs').dataset.steps === '{wanted}'")
    return next(one for one in desk.session.part(Timeline).moments if one.steps == wanted)


def wait_for_slider(desk, count):
    desk.wait(f"document.querySelector('[data-line=moment]').max === '{count}'")


def output(run, theta):
    return run.network.values(theta, run.features_of_picture(grid()))[-1][:, 0]


@pytest.mark.slow
def test_looking_back_shows_the_run_as_it_was_and_goes_on_from_there(open_desk):
    desk = open_desk(START)
    learnt(desk)
    end = desk.fingerprint
    moment = back(desk, 12)
    assert desk.fingerprint == f"{fingerprint(moment.memory.theta):016x}"
    assert_pixels(desk, "#heat", output(desk.run, moment.memory.theta))
    said = desk.page.get_attribute("[data-line=moment]", "aria-valuetext")
    assert said == f"epoch {moment.epochs:.3g} of 80"
    desk.shot("timeline-back")
    desk.page.click("[data-act=now]")
    desk.wait(f"document.querySelector('#fingerprint').textContent === '{end}'")
    moment = back(desk, 5)
    desk.page.click("[data-act=go_on]")
    desk.wait("document.querySelector('[data-act=go_on]').disabled")
    desk.until(lambda: desk.run.steps == moment.steps, "the moment")
    learnt(desk)
    assert desk.fingerprint == end  # the same way again


def test_two_branches_side_by_side_by_keyboard_and_shared_as_a_link(open_desk, playground):
    desk = open_desk(START)
    learnt(desk)
    moment = back(desk, 20)
    page = desk.page
    page.focus("[data-branch=solver]")
    page.keyboard.type("Ada")  # as in any list: the first that begins so
    page.fill("[data-branch=learning_rate]", "0.02")
    page.select_option("[data-branch=activations]", "relu")
    page.focus("[data-act=branch]")
    page.keyboard.press("Enter")
    desk.wait("document.querySelectorAll('.pair canvas').length === 2")
    line = desk.session.part(Timeline)
    assert line.fork.steps == moment.steps
    desk.page.locator("#stage-title").focus()
    page.keyboard.press(" ")
    desk.at_epoch(80)
    branch = line.branch
    assert branch.settings["solver"] == "adam"
    assert branch.settings["activations"] == ["relu", "relu"]
    assert branch.epochs == 80
    assert_pixels(desk, SIDE.format("run"), output(desk.run, desk.run.theta))
    assert_pixels(desk, SIDE.format("branch"), output(branch, branch.theta))
    text = page.inner_text("[data-side=branch]")
    losses = branch._losses(branch.theta)
    assert f"training loss {losses[0] + losses[2]:.3g}, test loss {losses[1]:.3g}" in text
    desk.shot("timeline-branches")

    address = page.evaluate("location.hash")[1:]
    said = parse_qs(address)
    assert said["fork"] == [str(moment.steps)]
    assert said["fork_solver"] == ["adam"]
    other = open_desk(address)  # another browser
    other.wait(
        f"document.querySelector('#epochs').dataset.steps === '{moment.steps}' && "
        "document.querySelectorAll('.pair canvas').length === 2"
    )
    learnt(other)
    assert other.fingerprint == desk.fingerprint
    again = other.session.part(Timeline).branch
    assert np.array_equal(again.theta, branch.theta)
    assert_pixels(other, SIDE.format("branch"), output(branch, branch.theta))


@pytest.mark.slow
def test_a_run_file_opens_in_another_browser(open_desk, tmp_path):
    desk = open_desk("dataset=gauss&noise=20&stop_epoch=30&panel=timeline")
    learnt(desk, 30)
    desk.page.click("[data-key='1.0']")
    desk.page.fill("#card input[data-parameter=b1]", "0.75")
    desk.page.press("#card input[data-parameter=b1]", "Enter")
    desk.wait("!document.querySelector('#card').open")
    desk.page.fill("[data-setting=stop_epoch]", "50")
    desk.page.press("[data-setting=stop_epoch]", "Tab")
    desk.page.select_option("[data-branch=solver]", "rmsprop")
    desk.page.fill("[data-branch=learning_rate]", "0.01")
    desk.page.click("[data-act=branch]")
    desk.wait("document.querySelectorAll('.pair canvas').length === 2")
    learnt(desk, 50)
    with desk.page.expect_download() as waiting:
        desk.page.press("[data-run=save]", "Enter")
    path = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(path)
    assert json.loads(path.read_text(encoding="utf-8"))["format"] == "chainrule run"
    branch = desk.session.part(Timeline).branch

    other = open_desk("panel=timeline&dataset=circle")
    with other.page.expect_file_chooser() as chooser:
        other.page.press("[data-run=open]", "Space")
    chooser.value.set_files(path)
    other.at_epoch(50)
    other.wait("document.querySelectorAll('.pair canvas').length === 2")
    assert other.fingerprint == desk.fingerprint
    other.wait("document.querySelector('#connection').textContent.includes('same bits')")
    assert np.array_equal(other.session.part(Timeline).branch.theta, branch.theta)
    other.page.press("[data-act=keep]", "Enter")
    other.wait("document.querySelector('[data-setting=solver]').value === 'rmsprop'")
    other.wait(
        f"document.querySelector('#fingerprint').textContent === '{fingerprint(branch.theta):016x}'"
    )


def test_a_hostile_run_file_is_refused_in_the_page_and_the_run_stays(open_desk):
    desk = open_desk("dataset=gauss&stop_epoch=5&panel=timeline", quiet=True)
    learnt(desk, 5)
    before = desk.fingerprint
    for content in (b"{}", b"[" * 100_000, b'{"format": "chainrule run", "journal": [["eval"]]}'):
        file = {"name": "x.json", "mimeType": "application/json", "buffer": content}
        desk.page.set_input_files("[data-run=open]", file)
        desk.wait("document.querySelector('#notice').textContent.includes('run file')")
    assert desk.fingerprint == before
    assert desk.run.epochs == 5


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "fa"])
@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light"), (2560, "dark")])
def test_it_fits_every_width(open_desk, width, scheme, language):
    options = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme}
    address = f"dataset=rings&fork=500&fork_solver=adam&panel=timeline&language={language}"
    desk = open_desk(address, **options)
    desk.wait("document.querySelectorAll('.pair canvas').length === 2")
    assert desk.page.evaluate("document.documentElement.scrollWidth") <= width
    clipped = desk.page.evaluate(
        """() => [...document.querySelectorAll('.drawer button, .drawer .hint, .drawer b')].filter(
          (e) => e.offsetParent && e.scrollWidth > e.clientWidth + 2).map((e) => e.outerHTML)"""
    )
    assert clipped == []
    desk.page.locator("#drawer").screenshot(path=artifact(f"timeline-{width}-{language}"))
