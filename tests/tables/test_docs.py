"""The page on tables keeps its word: its code runs and prints what it says."""

import doctest
import io
import re
from contextlib import redirect_stdout

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_code_prints_what_the_page_says(project_root, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = BLOCK.findall((project_root / "docs" / "tables.md").read_text(encoding="utf-8"))
    checker, namespace = doctest.OutputChecker(), {}
    code = [place for place, (language, _) in enumerate(blocks) if language == "python"]
    assert len(code) == 5
    for place in code:
        language, expected = blocks[place + 1]
        assert language == "text"
        printed = io.StringIO()
        with redirect_stdout(printed):
            exec(compile(blocks[place][1], "tables.md", "exec"), namespace)
        got = printed.getvalue()
        assert checker.check_output(expected, got, doctest.NORMALIZE_WHITESPACE), got
