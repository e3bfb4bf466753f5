"""Ways to damage a good input: as bytes, as a table of cells, as a JSON value."""

from __future__ import annotations

import copy
import csv
import gzip
import io
import json
import random
import struct
from collections.abc import Callable

from fuzz_files import ODD, cut_and_pasted, flipped, places, truncated

Damage = Callable[[random.Random, bytes], bytes]

TOKENS = (
    b"", b",", b";", b"\t", b"|", b'"', b'""', b"\n", b"\r", b"\r\n", b"\0", b"\xef\xbb\xbf",
    b"\xff", b"\xed\xa0\x80", b"nan", b"inf", b"-inf", b"1e400", b"-0", b"1_000", b"0x10", b"1,5",
    b"?", b"9" * 400, b"a" * 5000, "٣".encode(), "½".encode(), "−1".encode(), b"=cmd()",
    b"2024-02-30", b"0001-01-01", b"9999-12-31T23:59:59Z", b"true", b"None", b"[]", b"{}",
    b"\x1f\x8b", b"\\",
)  # fmt: skip


def word(rng: random.Random, content: bytes) -> bytes:
    """A few odd words put in, or in the place of something."""
    for _ in range(rng.randint(1, 4)):
        place = rng.randrange(len(content) + 1)
        end = place + rng.choice([0, 0, 1, 8])
        content = content[:place] + rng.choice(TOKENS) + content[end:]
    return content


def other_cells(rng: random.Random, content: bytes) -> bytes:
    """Cells, rows and columns of a table that are odd, gone or doubled."""
    rows = list(csv.reader(io.StringIO(content.decode("utf-8", "replace"))))
    for _ in range(rng.randint(1, 4)):
        change, row = rng.random(), rng.choice(rows)
        place = rng.randrange(len(row)) if row else 0
        if change < 0.5 and row:
            row[place] = rng.choice(TOKENS).decode("utf-8", "replace")
        elif change < 0.6:
            rows.append(list(row))
        elif change < 0.7 and len(rows) > 1:
            rows.remove(row)
        elif change < 0.8:
            row.append("1")
        else:
            odd = rng.choice(TOKENS).decode("utf-8", "replace")
            for one in rows[rng.randrange(2) :]:
                if place < len(one):
                    one[place] = odd
    text = io.StringIO()
    separator = rng.choice(",,,;\t|")
    quoting = rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
    csv.writer(text, delimiter=separator, quoting=quoting).writerows(rows)
    return text.getvalue().encode("utf-8", "replace")


def other_value(rng: random.Random, content: bytes) -> bytes:
    """One or two values anywhere in a JSON text are others, gone, or somewhere else."""
    value = json.loads(content)
    for _ in range(rng.randint(1, 2)):
        all_places = list(places(value)) if isinstance(value, (dict, list)) else []
        if not all_places:
            break
        holder, key = rng.choice(all_places)
        change = rng.random()
        if change < 0.15:
            del holder[key]
        elif change < 0.35:
            other, place = rng.choice(all_places)
            holder[key] = copy.deepcopy(other[place])
        elif change < 0.45 and isinstance(holder, dict):
            holder[rng.choice(["", "x", "__proto__", "settings", "\ud800"])] = holder[key]
        elif change < 0.55 and isinstance(holder, list):
            holder[key:key] = [copy.deepcopy(holder[key])] * rng.choice([1, 7, 300])
        else:
            holder[key] = copy.deepcopy(rng.choice(ODD))
    text = json.dumps(value)
    if rng.random() < 0.05:
        text = text.replace("1", rng.choice(["[" * 5000, "1e999", "1" * 5000, "NaN"]), 1)
    return text.encode()


def other_sizes(rng: random.Random, content: bytes) -> bytes:
    """An IDX file of another type, of other dimensions, or gzipped and then damaged."""
    damaged = bytearray(content)
    change = rng.randrange(4)
    if change == 0:
        damaged[rng.randrange(4)] = rng.randrange(256)
    elif change == 1 and len(damaged) >= 8:
        size = rng.choice([0, 1, 2**16, 2**31, 2**32 - 1, rng.randrange(2**32)])
        damaged[4:8] = struct.pack(">I", size)
    elif change == 2:
        return flipped(rng, gzip.compress(content))
    else:
        return gzip.compress(bytes(2**22) if rng.random() < 0.2 else truncated(rng, content))
    return bytes(damaged)


BYTES: dict[str, Damage] = {
    "truncated": truncated,
    "flipped": flipped,
    "cut and pasted": cut_and_pasted,
    "odd word": word,
}
