"""Languages of the book: which pages are translated, direction, words of the frame around them.

English lies in `html`, every other language in a folder of it by its code. A page that has no
catalogue stays English inside the other language's frame, and says so to screen readers. A
message without translation in a page that has one is a warning, so an error of `make docs`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from babel.messages.pofile import read_po
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

logger = logging.getLogger(__name__)

NAMES = {"en": "English", "fa": "فارسی"}
RIGHT_TO_LEFT = {"fa"}

# The summary of a folded cell, as MyST-NB's kind of cell says it.
FOLDED = {
    "en": {
        "fold-content": "Solution",
        "fold-source": "The code of this picture",
        "fold-outputs": "What it prints",
    },
    "fa": {
        "fold-content": "راه‌حل",
        "fold-source": "کد این تصویر",
        "fold-outputs": "خروجی",
    },
}


def catalogue(app: Sphinx, language: str, docname: str) -> Path:
    """Where the translations of a page lie."""
    return Path(app.confdir) / "locale" / language / "LC_MESSAGES" / f"{docname}.po"


def is_translated(app: Sphinx, language: str, docname: str) -> bool:
    """Whether a page can be read in a language."""
    return language == "en" or catalogue(app, language, docname).is_file()


class Shared(SphinxTransform):
    """Formulas are the same in every language: they are no messages."""

    default_priority = 5  # before messages are collected

    def apply(self, **_: Any) -> None:
        """Mark them."""
        for node in self.document.findall(nodes.math_block):
            node["translatable"] = False


def warn_of_missing(app: Sphinx, doctree: nodes.document) -> None:
    """A warning for each message of a translated page that its catalogue does not have."""
    language, docname = app.config.language, app.env.current_document.docname
    if language == "en" or not is_translated(app, language, docname):
        return
    with catalogue(app, language, docname).open("rb") as file:
        known = {message.string for message in read_po(file)}
    for node in doctree.findall(nodes.Element):
        if isinstance(node, addnodes.toctree):
            missing = bool(node.get("caption")) and node["caption"] == node.get("rawcaption")
        elif isinstance(node, nodes.image):  # marked only where its file is translated too
            missing = bool(node.get("alt")) and node["alt"] not in known
        else:
            missing = node.get("translated") is False
        if missing:
            text = " ".join((node.get("caption") or node.get("alt") or node.rawsource).split())
            logger.warning("not translated into %s: %s", language, text, location=node)


def frame(app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """The words and links around a page."""
    language = app.config.language
    context["other_language"] = _other(app, language, pagename, context["content_root"])
    tree = context.get("furo_navigation_tree")
    if tree:
        tree = tree.replace('role="heading"', 'role="heading" aria-level="2"')
        context["furo_navigation_tree"] = NUMBER.sub(in_its_digits, tree)
    body = context.get("body")
    if body:
        # what scrolls can be reached by keyboard, and a summary's own words are its name
        body = body.replace("<pre>", '<pre tabindex="0">')
        body = body.replace('<div class="table-wrapper', '<div tabindex="0" class="table-wrapper')
        body = body.replace('<summary aria-label="Toggle hidden content">', "<summary>")
        for marker, words in FOLDED.get(language, FOLDED["en"]).items():
            body = body.replace(marker, words)
        context["body"] = NUMBER.sub(in_its_digits, body)


NUMBER = re.compile(r"(>)(\d+)(\. (?:</span>)?[\u0600-\u06ff])")
PERSIAN = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")


def in_its_digits(found: re.Match[str]) -> str:
    """A chapter's number in the digits of its title."""
    return found[1] + found[2].translate(PERSIAN) + found[3]


def _other(app: Sphinx, language: str, pagename: str, root: str) -> dict[str, str]:
    code = "fa" if language == "en" else "en"
    page = pagename if is_translated(app, "fa", pagename) else "index"
    home = f"{root}{code}/" if language == "en" else f"{root}../"
    return {
        "code": code,
        "name": NAMES[code],
        "href": f"{home}{page}.html",
        "direction": "rtl" if code in RIGHT_TO_LEFT else "ltr",
    }


def turn_around(app: Sphinx, exception: Exception | None) -> None:
    """Right-to-left pages: the direction in the HTML, left and right swapped in the theme's CSS."""
    if exception or app.builder.name != "html" or app.config.language not in RIGHT_TO_LEFT:
        return
    out = Path(app.outdir)
    for path in out.rglob("*.html"):
        text = path.read_text(encoding="utf-8").replace("<html ", '<html dir="rtl" ', 1)
        docname = path.relative_to(out).with_suffix("").as_posix()
        if docname in app.env.found_docs and not is_translated(app, app.config.language, docname):
            text = text.replace("<article ", '<article lang="en" dir="ltr" ', 1)
        path.write_text(text, encoding="utf-8")
    for name in ("styles/furo.css", "styles/furo-extensions.css", "basic.css"):
        path = out / "_static" / name
        if path.is_file():
            path.write_text(mirrored(path.read_text(encoding="utf-8")), encoding="utf-8")


BLOCK = re.compile(r"\{[^{}]*\}")
VALUE = r"([^\s;{}]+)"
FOUR = re.compile(rf"(margin|padding|border-radius|inset):{VALUE} {VALUE} {VALUE} {VALUE}(?=[;}}])")
SIDE = re.compile(r"\b(left|right)\b")
SWAPPED = {"left": "right", "right": "left"}


def mirrored(css: str) -> str:
    """The rules with left and right exchanged, as a page that reads from the right needs them."""

    def block(found: re.Match[str]) -> str:
        text = SIDE.sub(lambda side: SWAPPED[side[1]], found[0])
        return FOUR.sub(_four, text)

    return BLOCK.sub(block, css)


def _four(found: re.Match[str]) -> str:
    name, first, second, third, fourth = found.groups()
    if name == "border-radius":
        return f"{name}:{second} {first} {fourth} {third}"
    return f"{name}:{first} {fourth} {third} {second}"


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.add_transform(Shared)
    app.connect("doctree-read", warn_of_missing)
    app.connect("html-page-context", frame, priority=900)  # after the theme
    app.connect("build-finished", turn_around)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
