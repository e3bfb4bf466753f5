"""How good the predictions are, in numbers."""

from __future__ import annotations

import numpy as np

from chainrule.pictures.confusion import confusion_matrix
from chainrule.pictures.report.subject import Subject

Rows = list[tuple[str, str, str]]


def overall(subject: Subject) -> Rows:
    """Name, number and meaning of each figure."""
    y, said = subject.truth, subject.predicted
    if subject.classifies:
        return _of_classes(subject, y, said)
    if y.ndim > 1:
        score = subject.score_of(subject.model)
        return [("score", f"{score:.4f}", "as the estimator's score() has it")]
    y, said = y.astype(np.float64), said.astype(np.float64)
    error = y - said
    spread = float(np.sum((y - y.mean()) ** 2))
    rows = [
        ("root mean square error", f"{np.sqrt(np.mean(error**2)):.4g}", "in units of the target"),
        ("mean absolute error", f"{np.mean(np.abs(error)):.4g}", "in units of the target"),
        ("largest error", f"{np.max(np.abs(error)):.4g}", "of a single row"),
    ]
    if spread > 0:
        explained = 1 - float(np.sum(error**2)) / spread
        rows.insert(0, ("R²", f"{explained:.4f}", "share of the variance explained; 1 is perfect"))
    return rows


def _of_classes(subject: Subject, y: np.ndarray, said: np.ndarray) -> Rows:
    right = int(np.sum(y == said))
    _, counts = np.unique(y, return_counts=True)
    usual = counts.max() / len(y)
    rows = [
        ("accuracy", f"{right / len(y):.1%}", f"{right:,} of {len(y):,} rows right"),
        ("most frequent class", f"{usual:.1%}", "what always saying it would reach"),
    ]
    place = {label: i for i, label in enumerate(subject.model.classes_.tolist())}
    known = np.array([place.get(label, -1) for label in y.tolist()])
    if np.all(known >= 0):
        p = subject.probabilities[np.arange(len(y)), known]
        loss = -float(np.mean(np.log(np.maximum(p, np.finfo(float).tiny))))
        meaning = "mean −log of the probability given to the truth; 0 is perfect"
        rows.append(("log loss", f"{loss:.4f}", meaning))
    f1 = np.mean([row[3] for row in by_class(y, said)])
    rows.append(("macro F1", f"{f1:.4f}", "mean over the classes of the F1 below"))
    return rows


def by_class(y: np.ndarray, said: np.ndarray) -> list[tuple[object, float, float, float, int]]:
    """Class, precision, recall, F1 and rows of each class that is true or predicted somewhere."""
    counts, classes = confusion_matrix(y, said)
    hits = np.diag(counts).astype(float)
    precision = hits / np.maximum(counts.sum(axis=0), 1)
    recall = hits / np.maximum(counts.sum(axis=1), 1)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-300)
    rows = counts.sum(axis=1)
    return [
        (label, float(precision[i]), float(recall[i]), float(f1[i]), int(rows[i]))
        for i, label in enumerate(classes.tolist())
    ]
