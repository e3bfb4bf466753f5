"""How the documentation is built: `make docs`.

Chapters are MyST notebooks, executed once and kept for the other languages. Nothing is fetched:
MathJax is copied from an installed package, data come from CHAINRULE_DATA or from a folder
shared/data beside the project.
"""

from __future__ import annotations

import os
import sys
from importlib.metadata import files
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "_ext"))

import chainrule  # noqa: E402

project = "chainrule"
author = "The chainrule developers"
copyright = author
version = release = chainrule.__version__
language = "en"

extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "gallery",
    "languages",
    "operations",
    "public",
]
exclude_patterns = ["_build", "locale"]
templates_path = ["_templates"]

# --- chapters ------------------------------------------------------------------------------

myst_enable_extensions = ["amsmath", "attrs_block", "attrs_inline", "colon_fence", "dollarmath"]
myst_heading_anchors = 3

nb_execution_mode = "cache"
nb_execution_cache_path = str(HERE / "_build" / "executed")
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_timeout = 120
nb_output_stderr = "warn"  # which -W makes an error: a chapter prints no warnings
nb_merge_streams = True
# translators get the descriptions of pictures too
nb_mime_priority_overrides = [("gettext", "image/svg+xml", 0), ("gettext", "text/plain", 9)]
nb_code_prompt_show = nb_code_prompt_hide = "fold-{type}"  # put into words by `languages`

_beside = HERE.parents[1] / "shared" / "data"
if (_beside / "mnist").is_dir():
    os.environ.setdefault("CHAINRULE_DATA", str(_beside))
# What every chapter's kernel starts with: sharp pictures in the look of chainrule.pictures.
_startup = HERE / "_build" / "ipython" / "profile_default" / "startup"
_startup.mkdir(parents=True, exist_ok=True)
(_startup / "pictures.py").write_text(
    (HERE / "_ext" / "pictures_of_chapters.py").read_text("utf-8")
)
os.environ["IPYTHONDIR"] = str(HERE / "_build" / "ipython")
os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"

# --- reference -----------------------------------------------------------------------------

autodoc_typehints = "none"
autodoc_default_options = {"members": False}
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
# A docstring that is missing or empty, names a parameter that does not exist or in another
# order, or breaks numpydoc's layout is a warning, so an error of the build.
numpydoc_validation_checks = {
    "GL05", "GL06", "GL07", "GL08", "GL10", "SS01", "PR02", "PR03", "PR05", "PR06", "PR10",
}  # fmt: skip
numpydoc_validation_exclude = {r"\.[A-Z_]+$"}  # constants

# --- languages -----------------------------------------------------------------------------

locale_dirs = ["locale"]
gettext_compact = False
gettext_location = False
gettext_uuid = False
figure_language_filename = "{root}.{language}{ext}"

# --- pages ---------------------------------------------------------------------------------

html_theme = "furo"
html_title = "chainrule"
html_static_path = ["_static"]
html_css_files = ["book.css"]
html_favicon = html_logo = "_static/mark.svg"
html_show_sphinx = False
html_copy_source = False
html_show_sourcelink = False
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "sidebar/language.html",
        "sidebar/search.html",
        "sidebar/scroll-start.html",
        "sidebar/navigation.html",
        "sidebar/scroll-end.html",
    ]
}
_SANS = (
    "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', Vazirmatn, "
    "'Noto Naskh Arabic', Tahoma, sans-serif"
)
_MONO = "ui-monospace, 'SF Mono', 'Cascadia Mono', 'DejaVu Sans Mono', Consolas, monospace"
html_theme_options = {
    "light_css_variables": {
        "font-stack": _SANS,
        "font-stack--monospace": _MONO,
        "font-stack--headings": "var(--book-headings)",
        "color-brand-primary": "#0b6c5f",
        "color-brand-content": "#0b6c5f",
        "color-brand-visited": "#7a3595",
        "color-background-primary": "#fffdf8",
        "color-background-secondary": "#f6f3ec",
        "color-background-border": "#e2dccf",
        "color-foreground-primary": "#23262d",
        "color-foreground-secondary": "#555962",
        "color-foreground-muted": "#61656f",
        "color-code-background": "#f6f3ec",
        "color-inline-code-background": "#f3efe5",
    },
    "dark_css_variables": {
        "color-brand-primary": "#46cdb4",
        "color-brand-content": "#46cdb4",
        "color-brand-visited": "#d3a0e8",
        "color-background-primary": "#16181d",
        "color-background-secondary": "#1b1e24",
        "color-background-border": "#30343c",
        "color-foreground-primary": "#e4e1da",
        "color-foreground-secondary": "#b3b5bb",
        "color-foreground-muted": "#a4a7ae",
        "color-code-background": "#1f232a",
        "color-inline-code-background": "#262a32",
    },
}
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"

# --- formulas ------------------------------------------------------------------------------

# One file with fonts inside; no request leaves the page.
_MATHJAX = next(
    (one for one in files("django-static-mathjax") or () if one.match("es5/tex-svg.js")), None
)
if _MATHJAX is None:
    raise FileNotFoundError(
        "no es5/tex-svg.js in django-static-mathjax: pip install chainrule[docs]"
    )
mathjax_path = "mathjax.js"
mathjax3_config = {
    "svg": {"fontCache": "local"},
    "options": {"enableMenu": False},
    "chtml": {"displayAlign": "center"},
}


def _copy_mathjax(app: object) -> None:
    source = Path(str(_MATHJAX.locate()))
    target = Path(app.outdir) / "_static" / "mathjax.js"  # type: ignore[attr-defined]
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.is_file() or target.stat().st_size != source.stat().st_size:
        target.write_bytes(source.read_bytes())


def setup(app: object) -> None:
    """Copy MathJax beside the pages."""
    app.connect("builder-inited", _copy_mathjax)  # type: ignore[attr-defined]
