"""The commands beside models: playground, bench, info."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chainrule.cli.console import one_line_errors


def playground(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE.csv]", help="Its first two columns beside COLUMN, of numbers."
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="What to learn [default: the last column]."),
    ] = None,
    port: Annotated[
        int, typer.Option(metavar="N", min=0, max=65535, help="0 takes any free one.")
    ] = 0,
    browser: Annotated[bool, typer.Option(help="Open the page in the browser.")] = True,
    lesson: Annotated[
        Path | None, typer.Option(metavar="FILE.json", help="Begin with this lesson.")
    ] = None,
) -> None:
    """Watch a small network learn in the browser, and step through its backward pass."""
    with one_line_errors():
        from chainrule.cli.playground import run

        run(file, target, port, browser, lesson)


def bench(
    save: Annotated[
        Path | None, typer.Option(metavar="FILE.json", help="Keep the figures here.")
    ] = None,
    compare: Annotated[
        Path | None, typer.Option(metavar="FILE.json", help="Compare with figures kept earlier.")
    ] = None,
    rounds: Annotated[int, typer.Option(metavar="N", min=1, help="Runs of each task.")] = 7,
    slower: Annotated[
        float,
        typer.Option(
            metavar="RATIO", min=1.0, help="From here on a task counts as slower: exit code 1."
        ),
    ] = 1.25,
) -> None:
    """Time typical work on this machine; keep the figures, or compare them with earlier ones."""
    with one_line_errors():
        from chainrule.cli.bench import run

        run(save, compare, rounds, slower)


def info() -> None:
    """Versions, the engine and why it is missing if it is, threads, BLAS."""
    with one_line_errors():
        from chainrule.cli.info import run

        run()
