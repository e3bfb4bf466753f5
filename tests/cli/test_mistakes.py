"""Every mistake: one line on standard error, a code other than 0, no traceback, no file."""

from __future__ import annotations

import os
import sys

import numpy as np
import pytest

from chainrule.files import read_model, write_model

HEADER = "a,b,y\n"
GOOD = "".join(f"{i},{i % 7},{'uv'[i % 2]}\n" for i in range(24))


def refuse(shell, words, *arguments, code=1):
    """Run the command; it must fail with one line that has these words and change no file."""
    before = shell.files()
    done = shell(*arguments)
    assert done.exit_code == code, done.output
    assert done.stdout == ""
    assert done.stderr.startswith("chainrule: ")
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr
    assert shell.files() == before
    return done.stderr


TABLES = {
    "NaN": (HEADER + "1,nan,u\n" + GOOD, ["line 2", "'b'", "a finite number", "nan"]),
    "infinity": (HEADER + GOOD + "1,inf,u\n", ["line 26", "'b'", "a finite number"]),
    "text": (HEADER + "1,red,u\n" + GOOD, ["line 2", "'b'", "a number", "'red'"]),
    "an empty cell": (HEADER + "1,,u\n" + GOOD, ["line 2", "'b'", "an empty cell"]),
    "a ragged row": (HEADER + "1,2\n" + GOOD, ["line 2", "3 cells", "2"]),
    "no label": (HEADER + "1,2,\n" + GOOD, ["line 2", "a label", "'y'"]),
    "a missing target": ("a,b\n1,2\n3,4\n", ["a column 'y'", "'a', 'b'"]),
    "one class": (HEADER + "1,2,u\n2,3,u\n3,5,u\n", ["'y'", "two classes", "only u"]),
    "one row": (HEADER + "1,2,u\n", ["at least two rows", "came 1"]),
    "no rows": (HEADER, ["rows below the header", "none"]),
    "nothing": ("", ["a header line", "an empty file"]),
    "only the target": ("y\nu\nv\n", ["columns to learn from"]),
    "semicolons": ("a;b;y\n1;2;u\n", ["separated by commas", "semicolons"]),
    "a column twice": ("a,a,y\n1,2,u\n", ["every column name once", "'a'"]),
    "no header": ("1,2,3\n4,5,6\n", ["a header line", "numbers"]),
}


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("command", ["train", "check"])
def test_tables_that_cannot_be_learnt_from(shell, name, command):
    text, words = TABLES[name]
    path = shell.folder / "table.csv"
    path.write_text(text, encoding="utf-8")
    save = ["--save", "model.safetensors", "--model", "mlp"] if command == "train" else []
    refuse(shell, ["table.csv", "expected", "came", *words], command, path, "--target", "y", *save)


def test_a_table_that_is_not_text(shell):
    path = shell.folder / "table.csv"
    path.write_bytes(b"a,y\n\xff\xfe,1\n")
    refuse(shell, ["table.csv", "UTF-8"], "train", path, "--target", "y")


