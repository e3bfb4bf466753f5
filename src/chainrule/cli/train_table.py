"""``chainrule train FILE.csv``: a network for the table as it is, beside what is easily had."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table as RichTable
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from chainrule.cli.console import check_writable, matplotlib_or_note, out
from chainrule.cli.keeping import keep_table_model
from chainrule.cli.options import TableOptions
from chainrule.cli.scoreboard import table_of_scores
from chainrule.cli.split import Split, open_split
from chainrule.estimators import RealMLPClassifier, RealMLPRegressor
from chainrule.tables import ColumnEncoder

NAME = "RealMLP"


@dataclass(frozen=True)
class Outcome:
    """How a model did on the test rows.

    Attributes
    ----------
    name : str
    error : float
        Share of rows that are wrong, or the root of the mean squared error.
    second : float
        Log-loss, or R².
    seconds : float
    model : estimator
    """

    name: str
    error: float
    second: float
    seconds: float
    model: Any


def run(options: TableOptions) -> None:
    """Do what ``chainrule train FILE.csv --target COLUMN`` was asked for."""
    console = out()
    save = options.save or Path(f"{options.source.stem}.safetensors")
    check_writable(save, "--save")
    if options.report is not None:
        check_writable(options.report, "--report")
    split = open_split(console, options)
    model = _estimator(split, options)
    fitted = _train(model, split)
    interrupted = model.training_status_ == "interrupted"
    outcomes = [fitted, *([] if interrupted else _baselines(split))]
    console.print(_scores(outcomes, split.classes))
    console.print(f" {_verdict(outcomes, split)}\n {_kept(model)}\n", highlight=False)
    keep_table_model(model, split.train.names, split.target, save)
    if options.report is not None:
        _report(console, options.report, outcomes, split)
    told = f"chainrule predict {save} NEW.csv -o OUT.csv"
    console.print(f" model saved in [bold]{save}[/]; next: {told}", soft_wrap=True)
    if interrupted:
        raise KeyboardInterrupt


# the network and what it is compared with --------------------------------------------------


def _estimator(split: Split, options: TableOptions) -> Any:
    kind = RealMLPClassifier if split.classes else RealMLPRegressor
    return kind(
        str(options.preset),
        n_epochs=options.max_iter or 256,
        batch_size=options.batch_size or 256,
        max_time=options.max_time,
        types=split.types or None,
        random_state=options.seed,
        progress_bar=None,
    )


def _train(model: Any, split: Split) -> Outcome:
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Training interrupted")
        model.fit(split.train, split.y_train)
    seconds = time.perf_counter() - start
    model.set_params(progress_bar=False)
    p = model.predict_proba(split.test) if split.classes else None
    return _measured(NAME, split, model.predict(split.test), p, model, seconds)


def _baselines(split: Split) -> list[Outcome]:
    """A linear model of the same columns, and a constant."""
    encoder = ColumnEncoder(types=split.types or None, max_one_hot=512)
    linear: Any = LogisticRegression(max_iter=1000) if split.classes else Ridge()
    models = {
        "logistic regression" if split.classes else "ridge regression": make_pipeline(
            encoder, StandardScaler(), linear
        ),
        "always the most frequent" if split.classes else "always the mean": make_pipeline(
            encoder, DummyClassifier(strategy="prior") if split.classes else DummyRegressor()
        ),
    }
    found = []
    for name, model in models.items():
        start = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # whether a baseline converged is its own affair
            model.fit(split.train, split.y_train)
        seconds = time.perf_counter() - start
        p = model.predict_proba(split.test) if split.classes else None
        found.append(_measured(name, split, model.predict(split.test), p, model, seconds))
    return found


def _measured(
    name: str, split: Split, predicted: np.ndarray, p: Any, model: Any, seconds: float
) -> Outcome:
    y = split.y_test
    if not split.classes:
        error = float(np.sqrt(np.mean((predicted - y) ** 2)))
        spread = float(y.var())
        return Outcome(name, error, 1 - error**2 / spread if spread else np.nan, seconds, model)
    # a class of the test rows that training did not meet has no column
    known = np.isin(y, model.classes_)
    loss = np.inf
    if known.all():
        shares = np.asarray(p, np.float64)
        loss = log_loss(y, shares / shares.sum(axis=1, keepdims=True), labels=model.classes_)
    return Outcome(name, float(np.mean(predicted != y)), float(loss), seconds, model)


def _report(console: Console, page: Path, outcomes: list[Outcome], split: Split) -> None:
    ours, *others = outcomes
    with matplotlib_or_note("report written"):
        from chainrule.cli.report import write_table_report

        beside = {one.name: one.model for one in others}
        write_table_report(console, page, ours.model, split, beside)


# what people are told ----------------------------------------------------------------------


def _scores(outcomes: list[Outcome], classes: bool) -> RichTable:
    heads = ("right", "log-loss", "time") if classes else ("typical error", "R²", "time")
    table = table_of_scores("on the test rows", heads)
    best = min(one.error for one in outcomes)
    for one in outcomes:
        style = "bold green" if one.error == best and len(outcomes) > 1 else ""
        first = f"{1 - one.error:.1%}" if classes else f"{one.error:.4g}"
        second = f"{one.second:.4f}" if classes else f"{one.second:.3f}"
        cells = (f"[bold]{one.name}[/]", f"[{style}]{first}[/]" if style else first, second)
        table.add_row(*cells, f"{one.seconds:.1f} s")
    return table


def _kept(model: Any) -> str:
    """Which epoch the model is from, and why."""
    made = f"epoch {model.best_epoch_} of {model.n_iter_}"
    score = model.best_validation_score_
    if score is None:
        return f"Kept: {made}."
    told = f"{score:.1%} right" if hasattr(model, "classes_") else f"R² {score:.3f}"
    share = f"{model.validation_fraction:.0%} of the rows to learn from"
    return f"Kept: {made}, the best on {share}, held back ({told})."


def _verdict(outcomes: list[Outcome], split: Split) -> str:
    """In a sentence: how good, and how much better than what is easily had."""
    ours, *others = outcomes
    rows = f"{len(split.y_test):,} rows that it never saw"
    if split.classes:
        wrong = round(ours.error * len(split.y_test))
        told = f"{NAME} is wrong in {wrong:,} of {rows}"
    else:
        told = f"{NAME} is typically off by {ours.error:.4g} on {rows}"
    if not others:
        return f"{told}."
    linear = others[0]
    if ours.error == linear.error:
        return f"{told}, as {linear.name} is."
    if ours.error < linear.error:
        return f"{told}, {1 - ours.error / linear.error:.0%} less than {linear.name}."
    more = f"{ours.error / linear.error - 1:.0%}" if linear.error else "more"
    return f"{told}, {more} more than {linear.name}: the simple model is the better one here."
