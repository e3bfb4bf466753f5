"""Ctrl-C: a line, exit code 130, what was asked to be saved is saved whole or not at all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

import chainrule as cr

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals as POSIX has them")


def interrupted(folder, *arguments, once):
    """Start the command, send SIGINT once ``once`` is printed, wait for the end."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "chainrule", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"COLUMNS": "80", "NO_COLOR": "1"},
        start_new_session=True,
    )
    assert process.stdout is not None
    seen = ""
    while once not in seen:
        seen += process.stdout.readline()
    time.sleep(1.5)  # now it trains
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    return process.returncode, seen + out, err


def test_keeps_the_best_parameters_so_far(tmp_path):
    forever = ["--max-iter", "1000000", "--solver", "sgd", "--save", "m.safetensors"]
    code, out, err = interrupted(
        tmp_path, "train", "digits", "--hidden", "20", *forever, once="classes"
    )
    assert code == 130
    assert err.splitlines() == ["chainrule: interrupted"]
    assert "Traceback" not in out + err
    assert {path.name for path in tmp_path.iterdir()} == {"m.safetensors"}
    assert cr.load(tmp_path / "m.safetensors").predict(cr.load_digits().X_test).shape == (450,)


def test_of_several_models_none_is_kept(tmp_path):
    forever = ["--max-iter", "1000000", "--solver", "gd", "--save", "m.safetensors"]
    code, _, err = interrupted(tmp_path, "train", "digits", *forever, once="classes")
    assert code == 130
    assert err.splitlines() == ["chainrule: interrupted"]
    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_leaves_is_no_error(tmp_path, shell, table, model):
    command = f"{sys.executable} -m chainrule predict {model} {table} | head -n 1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout.startswith("height,leaf,kind,prediction")
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr
