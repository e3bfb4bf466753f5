"""Whether every link that stays here leads somewhere: pages, pictures and anchors of a built site.

    python tools/check_links.py docs/_build/html

Nothing is fetched. Prints each dead link with its page; the exit code is 1 if there is one.
"""

from __future__ import annotations

import sys
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LINKS = {"a": "href", "link": "href", "img": "src", "script": "src", "source": "src"}


class Page(HTMLParser):
    """The links of a page, and the places in it that a link can name."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what it links to and how it is called."""
        values = dict(attrs)
        self.anchors |= {name for name in (values.get("id"), values.get("name")) if name}
        if link := values.get(LINKS.get(tag, "")):
            self.links.append(link)


@cache
def read(path: Path) -> Page:
    """A page, parsed once."""
    return Page(path.read_text(encoding="utf-8"))


def dead_links(root: Path) -> list[str]:
    """Each as ``page: link``; links with a scheme or a host are not looked at."""
    dead = []
    for path in sorted(root.rglob("*.html")):
        for link in dict.fromkeys(read(path).links):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if target.is_dir():
                target /= "index.html"
            anchor = unquote(parts.fragment)
            if not target.is_file() or not _holds(target, anchor):
                dead.append(f"{path.relative_to(root)}: {link}")
    return dead


def _holds(target: Path, anchor: str) -> bool:
    return not anchor or target.suffix != ".html" or anchor in read(target).anchors


def main() -> None:
    """Check the site that is named."""
    root = Path(sys.argv[1])
    pages = len(list(root.rglob("*.html")))
    if not pages:
        sys.exit(f"{root}: expected the pages of a built site; came none")
    dead = dead_links(root)
    print(
        "\n".join(dead) or f"{pages} pages, no dead link", file=sys.stderr if dead else sys.stdout
    )
    sys.exit(bool(dead))


if __name__ == "__main__":
    main()
