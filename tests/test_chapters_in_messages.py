"""A message that sends people to the book sends them to a chapter that is there, and fits."""

from __future__ import annotations

import re

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

import chainrule as cr
from chainrule.check.diagnosis import diagnose
from chainrule.errors import CHAPTERS, NumericalError, chapter
from chainrule.pictures.report.neurons import ADVICE
from chainrule.training import SGD, minimize_batches

TOPICS = sorted(CHAPTERS)


@pytest.mark.parametrize("topic", TOPICS)
def test_each_chapter_is_in_the_book(topic, project_root):
    number, title = CHAPTERS[topic]
    (page,) = (project_root / "docs" / "book").glob(f"{number:02}-*.md")
    assert re.search(r"^# (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)[1] == title


def test_every_topic_is_used_and_none_is_unknown(project_root):
    files = (project_root / "src" / "chainrule").rglob("*.py")
    source = "\n".join(path.read_text(encoding="utf-8") for path in files)
    for topic in TOPICS:
        assert source.count(f'"{topic}"') + source.count(f"'{topic}'") > 1, topic
    asked = re.findall(r"""(?<!def )chapter\(["']([\w -]+)["']\)""", source)
    assert set(asked) <= set(TOPICS)


RIGHT = np.array([0.3, -1.2, 0.7, 2.0])
THETA = np.array([1.0, -2.0, 0.5, 0.25])


@pytest.mark.parametrize(
    ("analytic", "says", "topic"),
    [
        (-RIGHT, "the sign is flipped", "loss"),
        (RIGHT * 8, "8 times too large: a sum over rows", "loss"),
        (RIGHT + 0.1 * THETA, "an l2 penalty that is not in the loss", "loss"),
        (RIGHT * 0, "missing from the backward pass", "back-propagation"),
        (RIGHT * np.nan, "not finite", "probabilities"),
        (RIGHT + [0, 0, 1, 0], "only this one of 4 entries", "packing"),
        (RIGHT[::-1], "follow no simple pattern", "gradient check"),
    ],
)
def test_a_wrong_gradient_is_explained(analytic, says, topic):
    wrong = ~(analytic == RIGHT)
    sentence = diagnose(analytic, RIGHT, wrong, THETA, rows=8)
    assert says in sentence
    assert sentence.endswith(f"; see {chapter(topic)}")


@pytest.mark.parametrize(
    ("analytic", "numerical", "says"),
    [
        ([0.3, -2.2], [0.3, -1.2], "only this one of 2 entries"),
        ([0.0, 0.0], [0.3, -1.2], "missing from the backward pass"),
    ],
)
def test_two_entries_are_enough_to_tell(analytic, numerical, says):
    analytic, numerical = np.array(analytic), np.array(numerical)
    assert says in diagnose(analytic, numerical, analytic != numerical, THETA[:2], rows=8)


def rows(scale=1.0):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3)) * scale
    return X, X @ [1.0, -2.0, 0.5]


def test_training_that_diverges_says_why_and_where_to_read():
    X, y = rows()
    model = cr.MLPRegressor(
        hidden_layer_sizes=(5,),
        activation="identity",
        solver="sgd",
        learning_rate_init=50.0,
        random_state=0,
    )
    with pytest.raises(NumericalError, match=r"rate 50 is too high.*chapter 10 of the book"):
        model.fit(X, y)
    model.set_params(learning_rate_init=0.1)
    with pytest.raises(NumericalError, match=r"input that is not scaled.*chapter 10 of the book"):
        model.fit(*rows(1e6))


def test_values_outside_an_operation_lead_to_its_chapter():
    x, t = cr.input("x", ("rows", 2)), cr.target("t", ("rows", 1))
    w = cr.parameter("w", (2, 1), init=-1.0)
    J = cr.Objective(cr.squared_error(cr.log(x @ w), t), compiled=False)
    data = np.ones((4, 2)), np.ones((4, 1))
    with pytest.raises(NumericalError, match=r"outside its range.*chapter 2 of the book"):
        minimize_batches(J, *data, theta0=J.initial(), update=SGD(0.1), max_epochs=2)


@pytest.mark.parametrize(("solver", "number"), [("adam", 10), ("lbfgs", 7)])
def test_training_that_ends_early_names_its_chapter(solver, number):
    model = cr.MLPRegressor(
        hidden_layer_sizes=(5,), solver=solver, max_iter=2, tol=0, random_state=0
    )
    with pytest.warns(ConvergenceWarning, match=rf"max_iter.*chapter {number} of the book"):
        model.fit(*rows())


def test_advice_on_neurons_names_its_chapter():
    assert all(chapter("activations") in ADVICE[trouble] for trouble in ("dead", "saturated"))


def test_check_says_it_in_report_and_error():
    X, y = rows()

    def wrong(theta, X, y):
        error = X @ theta - y
        return error @ error / 2 / len(y), -X.T @ error / len(y)

    report = cr.check_gradient(wrong, X, y, theta=np.array([0.1, 0.2, 0.3]))
    assert "the sign is flipped; see chapter 3 of the book" in " ".join(str(report).split())
    with pytest.raises(cr.errors.GradientError, match="chapter 3 of the book"):
        report.raise_if_wrong()
