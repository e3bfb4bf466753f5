"""The writing pad and the worst mistakes, against NumPy on the weights that the session holds."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from chainrule.errors import ChainruleError, OptionError
from chainrule.server.mistakes import HEADER as MISTAKES_HEADER
from chainrule.server.mistakes import PAGE, Mistakes, pack
from chainrule.server.normalising import as_digits
from chainrule.server.pad import Pad
from chainrule.server.protocol import read_message
from chainrule.server.timeline import Timeline

from .steering import do, learn
from .test_normalising import SEVEN

DIGITS = {
    "dataset": "digits",
    "hidden_layer_sizes": [12, 7],
    "activations": ["relu", "tanh"],
    "solver": "adam",
    "learning_rate": 0.01,
    "batch_size": 20,
}


@pytest.mark.parametrize(
    "message",
    [
        '{"type": "write", "ink": "AAAA"}',
        '{"type": "write", "ink": ["A"]}',
        '{"type": "write"}',
        '{"type": "pick", "row": -1}',
        '{"type": "pick", "row": 1.5}',
        '{"type": "mistakes", "first": "0"}',
        '{"type": "mistakes", "first": 0, "more": 1}',
    ],
)
def test_malformed_messages_are_refused(message):
    with pytest.raises(OptionError):
        read_message(message)


def read_answer(frame: bytes) -> tuple[dict[str, int], np.ndarray, list[np.ndarray]]:
    names = ("run", "source", "row", "truth", "predicted", "height", "width", "layers")
    header = dict(zip(names, struct.unpack_from("<8I", frame, 4), strict=True))
    units = struct.unpack_from(f"<{header['layers']}I", frame, 36)
    numbers = np.frombuffer(frame, "<f4", offset=36 + 4 * len(units))
    ends = np.cumsum([header["height"] * header["width"], *units])
    assert len(numbers) == (ends[-1] if units else 0)
    pixels, *layers = np.split(numbers, ends[:-1]) if units else (numbers,)
    return header, pixels, layers


def forward(run, pixels: np.ndarray) -> list[np.ndarray]:
    """Every layer in NumPy, in float64, from the weights as they stand."""
    W = {name: one.astype(float) for name, one in run.network.objective.unpack(run.theta).items()}
    first = np.maximum(pixels @ W["W1"] + W["b1"], 0)
    second = np.tanh(first @ W["W2"] + W["b2"])
    scores = second @ W["W3"] + W["b3"]
    shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return [first, second, shares / shares.sum(axis=-1, keepdims=True)]


def test_the_pad_begins_with_a_test_image_and_answers_what_is_written(opened):
    session = opened(**DIGITS)
    learn(session, 200)
    run, pad = session.run, session.part(Pad)
    header, pixels, _ = read_answer(pad.frame())
    n = run.points.n_train
    assert (header["source"], header["row"], header["truth"]) == (2, 0, run.points.y[n] + 1)
    assert np.array_equal(pixels * 16, run.points.X[n])
    do(session, "write", ink=SEVEN)
    header, pixels, layers = read_answer(pad.frame())
    assert (header["source"], header["truth"]) == (1, 0)
    assert np.array_equal(pixels * 16, as_digits(SEVEN).ravel())
    for got, expected in zip(layers, forward(run, pixels.astype(float)), strict=True):
        assert np.allclose(got, expected, atol=1e-5)
    assert header["predicted"] == layers[-1].argmax()
    learn(session, 50)  # it answers with the weights of now
    _, _, later = read_answer(pad.frame())
    assert np.allclose(later[-1], forward(run, pixels.astype(float))[-1], atol=1e-5)
    assert not np.allclose(later[-1], layers[-1], atol=1e-5)
    do(session, "write", ink=None)
    header, _, layers = read_answer(pad.frame())
    assert header["source"] == 0
    assert layers == []


def test_the_pad_answers_as_the_run_was_while_one_looks_back(opened):
    session = opened(**DIGITS)
    start = np.array(session.run.theta)
    learn(session, 200)
    do(session, "scrub", steps=0)
    _, pixels, layers = read_answer(session.part(Pad).frame())
    assert np.array_equal(session.view.memory.theta, start)
    assert np.ptp(layers[-1]) < 0.9  # untrained
    do(session, "scrub", steps=None)
    _, _, now = read_answer(session.part(Pad).frame())
    assert np.allclose(now[-1], forward(session.run, pixels.astype(float))[-1], atol=1e-5)


def test_a_test_row_is_put_on_the_pad_and_refused_where_there_is_none(opened):
    session = opened(**DIGITS)
    pad = session.part(Pad)
    do(session, "pick", row=898)
    assert np.array_equal(pad.pixels(), session.run.points.X[-1])
    with pytest.raises(OptionError, match="pick: expected a test row below 899; came 899"):
        do(session, "pick", row=899)
    do(session, "set", settings={"train_percent": 90})
    assert pad.row == 0  # there are fewer now
    do(session, "set", settings={"dataset": "xor"})
    assert pad.frame() is None
    with pytest.raises(ChainruleError, match="pick: expected images to learn from"):
        do(session, "pick", row=0)


def test_what_is_written_stays_when_the_network_changes(opened):
    session = opened(**DIGITS)
    do(session, "write", ink=SEVEN)
    do(session, "set", settings={"hidden_layer_sizes": [5, 5]})
    header, pixels, layers = read_answer(session.part(Pad).frame())
    assert header["source"] == 1
    assert [len(one) for one in layers] == [5, 5, 10]
    assert np.array_equal(pixels * 16, as_digits(SEVEN).ravel())


class Watching:
    """A listener that keeps what must arrive."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.wants_frame = True

    def send(self, message) -> None:
        pass

    def offer(self, frame, sequence) -> None:
        pass

    def send_binary(self, data: bytes) -> None:
        self.sent.append(data)


