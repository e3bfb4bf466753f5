"""`{thumbnails}` and `{scripts}`: the scripts of examples/ that draw, what they draw and print.

The scripts run when the pages are built, each in an empty folder, so that what the page shows is
what the code does. The same for each language: pictures are kept while their scripts stay.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

DOCS = Path(__file__).resolve().parents[1]
EXAMPLES = DOCS.parent / "examples"
FOLDER = DOCS / "_build" / "gallery"

# In the order of the lecture, then beyond it.
NAMES = (
    "one_neuron",
    "what_classes_look_for",
    "step_width",
    "solvers_race",
    "learning_rate",
    "spirals",
    "squeezed_digits",
    "robust_loss",
    "quantile_bands",
    "mixed_table",
)


@dataclass(frozen=True)
class Example:
    """A script that has run.

    Attributes
    ----------
    name, title, text, code, printed : str
        Title and text are the first line and the rest of its docstring.
    picture : Path
    """

    name: str
    title: str
    text: str
    code: str
    printed: str
    picture: Path

    @property
    def heading(self) -> str:
        """The title as a heading has it."""
        return self.title.rstrip(".")


def run(name: str, folder: Path) -> Example:
    """Run a script in a folder, unless what it left there is newer than the script.

    Raises
    ------
    RuntimeError
        Where it fails, warns, or draws nothing.
    """
    script, printed = EXAMPLES / f"{name}.py", folder / f"{name}.txt"
    if not printed.is_file() or printed.stat().st_mtime < script.stat().st_mtime:
        folder.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            [sys.executable, "-W", "error", str(script)],
            cwd=folder,
            env=os.environ | {"MPLBACKEND": "Agg"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"examples/{name}.py: {done.stderr}")
        printed.write_text(done.stdout, encoding="utf-8")
    pictures = [path for path in folder.glob(f"{name}.*") if path.suffix in (".png", ".svg")]
    if len(pictures) != 1:
        raise RuntimeError(f"examples/{name}.py: expected one picture {name}.png; came {pictures}")
    code = script.read_text(encoding="utf-8")
    title, _, text = (ast.get_docstring(ast.parse(code)) or "").partition("\n\n")
    code = code.split('"""\n', 2)[-1].lstrip("\n")
    return Example(name, title, text, code, printed.read_text("utf-8"), pictures[0])


class Shown(SphinxDirective):
    """Something of all examples, as text."""

    option_spec: ClassVar[dict[str, Any]] = {}

    def run(self) -> list[nodes.Node]:
        """Its nodes; the page is built anew when a script changes."""
        try:
            examples = [run(name, FOLDER) for name in NAMES]
        except RuntimeError as error:
            raise ExtensionError(str(error)) from None
        for name in NAMES:
            self.env.note_dependency(str(EXAMPLES / f"{name}.py"))
        return self.parse_text_to_nodes(self.text(examples), allow_section_headings=True)

    @abstractmethod
    def text(self, examples: list[Example]) -> str:
        """What is shown of them."""


class Thumbnails(Shown):
    """`{thumbnails}`: small pictures that lead to the sections."""

    def text(self, examples: list[Example]) -> str:
        """A link for each."""
        lines = [":::{container} gallery"]
        for one in examples:
            picture = f"![](/_build/gallery/{one.picture.name})"
            lines += [f"[{picture} {one.heading}](#{nodes.make_id(one.heading)})", ""]
        return "\n".join([*lines, ":::"])


class Scripts(Shown):
    """`{scripts}`: a section for each example."""

    def text(self, examples: list[Example]) -> str:
        """All of them."""
        return "\n".join(map(_section, examples))


def _section(one: Example) -> str:
    return f"""
## {one.heading}

{one.text}

```{{image}} /_build/gallery/{one.picture.name}
:alt: {one.title}
:class: screenshot
```

```text
{one.printed.rstrip()}
```

```{{raw}} html
<details class="script"><summary>examples/{one.name}.py</summary>
```

```python
{one.code.rstrip()}
```

```{{raw}} html
</details>
```
"""


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.add_directive("thumbnails", Thumbnails)
    app.add_directive("scripts", Scripts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
