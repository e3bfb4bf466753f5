"""Every script of the gallery runs without a warning, draws, and finds what it says it finds."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# What it prints, and the range of each number in it. None of them is tight: machines differ.
FINDS = {
    "one_neuron": (
        r"y = (\S+), dy/dw = (\S+), (\S+)",
        [(0.525, 0.525), (0.2494,) * 2, (-0.4988,) * 2],
    ),
    "what_classes_look_for": (r"(\S+)% of the test digits right", [(90, 100)]),
    "step_width": (
        r"forward: best at h = (\S+), error (\S+)\ncentral: best at h = (\S+), error (\S+)",
        [(1e-9, 1e-6), (1e-11, 1e-7), (1e-6, 1e-3), (1e-14, 1e-9)],
    ),
    "solvers_race": (
        r"gradient descent: loss (\S+)\nconjugate gradients: loss (\S+)\nL-BFGS: loss (\S+)\n"
        r"Adam, batches of 64: loss (\S+)",
        [(0.1, 1), (0, 0.05), (0, 0.05), (0, 0.05)],
    ),
    "learning_rate": (
        r"suggested (\S+); (\S+)% of the test digits right",
        [(0.005, 0.5), (90, 100)],
    ),
    "spirals": (r"(\S+)% of the points on their own side", [(95, 100)]),
    "squeezed_digits": (r"two numbers keep (\S+)% of the pixels' variance", [(35, 80)]),
    "robust_loss": (
        r"The gradient is right.*\nsquared error: (\S+) from the truth\n"
        r"log cosh: (\S+) from the truth",
        [(0.1, 2), (0, 0.06)],
    ),
    "quantile_bands": (r"(\S+)% of new points in the band", [(74, 86)]),
    "mixed_table": (r"(\S+)% of 800 new rows right", [(70, 90)]),
}


def test_the_gallery_shows_every_example():
    scripts = {path.stem for path in (ROOT / "examples").glob("*.py")}
    assert scripts == {*FINDS, "drop_in"}
    listed = (ROOT / "docs" / "_ext" / "gallery.py").read_text(encoding="utf-8")
    assert set(re.findall(r'^    "(\w+)",$', listed, re.MULTILINE)) == set(FINDS)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(FINDS))
def test_a_script_draws_and_finds_what_it_says(name, tmp_path):
    script = ROOT / "examples" / f"{name}.py"
    done = subprocess.run(
        [sys.executable, "-W", "error", str(script)],
        cwd=tmp_path,
        env=os.environ | {"MPLBACKEND": "Agg"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    (picture,) = tmp_path.iterdir()
    assert picture.stem == name
    assert picture.stat().st_size > 2000
    pattern, ranges = FINDS[name]
    found = re.fullmatch(pattern, done.stdout.rstrip(), re.DOTALL)
    assert found, done.stdout
    for number, (least, most) in zip(found.groups(), ranges, strict=True):
        assert least <= float(number) <= most, done.stdout


@pytest.mark.parametrize("name", sorted(FINDS))
def test_a_script_is_short_and_says_what_it_shows(name):
    code = (ROOT / "examples" / f"{name}.py").read_text(encoding="utf-8")
    assert len(code.splitlines()) <= 70
    assert re.match(r'"""[^\n]+[.?]\n\n', code), "a line that is its title, then what it shows"