def searched(session) -> Mistakes:
    """The part, once it has gone through all test rows."""
    session.listener, session.watched = Watching(), "mistakes"
    part = session.part(Mistakes)
    part.shown()
    for _ in range(1000):
        with session.lock:
            part.work()
            if part.latest is not None:
                return part
    raise AssertionError("never done")


@pytest.mark.parametrize("loss", ["cross_entropy", "squared_error"])
def test_mistakes_are_those_of_numpy_in_the_order_of_their_loss(opened, loss):
    session = opened(**DIGITS, loss=loss)
    learn(session, 150)
    part, run = searched(session), session.run
    n = run.points.n_train
    X, y = run.points.X[n:] / 16, run.points.y[n:]
    *hidden, outputs = forward(run, X)
    losses = -np.log(outputs[np.arange(len(y)), y])
    if loss == "squared_error":
        W = run.network.objective.unpack(run.theta)
        outputs = np.tanh(hidden[1] @ W["W3"] + W["b3"])
        losses = 0.5 * ((outputs - np.where(np.arange(10) == y[:, None], 1, -1)) ** 2).sum(axis=1)
    wrong = np.flatnonzero(outputs.argmax(axis=1) != y)
    assert 0 < len(wrong) < len(y) / 2
    assert sorted(part.latest.mistakes()) == wrong.tolist()
    assert np.allclose(part.latest.losses, losses, rtol=1e-3, atol=1e-4)
    assert np.all(np.diff(part.latest.losses[part.latest.mistakes()]) <= 0)
    frame = part.session.listener.sent[-1]
    _, number, tests, count, first, shown, height, width, _, mean = MISTAKES_HEADER.unpack_from(
        frame
    )
    assert (number, tests, count, first) == (run.number, len(y), len(wrong), 0)
    assert (shown, height, width) == (min(PAGE, len(wrong)), 8, 8)
    assert mean == pytest.approx(losses.mean(), rel=1e-3)
    whole = np.frombuffer(frame, "<u4", 3 * shown, 44).reshape(shown, 3)
    numbers = np.frombuffer(frame, "<f4", 3 * shown, 44 + 12 * shown).reshape(shown, 3)
    pixels = np.frombuffer(frame, np.uint8, offset=44 + 24 * shown).reshape(shown, 64)
    for (row, truth, answer), (cost, sure, of_truth), image in zip(
        whole, numbers, pixels, strict=True
    ):
        assert (truth, answer) == (y[row], outputs[row].argmax())
        assert cost == pytest.approx(losses[row], rel=1e-3, abs=1e-4)
        assert sure == pytest.approx(outputs[row, answer], abs=1e-4)
        assert of_truth == pytest.approx(outputs[row, truth], abs=1e-4)
        assert np.array_equal(image, np.rint(X[row] * 255))


def test_mistakes_come_in_pages(opened):
    session = opened(**DIGITS)
    learn(session, 20)
    part = searched(session)
    search = part.latest
    everything = search.mistakes()
    assert len(everything) > 2 * PAGE
    do(session, "mistakes", first=PAGE)
    frame = part.session.listener.sent[-1]
    assert np.frombuffer(frame, "<u4", 3 * PAGE, 44)[::3].tolist() == (
        everything[PAGE : 2 * PAGE].tolist()
    )
    beyond = MISTAKES_HEADER.unpack_from(pack(search, 10**9))
    assert beyond[4] == (len(everything) - 1) // PAGE * PAGE
    assert beyond[5] == len(everything) - beyond[4]


def test_nothing_is_looked_for_while_nobody_looks_or_nothing_moved(opened):
    session = opened(**DIGITS)
    part = session.part(Mistakes)
    assert part.wait(0.0) == float("inf")
    part = searched(session)
    count = len(session.listener.sent)
    for _ in range(20):
        part.work()
    assert len(session.listener.sent) == count
    learn(session, 5)
    first = part.latest
    for _ in range(1000):
        part.work()
        if part.latest is not first:
            break
    assert np.array_equal(part.latest.theta, session.run.theta)
    do(session, "set", settings={"dataset": "xor"})
    assert part.wait(0.0) == float("inf")


def test_the_surface_and_histograms_go_over_images_too(opened):
    from chainrule.server.distributions import Distributions
    from chainrule.server.surface import Surface

    session = opened(**DIGITS)
    learn(session, 30)
    session.listener = Watching()
    session.listener.messages = []
    session.listener.send = session.listener.messages.append
    assert len(session.part(Timeline).moments) > 1
    for kind in (Surface, Distributions):
        part = session.part(kind)
        part.shown()
        for _ in range(400):
            with session.lock:
                part.work()
    surface = session.part(Surface).latest
    run = session.run
    middle = run.network.objective(surface.plane.centre.astype(np.float32), surface.X, surface.t)[0]
    assert surface.heights.min() <= middle <= surface.heights.max()
    told = [one for one in session.listener.messages if one["type"] == "histograms"]
    assert len(told[-1]["layers"]) == 3
