"""``chainrule export MODEL --onnx | --numpy | --torch``."""

from __future__ import annotations

import csv
import subprocess
import sys

import numpy as np
import pytest

import chainrule as cr


def rows_of(table):
    with open(table, encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[1:]
    return np.array([row[:2] for row in rows], dtype=float)


def test_numpy(shell, table, model):
    done = shell("export", model, "--numpy")
    assert done.exit_code == 0, done.output
    text = (shell.folder / "trees.py").read_text(encoding="utf-8")
    assert "height, leaf" in text
    X = rows_of(table)
    np.savetxt(shell.folder / "rows.csv", X, delimiter=",", header="height,leaf", comments="")
    ran = subprocess.run(
        [sys.executable, "trees.py", "rows.csv"], cwd=shell.folder, capture_output=True, text=True
    )
    assert ran.stdout.split() == cr.load(model).predict(X).tolist()


def test_onnx(shell, table, model):
    onnxruntime = pytest.importorskip("onnxruntime", reason="the extra [onnx]")
    done = shell("export", model, "--onnx", "-o", "out.onnx")
    assert done.exit_code == 0, done.output
    session = onnxruntime.InferenceSession("out.onnx")
    labels, _ = session.run(None, {"x": rows_of(table)})
    assert labels.tolist() == cr.load(model).predict(rows_of(table)).tolist()
    assert session.get_modelmeta().custom_metadata_map["columns"] == "height\nleaf"


@pytest.mark.slow
def test_torch(shell, table, model):
    torch = pytest.importorskip("torch", reason="the extra [torch]")
    done = shell("export", model, "--torch")
    assert done.exit_code == 0, done.output
    module = torch.export.load("trees.pt2").module()
    found = module(torch.tensor(rows_of(table))).detach().numpy()
    np.testing.assert_allclose(found, cr.load(model).predict_proba(rows_of(table)), atol=1e-9)


@pytest.mark.parametrize(
    ("options", "came"),
    [([], "none"), (["--onnx", "--numpy"], "--onnx and --numpy")],
)
def test_one_format_at_a_time(shell, model, options, came):
    done = shell("export", model, *options)
    assert done.exit_code == 1
    expected = f"expected one of --onnx, --numpy, --torch; came {came}"
    assert expected in done.stderr.replace("\n", " ")


def test_a_file_that_is_no_model(shell, table):
    done = shell("export", table, "--numpy")
    assert done.exit_code == 1
    assert not (shell.folder / "trees.py").exists()
