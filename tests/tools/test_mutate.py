"""Mutation testing: what is changed, what is left alone, what is called equivalent."""

from __future__ import annotations

import sys

import pytest

SOURCE = '''"""A docstring with 1 number."""

from typing import TYPE_CHECKING

SIZE: "int | None" = 3  # a comment stays where it is


def clip(x: float, low: float = 0.0) -> float:
    """No more than 1."""
    if x < low:
        raise ValueError(f"expected {low + 1} or more; came {x}" + "!" * 2)
    return min(x, -low) if x is not None else 0


class Box:
    def __repr__(self) -> str:
        return "Box" if 1 < 2 else "box"
'''


@pytest.fixture
def tools(project_root, monkeypatch):
    monkeypatch.syspath_prepend(project_root / "tools")
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == "mutation"]:
        del sys.modules[name]


@pytest.fixture
def changes(tools, tmp_path):
    from mutation.changes import mutants

    path = tmp_path / "small.py"
    path.write_text(SOURCE, encoding="utf-8")
    return mutants(path, tmp_path)


def test_every_small_change_is_made_once(changes):
    assert sorted((one.line, one.now) for one in changes) == sorted(
        [
            (5, 'SIZE: "int | None" = 4  # a comment stays where it is'),
            (8, "def clip(x: float, low: float = 1.0) -> float:"),
            (10, "if (x <= low):"),
            (10, "if (not (x < low)):"),
            (12, "return None"),
            (12, "return min(x, -low) if (x is None) else 0"),
            (12, "return (max(x, -low)) if x is not None else 0"),
            (12, "return min(x, low) if x is not None else 0"),
            (12, "return min(x, -low) if x is not None else 1"),
        ]
    )


def test_a_change_alters_its_own_lines_only(changes):
    for one in changes:
        before, after = SOURCE.splitlines(), one.source.splitlines()
        other = [i + 1 for i, (a, b) in enumerate(zip(before, after, strict=True)) if a != b]
        assert other == [one.line]
        assert one.line in one.lines
        assert f"-{before[one.line - 1]}" in one.diff(SOURCE).splitlines()


def test_what_is_called_equivalent_is_still_a_change_of_the_code(tools, project_root):
    """Whoever edits such a line has to look at it again."""
    from mutation.changes import mutants
    from mutation.equivalent import reasons

    package = project_root / "src" / "chainrule"
    files = sorted({package / name.split(" ")[0] for name in reasons()})
    there = {one.name for path in files for one in mutants(path, package)}
    assert set(reasons()) <= there
