"""Pages that are no notebooks keep their word too: their Python runs and prints what they say.

Chapters and guides are notebooks, executed by `make docs`.
"""

from __future__ import annotations

import doctest
import io
import re
import webbrowser
from contextlib import redirect_stdout
from pathlib import Path

import pytest

import chainrule as cr
from chainrule import engine

DOCS = Path(__file__).resolve().parents[2] / "docs"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# run by the tests of their rooms; the playground's calls need an open page, which tests/server has
ELSEWHERE = {"estimators.md", "playground.md", "saving.md", "tables.md"}
LANGUAGES = {"python", "text", "console", "json", "c++"}


def plain_pages():
    """Those that show Python."""
    built = ("_build", "locale")
    for path in sorted(DOCS.rglob("*.md")):
        inside, text = path.relative_to(DOCS), path.read_text(encoding="utf-8")
        if (
            inside.as_posix() in ELSEWHERE
            or inside.parts[0] in built
            or "file_format: mystnb" in text
        ):
            continue
        if any(language == "python" for language, _ in BLOCK.findall(text)):
            yield inside.as_posix()


@pytest.fixture
def surroundings(monkeypatch):
    """What a page's code takes for granted: a fitted model, and a graph with its loss."""
    monkeypatch.setattr(webbrowser, "open", lambda *_, **__: True)
    data = cr.load_digits()
    X, y = data.X_train / 16, data.y_train
    model = cr.SoftmaxClassifier(alpha=1e-2).fit(X, y)
    scores = cr.sequential([cr.Dense(10)], cr.input("x", ("rows", 64)))
    loss = cr.softmax_cross_entropy(scores, cr.target("t", ("rows",), dtype=int))
    J = cr.Objective(loss)
    return {
        "__name__": "page", "cr": cr, "engine": engine, "model": model, "X": X, "y": y,
        "row_loss": loss, "penalty": None, "vector": J.vector,
    }  # fmt: skip


@pytest.mark.parametrize("document", list(plain_pages()))
def test_code_prints_what_the_page_says(document, surroundings, tmp_path, monkeypatch):
    if document == "engine.md" and not engine.available():
        pytest.skip("the page shows the compiled engine, which is not built")
    blocks = BLOCK.findall((DOCS / document).read_text(encoding="utf-8"))
    assert {language for language, _ in blocks} <= LANGUAGES
    monkeypatch.chdir(tmp_path)
    checker, flags = doctest.OutputChecker(), doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    for (language, text), (after, expected) in zip(blocks, [*blocks[1:], ("", "")], strict=True):
        if language != "python":
            continue
        printed = io.StringIO()
        with redirect_stdout(printed):
            exec(compile(text, document, "exec"), surroundings)
        if after == "text":
            assert checker.check_output(expected, printed.getvalue(), flags), printed.getvalue()
    handle = surroundings.get("handle")
    if handle is not None:
        handle.close()
