"""The pictures of a training run, each written whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from chainrule.cli.sources import Source
from chainrule.files import atomic_write
from chainrule.pictures import (
    in_style,
    plot_confusion,
    plot_loss,
    plot_misclassified,
    plot_weights,
)
from chainrule.pictures.mosaic import tiles_size

DPI = 150
COLUMNS = 10
Named = tuple[str, Any]
"""A model's name and the fitted estimator."""


def draw_pictures(folder: Path, source: Source, models: list[Named]) -> list[Path]:
    """Loss curves; of images also first-layer weights and misclassified rows; of classes also
    the confusion matrix of the model that did best on the test rows.

    Returns
    -------
    list of Path
        The files written.
    """
    folder.mkdir(exist_ok=True)
    figures = {}
    learnt = [(name, model) for name, model in models if len(model.history_)]
    if learnt:
        figures["loss"] = _loss(learnt)
    if not source.is_regression:
        data = source.data
        X_test = source.scaling(data.X_test)
        name, model = max(models, key=lambda named: named[1].score(X_test, data.y_test))
        y_pred = model.predict(X_test)
        if data.image_shape is not None:
            figures["weights"] = _weights(models, data.image_shape)
        figures["confusion"] = _confusion(name, data.y_test, y_pred)
        if data.image_shape is not None:
            sure = model.predict_proba(X_test).max(axis=1)
            figures["misclassified"] = _misclassified(name, source, y_pred, sure)
    return [_write(folder / f"{name}.png", figure) for name, figure in figures.items()]


def _write(path: Path, figure: Figure) -> Path:
    with in_style(), atomic_write(path) as file:
        figure.savefig(file, format="png", dpi=DPI)
    return path


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    # not through pyplot, which may want a screen
    with in_style():
        figure = Figure(figsize=(width, height), layout="constrained")
        return figure, figure.add_subplot()


def _loss(models: list[Named]) -> Figure:
    figure, ax = _figure(7.2, 4.0)
    plot_loss(dict(models), ax, title="Loss while learning")
    return figure


def _weights(models: list[Named], image_shape: tuple[int, int]) -> Figure:
    """What each class looks for in the best of the linear models, each neuron in a network."""
    linear = [named for named in models if not _is_network(named[1])][-1:]
    networks = [named for named in models if _is_network(named[1])][:1]
    shown = linear + networks
    sizes = [_tiles(first_layer(model).shape[1], not _is_network(model)) for _, model in shown]
    heights = [height + 0.08 for _, height in sizes]
    with in_style():
        figure = Figure(
            figsize=(max(width for width, _ in sizes), sum(heights)), layout="constrained"
        )
        panels = figure.subplots(len(shown), 1, squeeze=False, height_ratios=heights)[:, 0]
        for ax, (name, model) in zip(panels, shown, strict=True):
            network = _is_network(model)
            plot_weights(
                first_layer(model),
                ax,
                image_shape=image_shape,
                labels=None if network else [str(label) for label in model.classes_],
                columns=COLUMNS,
                title=f"{name}: weights of {'each hidden neuron' if network else 'each class'}",
            )
    return figure


def _tiles(count: int, captions: bool = True) -> tuple[float, float]:
    return tiles_size(count, min(COLUMNS, count), captions)


def _is_network(model: Any) -> bool:
    return hasattr(model, "coefs_")


def first_layer(model: Any) -> np.ndarray:
    """W of shape (columns, units): column k is what unit k multiplies the columns of X with."""
    return model.coefs_[0] if _is_network(model) else model.coef_.T


def _confusion(name: str, y_true: np.ndarray, y_pred: np.ndarray) -> Figure:
    right = int(np.sum(y_true == y_pred))
    side = min(9.0, 1.6 + 0.42 * len(np.unique(y_true)))
    figure, ax = _figure(side + 0.4, side)
    plot_confusion(y_true, y_pred, ax, title=f"{name}: {right:,} of {len(y_true):,} right")
    return figure


def _misclassified(name: str, source: Source, y_pred: np.ndarray, sure: np.ndarray) -> Figure:
    data = source.data
    wrong = int(np.sum(data.y_test != y_pred))
    title = f"{name}: {wrong:,} of {len(y_pred):,} wrong (true → predicted, how sure it was)"
    width, height = _tiles(min(max(wrong, 1), 2 * COLUMNS))
    figure, ax = _figure(max(width, 6.0), height)
    plot_misclassified(
        data.X_test,
        data.y_test,
        y_pred,
        ax,
        confidence=sure,
        image_shape=data.image_shape,
        limit=2 * COLUMNS,
        columns=COLUMNS,
        title=title,
    )
    return figure
