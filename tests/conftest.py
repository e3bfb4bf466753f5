"""What all tests share: where public test data lie, and how hypothesis draws its examples."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

os.environ.setdefault("MPLBACKEND", "Agg")

# A shell starts background jobs with Ctrl-C ignored, and tests of interruption would wait for ever.
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parents[1]

# "ci" draws the same examples in every run, so that a failure is a failure for everyone.
# HYPOTHESIS_PROFILE=explore looks for new ones.
settings.register_profile(
    "ci", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("explore", deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def find_data(name: str) -> Path | None:
    """The folder `name` of the public data sets: under CHAINRULE_DATA, or beside the project."""
    named = os.environ.get("CHAINRULE_DATA")
    roots = ([Path(named)] if named else []) + [ROOT.parent / "shared" / "data"]
    return next((root / name for root in roots if (root / name).is_dir()), None)


def data_or_skip(name: str) -> Path:
    folder = find_data(name)
    if folder is None:
        beside = ROOT.parent / "shared" / "data"
        pytest.skip(f"no folder {name!r} in CHAINRULE_DATA or {beside}: its data are not tested")
    return folder


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of all public data sets (mnist, digits, tabular)."""
    return data_or_skip("tabular").parent


@pytest.fixture(scope="session")
def mnist_folder() -> Path:
    """The folder of MNIST's four files."""
    return data_or_skip("mnist")


@pytest.fixture(scope="session")
def project_root() -> Path:
    """The folder that holds pyproject.toml."""
    return ROOT