OPTIONS = {
    "no target": ([], ["--target COLUMN", "Name the column"]),
    "hidden in words": (["--target", "y", "--hidden", "many"], ["--hidden", "20,10", "'many'"]),
    "hidden of none": (["--target", "y", "--hidden", "20,0"], ["--hidden", "'20,0'"]),
    "hidden without mlp": (
        ["--target", "y", "--model", "softmax", "--hidden", "5"],
        ["--hidden", "--model mlp", "--model softmax"],
    ),
    "activation without mlp": (
        ["--target", "y", "--model", "one-vs-all", "--activation", "tanh"],
        ["--activation", "--model mlp"],
    ),
    "an unknown activation": (
        ["--target", "y", "--activation", "swoosh"],
        ["--activation", "sigmoid", "'swoosh'"],
    ),
    "a folder that is not there": (
        ["--target", "y", "--save", "nowhere/model.safetensors"],
        ["--save", "nowhere", "mkdir"],
    ),
    "a folder as model": (["--target", "y", "--save", "."], ["."]),
    "a file as folder": (["--target", "y", "--pictures", "table.csv"], ["table.csv", "folder"]),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_options_that_do_not_fit(shell, name):
    arguments, words = OPTIONS[name]
    (shell.folder / "table.csv").write_text(HEADER + GOOD, encoding="utf-8")
    refuse(shell, ["expected", "came", *words], "train", "table.csv", *arguments)


def test_numbers_that_are_no_classes(shell):
    text = "a,y\n" + "".join(f"{i},{i / 3}\n" for i in range(12))
    (shell.folder / "table.csv").write_text(text, encoding="utf-8")
    words = ["--model softmax", "classes", "'y'", "mlp"]
    refuse(shell, words, "train", "table.csv", "--target", "y", "--model", "softmax")


def test_a_target_for_digits(shell):
    refuse(shell, ["--target", "FILE.csv"], "train", "digits", "--target", "digit")


def test_a_source_that_is_not_there(shell):
    refuse(shell, ["digit", "digits, mnist or a file"], "train", "digit")


def test_a_folder_without_mnist(shell):
    refuse(shell, ["four files", "train-images-idx3-ubyte"], "train", ".")


@pytest.mark.parametrize("option", [["--alpha", "-1"], ["--solver", "magic"], ["--max-iter", "0"]])
def test_options_outside_their_range_are_usage_errors(shell, option):
    done = shell("train", "digits", *option)
    assert done.exit_code == 2
    assert option[0] in done.stderr
    assert "Traceback" not in done.stderr
    assert shell.files() == set()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root writes anywhere")
def test_a_folder_that_cannot_be_written_to(shell, table):
    closed = shell.folder / "closed"
    closed.mkdir(mode=0o500)
    arguments = ["train", table, "--target", "kind", "--save", closed / "m.safetensors"]
    refuse(shell, ["closed", "permission"], *arguments)


def test_a_disk_that_fails_leaves_nothing(shell, table, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device", "trees.safetensors")

    monkeypatch.setattr(os, "fsync", full)
    done = shell("train", table, "--target", "kind", "--save", "trees.safetensors")
    assert done.exit_code == 1
    assert "no space left" in done.stderr
    assert shell.files() == {"trees.csv"}


def test_a_model_is_written_once_and_whole(shell, table, monkeypatch):
    writes = []
    real = os.replace

    def counted(source, target):
        writes.append(target)
        real(source, target)

    monkeypatch.setattr(os, "replace", counted)
    done = shell("train", table, "--target", "kind", "--save", "trees.safetensors")
    assert done.exit_code == 0, done.output
    assert len(writes) == 1


MODELS = {
    "missing": (None, ["an existing file"]),
    "empty": (b"", ["model.safetensors", "0 bytes"]),
    "foreign": (b"hello, I am not a model", ["model.safetensors", "expected"]),
}


@pytest.mark.parametrize("name", MODELS)
def test_models_that_are_none(shell, table, name):
    content, words = MODELS[name]
    path = shell.folder / "model.safetensors"
    if content is not None:
        path.write_bytes(content)
    refuse(shell, words, "predict", path, table, "-o", "out.csv")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_truncated_model(shell, table, model, share):
    content = model.read_bytes()
    model.write_bytes(content[: int(share * len(content))])
    refuse(shell, ["trees.safetensors", "expected"], "predict", model, table, "-o", "out.csv")


def test_a_model_with_a_flipped_bit(shell, table, model):
    content = bytearray(model.read_bytes())
    content[-3] ^= 4
    model.write_bytes(content)
    refuse(shell, ["trees.safetensors", "SHA-256"], "predict", model, table, "-o", "out.csv")


def test_a_model_whose_table_is_malformed(shell, table, model):
    arrays, header = read_model(model)
    write_model(model, arrays, header | {"table": {"columns": 3}})
    refuse(shell, ["trees.safetensors", "columns"], "predict", model, table)


def test_arrays_that_are_no_model(shell, table):
    path = shell.folder / "model.safetensors"
    write_model(path, {"a": np.ones(3)}, {})
    refuse(shell, ["expected"], "predict", path, table)


def test_a_lost_column(shell, model):
    (shell.folder / "new.csv").write_text("height,width\n1,2\n", encoding="utf-8")
    refuse(shell, ["new.csv", "'leaf'", "'height', 'width'"], "predict", model, "new.csv")


def test_a_label_never_seen(shell, model):
    text = "height,leaf,kind\n5000,0,ash\n5000,0,oak\n"
    (shell.folder / "new.csv").write_text(text, encoding="utf-8")
    words = ["new.csv", "row 2", "'kind'", "ash, beech, cedar", "'oak'", "Leave the column out"]
    refuse(shell, words, "predict", model, "new.csv", "-o", "out.csv")


def test_an_output_that_cannot_be(shell, table, model):
    refuse(shell, ["--output", "nowhere"], "predict", model, table, "-o", "nowhere/out.csv")


def test_a_column_that_would_be_there_twice(shell, table, model):
    assert shell("predict", model, table, "-o", "out.csv").exit_code == 0
    refuse(shell, ["out.csv", "'prediction'"], "predict", model, "out.csv")


def test_a_fault_of_chainrule_itself_keeps_its_traceback(shell, table, monkeypatch):
    def broken(*_, **__):
        raise ZeroDivisionError("a fault")

    monkeypatch.setattr("chainrule.cli.train.check_gradient", broken)
    done = shell("train", table, "--target", "kind", "--model", "mlp")
    assert isinstance(done.exception, ZeroDivisionError)
    assert sys.exc_info() == (None, None, None)
