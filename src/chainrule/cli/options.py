"""What the commands can be told, as plain data that their files take."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from chainrule.errors import OptionError, describe
from chainrule.networks import ACTIVATIONS


class ModelName(StrEnum):
    """The rungs of the ladder, by the name typed."""

    ONE_VS_ALL = "one-vs-all"
    SOFTMAX = "softmax"
    MLP = "mlp"


class Solver(StrEnum):
    """Full batch as far as "gd"; the rest go over mini-batches."""

    CG = "cg"
    LBFGS = "lbfgs"
    BFGS = "bfgs"
    TNC = "tnc"
    NEWTON_CG = "newton-cg"
    GD = "gd"
    SGD = "sgd"
    ADAM = "adam"
    ADAMW = "adamw"
    RMSPROP = "rmsprop"
    NESTEROV = "nesterov"

    @property
    def is_full_batch(self) -> bool:
        """Whether each step looks at all rows."""
        return list(Solver).index(self) <= list(Solver).index(Solver.GD)


class Task(StrEnum):
    """What is learnt of a table's target."""

    CLASSIFICATION = "classification"
    REGRESSION = "regression"


class PresetName(StrEnum):
    """Recipes of RealMLP."""

    TD = "td"
    TD_S = "td-s"


@dataclass(frozen=True)
class ModelOptions:
    """Which model, and where it starts. ``None`` leaves the choice to the command.

    Attributes
    ----------
    model : ModelName or None
    hidden : tuple of int or None
        Neurons of each hidden layer.
    activation : str or None
    alpha : float
        λ of the penalty λ/2 · Σ‖W‖², beside the mean loss over the rows; the same for all models.
    seed : int
    """

    model: ModelName | None = None
    hidden: tuple[int, ...] | None = None
    activation: str | None = None
    alpha: float = 1e-4
    seed: int = 0

    def __post_init__(self) -> None:
        if self.activation is not None and self.activation not in ACTIVATIONS:
            known = f"one of {', '.join(ACTIVATIONS)}"
            raise OptionError(describe("--activation", known, repr(self.activation)))

    @property
    def names_a_model(self) -> bool:
        """Whether anything was said about which model."""
        return (self.model, self.hidden, self.activation) != (None, None, None)


@dataclass(frozen=True)
class TrainOptions:
    """Everything that ``chainrule train`` can be told besides the model."""

    source: str
    target: str | None = None
    solver: Solver = Solver.CG
    max_iter: int | None = None
    batch_size: int | None = None
    save: Path | None = None
    pictures: Path | None = None
    report: Path | None = None
    checkpoint: Path | None = None
    checkpoint_every: int = 10
    resume: bool = False

    def __post_init__(self) -> None:
        if self.resume and self.checkpoint is None:
            raise OptionError(describe("--resume", "--checkpoint FOLDER with it", "none"))


@dataclass(frozen=True)
class TableOptions:
    """What ``chainrule train FILE.csv`` can be told.

    Attributes
    ----------
    source : Path
    target : str
    task : Task or None
        None: as the target's values suggest.
    preset : PresetName
    max_time : float or None
        Seconds of training at most.
    max_iter : int or None
        Epochs.
    batch_size : int or None
    types : dict of str to str
        What columns are, where that is not to be inferred.
    seed : int
    save, report : Path or None
    """

    source: Path
    target: str
    task: Task | None = None
    preset: PresetName = PresetName.TD
    max_time: float | None = None
    max_iter: int | None = None
    batch_size: int | None = None
    types: dict[str, str] = field(default_factory=dict)
    seed: int = 0
    save: Path | None = None
    report: Path | None = None


@dataclass(frozen=True)
class FilesOptions:
    """What ``chainrule train`` can be told of files that need not fit into memory.

    Attributes
    ----------
    source : str
        A Parquet file, a folder, or a pattern.
    cluster : str or None
        The address of a Dask scheduler, or "local"; None: this process.
    memory : str
        What this process may hold of the rows.
    target, task, preset, max_time, max_iter, batch_size, types, seed, save
        As ``TableOptions``.
    checkpoint, checkpoint_every, resume
        As ``TrainOptions``.
    """

    source: str
    target: str
    cluster: str | None = None
    memory: str = "1GB"
    task: Task | None = None
    preset: PresetName = PresetName.TD
    max_time: float | None = None
    max_iter: int | None = None
    batch_size: int | None = None
    types: dict[str, str] = field(default_factory=dict)
    seed: int = 0
    save: Path | None = None
    checkpoint: Path | None = None
    checkpoint_every: int = 10
    resume: bool = False

    def __post_init__(self) -> None:
        if self.resume and self.checkpoint is None:
            raise OptionError(describe("--resume", "--checkpoint FOLDER with it", "none"))


def given(value: object) -> bool:
    """Whether an option was said."""
    return value is not None


def refuse_given(only: str, **options: object) -> None:
    """An ``OptionError`` where one of these was said."""
    for name, value in options.items():
        if value:
            flag = name.replace("_", "-")
            raise OptionError(describe(f"--{flag}", f"it with {only}", f"it without ({value})"))


def parse_types(given: Sequence[str]) -> dict[str, str]:
    """``["zip=categorical"]`` → ``{"zip": "categorical"}``."""
    types = {}
    for one in given:
        name, equals, kind = one.rpartition("=")
        if not (name and equals and kind):
            expected = "a column and its type, such as zip=categorical"
            raise OptionError(describe("--type", expected, repr(one)))
        types[name] = kind
    return types


def parse_hidden(text: str | None) -> tuple[int, ...] | None:
    """``"20,10"`` → ``(20, 10)``."""
    if text is None:
        return None
    if not re.fullmatch(r"\s*[1-9]\d*\s*([,\s]\s*[1-9]\d*\s*)*", text):
        expected = "the neurons of each hidden layer, such as 20 or 20,10"
        raise OptionError(describe("--hidden", expected, repr(text)))
    return tuple(int(size) for size in re.findall(r"\d+", text))
