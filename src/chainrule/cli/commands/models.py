"""The commands that take a model: predict, report, check, export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chainrule.cli.commands.arguments import (
    ActivationName,
    Alpha,
    Hidden,
    Model,
    SavedModel,
    Seed,
    Source,
    Target,
)
from chainrule.cli.console import one_line_errors
from chainrule.cli.options import ModelOptions, parse_hidden


def predict(
    model: SavedModel,
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="Rows to predict.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="OUT.csv", show_default="standard output", help="Write here."
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Compare with this column [default: the one learnt]."),
    ] = None,
) -> None:
    """Predict the rows of a table with a model from a file.

    The columns of FILE.csv are kept; the prediction and, for classes, a probability of each are
    added. Where the table holds the column that was learnt, standard error says how many are right.
    """
    with one_line_errors():
        from chainrule.cli.predict import run

        run(model, file, output, target)


def report(
    model: SavedModel,
    data: Annotated[
        str | None,
        typer.Option(
            metavar="FILE.csv|digits|mnist",
            show_default="none, and what needs rows is left out",
            help="Rows to judge the model by.",
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="The column of the truth [default: the one learnt]."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE.html", show_default="MODEL's name", help="Write here."
        ),
    ] = None,
) -> None:
    """Put everything about a model on one page: a file that opens in any browser."""
    with one_line_errors():
        from chainrule.cli.report import run

        run(model, data, target, output)


def check(
    source: Source,
    target: Target = None,
    model: Model = None,
    hidden: Hidden = None,
    activation: ActivationName = None,
    alpha: Alpha = 1e-4,
    seed: Seed = 0,
    rows: Annotated[
        int, typer.Option(metavar="N", min=1, help="Rows of data to check with.")
    ] = 100,
) -> None:
    """Compare a model's gradient by the chain rule with numerical differences.

    Prints, for each parameter, the entry that agrees least. Exit code 1 if the gradient is wrong.
    """
    with one_line_errors():
        from chainrule.cli.check import run

        run(
            source, target, ModelOptions(model, parse_hidden(hidden), activation, alpha, seed), rows
        )


def export(
    model: SavedModel,
    onnx: Annotated[bool, typer.Option("--onnx", help="For ONNX Runtime and others.")] = False,
    numpy: Annotated[
        bool, typer.Option("--numpy", help="One Python file that needs NumPy and nothing else.")
    ] = False,
    torch: Annotated[bool, typer.Option("--torch", help="A program of PyTorch.")] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", show_default="MODEL's name", help="Write here."
        ),
    ] = None,
) -> None:
    """Write a model in another format, to predict elsewhere."""
    with one_line_errors():
        from chainrule.cli.export import run

        run(model, {"onnx": onnx, "numpy": numpy, "torch": torch}, output)
