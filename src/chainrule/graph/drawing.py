"""A graph as SVG: boxes from left to right, values above the lines, gradients below.

Plain text, no other program. Colours are custom properties of CSS with defaults that can be read on
light and on dark paper, so a page may set its own: ``--cr-value``, ``--cr-gradient``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from chainrule.graph.boxes import Box, Line, Plan, plan
from chainrule.graph.layout import columns_of, heights, ordered
from chainrule.graph.markup import Markup, tag

if TYPE_CHECKING:
    from chainrule.graph.graph import Graph

FILL = {
    "input": "#2b83ba",
    "target": "#e08214",
    "parameter": "#3a9e5f",
    "operation": "#8a93a0",
    "layer": "#7a68b3",
    "constant": "#8a93a0",
    "mask": "#8a93a0",
}
VALUE, GRADIENT = "var(--cr-value, #1f77ad)", "var(--cr-gradient, #c2571a)"
FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif"
LETTER, LABEL = 7.4, 6.0
"""Widths of a letter, generous: in a box, beside a line."""
ROW, PORT, GAP, BEND, MARGIN = 15.0, 34.0, 20.0, 46.0, 14.0
MOST = 26
"""Letters of a name that are shown."""

Labels = Callable[[Line], tuple[str, str, str]]
"""Of a line: the value, the gradient, and both in full."""


def svg_text(
    graph: Graph,
    labels: Labels | None = None,
    fold: bool | Iterable[int] = False,
    paper: str | None = "#ffffff",
    title: str = "Computational graph",
) -> str:
    """The drawing as one ``<svg>`` element.

    Parameters
    ----------
    graph : Graph
    labels : callable, optional
        What stands above and below each line.
    fold : bool or iterable of int
        Layers drawn as one box: all, none, or those of these numbers.
    paper : str, optional
        The colour behind it. ``None``: transparent, ink in the colour of the text around it.
    title : str
    """
    return _Drawing(plan(graph, fold), labels or (lambda _: ("", "", ""))).svg(paper, title)


class _Drawing:
    """The places of boxes and lines, and their markup."""

    def __init__(self, drawn: Plan, labels: Labels) -> None:
        self.lines = drawn.lines
        self.labels = {id(line): labels(line) for line in drawn.lines}
        self.into: dict[Box, list[Line]] = {box: [] for box in drawn.boxes}
        for line in drawn.lines:
            self.into[line.end].append(line)
        self._place(drawn.boxes)

    def _place(self, boxes: list[Box]) -> None:
        readers: dict[Any, list[Any]] = {box: [] for box in boxes}
        for line in self.lines:
            readers[line.start].append(line.end)
        self.column = columns_of(readers)
        last = max(self.column.values(), default=0)
        columns: list[list[Any]] = [[] for _ in range(last + 1)]
        for box in boxes:
            columns[self.column[box]].append(box)
        links: dict[Any, list[Any]] = {box: [] for box in boxes}
        size: dict[Any, float] = {box: self._height(box) for box in boxes}
        self.lanes: dict[int, list[Any]] = {}
        for line in self.lines:
            stops: list[Any] = [line.start]
            for c in range(self.column[line.start] + 1, self.column[line.end]):
                lane = (id(line), c)
                columns[c].append(lane)
                links[lane], size[lane] = [], 6.0
                stops.append(lane)
            stops.append(line.end)
            for a, b in pairwise(stops):
                links[a].append(b)
                links[b].append(a)
            self.lanes[id(line)] = stops[1:-1]
        order = ordered(columns, links)
        self.y = heights(order, links, size, GAP)
        self._across(columns)
        self._ports()

    def _across(self, columns: list[list[Any]]) -> None:
        """Where each column's bends, labels and boxes begin and end, from left to right."""
        self.left: list[float] = []
        self.right: list[float] = []
        self.bend: list[float] = []
        x = MARGIN
        for c, column in enumerate(columns):
            here = [key for key in column if isinstance(key, Box)]
            texts = [
                t for box in here for line in self.into[box] for t in self.labels[id(line)][:2]
            ]
            room = max((len(text) * LABEL + 8 for text in texts if text), default=0.0)
            x += BEND if c else 0.0
            self.bend.append(x)
            x += room
            self.left.append(x)
            x += max((_width(box) for box in here), default=30.0)
            self.right.append(x)
        self.width = x + MARGIN
        self.height = (
            max(self.y[key] + self._half(key) for column in columns for key in column) + 2 * MARGIN
        )

    def _half(self, key: Any) -> float:
        return self._height(key) / 2 if isinstance(key, Box) else 3.0

    def _height(self, box: Box) -> float:
        own = ROW * (1 + len(box.lines)) + 10 if box.title else 0.0
        return max(own, PORT * len(self.into[box]))

    def _ports(self) -> None:
        """Lines arrive in the order in which they come, so that they do not cross."""
        self.port: dict[int, float] = {}
        for box, lines in self.into.items():
            by_height = sorted(lines, key=lambda line: self.y[self._before(line)])
            for i, line in enumerate(by_height):
                self.port[id(line)] = self.y[box] + PORT * (i - (len(lines) - 1) / 2)

    def _before(self, line: Line) -> Any:
        return self.lanes[id(line)][-1] if self.lanes[id(line)] else line.start

    def svg(self, paper: str | None, title: str) -> str:
        width, height = round(self.width), round(self.height)
        ink = "currentColor" if paper is None else "#1f2430"
        behind = [] if paper is None else [tag("rect", width="100%", height="100%", fill=paper)]
        return tag(
            "svg",
            tag("title", title),
            *behind,
            tag(
                "g",
                *map(self._line, self.lines),
                *(self._box(box) for box in self.into if box.title),
                transform=f"translate(0 {MARGIN:g})",
                font_family=FONT,
                color=ink if paper is not None else None,
                fill=ink,
            ),
            xmlns="http://www.w3.org/2000/svg",
            role="img",
            viewBox=f"0 0 {width} {height}",
            width=width,
            height=height,
            style="max-width:none",
        )

    def _line(self, line: Line) -> Markup:
        start, end = line.start, line.end
        x, y = self.left[self.column[start]] + _width(start), self.y[start]
        path = [f"M{x:.1f} {y:.1f}"]
        for lane_key in self.lanes[id(line)]:
            c, lane = lane_key[1], self.y[lane_key]
            path.append(_curve(self.right[c - 1], y, self.bend[c], lane))
            path.append(f"H{self.right[c]:.1f}")
            y = lane
        c, port = self.column[end], self.port[id(line)]
        path.append(_curve(self.right[c - 1], y, self.bend[c], port))
        path.append(f"H{self.left[c]:.1f}")
        value, gradient, both = self.labels[id(line)]
        middle = self.left[c] - 5
        texts = [
            tag(
                "text",
                text,
                x=middle,
                y=port + dy,
                text_anchor="end",
                font_size="10.5",
                style=f"fill:{colour}",
                class_=kind,
            )
            for text, dy, colour, kind in (
                (value, -4.0, VALUE, "value"),
                (gradient, 12.0, GRADIENT, "gradient"),
            )
            if text
        ]
        return tag(
            "g",
            *([tag("title", both)] if both else []),
            tag(
                "path",
                d="".join(path),
                fill="none",
                stroke="currentColor",
                stroke_opacity="0.45",
                stroke_width="1.2",
            ),
            tag("path", d=f"M{self.left[c]:.1f} {port:.1f}l-6 -3v6z", fill_opacity="0.6"),
            *texts,
            class_="edge",
        )

    def _box(self, box: Box) -> Markup:
        x, width = self.left[self.column[box]], _width(box)
        height, middle = self._height(box), self.y[box]
        colour = FILL.get(box.kind)
        first = middle - ROW * len(box.lines) / 2 + 4
        frame = []
        if colour is not None:
            frame = [
                tag(
                    "rect",
                    x=x,
                    y=middle - height / 2,
                    width=width,
                    height=height,
                    rx=4 if box.kind in ("parameter", "constant") else 11,
                    fill=colour,
                    fill_opacity="0.14",
                    stroke=colour,
                    stroke_width="1.3",
                    stroke_dasharray="4 3" if box.kind == "mask" else None,
                )
            ]
        texts = [
            tag(
                "text",
                _short(text),
                x=x + width / 2,
                y=first + ROW * i,
                text_anchor="middle",
                font_size="12" if i == 0 else "10.5",
                font_weight="600" if i == 0 else None,
                fill_opacity=None if i == 0 else "0.8",
            )
            for i, text in enumerate([box.title, *box.lines])
        ]
        return tag("g", tag("title", box.about), *frame, *texts, class_=f"node {box.kind}")


def _curve(x: float, y: float, to_x: float, to_y: float) -> str:
    """On to x, then an S to where the next stretch begins."""
    half = (x + to_x) / 2
    return f"H{x:.1f}C{half:.1f} {y:.1f} {half:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}"


def _width(box: Box) -> float:
    if box.kind == "end":
        return 2.0
    titles = [_short(box.title), *map(_short, box.lines)]
    return max(LETTER * len(titles[0]), *(LABEL * len(t) for t in titles[1:]), 24.0) + 18


def _short(text: str) -> str:
    return text if len(text) <= MOST else text[: MOST - 1] + "…"
