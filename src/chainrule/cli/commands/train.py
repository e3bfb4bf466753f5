"""``chainrule train``: from digits, from a table, from files larger than memory."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chainrule.cli.commands.arguments import (
    FILES,
    TABLES,
    ActivationName,
    Hidden,
    Model,
    Seed,
    Source,
    Target,
)
from chainrule.cli.console import one_line_errors
from chainrule.cli.options import (
    FilesOptions,
    ModelOptions,
    PresetName,
    Solver,
    TableOptions,
    Task,
    TrainOptions,
    given,
    parse_hidden,
    parse_types,
    refuse_given,
)
from chainrule.errors import OptionError, describe


def train(
    source: Source,
    target: Target = None,
    model: Model = None,
    hidden: Hidden = None,
    activation: ActivationName = None,
    solver: Annotated[
        Solver | None,
        typer.Option(metavar="NAME", show_default="cg", help=f"{', '.join(Solver)}."),
    ] = None,
    alpha: Annotated[
        float | None,
        typer.Option(
            metavar="λ",
            min=0,
            show_default="1e-4",
            help="λ of the penalty λ/2·Σ‖W‖² beside the mean loss.",
        ),
    ] = None,
    max_iter: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Iterations or epochs at most.")
    ] = None,
    batch_size: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, show_default="200; 256", help="Rows of a mini-batch."),
    ] = None,
    seed: Seed = 0,
    save: Annotated[
        Path | None,
        typer.Option(
            metavar="MODEL.safetensors",
            show_default="nowhere; FILE.safetensors",
            help="Keep the model here; of several, the best.",
        ),
    ] = None,
    task: Annotated[
        Task | None,
        typer.Option(
            metavar="NAME",
            show_default="as the target looks",
            help="classification or regression.",
            rich_help_panel=TABLES,
        ),
    ] = None,
    types: Annotated[
        list[str] | None,
        typer.Option(
            "--type",
            metavar="COLUMN=TYPE",
            help="What a column is: numeric, binary, categorical, datetime, identifier, ignored. "
            "May come several times.",
            rich_help_panel=TABLES,
        ),
    ] = None,
    max_time: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", min=0.1, help="Train no longer.", rich_help_panel=TABLES),
    ] = None,
    preset: Annotated[
        PresetName,
        typer.Option(
            metavar="NAME", help="td, or td-s: simpler and faster.", rich_help_panel=TABLES
        ),
    ] = PresetName.TD,
    pictures: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            show_default="chainrule-digits, chainrule-mnist; none for FILE.csv",
            help="Put pictures here.",
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.html", help="Write a report on the model here; of several, on the best."
        ),
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Keep the state of training here, a folder for each model."
        ),
    ] = None,
    checkpoint_every: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=1,
            help="Epochs or iterations between checkpoints; full-batch solvers start afresh at "
            "each.",
        ),
    ] = 10,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from what --checkpoint FOLDER holds.")
    ] = False,
    cluster: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS|local",
            show_default="this process",
            help="Train on the Dask cluster whose scheduler is at tcp://HOST:PORT; local: on one "
            "that is started here.",
            rich_help_panel=FILES,
        ),
    ] = None,
    memory: Annotated[
        str,
        typer.Option(
            metavar="SIZE",
            help="Of the rows this process may hold; what does not fit is read in every epoch.",
            rich_help_panel=FILES,
        ),
    ] = "1GB",
) -> None:
    """Learn from data, test on rows held back, draw what was learnt.

    `chainrule train digits` trains four models side by side, from one-vs-all logistic regression
    to two hidden layers. Each is checked first: its gradient against numerical differences.

    `chainrule train FILE.csv --target COLUMN` takes a table as it is, categories and missing values
    included, trains a RealMLP, compares it with a linear model and a constant, and writes it. With
    --model, --hidden, --activation, --solver, --alpha, --pictures or --checkpoint the models of the
    ladder learn from it instead; it must then be numeric.

    `chainrule train 'data/*.parquet' --target COLUMN` streams files that need not fit into memory,
    Parquet or CSV, here or with --cluster on the workers of a Dask cluster.
    """
    with one_line_errors():
        if cluster is not None or (target and _names_files(source)):
            refuse_given(
                "rows in memory", model=model, hidden=hidden, activation=activation, solver=solver,
                alpha=alpha, pictures=pictures, report=report,
            )  # fmt: skip
            if target is None:
                raise OptionError(describe("--target", "the column to predict", "none"))
            from chainrule.cli.train_files import run as run_files

            run_files(
                FilesOptions(
                    source,
                    target,
                    cluster,
                    memory,
                    task,
                    preset,
                    max_time,
                    max_iter,
                    batch_size,
                    parse_types(types or ()),
                    seed,
                    save,
                    checkpoint,
                    checkpoint_every,
                    resume,
                )
            )
            return
        ladder = (model, hidden, activation, solver, alpha, pictures, checkpoint)
        if target and Path(source).is_file() and not resume and not any(map(given, ladder)):
            from chainrule.cli.train_table import run as run_table

            run_table(
                TableOptions(
                    Path(source),
                    target,
                    task,
                    preset,
                    max_time,
                    max_iter,
                    batch_size,
                    parse_types(types or ()),
                    seed,
                    save,
                    report,
                )
            )
            return
        refuse_given("a table and no --model", task=task, type=types, max_time=max_time)
        from chainrule.cli.train import run

        penalty = 1e-4 if alpha is None else alpha
        choice = ModelOptions(model, parse_hidden(hidden), activation, penalty, seed)
        options = TrainOptions(
            source,
            target,
            solver or Solver.CG,
            max_iter,
            batch_size,
            save,
            pictures,
            report,
            checkpoint,
            checkpoint_every,
            resume,
        )
        run(choice, options)


def _names_files(source: str) -> bool:
    """Whether it is a folder or a pattern of Parquet or CSV files, or a Parquet file."""
    if source.lower().endswith((".parquet", ".pq")) or any(sign in source for sign in "*?["):
        return True
    path = Path(source)
    return path.is_dir() and any(
        one.suffix.lower() in (".parquet", ".pq", ".csv") for one in path.rglob("*")
    )
