"""Digits in a real browser: written by mouse, finger and keyboard, read, and read wrong."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.server import images
from chainrule.server.pad import Pad

from .desk import Desk, artifact

DIGITS = (
    "dataset=digits&hidden_layer_sizes=20&activations=tanh&init=small_normal&solver=adam"
    "&learning_rate=0.005&batch_size=20&regularization=l2&train_percent=80&data_seed=1"
)
SEVEN = [(0.25, 0.15), (0.75, 0.15), (0.4, 0.9)]
PERSIAN = str.maketrans("۰۱۲۳۴۵۶۷۸۹٫٪−", "0123456789.%-")


def learnt(desk: Desk, epoch: int) -> None:
    desk.page.click("#play")
    desk.at_epoch(epoch)


def forward(desk: Desk, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Hidden values and probabilities in NumPy, from the weights that the session holds."""
    run = desk.run
    W = {name: one.astype(float) for name, one in run.network.objective.unpack(run.theta).items()}
    h = np.tanh(pixels / run.points.image.ink @ W["W1"] + W["b1"])
    scores = h @ W["W2"] + W["b2"]
    shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return h, shares / shares.sum(axis=-1, keepdims=True)


def height(desk: Desk) -> int:
    """Of what is written on the session's pad, in cells."""
    ink = desk.session.part(Pad).ink
    return 0 if ink is None else int(np.ptp(np.flatnonzero(ink.any(axis=1)))) + 1


def shown(desk: Desk) -> np.ndarray:
    """The ten probabilities as the page shows them, in percent."""
    texts = desk.page.locator("#answers b").all_inner_texts()
    return np.array([float(text.translate(PERSIAN).strip("\u200e\u200f%")) for text in texts])


def weights_say(desk: Desk) -> np.ndarray:
    """Of what is on the session's pad, in percent."""
    return 100 * forward(desk, desk.session.part(Pad).pixels().astype(float))[1]


SEEN = """() => {
  const canvas = document.querySelector('#seen');
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  return Array.from({length: canvas.width * canvas.height}, (_, i) => data[4 * i]);
}"""


def assert_read(desk: Desk) -> np.ndarray:
    """The page shows what NumPy says to the pixels on the session's pad."""
    pixels = desk.session.part(Pad).pixels()
    h, expected = forward(desk, pixels.astype(float))
    grey = 255 - (255 - 28) * (pixels / desk.run.points.image.ink)  # the light scheme's
    desk.until(lambda: np.allclose(desk.page.evaluate(SEEN), grey, atol=1.01), "its pixels")
    desk.until(lambda: np.allclose(shown(desk), 100 * expected, atol=0.06), "its ten answers")
    best = desk.page.get_attribute("#answers .wins", "data-answer")
    assert int(best) == expected.argmax()
    said = desk.page.inner_text("[data-response='1'] figcaption").translate(PERSIAN)
    low, high = (float(word) for word in said.replace("Layer 1 says", "").split(" to "))
    assert (low, high) == pytest.approx((min(h.min(), 0), max(h.max(), 0)), rel=0.02, abs=0.006)
    return pixels


def answered(desk: Desk, told: str) -> None:
    """Wait until the page shows the answer to all that is written: at rest, one comes to each."""
    desk.wait(f"document.querySelector('#seen-text').textContent.startsWith('{told}')")
    desk.wait("document.querySelector('#slate').dataset.waiting === 'false'")


def write(desk: Desk, places: list[tuple[float, float]]) -> None:
    """With the mouse."""
    desk.page.locator("#slate").scroll_into_view_if_needed()
    box = desk.page.locator("#slate").bounding_box()
    points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in places]
    desk.page.mouse.move(*points[0])
    desk.page.mouse.down()
    for point in points[1:]:
        desk.page.mouse.move(*point, steps=5)
    desk.page.mouse.up()
    answered(desk, "Written")


def test_a_digit_written_with_the_mouse_is_read_as_the_weights_say(open_desk):
    desk = open_desk(f"{DIGITS}&stop_epoch=30")
    page = desk.page
    assert page.locator("#picture").is_hidden()
    assert page.inner_text("#seen-text").startswith("Test image 0: a ")
    learnt(desk, 30)
    assert_read(desk)
    write(desk, SEVEN)
    pixels = assert_read(desk)
    assert pixels.reshape(8, 8)[0].sum() > 60  # the bar of the seven is at the top
    assert page.get_attribute("#answers .wins", "data-answer") == "7"
    desk.shot("digits-written")
    page.click("#slate-undo")
    desk.wait("document.querySelector('#answers b').textContent === '—'")
    page.click("#slate-next")
    desk.wait("document.querySelector('#seen-text').textContent.startsWith('Test image 0')")
    assert_read(desk)


