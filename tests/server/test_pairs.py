"""The two columns that are drawn first: telling ones, and never a feature with its own flag."""

from __future__ import annotations

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from chainrule.server.encoded import points_of_table
from chainrule.server.pairs import telling_columns
from chainrule.server.points import Points


def pair(points):
    return tuple(points.axes[i] for i in telling_columns(points))


def table(rows, header="age,size,noise,town,kind"):
    return "\n".join([header, *rows]).encode()


def test_a_feature_that_tells_and_its_own_missing_flag_are_not_the_pair():
    """Whether the age is missing decides the class; so does the age where it is there."""
    rng = np.random.default_rng(0)
    rows = []
    for i in range(200):
        old = i % 2
        age = "" if old and i % 4 == 1 else f"{20 + 40 * old + rng.normal():.2f}"
        rows.append(f"{age},{rng.normal() + old:.3f},{rng.normal():.3f},Ulm,{old}")
    points = points_of_table(table(rows), [], "kind")
    assert "age_missing" in points.axes
    assert pair(points) == ("age", "size")


def test_columns_of_numbers_come_before_flags_that_tell_more():
    rng = np.random.default_rng(1)
    rows = [
        f"{rng.normal() + i % 2:.3f},{rng.normal() + i % 2:.3f},{rng.normal():.3f},"
        f"{('Ulm', 'Bonn')[i % 2]},{i % 2}"
        for i in range(200)
    ]
    assert pair(points_of_table(table(rows), [], "kind")) == ("age", "size")


def test_a_constant_column_is_drawn_last():
    X = np.column_stack([np.zeros(60), np.arange(60) % 2, np.arange(60.0)])
    points = Points(X, (X[:, 2] > 30).astype(np.int64), 40, ("0", "1"), ("a", "b", "c"))
    assert telling_columns(points) == (1, 2)


def test_one_number_and_its_flag_are_drawn_where_there_is_nothing_else():
    rows = [f"{i if i % 3 else ''},{i % 2}" for i in range(60)]
    points = points_of_table(
        b"\n".join([b"x,unused,kind", *(row.replace(",", ",1,").encode() for row in rows)]),
        ["x"],
        "kind",
    )
    assert points.axes == ("x", "x_missing")
    assert pair(points) == ("x", "x_missing")


@given(st.data())
def test_never_a_feature_with_its_own_flag_where_there_are_others(data):
    rng = np.random.default_rng(data.draw(st.integers(0, 10**6)))
    names, columns = [], []
    for name in "abc"[: data.draw(st.integers(2, 3))]:
        names.append(name)
        columns.append(rng.normal(size=50) * data.draw(st.sampled_from([0.0, 1.0, 1.0])))
        if data.draw(st.booleans()):
            names.append(f"{name}_missing")
            columns.append((rng.random(50) < 0.3).astype(float))
    assume(len(names) > 2)
    X = np.column_stack(columns)
    y = (X @ rng.normal(size=len(names)) > 0).astype(np.int64)
    assume(len(np.unique(y)) == 2)
    shown = pair(Points(X, y, 25, ("0", "1"), tuple(names)))
    assert shown[0] != shown[1]
    assert not any(one == f"{other}_missing" for one, other in (shown, shown[::-1]))
