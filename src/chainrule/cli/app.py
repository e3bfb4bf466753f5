"""Every command with its options, on one page; the work is in the file of the command's name.

Those files load scikit-learn and SciPy, so each is imported when its command runs and
``chainrule --help`` stays quick.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import chainrule
from chainrule.cli.console import one_line_errors
from chainrule.cli.options import (
    FilesOptions,
    ModelName,
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
from chainrule.networks import ACTIVATIONS

app = typer.Typer(
    name="chainrule",
    help="Neural networks you can see through: learn, predict, check gradients.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

TABLES = "FILE.csv"
FILES = "Files that need not fit into memory"

Source = Annotated[
    str,
    typer.Argument(
        metavar="digits|mnist|FILE.csv|FILES",
        help="What to learn from: the digits that come with scikit-learn, MNIST (its four files "
        "are looked for in $CHAINRULE_DATA, else downloaded once; a folder that holds them works "
        "too), a table, or a folder or pattern of Parquet or CSV files.",
    ),
]
Target = Annotated[
    str | None, typer.Option(metavar="COLUMN", help="The column to predict, for FILE.csv.")
]
Model = Annotated[ModelName | None, typer.Option(metavar="NAME", help=f"{', '.join(ModelName)}.")]
Hidden = Annotated[
    str | None,
    typer.Option(metavar="20,10", help="Neurons of each hidden layer of the mlp."),
]
ActivationName = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help=f"Of the hidden layers: {', '.join(ACTIVATIONS)}.",
        autocompletion=lambda: list(ACTIVATIONS),
    ),
]
Alpha = Annotated[
    float, typer.Option(metavar="λ", min=0, help="λ of the penalty λ/2·Σ‖W‖² beside the mean loss.")
]
Seed = Annotated[
    int, typer.Option(metavar="N", min=0, max=2**32 - 1, help="Of the split and of the start.")
]


def _names_files(source: str) -> bool:
    """Whether it is a folder or a pattern of Parquet or CSV files, or a Parquet file."""
    if source.lower().endswith((".parquet", ".pq")) or any(sign in source for sign in "*?["):
        return True
    path = Path(source)
    return path.is_dir() and any(
        one.suffix.lower() in (".parquet", ".pq", ".csv") for one in path.rglob("*")
    )


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"chainrule {chainrule.__version__}")
        raise typer.Exit


@app.callback()
def command_line(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Neural networks you can see through: learn, predict, check gradients."""


@app.command()
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


@app.command()
def predict(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A file that train --save wrote.")],
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


@app.command()
def report(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A file that train --save wrote.")],
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


@app.command()
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


@app.command()
def playground(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE.csv]", help="Two of its columns as points.")
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


@app.command()
def export(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A file that train --save wrote.")],
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


@app.command()
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


@app.command()
def info() -> None:
    """Versions, the engine and why it is missing if it is, threads, BLAS."""
    with one_line_errors():
        from chainrule.cli.info import run

        run()


def main() -> None:
    """The entry point of the command ``chainrule``."""
    app()
