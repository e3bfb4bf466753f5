"""What reads something from outside, each with good inputs and with what may come out of it."""

from __future__ import annotations

import json
import random
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.errors import ChainruleError
from fuzzing.damage import BYTES, Damage, other_cells, other_sizes, other_value

Read = Callable[[bytes], object]

LONGEST = 2000
"""Letters of a message."""


@dataclass(frozen=True)
class Target:
    """One reader.

    Attributes
    ----------
    seeds : list of bytes
        Good inputs.
    read : callable
    damages : dict of str to callable
    allowed : tuple of exception types
        Whatever else comes out is a fault.
    """

    seeds: list[bytes]
    read: Read
    damages: dict[str, Damage] = field(default_factory=lambda: dict(BYTES))
    allowed: tuple[type[Exception], ...] = (ChainruleError,)


CELLS = BYTES | {"other cells": other_cells, "other cells too": other_cells}
VALUES = BYTES | {"other value": other_value, "another value": other_value}


def _tables(rng: random.Random) -> list[bytes]:
    """Small tables: of numbers, of mixed columns, with quotes, other separators, text."""
    numbers = "a,b,label\n" + "".join(f"{i},{i * 0.5 - 3},{i % 3}\n" for i in range(12))
    towns, days = ["Ulm", "Köln", "", "São Paulo"], ["2024-01-01", "2024-02-29 10:00", "?", "NA"]
    mixed = "size,town,when,free,label\n" + "".join(
        f'{i if i % 5 else ""},{towns[i % 4]},{days[i % 4]},"word {i}, of ""{i}""",{"ynx"[i % 2]}\n'
        for i in range(16)
    )
    decimal = "x;y;label\n" + "".join(f"{i},5;-{i},25;{'ab'[i % 2]}\n" for i in range(9))
    noise = "u\tv\tlabel\r\n" + "".join(
        f"{rng.gauss(0, 1)}\t{rng.randrange(2)}\t{rng.random()}\r\n" for _ in range(9)
    )
    return [one.encode() for one in (numbers, mixed, decimal, "\ufeff" + noise)]


def _checked(error: ChainruleError) -> ChainruleError:
    """An error that is one of several ends, if it is of one line."""
    if "\n" in str(error) or len(str(error)) > LONGEST:
        raise error
    return error


class _File:
    """A file of a name, written anew for every case."""

    def __init__(self, name: str) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self.path = Path(self._folder.name) / name

    def __call__(self, read: Callable[[Path], object]) -> Read:
        def reading(content: bytes) -> object:
            self.path.write_bytes(content)
            return read(self.path)

        return reading


def csv(rng: random.Random) -> Target:
    """``datasets.read_csv``, with and without a target."""
    from chainrule.datasets import read_csv

    def read(path: Path) -> object:
        return read_csv(path, "label"), read_csv(path)

    return Target(_tables(rng)[:1], _File("t.csv")(read), CELLS)


def table(rng: random.Random) -> Target:
    """``read_table``, its target, ``ColumnEncoder`` fitted, applied and inspected."""
    from chainrule.tables import ColumnEncoder, read_table
    from chainrule.tables.task import target_values

    def read(path: Path) -> object:
        rows = read_table(path)
        present = rows.take(np.flatnonzero(~rows[rows.names[-1]].missing))
        if present.rows:
            target_values(present[rows.names[-1]])
        encoder = ColumnEncoder().fit(rows)
        encoded = encoder.transform(rows)
        assert np.isfinite(np.asarray(encoded, np.float64)).all(), "encoded to what is not finite"
        return encoder.summary(), encoder.get_feature_names_out()

    return Target(_tables(rng), _File("t.csv")(read), CELLS)


def own(rng: random.Random) -> Target:
    """The playground's own tables: direct, encoded, as components."""
    from chainrule.server.encoded import points_of_table
    from chainrule.server.tables import header_of, points_of_csv

    def read(content: bytes) -> object:
        names = header_of(content)
        ends: list[object] = []
        for reading in ("columns", "components", "direct"):
            try:
                if reading == "direct":
                    ends.append(points_of_csv(content, names[:2], names[-1]))
                else:
                    ends.append(points_of_table(content, [], names[-1], reading=reading))
            except ChainruleError as error:
                ends.append(_checked(error))
        return ends

    return Target(_tables(rng)[:2], read, CELLS)


def lesson(rng: random.Random) -> Target:
    """A teacher's lesson file."""
    from importlib import resources

    from chainrule.server.lessons import LESSONS, read_lesson

    folder = resources.files("chainrule.server") / "classroom"
    return Target([(folder / f"{one}.json").read_bytes() for one in LESSONS], read_lesson, VALUES)


