"""Draw the pictures of docs/pictures.md: every block of code, in order, as a reader would run it.

    python tools/draw_pictures.py [FOLDER]

A picture is what the block before its link has left: ``ax`` for a PNG, ``svg`` for an SVG.
"""

from __future__ import annotations

import io
import os
import re
import sys
import tempfile
from contextlib import chdir, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("MPLBACKEND", "Agg")

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "pictures.md"
PART = re.compile(r"^```(\w+)\n(.*?)^```$|^!\[[^\]]*\]\(([^)]+)\)$", re.MULTILINE | re.DOTALL)
DPI = 80


class Part(NamedTuple):
    """A block of the page (``kind`` its language), or a link to a picture ("picture")."""

    kind: str
    text: str


def parts_of(page: str) -> list[Part]:
    """Blocks and pictures in their order."""
    found = PART.findall(page)
    return [Part("picture", link) if link else Part(kind, text) for kind, text, link in found]


def run(parts: list[Part], folder: Path) -> list[tuple[str, str]]:
    """Run every Python block, write every picture into ``folder``; what was printed and said."""
    import matplotlib.pyplot as plt

    namespace: dict[str, Any] = {"__name__": "pictures"}
    compared = []
    for i, part in enumerate(parts):
        if part.kind == "picture":
            _keep(folder / Path(part.text).name, namespace)
            plt.close("all")
        if part.kind != "python":
            continue
        printed = io.StringIO()
        with redirect_stdout(printed):
            exec(compile(part.text, PAGE.name, "exec"), namespace)
        after = parts[i + 1] if i + 1 < len(parts) else Part("", "")
        compared.append((printed.getvalue(), after.text if after.kind == "text" else ""))
    return compared


def _keep(path: Path, namespace: dict[str, Any]) -> None:
    if path.suffix == ".svg":
        path.write_text(namespace.pop("svg"), encoding="utf-8")
    else:
        namespace.pop("ax").figure.savefig(path, dpi=DPI)


def main() -> None:
    """Draw them all."""
    folder = Path(sys.argv[1] if sys.argv[1:] else ROOT / "docs" / "images" / "pictures").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as empty, chdir(empty):
        run(parts_of(PAGE.read_text(encoding="utf-8")), folder)
    print(f"{len(list(folder.iterdir()))} pictures in {folder}")


if __name__ == "__main__":
    main()
