"""Lessons: the six can be solved, a teacher's are read strictly, hostile ones refused."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.errors import DataError
from chainrule.server import lessons as lessons_module
from chainrule.server.health import DEAD
from chainrule.server.lessons import LESSONS, MEASURES, lessons, read_lesson, start_of
from chainrule.server.run import Run
from chainrule.server.session import fitting_loss, points_of
from chainrule.server.settings import read_settings

SMALL: dict[str, Any] = {
    "chainrule_lesson": 1,
    "id": "mine",
    "title": "Mine",
    "settings": {"dataset": "gauss"},
    "steps": [{"text": "Play.", "goal": [{"measure": "test_score", "at_least": 0.9}]}],
}


def read(lesson: Any) -> dict[str, Any]:
    return read_lesson(json.dumps(lesson).encode())


def changed(path: str, value: Any) -> dict[str, Any]:
    """``SMALL`` with one field set; a path such as ``steps.0.goal``."""
    lesson = copy.deepcopy(SMALL)
    *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    place: Any = lesson
    for part in way:
        place = place[part]
    place[last] = value
    return lesson


def test_a_lesson_is_read_with_complete_settings():
    lesson = read(SMALL)
    assert start_of(lesson) == read_settings({"dataset": "gauss"})
    assert lesson["page"] == {"show_test": False, "discretize": False, "hide": []}
    assert lesson["steps"][0]["goal"] == [
        {"measure": "test_score", "at_least": 0.9, "at_most": None}
    ]


def test_a_steps_settings_stand_on_the_lessons_and_only_where_it_has_some():
    steps = [{"text": "a"}, {"text": "b"}, {"text": "c", "settings": {"noise": 5}}]
    settings = [step["settings"] for step in read({**SMALL, "steps": steps})["steps"]]
    assert settings[0]["dataset"] == "gauss"
    assert settings[1] is None
    assert (settings[2]["dataset"], settings[2]["noise"]) == ("gauss", 5)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("chainrule_lesson", 2, "lesson.json, chainrule_lesson: expected at most 1; came 2"),
        ("chainrule_lesson", True, "chainrule_lesson: expected the version"),
        ("id", "My lesson", "id: expected 1 to 40 small letters"),
        ("id", "../../etc", "id: expected 1 to 40 small letters"),
        ("title", "", "title: expected text of 1 to 120 signs"),
        ("title", "   ", "title: expected text"),
        ("title", {"de": "Eins"}, "title: expected text, or an object with en or fa"),
        ("title", {"en": 3}, "title.en: expected text"),
        ("title", "x" * 121, "title: expected text of 1 to 120 signs"),
        ("titel", "x", "only the fields chainrule_lesson, id, title"),
        ("steps", [], "steps: expected a list of 1 to 20 steps"),
        ("steps", [{"text": "a"}] * 21, "steps: expected a list of 1 to 20 steps"),
        ("steps.0.text", None, "steps[0].text: expected text of 1 to 2000 signs"),
        ("steps.0.text", "a\x1b[2J", "steps[0].text: expected no control characters"),
        ("steps.0.goal", {}, "steps[0].goal: expected a list of 1 to 6 conditions"),
        (
            "steps.0.goal.0.measure",
            "fun",
            "steps[0].goal[0].measure: expected setting, train_score",
        ),
        ("steps.0.goal.0.at_least", "0.9", "steps[0].goal[0].at_least: expected a number"),
        ("steps.0.goal.0.at_least", 1e300, "steps[0].goal[0].at_least: expected a number"),
        ("steps.0.goal.0", {"measure": "gap"}, "steps[0].goal[0]: expected at_least or at_most"),
        (
            "steps.0.goal.0",
            {"measure": "setting", "name": "noise", "is": [1]},
            "steps[0].goal[0].name: expected one of dataset",
        ),
        (
            "steps.0.goal.0",
            {"measure": "setting", "name": "solver", "is": [1.5]},
            "steps[0].goal[0].is: expected a list",
        ),
        ("settings", [], "settings: expected an object"),
        ("settings.learning_rate", "fast", "steps[0].settings: learning_rate: expected a number"),
        (
            "settings.hidden_layer_sizes",
            [65],
            "steps[0].settings: hidden_layer_sizes: expected a number from 1 to 64",
        ),
        ("settings.dataset", "own", "settings.dataset: expected points that a lesson can bring"),
        ("page", {"hide": ["window"]}, "page.hide: expected names among transport"),
        ("page", {"show_test": 1}, "page.show_test: expected true or false"),
    ],
)
def test_a_wrong_field_is_named(path, value, message):
    with pytest.raises(DataError) as refused:
        read(changed(path, value))
    assert message in str(refused.value)


def test_a_missing_field_is_named():
    lesson = {name: value for name, value in SMALL.items() if name != "title"}
    with pytest.raises(DataError, match=r"lesson.json, title: expected a value; came nothing"):
        read(lesson)


HOSTILE = {
    "empty": b"",
    "binary": b"\xff\xfe\x00",
    "deep lists": b"[" * 30_000,
    "deep but closed": b'{"a":' * 2000 + b"1" + b"}" * 2000,
    "deep in a field": json.dumps(changed("steps.0.goal", [[[[[[[]]]]]]])).encode(),
    "NaN": b'{"chainrule_lesson": NaN}',
    "Infinity": json.dumps(SMALL).replace("0.9", "Infinity").encode(),
    "twice": b'{"chainrule_lesson": 1, "chainrule_lesson": 1}',
    "endless number": b'{"chainrule_lesson": ' + b"9" * 20_000 + b"}",
    "huge": b" " * (lessons_module.MAX_BYTES + 1),
    "half a character": json.dumps(changed("title", "\ud800")).encode(),
    "a list": b"[]",
    "a string": b'"lesson"',
    "null": b"null",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_file_is_refused(kind):
    with pytest.raises(DataError) as refused:
        read_lesson(HOSTILE[kind], "file.json")
    assert str(refused.value).startswith("file.json")
    assert len(str(refused.value)) < 700


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner),
    max_leaves=12,
)
FIELDS = st.sampled_from(
    ["chainrule_lesson", "id", "title", "summary", "settings", "page", "steps", "extra"]
    + [f"steps.0.{name}" for name in ("text", "title", "hint", "settings", "goal", "extra")]
    + [f"steps.0.goal.0.{name}" for name in ("measure", "at_least", "at_most", "is")]
    + ["settings.features", "settings.activations", "settings.seed", "steps.0", "steps.0.goal.0"]
)


@given(FIELDS, ANYTHING)
def test_anything_in_any_field_is_read_or_refused(path, value):
    try:
        lesson = read(changed(path, value))
    except DataError as error:
        refused = str(error)
    else:
        refused = "lesson.json"
        json.dumps(lesson, allow_nan=False)
        assert set(lesson) == {"chainrule_lesson", "id", "title", "summary", "page", "steps"}
    assert refused.startswith("lesson.json")


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(content):
    with pytest.raises(DataError):
        read_lesson(content)


@given(st.data())
def test_a_lesson_with_bytes_changed_is_read_or_refused(data):
    content = bytearray(json.dumps(lessons()[1], ensure_ascii=False).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    refused = "lesson.json"
    try:
        read_lesson(bytes(content))
    except DataError as error:
        refused = str(error)
    assert refused.startswith("lesson.json")


def test_the_six_lessons_are_read_in_their_order_and_in_both_languages():
    assert tuple(lesson["id"] for lesson in lessons()) == LESSONS
    for lesson in lessons():
        for part in (lesson, *lesson["steps"]):
            texts = [part.get(name) for name in ("title", "summary", "text", "hint")]
            assert all(set(text) == {"en", "fa"} for text in texts if text is not None)
        assert all(step["goal"] for step in lesson["steps"])


def measured(run: Run, most_dead: int) -> dict[str, float]:
    """What the page measures, from the engine: the oracle of goals."""
    report = run.observe(0, (0, 0))
    dead = int((report.states == DEAD).sum())
    return {
        "train_score": report.scores[0],
        "test_score": report.scores[1],
        "gap": report.losses[1] - report.losses[0],
        "epochs": run.epochs,
        "stopped": float(run.failure is not None),
        "dead": dead,
        "revived": most_dead - dead,
        "hidden_layers": len(run.network.sizes) - 2,
        "units": sum(run.network.sizes[1:-1]),
    }


def met(goal: list[dict[str, Any]], run: Run, most_dead: int = 0) -> bool:
    numbers = measured(run, most_dead)
    for one in goal:
        if one["measure"] == "setting":
            if run.settings[one["name"]] not in one["is"]:
                return False
            continue
        value = numbers[one["measure"]]
        low, high = one["at_least"], one["at_most"]
        if (low is not None and not value >= low) or (high is not None and not value <= high):
            return False
    return True


# What a person does in each step: settings changed, weights edited, epochs made.
SOLUTIONS: dict[tuple[str, int], tuple[dict[str, Any], list[tuple[str, list[int], float]], int]] = {
    ("one-neuron", 0): ({}, [], 10),
    ("one-neuron", 1): ({}, [("W1", [0, 0], 1.0), ("W1", [1, 0], 1.0), ("b1", [0], 0.0)], 0),
    ("one-neuron", 2): ({}, [], 30),
    ("one-neuron", 3): ({"features": ["x1", "x2", "x1_squared", "x2_squared"]}, [], 30),
    ("xor", 0): ({}, [], 50),
    ("xor", 1): ({"hidden_layer_sizes": [4]}, [], 200),
    ("xor", 2): ({}, [], 50),
    ("xor", 3): ({"hidden_layer_sizes": [3]}, [], 50),
    ("dead-relu", 0): ({}, [], 1),
    ("dead-relu", 1): ({}, [("b1", [1], 20.0)], 0),
    ("dead-relu", 2): ({"learning_rate": 0.3}, [], 30),
    ("learning-rate", 0): ({}, [], 1),
    ("learning-rate", 1): ({}, [], 50),
    ("learning-rate", 2): ({"learning_rate": 0.03}, [], 10),
    ("overfitting", 0): ({}, [], 300),
    ("overfitting", 1): ({"regularization": "l2", "strength": 0.03}, [], 200),
    ("overfitting", 2): ({"train_percent": 80}, [], 200),
    ("backward-pass", 4): ({}, [], 60),
}


def solved(lesson: dict[str, Any]) -> list[bool | None]:
    """Whether each step's goal is met by its solution, and not before; None without one."""
    run: Run | None = None
    done: list[bool | None] = []
    for i, step in enumerate(lesson["steps"]):
        key = (lesson["id"], i)
        if step["settings"] is not None:
            run = made(step["settings"])
        if key not in SOLUTIONS:
            done.append(None)
            continue
        changes, edits, epochs = SOLUTIONS[key]
        assert run is not None
        most_dead = int(measured(run, 0)["dead"])
        before = met(step["goal"], run, most_dead)
        if changes:
            run = made(
                {**run.settings, **changes, "activations": ["tanh"]}
                if "hidden_layer_sizes" in changes
                else {**run.settings, **changes}
            )
        for edit in edits:
            run.edit(*edit)
        run.advance(epochs * run.learner.per_epoch)
        done.append(met(step["goal"], run, most_dead) and not before)
    return done


