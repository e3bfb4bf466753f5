"""How it looks and to whom: widths, schemes, languages, accessibility, hidden parts."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from .desk import artifact

PAGE = Path(__file__).resolve().parents[2] / "src" / "chainrule" / "server" / "page"


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "fa"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1024, 2560])
def test_every_width_scheme_and_language(open_desk, width, scheme, language):
    desk = open_desk(
        f"dataset=rings&language={language}&stop_epoch=40&solver=adam",
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
        locale="fa-IR" if language == "fa" else "en-GB",
        has_touch=width == 360,
    )
    desk.page.click("#play")
    desk.at_epoch(40)
    assert desk.page.evaluate("document.documentElement.scrollWidth") <= width
    dark = desk.page.evaluate("getComputedStyle(document.body.parentElement).backgroundColor")
    assert (sum(map(int, dark[4:-1].split(","))) < 200) == (scheme == "dark")
    clipped = desk.page.evaluate(
        """() => [...document.querySelectorAll('button:not(.node), h2, dt, .hint')].filter((e) =>
          e.offsetParent && e.scrollWidth > e.clientWidth + 2).map((e) => e.outerHTML)"""
    )
    assert clipped == []
    desk.page.screenshot(path=artifact(f"looks-{width}-{scheme}-{language}"), full_page=True)


def test_persian_reads_from_the_right(open_desk):
    desk = open_desk("language=fa")
    page = desk.page
    assert page.evaluate("document.documentElement.dir") == "rtl"
    places = page.evaluate(
        """() => ['0.0', '1.0', '2.0', '3.0'].map((key) =>
          document.querySelector(`[data-key="${key}"]`).getBoundingClientRect().left)"""
    )
    assert places == sorted(places, reverse=True)
    assert page.evaluate("document.querySelector('.points').getBoundingClientRect().left") > 1000
    assert page.inner_text("#epochs") == "۰"
    assert page.inner_text("#connection") == "متصل"
    assert "English" in page.inner_text("#language")
    page.click("#language")
    assert page.evaluate("document.documentElement.dir") == "ltr"
    assert page.inner_text("#points-title") == "Points"
    assert page.inner_text("#connection") == "Connected"


def test_both_languages_say_everything():
    english, persian = (
        json.loads((PAGE / f"{language}.json").read_text(encoding="utf-8"))
        for language in ("en", "fa")
    )
    assert english.keys() == persian.keys()
    for key, text in english.items():
        places = {part.split("}")[0] for part in text.split("{")[1:]}
        assert places == {part.split("}")[0] for part in persian[key].split("{")[1:]}, key


def test_an_address_can_hide_controls(open_desk):
    desk = open_desk("hide=solver,dataset,layers,export")
    page = desk.page
    assert page.locator("[data-setting=solver]").is_hidden()
    assert page.locator("#datasets").is_hidden()
    assert page.locator("[data-key='more.1']").is_hidden()
    assert page.locator("#script").is_hidden()
    assert page.locator("[data-setting=learning_rate]").is_visible()


def test_test_points_and_decision(open_desk):
    desk = open_desk("dataset=gauss&stop_epoch=5")
    desk.page.click("#play")
    desk.at_epoch(5)
    count = """() => { const c = document.querySelector('#heat');
      const d = c.getContext('2d').getImageData(0, 0, 100, 100).data;
      return new Set(Array.from({length: 10000}, (_, i) => d.slice(4*i, 4*i+3).join())).size; }"""
    assert desk.page.evaluate(count) > 10
    desk.page.check("#discretize")
    assert desk.page.evaluate(count) == 2
    ink = (
        "() => document.querySelector('#dots').getContext('2d').getImageData(0, 0, "
        "document.querySelector('#dots').width, document.querySelector('#dots').height)"
        ".data.reduce((a, b) => a + (b > 0), 0)"
    )
    before = desk.page.evaluate(ink)
    desk.page.check("#show_test")
    assert desk.page.evaluate(ink) > 1.3 * before


def inside(desk):
    desk.page.click("#inside")
    desk.page.wait_for_selector("[data-phase=forward]")
    desk.page.click("[data-act=backward]")
    desk.page.wait_for_selector("[data-phase=update]")
    desk.page.click("[data-edge-gradient=W1]")
    desk.page.wait_for_selector("[data-check=central]")


def learnt(desk):
    if desk.page.locator("#confusion").is_visible():
        desk.page.click("#confusion summary")
    desk.page.click("#play")
    desk.at_epoch(30)


def learnt_a_little(desk):
    desk.wait("!document.querySelector('#lesson').hidden")
    desk.page.click("#epoch")
    desk.at_epoch(1)


def own_table(desk):
    content = b"across,up,kind\n" + b"".join(b"%d,%d,%d\n" % (i, i % 7, i % 2) for i in range(30))
    table = {"name": "mine.csv", "mimeType": "text/csv", "buffer": content}
    desk.page.set_input_files("#file", table)
    desk.page.click("[data-own=use]")
    desk.wait("document.querySelector('[data-dataset=own]')?.ariaChecked === 'true'")


def many_columns(desk):
    rows = b"".join(b"%d,%d,%s,%d\n" % (i, i % 7, b"ab"[i % 2 :], i % 2) for i in range(30))
    table = {"name": "mine.csv", "mimeType": "text/csv", "buffer": b"one,two,three,kind\n" + rows}
    desk.page.set_input_files("#file", table)
    desk.page.wait_for_selector(".ticks")


def error(desk):
    table = {"name": "bad.csv", "mimeType": "text/csv", "buffer": b"a,b\n1,2\n"}
    desk.page.set_input_files("#file", table)
    desk.wait("!document.querySelector('#notice').hidden")
    assert "bad.csv: expected at least 3 columns" in desk.page.inner_text("#notice")


def card(desk):
    desk.page.click("[data-key='1.0']")
    desk.wait("document.querySelector('#card').open")


def lessons(desk):
    desk.wait("!document.querySelector('#lesson').hidden")
    desk.page.click("#lessons-open")
    desk.wait("document.querySelector('#lessons').open")


def branched(desk):
    desk.wait("document.querySelectorAll('.pair canvas').length === 2")


def surveyed(desk):
    learnt(desk)
    desk.wait("/at|way/.test(document.querySelector('#surface-text').textContent)")


def counted(desk):
    desk.wait("document.querySelector('[data-histogram]')")


def bent(desk):
    desk.wait("document.querySelector('#space-text').textContent.includes('۰')")


def written(desk):
    desk.page.focus("#slate")
    for key in ("Space", "ArrowDown", "Shift+ArrowDown"):
        desk.page.keyboard.press(key)
    desk.wait("document.querySelector('#seen-text').textContent.startsWith('اینجا')")


def browsed(desk):
    learnt(desk)
    desk.page.wait_for_selector(".mistake")


STATES = {
    "start": ("", []),
    "dark Persian inside": ("language=fa&theme=dark", [inside]),
    "many classes, learnt": ("dataset=arms&stop_epoch=30", [learnt]),
    "many classes, inside": ("dataset=arms", [inside]),
    "regression, dark": ("dataset=peaks&theme=dark&loss=squared_error&stop_epoch=30", [learnt]),
    "many layers, a card": ("hidden_layer_sizes=64,8,12,4,3,2,2,2&activations=relu", [card]),
    "a table, Persian": ("language=fa", [own_table]),
    "drawing, dark": ("theme=dark&dataset=drawn", []),
    "many columns, Persian": ("language=fa", [many_columns]),
    "a lesson, Persian": ("language=fa&lesson=xor", [learnt_a_little]),
    "the lessons, dark": ("theme=dark&lesson=overfitting", [lessons]),
    "a branch": ("dataset=xor&fork=300&fork_solver=adam&panel=timeline", [branched]),
    "a branch, dark Persian": (
        "language=fa&theme=dark&dataset=arms&fork=300&fork_solver=adam&panel=timeline",
        [branched],
    ),
    "the surface": ("dataset=xor&panel=surface&surface=random&stop_epoch=30", [surveyed]),
    "the surface, dark Persian": (
        "language=fa&theme=dark&dataset=peaks&loss=squared_error&panel=surface&stop_epoch=30",
        [learnt],
    ),
    "histograms, Persian": ("language=fa&panel=histograms&activations=relu,tanh", [counted]),
    "histograms, dark": ("dataset=xor&theme=dark&panel=histograms", [counted]),
    "warped space, Persian": ("language=fa&panel=space&hidden_layer_sizes=3", [bent]),
    "digits, Persian": ("language=fa&dataset=digits&hidden_layer_sizes=12", [written]),
    "mistakes, dark": ("theme=dark&dataset=digits&panel=mistakes&stop_epoch=30", [browsed]),
    "an error, dark": ("theme=dark", [error]),
}


@pytest.mark.slow
@pytest.mark.parametrize("state", STATES)
def test_no_serious_finding_of_axe(open_desk, state):
    """axe-core from an installed npm package; AXE_CORE names another place."""
    source = os.environ.get("AXE_CORE", "node_modules/axe-core/axe.min.js")
    if not Path(source).is_file():
        pytest.skip("axe-core is not installed: npm install axe-core, or set AXE_CORE")
    address, acts = STATES[state]
    desk = open_desk(address, bypass_csp=True, quiet=state.startswith("an error"))
    for act in acts:
        act(desk)
    desk.page.evaluate(Path(source).read_text(encoding="utf-8"))
    found = desk.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    bad = [
        (one["id"], one["nodes"][0]["html"][:200])
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]
    assert bad == []


def test_the_modules_pass_the_type_checker():
    tsc = shutil.which("tsc", path=f"node_modules/.bin:{os.environ['PATH']}") or os.environ.get(
        "TSC"
    )
    if not tsc:
        pytest.skip("TypeScript is not installed: npm install typescript, or set TSC")
    config = Path(__file__).with_name("jsconfig.json")
    done = subprocess.run([tsc, "-p", config], capture_output=True, text=True, check=False)
    assert done.stdout == ""
    assert done.returncode == 0
