"""The page: one HTML file that opens from disk and needs nothing besides."""

from __future__ import annotations

import os
from importlib import resources
from typing import Any

import numpy as np

from chainrule.files import atomic_write
from chainrule.graph.markup import Markup, tag
from chainrule.pictures.report.about_data import data_section
from chainrule.pictures.report.about_model import (
    gradient_section,
    network_section,
    neurons_section,
    weights_section,
)
from chainrule.pictures.report.about_results import results_section, training_section
from chainrule.pictures.report.parts import data_table, section
from chainrule.pictures.report.subject import Subject, versions
from chainrule.pictures.style import short

SECTIONS = (
    data_section,
    network_section,
    gradient_section,
    training_section,
    results_section,
    weights_section,
    neurons_section,
)
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def write_report(
    path: str | os.PathLike[str], model: Any, X: Any = None, y: Any = None, **facts: Any
) -> None:
    """Write a report on a fitted estimator: one HTML file, whole or not at all.

    Parameters
    ----------
    path : path-like
    model : estimator
        A fitted estimator of chainrule's.
    X, y : array-like, optional
        Rows to judge it by, best those held back from training.
    **facts
        What else is known: the other attributes of ``Subject``.
    """
    text = report_html(Subject(model, X=X, y=y, **facts))
    with atomic_write(path, "w") as file:
        file.write(text)


def report_html(subject: Subject) -> str:
    """The whole page. It holds no script, and its policy lets it fetch nothing."""
    title = f"Report on {short(subject.name)}"
    style = (
        resources.files("chainrule.pictures.report")
        .joinpath("page.css")
        .read_text(encoding="utf-8")
    )
    sections = [make(subject) for make in SECTIONS] + [_reproduction(subject)]
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        tag("style", Markup(style)),
    )
    main = tag("main", _header(subject, title), _contents(sections), *sections)
    return f"<!doctype html>\n{tag('html', head, tag('body', main), lang='en')}\n"


def _header(subject: Subject, title: str) -> Markup:
    kind = type(subject.model).__name__
    facts = [("kind", kind), ("parameters", f"{subject.parameters:,}")]
    if subject.has_rows:
        score = subject.score_of(subject.model)
        facts.append(("accuracy", f"{score:.1%}") if subject.classifies else ("R²", f"{score:.4f}"))
        facts.append(("rows judged by", f"{len(subject.y):,}"))
    if subject.gradient is not None:
        facts.append(("gradient check", "passed" if subject.gradient.ok else "failed"))
    cards = [tag("div", tag("dt", name), tag("dd", value)) for name, value in facts]
    return tag("header", tag("h1", title), tag("dl", *cards, class_="cards"))


def _contents(sections: list[Markup]) -> Markup:
    titles = ("Data", "Network", "Gradient check", "Training", "Results", "Weights", "Neurons")
    keys = ("data", "network", "gradient", "training", "results", "weights", "neurons")
    pairs = [*zip(keys, titles, strict=True), ("again", "Again")]
    links = [tag("a", title, href=f"#{key}") for key, title in pairs]
    return tag("nav", *links, aria_label="Contents")


def _reproduction(subject: Subject) -> Markup:
    """Command, options, versions: what it takes to get the same model again."""
    parts: list[Any] = []
    for label, command in (
        ("This report was made by", subject.command),
        ("The model was made by", subject.made.get("command")),
    ):
        if command:
            shown = tag("pre", tag("code", command), tabindex="0", aria_label="command")
            parts += [tag("p", f"{label}:"), shown]
    options = [
        (name, tag("code", _brief(value)))
        for name, value in sorted(subject.model.get_params(deep=False).items())
        if value is not None
    ]
    made = [(name, value) for name, value in subject.made.items() if name != "command"]
    parts.append(data_table(("library", "version"), list(versions().items()), (), "Versions here"))
    if made:
        parts.append(data_table(("library", "version"), made, (), "Versions that it was made with"))
    call = f"Options of {type(subject.model).__name__}"
    parts.append(data_table(("option", "value"), options, (), call))
    return section("again", "To get it again", *parts)


def _brief(value: Any) -> str:
    if isinstance(value, np.generic):
        value = value.item()
    text = " ".join(repr(value).split())
    return text if len(text) <= 200 else text[:199] + "…"
