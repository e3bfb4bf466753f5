"""The worst mistakes on images to test on: where the answer is wrong, the largest loss first.

Looked for between two stretches of learning, some rows at a time, and only while somebody looks.
Frame "CRM1", little-endian:

=======  ===========================================================================
bytes
=======  ===========================================================================
0        "CRM1", then uint32: run, test rows, mistakes, number of the first one that
         follows, how many follow, height, width
32       float64 epochs · float32 mean loss
44       of each: uint32 test row, truth, answer; then of each: float32 loss, output of
         the answer, output of the truth; then bytes: the images, 255 is ink
=======  ===========================================================================
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass

import numpy as np

from chainrule.server.run import Run
from chainrule.server.session import Session
from chainrule.server.slices import Sliced

PAGE = 24
HEADER = struct.Struct("<4s7Idf")
ROWS = 500


@dataclass(eq=False)
class Search:
    """The losses and outputs of all test rows at one moment, as far as they have been computed."""

    run: Run
    theta: np.ndarray
    epochs: float
    losses: np.ndarray
    outputs: np.ndarray
    done: int = 0

    @property
    def is_finished(self) -> bool:
        """Whether every row has been seen."""
        return self.done == len(self.losses)

    def next(self) -> None:
        """Some rows more."""
        rows = slice(self.done, self.done + ROWS)
        X, t = self.run.X_test[rows], self.run.t_test[rows]
        self.losses[rows], self.outputs[rows] = self.run.network.judge(self.theta, X, t)
        self.done = min(self.done + ROWS, len(self.losses))

    def mistakes(self) -> np.ndarray:
        """The test rows whose answer is wrong, the largest loss first."""
        labels = self.run.points.y[self.run.points.n_train :]
        (wrong,) = np.nonzero(self.run.network.predict(self.outputs) != labels)
        return wrong[np.argsort(-self.losses[wrong], kind="stable")]


class Mistakes(Sliced[Search]):
    """The worst mistakes of a session's run, looked for again when it has moved.

    Attributes
    ----------
    first : int
        The number of the mistake that its page begins with.
    """

    PANEL = "mistakes"
    REST = 2.0
    AGAIN_SECONDS = 0.7

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.first = 0

    def browse(self, first: int) -> None:
        """Show the mistakes from this one on."""
        self.first = first
        if self.latest is not None:
            self.send(self.latest)

    def begun(self) -> None:
        """Those of another run, from its worst on."""
        self.first = 0
        super().begun()

    def wait(self, now: float) -> float:
        """Nothing to do where there are no images."""
        return math.inf if self.session.run.points.image is None else super().wait(now)

    def start(self, theta: np.ndarray) -> Search:
        """A search through all test rows."""
        run, at = self.session.run, self.session.view
        rows, classes = len(run.X_test), len(run.points.classes)
        losses, outputs = np.zeros(rows), np.zeros((rows, classes), theta.dtype)
        return Search(run, theta, run.epochs if at is None else at.epochs, losses, outputs)

    def send(self, work: Search) -> None:
        """A page of what was found."""
        self.session.listener.send_binary(pack(work, self.first))


def pack(search: Search, first: int) -> bytes:
    """One "CRM1" frame: a page of mistakes from number ``first`` on, or the last page."""
    mistakes = search.mistakes()
    first = min(first, max(0, (len(mistakes) - 1) // PAGE * PAGE))
    shown = mistakes[first : first + PAGE]
    points = search.run.points
    image = points.image
    if image is None:
        raise TypeError("mistakes are shown of images only")
    answers = search.run.network.predict(search.outputs[shown])
    truths = points.y[points.n_train + shown]
    header = HEADER.pack(
        b"CRM1",
        search.run.number,
        len(search.losses),
        len(mistakes),
        first,
        len(shown),
        image.height,
        image.width,
        search.epochs,
        np.float32(search.losses.mean()),
    )
    whole = np.column_stack([shown, truths, answers]).astype("<u4")
    outputs = search.outputs[shown]
    of_answer, of_truth = (np.take_along_axis(outputs, k[:, None], 1) for k in (answers, truths))
    floats = np.column_stack([search.losses[shown, None], of_answer, of_truth]).astype("<f4")
    pixels = np.rint(points.X[points.n_train + shown] * (255 / image.ink)).astype(np.uint8)
    return header + whole.tobytes() + floats.tobytes() + pixels.tobytes()
