"""The parts of a report that are about the model: network, gradient, weights, neurons."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from chainrule.check import check_gradient
from chainrule.errors import ChainruleError
from chainrule.graph.drawing import svg_text
from chainrule.graph.layers import layers_of
from chainrule.graph.markup import Markup, tag
from chainrule.graph.notebook import scrolling, unfold
from chainrule.ops.shapes import format_shape
from chainrule.pictures.layer import matrices_of, plot_layer
from chainrule.pictures.mosaic import tiles_size
from chainrule.pictures.network import plot_network
from chainrule.pictures.report.figures import figure
from chainrule.pictures.report.neurons import ADVICE, neuron_states
from chainrule.pictures.report.parts import data_table, note, section, verdict
from chainrule.pictures.report.subject import Subject
from chainrule.pictures.weights import plot_weights

CHECKED_ROWS, CHECKED_ENTRIES = 60, 400
LOOKED_AT = 1000
TILES, LAYERS, LISTED = 40, 3, 12
MOST_NODES = 200


def network_section(subject: Subject) -> Markup:
    """Layers with their shapes, the graph, neurons and weights."""
    graph = subject.model.network_
    layers = layers_of(graph)
    rows = [
        (layer.number, layer.words, format_shape(layer.nodes[-1].shape), f"{layer.size:,}")
        for layer in layers
    ]
    parts: list[Any] = [
        data_table(("layer", "operations", "output", "parameters"), rows, {0, 3}),
        scrolling(Markup(svg_text(graph, None, True, None, "The network, a box a layer"))),
    ]
    if len(graph) <= MOST_NODES:
        whole = svg_text(graph, None, False, None, "The network, a box an operation")
        parts.append(unfold(f"Every operation ({len(graph)})", scrolling(Markup(whole))))
    parts += _neurons_and_weights(subject)
    return section("network", "Network", *parts)


def _neurons_and_weights(subject: Subject) -> list[Markup]:
    try:
        weights = matrices_of(subject.model)
        sizes = [weights[0].shape[0], *(one.shape[1] for one in weights)]
        inputs = subject.columns if len(subject.columns or ()) == sizes[0] <= 10 else None
        outputs = _classes_of(subject, sizes[-1])
        draw = partial(_draw_network, weights=weights, inputs=inputs, outputs=outputs)
        shown = min(max(sizes), 11)
        size = 2.4 + 1.6 * len(sizes), 1.2 + 0.42 * shown
        return [
            figure(
                draw,
                "Blue weights are above 0, orange ones below; the thicker the larger.",
                size,
                f"Neurons and weights of the layers {', '.join(map(str, sizes))}",
            )
        ]
    except ChainruleError:  # layers that do not follow each other directly, as after an embedding
        return []


def _draw_network(ax: Any, weights: Any, inputs: Any, outputs: Any) -> Any:
    return plot_network(weights, ax, inputs=inputs, outputs=outputs)


def _classes_of(subject: Subject, count: int) -> list[Any] | None:
    classes = getattr(subject.model, "classes_", None)
    if classes is None or isinstance(classes, list) or len(classes) != count:
        return None
    return [str(one) for one in classes.tolist()]


def gradient_section(subject: Subject) -> Markup:
    """The chain rule's gradient against differences: found before, or checked now."""
    report = subject.gradient
    if report is None and not subject.has_rows:
        return section("gradient", "Gradient check", note("Not checked: no rows were given."))
    if report is None:
        X, y = subject.some(CHECKED_ROWS)
        try:
            report = check_gradient(
                subject.model, X, y, max_entries=CHECKED_ENTRIES, progress=False
            )
        except ChainruleError as error:
            return section("gradient", "Gradient check", note(f"Not checked: {error}"))
    heads = ("parameter", "compared", "worst entry", "analytic", "numerical", "relative error")
    rows = [one.cells[:-1] for one in report.parameters]
    return section(
        "gradient",
        "Gradient check",
        verdict(report.ok, report.summary),
        data_table(heads, rows, {3, 4, 5}),
        *(tag("p", one) for one in report.notes),
    )


