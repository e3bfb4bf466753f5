"""``python -m benchmarks.tables``: every contender on every set, each fit in its own process.

Results are kept line by line, so a run that was stopped goes on where it was. Exit status 1 when a
bar is missed or a contender could not be measured.
"""

from __future__ import annotations

import argparse
import os
import sys
from datetime import date
from pathlib import Path

from rich.console import Console

from benchmarks.tables.contenders import CONTENDERS
from benchmarks.tables.report import Results, means_table, sets_table, verdicts
from benchmarks.tables.running import ROOT, Conditions, Runner
from benchmarks.tables.sets import DATA, SETS


def main() -> int:
    arguments = _arguments()
    console = Console(width=110)
    told = " ".join(["python -m benchmarks.tables", *sys.argv[1:]])
    console.print(f"{told}   ({date.today().isoformat()}, {os.cpu_count()} cores)")
    conditions = Conditions(
        rows=arguments.rows,
        threads=arguments.threads,
        data=arguments.data.resolve(),
        peer_python=arguments.peer_python,
        timeout=arguments.timeout,
    )
    seconds = None if arguments.minutes is None else 60 * arguments.minutes
    runner = Runner(conditions, arguments.results, seconds)
    keys = [
        (name, seed, contender)
        for name in arguments.sets
        for seed in range(arguments.seeds)
        for contender in arguments.contenders
    ]
    for line in runner.run(keys, arguments.jobs):
        console.print(f"  {line}", highlight=False)
    return _report(console, {key: runner.results[key] for key in keys if key in runner.results})


def _report(console: Console, results: Results) -> int:
    console.print(sets_table(results))
    console.print(means_table(results))
    met = verdicts(results)
    for bar, value, good in met:
        came = "not measured" if value != value else f"{value:.3f}"
        verdict = "[green]met[/]" if good else "[bold red]missed[/]"
        what = f"{bar.measure.replace('_', '-')} against {CONTENDERS[bar.peer].title}"
        console.print(f"  {what:48} {came:>14} (bar {bar.most:g}) {verdict}")
    return 0 if all(good for _, _, good in met) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tables", description=__doc__)
    parser.add_argument("--sets", nargs="+", choices=list(SETS), default=list(SETS))
    parser.add_argument("--contenders", nargs="+", choices=list(CONTENDERS), default=[*CONTENDERS])
    parser.add_argument("--seeds", type=int, default=5, help="splits of each set (default: 5)")
    parser.add_argument("--rows", type=int, help="rows of a set at most, test rows included")
    parser.add_argument("--jobs", type=int, default=1, help="fits at a time (default: 1)")
    parser.add_argument(
        "--minutes", type=float, help="when to stop; the next run goes on (default: when done)"
    )
    parser.add_argument(
        "--threads",
        type=int,
        help="of each fit; 1 where others use the machine: then CPU seconds compare "
        "(default: all, one where several fits run at a time)",
    )
    parser.add_argument("--data", type=Path, default=DATA, help="the folder of the sets")
    parser.add_argument(
        "--results", type=Path, default=ROOT / "artifacts" / "tables.jsonl", help="kept here"
    )
    parser.add_argument(
        "--peer-python", help="an interpreter that has pytabkit, where this one has not"
    )
    parser.add_argument("--timeout", type=float, default=3600, help="seconds of one fit at most")
    arguments = parser.parse_args()
    if arguments.threads is None:
        arguments.threads = (os.cpu_count() or 1) if arguments.jobs == 1 else 1
    return arguments


if __name__ == "__main__":
    sys.exit(main())
