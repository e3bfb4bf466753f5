"""Files that nobody should trust: model files and checkpoints, damaged at random, are read.

    python tools/fuzz_files.py --cases 6000 --seed 1

Each case takes a good file, damages it (cut off, bits flipped, sizes lied about, arrays on top of
each other, types exchanged, JSON without end) and reads it. Where the damage is inside what the
digest covers, the digest is made right again, as an attacker would. What must hold for each:

- it is read, or ends in one FileFormatError or CheckpointError of one line;
- nothing is run or imported, no other file is opened, no program started;
- no more memory is taken than the file justifies: 64 times its size and 8 MiB.

Cases that break this are kept in --keep FOLDER. The exit code is 1 if there are any.
"""

from __future__ import annotations

import argparse
import copy
import json
import random
import struct
import sys
import tempfile
import time
import tracemalloc
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

import chainrule as cr
from chainrule import files
from chainrule.errors import CheckpointError, FileFormatError, NumericalError
from chainrule.files import read_model
from chainrule.training.checkpoints import LAST

TIMES, BESIDES = 64, 8 * 2**20
FORBIDDEN = ("compile", "exec", "import", "os.", "pickle.", "socket.", "subprocess.", "ctypes.")
ALLOWED = ("os.listdir", "os.scandir", "os.remove", "os.rename", "os.chmod", "os.mkdir")

X = np.random.default_rng(0).normal(size=(24, 3))
Y = np.arange(24) % 3
TABLE = {
    "number": np.where(Y == 1, np.nan, X[:, 0]),
    "town": np.array(["Ulm", "Bonn", "Köln", "Rom"] * 6, dtype=object),
    "many": np.array([f"level {i % 12}" for i in range(24)], dtype=object),
    "when": np.datetime64("2024-01-01", "us") + np.arange(24) * np.timedelta64(7, "h"),
}
DEEP = "[" * 5000 + "]" * 5000
ODD: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    1 << 40,
    1 << 70,
    1e308,
    float("nan"),
    float("inf"),
    "",
    "__import__('os').system('true')",
    "../../../../etc/passwd",
    "x" * 3000,
    "\n\r\x00",
    [],
    {},
    [[[[[]]]]],
    [10**12],
    [1 << 62, 1 << 62],
    {"array": {"dtype": "<U100000000", "shape": [1], "values": ["a"]}},
    {"array": {"dtype": "O", "shape": [1], "values": [{"tuple": []}]}},
    {"array": {"dtype": "(100000000,)f8", "shape": [1], "values": [1.0]}},
    {"array": {"dtype": "f8", "shape": [1 << 40], "values": [1.0]}},
    {"layer Dense": {"units": 1 << 60}},
    {"update adam": {"learning_rate": "x"}},
    {"tuple": {"tuple": []}},
    {"float": "nan"},
    {"float": "x" * 1000},
)

Arrays = dict[str, np.ndarray]
Damage = Callable[[random.Random, bytes], bytes]


# what is read -------------------------------------------------------------------------------


class _Case:
    """A good file, where it lies, and what reads it."""

    def __init__(self, name: str, path: Path, read: Callable[[], object]) -> None:
        self.name, self.path, self.read = name, path, read
        self.content = path.read_bytes()


def cases(folder: Path) -> list[_Case]:
    """Model files of several estimators and checkpoints of several trainings."""
    quick = {"max_iter": 2, "random_state": 0}
    models = {
        "perceptron": cr.MLPClassifier((4,), **quick),
        "layers": cr.MLPClassifier(
            layers=[cr.Dense(4, "gelu"), cr.LayerNorm(), cr.Dropout(0.2)], **quick
        ),
        "values": cr.MLPRegressor("huber", (4,), solver="lbfgs", **quick),
        "softmax": cr.SoftmaxClassifier(max_iter=2),
        "table": cr.RealMLPClassifier(n_epochs=2, hidden_layer_sizes=(4,), random_state=0),
    }
    found = []
    for name, model in models.items():
        path = folder / f"{name}.safetensors"
        rows = TABLE if name == "table" else X
        cr.save(model.fit(rows, np.array(list("abc"))[Y] if name == "perceptron" else Y), path)
        found.append(_Case(f"model {name}", path, lambda path=path: cr.load(path)))
    for solver in ("adam", "lbfgs"):
        runs = folder / solver

        def train(solver: str = solver, runs: Path = runs) -> object:
            options = {"checkpoint": runs, "checkpoint_every": 1, "solver": solver, **quick}
            return cr.MLPClassifier((4,), **options).fit(X, Y)

        train()
        found.append(_Case(f"checkpoint {solver}", runs / LAST, train))
    return found


# how it is damaged --------------------------------------------------------------------------


def truncated(rng: random.Random, content: bytes) -> bytes:
    """The first so many bytes."""
    return content[: rng.randrange(len(content))]


