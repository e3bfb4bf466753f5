"""``chainrule info``: versions, the engine, threads, BLAS: what to put into a report of a fault."""

from __future__ import annotations

import platform
import sys
from importlib import metadata

# what sets up BLAS must be loaded to be seen
import scipy.linalg  # noqa: F401
from rich.table import Table
from rich.text import Text
from threadpoolctl import threadpool_info

import chainrule
from chainrule import engine
from chainrule.cli.console import out

REQUIRED = ("numpy", "scipy", "scikit-learn", "safetensors", "threadpoolctl", "typer", "rich")
EXTRAS = {"matplotlib": "plot"}


def run() -> None:
    """Print it."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in [*_versions(), *_engine(), *_blas()]:
        table.add_row(name, value)
    out().print(table)


def _versions() -> list[tuple[str, str | Text]]:
    system = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    rows: list[tuple[str, str | Text]] = [
        ("chainrule", chainrule.__version__),
        ("Python", f"{system}, {sys.executable}"),
    ]
    rows += [(name, _version(name) or "missing") for name in REQUIRED]
    for name, extra in EXTRAS.items():
        missing = Text(f'not installed: pip install "chainrule[{extra}]"', style="yellow")
        rows.append((name, _version(name) or missing))
    return rows


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _engine() -> list[tuple[str, str | Text]]:
    about = engine.info()
    if about["compiled"]:
        others = [isa for isa in about["isas"] if isa != about["isa"]]
        also = f" (could also use {', '.join(others)})" if others else ""
        state: str | Text = f"compiled, instruction set {about['isa']}{also}"
    else:
        state = Text(f"not compiled, NumPy does the work: {about['reason']}", style="yellow")
    return [("engine", state), ("threads", str(about["threads"]))]


def _blas() -> list[tuple[str, str | Text]]:
    found = []
    for library in threadpool_info():
        if library["user_api"] == "blas":
            threads = library["num_threads"]
            parts = (library["internal_api"], library["version"], library.get("architecture"))
            words = " ".join(str(part) for part in parts if part)
            found.append(f"{words}, {threads} thread{'s' * (threads != 1)}")
    return [("BLAS", "\n".join(dict.fromkeys(found)) or "none that threadpoolctl knows")]
