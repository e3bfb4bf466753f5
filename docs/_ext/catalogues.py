"""Bring the translators' files up to the chapters: `make catalogues`.

Only pages that are meant to be read in other languages have a file: those in `PAGES`.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
PAGES = (
    "index",
    "book/01-one-vs-all",
    "book/02-softmax",
    "book/03-loss-and-gradient",
    "book/04-networks",
    "book/05-activations",
    "book/06-back-propagation",
)


def main(languages: list[str]) -> None:
    """Copy the templates of `PAGES` and let sphinx-intl merge them into each language."""
    made, wanted = HERE / "_build" / "gettext", HERE / "_build" / "templates"
    shutil.rmtree(wanted, ignore_errors=True)
    for page in PAGES:
        (wanted / page).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(made / f"{page}.pot", wanted / f"{page}.pot")
    options = [part for language in languages for part in ("-l", language)]
    options += ["--locale-dir", str(HERE / "locale"), "--pot-dir", str(wanted), "--line-width", "0"]
    command = [sys.executable, "-m", "sphinx_intl", "update", *options, "--no-obsolete"]
    subprocess.run(command, check=True)


if __name__ == "__main__":
    main(sys.argv[1:] or ["fa"])
