"""The parts of a report that are about training and its outcome."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from chainrule.errors import ChainruleError
from chainrule.estimators.display import training_state
from chainrule.graph.markup import Markup, tag
from chainrule.pictures.calibration import plot_calibration
from chainrule.pictures.confusion import confusion_size, plot_confusion
from chainrule.pictures.loss import plot_loss
from chainrule.pictures.misclassified import plot_misclassified
from chainrule.pictures.mosaic import tiles_size
from chainrule.pictures.predictions import plot_predictions
from chainrule.pictures.report.figures import figure
from chainrule.pictures.report.metrics import by_class, overall
from chainrule.pictures.report.parts import data_table, note, section
from chainrule.pictures.report.subject import Subject
from chainrule.pictures.score import plot_score
from chainrule.pictures.style import short
from chainrule.pictures.worst import plot_worst

MOST_CLASSES = 30
SHOWN = 12
TILES = 20


def training_section(subject: Subject) -> Markup:
    """How training went: the sentence, the curves, the first and last epochs."""
    history = getattr(subject.model, "history_", None)
    parts: list[Any] = [tag("p", training_state(subject.model).capitalize() + ".")]
    if history is None or not len(history):
        return section("training", "Training", *parts)
    curves = {subject.name: history}
    for name, model in subject.others.items():
        if len(getattr(model, "history_", ())) and name not in curves:
            curves[name] = model.history_
    shown = curves if len(curves) > 1 else history
    if any(map(math.isfinite, history["loss"])):
        draw = partial(_draw_loss, shown=shown)
        caption = "The loss that training makes small, penalty included."
        parts.append(figure(draw, caption, (7.2, 3.6), "The loss over the iterations"))
    if any(map(math.isfinite, history["validation_score"])):
        draw = partial(_draw_score, history=history)
        caption = "The score on rows held back, greater is better; the ring marks the best."
        parts.append(figure(draw, caption, (7.2, 3.2), "The validation score over the epochs"))
    return section("training", "Training", *parts)


def _draw_loss(ax: Any, shown: Any) -> Any:
    return plot_loss(shown, ax, title="Loss", xlabel="iteration or epoch")


def _draw_score(ax: Any, history: Any) -> Any:
    return plot_score(history, ax)


def results_section(subject: Subject) -> Markup:
    """Figures, a table of the classes, confusion, calibration, the worst rows."""
    if not subject.has_rows:
        return section("results", "Results", note("Not measured: no rows were given."))
    parts: list[Any] = [
        data_table(("figure", "value", "meaning"), overall(subject), {1}, _on_which(subject))
    ]
    if subject.others:
        parts.append(_comparison(subject))
    try:
        parts += _of_classes(subject) if subject.classifies else _of_values(subject)
    except ChainruleError as error:
        parts.append(note(f"Some pictures are missing: {error}"))
    return section("results", "Results", *parts)


def _on_which(subject: Subject) -> str:
    return f"On the {len(subject.y):,} rows given"


def _comparison(subject: Subject) -> Markup:
    rows = []
    for name, model in {subject.name: subject.model, **subject.others}.items():
        values = getattr(model, "parameters_", None)
        count = "–" if values is None else f"{sum(int(np.size(v)) for v in values.values()):,}"
        steps = getattr(model, "n_iter_", None)
        score = subject.score_of(model)
        shown = (name, f"{score:.4f}", count, "–" if steps is None else f"{int(np.max(steps)):,}")
        rows.append((score, shown))
    rows.sort(key=lambda row: -row[0])
    score = "accuracy" if subject.classifies else "R²"
    heads = ("model", score, "parameters", "iterations")  # on a phone the last are out of sight
    return data_table(heads, [row for _, row in rows], {1, 2, 3}, "Models compared")


def _of_classes(subject: Subject) -> list[Markup]:
    y, said, model = subject.truth, subject.predicted, subject.model
    classes = model.classes_.tolist()
    found = by_class(y, said)
    rows = [
        (short(label), f"{p:.3f}", f"{r:.3f}", f"{f:.3f}", f"{count:,}")
        for label, p, r, f, count in found[:MOST_CLASSES]
    ]
    heads = ("class", "precision", "recall", "F1", "rows")
    parts = [data_table(heads, rows, {1, 2, 3, 4}, "Each class")]
    if len(found) <= MOST_CLASSES:
        size = confusion_size([label for label, *_ in found])
        draw = partial(_draw_confusion, y=y, said=said)
        caption = "Rows: the true class; columns: what was predicted. Orange cells are mistakes."
        parts.append(figure(draw, caption, size, "The confusion matrix"))
    probabilities = subject.probabilities
    draw = partial(_draw_calibration, y=y, p=probabilities, classes=classes)
    caption = "On the dashed line probabilities mean what they say; vertical lines: 95 %."
    parts.append(figure(draw, caption, (6.4, 4.4), "The calibration of the probabilities"))
    wrong = int(np.sum(y != said))
    if wrong and subject.image_shape is not None:
        draw = partial(_draw_misclassified, subject=subject)
        size = tiles_size(min(wrong, TILES), min(10, wrong))
        caption = "Rows that are wrong, the surest mistakes first."
        parts.append(figure(draw, caption, (max(size[0], 6.0), size[1]), "Misclassified images"))
    elif wrong:
        draw = partial(_draw_worst, y=y, p=probabilities, classes=classes)
        size = 7.2, 1.2 + 0.27 * max(min(wrong, SHOWN), 2)
        caption = "The surest mistakes; rows are counted from 0."
        parts.append(figure(draw, caption, size, "The worst classified rows"))
    return parts


def _draw_confusion(ax: Any, y: Any, said: Any) -> Any:
    return plot_confusion(y, said, ax)


def _draw_calibration(ax: Any, y: Any, p: Any, classes: Any) -> Any:
    return plot_calibration(y, p, ax, classes=classes)


def _draw_misclassified(ax: Any, subject: Subject) -> Any:
    sure = subject.probabilities.max(axis=1)
    wrong = int(np.sum(subject.truth != subject.predicted))
    return plot_misclassified(
        np.asarray(subject.shown),
        subject.truth,
        subject.predicted,
        ax,
        confidence=sure,
        image_shape=subject.image_shape,
        limit=TILES,
        columns=min(10, wrong),
    )


def _draw_worst(ax: Any, y: Any, p: Any, classes: Any) -> Any:
    return plot_worst(y, p, ax, classes=classes, limit=SHOWN)


def _of_values(subject: Subject) -> list[Markup]:
    y, said = subject.truth, subject.predicted
    if y.ndim > 1:
        return []
    dots = partial(_draw_predictions, y=y, said=said)
    worst = partial(_draw_worst, y=y.astype(float), p=said.astype(float), classes=None)
    size = 7.2, 1.2 + 0.27 * max(min(len(y), SHOWN), 2)
    caption = "The largest errors; rows are counted from 0."
    return [
        figure(
            dots,
            "A dot a row; on the line it is right.",
            (5.2, 4.6),
            "Predictions against the truth",
            pixels=len(y) > 300,
        ),
        figure(worst, caption, size, "The rows with the largest errors"),
    ]


def _draw_predictions(ax: Any, y: Any, said: Any) -> Any:
    return plot_predictions(y, said, ax)
