"""HTML and SVG as text, with everything that is not markup escaped: notebooks, reports, drawings.

``tag("td", name)`` escapes ``name`` whatever it holds; only what ``tag`` made is taken as it is.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any

_SIGNS = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}
# neither HTML nor XML may hold them; a column name may
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_VOID = frozenset({"meta", "img", "source", "br", "col", "input", "link"})

TABLE = "border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:90%;margin:.5em 0"
HEAD = "padding:.2em .8em;border-bottom:1px solid currentColor;text-align:"
CELL = "padding:.2em .8em;text-align:"


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


def escape(value: Any) -> Markup:
    """``value`` as text that stays text, between tags and in attributes."""
    if isinstance(value, Markup):
        return value
    text = _FORBIDDEN.sub("\ufffd", str(value))
    return Markup("".join(_SIGNS.get(sign, sign) for sign in text))


def tag(name: str, /, *children: Any, **attributes: Any) -> Markup:
    """``<name attribute="…">children</name>``, everything escaped that is no ``Markup``.

    ``class_`` and ``for_`` lose their underscore, others become hyphens; an attribute that is
    ``None`` is left out, one that is ``True`` has no value.
    """
    given = []
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        key = key.rstrip("_").replace("_", "-")
        given.append(f" {key}" if value is True else f' {key}="{escape(_number(value))}"')
    opened = f"<{name}{''.join(given)}>"
    if name in _VOID:
        return Markup(opened)
    return Markup(f"{opened}{''.join(map(escape, children))}</{name}>")


def join(parts: Sequence[Any], between: str = "") -> Markup:
    """The parts one after another."""
    return Markup(escape(between).join(map(escape, parts)))


def table(
    heads: Sequence[Any],
    rows: Sequence[Sequence[Any]],
    right: Collection[int] = (),
    caption: Any = None,
    **attributes: Any,
) -> Markup:
    """A table that looks the same in every notebook; columns in ``right`` are numbers."""

    def line(kind: str, style: str, cells: Sequence[Any], **more: Any) -> Markup:
        return tag(
            "tr",
            *(
                tag(kind, one, style=style + ("right" if i in right else "left"), **more)
                for i, one in enumerate(cells)
            ),
        )

    below = None
    if caption is not None:
        below = tag("caption", caption, style="caption-side:bottom;text-align:left;padding:.3em")
    return tag(
        "table",
        *([] if below is None else [below]),
        tag("thead", line("th", HEAD, heads, scope="col")),
        tag("tbody", *(line("td", CELL, row) for row in rows)),
        **{"style": TABLE, **attributes},
    )


def _number(value: Any) -> Any:
    """Places in a drawing to a hundredth."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else value
