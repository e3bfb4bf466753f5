"""Each address of the classroom's table is one of the playground, and does what the table says."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from chainrule.server.points import make_points
from chainrule.server.run import Run
from chainrule.server.settings import HIDEABLE, TABLE, read_settings

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "guides" / "classroom.md"
ROW = re.compile(r"^\| `(\S*=\S*)` \|[^|]+\| (\d+) epochs: ([^|]+) \|", re.MULTILINE)

# What the words of the table claim of the losses (training, test).
CLAIMS = {
    "stays near 0.69 = log 2": lambda train, test: 0.67 < train < 0.71,
    "stays near 0.69": lambda train, test: 0.67 < train < 0.71,
    "below 0.2": lambda train, test: train < 0.2 and test < 0.2,
    "above 1": lambda train, test: train > 1,
    "test more than twice training": lambda train, test: test > 2 * train,
}
LESSONS = ROW.findall(PAGE.read_text(encoding="utf-8"))


def settings_of(address):
    """As the page reads them from behind its #."""
    rows, given = {one.name: one for one in TABLE}, {}
    for name, text in parse_qsl(address, keep_blank_values=True, strict_parsing=True):
        kind, parts = rows[name].kind, [part for part in text.split(",") if part]
        given[name] = {
            "choice": lambda text=text: text,
            "number": lambda text=text: float(text),
            "integer": lambda text=text: int(text),
            "choices": lambda parts=parts: parts,
            "integers": lambda parts=parts: [int(part) for part in parts],
        }[kind]()
    return read_settings(given)


def test_every_row_of_the_table_is_read():
    assert len(LESSONS) == PAGE.read_text(encoding="utf-8").count("\n| `dataset=") == 6


@pytest.mark.parametrize(("address", "epochs", "claim"), LESSONS)
def test_a_run_does_what_the_table_says(address, epochs, claim):
    settings = settings_of(address)
    points = make_points(
        settings["dataset"],
        seed=settings["data_seed"],
        noise=settings["noise"] / 100,
        train_share=settings["train_percent"] / 100,
    )
    run = Run(1, settings, points)
    run.advance(run.steps_to_epoch(int(epochs)))
    train, test, _ = run.observe(0, (0, 0)).losses
    assert run.failure is None
    assert CLAIMS[claim](train, test), (train, test)


def test_what_may_be_hidden_is_there():
    hidden = re.findall(r"hide=([\w,]+)", PAGE.read_text(encoding="utf-8"))
    assert hidden
    for names in hidden:
        assert set(names.split(",")) <= set(HIDEABLE)