def test_a_digit_written_by_keyboard_alone(open_desk):
    desk = open_desk(DIGITS)
    page = desk.page
    page.focus("#slate-clear")
    page.keyboard.press("Enter")
    desk.wait("document.querySelector('#answers b').textContent === '—'")
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("document.activeElement.id") == "slate"
    before = page.locator("#slate").screenshot()
    for _ in range(4):
        page.keyboard.press("Shift+ArrowUp")
    assert page.locator("#slate").screenshot() != before  # the cursor is seen to move
    assert "the pen is up" in page.inner_text("#slate-status")
    page.keyboard.press("Space")
    assert "the pen writes" in page.inner_text("#slate-status")
    for _ in range(7):
        page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Space")
    answered(desk, "Written")
    pixels = assert_read(desk).reshape(8, 8)
    assert (pixels.sum(axis=0) > 0).sum() <= 3  # a single stroke
    assert (pixels.sum(axis=1) > 0).all()
    assert page.get_attribute("#play", "aria-pressed") == "false"  # Space wrote, and no more
    page.keyboard.press("Delete")
    desk.wait("document.querySelector('#answers b').textContent === '—'")


PIXELS = """(selector) => { const c = document.querySelector(selector);
  const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
  return [c.width, c.height, Array.from(d).filter((_, i) => i % 4 < 3)]; }"""
RAMP = """async () => { const { shade } = await import('/colours.js');
  return Array.from({length: 256}, (_, byte) => shade((byte - 127.5) / 127.5)); }"""


def test_the_weights_are_shown_as_images(open_desk):
    desk = open_desk(f"{DIGITS}&stop_epoch=10")
    page = desk.page
    learnt(desk, 10)
    W = desk.run.network.objective.unpack(desk.run.theta)
    ramp = np.array(page.evaluate(RAMP))
    page.click("[data-key='1.6']")
    width, height, rgb = page.evaluate(PIXELS, "#card canvas")
    assert (width, height) == (8, 8)
    full = 3 * np.sqrt(np.mean(W["W1"].astype(float) ** 2))
    bytes_ = np.clip(np.floor(W["W1"][:, 6] / full * 128) + 128, 0, 255).astype(int)
    assert np.abs(np.reshape(rgb, (64, 3)) - ramp[bytes_]).max() <= 2
    assert f"±{full:.2g}" in page.inner_text("#card .hint")
    assert page.locator("#card input").count() == 1  # the bias: no one edits 64 pixels by number
    page.fill("#card input", "0.5")
    page.press("#card input", "Enter")
    desk.wait("!document.querySelector('#card').open")
    unpack = desk.run.network.objective.unpack
    desk.until(lambda: unpack(desk.run.theta)["b1"][6] == 0.5, "the bias is the session's")
    # in the network itself: each weight at the middle of its cell, of two neurons and an answer
    for key, name, unit, (columns, rows) in (
        ("1.0", "W1", 0, (8, 8)), ("1.19", "W1", 19, (8, 8)), ("2.3", "W2", 3, (4, 5)),
    ):  # fmt: skip
        weights = W[name][:, unit].reshape(rows, columns)
        full = 3 * np.sqrt(np.mean(W[name].astype(float) ** 2))
        got = page.evaluate(
            """([key, columns, rows]) => { const c = document.querySelector('#wires');
              const b = document.querySelector(`[data-key="${key}"]`).style;
              const [x, y, w] = [b.left, b.top, b.width].map(parseFloat);
              const context = c.getContext('2d');
              const at = (i, j) => Math.floor(i + j * w);
              return Array.from({length: columns * rows}, (_, i) => Array.from(context.getImageData(
                at(x, (i % columns + 0.5) / columns),
                at(y, (Math.floor(i / columns) + 0.5) / rows), 1, 1).data).slice(0, 3)); }""",
            [key, columns, rows],
        )
        bytes_ = np.clip(np.floor(weights / full * 128) + 128, 0, 255).astype(int).ravel()
        inside = np.ones((rows, columns), bool)
        inside[-1, [0, -1]] = False  # below the square of the bias
        assert np.abs(np.array(got) - ramp[bytes_])[inside.ravel()].max() <= 3
    desk.shot("digits-weights")


