"""The summary: every column with its type, missing share, content and encoding."""

import numpy as np
from rich.console import Console

from chainrule.tables import ColumnEncoder

TABLE = {
    "id": range(40),
    "age": [17.5, None, 90.0, 40.0] * 10,
    "wide": [12285, 1_455_435, 0, -3] * 10,
    "big": [2**60, 2**60 + 4096, 5, 6] * 10,
    "sex": ["m", "f"] * 20,
    "job": [f"job {i % 8}" for i in range(40)],
    "town\nname": [f"a very long name of a small town number {i % 10}" for i in range(40)],
    "day": np.datetime64("2024-01-01T06") + 7 * 24 * np.arange(40),
    "same": [1] * 40,
    "rest": ["x"] * 40,
}
EXPECTED = """\
column     type                missing  levels or range                                    encoded as
id         identifier          –                                                           not used; no value comes twice
age        numeric             25.0 %   17.5 … 90                                          scaled, missing?
wide       numeric             –        -3 … 1455435                                       scaled
big        numeric             –        5 … 1.15292e+18                                    scaled; whole numbers beyond 2⁵³ are rounded
sex        binary              –        2: f, m                                            ±1
job        categorical         –        8: job 0, job 1, job 2, …                          one-hot, 8 features
town name  categorical         –        10: a very long name of…, …                        code in 11
day        datetime            –        2024-01-01T06:00:00 … 2024-09-30T06:00:00          elapsed, sin, cos of year
same       constant            –                                                           not used
rest       ignored             –                                                           not used
"""  # noqa: E501


def squeezed(text):
    return [" ".join(line.split()) for line in text.strip().splitlines()]


def test_plain():
    summary = ColumnEncoder(types={"rest": "ignored"}).fit(TABLE).summary()
    assert squeezed(repr(summary)) == squeezed(EXPECTED)
    starts = {
        line.index(row.type)
        for line, row in zip(repr(summary).splitlines()[1:], summary.rows, strict=True)
    }
    assert len(starts) == 1


def test_rich_shows_the_same():
    summary = ColumnEncoder(types={"rest": "ignored"}).fit(TABLE).summary()
    console = Console(width=200, record=True, file=None, force_terminal=False)
    with console.capture() as capture:
        console.print(summary)
    assert squeezed(capture.get()) == squeezed(EXPECTED)


def test_few_missing_values_are_not_none():
    table = {"x": [None, *np.linspace(0, 1, 5000)], "y": [None, *[1.0] * 5000]}
    rows = ColumnEncoder().fit(table).summary().rows
    assert [row.missing for row in rows] == ["< 0.1 %", "< 0.1 %"]
    assert rows[1].encoded == "missing?"
