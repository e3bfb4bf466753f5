"""The example of one replaced import: the same result with either network."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "drop_in.py"


def run(*arguments):
    command = [sys.executable, "-W", "error", str(EXAMPLE), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = re.fullmatch(r"accuracy (\S+), log-loss (\S+), \S+ s\n", done.stdout)
    assert found, done.stdout
    return float(found[1]), float(found[2])


def test_replacing_the_import_changes_nothing_but_the_time():
    ours, theirs = run(), run("sklearn")
    assert ours[0] == theirs[0]
    assert ours[1] == pytest.approx(theirs[1], abs=2e-4)
    assert ours[0] > 0.7  # and something was learnt
