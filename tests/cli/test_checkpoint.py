"""``chainrule train --checkpoint FOLDER --resume``."""

from __future__ import annotations

import re

import pytest

from chainrule.files import read_model

QUICK = ["--hidden", "5", "--solver", "adam"]


def trained(shell, table, *options):
    done = shell("train", table, "--target", "kind", *QUICK, *options)
    assert done.exit_code == 0, done.output
    return re.search(r"^ 2-5-3 .*$", done.stdout, re.MULTILINE)[0].split()


def test_goes_on_where_it_stopped(shell, table):
    kept = ["--checkpoint", "runs", "--checkpoint-every", "2"]
    trained(shell, table, *kept, "--max-iter", "3", "--save", "half.safetensors")
    state = read_model(shell.folder / "runs" / "2-5-3" / "last.safetensors")[1]["numbers"]
    assert state["epoch"] == 3
    more = trained(shell, table, *kept, "--resume", "--max-iter", "9", "--save", "a.safetensors")
    whole = trained(shell, table, "--max-iter", "9", "--save", "b.safetensors")
    assert more[:-2] == whole[:-2]  # all but the seconds
    found, expected = (read_model(shell.folder / f"{name}.safetensors")[0] for name in "ab")
    for name, value in expected.items():
        assert found[name].tobytes() == value.tobytes()


def test_each_rung_has_a_folder(shell):
    shell("train", "digits", "--max-iter", "2", "--checkpoint", "runs")
    folders = {path.name for path in (shell.folder / "runs").iterdir()}
    assert folders == {"one-vs-all", "softmax", "64-20-10", "64-20-20-10"}
    assert (shell.folder / "runs" / "one-vs-all" / "class9" / "last.safetensors").exists()


def test_resume_may_come_before_anything_is_kept(shell, table):
    trained(shell, table, "--checkpoint", "runs", "--resume", "--max-iter", "2")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--resume"], "--resume: expected --checkpoint FOLDER with it; came none"),
        (
            ["--checkpoint", "runs"],
            "--checkpoint runs: expected a folder without checkpoints; came a checkpoint of 2-5-3. "
            "Add --resume to go on from it, or name another folder.",
        ),
        (
            ["--checkpoint", "runs", "--resume", "--seed", "1"],
            "checkpoint runs/2-5-3, data: input X, content: expected SHA-256",
        ),
        (
            ["--checkpoint", "runs", "--resume", "--activation", "tanh"],
            "checkpoint runs/2-5-3, options: activation: expected sigmoid, of which the checkpoint "
            "is; came tanh. Restore it, or name another folder to start afresh.",
        ),
    ],
)
def test_mistakes(shell, table, options, message):
    trained(shell, table, "--checkpoint", "runs", "--max-iter", "2")
    done = shell("train", table, "--target", "kind", *QUICK, "--max-iter", "2", *options)
    assert done.exit_code == 1
    assert message in done.stderr.replace("\n", " ")
    assert len(done.stderr.splitlines()) == 1