def flipped(rng: random.Random, content: bytes) -> bytes:
    """A few bits the other way round."""
    damaged = bytearray(content)
    for _ in range(rng.randint(1, 8)):
        damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
    return bytes(damaged)


def cut_and_pasted(rng: random.Random, content: bytes) -> bytes:
    """A part taken out, doubled, or overwritten with noise."""
    start, length = rng.randrange(len(content)), rng.randint(1, 200)
    part = content[start : start + length]
    new = rng.choice([b"", part + part, rng.randbytes(length), b"\0" * length])
    return content[:start] + new + content[start + length :]


def header_of_another_length(rng: random.Random, content: bytes) -> bytes:
    """The length in front of the header is a lie."""
    (own,) = struct.unpack("<Q", content[:8])
    sizes = [0, 1, own - 1, own + 1, len(content), 64 * 2**20 + 1, 1 << 63, (1 << 64) - 1]
    return struct.pack("<Q", rng.choice(sizes)) + content[8:]


def other_listing(rng: random.Random, content: bytes) -> bytes:
    """Types, shapes and places of arrays that are not theirs: beyond the end, on top of others."""
    (length,) = struct.unpack("<Q", content[:8])
    listing, data = json.loads(content[8 : 8 + length]), content[8 + length :]
    name = rng.choice(sorted(listing))
    entry = listing[name]
    if name == "__metadata__" or rng.random() < 0.2:
        change = rng.choice(["drop", "rename", "odd", "double"])
        if change == "rename":
            listing[rng.choice(["../../x", "", "__metadata__", "W9", "\n"])] = listing.pop(name)
        elif change == "double":
            listing[name + "2"] = entry
        elif change == "odd":
            listing[name] = rng.choice(ODD)
        else:
            del listing[name]
    else:
        start, end = entry["data_offsets"]
        entry |= rng.choice(
            [
                {"dtype": rng.choice(["F16", "BF16", "F8_E4M3", "I64", "U8", "BOOL", "X", 7])},
                {"shape": rng.choice([[-1], [1 << 62, 4], [0], [], [2.5], "x", [[1]], [1 << 64]])},
                {"data_offsets": [start, end + 8]},
                {"data_offsets": [end, start]},
                {"data_offsets": [0, end - start]},
                {"data_offsets": [start - 8, end - 8]},
                {"data_offsets": [1 << 60, (1 << 60) + end - start]},
                {"data_offsets": [start]},
                {"data_offsets": rng.choice(ODD)},
            ]
        )
    text = json.dumps(listing).encode()
    return struct.pack("<Q", len(text)) + text + data


def other_envelope(rng: random.Random, content: bytes) -> bytes:
    """Another format, version, digest or header."""
    (length,) = struct.unpack("<Q", content[:8])
    listing, data = json.loads(content[8 : 8 + length]), content[8 + length :]
    envelope = json.loads(listing["__metadata__"]["chainrule"])
    envelope[rng.choice(sorted(envelope))] = rng.choice([*ODD, 2, "1", [1]])
    said = json.dumps(envelope) if rng.random() < 0.9 else DEEP
    listing["__metadata__"]["chainrule"] = said
    text = json.dumps(listing).encode()
    return struct.pack("<Q", len(text)) + text + data


def signed(arrays: Arrays, text: str) -> bytes:
    """A file of these arrays and this header, whatever it says, with the right digest."""
    envelope = {"format": "chainrule", "version": 1, "sha256": files._digest(text, arrays)}
    metadata = {"chainrule": json.dumps(envelope | {"header": text})}
    return files.save(arrays, metadata=metadata)


def other_header(rng: random.Random, content: bytes) -> bytes:
    """One value anywhere in the header is another, and the digest is right."""
    arrays, header = parsed(content)
    for _ in range(rng.randint(1, 2)):
        holder, key = rng.choice(list(places(header)))
        change = rng.random()
        if change < 0.15:
            del holder[key]
        elif change < 0.3:
            other, place = rng.choice(list(places(header)))
            if key in (holder if isinstance(holder, dict) else range(len(holder))):
                holder[key] = copy.deepcopy(other[place])
        else:
            holder[key] = copy.deepcopy(rng.choice(ODD))
    text = json.dumps(header)
    if rng.random() < 0.05:
        text = text.replace("null", DEEP, 1)
    return signed(arrays, text)


def bloated(rng: random.Random, content: bytes) -> bytes:
    """A header of very many small things, and the digest is right."""
    arrays, header = parsed(content)
    holder, key = rng.choice(list(places(header)))
    count = rng.randrange(20_000)
    small = rng.choice([[], {}, {"": 0}, 1.5, "ab", [[]], None])
    holder[key] = rng.choice([[small] * count, {str(i): small for i in range(count)}])
    return signed(arrays, json.dumps(header, separators=(",", ":")))


