"""Tables of any columns as points: the column encoder's numbers, or their principal components."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from chainrule import ColumnEncoder
from chainrule.errors import ChainruleError, DataError
from chainrule.server.encoded import (
    MAX_FEATURES,
    READINGS,
    components,
    kinds_of,
    points_of_table,
)
from chainrule.server.frames import fingerprint
from chainrule.server.own import Own
from chainrule.server.run import Run
from chainrule.server.script import script
from chainrule.server.settings import read_settings
from chainrule.tables import read_table

RNG = np.random.default_rng(0)
TOWNS = ("Ulm", "Bonn", "Köln")
MIXED = "age,town,since,member,id,kind\n" + "".join(
    f"{20 + i % 37 if i % 9 else ''},{TOWNS[i % 3]},2024-0{1 + i % 9}-11,"
    f"{'yes' if i % 4 else 'no'},c{i},{'ab'[i % 2]}\n"
    for i in range(60)
)


def read(text, columns=(), target="kind", **options):
    return points_of_table(text.encode(), columns, target, **options)


def test_the_features_are_the_encoders_on_the_rows_to_learn_from(tmp_path):
    path = tmp_path / "mixed.csv"
    path.write_text(MIXED, encoding="utf-8")
    table = read_table(path).without("kind")
    points = read(MIXED, seed=3, train_share=0.7)
    order = np.random.default_rng(3).permutation(60)
    encoder = ColumnEncoder(max_one_hot=None).fit(table.take(order[:42]))
    assert points.n_train == 42
    assert points.axes == tuple(encoder.get_feature_names_out())
    assert "id" not in "".join(points.axes)
    original = points.X / points.scale + points.offset
    assert np.allclose(original, encoder.transform(table.take(order)), atol=1e-6)
    assert points.classes == ("a", "b")
    assert [points.classes[k] for k in points.y] == ["ab"[i % 2] for i in order]


def test_components_are_those_of_scikit_learn():
    X = RNG.normal(size=(50, 6)) @ RNG.normal(size=(6, 6))
    projected, names = components(X, 40)
    reference = PCA(2).fit(X[:40])
    expected = reference.transform(X)
    signs = np.sign((projected * expected).sum(axis=0))
    assert np.allclose(projected, expected * signs)
    assert names[0] == f"PC1 ({reference.explained_variance_ratio_[0]:.0%})"


def test_components_of_a_table_are_a_plane():
    points = read(MIXED, reading="components")
    assert points.is_plane
    assert points.axes[0].startswith("PC1 (")
    assert np.abs(points.X).max() == pytest.approx(5)


def test_chosen_columns_only():
    points = read(MIXED, columns=("age", "member"))
    assert all(name.startswith(("age", "member")) for name in points.axes)


def test_what_the_columns_hold():
    assert kinds_of(MIXED.encode(), "x") == [
        *("numeric", "categorical", "datetime", "binary", "identifier", "binary")
    ]
    assert kinds_of(b"a,b,c\n1,2\n", "x") is None


@pytest.mark.parametrize("reading", READINGS)
def test_the_script_reads_the_table_as_the_page_did(reading, tmp_path, monkeypatch, capsys):
    columns = ("age", "height") if reading == "direct" else ("age", "town")
    text = "age,height,town,kind\n" + "".join(
        f"{20 + i % 37},{150 + i % 23},{TOWNS[i % 3]},{'ab'[i % 2]}\n" for i in range(60)
    )
    (tmp_path / "table.csv").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    own = Own("table.csv", None, text.encode(), columns, "kind", reading=reading)
    settings = read_settings({"dataset": "own", "solver": "adam"})
    run = Run(1, settings, own.split(settings))
    run.advance(20)
    exec(compile(script(run, own), "playground.py", "exec"), {})
    assert f"{fingerprint(run.theta):016x}" in capsys.readouterr().out


WIDE = "a,town,y\n" + "".join(f"{i},t{i % 250},{i % 2}\n" for i in range(1000))
REFUSED = {
    "unknown target": (MIXED, {"target": "sex"}, "target: expected a column"),
    "unknown column": (MIXED, {"columns": ("age", "sex")}, "a column 'sex'"),
    "target learnt from": (MIXED, {"columns": ("age", "kind")}, "target: expected a column"),
    "too many features": (WIDE, {"target": "y"}, f"at most {MAX_FEATURES} features"),
    "nothing left": ("a,b,y\n" + "1,1,0\n1,1,1\n" * 9, {"target": "y"}, "at least 2 features"),
    "no label": (MIXED + "30,Ulm,2024-01-01,yes,c99,\n", {}, "expected a label"),
    "ragged": (MIXED + "1,2\n", {}, "file, line 62"),
    "few rows": ("a,b,y\n1,2,0\n2,2,1\n", {"target": "y"}, "4 to 10000 rows"),
    "many rows": ("a,b,y\n" + "1,2,0\n" * 10_001, {"target": "y"}, "4 to 10000 rows"),
    "free text": (
        "a,said,y\n"
        + "".join(f"{i},this is remark {i} of many more words,{i % 2}\n" for i in range(40)),
        {"target": "y"},
        "said",
    ),
    "many classes": (
        "a,b,y\n" + "".join(f"{i},{i},c{i}\n" for i in range(30)),
        {"target": "y"},
        "10",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_learnt_from_is_refused_with_a_reason(case):
    text, options, message = REFUSED[case]
    with pytest.raises(ChainruleError, match=message):
        read(text, **options)


@given(st.text(alphabet='ab1.,\n"; -', max_size=80), st.sampled_from(["columns", "components"]))
def test_any_table_is_read_or_refused(text, reading):
    try:
        points = read("a,b,y\n" + text, target="y", reading=reading)
    except DataError:
        return
    assert np.isfinite(points.X).all()
