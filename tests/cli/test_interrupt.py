"""Ctrl-C on a terminal: a line, exit code 130, and a saved model is whole or not there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

import chainrule as cr

pty = pytest.importorskip("pty", reason="terminals as POSIX has them")

FOREVER = ["--max-iter", "999999"]


def interrupted(folder, *arguments):
    """Start the command on a terminal of its own, press Ctrl-C once the bar moves."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "chainrule", *arguments],
        cwd=folder,
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.PIPE,
        env=os.environ | {"COLUMNS": "80", "NO_COLOR": "1", "TERM": "xterm"},
        # a shell that runs the tests in the background has Ctrl-C ignored, and children inherit it
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    os.close(theirs)
    seen = b""
    pressed = False
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # so Linux says that the other side has closed
            part = b""
        if not part:
            break
        seen += part
        if not pressed and b"/999999" in seen:
            process.send_signal(signal.SIGINT)
            pressed = True
    assert process.stderr is not None
    errors = [line for line in process.stderr.read().decode().splitlines() if "note:" not in line]
    process.stderr.close()
    os.close(ours)
    return process.wait(timeout=60), seen.decode(), errors


def test_keeps_the_best_parameters_so_far(tmp_path):
    arguments = ["train", "digits", "--hidden", "20", "--solver", "gd", *FOREVER]
    code, out, errors = interrupted(tmp_path, *arguments, "--save", "m.safetensors")
    assert code == 130
    assert errors == ["chainrule: interrupted"]
    assert "Traceback" not in out
    assert "saved in" in out
    assert {path.name for path in tmp_path.iterdir()} == {"m.safetensors"}
    assert cr.load(tmp_path / "m.safetensors").predict(cr.load_digits().X_test).shape == (450,)


def test_of_several_models_none_is_kept(tmp_path):
    arguments = ["train", "digits", "--solver", "adam", *FOREVER, "--save", "m.safetensors"]
    code, out, errors = interrupted(tmp_path, *arguments)
    assert code == 130
    assert errors == ["chainrule: interrupted"]
    assert "saved" not in out
    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_leaves_is_no_error(tmp_path, shell, table, model):
    command = f"{sys.executable} -m chainrule predict {model} {table} | head -n 1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout.startswith("height,leaf,kind,prediction")
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr
