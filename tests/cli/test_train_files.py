"""``chainrule train 'data/*.parquet' --target COLUMN``, here and on a cluster."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import chainrule as cr

distributed = pytest.importorskip("distributed", reason="the extra [dask] is not installed")


@pytest.fixture
def data(shell):
    """Three files in a folder ``data``, and all their rows."""
    rng = np.random.default_rng(0)
    town = rng.choice(["Ulm", "Bonn", "Köln"], 600)
    size = rng.normal(size=600)
    y = np.where(size + (town == "Ulm") > 0.3, "yes", "no")
    frame = pd.DataFrame({"size": size, "town": town, "answer": y})
    (shell.folder / "data").mkdir()
    for i, rows in enumerate(np.split(np.arange(600), (100, 350))):
        frame.iloc[rows].to_parquet(shell.folder / "data" / f"{i}.parquet", row_group_size=150)
    return frame


OPTIONS = ("--target", "answer", "--max-iter", "16", "--batch-size", "64")


def test_a_pattern_of_files_is_learnt_saved_and_predicted(shell, data):
    done = shell("train", "data/*.parquet", *OPTIONS, "--memory", "2MB")
    assert done.exit_code == 0, done.output
    assert "3 files; classes of answer from 2 columns" in done.output
    assert "rows right of rows held back" in done.output
    assert "model saved in model.safetensors" in done.output
    data.drop(columns="answer").to_csv(shell.folder / "new.csv", index=False)
    assert shell("predict", "model.safetensors", "new.csv", "-o", "out.csv").exit_code == 0
    predicted = pd.read_csv(shell.folder / "out.csv")
    assert (predicted["prediction"] == data["answer"]).mean() > 0.9


def test_a_cluster_by_its_address(shell, data):
    with distributed.LocalCluster(
        n_workers=2, processes=False, protocol="tcp://", host="127.0.0.1", dashboard_address=":0"
    ) as cluster:
        address = cluster.scheduler_address
        done = shell("train", "data", *OPTIONS, "--cluster", address, "--save", "there.safetensors")
    assert done.exit_code == 0, done.output
    assert "on 2 workers" in done.output
    model = cr.load(shell.folder / "there.safetensors")
    assert model.score(data.drop(columns="answer"), data["answer"]) > 0.9


@pytest.mark.slow
def test_a_cluster_that_is_started_here(shell, data):
    done = shell("train", "data", "--cluster", "local", *OPTIONS[:2], "--max-iter", "2")
    assert done.exit_code == 0, done.output
    assert "worker" in done.output


def test_training_goes_on_from_a_checkpoint(shell, data):
    kept = ("--checkpoint", "kept", "--checkpoint-every", "4")
    assert shell("train", "data", *OPTIONS, *kept).exit_code == 0
    again = shell("train", "data", *OPTIONS, *kept)
    assert again.exit_code != 0
    assert "Add --resume" in again.output
    assert shell("train", "data", *OPTIONS, *kept, "--resume").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("data/*.parquet", "--target", "nothing"), "expected a column 'nothing'"),
        (
            ("none/*.parquet", "--target", "answer"),
            "expected an existing file or folder; came none",
        ),
        (("data", "--target", "answer", "--memory", "few"), "memory: expected at least 1 MiB"),
        (("data", "--target", "answer", "--model", "mlp"), "--model: expected it with rows in"),
        (("data", "--cluster", "local"), "--target: expected the column to predict"),
        (("data", "--target", "answer", "--resume"), "--resume: expected --checkpoint FOLDER"),
    ],
)
def test_what_is_refused(shell, data, arguments, message):
    done = shell("train", *arguments)
    assert done.exit_code != 0
    assert message in " ".join(done.output.split())
