"""Every chapter of the book has the same parts. That they run is shown by `make docs`."""

from __future__ import annotations

import re

import pytest

CELL = re.compile(r"^```\{code-cell\}.*?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SOLUTION = re.compile(r"^:tags: \[hide-cell\]$|^tags: \[hide-cell\]$", re.MULTILINE)


def chapters(root):
    return sorted((root / "docs" / "book").glob("[0-9]*.md"))


@pytest.fixture(scope="module", params=range(11), ids=lambda i: f"chapter-{i + 1}")
def chapter(request, project_root):
    found = chapters(project_root)
    assert len(found) == 12, "eleven chapters, and what the engine adds"
    return found[request.param].read_text(encoding="utf-8")


def test_it_has_formula_hand_chainrule_picture(chapter):
    headings = [line[3:] for line in chapter.splitlines() if line.startswith("## ")]
    assert any(one.startswith("By hand") for one in headings), headings
    assert any(one.startswith("With chainrule") for one in headings), headings
    assert headings[-1] == "Exercises"
    assert chapter.count("$$") >= 2
    assert "    alt: " in chapter


def test_three_exercises_whose_solutions_are_folded_and_check_themselves(chapter):
    exercises = chapter.split("## Exercises\n")[1]
    assert re.findall(r"^\*\*(\d)\.\*\*", exercises, re.MULTILINE) == ["1", "2", "3"]
    solutions = [cell for cell in CELL.findall(exercises) if SOLUTION.search(cell)]
    assert len(solutions) == 3
    for solution in solutions:
        assert re.search(r"^ *assert ", solution, re.MULTILINE)


def test_hand_and_chainrule_are_compared(chapter):
    before = chapter.split("## Exercises\n")[0]
    assert re.search(r"^ *assert ", before, re.MULTILINE)


def test_every_picture_is_described(chapter):
    for cell in CELL.findall(chapter):
        draws = re.search(r"plt\.subplots|plot_\w+\(", cell)
        if draws and "hide-cell" not in cell:
            assert "    alt: " in cell, cell


def test_every_chapter_is_on_the_start_page(project_root):
    start = (project_root / "docs" / "index.md").read_text(encoding="utf-8")
    named = re.findall(r"^book/(\S+)$", start, re.MULTILINE)
    assert named == [path.stem for path in chapters(project_root)]
