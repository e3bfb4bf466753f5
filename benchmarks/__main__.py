"""``python -m benchmarks [WORD …]``: every case, or those whose name holds one of the words.

Exit status 1 when a bar is missed or a peer is not installed, so that nothing passes unseen.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.cases import CASES
from benchmarks.measure import Result, measure, sgemm_peak
from chainrule import engine


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("words", nargs="*", help="run only cases whose name holds one of these")
    parser.add_argument("--rounds", type=int, help="rounds of each case (default: its own)")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    arguments = parser.parse_args()
    chosen = [
        case
        for case in CASES
        if not arguments.words or any(word in case.name for word in arguments.words)
    ]
    console = Console(width=110)
    console.print(f"{platform.processor() or platform.machine()}, NumPy {np.__version__}")
    console.print(f"engine: {engine.info()}")
    results = []
    for case in chosen:
        peak = sgemm_peak()
        result = measure(case, peak, arguments.rounds)
        results.append(result)
        console.print(_table(result))
        for name, reached, bar in result.verdicts:
            verdict = "[green]met[/]" if reached >= bar else "[bold red]missed[/]"
            console.print(f"  {name}: {reached:.2f} (bar {bar:g}) {verdict}")
        if any("limit" in name for name, _, _ in result.verdicts):
            console.print(f"  sgemm peak in this run: {peak / 1e9:.0f} GFLOP/s")
    if arguments.json:
        arguments.json.write_text(json.dumps([_plain(one) for one in results], indent=1))
    missed = [one for one in results if not one.met]
    console.print(f"{len(results) - len(missed)} of {len(results)} cases meet their bars")
    return 1 if missed else 0


def _table(result: Result) -> Table:
    table = Table(title=result.case.name, title_justify="left", title_style="bold", min_width=80)
    for header in ("who", "median", "min", "max", "ratio to the first"):
        table.add_column(header, justify="left" if header == "who" else "right")
    first = next(iter(result.seconds.values()), float("nan"))
    for name, seconds in result.seconds.items():
        low, high = result.spread[name]
        table.add_row(name, *map(_seconds, (seconds, low, high)), f"{seconds / first:.2f}")
    for name in result.missing:
        table.add_row(name, "not measured", "", "", "")
    return table


def _seconds(value: float) -> str:
    for unit, scale in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if value * scale >= 1:
            return f"{value * scale:.3g} {unit}"
    return f"{value * 1e9:.3g} ns"


def _plain(result: Result) -> dict:
    return {
        "case": result.case.name,
        "seconds": result.seconds,
        "missing": result.missing,
        "verdicts": result.verdicts,
    }


if __name__ == "__main__":
    sys.exit(main())
