"""The command line: ``chainrule train | predict | check | info``."""

from chainrule.cli.app import app, main

__all__ = ["app", "main"]
