"""The native module: whether it is there, and what to do when it is not."""

from __future__ import annotations

import importlib
import os
import warnings
from functools import lru_cache
from types import ModuleType
from typing import Any

from chainrule.engine.threads import default_threads
from chainrule.errors import ChainruleError, EngineUnavailableWarning


class EngineError(ChainruleError, RuntimeError):
    """The compiled engine was required and is not there, or was given what it cannot run."""


INTERFACE = 2
"""What the native module says of itself; one of other sources would ignore what it is asked."""


@lru_cache(maxsize=1)
def _import() -> tuple[ModuleType | None, str]:
    """The module, or None and why it could not be loaded."""
    try:
        module = importlib.import_module("chainrule.engine._native")
    except ImportError as error:
        return None, str(error)
    if getattr(module, "interface", 1) != INTERFACE:
        return None, "it was built from the sources of another version"
    return module, ""


def _switched_off() -> bool:
    return os.environ.get("CHAINRULE_ENGINE", "").lower() == "off"


def available() -> bool:
    """Whether compiled code will be used: the module loads and CHAINRULE_ENGINE is not ``off``."""
    return not _switched_off() and _import()[0] is not None


def native() -> ModuleType | None:
    """The module; None when it is switched off or missing, with one warning when missing.

    Raises
    ------
    EngineError
        When it is missing and CHAINRULE_REQUIRE_ENGINE=1.
    """
    if _switched_off():
        return None
    module, reason = _import()
    if module is None:
        _complain(reason)
    return module


@lru_cache(maxsize=1)
def _warn(reason: str) -> None:
    warnings.warn(
        f"the compiled engine could not be loaded ({reason}); NumPy does the work, slower. "
        "Reinstall chainrule where a C++20 compiler is found to have it.",
        EngineUnavailableWarning,
        stacklevel=5,
    )


def _complain(reason: str) -> None:
    if os.environ.get("CHAINRULE_REQUIRE_ENGINE", "") not in ("", "0"):
        raise EngineError(
            "CHAINRULE_REQUIRE_ENGINE is set, but the compiled engine could not be loaded: "
            f"{reason}"
        )
    _warn(reason)


def info() -> dict[str, Any]:
    """What the engine is here: for ``chainrule info``.

    Returns
    -------
    dict
        ``compiled`` (bool), ``reason`` (why not, else ""), ``isa`` (instruction set in use),
        ``isas`` (all that this build and machine share), ``threads`` (the default).
    """
    module, reason = _import()
    if module is not None and _switched_off():
        reason = "CHAINRULE_ENGINE=off"
    return {
        "compiled": available(),
        "reason": reason,
        "isa": module.isa if module is not None else None,
        "isas": tuple(module.isas) if module is not None else (),
        "threads": default_threads(),
    }
