"""Fuzzing: everything that chainrule reads from outside is given damaged input.

    python tools/fuzz.py                            every target for a minute each
    python tools/fuzz.py csv table --minutes 5      two of them for five minutes each
    python tools/fuzz.py idx --cases 2000 --seed 7  so many cases, the same each time

A case takes a good input and damages it: bits flipped, parts cut and doubled, odd words, cells,
sizes and values in the place of good ones. What must hold for each:

- it is read, or ends in one of chainrule's own errors, of one line;
- it takes no more than 10 seconds and 64 MiB beside 256 times its size;
- nothing ends the process.

Model files and checkpoints (``files``) are watched more closely, by tools/fuzz_files.py. A case
that breaks a promise is kept in --keep FOLDER; the exit code is then 1. POSIX only.
"""

from __future__ import annotations

import argparse
import random
import resource
import signal
import subprocess
import sys
import time
import tracemalloc
import warnings
from collections import Counter
from contextlib import suppress
from pathlib import Path

from fuzzing.targets import LONGEST, TARGETS, Target

from chainrule.errors import ChainruleError

SECONDS = 10
TIMES, BESIDES = 256, 64 * 2**20
ADDRESSES = 24 * 2**30
MOST_FAULTS = 20
FILES = "files"
RATE = 10  # cases a second of tools/fuzz_files.py, to share the minutes


class TooLong(BaseException):
    """A case takes longer than it may."""


def judge(target: Target, content: bytes) -> tuple[str, str | None]:
    """How reading ``content`` ended, and what is wrong with that, if anything."""
    fault = None
    tracemalloc.start()
    signal.alarm(SECONDS)
    try:
        target.read(content)
        end = "read"
    except TooLong:
        end = fault = f"more than {SECONDS} s"
    except target.allowed as error:
        end = type(error).__name__
        if "\n" in str(error) or len(str(error)) > LONGEST:
            fault = f"not one line: {str(error)[:300]!r}"
    except BaseException as error:
        end = type(error).__name__
        fault = f"{end}: {str(error)[:300]}"
    finally:
        signal.alarm(0)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    if peak > TIMES * len(content) + BESIDES:
        fault = f"{peak / 2**20:.0f} MiB for {len(content)} bytes"
    return end, fault


def fuzz(name: str, cases: int | None, minutes: float, seed: int, keep: Path) -> int:
    """Damage and read until the cases or the minutes are used up; the number of faults."""
    rng = random.Random(seed)
    target = TARGETS[name](rng)
    for content in target.seeds:
        with suppress(ChainruleError):
            target.read(content)  # what is imported late is imported now
    ends: Counter[str] = Counter()
    faults, number = [], 0
    stop = time.monotonic() + 60 * minutes
    while len(faults) < MOST_FAULTS:
        if number >= cases if cases is not None else time.monotonic() > stop:
            break
        damage = rng.choice(sorted(target.damages))
        content = target.damages[damage](rng, rng.choice(target.seeds))
        if rng.random() < 0.2:
            content = target.damages["cut and pasted"](rng, content or b"x")
        (keep / f"{name}-latest").write_bytes(content)  # should the process not outlive it
        end, fault = judge(target, content)
        ends[end] += 1
        if fault is not None:
            faults.append(f"{name}, case {number}, {damage}: {fault}")
            (keep / f"{name}-{seed}-{number}").write_bytes(content)
        number += 1
    (keep / f"{name}-latest").unlink(missing_ok=True)
    told = ", ".join(f"{count} {end}" for end, count in ends.most_common())
    print(f"{name}: {number} cases, {len(faults)} faults ({told})")
    print("\n".join(faults), end="\n" if faults else "")
    return len(faults)


def alone(name: str, asked: argparse.Namespace) -> int:
    """A target in a process of its own; whether something was wrong."""
    tools = Path(__file__).parent
    if name == FILES:
        cases = asked.cases or max(1, round(60 * RATE * asked.minutes))
        command = [tools / "fuzz_files.py", "--cases", cases, "--seed", asked.seed]
    else:
        command = [tools / "fuzz.py", name, "--alone", "--minutes", asked.minutes]
        command += ["--seed", asked.seed]
        command += [] if asked.cases is None else ["--cases", asked.cases]
    command += ["--keep", asked.keep]
    code = subprocess.run([sys.executable, *map(str, command)], check=False).returncode
    if code < 0:
        print(f"{name}: ended by {signal.Signals(-code).name}: {asked.keep / f'{name}-latest'}")
    return int(code != 0)


def main() -> None:
    """Fuzz what was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("targets", nargs="*", help=f"{', '.join([FILES, *TARGETS])}; none: all")
    parser.add_argument("--minutes", type=float, default=1.0, help="for each target")
    parser.add_argument("--cases", type=int, help="for each target, in the place of minutes")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, default=Path("build/fuzz"), help="where faults go")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    names = asked.targets or [FILES, *TARGETS]
    if unknown := sorted(set(names) - {FILES, *TARGETS}):
        parser.error(f"expected some of {', '.join([FILES, *TARGETS])}; came {', '.join(unknown)}")
    asked.keep.mkdir(parents=True, exist_ok=True)
    if not asked.alone:
        sys.exit(bool(sum([alone(name, asked) for name in names])))
    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))

    def too_long(*_: object) -> None:
        raise TooLong

    signal.signal(signal.SIGALRM, too_long)
    (name,) = names
    sys.exit(bool(fuzz(name, asked.cases, asked.minutes, asked.seed, asked.keep)))


if __name__ == "__main__":
    main()
