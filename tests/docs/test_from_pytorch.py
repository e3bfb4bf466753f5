"""What the guide says in PyTorch and in chainrule are the same weights."""

from __future__ import annotations

import re

import numpy as np
import pytest

BLOCK = re.compile(r"^```(python|\{code-cell\} ipython3)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_both_ways_end_at_the_same_weights(project_root):
    pytest.importorskip("torch", reason="the guide compares with PyTorch: the extra [torch]")
    page = project_root / "docs" / "guides" / "from-pytorch-and-keras.md"
    blocks = BLOCK.findall(page.read_text(encoding="utf-8"))
    assert [kind for kind, _ in blocks].count("python") == 1
    namespace: dict = {"__name__": "guide"}
    theirs = next(text for kind, text in blocks if kind == "python")
    for text in (text for kind, text in blocks if kind != "python"):
        exec(compile(text, page.name, "exec"), namespace)
    ours, loss = namespace["J"].unpack(namespace["theta"]), namespace["loss"]
    exec(compile(theirs, page.name, "exec"), namespace)
    assert namespace["loss"].item() == pytest.approx(loss, rel=1e-12)
    for name, value in ours.items():
        np.testing.assert_allclose(value, namespace[name].detach().numpy(), rtol=0, atol=1e-12)
