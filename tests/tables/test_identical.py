"""Fingerprints of rows: the same for equal rows alone."""

import numpy as np
import pandas as pd

from chainrule.tables import as_table
from chainrule.tables.identical import fingerprints

TABLE = {
    "a": [1.0, 2.0, 1.0, None, None, -0.0, 0.0],
    "b": ["x", "y", "x", None, None, "x", "x"],
    "c": np.array([2**53, 2**53 + 1, 2**53, 0, 0, 1, 1]),
    "t": np.array(["2024-01-01"] * 6 + ["2024-01-01"], "M8[us]"),
}


def test_equal_rows_and_no_others():
    marks = fingerprints(as_table(TABLE)).tolist()
    assert marks[0] == marks[2]
    assert marks[3] == marks[4]
    assert marks[5] == marks[6]
    assert len(set(marks)) == 4


def test_nothing_else_matters():
    """Not the order of rows, not which levels come first, not how the table came."""
    frame = pd.DataFrame(TABLE)
    marks = fingerprints(as_table(frame))
    order = np.array([6, 3, 0, 1, 5, 4, 2])
    np.testing.assert_array_equal(fingerprints(as_table(frame.iloc[order])), marks[order])
    np.testing.assert_array_equal(fingerprints(as_table(frame)), marks)
    wide = as_table(np.arange(40.0).reshape(20, 2) % 7)
    assert len(set(fingerprints(wide).tolist())) == 7


def test_columns_are_not_interchangeable():
    one = fingerprints(as_table({"a": [1.0], "b": [2.0]}))
    assert one != fingerprints(as_table({"a": [2.0], "b": [1.0]}))
