"""What people see: the two consoles, and every mistake as one line."""

from __future__ import annotations

import os
import re
import shlex
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

import typer
from rich.console import Console
from rich.text import Text

import chainrule
from chainrule.errors import ChainruleError, OptionError, describe

INTERRUPTED = 130  # as shells count it: 128 + SIGINT


def out() -> Console:
    """Standard output. Made anew for each use, so that a redirected stream is honoured."""
    return Console(highlight=False)


def err() -> Console:
    """Standard error."""
    return Console(stderr=True, highlight=False)


@contextmanager
def one_line_errors() -> Iterator[None]:
    """A mistake of the user ends the command with one line on standard error and exit code 1.

    Ctrl-C ends it with a line and exit code 130. An error of chainrule itself keeps its traceback.
    """
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            yield
    except KeyboardInterrupt:
        complain("interrupted", style="yellow")
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:
        # The reader of our output has left, as `head` does. Python would complain once more when
        # it flushes the stream at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(1) from None
    except (ChainruleError, ValueError) as error:
        complain(str(error))
        raise typer.Exit(1) from None
    except OSError as error:
        complain(explain_os_error(error))
        raise typer.Exit(1) from None


def command_line() -> str:
    """What was typed."""
    return shlex.join(["chainrule", *sys.argv[1:]])


def made_now() -> dict[str, str]:
    """How a model comes about: the command, and the versions of what computes."""
    versions = {name: metadata.version(name) for name in ("numpy", "scipy", "scikit-learn")}
    return {"command": command_line(), "chainrule": chainrule.__version__, **versions}


def complain(message: str, style: str = "bold red") -> None:
    """``chainrule: message`` on standard error, as one line whatever the message holds."""
    line = Text.assemble(("chainrule: ", style), re.sub(r"\s+", " ", message).strip())
    err().print(line, soft_wrap=True)


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    complain(f"note: {message}", style="yellow")


def explain_os_error(error: OSError) -> str:
    """What was expected of a file, and what the system said."""
    where = error.filename if error.filename is not None else "file"
    reason = error.strerror or str(error)
    if isinstance(error, FileNotFoundError):
        return describe(where, "an existing file or folder", "none")
    if isinstance(error, PermissionError):
        return describe(where, "permission to read or write here", reason.lower())
    return describe(where, "a file that can be read and written", reason.lower())


def check_writable(path: Path, option: str) -> None:
    """Refuse a place that cannot be written to, before an hour of training rather than after."""
    folder = path.parent
    if path.is_dir():
        raise IsADirectoryError(21, "is a directory", str(path))
    if not folder.is_dir():
        remedy = f"Make it: mkdir -p {folder}"
        raise OptionError(describe(f"{option} {path}", f"a folder {folder}", "none", remedy))
    if not os.access(folder, os.W_OK):
        raise PermissionError(13, "permission denied", str(folder))


@contextmanager
def matplotlib_or_note(what: str) -> Iterator[None]:
    """Where matplotlib is missing a note says what is left out; training was not in vain."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name != "matplotlib":
            raise
        complain(f"note: no {what}; {error}", style="yellow")
