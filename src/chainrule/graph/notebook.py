"""Graphs and traces in a notebook: the drawing, and the table below it to unfold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from chainrule.graph.drawing import Labels, svg_text
from chainrule.graph.layers import layers_of
from chainrule.graph.markup import Markup, tag

if TYPE_CHECKING:
    from chainrule.graph.graph import Graph

MANY = 24
"""From so many nodes on layers are folded, and from ten times as many nothing is drawn."""

SCROLL = "overflow-x:auto;max-width:100%;padding:.3em 0"


def drawing_html(graph: Graph, table: Any, labels: Labels | None = None) -> Markup:
    """The drawing, a drawing to unfold for every layer that is folded in it, and ``table``."""
    parts: list[Any] = []
    layers = layers_of(graph)
    many = len(graph) > MANY and bool(layers)
    if len(graph) <= 10 * MANY or (many and len(layers) <= MANY):
        drawn = svg_text(graph, labels, many, None)
        parts.append(scrolling(Markup(drawn)))
    if many and len(graph) <= 10 * MANY:
        whole = scrolling(Markup(svg_text(graph, labels, False, None)))
        parts.append(unfold(f"every operation ({len(graph)} nodes)", whole))
    parts.append(unfold("as a table", table))
    return tag("div", *parts, class_="chainrule-graph")


def scrolling(content: Markup) -> Markup:
    """What may be wider than the page, in a strip that the keyboard reaches, too."""
    return tag("div", content, style=SCROLL, tabindex="0", role="group", aria_label="drawing")


def unfold(title: str, content: Any) -> Markup:
    """Hidden until it is asked for."""
    return tag("details", tag("summary", title, style="cursor:pointer"), content)


def cells(text: Sequence[Sequence[str]]) -> list[list[Markup]]:
    """Code in a table."""
    return [[tag("code", one) for one in row] for row in text]
