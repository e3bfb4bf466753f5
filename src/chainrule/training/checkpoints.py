"""Checkpoints: the state of a training in a folder, so that it goes on after the machine has died.

    FOLDER/last.safetensors    the newest state
    FOLDER/best.safetensors    the state at the best epoch so far
    FOLDER/lock                held while a training writes here

Each is a model file: written whole or not at all, and read only if its digest is right. Beside the
state it holds what was trained (options, data, network), so that nothing else goes on from it.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np

from chainrule.errors import (
    CheckpointError,
    CheckpointWarning,
    FileFormatError,
    describe,
    one_line,
)
from chainrule.files import making_sense_of, read_model, write_model
from chainrule.training.recipe import check_count

try:
    import fcntl
except ImportError:  # Windows, where two trainings in one folder are not noticed
    fcntl = None

__all__ = ["EVERY", "Checkpoints", "open_checkpoints"]

VERSION = 1
EVERY = 10
"""Epochs or iterations from one checkpoint to the next, where nothing else is said."""

LAST, BEST, LOCK = "last.safetensors", "best.safetensors", "lock"
State = dict[str, Any]


class Checkpoints:
    """What a training keeps in ``folder``, and what an earlier one has left there.

    Parameters
    ----------
    folder : path-like
        Made where it is missing.
    every : int
        Epochs or iterations from one checkpoint to the next.

    Attributes
    ----------
    found : dict or None
        The newest state that was there: ``{"arrays": …, "numbers": …}``.
    start : dict
        What each checkpoint holds besides the state: where the random generator stood at first.
    """

    def __init__(self, folder: str | os.PathLike[str], every: int = EVERY) -> None:
        self.folder = Path(folder)
        self.every = check_count("checkpoint_every", every)
        self.start: State = {"arrays": {}, "numbers": {}}
        self.identity: dict[str, dict[str, Any]] = {}
        self.found: State | None = None
        self._expected: dict[str, dict[str, Any]] = {}
        self._failing = False
        self._kept: int | None = None

    @contextmanager
    def opened(self) -> Iterator[Checkpoints]:
        """Read what is there; until the end nobody else may write here.

        Raises
        ------
        CheckpointError
            When another training writes here.
        FileFormatError
            When the last checkpoint is damaged.
        OSError
            When nothing can be written here.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.folder / LOCK, "ab") as lock:
            self._lock(lock)
            self._clean()
            with tempfile.TemporaryFile(dir=self.folder):
                pass  # better to know now than after an hour of training
            self._read()
            yield self

    def inside(self, name: str) -> Checkpoints:
        """Those of a part of this training, in a folder within; not opened yet."""
        part = Checkpoints(self.folder / name, self.every)
        part.start, part.identity = self.start, dict(self.identity)
        return part

    def same(self, section: str, described: Mapping[str, Any]) -> None:
        """Take note of what is trained.

        Raises
        ------
        CheckpointError
            When it is not what the checkpoint is of; names the first difference.
        """
        self.identity[section] = dict(described)
        if self.found is not None:
            self._compare(section)

    def due(self, epoch: int) -> bool:
        """Whether a checkpoint is to be written after this epoch."""
        return epoch % self.every == 0

    def save(self, state: State, epoch: int, *, best: State | None = None) -> None:
        """Write the newest state, and the best where there is a new one.

        What cannot be written (a full disk) is said in one warning; training goes on.
        """
        try:
            if best is not None:
                self._write(BEST, best)
            self._write(LAST, state)
        except OSError as error:
            if not self._failing:
                self._warn(error)
            self._failing = True
        else:
            self._failing, self._kept = False, epoch

    def _write(self, name: str, state: State) -> None:
        header = {
            "checkpoint": VERSION,
            "identity": self.identity,
            "numbers": state["numbers"],
            "start": self.start["numbers"],
        }
        arrays = {f"state/{key}": value for key, value in state["arrays"].items()}
        arrays |= {f"start/{key}": value for key, value in self.start["arrays"].items()}
        write_model(self.folder / name, arrays, header)

    def _warn(self, error: OSError) -> None:
        kept = "there is none yet" if self._kept is None else f"the last is of epoch {self._kept}"
        warnings.warn(
            f"{self.folder}: no checkpoint written ({error.strerror or error}); training goes on, "
            f"{kept}.",
            CheckpointWarning,
            stacklevel=2,
        )

    def _lock(self, file: IO[bytes]) -> None:
        if fcntl is None:
            return
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CheckpointError(
                describe(
                    f"checkpoint {self.folder}",
                    "a folder that no other training writes to",
                    "one that is in use",
                    "Give each fit a folder of its own.",
                )
            ) from None
        except OSError:  # a file system without locks
            return

    def _clean(self) -> None:
        """Remove what a killed process was about to write."""
        for name in (LAST, BEST):
            for half in self.folder.glob(f".{name}.*.part"):
                with contextlib.suppress(OSError):
                    half.unlink()

    def _read(self) -> None:
        path = self.folder / LAST
        if not path.exists():
            return
        if not stat.S_ISREG(path.stat().st_mode):
            raise FileFormatError(describe(path, "a file", "something else"))
        arrays, header = read_model(path)
        version = header.get("checkpoint")
        if version != VERSION:
            expected = f"a checkpoint of version {VERSION}"
            came = one_line(f"version {version!r}", 80)
            raise FileFormatError(describe(path, expected, came))
        numbers, start, identity = (header.get(key) for key in ("numbers", "start", "identity"))
        if not (
            isinstance(numbers, dict) and isinstance(start, dict) and isinstance(identity, dict)
        ):
            raise FileFormatError(describe(path, "a checkpoint's header", "another"))
        self._expected = identity
        self.found = {"arrays": _under("state/", arrays), "numbers": numbers}
        self.start = {"arrays": _under("start/", arrays), "numbers": start}
        for section in self.identity:
            self._compare(section)

    def _compare(self, section: str) -> None:
        stored, given = self._expected.get(section), self.identity[section]
        if not isinstance(stored, dict):
            raise FileFormatError(describe(self.folder / LAST, f"{section!r} in it", "none"))
        for name in [*given, *(name for name in stored if name not in given)]:
            if stored.get(name) != given.get(name):
                raise CheckpointError(
                    describe(
                        f"checkpoint {self.folder}, {section}: {name}",
                        f"{_short(stored.get(name))}, of which the checkpoint is",
                        _short(given.get(name)),
                        "Restore it, or name another folder to start afresh.",
                    )
                )

    @contextmanager
    def reading(self) -> Iterator[None]:
        """What goes wrong with ``found`` in the block is a mistake in the file."""
        with making_sense_of(self.folder / LAST, "the state of this training"):
            yield


@contextmanager
def open_checkpoints(
    checkpoint: str | os.PathLike[str] | Checkpoints | None, every: int = EVERY
) -> Iterator[Checkpoints | None]:
    """The option ``checkpoint``: a folder, checkpoints that somebody else has opened, or none."""
    if checkpoint is None or isinstance(checkpoint, Checkpoints):
        yield checkpoint
    else:
        with Checkpoints(checkpoint, every).opened() as opened:
            yield opened


def _under(prefix: str, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }


def _short(value: Any) -> str:
    return one_line(str(value), 80)
