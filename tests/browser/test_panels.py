"""Surface, histograms and warped space as a person reads them, against what the engine holds."""

from __future__ import annotations

import re

import numpy as np
import pytest

from chainrule.server.surface import Surface

from .desk import artifact, numbers

XOR = "dataset=xor&hidden_layer_sizes=4,3&solver=adam&stop_epoch=40"


def learnt(desk, epoch=40):
    desk.page.click("#play")
    desk.at_epoch(epoch)


def said(page, selector):
    """The numbers in a text of the page."""
    text = page.inner_text(selector).replace(",", " ")
    return numbers(re.findall(r"[−-]?\d+(?:\.\d+)?(?:E[−-]?\d+)?", text))


def test_the_surface_is_read_by_keyboard_and_pointer_and_follows_the_run(open_desk):
    desk = open_desk(f"{XOR}&regularization=l2")
    page = desk.page
    page.click("[data-panel=surface]")
    assert "panel=surface" in page.evaluate("location.hash")
    learnt(desk)
    desk.wait("document.querySelector('#surface-text').textContent.includes('up to epoch 40')")
    run, job = desk.run, desk.session.part(Surface).latest
    assert np.allclose(job.plane.centre, run.theta)

    def loss(a, b):
        theta = (run.theta + a * job.plane.u + b * job.plane.v).astype(np.float32)
        losses = run._losses(theta)
        return losses[0] + losses[2]

    canvas = "[data-surface=canvas]"
    page.focus(canvas)
    for key in ("ArrowRight", "ArrowUp", "ArrowUp"):
        page.keyboard.press(key)
        read, a, b = said(page, "#surface-text")[:3]
        assert read == pytest.approx(loss(a, b), rel=0.02)
    box = page.locator(canvas).bounding_box()
    page.mouse.move(box["x"] + 2, box["y"] + box["height"] - 2)
    read, a, b = said(page, "#surface-text")[:3]
    low, high = job.axes
    assert (a, b) == pytest.approx((low[0], high[0]), rel=0.01)
    assert read == pytest.approx(loss(low[0], high[0]), rel=0.01)
    desk.shot("surface")
    page.focus("[data-surface=directions]")
    page.keyboard.press("End")
    desk.wait("document.querySelector('#surface-text').textContent.includes('random')")
    assert desk.session.part(Surface).directions == "random"
    page.press("[data-act=others]", "Enter")
    desk.wait("location.hash.includes('surface_seed=1')")


HUES = """(selector) => {
  const canvas = document.querySelector(selector);
  const { width, height } = canvas;
  const data = canvas.getContext('2d').getImageData(0, 0, width, height).data;
  const alpha = (x, y) => data[4 * (Math.floor(y) * width + Math.floor(x)) + 3];
  return Array.from({length: 40}, (_, bin) => alpha(width - 3, height * (1 - (bin + 0.3) / 40)));
}"""


def test_histograms_show_how_the_layers_outputs_lie_now(open_desk):
    desk = open_desk(f"{XOR}&activations=relu,tanh")
    learnt(desk)
    desk.page.press("[data-panel=histograms]", "Enter")
    assert "panel=histograms" in desk.page.evaluate("location.hash")
    desk.wait("document.querySelectorAll('[data-histogram]').length === 6")
    page, run = desk.page, desk.run
    rows = run.X_train[:256]
    outputs = run.network.evaluate(run.theta, rows, run.network.layers)
    zero = np.mean(outputs[0] == 0)
    figure = "[data-histogram='{}.outputs']"
    desk.wait(f"document.querySelector(\"{figure.format(0)}\").textContent.includes('exactly 0')")
    page.wait_for_timeout(1200)  # until the last moment is counted
    low, high, share = said(page, f"{figure.format(0)} .hint")[:3]
    assert share == pytest.approx(100 * zero, abs=0.06)
    width = np.ptp(outputs[0]) / 40
    assert outputs[0].min() - width <= low <= np.quantile(outputs[0], 0.02) + width
    assert np.quantile(outputs[0], 0.97) - width <= high <= outputs[0].max() + width
    low, high = said(page, f"{figure.format(1)} .hint")[:2]
    column = np.array(page.evaluate(HUES, f"{figure.format(1)} canvas"))
    counts, _ = np.histogram(outputs[1], bins=40, range=(low, high))
    assert np.corrcoef(column, np.cbrt(counts / counts.sum()))[0, 1] > 0.9
    desk.shot("histograms")


def test_the_space_of_two_neurons_is_chosen_by_keyboard_and_shows_their_values(open_desk):
    desk = open_desk(XOR)
    learnt(desk)
    page = desk.page
    page.focus("[data-panel=space]")
    page.keyboard.press("Enter")
    desk.wait("document.querySelector('#space-text').textContent.includes('(0, 0)')")
    page.focus("[data-space=space_layer]")
    page.keyboard.type("2")
    page.focus("[data-space=space_first]")
    page.keyboard.type("3")
    desk.wait("location.hash.includes('space_first=3')")
    run = desk.run
    point = run.features_of(np.zeros((1, 2)))
    values = run.network.evaluate(run.theta, point, [run.network.layers[1]])[0][0]
    wanted = f"({values[2]:.3g}, {values[1]:.3g})"
    page.wait_for_timeout(600)
    assert said(page, "#space-text")[2:] == pytest.approx([values[2], values[1]], rel=0.01), wanted
    dots = """() => { const c = document.querySelector('[data-space=canvas]');
      const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
      let n = 0; for (let i = 0; i < d.length; i += 4)
        n += d[i] === 138 && d[i + 1] === 62 && d[i + 2] === 168; return n; }"""
    assert page.evaluate(dots) > 50  # points of the first class, where the layer puts them
    desk.shot("space")


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "fa"])
@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (2560, "dark")])
@pytest.mark.parametrize("panel", ["surface", "histograms", "space"])
def test_it_fits_every_width(open_desk, panel, width, scheme, language):
    options = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme}
    desk = open_desk(f"{XOR}&panel={panel}&language={language}", **options)
    learnt(desk)
    desk.page.wait_for_timeout(900)
    assert desk.page.evaluate("document.documentElement.scrollWidth") <= width
    clipped = desk.page.evaluate(
        """() => [...document.querySelectorAll('.drawer button, .drawer .hint, .drawer b')].filter(
          (e) => e.offsetParent && e.scrollWidth > e.clientWidth + 2).map((e) => e.outerHTML)"""
    )
    assert clipped == []
    desk.page.locator("#drawer").screenshot(path=artifact(f"{panel}-{width}-{language}"))
