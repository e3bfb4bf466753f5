"""Hover, touch, many neurons, many columns: what hands do in a real browser."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr
from chainrule.networks import Dense, Dropout, LayerNorm
from chainrule.server.frames import grid, to_bytes

from .desk import Desk
from .desk import playground as open_playground

PIXELS = """async (id) => {
  const canvas = document.querySelector(id);
  return Array.from(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data);
}"""


def test_a_hovered_neuron_goes_on_changing_while_it_learns(open_desk):
    desk = open_desk("dataset=spiral&learning_rate=0.003")
    desk.page.click("#play")
    desk.page.hover("[data-key='1.2']")
    desk.wait("document.querySelector('#shown').textContent.includes('neuron 3')")
    first = desk.page.evaluate(PIXELS, "#heat")
    desk.page.wait_for_timeout(600)
    assert "neuron 3" in desk.page.inner_text("#shown")
    assert desk.page.evaluate(PIXELS, "#heat") != first
    desk.shot("hover-while-playing")


def test_the_loss_chart_reads_under_the_pointer(open_desk):
    desk = open_desk("dataset=gauss&stop_epoch=40")
    desk.page.click("#play")
    desk.at_epoch(40)
    box = desk.page.locator("#chart").bounding_box()
    readings = []
    for share in (0.3, 0.6, 0.95):
        desk.page.mouse.move(box["x"] + share * box["width"], box["y"] + 60)
        readings.append(desk.page.inner_text("#chart-text"))
    epochs = [int(text.split(":")[0].removeprefix("Epoch ")) for text in readings]
    assert 0 < epochs[0] < epochs[1] < epochs[2] <= 40
    curve = np.array(desk.run.curve)
    at = curve[np.abs(np.floor(curve[:, 0]) - epochs[1]).argmin()]
    shown = float(readings[1].split("training ")[1].split(",")[0])
    assert shown == pytest.approx(at[1], rel=0.01)
    desk.shot("chart-hover")


def test_by_touch_alone(open_desk):
    """Points chosen, played, a neuron enlarged and edited, a link, the chart: all by tapping."""
    desk = open_desk(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = desk.page
    page.tap("[data-dataset=gauss]")
    desk.wait("document.querySelector('[data-dataset=gauss]').ariaChecked === 'true'")
    page.tap("#play")
    desk.wait("Number(document.querySelector('#epochs').dataset.steps) > 500")
    page.tap("#play")
    desk.wait("document.querySelector('#play').getAttribute('aria-pressed') === 'false'")
    page.tap("[data-key='1.1']")
    desk.wait("document.querySelector('#card').open")
    desk.wait("document.querySelector('#shown').textContent.includes('neuron 2')")
    run = desk.run
    seen = np.reshape(page.evaluate(PIXELS, "#card canvas"), (100, 100, 4))[..., :3]
    bytes_ = to_bytes(run.network.values(run.theta, run.features_of(grid()))[0][:, 1])
    darkest, lightest = bytes_.argmax(), bytes_.argmin()
    assert tuple(seen.reshape(-1, 3)[darkest]) != tuple(seen.reshape(-1, 3)[lightest])
    page.fill("[data-parameter=b1]", "0.25")
    desk.shot("touch")
    page.tap("#card .actions button")
    desk.wait("!document.querySelector('#card').open")
    assert desk.run.network.objective.unpack(desk.run.theta)["b1"][1] == 0.25
    page.tap("#chart")
    assert "Epoch" in page.inner_text("#chart-text")
    page.tap("#heat")
    assert page.locator("#probe").is_visible()
    page.tap("#inside")
    page.wait_for_selector("[data-phase=forward]")
    page.tap("[data-act=next]")
    desk.wait("document.querySelector('.phase').textContent.includes(' 1 /')")


@pytest.mark.slow
def test_eight_layers_of_sixty_four(open_desk):
    sizes = ",".join(["64"] * 8)
    desk = open_desk(f"hidden_layer_sizes={sizes}&solver=adam&learning_rate=0.001&stop_epoch=2")
    assert desk.page.locator(".node").count() == 7 + 8 * 64 + 1
    desk.page.click("#play")
    desk.at_epoch(2)
    desk.page.locator("[data-key='8.63']").scroll_into_view_if_needed()
    desk.page.click("[data-key='8.63']")
    desk.wait("document.querySelector('#card').open")
    assert desk.page.locator("[data-parameter=W8]").count() == 64
    shown = float(desk.page.input_value("[data-parameter=W8] >> nth=5"))
    assert shown == pytest.approx(
        desk.run.network.objective.unpack(desk.run.theta)["W8"][5, 63], rel=1e-4
    )
    desk.page.keyboard.press("Escape")
    desk.shot("eight-layers")


def numbers_of(classes: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = np.arange(300) % classes
    return rng.normal(size=(300, columns)) + 2 * rng.normal(size=(classes, columns))[y], y


@pytest.mark.slow
def test_a_model_of_many_columns_and_a_hundred_neurons(browser):
    """Its default size, (100,): pages of neurons, and pictures over two of the columns."""
    X, y = numbers_of(10, 64)
    with open_playground(cr.MLPClassifier(random_state=0), X, y, open_browser=False) as handle:
        context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
        desk = Desk(context.new_page(), handle).open()
        page = desk.page
        assert page.locator("[data-key^='1.']").count() == 64
        assert "1–64 / 100" in page.inner_text("[data-key='pager.1']")
        page.click("[data-key='pager.1']")
        assert page.locator("[data-key='1.99']").is_visible()
        page.select_option("[data-plane=across]", "7")
        desk.wait("document.querySelectorAll('[data-plane] option:checked')[0].value === '7'")
        page.click("#play")
        desk.wait("parseFloat(document.querySelectorAll('.score.test b')[1].textContent) >= 95", 60)
        page.click("#play")
        desk.wait("document.querySelector('#play').getAttribute('aria-pressed') === 'false'")
        assert desk.run.settings["across"] == 7
        desk.shot("many-columns")
        context.close()


@pytest.mark.slow
def test_layers_of_ones_own_are_shown_with_boxes_between(browser):
    X, y = numbers_of(3, 4)
    layers = [Dense(6, "relu"), LayerNorm(), Dropout(0.2), Dense(4, "tanh")]
    model = cr.MLPClassifier(layers=layers, random_state=0)
    with open_playground(model, X, y, open_browser=False) as handle:
        context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
        desk = Desk(context.new_page(), handle).open()
        page = desk.page
        assert page.locator(".nodes .box").all_inner_texts() == ["layer norm", "dropout 0.2"]
        assert page.locator("[data-key='more.1']").count() == 0
        page.click("#epoch")
        desk.at_epoch(1)
        page.click("#inside")
        page.wait_for_selector("[data-phase=forward]")
        page.click("[data-act=backward]")
        page.wait_for_selector("[data-phase=update]")
        after = float(page.locator(".numbers tr >> nth=1").locator("td >> nth=2").inner_text())
        page.click("[data-act=update]")
        page.wait_for_selector("[data-phase=forward]")
        first = desk.run.theta[0]
        assert after == pytest.approx(first, rel=1e-3)  # the masks of the step were those shown
        desk.shot("own-layers")
        context.close()
