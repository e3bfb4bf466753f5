"""Options and results as plain data, and back: what JSON holds, tuples and a few descriptions.

JSON knows no tuples, no infinities, and nothing of update rules, schedules and layers. They are
written as an object with one key that says what they are; a dictionary of the user's is written
as a list of pairs, so that it cannot be taken for one of them.
"""

from __future__ import annotations

import dataclasses
import math
import re
from typing import Any

import numpy as np

from chainrule.errors import FileFormatError, WrongTypeError
from chainrule.networks import Dense, Dropout, Embedding, Initializer, LayerNorm
from chainrule.training import SCHEDULES, UPDATES

DESCRIPTIONS: dict[str, type[Any]] = {
    **{f"update {name}": one for name, one in UPDATES.items()},
    **{f"schedule {name}": one for name, one in SCHEDULES.items()},
    **{f"layer {one.__name__}": one for one in (Dense, Dropout, Embedding, LayerNorm)},
    "initializer": Initializer,
}
"""What can be stored by its name and its fields: plain descriptions, made by their own rules."""

NAMES = {kind: name for name, kind in DESCRIPTIONS.items()}


def to_plain(where: str, value: Any) -> Any:
    """``value`` as JSON holds it.

    Raises
    ------
    WrongTypeError
        When it is something else, a function for instance; ``where`` names it.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": str(value)}
    if isinstance(value, list):
        return [to_plain(where, one) for one in value]
    if isinstance(value, tuple):
        return {"tuple": [to_plain(where, one) for one in value]}
    if isinstance(value, dict):
        return {"dict": [[to_plain(where, k), to_plain(where, v)] for k, v in value.items()]}
    if isinstance(value, np.ndarray):
        return {"array": array_to_plain(where, value)}
    if type(value) in NAMES:
        fields = [(one.name, getattr(value, one.name)) for one in dataclasses.fields(value)]
        return {NAMES[type(value)]: {name: to_plain(where, one) for name, one in fields}}
    raise WrongTypeError(
        f"{where}: a model file holds plain data, not {type(value).__name__} ({value!r}). "
        f"Set it to something plain first, for instance with set_params, or use pickle."
    )


def from_plain(data: Any) -> Any:
    """What ``to_plain`` was given.

    Raises
    ------
    FileFormatError
        When ``data`` was not made by ``to_plain``.
    """
    if isinstance(data, list):
        return [from_plain(one) for one in data]
    if not isinstance(data, dict):
        return data  # JSON knows nothing else that is not plain
    if len(data) != 1:
        raise FileFormatError(f"expected an object with one key; came {sorted(map(str, data))}")
    ((kind, content),) = data.items()
    if kind == "float":
        return float(content)
    if kind == "tuple":
        return tuple(from_plain(content))
    if kind == "dict":
        return {from_plain(key): from_plain(value) for key, value in content}
    if kind == "array":
        return array_from_plain(content)
    if kind in DESCRIPTIONS:
        return DESCRIPTIONS[kind](**{name: from_plain(one) for name, one in content.items()})
    raise FileFormatError(f"{kind!r} is unknown here; the file may come from a newer version")


def array_to_plain(where: str, array: np.ndarray) -> dict[str, Any]:
    """A small array of numbers or text (classes, names of columns) as plain data."""
    text = array.dtype.kind == "O" and all(isinstance(one, str) for one in array.ravel())
    if array.dtype.kind not in "biufU" and not text:
        raise WrongTypeError(
            f"{where}: a model file holds numbers and text, not an array of {array.dtype}"
        )
    values = [to_plain(where, one) for one in array.ravel().tolist()]
    return {"dtype": array.dtype.str, "shape": list(array.shape), "values": values}


_MOST_BYTES = 2**20
"""What an array of text may take besides a multiple of the text itself."""


def _length(values: list[Any]) -> int:
    return sum(len(one) + 1 for one in values if isinstance(one, str))


def array_from_plain(data: Any) -> np.ndarray:
    """What ``array_to_plain`` was given."""
    if not re.fullmatch(r"[<>|=]?[biufUO]\d{0,9}", str(data["dtype"])):
        raise FileFormatError(f"expected an array of numbers or text; came {data['dtype']!r}")
    dtype = np.dtype(data["dtype"])
    values = from_plain(data["values"])
    if not isinstance(values, list):
        raise FileFormatError(f"expected a list of values; came {type(values).__name__}")
    if dtype.kind == "U" and len(values) * dtype.itemsize > _MOST_BYTES + 64 * _length(values):
        raise FileFormatError(f"expected text of the length that its type says; came {dtype}")
    if dtype.kind == "O" and not all(isinstance(one, str) for one in values):
        raise FileFormatError("expected an array of text")
    return np.array(values, dtype=dtype).reshape(data["shape"])
