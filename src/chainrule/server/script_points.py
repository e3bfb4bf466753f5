"""The lines of a script that make the points of a run, and what the network reads of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chainrule.server.images import IMAGE_SETS
from chainrule.server.learning import precision
from chainrule.server.modelfile import MODEL_FILE
from chainrule.server.own import Own, image_options


def points_imports(settings: Mapping[str, Any], own: Own | None) -> list[str]:
    """What those lines need."""
    if settings["dataset"] in IMAGE_SETS:
        return ["from chainrule.server.images import points_of_images"]
    if settings["dataset"] not in ("drawn", "own"):
        return ["from chainrule.server.points import features, make_points"]
    features = "from chainrule.server.points import features"
    if settings["dataset"] == "drawn":
        return ["from chainrule.server.drawing import points_of_drawing", features]
    if own is not None and own.points is None:
        module, function = _reader(own)
        return [features, f"from chainrule.server.{module} import {function}"]
    return ["from chainrule.files import read_model", features]


def points_lines(settings: Mapping[str, Any], own: Own | None) -> str:
    """The points and their labels, those to learn from first."""
    share, seed = settings["train_percent"] / 100, settings["data_seed"]
    read = read_line(settings, own)
    labels = _own_labels(own)
    if settings["dataset"] == "drawn":
        return (
            f"points = points_of_drawing({settings['drawing']!r}, "
            f"train_share={share!r}, seed={seed})\n"
            f"{read}labels, n = points.y, points.n_train\n"
        )
    if settings["dataset"] in IMAGE_SETS:
        options = "".join(f", {name}={one!r}" for name, one in image_options(settings).items())
        return (
            f"points = points_of_images({settings['dataset']!r}{options})\n"
            f"{read}labels, n = points.y, points.n_train\n"
        )
    if settings["dataset"] != "own":
        return (
            f"points = make_points({settings['dataset']!r}, seed={seed}, "
            f"noise={settings['noise'] / 100!r}, n_classes={settings['n_classes']}, "
            f"train_share={share!r})\n"
            f"{read}labels, n = points.y, points.n_train\n"
        )
    if own is not None and own.points is None:
        return (
            f"with open({own.name!r}, 'rb') as file:\n"
            f"    points = {_reader(own)[1]}(file.read(), {list(own.columns)!r}, {own.target!r}, "
            f"{_reading(own)}train_share={share!r}, seed={seed})\n"
            f"{read}labels, n = points.y, points.n_train\n"
        )
    return (
        "# the points came from Python; the model file of the page holds them\n"
        f"arrays, header = read_model({MODEL_FILE!r})\n"
        "past = header['preprocessing']\n"
        f"{read}"
        f"labels, n = {labels}, header['history']['n_train']\n"
    )


def _reader(own: Own) -> tuple[str, str]:
    """The module and the function that read a CSV file as the page has read it."""
    if own.reading == "direct":
        return "tables", "points_of_csv"
    return "encoded", "points_of_table"


def _reading(own: Own) -> str:
    return "" if own.reading == "direct" else f"reading={own.reading!r}, "


def read_line(settings: Mapping[str, Any], own: Own | None) -> str:
    """The line that makes of points what the network reads; of images their bytes as they are."""
    if settings["dataset"] in IMAGE_SETS:
        return "X = points.X\n"
    points = "points.X"
    if settings["dataset"] == "own" and (own is None or own.points is not None):
        points = "arrays['points.X']"
        if own is not None and own.stack is not None:  # it reads what the model reads
            points += " / past['scale'] + past['offset']"
    dtype = precision(settings).__name__
    return f"X = features({points}, {settings['features']!r}).astype(np.{dtype})\n"


def _own_labels(own: Own | None) -> str:
    labels = "arrays['points.y']"
    if own is not None and own.stack is not None and not (own.points and own.points.classes):
        return f"past['target_offset'] + {labels} * past['target_scale']"
    return labels
