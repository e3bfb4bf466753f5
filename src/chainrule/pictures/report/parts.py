"""What sections are made of."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from chainrule.graph.markup import Markup, tag


def section(key: str, title: str, *parts: Any) -> Markup:
    """One part of the report under its own heading."""
    return tag(
        "section",
        tag("h2", title, id=f"{key}-title"),
        *parts,
        id=key,
        aria_labelledby=f"{key}-title",
    )


def data_table(
    heads: Sequence[Any],
    rows: Sequence[Sequence[Any]],
    right: Collection[int] = (),
    caption: Any = None,
) -> Markup:
    """A table that scrolls by itself where the page is narrow; numbers stand to the right."""

    def line(kind: str, cells: Sequence[Any], **more: Any) -> Markup:
        return tag(
            "tr",
            *(
                tag(kind, one, class_="number" if i in right else None, **more)
                for i, one in enumerate(cells)
            ),
        )

    above = [] if caption is None else [tag("caption", caption)]
    head = tag("thead", line("th", heads, scope="col"))
    body = tag("tbody", *(line("td", row) for row in rows))
    inside = tag("table", *above, head, body)
    label = caption if isinstance(caption, str) else ", ".join(str(one) for one in heads if one)
    return tag("div", inside, class_="wide", tabindex="0", role="group", aria_label=label)


def note(text: str) -> Markup:
    """Something to know, set apart."""
    return tag("p", text, class_="note")


def verdict(ok: bool, text: str) -> Markup:
    """Good or bad, said in words and by a sign, not by colour alone."""
    return tag("p", tag("b", "✓ " if ok else "✗ "), text, class_="right" if ok else "wrong")
