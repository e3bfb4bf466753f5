"""``chainrule report`` and ``train --report``: everything about a model on one page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import typer
from rich.console import Console

from chainrule.check import GradientReport
from chainrule.cli.console import check_writable, command_line, complain, out
from chainrule.cli.keeping import MADE, Kept, load_model
from chainrule.cli.predict import header_of, read_rows
from chainrule.cli.sources import Source, open_source
from chainrule.cli.split import Split
from chainrule.errors import DataError, describe
from chainrule.estimators import RealMLPClassifier, RealMLPRegressor
from chainrule.files import read_model
from chainrule.tables import read_table
from chainrule.tables.task import target_values


def run(path: Path, data: str | None, target: str | None, output: Path | None) -> None:
    """Write a report on the model in ``path``, judged by the rows of ``data`` where given."""
    page = output or path.with_suffix(".html")
    check_writable(page, "--output")
    kept = load_model(path)
    facts = {} if data is None else _rows(kept, data, target)
    made = read_model(path)[1].get(MADE)
    if isinstance(made, dict):
        facts["made"] = {str(key): str(value) for key, value in made.items()}
    try:
        _write(page, kept.model, name=path.stem, **facts)
    except ModuleNotFoundError as error:
        if error.name != "matplotlib":
            raise
        complain(str(error))
        raise typer.Exit(1) from None
    out().print(f" report in [bold]{page}[/]", soft_wrap=True)


def _rows(kept: Kept, data: str, target: str | None) -> dict[str, Any]:
    """The rows to judge by, and what is known of them."""
    if data in ("digits", "mnist"):
        source = open_source(data, None, 0)
        rows = source.data
        said = f"{data}: {len(rows.y_test):,} rows held back (split with seed 0)"
        facts: dict[str, Any] = {"X": rows.X_test, "y": rows.y_test, "data": said}
        return facts | {"image_shape": rows.image_shape}
    path = Path(data)
    if isinstance(kept.model, RealMLPClassifier | RealMLPRegressor):
        return _of_table(kept, path, target)
    header = header_of(path)
    truth = target or (kept.target if kept.target in header else None)
    if truth is None:
        raise _no_truth(path, kept)
    table = read_rows(path, kept, header, truth)
    y = np.asarray(table.y)
    if hasattr(kept.model, "classes_") and kept.model.classes_.dtype.kind in "US":
        y = y.astype(str)  # a table without the other labels looks like numbers
    said = f"{path.name}: {len(y):,} rows"
    return {"X": table.X, "y": y, "columns": table.columns, "target": truth, "data": said}


def _of_table(kept: Kept, path: Path, target: str | None) -> dict[str, Any]:
    """The rows of a table of any columns, for a model that reads them as they are."""
    table = read_table(path)
    truth = target or (kept.target if kept.target in table else None)
    if truth is None:
        raise _no_truth(path, kept)
    table = table.take(np.flatnonzero(~table[truth].missing))
    y = target_values(table[truth])
    if hasattr(kept.model, "classes_") and kept.model.classes_.dtype.kind in "US":
        y = y.astype(str)
    X = table.without(truth) if kept.columns is None else table.select(kept.columns)
    return {"X": X, "y": y, "target": truth, "data": f"{path.name}: {len(y):,} rows"}


def _no_truth(path: Path, kept: Kept) -> DataError:
    wanted = f"the column {kept.target!r}" if kept.target else "a column of the truth"
    return DataError(describe(path, wanted, "none", "Name the column of the truth with --target."))


def write_table_report(
    console: Console, page: Path, model: Any, split: Split, others: Mapping[str, Any]
) -> None:
    """The report on a model that was just trained on a table, judged by the rows held back.

    Parameters
    ----------
    others : mapping of str to estimator
        What it is compared with, by name.
    """
    rows = f"{len(split.y_train):,} rows to learn from, {len(split.y_test):,} held back to judge by"
    _write(
        page,
        model,
        name=f"{split.target}, RealMLP",
        X=split.test,
        y=split.y_test,
        target=split.target,
        others=others,
        data=rows,
    )
    console.print(f" report in [bold]{page}[/]", soft_wrap=True)


def write_training_report(
    console: Console,
    page: Path,
    source: Source,
    models: Mapping[str, Any],
    gradients: Mapping[str, GradientReport],
    best: str,
) -> None:
    """The report on the best of the models that were just trained, the others beside it.

    Parameters
    ----------
    models : mapping of str to estimator
        Fitted on scaled rows, by name.
    gradients : mapping of str to GradientReport
        Of each model where training started.
    best : str
        Which the report is about.
    """
    data = source.data
    said = f"{data.name}: {source.summary}. Judged by the {len(data.y_test):,} rows held back."
    _write(
        page,
        models[best],
        name=f"{data.name}, {best}",
        X=source.scaling(data.X_test),
        y=data.y_test,
        raw=data.X_test,
        columns=source.columns,
        target=source.target,
        image_shape=data.image_shape,
        gradient=gradients[best],
        others={name: model for name, model in models.items() if name != best},
        data=said,
    )
    console.print(f" report in [bold]{page}[/]", soft_wrap=True)


def _write(page: Path, model: Any, **facts: Any) -> None:
    # matplotlib is an extra, and takes its time to load
    from chainrule.pictures.report import write_report

    facts["y"] = np.asarray(facts["y"]) if "y" in facts else None
    write_report(page, model, command=command_line(), **facts)
