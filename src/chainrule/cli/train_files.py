"""``chainrule train 'data/*.parquet'``: files larger than memory, here or on a cluster."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from distributed import Client, LocalCluster
from rich.console import Console

from chainrule.cli.console import check_writable, complain, out
from chainrule.cli.keeping import keep_table_model
from chainrule.cli.options import FilesOptions
from chainrule.cluster import fit
from chainrule.cluster.files import find_files, loads_of
from chainrule.cluster.fitting import memory_bytes
from chainrule.errors import CheckpointError, ClusterError, describe
from chainrule.estimators import RealMLPClassifier, RealMLPRegressor
from chainrule.tables.task import holds_classes
from chainrule.training.checkpoints import LAST

EPOCHS = 64
LOCAL = "local"


def run(options: FilesOptions) -> None:
    """Do what ``chainrule train FILES --target COLUMN`` was asked for."""
    console = out()
    save = options.save or Path("model.safetensors")
    check_writable(save, "--save")
    _check_checkpoint(options)
    memory_bytes(options.memory)
    classes, columns = _look(options)
    files = find_files(options.source)
    task = "classes" if classes else "values"
    console.print(f"\n [bold]{options.source}[/]: {_count(files, 'file')}; {task} of "
                  f"[bold]{options.target}[/] from {_count(columns, 'column')}")  # fmt: skip
    model = _estimator(options, classes)
    with client_of(options.cluster) as client, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Training interrupted")
        if client is not None:
            workers: Any = client.nthreads()
            console.print(f" on {_count(workers, 'worker')}", highlight=False)
        fit(model, options.source, options.target, client=client, memory=options.memory)
    _say(console, model, classes)
    keep_table_model(model.set_params(checkpoint=None), columns, options.target, save)
    told = f"chainrule predict {save} NEW.csv -o OUT.csv"
    console.print(f" model saved in [bold]{save}[/]; next: {told}", soft_wrap=True)
    if model.training_status_ == "interrupted":
        if options.checkpoint is not None:
            complain("note: go on with the same command and --resume", style="yellow")
        raise KeyboardInterrupt


@contextmanager
def client_of(cluster: str | None) -> Iterator[Any]:
    """A client of the cluster at an address, of one that is started here ("local"), or none.

    Raises
    ------
    ClusterError
        Nobody answers there.
    """
    if cluster is None:
        yield None
        return
    if cluster == LOCAL:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
        options: dict[str, Any] = {"dashboard_address": "127.0.0.1:0", "host": "127.0.0.1"}
        with (
            LocalCluster(n_workers=cores, threads_per_worker=1, **options) as here,
            Client(here) as client,
        ):
            yield client
        return
    try:
        client = Client(cluster, timeout=10)
    except (OSError, ValueError) as error:
        remedy = "Start one with `dask scheduler`, or say --cluster local."
        came = str(error).splitlines()[0]
        raise ClusterError(describe(f"--cluster {cluster}", "a scheduler", came, remedy)) from error
    with client:
        yield client


def _look(options: FilesOptions) -> tuple[bool, list[str]]:
    """Whether the target holds classes, and the other columns; from the first rows."""
    for load in loads_of(options.source, options.target, None, 1):
        X, y, _ = load.read()
        if len(y):
            task = options.task
            classes = holds_classes(y) if task is None else task == "classification"
            return classes, list(map(str, X.columns))
    return True, []


def _check_checkpoint(options: FilesOptions) -> None:
    if options.checkpoint is None or options.resume or not (options.checkpoint / LAST).exists():
        return
    where = f"--checkpoint {options.checkpoint}"
    remedy = "Add --resume to go on from it, or name another folder."
    raise CheckpointError(describe(where, "a folder without checkpoints", "one with", remedy))


def _estimator(options: FilesOptions, classes: bool) -> Any:
    kind = RealMLPClassifier if classes else RealMLPRegressor
    return kind(
        str(options.preset),
        n_epochs=options.max_iter or EPOCHS,
        batch_size=options.batch_size or "auto",
        max_time=options.max_time,
        types=options.types or None,
        random_state=options.seed,
        checkpoint=options.checkpoint,
        checkpoint_every=options.checkpoint_every,
    )


def _say(console: Console, model: Any, classes: bool) -> None:
    history = model.history_[-1]
    console.print(f" {model.n_iter_} epochs in {history['seconds']:.1f} s, loss {model.loss_:.4g}")
    score = model.best_validation_score_
    if score is not None:
        what = "rows right" if classes else "R²"
        console.print(f" {what} of rows held back: [bold]{score:.4g}[/], epoch {model.best_epoch_}")


def _count(things: Any, word: str) -> str:
    return f"{len(things):,} {word}{'s' * (len(things) != 1)}"
