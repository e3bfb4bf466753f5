"""Loss and score over the epochs as small SVG curves, for notebooks: no plotting library needed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from chainrule.graph.markup import Markup, join, tag

WIDTH, HEIGHT = 380.0, 190.0
LEFT, RIGHT, TOP, FOOT = 52.0, 14.0, 26.0, 30.0
COLOURS = ("#1f77ad", "#c2571a")
DASHES = (None, "5 3")
POINTS = 400
FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif"

Series = Mapping[str, Sequence[float]]


def curves_svg(columns: Mapping[str, Sequence[float]]) -> Markup:
    """The panels of a history: loss (with that of the validation), and score where there is one."""
    panels: list[tuple[str, Series]] = [
        ("loss", _present(columns, {"training": "loss", "validation": "validation_loss"})),
        ("validation score", _present(columns, {"": "validation_score"})),
    ]
    shown = [(title, series) for title, series in panels if series]
    drawn = [
        tag("g", _panel(title, series), transform=f"translate({i * (WIDTH + 20):g} 0)")
        for i, (title, series) in enumerate(shown)
    ]
    width = max(len(shown), 1) * (WIDTH + 20) - 20
    return tag(
        "svg",
        tag("title", " and ".join(title for title, _ in shown) or "no epochs yet"),
        tag("g", *drawn, font_family=FONT, font_size="11", fill="currentColor"),
        xmlns="http://www.w3.org/2000/svg",
        role="img",
        viewBox=f"0 0 {width:g} {HEIGHT:g}",
        width=f"{width:g}",
        height=f"{HEIGHT:g}",
        style="max-width:100%",
    )


def _present(columns: Mapping[str, Sequence[float]], names: Mapping[str, str]) -> Series:
    """Those columns that have a finite number, under the names to show."""
    return {
        label: columns[name]
        for label, name in names.items()
        if any(math.isfinite(value) for value in columns[name])
    }


def _panel(title: str, series: Series) -> Markup:
    finite = [v for values in series.values() for v in values if math.isfinite(v)]
    epochs = max(map(len, series.values()))
    scale = _Scale(min(finite), max(finite), epochs)
    lines = [
        tag(
            "path",
            d=_path(values, scale),
            fill="none",
            stroke=COLOURS[i],
            stroke_width="1.8",
            stroke_dasharray=DASHES[i],
        )
        for i, values in enumerate(series.values())
    ]
    named = [
        tag(
            "text",
            label,
            x=WIDTH - RIGHT - 62.0 * (len(series) - 1 - i),
            y=14,
            text_anchor="end",
            fill=COLOURS[i],
        )
        for i, label in enumerate(series)
        if len(series) > 1
    ]
    heading = tag("text", title, x=LEFT, y=14, font_weight="600")
    return join([heading, *named, *_axes(scale), *lines])


class _Scale:
    """From epochs and values to places; logarithmic where values are positive and wide apart."""

    def __init__(self, low: float, high: float, epochs: int) -> None:
        self.log = low > 0 and high > 3 * low
        self.low, self.high = self._in(low), self._in(high)
        if self.high - self.low < 1e-12 * max(abs(self.high), 1.0):
            self.low, self.high = self.low - 0.5, self.high + 0.5
        self.epochs = epochs

    def _in(self, value: float) -> float:
        return math.log10(value) if self.log else value

    def x(self, epoch: float) -> float:
        """Of an epoch, from 1."""
        share = (epoch - 1) / max(self.epochs - 1, 1)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        """Of a loss or a score."""
        share = (self._in(value) - self.low) / (self.high - self.low)
        return HEIGHT - FOOT - share * (HEIGHT - TOP - FOOT)

    def ticks(self) -> list[float]:
        """Four values over the height."""
        steps = [self.low + (self.high - self.low) * i / 3 for i in range(4)]
        return [10**one if self.log else one for one in steps]


def _axes(scale: _Scale) -> list[Markup]:
    parts = []
    for value in scale.ticks():
        y = scale.y(value)
        parts.append(
            tag(
                "path",
                d=f"M{LEFT:g} {y:.1f}H{WIDTH - RIGHT:g}",
                stroke="currentColor",
                stroke_opacity="0.15",
            )
        )
        parts.append(
            tag("text", f"{value:.3g}", x=LEFT - 6, y=y + 4, text_anchor="end", fill_opacity="0.75")
        )
    for epoch in sorted({1, (1 + scale.epochs) // 2, scale.epochs}):
        parts.append(
            tag(
                "text",
                str(epoch),
                x=scale.x(epoch),
                y=HEIGHT - FOOT + 14,
                text_anchor="middle",
                fill_opacity="0.75",
            )
        )
    parts.append(
        tag(
            "text",
            "epoch or iteration",
            x=(LEFT + WIDTH - RIGHT) / 2,
            y=HEIGHT - 3,
            text_anchor="middle",
            fill_opacity="0.75",
        )
    )
    return parts


def _path(values: Sequence[float], scale: _Scale) -> str:
    """The line through the finite values, with gaps; of very many epochs every so many-th."""
    stride = max(1, math.ceil(len(values) / POINTS))
    picked = sorted({*range(0, len(values), stride), len(values) - 1})
    path, gap = [], True
    for i in picked:
        if not math.isfinite(values[i]):
            gap = True
            continue
        path.append(f"{'M' if gap else 'L'}{scale.x(i + 1):.1f} {scale.y(values[i]):.1f}")
        gap = False
    return "".join(path)