def made(settings: dict[str, Any]) -> Run:
    points = points_of(settings, None)
    return Run(1, {**settings, "loss": fitting_loss(settings["loss"], points)}, points)


@pytest.mark.parametrize("number", range(len(LESSONS)), ids=LESSONS)
def test_every_goal_is_met_by_doing_what_the_text_says_and_not_before(number):
    done = solved(lessons()[number])
    assert all(one in (True, None) for one in done), done
    if LESSONS[number] != "backward-pass":  # its steps inside are taken in a browser
        assert None not in done


def test_the_example_of_the_documentation_is_a_lesson(project_root):
    text = (project_root / "docs/playground.md").read_text(encoding="utf-8")
    example = text.split("```json\n")[1].split("```")[0]
    lesson = read_lesson(example.encode())
    assert lesson["id"] == "two-clouds"
    table = text.split("| measure | |")[1].split("\n\n")[0]
    assert all(f"`{measure}`" in table for measure in MEASURES)


def test_the_page_measures_what_a_goal_may_ask_for(project_root):
    source = (project_root / "src/chainrule/server/page/goals.js").read_text(encoding="utf-8")
    body = source.split("MEASURES = {")[1].split("\n};")[0]
    names = [line.split(":")[0].strip() for line in body.splitlines() if line.startswith("  ")]
    assert tuple(name for name in names if name.isidentifier()) == MEASURES