def test_the_worst_mistakes_are_browsed_by_keyboard_and_put_on_the_pad(open_desk):
    desk = open_desk(f"{DIGITS}&stop_epoch=2&panel=mistakes")
    page = desk.page
    learnt(desk, 2)
    run = desk.run
    n = run.points.n_train
    y = run.points.y[n:]
    _, shares = forward(desk, run.points.X[n:].astype(float))
    losses = -np.log(shares[np.arange(len(y)), y])
    wrong = np.flatnonzero(shares.argmax(axis=1) != y)
    worst = wrong[np.argsort(-losses[wrong], kind="stable")]
    assert len(worst) > 24
    said = f"Epoch 2: {len(worst)} of {len(y)} test images are read wrong"
    desk.wait(f"document.querySelector('[data-mistakes=text]').textContent.startsWith('{said}')")

    def items() -> list[tuple[int, str]]:
        return [
            (int(row), " ".join(text.split()))
            for row, text in zip(
                page.eval_on_selector_all(".mistake", "(all) => all.map((one) => one.dataset.row)"),
                page.locator(".mistake").all_inner_texts(),
                strict=True,
            )
        ]

    def expected(rows: np.ndarray) -> list[tuple[int, str]]:
        return [
            (int(r), f"{y[r]} → {shares[r].argmax()} {100 * shares[r].max():.1f}%") for r in rows
        ]

    assert items() == expected(worst[:24])
    page.focus(".mistake")
    page.keyboard.press("PageDown")
    desk.wait("document.querySelector('[data-mistakes=range]').textContent.startsWith('25')")
    assert items() == expected(worst[24:48])
    page.keyboard.press("ArrowLeft")  # over the edge: the last of the page before
    desk.wait("document.querySelector('[data-mistakes=range]').textContent.startsWith('1 to')")
    focused = "document.activeElement.dataset.row"
    assert page.evaluate(focused) == str(worst[23])
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert page.evaluate(focused) == str(worst[1])
    page.keyboard.press("Enter")
    desk.wait(
        f"document.querySelector('#seen-text').textContent.startsWith('Test image {worst[1]}:')"
    )
    page.wait_for_timeout(150)
    assert np.array_equal(assert_read(desk), run.points.X[n + worst[1]])
    assert page.get_attribute("#answers .truth", "data-answer") == str(y[worst[1]])
    page.locator("#drawer").screenshot(path=artifact("digits-mistakes"))


def test_in_persian_on_a_phone_with_a_finger(open_desk):
    phone = {"viewport": {"width": 360, "height": 780}, "has_touch": True, "is_mobile": True}
    desk = open_desk(f"{DIGITS}&language=fa&stop_epoch=20", **phone)
    page = desk.page
    page.tap("#play")
    desk.at_epoch(20)
    page.locator("#slate").scroll_into_view_if_needed()
    scrolled = page.evaluate("scrollY")
    box = page.locator("#slate").bounding_box()
    finger = page.context.new_cdp_session(page)
    for i, (x, y) in enumerate(SEVEN):
        at = {"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]}
        kind = "touchMove" if i else "touchStart"
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [at]})
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    answered(desk, "اینجا")
    assert page.evaluate("scrollY") == scrolled  # the finger wrote and did not scroll
    # the last of the finger's moves may reach the page after an answer to the first
    desk.until(lambda: page.inner_text("#answers .wins .digit") == "۷", "a seven")
    desk.until(lambda: np.allclose(shown(desk), weights_say(desk), atol=0.06), "their answer")
    assert "۱٬۴۳۸ تصویر" in page.inner_text("#summary")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    desk.shot("digits-phone-persian")


def test_mnist_is_offered_only_where_its_files_are(open_desk, monkeypatch, tmp_path):
    monkeypatch.setenv("CHAINRULE_DATA", str(tmp_path))
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))
    images._read_mnist.cache_clear()
    desk = open_desk("dataset=mnist")  # the address of somebody who has them
    page = desk.page
    assert desk.run.settings["dataset"] == "circle"
    assert page.locator("[data-dataset=mnist]").is_disabled()
    assert "chainrule train mnist" in page.inner_text("#missing")
    page.focus("[data-dataset=circle]")
    page.keyboard.press("ArrowLeft")  # from the first to the last that can be chosen
    desk.wait("document.querySelector('[data-dataset=digits]').ariaChecked === 'true'")
    desk.wait("!document.querySelector('#writing').hidden")
    desk.until(lambda: desk.run.settings["hidden_layer_sizes"] == [20], "the network for digits")
    page.click("[data-dataset=circle]")
    desk.wait("document.querySelector('#writing').hidden")
    desk.until(lambda: desk.run.settings["hidden_layer_sizes"] == [4, 2], "it is as it was before")


def test_mnist_learns_before_ones_eyes(open_desk, monkeypatch, mnist_folder):
    monkeypatch.setenv("CHAINRULE_DATA", str(mnist_folder))
    images._read_mnist.cache_clear()
    desk = open_desk()
    page = desk.page
    page.click("[data-dataset=mnist]")
    desk.wait("!document.querySelector('#writing').hidden")
    page.click("#play")
    page.focus("#slate")
    for key in ("Space", "Shift+ArrowDown", "Shift+ArrowDown", "Shift+ArrowDown"):
        page.keyboard.press(key)  # while it learns: what is written stays
    desk.wait("parseFloat(document.querySelectorAll('.score.test b')[1]?.textContent) >= 80")
    assert page.inner_text("#seen-text").startswith("Written")
    # three moves and the pen; each is sent when the one before has been read
    desk.until(lambda: 36 <= height(desk) - 12 <= 38, "the last move has come to the server")
    page.click("#slate-clear")
    page.click("#play")
    desk.wait("document.querySelector('#play').getAttribute('aria-pressed') === 'false'")
    write(desk, SEVEN)
    image = assert_read(desk).reshape(28, 28)
    assert np.flatnonzero(image.any(axis=1)).size == 20
    desk.shot("mnist")
