"""``chainrule train``: check the gradient, learn, test, save, draw."""

from __future__ import annotations

import math
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from chainrule.check import GradientReport, check_gradient
from chainrule.cli.console import check_writable, complain, matplotlib_or_note, out
from chainrule.cli.keeping import save_model
from chainrule.cli.models import Rung, choose_rungs, rows_to_check
from chainrule.cli.options import ModelOptions, TrainOptions
from chainrule.cli.scoreboard import Line, Scoreboard
from chainrule.cli.sources import Source, open_source
from chainrule.errors import CheckpointError, describe
from chainrule.training import Progress
from chainrule.training.checkpoints import LAST

CHECKED_ROWS = 100
MAX_ITER = {"mnist": 150}
DEFAULT_MAX_ITER = 200
SMALL = 2_000_000


@dataclass(frozen=True)
class Outcome:
    """A trained model and how it did.

    Attributes
    ----------
    rung : Rung
    model : estimator
        Fitted on scaled rows.
    report : GradientReport
        Of the gradient where training started.
    test : float
        Accuracy, or R², on the rows held back.
    interrupted : bool
    """

    rung: Rung
    model: Any
    report: GradientReport
    test: float
    interrupted: bool


def run(choice: ModelOptions, options: TrainOptions) -> None:
    """Do what ``chainrule train`` was asked for.

    Raises
    ------
    KeyboardInterrupt
        After Ctrl-C, once what is worth keeping is kept.
    """
    console = out()
    if options.save is not None:
        check_writable(options.save, "--save")
    if options.report is not None:
        check_writable(options.report, "--report")
    source = open_source(options.source, options.target, choice.seed)
    folder = _picture_folder(options, source)
    rungs = choose_rungs(
        source,
        choice,
        options.solver,
        options.batch_size,
        ladder=source.data.name == "digits" and source.target is None,
    )
    _check_checkpoints(options, rungs)
    console.print(f" [bold]{source.data.name}[/]: {source.summary}")
    outcomes = _train_all(console, source, rungs, options)
    _explain(console, source, choice, options)
    interrupted = outcomes[-1].interrupted
    # of a ladder cut short nobody knows which would have been the best
    if options.save is not None and not (interrupted and len(rungs) > 1):
        _keep(console, source, outcomes, options.save)
    if interrupted:
        raise KeyboardInterrupt
    if folder is not None:
        _draw(console, folder, source, outcomes)
    if options.report is not None:
        _report(console, options.report, source, outcomes)
    for outcome in outcomes:
        outcome.report.raise_if_wrong()


def _picture_folder(options: TrainOptions, source: Source) -> Path | None:
    folder = options.pictures
    if folder is None and source.data.image_shape is not None and source.target is None:
        folder = Path(f"chainrule-{source.data.name}")
    if folder is not None:
        if folder.exists() and not folder.is_dir():
            raise NotADirectoryError(20, "is not a folder", str(folder))
        if not folder.exists():
            check_writable(folder, "--pictures")
    return folder


def _check_checkpoints(options: TrainOptions, rungs: list[Rung]) -> None:
    """Refuse to go on from an earlier training that nobody asked to go on with."""
    if options.checkpoint is None or options.resume:
        return
    for rung in rungs:
        if (options.checkpoint / rung.name / LAST).exists():
            where, came = f"--checkpoint {options.checkpoint}", f"a checkpoint of {rung.name}"
            remedy = "Add --resume to go on from it, or name another folder."
            raise CheckpointError(describe(where, "a folder without checkpoints", came, remedy))


def _train_all(
    console: Console, source: Source, rungs: list[Rung], options: TrainOptions
) -> list[Outcome]:
    max_iter = options.max_iter or MAX_ITER.get(source.data.name, DEFAULT_MAX_ITER)
    outcomes: list[Outcome] = []
    score = "R²" if source.is_regression else "accuracy"
    # on few numbers the threads of BLAS cost more than they save, far more on a busy machine
    threads = 1 if source.data.X_train.size < SMALL else None
    with (
        threadpool_limits(threads, user_api="blas"),
        Scoreboard(console, [rung.name for rung in rungs], score) as board,
    ):
        board.announce("scaling the rows")
        X_train, X_test = map(source.scaling, (source.data.X_train, source.data.X_test))
        for line, rung in zip(board.lines, rungs, strict=True):
            report = _check(board, line, rung, X_train, source.data.y_train)
            kept = _checkpoint_options(options, rung)
            model = _train(board, line, rung, X_train, source.data.y_train, max_iter, kept)
            line.train = float(model.score(X_train, source.data.y_train))
            line.test = float(model.score(X_test, source.data.y_test))
            interrupted = model.training_status_ == "interrupted"
            outcomes.append(Outcome(rung, model, report, line.test, interrupted))
            if interrupted:
                break
    return outcomes


