"""Where the native module is missing, or switched off; and every instruction set of the machine."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from chainrule import engine

_COMPILE = """
import numpy as np, chainrule as cr
from chainrule import engine
x, t = cr.input("x", ("rows", 3)), cr.target("t", ("rows",))
loss = cr.squared_error(x @ cr.parameter("W", (3, 1)), t)
vector = cr.ParameterVector(cr.Graph(loss).parameters)
"""
_MISSING = "import sys; sys.modules['chainrule.engine._native'] = None\n"  # import then fails


def run(script, **variables):
    environment = {**os.environ, **variables}
    return subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
    )


def test_switched_off():
    script = _COMPILE + "print(engine.compile(loss, None, vector), engine.available())"
    done = run(script, CHAINRULE_ENGINE="off")
    assert done.stdout == "None False\n"
    assert done.stderr == ""


def test_missing_is_said_once():
    script = (
        _MISSING
        + _COMPILE
        + (
            "print(engine.available(), engine.info()['compiled'])\n"
            "for _ in range(3):\n    print(engine.compile(loss, None, vector))"
        )
    )
    done = run(script, CHAINRULE_REQUIRE_ENGINE="")
    assert done.stdout == "False False\nNone\nNone\nNone\n"
    assert done.stderr.count("EngineUnavailableWarning: the compiled engine could not be") == 1


def test_one_of_another_version_is_not_used():
    old = (
        "import sys, types\nold = types.ModuleType('chainrule.engine._native')\n"
        "sys.modules[old.__name__] = old\n"
    )
    done = run(
        old + _COMPILE + "print(engine.info()['reason'])\nengine.compile(loss, None, vector)"
    )
    assert done.stdout == "it was built from the sources of another version\n"
    done = run(old + _COMPILE + "engine.compile(loss, None, vector)", CHAINRULE_REQUIRE_ENGINE="1")
    assert "EngineError" in done.stderr
    assert "it was built from the sources of another version" in done.stderr


def test_missing_where_it_is_required():
    script = _MISSING + _COMPILE + "engine.compile(loss, None, vector)"
    done = run(script, CHAINRULE_REQUIRE_ENGINE="1")
    assert done.returncode == 1
    assert "EngineError: CHAINRULE_REQUIRE_ENGINE is set" in done.stderr


def test_an_unknown_instruction_set_is_refused():
    done = run(_COMPILE + "engine.compile(loss, None, vector)", CHAINRULE_ISA="mmx",
               CHAINRULE_REQUIRE_ENGINE="1")  # fmt: skip
    assert done.returncode == 1
    assert "CHAINRULE_ISA=mmx is not to be had here" in done.stderr


@pytest.mark.slow
@pytest.mark.skipif("CHAINRULE_ISA" in os.environ, reason="one instruction set is asked for")
@pytest.mark.parametrize(
    "isa", [one for one in engine.info()["isas"] if one != engine.info()["isa"]]
)
def test_every_instruction_set(isa, project_root):
    files = ["test_operations.py", "test_training.py", "test_rows.py", "test_shuffling.py"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider",
         *(str(project_root / "tests" / "engine" / name) for name in files)],
        env={**os.environ, "CHAINRULE_ISA": isa}, capture_output=True, text=True, check=False,
        cwd=project_root,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
