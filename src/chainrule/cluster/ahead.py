"""The next piece is read while this one is used."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def ahead(function: Callable[[int], Any], numbers: Iterable[int]) -> Iterator[Any]:
    """``map(function, numbers)``, the next result made in a thread while this one is used."""
    with ThreadPoolExecutor(1, "chainrule-reader") as reader:
        waiting = None
        for number in numbers:
            coming = reader.submit(function, number)
            if waiting is not None:
                yield waiting.result()
            waiting = coming
        if waiting is not None:
            yield waiting.result()
