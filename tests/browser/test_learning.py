"""Learning in a real browser: the spiral, pixels, the address, edits, keyboard, reload."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr
from chainrule.server.frames import fingerprint, grid

from .desk import Desk, assert_pixels
from .desk import playground as open_playground

SPIRAL = "dataset=spiral&features=x1,x2,sin_x1,sin_x2&hidden_layer_sizes=8,6&solver=adam"


def test_learn_the_spiral_from_the_page(open_desk):
    """As a person would: choose the spiral, add inputs and neurons, choose Adam, press play."""
    desk = open_desk()
    page = desk.page
    page.click("[data-dataset=spiral]")
    page.click("[data-key='0.5']")
    page.click("[data-key='0.6']")
    for _ in range(4):
        page.click("[data-key='more.1']")
        page.click("[data-key='more.2']")
    page.select_option("[data-setting=solver]", "adam")
    page.fill("[data-setting=learning_rate]", "0.01")
    page.press("[data-setting=learning_rate]", "Tab")
    desk.wait("document.querySelectorAll('.node').length === 7 + 8 + 6 + 1")
    page.click("#play")
    desk.wait("parseFloat(document.querySelectorAll('.score.test b')[1].textContent) >= 95", 90)
    page.click("#play")
    desk.wait("document.querySelector('#play').getAttribute('aria-pressed') === 'false'")
    run = desk.run
    assert run.settings["features"] == ["x1", "x2", "sin_x1", "sin_x2"]
    assert run.settings["hidden_layer_sizes"] == [8, 6]
    output = run.network.values(run.theta, run.X_test)[-1]
    accuracy = np.mean(run.network.predict(output) == run.points.y[run.points.n_train :])
    desk.wait(
        f"document.querySelectorAll('.score.test b')[1].textContent === '{100 * accuracy:.1f}%'"
    )
    desk.shot("spiral")


def test_a_hand_quicker_than_the_line_is_not_set_back(open_desk, slow_line):
    desk = open_desk()
    page = desk.page
    slow_line(0.2)
    page.click("[data-dataset=spiral]")
    for feature in ("0.2", "0.3"):
        page.click(f"[data-key='{feature}']")
    for _ in range(3):
        page.click("[data-key='more.1']")
        page.wait_for_timeout(150)  # answers to earlier clicks come in between
    page.select_option("[data-setting=solver]", "adam")
    settings = desk.run.settings
    assert settings["dataset"] == "spiral"
    assert settings["features"] == ["x1", "x2", "x1_squared", "x2_squared"]
    assert settings["hidden_layer_sizes"] == [7, 2]
    assert settings["solver"] == "adam"
    desk.wait("document.querySelectorAll('.node').length === 7 + 7 + 2 + 1")


def test_the_pixels_of_the_picture_are_the_engines_values(open_desk):
    desk = open_desk("dataset=circle&stop_epoch=60")
    desk.page.click("#play")
    desk.at_epoch(60)
    run = desk.run
    values = run.network.values(run.theta, run.features_of(grid()))
    assert_pixels(desk, "#heat", values[-1][:, 0])
    desk.page.hover("[data-key='1.2']")
    desk.wait("document.querySelector('#shown').textContent.includes('neuron 3')")
    assert_pixels(desk, "#heat", values[0][:, 2])
    desk.shot("hovered")


def test_an_address_repeats_a_run_bit_for_bit(open_desk):
    desk = open_desk(f"{SPIRAL}&learning_rate=0.02&noise=10&stop_epoch=120&seed=11")
    desk.page.click("#play")
    desk.at_epoch(120)
    first, theta = desk.fingerprint, desk.run.theta.copy()
    address = desk.page.evaluate("location.hash")
    assert "token" not in desk.page.url
    other = open_desk(address.removeprefix("#"))
    assert other.page.evaluate("location.hash") == address
    other.page.click("#play")
    other.at_epoch(120)
    assert other.fingerprint == first == f"{fingerprint(theta):016x}"
    assert np.array_equal(other.run.theta, theta)


def test_reset_begins_with_the_same_weights(open_desk):
    desk = open_desk()
    first = desk.fingerprint
    desk.page.click("#epoch")
    desk.at_epoch(1)
    assert desk.fingerprint != first
    desk.page.click("#reset")
    desk.at_epoch(0)
    assert desk.fingerprint == first


def test_a_weight_edited_in_the_page_is_read_back_in_python(browser):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 2))
    y = (X.sum(axis=1) > 0).astype(int)
    model = cr.MLPClassifier((3,), activation="tanh", solver="lbfgs", random_state=0).fit(X, y)
    with open_playground(model, X, y, open_browser=False) as handle:
        context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
        desk = Desk(context.new_page(), handle).open()
        desk.page.click("[data-key='2.0']")
        desk.page.fill("[data-parameter=W2] >> nth=1", "-1.75")
        desk.page.press("[data-parameter=W2] >> nth=1", "Enter")
        desk.wait("!document.querySelector('#card').open")
        desk.page.click("[data-key='1.1']")
        assert desk.page.get_attribute("#card-title", "id") == "card-title"
        desk.page.keyboard.press("Escape")
        assert desk.run.network.objective.unpack(desk.run.theta)["W2"][1, 0] == -1.75
        assert handle.parameters["W2"][1, 0] == -1.75
        desk.shot("edited")
        handle.update_model()
        context.close()
    assert model.coefs_[1][1, 0] == pytest.approx(-1.75)


def test_a_click_on_a_link_opens_its_weight(open_desk):
    desk = open_desk()
    places = desk.page.evaluate(
        """() => ['0.0', '1.0'].map((key) => {
          const box = document.querySelector(`[data-key="${key}"]`).getBoundingClientRect();
          return [box.left, box.top + box.height / 2, box.width];
        })"""
    )
    (x0, y0, width), (x1, y1, _) = places
    desk.page.mouse.move((x0 + width + x1) / 2, (y0 + y1) / 2)
    desk.wait("document.querySelector('.wire-label') !== null")
    desk.page.mouse.click((x0 + width + x1) / 2, (y0 + y1) / 2)
    desk.wait("document.querySelector('#card').open")
    assert desk.page.evaluate("document.activeElement.dataset.parameter") == "W1"


def test_a_run_by_keyboard_alone(open_desk):
    desk = open_desk()
    page = desk.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    for key, found in (("Tab", "reset"), ("Tab", "play")):
        page.keyboard.press(key)
        assert page.evaluate("document.activeElement.id") == found
    page.keyboard.press("Enter")
    desk.wait("Number(document.querySelector('#epochs').dataset.steps) > 1000")
    page.keyboard.press("Enter")
    desk.wait("document.querySelector('#play').getAttribute('aria-pressed') === 'false'")
    seen = set()
    for _ in range(120):
        page.keyboard.press("Tab")
        key = page.evaluate(
            "(e => e.id || e.dataset.key || e.dataset.setting || e.dataset.dataset || '')"
            "(document.activeElement)"
        )
        seen.add(key)
        if key == "1.0":
            desk.wait("document.querySelector('#shown').textContent.includes('neuron 1')")
            page.keyboard.press("Enter")
            desk.wait("document.querySelector('#card').open")
            page.keyboard.type("0.5")
            page.keyboard.press("Enter")
            desk.wait("!document.querySelector('#card').open")
    assert {
        "circle",
        "file",
        "noise",
        "solver",
        "learning_rate",
        "more.1",
        "activation.1",
        "0.6",
        "1.3",
        "2.1",
        "3.0",
        "show_test",
        "discretize",
        "chart",
    } <= seen
    assert desk.run.network.objective.unpack(desk.run.theta)["b1"][0] == 0.5
    desk.shot("keyboard")


def test_reload_and_reconnect_keep_the_run(open_desk, playground):
    desk = open_desk("dataset=gauss&stop_epoch=50")
    desk.page.click("#play")
    desk.at_epoch(50)
    first = desk.fingerprint
    desk.page.reload()
    desk.ready()
    assert desk.fingerprint == first
    assert len(playground.sessions) == 1
    session = playground.sessions.newest
    session.listener.finish(1001)
    desk.wait("document.querySelector('#connection').textContent.includes('lost')")
    desk.wait("document.querySelector('#connection').textContent === 'Connected'")
    desk.page.click("#reset")
    desk.at_epoch(0)
    desk.page.click("#play")
    desk.at_epoch(50)
    assert desk.fingerprint == first


def test_a_page_that_stalls_holds_nobody_up(open_desk, playground):
    desk = open_desk()
    desk.page.click("#play")
    session = playground.sessions.newest
    desk.page.evaluate("(() => { const end = Date.now() + 2500; while (Date.now() < end); })()")
    before, sequence = session.run.steps, session._easel.sequence
    desk.wait(f"Number(document.querySelector('#epochs').dataset.steps) > {before}")
    assert session._easel.sequence > sequence
    assert len(session.listener._undrawn) <= 2
    desk.shot("stalled")


def test_a_dead_unit_is_flagged_with_the_reason(open_desk):
    desk = open_desk("activations=relu,relu")
    desk.page.click("[data-key='1.0']")
    desk.page.fill("[data-parameter=b1]", "-1000")
    desk.page.press("[data-parameter=b1]", "Enter")
    desk.wait("document.querySelectorAll('.flag.dead').length >= 1")
    assert "no gradient will ever move it" in desk.page.inner_text("#health")
    desk.shot("dead")


def test_a_run_that_fails_says_so_and_can_be_reset(open_desk):
    desk = open_desk("dataset=plane&loss=squared_error&learning_rate=100&activations=relu,relu")
    desk.page.click("#play")
    desk.wait("document.querySelector('#notice').textContent.includes('The run stopped')")
    desk.shot("failed")
    desk.page.fill("[data-setting=learning_rate]", "0.01")
    desk.page.press("[data-setting=learning_rate]", "Tab")
    desk.page.click("#reset")
    desk.wait("document.querySelector('#notice').hidden")
    desk.page.click("#play")
    desk.wait("Number(document.querySelector('#epochs').dataset.steps) > 2000")


def test_own_csv(open_desk, tmp_path):
    path = tmp_path / "mine.csv"
    rows = [f"{i % 20},{i // 20},{'in' if 5 < i % 20 < 14 else 'out'}" for i in range(200)]
    path.write_text("\n".join(["width,height,side", *rows]), encoding="utf-8")
    desk = open_desk()
    desk.page.set_input_files("#file", path)
    desk.page.click("[data-own=use]")
    desk.wait("document.querySelector('#legend').textContent.includes('out')")
    assert desk.run.points.axes == ("width", "height")
    path.write_text("width,height,side\n1,2,x\n", encoding="utf-8")
    desk.page.evaluate("document.querySelector('[data-own=use]').dataset.before = ''")
    desk.page.set_input_files("#file", path)
    desk.page.click("[data-own=use]:not([data-before])")  # the choices made for the new table
    desk.wait("document.querySelector('#notice').textContent.includes('4 to 10000 rows')")
    desk.shot("own")


def test_the_script_of_the_page_repeats_it(open_desk, tmp_path, capsys):
    desk = open_desk("dataset=arms&n_classes=3&stop_epoch=20&solver=adam")
    desk.page.click("#play")
    desk.at_epoch(20)
    with desk.page.expect_download() as download:
        desk.page.click("#script")
    path = tmp_path / "playground.py"
    download.value.save_as(path)
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), {})
    assert desk.fingerprint in capsys.readouterr().out
