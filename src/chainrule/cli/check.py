"""``chainrule check``: a model's gradient against numerical differences."""

from __future__ import annotations

import typer

from chainrule.check import check_gradient
from chainrule.cli.console import out
from chainrule.cli.models import choose_rungs, rows_to_check
from chainrule.cli.options import ModelOptions
from chainrule.cli.sources import open_source


def run(name: str, target: str | None, choice: ModelOptions, rows: int) -> None:
    """Print the report of the model's gradient at its initial parameters.

    Raises
    ------
    typer.Exit
        With code 1 where the gradient is wrong.
    """
    console = out()
    source = open_source(name, target, choice.seed)
    y = source.data.y_train
    picked = rows_to_check(y, rows, classes=not source.is_regression)
    X = source.scaling(source.data.X_train[picked])
    (rung,) = choose_rungs(source, choice)
    report = check_gradient(rung.make(len(picked)), X, y[picked], random_state=choice.seed)
    console.print(f"[bold]{rung.name}[/] on {len(picked)} rows of {source.data.name}")
    console.print(report)
    if not report.ok:
        raise typer.Exit(1)