def run(rng: random.Random) -> Target:
    """A run file of the playground, with a table of its own and without."""
    from chainrule.server.runfile import read_run
    from chainrule.server.settings import read_settings

    settings = read_settings({"dataset": "spiral"})
    journal = [
        ["steps", 3],
        ["set", {"learning_rate": 0.1}],
        ["steps", 5],
        ["edit", "W1", [0, 0], 1.0],
    ]
    good = {"format": "chainrule run", "version": 1, "settings": settings, "journal": journal}
    good |= {"own": None, "fingerprint": "0123456789abcdef"}
    table = {"table": _tables(rng)[0].decode(), "columns": ["a", "b"], "target": "label"}
    mine = good | {"own": table | {"reading": "direct"}, "settings": {**settings, "dataset": "own"}}
    seeds = [json.dumps(one).encode() for one in (good, mine)]
    return Target(seeds, lambda content: read_run(content, 64), VALUES)


def state(rng: random.Random) -> Target:
    """The settings an address carries, a branch and a drawing among them."""
    from chainrule.server.drawing import points_of_drawing
    from chainrule.server.settings import read_settings, table

    every = {row["name"]: row["default"] for row in table()}
    fork = {"fork": 40, "fork_solver": "adam", "fork_learning_rate": 0.3}
    fork["fork_activations"] = ["relu"]
    drawn = {"dataset": "drawn", "drawing": every["drawing"][-80:] + every["drawing"][:80]}

    def read(content: bytes) -> object:
        try:
            given = json.loads(content)
        except (ValueError, RecursionError):
            return None  # the page's own reader, tested in the browser, makes the object
        settings = read_settings(given)
        return points_of_drawing(settings["drawing"])

    return Target([json.dumps(one).encode() for one in (every, fork, drawn)], read, VALUES)


def message(rng: random.Random) -> Target:
    """What a page says over the wire."""
    from chainrule.server.protocol import MESSAGES, read_message

    values = (0, "a", ["a"], [0, 0], True, 0.5, {"noise": 3}, None, "direct", "W1", "random")

    def fitting(name: str, reader: Any) -> Any:
        for value in values:
            try:
                reader(name, value)
            except ChainruleError:
                continue
            return value
        return 0  # such a message is refused before it is damaged, which is as good a beginning

    said = []
    for kind, fields in MESSAGES.items():
        said.append({"type": kind} | {name: fitting(name, fields[name]) for name in fields})

    def read(content: bytes) -> object:
        return read_message(content.decode("utf-8", "replace"))

    return Target([json.dumps(one).encode() for one in said], read, VALUES)


def idx(rng: random.Random) -> Target:
    """IDX files, plain and gzipped: MNIST's format."""
    from chainrule.datasets.idx import read_idx, write_idx

    file, seeds = _File("x.idx"), []
    for array in (np.arange(60, dtype=np.uint8).reshape(3, 4, 5), np.linspace(0, 1, 9)):
        write_idx(file.path, array)
        seeds.append(file.path.read_bytes())
    sizes = {"other sizes": other_sizes, "other sizes too": other_sizes}
    return Target(seeds, file(lambda path: read_idx(path, 2**24)), BYTES | sizes)


def _streamed(name: str, seeds: list[bytes], damages: dict[str, Damage]) -> Target:
    from chainrule.cluster.files import loads_of

    def read(path: Path) -> object:
        return [load.piece(i) for i, load in enumerate(loads_of(path, "label", None, 1))]

    return Target(seeds, _File(name)(read), damages)


def parquet(rng: random.Random) -> Target:
    """A Parquet file as training streams it, row group by row group."""
    import io

    import pyarrow as pa
    import pyarrow.parquet as pq

    seeds = []
    for compression in ("none", "snappy"):
        rows = pa.table({"a": range(40), "t": ["x", None] * 20, "label": [0, 1] * 20})
        pq.write_table(rows, content := io.BytesIO(), compression=compression, row_group_size=16)
        seeds.append(content.getvalue())
    return _streamed("t.parquet", seeds, BYTES)


def stream(rng: random.Random) -> Target:
    """A CSV file as training streams it, block by block."""
    return _streamed("t.csv", _tables(rng)[:2], CELLS)


def bench(rng: random.Random) -> Target:
    """The figures that `chainrule bench --save` keeps."""
    from chainrule.cli.bench import FORMAT, read

    kept = {"format": FORMAT, "version": "0", "engine": None, "seconds": {"a": 1.5, "b": 2}}
    return Target([json.dumps(kept).encode()], _File("bench.json")(read), VALUES)


def option(rng: random.Random) -> Target:
    """What the command line reads from words: sizes of layers, types of columns, memory."""
    from chainrule.cli.options import parse_hidden, parse_types
    from chainrule.cluster.fitting import memory_bytes

    def read(content: bytes) -> object:
        text, ends = content.decode("utf-8", "replace"), list[object]()
        for one in (parse_hidden, lambda text: parse_types([text]), memory_bytes):
            try:
                ends.append(one(text))
            except ChainruleError as error:
                ends.append(_checked(error))
        return ends

    return Target([b"20,10", b"zip=categorical", b"1.5 GB", b"2048"], read)


TARGETS: dict[str, Callable[[random.Random], Target]] = {
    one.__name__: one
    for one in (csv, table, own, lesson, run, state, message, idx, parquet, stream, bench, option)
}
