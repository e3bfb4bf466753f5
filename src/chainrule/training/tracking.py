"""Callbacks that write each epoch down, for other programs to read while training goes on."""

from __future__ import annotations

import csv
import json
import os
from abc import abstractmethod
from pathlib import Path
from typing import IO, Any

from chainrule.training.callbacks import Callback, Progress
from chainrule.training.history import COLUMNS

__all__ = ["WriteCSV", "WriteJSONLines"]


class _Lines(Callback):
    """One line an epoch, flushed at once.

    The file is written anew when training begins, with the epochs that lie behind where it goes
    on from a checkpoint: none is missing and none is there twice.

    Parameters
    ----------
    path : path-like
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._file: IO[str] | None = None

    @abstractmethod
    def _write(self, file: IO[str], row: dict[str, Any]) -> None:
        """Add a line."""

    def _begin(self, file: IO[str]) -> None:
        """What comes before the first line."""

    def on_train_begin(self, progress: Progress) -> None:
        """Open the file."""
        self._file = open(self.path, "w", encoding="utf-8", newline="")  # noqa: SIM115
        self._begin(self._file)
        for row in progress.history:
            self._write(self._file, row)
        self._file.flush()

    def on_epoch_end(self, progress: Progress) -> None:
        """Add the epoch."""
        if self._file is not None:
            self._write(self._file, progress.history[-1])
            self._file.flush()

    def on_train_end(self, progress: Progress) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None


class WriteCSV(_Lines):
    """Writes the history as a CSV file, line by line; what has no number is empty.

    Parameters
    ----------
    path : path-like
        The file to create or to replace.
    """

    def _begin(self, file: IO[str]) -> None:
        csv.writer(file, lineterminator="\n").writerow(COLUMNS)

    def _write(self, file: IO[str], row: dict[str, Any]) -> None:
        cells = ["" if row[name] != row[name] else row[name] for name in COLUMNS]
        csv.writer(file, lineterminator="\n").writerow(cells)


class WriteJSONLines(_Lines):
    """Writes the history as lines of JSON, one object an epoch; what has no number is left out.

    Parameters
    ----------
    path : path-like
        The file to create or to replace.
    """

    def _write(self, file: IO[str], row: dict[str, Any]) -> None:
        numbers = {name: value for name, value in row.items() if value - value == 0}
        file.write(json.dumps(numbers) + "\n")
