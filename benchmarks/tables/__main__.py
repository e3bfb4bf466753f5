"""``python -m benchmarks.tables``: every contender on every set, each fit in its own process.

Results are kept line by line, so a run that was stopped goes on where it was. Exit status 1 when a
bar is missed or a contender could not be measured.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

from rich.console import Console

from benchmarks.tables.contenders import CONTENDERS
from benchmarks.tables.report import Results, means_table, sets_table, verdicts
from benchmarks.tables.sets import SETS

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    arguments = _arguments()
    console = Console(width=110)
    told = " ".join(["python -m benchmarks.tables", *sys.argv[1:]])
    console.print(f"{told}   ({date.today().isoformat()}, {os.cpu_count()} cores)")
    results = _read(arguments)
    for name in arguments.sets:
        for seed in range(arguments.seeds):
            for contender in arguments.contenders:
                if (name, seed, contender) not in results:
                    _measure(console, arguments, results, name, seed, contender)
    wanted = {
        key: found
        for key, found in results.items()
        if key[0] in arguments.sets and key[1] < arguments.seeds
    }
    console.print(sets_table(wanted))
    console.print(means_table(wanted))
    met = verdicts(wanted)
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
    parser.add_argument(
        "--threads",
        type=int,
        default=os.cpu_count(),
        help="of each fit; 1 where others use the machine: then CPU seconds compare (default: all)",
    )
    parser.add_argument(
        "--results", type=Path, default=ROOT / "artifacts" / "tables.jsonl", help="kept here"
    )
    parser.add_argument(
        "--peer-python", help="an interpreter that has pytabkit, where this one has not"
    )
    parser.add_argument("--timeout", type=float, default=3600, help="seconds of one fit at most")
    return parser.parse_args()


def _conditions(arguments: argparse.Namespace) -> dict[str, int]:
    """What a result must have been measured with to be shown beside others."""
    return {"limit": arguments.rows or 0, "threads": arguments.threads}


def _read(arguments: argparse.Namespace) -> Results:
    results: Results = {}
    if arguments.results.exists():
        for line in arguments.results.read_text(encoding="utf-8").splitlines():
            found = json.loads(line)
            if _conditions(arguments).items() <= found.items():
                results[found["set"], found["seed"], found["contender"]] = found
    return results


def _measure(
    console: Console,
    arguments: argparse.Namespace,
    results: Results,
    name: str,
    seed: int,
    contender: str,
) -> None:
    """Run one fit and keep what it printed; say so where it cannot be run."""
    what = f"{name}, seed {seed}, {CONTENDERS[contender].title}"
    needs = CONTENDERS[contender].needs
    python = sys.executable
    if needs is not None and importlib.util.find_spec(needs) is None:
        if arguments.peer_python is None:
            console.print(f"  {what}: not measured, {needs} is not installed")
            return
        python = arguments.peer_python
    rows = str(arguments.rows or 0)
    command = [python, "-m", "benchmarks.tables.worker", name, contender, str(seed), rows]
    threads = {"OMP_NUM_THREADS": str(arguments.threads)}
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=arguments.timeout,
            env=os.environ | threads,
        )
    except subprocess.TimeoutExpired:
        console.print(f"  {what}: not measured, more than {arguments.timeout:g} s")
        return
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no word why"])[-1]
        console.print(f"  {what}: not measured, {reason}")
        return
    found = json.loads(done.stdout.strip().splitlines()[-1])
    found |= {"set": name, "seed": seed, "contender": contender, **_conditions(arguments)}
    results[name, seed, contender] = found
    arguments.results.parent.mkdir(parents=True, exist_ok=True)
    with open(arguments.results, "a", encoding="utf-8") as file:
        file.write(json.dumps(found) + "\n")
    console.print(f"  {what}: error {found['error']:.4f}, {found['seconds']:.1f} s")


if __name__ == "__main__":
    sys.exit(main())
