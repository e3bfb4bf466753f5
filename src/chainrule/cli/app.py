"""The command ``chainrule``: what its commands are, in the order of the help page."""

from __future__ import annotations

from typing import Annotated

import typer

import chainrule
from chainrule.cli.commands import desk, models
from chainrule.cli.commands.train import train

app = typer.Typer(
    name="chainrule",
    help="Neural networks you can see through: learn, predict, check gradients.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"chainrule {chainrule.__version__}")
        raise typer.Exit


@app.callback()
def command_line(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Neural networks you can see through: learn, predict, check gradients."""


for _command in (
    train,
    models.predict,
    models.report,
    models.check,
    desk.playground,
    models.export,
    desk.bench,
    desk.info,
):
    app.command()(_command)


def main() -> None:
    """The entry point of the command ``chainrule``."""
    app()