def _check(
    board: Scoreboard, line: Line, rung: Rung, X: np.ndarray, y: np.ndarray
) -> GradientReport:
    """Fill in the gradient check: as the model starts, on a few rows of every class."""
    board.announce(f"{rung.name}: checking the gradient")
    rows = rows_to_check(y, CHECKED_ROWS, classes=not rung.regression)
    report = check_gradient(rung.make(len(rows)), X[rows], y[rows], progress=False)
    # without a worst entry every comparison met a corner of an activation
    line.check = 0.0 if report.worst is None else report.worst.relative_error
    line.check_passed = report.ok
    line.parameters = sum(math.prod(one.shape) for one in report.parameters)
    return report


def _checkpoint_options(options: TrainOptions, rung: Rung) -> dict[str, Any]:
    if options.checkpoint is None:
        return {}
    folder = options.checkpoint / rung.name
    return {"checkpoint": folder, "checkpoint_every": options.checkpoint_every}


def _train(
    board: Scoreboard,
    line: Line,
    rung: Rung,
    X: np.ndarray,
    y: np.ndarray,
    max_iter: int,
    kept: dict[str, Any],
) -> Any:
    """The fitted model; fill in how long it took and where it ended."""

    def show(progress: Progress) -> None:
        loss = progress.history[-1]["loss"]
        board.advance(rung.name, progress.epoch, progress.max_epochs, loss)

    board.announce(f"{rung.name}: first step")
    model = rung.make(len(X), max_iter=max_iter, callbacks=[show], **kept)
    start = time.perf_counter()
    with warnings.catch_warnings():
        # the table says how many steps were made, and Ctrl-C is answered at the end
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", "Training interrupted")
        model.fit(X, y)
    if model.training_status_ == "diverged":
        complain(f"note: {rung.name} diverged; the best parameters are kept", style="yellow")
    line.seconds = time.perf_counter() - start
    line.steps = int(np.max(model.n_iter_))
    line.loss = float(model.loss_)
    if kept and model.training_status_ == "interrupted":
        complain("note: go on with the same command and --resume", style="yellow")
    return model.set_params(callbacks=None, checkpoint=None)


def _explain(console: Console, source: Source, choice: ModelOptions, options: TrainOptions) -> None:
    score = "R², the share of variance explained" if source.is_regression else "rows right"
    console.print(
        f" solver {options.solver}, λ = {choice.alpha:g}, seed {choice.seed}; "
        f"train, test: {score}\n gradient check: worst relative error, "
        "chain rule against central differences\n",
        style="dim",
    )


def _keep(console: Console, source: Source, outcomes: list[Outcome], path: Path) -> None:
    """Save the model that did best on the test rows."""
    best = max(outcomes, key=lambda outcome: outcome.test)
    save_model(best.model, source, path)
    console.print(f" model {best.rung.name} saved in [bold]{path}[/]", soft_wrap=True)


def _draw(console: Console, folder: Path, source: Source, outcomes: list[Outcome]) -> None:
    with matplotlib_or_note("pictures drawn"):
        from chainrule.cli.album import draw_pictures

        files = draw_pictures(folder, source, [(o.rung.name, o.model) for o in outcomes])
        names = ", ".join(path.stem for path in files)
        console.print(f" pictures in [bold]{folder}/[/]: {names}", soft_wrap=True)


def _report(console: Console, page: Path, source: Source, outcomes: list[Outcome]) -> None:
    with matplotlib_or_note("report written"):
        from chainrule.cli.report import write_training_report

        write_training_report(
            console,
            page,
            source,
            {one.rung.name: one.model for one in outcomes},
            {one.rung.name: one.report for one in outcomes},
            max(outcomes, key=lambda one: one.test).rung.name,
        )
