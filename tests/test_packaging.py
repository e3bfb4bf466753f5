"""What a plain import costs, and that the metadata and the tool settings hold together."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from importlib import metadata, resources

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import chainrule

HEAVY = ("sklearn", "scipy.optimize", "matplotlib", "torch", "pandas", "rich", "typer")


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONSTARTUP"}
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=True, env=environment
    )


def test_a_plain_import_loads_nothing_heavy():
    loaded = python("-c", "import sys, chainrule; print(*sys.modules)").stdout.split()
    assert "chainrule" in loaded
    assert not [name for name in HEAVY if name in loaded]


MEASURE = """
from time import process_time
start = process_time()
import numpy
middle = process_time()
import chainrule
print(middle - start, process_time() - start)
"""


def test_a_plain_import_takes_at_most_twice_numpys():
    # Processor time, and the smallest of several runs: a busy machine can only add to it.
    runs = [tuple(map(float, python("-c", MEASURE).stdout.split())) for _ in range(10)]
    numpys, ours = map(min, zip(*runs, strict=True))
    assert ours <= 2 * numpys


@pytest.fixture(scope="module")
def settings(project_root):
    return tomllib.loads((project_root / "pyproject.toml").read_text(encoding="utf-8"))


def test_the_version_has_one_source(settings):
    assert "version" in settings["project"]["dynamic"]
    assert chainrule.__version__ == metadata.version("chainrule"), (
        "reinstall: make clean, make test"
    )


def test_types_are_shipped():
    assert resources.files("chainrule").joinpath("py.typed").is_file()


def test_the_room_contract_names_every_room(project_root, settings):
    (contract,) = settings["tool"]["importlinter"]["contracts"]
    named = set(re.findall(r"\w+", " ".join(contract["layers"])))
    source = project_root / "src" / "chainrule"
    rooms = {path.parent.name for path in source.glob("*/__init__.py")}
    assert rooms
    assert rooms <= named


def test_a_wheel_is_built_for_every_python_that_is_promised(settings):
    classified = re.findall(r"Python :: 3\.(\d+)", " ".join(settings["project"]["classifiers"]))
    built = settings["tool"]["cibuildwheel"]["build"]
    assert built == [f"cp3{minor}-*" for minor in classified]
    assert settings["project"]["requires-python"] == f">=3.{classified[0]}"


def test_wheels_without_the_engine_are_no_wheels(settings):
    wheels = settings["tool"]["cibuildwheel"]
    for one in (wheels, wheels["macos"], wheels["windows"]):
        assert one["environment"]["CHAINRULE_REQUIRE_ENGINE"] == "1"


def test_the_citation_is_of_this_version(project_root):
    citation = (project_root / "CITATION.cff").read_text(encoding="utf-8")
    assert re.search(r"^version: (\S+)$", citation, re.MULTILINE)[1] == chainrule.__version__


def test_everything_for_development_is_locked(project_root, settings):
    """Every requirement has one release that it allows, on this Python and system."""
    text = (project_root / ".ci" / "locked.txt").read_text(encoding="utf-8")
    lines = [Requirement(line) for line in text.splitlines() if not line.startswith("#")]
    locked = {
        canonicalize_name(one.name): str(one.specifier).removeprefix("==")
        for one in lines
        if one.marker is None or one.marker.evaluate()
    }
    extras = settings["project"]["optional-dependencies"]
    names = ("dev", "test", "docs", "plot", "playground", "onnx", "dask")
    wanted = [one for extra in names for one in extras[extra]]
    wanted += settings["project"]["dependencies"] + settings["build-system"]["requires"]
    for one in map(Requirement, wanted):
        if one.name != "chainrule":
            assert one.specifier.contains(locked[canonicalize_name(one.name)]), one