def weights_section(subject: Subject) -> Markup:
    """The first layer as images where rows are images; else the layers as heat maps."""
    try:
        weights = matrices_of(subject.model)
    except ChainruleError:
        return section("weights", "Weights", note("There are no layers of weights."))
    parts: list[Markup] = []
    shape, first = subject.image_shape, weights[0]
    if shape is not None and first.shape[0] == shape[0] * shape[1]:
        images = first.T[:TILES].reshape(-1, *shape)
        single = len(weights) == 1
        labels = _classes_of(subject, len(images)) if single else None
        draw = partial(_draw_tiles, images=images, labels=labels)
        of = "class" if single else "hidden neuron"
        more = f" The first {TILES} of {first.shape[1]}." if first.shape[1] > TILES else ""
        caption = f"What each {of} looks for: blue speaks for it, orange against it.{more}"
        size = tiles_size(len(images), min(10, len(images)), labels is not None)
        parts.append(figure(draw, caption, size, f"Weights of each {of} as images"))
        weights_left = list(enumerate(weights, start=1))[1 : LAYERS + 1]
    else:
        weights_left = list(enumerate(weights, start=1))[:LAYERS]
    for number, W in weights_left:
        inputs = subject.columns if number == 1 and len(subject.columns or ()) == len(W) else None
        draw = partial(_draw_layer, W=W, inputs=inputs, number=number)
        size = min(3.2 + 0.16 * W.shape[1], 7.5), min(1.6 + 0.2 * W.shape[0], 5.5)
        caption = f"Layer {number}: {W.shape[0]:,} × {W.shape[1]:,}, inputs by units."
        alt = f"Weights of layer {number}, from {W.min():.3g} to {W.max():.3g}"
        parts.append(figure(draw, caption, size, alt))
    return section("weights", "Weights", *parts)


def _draw_tiles(ax: Any, images: Any, labels: Any) -> Any:
    columns = min(10, len(images))
    return plot_weights(images, ax, labels=labels, columns=columns)


def _draw_layer(ax: Any, W: np.ndarray, inputs: Any, number: int) -> Any:
    return plot_layer(W, ax, inputs=inputs, title=f"Weights of layer {number}")


def neurons_section(subject: Subject) -> Markup:
    """Dead, saturated and constant neurons, with advice."""
    title = "Dead and saturated neurons"
    if not subject.has_rows:
        return section("neurons", title, note("Not looked at: no rows were given."))
    try:
        states = neuron_states(subject.model, *subject.some(LOOKED_AT))
    except ChainruleError as error:
        return section("neurons", title, note(f"Not looked at: {error}"))
    if not states:
        return section("neurons", title, tag("p", "The model has no hidden neurons."))
    heads = ("layer", "activation", "neurons", "dead", "saturated", "constant", "outputs 0")
    rows = [
        (
            one.name,
            one.activation,
            f"{one.units:,}",
            *(_listed(which) for which in (one.dead, one.saturated, one.constant)),
            f"{one.zero:.0%}",
        )
        for one in states
    ]
    found = {what for one in states for what in one.troubles}
    count = sum(len(which) for one in states for which in one.troubles.values())
    total = sum(one.units for one in states)
    said = f"{count:,} of {total:,} neurons hardly work" if found else f"all {total:,} neurons work"
    advice = [
        tag("p", tag("b", f"{what.capitalize()}. "), text)
        for what, text in ADVICE.items()
        if what in found
    ]
    looked = min(LOOKED_AT, len(subject.y))
    end = verdict(not found, f"On {looked:,} rows {said}.")
    return section("neurons", title, end, data_table(heads, rows, {2, 6}), *advice)


def _listed(which: tuple[int, ...]) -> str:
    if not which:
        return "–"
    shown = ", ".join(map(str, which[:LISTED]))
    return f"{len(which):,}: {shown}" + (", …" if len(which) > LISTED else "")
