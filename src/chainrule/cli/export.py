"""``chainrule export``: a model in another format."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from chainrule.cli.console import check_writable, out
from chainrule.cli.keeping import load_model
from chainrule.errors import OptionError, describe

TARGETS = {
    "onnx": ("to_onnx", ".onnx", "read it with onnxruntime.InferenceSession"),
    "numpy": ("to_numpy", ".py", "import it, or run it on a table of numbers"),
    "torch": ("to_torch", ".pt2", "read it with torch.export.load(…).module()"),
}
"""Of each format: the function, the suffix, and how its file is used."""


def run(path: Path, wanted: dict[str, bool], output: Path | None) -> None:
    """Write the model in ``path`` in the one format that is wanted."""
    chosen = [name for name, is_wanted in wanted.items() if is_wanted]
    if len(chosen) != 1:
        expected = "one of " + ", ".join(f"--{name}" for name in TARGETS)
        came = " and ".join(f"--{name}" for name in chosen) or "none"
        raise OptionError(describe("chainrule export", expected, came))
    function, suffix, use = TARGETS[chosen[0]]
    target = output or path.with_suffix(suffix)
    check_writable(target, "--output")
    kept = load_model(path)
    if kept.columns is not None:
        kept.model.feature_names_in_ = list(kept.columns)
    getattr(import_module("chainrule.exchange"), function)(kept.model, target)
    out().print(f" {target}: {use}", soft_wrap=True)
