"""Damaged input for every reader: what tools/fuzz.py watches, on some of it."""

from __future__ import annotations

import subprocess
import sys

import pytest


def fuzz(root, folder, *arguments):
    command = [sys.executable, root / "tools" / "fuzz.py", *arguments, "--keep", folder]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.slow
def test_damaged_tables_streams_and_arrays_are_read_or_refused(project_root, tmp_path):
    code, said = fuzz(project_root, tmp_path, "csv", "stream", "idx", "--cases", "60")
    assert code == 0, said
    for name in ("csv", "stream", "idx"):
        assert f"{name}: 60 cases, 0 faults" in said


@pytest.mark.slow
def test_every_reader_bears_many_damaged_inputs(project_root, tmp_path):
    code, said = fuzz(project_root, tmp_path, "--cases", "400", "--seed", "5")
    assert code == 0, said
    assert said.count(": 400 cases, 0 faults") == 12
    assert "400 files in" in said


def test_unknown_targets_are_named(project_root, tmp_path):
    code, said = fuzz(project_root, tmp_path, "pdf")
    assert code == 2
    assert "came pdf" in said


def test_what_must_not_come_out_is_found(project_root, tmp_path):
    """A reader that breaks each of the promises in turn, judged in a process of its own."""
    program = f"""
import signal, sys, time
sys.path.insert(0, {str(project_root / "tools")!r})
import fuzz
from chainrule.errors import DataError
def stop(*_):
    raise fuzz.TooLong
signal.signal(signal.SIGALRM, stop)
fuzz.SECONDS = 1
def fault(read):
    return fuzz.judge(fuzz.Target([b"x"], read), b"x")[1]
def refuse(text):
    raise DataError(text)
assert fault(lambda content: None) is None
assert fault(lambda content: refuse("file: expected numbers; came words.")) is None
assert "not one line" in fault(lambda content: refuse("one\\ntwo"))
assert "not one line" in fault(lambda content: refuse("x" * 9999))
assert fault(lambda content: 1 / 0) == "ZeroDivisionError: division by zero"
assert fault(lambda content: sys.exit()) == "SystemExit: "
assert fault(lambda content: time.sleep(5)) == "more than 1 s"
assert "MiB for 1 bytes" in fault(lambda content: bytearray(10**8))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
