"""The command ``chainrule``; `app` has its parts, each in a file of its name."""

from chainrule.cli.app import app, main

__all__ = ["app", "main"]