def other_arrays(rng: random.Random, content: bytes) -> bytes:
    """An array of another type, shape or name, and the digest is right."""
    arrays, header = parsed(content)
    name = rng.choice(sorted(arrays))
    array = arrays.pop(name)
    change = rng.randrange(6)
    if change == 0:
        arrays[name] = array.astype(rng.choice(["f2", "f4", "f8", "i8", "u1", "?"]))
    elif change == 1:
        arrays[name] = array.reshape(-1)[: rng.randrange(array.size + 1)].copy()
    elif change == 2:
        arrays[rng.choice(["../x", "W99", "state/x", "memory x", ""])] = array
    elif change == 3:
        arrays[name] = np.zeros((0, *array.shape), array.dtype)
    elif change == 4:
        arrays[name] = array[..., None]
    return signed(arrays, json.dumps(header))


def parsed(content: bytes) -> tuple[Arrays, dict[str, Any]]:
    """The arrays and the header of a good file."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        return read_model(file.name)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every (holder, key) of a JSON value."""
    keys = list(value) if isinstance(value, dict) else range(len(value))
    for key in keys:
        yield value, key
        if isinstance(value[key], (dict, list)):
            yield from places(value[key])


DAMAGES: dict[str, Damage] = {
    "bloated": bloated,
    "truncated": truncated,
    "flipped": flipped,
    "cut and pasted": cut_and_pasted,
    "header of another length": header_of_another_length,
    "other listing": other_listing,
    "other envelope": other_envelope,
    "other header": other_header,
    "other arrays": other_arrays,
}


# what is watched ----------------------------------------------------------------------------


class _Watch:
    """Notes what Python's audit events tell while ``watching``."""

    def __init__(self) -> None:
        self.on, self.seen, self.folder = False, [], ""
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.on:
            return
        if event == "open":
            path = arguments[0]
            inside = isinstance(path, int) or str(path).startswith(self.folder)
            if not inside:
                self.seen.append(f"open {path}")
        elif event.startswith(FORBIDDEN) and event not in ALLOWED:
            self.seen.append(event)

    @contextmanager
    def watching(self, folder: Path) -> Iterator[list[str]]:
        """While it lasts, what should not happen is listed."""
        self.on, self.seen, self.folder = True, [], str(folder)
        try:
            yield self.seen
        finally:
            self.on = False


def judge(case: _Case, content: bytes, watch: _Watch, folder: Path) -> tuple[str, str | None]:
    """How reading ``content`` ended, and what is wrong with that, if anything."""
    case.path.write_bytes(content)
    fault, seen = None, []
    tracemalloc.start()
    try:
        with watch.watching(folder) as seen:
            case.read()
        end = "read"
    except (FileFormatError, CheckpointError) as error:
        end = type(error).__name__
        if "\n" in str(error) or len(str(error)) > 2000:
            fault = f"not one line: {str(error)[:200]!r}"
    except NumericalError:
        end = "not finite"  # good numbers for all that the file says, and training says what
    except BaseException as error:
        end = type(error).__name__
        fault = f"{end}: {str(error)[:200]}"
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    if peak > TIMES * len(content) + BESIDES:
        fault = f"{peak / 2**20:.0f} MiB for a file of {len(content)} bytes"
    if seen:
        fault = f"it did: {', '.join(seen[:5])}"
    return end, fault


def fuzz(count: int, seed: int, keep: Path | None = None) -> tuple[Counter[str], list[str]]:
    """Read ``count`` damaged files: how they ended, and what went wrong."""
    ends: Counter[str] = Counter()
    faults: list[str] = []
    watch, rng = _Watch(), random.Random(seed)
    with tempfile.TemporaryDirectory() as place, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder = Path(place)
        good = cases(folder)
        for case in good:
            case.read()  # what is imported on first use is imported now
        for number in range(count):
            case, name = rng.choice(good), rng.choice(sorted(DAMAGES))
            content = DAMAGES[name](rng, case.content)
            if keep is not None:
                (keep / "latest").write_bytes(content)  # should the process not outlive it
            end, fault = judge(case, content, watch, folder)
            ends[f"{name}: {end}"] += 1
            if fault is not None:
                faults.append(f"case {number}, {case.name}, {name}: {fault}")
                if keep is not None:
                    (keep / f"{seed}-{number}").write_bytes(content)
    return ends, faults


def main() -> None:
    """Run as many cases as asked for, and print how they ended."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="a folder for the cases that break a promise")
    options = parser.parse_args()
    if options.keep is not None:
        options.keep.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    ends, faults = fuzz(options.cases, options.seed, options.keep)
    for end, number in sorted(ends.items()):
        print(f"{number:7d}  {end}")
    print(f"{options.cases} files in {time.perf_counter() - start:.0f} s, {len(faults)} faults")
    for fault in faults[:20]:
        print(fault)
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
