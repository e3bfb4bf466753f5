"""The changes that alter nothing anyone can see, each with the reason."""

from __future__ import annotations

import tomllib
from pathlib import Path


def reasons() -> dict[str, str]:
    """By the name of a mutant, why no test can notice it."""
    content = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    return {name: group["why"] for group in content["same"] for name in group["changes"]}
