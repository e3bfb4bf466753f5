"""The writing pad: one image, written or of the test rows, and what every layer makes of it.

Frame "CRA1", little-endian:

=======  ===========================================================================
bytes
=======  ===========================================================================
0        "CRA1", then uint32: run, source (0 nothing, 1 written, 2 a test row), row,
         truth + 1 (0: unknown), answer, height, width, layers; then units of each
36 + 4l  float32 pixels from 0 (paper) to 1 · float32 values of every layer, the
         output last
=======  ===========================================================================
"""

from __future__ import annotations

import struct

import numpy as np

from chainrule.errors import DataError, OptionError, describe
from chainrule.server.normalising import as_digits, as_mnist
from chainrule.server.part import Part
from chainrule.server.points import Points
from chainrule.server.session import Session

HEADER = struct.Struct("<4s8I")
NOTHING, WRITTEN, TEST_ROW = 0, 1, 2
MAKERS = {8: as_digits, 28: as_mnist}


class Pad(Part):
    """What lies on a session's pad; at first the first image to test on.

    Attributes
    ----------
    ink : ndarray of bool (CELLS, CELLS) or None
        What is written, if anything is.
    row : int or None
        The test row that is looked at.
    """

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.ink: np.ndarray | None = None
        self.row: int | None = 0

    def begun(self) -> None:
        """Other images: a row that is no longer there makes room for the first."""
        points = self.session.run.points
        if self.row is not None and self.row >= len(points.X) - points.n_train:
            self.row = 0

    def write(self, ink: np.ndarray | None) -> None:
        """This is written now; None wipes the pad."""
        self.ink, self.row = ink, None
        self._send()

    def pick(self, row: int) -> None:
        """Put a test row on the pad."""
        points = self._points()
        if points is None:
            raise DataError(describe("pick", "images to learn from", "points"))
        tests = len(points.X) - points.n_train
        if row >= tests:
            raise OptionError(describe("pick", f"a test row below {tests}", row))
        self.ink, self.row = None, row
        self._send()

    def shown(self) -> None:
        """A page has come."""
        self._send()

    def looked(self) -> None:
        """The answer of this moment beside its picture."""
        self._send()

    def pixels(self) -> np.ndarray | None:
        """What the network reads, as bytes (pixels,)."""
        points = self._points()
        if points is None:
            return None
        if self.row is not None:
            return points.X[points.n_train + self.row]
        if self.ink is None or points.image is None:
            return None
        return MAKERS[points.image.height](self.ink).ravel()

    def _points(self) -> Points | None:
        points = self.session.run.points
        return None if points.image is None else points

    def _send(self) -> None:
        frame = self.frame()
        if frame is not None:
            self.session.listener.send_binary(frame)

    def frame(self) -> bytes | None:
        """One "CRA1" frame; None where the run does not learn from images."""
        run, view, points = self.session.run, self.session.view, self._points()
        if points is None or points.image is None:
            return None
        image, pixels = points.image, self.pixels()
        size = (image.height, image.width)
        if pixels is None:
            return HEADER.pack(b"CRA1", run.number, NOTHING, 0, 0, 0, *size, 0)
        theta = run.theta if view is None else view.memory.theta
        with np.errstate(all="ignore"):
            values = run.network.values(theta, pixels[None])
        answer = int(run.network.predict(values[-1])[0])
        row = self.row or 0
        truth = 0 if self.row is None else int(points.y[points.n_train + row]) + 1
        source = WRITTEN if self.row is None else TEST_ROW
        header = HEADER.pack(b"CRA1", run.number, source, row, truth, answer, *size, len(values))
        units = np.array([one.shape[1] for one in values], "<u4")
        parts = [pixels / image.ink, *(one[0] for one in values)]
        return header + units.tobytes() + np.concatenate(parts).astype("<f4").tobytes()
