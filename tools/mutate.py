"""Mutation testing: change the code a little, and see whether a test notices.

    python tools/mutate.py                                 every change of ops, graph and check
    python tools/mutate.py check                           of one room
    python tools/mutate.py check/diagnosis.py              of one file
    python tools/mutate.py --sample 40 --seed 1            forty of them, drawn
    python tools/mutate.py check --tests check             tried with the tests of that room alone
    python tools/mutate.py --jobs 16 --minutes 30          as many as half an hour allows

First the tests run once without a change, which tells the lines each of them reaches and the time
it takes. Then each change is made in a copy of the package, and the tests that reach its line run,
the fastest first, until one fails. A change that no test notices has survived. Look at each: either
a test is missing, or the change alters nothing that anyone can see; those are named with the reason
in tools/mutation/equivalent.toml, and counted apart. The order is drawn, so that a run that
is stopped by the clock has seen a fair part.

The survivors are printed, and written with their diffs to mutants.txt and mutants.json
(`--report`). The exit code is 1 if there are any. POSIX only.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from mutation.changes import Mutant, mutants
from mutation.equivalent import reasons
from mutation.reach import OUTSIDE
from mutation.runs import Child, Slot, warm_up

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "chainrule"
ROOMS = ("ops", "graph", "check")
TESTS = ("ops", "graph", "check", "networks", "lecture", "test_chapters_in_messages.py")
MEASURING = 420.0  # seconds for a file of tests
ENDS = {0: "survived", 1: "noticed", 2: "noticed", 3: "noticed", 4: "noticed", -1: "no end"}


@dataclass
class Tests:
    """What the run without a change told."""

    seconds: dict[str, float] = field(default_factory=dict)
    reached: dict[tuple[str, int], set[str]] = field(default_factory=dict)
    importing: set[tuple[str, int]] = field(default_factory=set)

    def add(self, said: dict) -> None:
        """What a file of tests told; a test that fails as it is cannot notice a change."""
        for test in said["failed"]:
            print(f"left out, since it fails without a change: {test}")
        self.seconds |= {t: s for t, s in said["seconds"].items() if t not in said["failed"]}
        for test, lines in said["lines"].items():
            for name, line in lines:
                if test == OUTSIDE:
                    self.importing.add((name, line))
                elif test in self.seconds:
                    self.reached.setdefault((name, line), set()).add(test)

    def of(self, mutant: Mutant) -> list[str]:
        """The tests that may notice a change, the fastest first."""
        places = [(mutant.file, line) for line in mutant.lines]
        found = set().union(*(self.reached.get(place, set()) for place in places))
        if any(place in self.importing for place in places):
            found |= {test for test in self.seconds if _room(test) == _room(mutant.file)}
        return sorted(found, key=lambda test: self.seconds[test])

    def limit(self, tests: list[str]) -> float:
        """Seconds that the tests may take with a change before they are taken to hang."""
        return 20.0 + 4 * sum(self.seconds[test] for test in tests)


def _room(place: str) -> str:
    return place.removeprefix("tests/").split("/")[0]


def measured(slots: list[Slot], names: list[str]) -> Tests:
    """Run every file of these tests once, without a change."""
    tests, files = Tests(), []
    for name in names:
        place = ROOT / "tests" / name
        files += [place] if place.is_file() else sorted(place.glob("test_*.py"))
    waiting = [path.relative_to(ROOT).as_posix() for path in files]
    running: dict[int, tuple[str, Path, Child]] = {}
    while waiting or running:
        for i, slot in enumerate(slots):
            if i not in running and waiting:
                file = waiting.pop(0)
                into = slot.package.parent / "reach.json"
                running[i] = file, into, slot.measure(file, ROOMS, into, MEASURING)
        for i, (file, into, child) in list(running.items()):
            if (code := child.ended()) is None:
                continue
            if code in (0, 1, 5):
                tests.add(json.loads(into.read_text(encoding="utf-8")))
            else:
                print(child.output.read_text(encoding="utf-8", errors="replace")[-2000:])
                print(f"left out, since it ends with {code} without a change: {file}")
            del running[i]
        time.sleep(0.02)
    return tests


def tried(chosen: list[Mutant], slots: list[Slot], tests: Tests, stop: float) -> dict[Mutant, str]:
    """How each change ended, as far as the clock allowed."""
    ends: dict[Mutant, str] = {}
    waiting, running = list(reversed(chosen)), {}
    while waiting or running:
        late = time.monotonic() > stop
        for i, slot in enumerate(slots):
            while i not in running and waiting and not late:
                mutant = waiting.pop()
                if not (relevant := tests.of(mutant)):
                    ends[mutant] = "not reached"
                    continue
                running[i] = mutant, slot.start(mutant, relevant, tests.limit(relevant))
        for i, (mutant, child) in list(running.items()):
            if (code := child.ended()) is None and not late:
                continue
            if code is None:
                child.stop()
            else:
                ends[mutant] = ENDS.get(code, "noticed")
            slots[i].restore()
            del running[i]
        if late:
            break
        time.sleep(0.01)
    return ends


def chosen_of(where: list[str], sample: int | None, seed: int) -> tuple[list[Mutant], int]:
    """The changes to try, in an order drawn, and how many there are."""
    found: list[Mutant] = []
    for one in where:
        place = PACKAGE / one
        if one.split("/")[0] not in ROOMS or not place.exists():
            sys.exit(f"expected one of {', '.join(ROOMS)} or a file in one; came {one}")
        for path in [place] if place.is_file() else sorted(place.glob("*.py")):
            found += mutants(path, PACKAGE)
    drawn = random.Random(seed).sample(found, len(found))
    return drawn[:sample], len(found)


def report(ends: dict[Mutant, str], into: Path, summary: str) -> int:
    """Write and print what survived; how many of them nobody has explained."""
    known = reasons()
    left = [one for one, end in ends.items() if end in {"survived", "not reached"}]
    open_ones = sorted(
        (one for one in left if one.name not in known), key=lambda one: (one.file, one.line)
    )
    entries, texts = [], [summary, f"{len(left) - len(open_ones)} survivors change nothing"]
    for one in open_ones:
        diff = one.diff((PACKAGE / one.file).read_text(encoding="utf-8"))
        entry = {"place": f"{one.file}:{one.line}", "name": one.name, "end": ends[one]}
        entries.append(entry | {"diff": diff})
        print(f"{ends[one]}: {one.file}:{one.line} {one.where}: {one.was} → {one.now}")
        texts.append(f"{ends[one]}: src/chainrule/{one.file}:{one.line}\n{one.name}\n{diff}\n")
    into.with_suffix(".txt").write_text("\n\n".join(texts), encoding="utf-8")
    into.with_suffix(".json").write_text(json.dumps(entries, indent=1, ensure_ascii=False))
    print(summary)
    print(f"{len(left) - len(open_ones)} of the survivors change nothing (equivalent.toml)")
    return len(open_ones)


def main() -> None:
    """Change, test, tell."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("where", nargs="*", default=list(ROOMS), help="rooms or files in them")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="at the same time")
    parser.add_argument("--minutes", type=float, default=1e6, help="stop after so many")
    parser.add_argument("--tests", nargs="+", default=TESTS, help="folders or files of tests/")
    parser.add_argument("--sample", type=int, help="so many changes, drawn")
    parser.add_argument("--seed", type=int, default=0, help="of the draw")
    parser.add_argument("--report", type=Path, default=Path("mutants"), help="where survivors go")
    asked = parser.parse_args()
    start = time.monotonic()
    chosen, possible = chosen_of(asked.where, asked.sample, asked.seed)
    warm_up()
    with tempfile.TemporaryDirectory() as folder:
        slots = [Slot(ROOT, PACKAGE, Path(folder) / str(i)) for i in range(asked.jobs)]
        tests = measured(slots, asked.tests)
        seconds = time.monotonic() - start
        print(f"{len(tests.seconds)} tests pass without a change ({seconds:.0f} s)", flush=True)
        ends = tried(chosen, slots, tests, start + 60 * asked.minutes)
    counts = Counter(ends.values())
    summary = (
        f"{', '.join(asked.where)}: {len(ends)} of {possible} changes tried in "
        f"{(time.monotonic() - start) / 60:.1f} minutes: {counts['noticed']} noticed by a failing "
        f"test, {counts['no end']} by a test without end, {counts['survived']} survived, "
        f"{counts['not reached']} on lines that no test reaches"
    )
    sys.exit(bool(report(ends, asked.report, summary)))


if __name__ == "__main__":
    main()
