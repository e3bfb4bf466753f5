"""Training: the objective, and what minimises it."""

from chainrule.training.batches import minimize_batches, run_to_end
from chainrule.training.callbacks import Callback, Progress
from chainrule.training.finder import RateFinder, find_learning_rate
from chainrule.training.history import History
from chainrule.training.live import LiveCurve
from chainrule.training.objective import Objective
from chainrule.training.partitions import InMemory, Partitions
from chainrule.training.recording import LayerHistograms, ParameterPath
from chainrule.training.result import Result
from chainrule.training.schedules import (
    SCHEDULES,
    Adaptive,
    Constant,
    Cosine,
    CosLog,
    Exponential,
    FlatCosine,
    InverseScaling,
    OneCycle,
    Plateau,
    Schedule,
    Step,
    make_schedule,
)
from chainrule.training.solvers import SOLVERS, minimize
from chainrule.training.sums import Sums
from chainrule.training.tracking import WriteCSV, WriteJSONLines
from chainrule.training.trainer import Trainer
from chainrule.training.updates import (
    SGD,
    UPDATES,
    Adam,
    AdamW,
    Momentum,
    Nesterov,
    RMSProp,
    Update,
    make_update,
)
from chainrule.training.validation import Validation

__all__ = [
    "SCHEDULES",
    "SGD",
    "SOLVERS",
    "UPDATES",
    "Adam",
    "AdamW",
    "Adaptive",
    "Callback",
    "Constant",
    "CosLog",
    "Cosine",
    "Exponential",
    "FlatCosine",
    "History",
    "InMemory",
    "InverseScaling",
    "LayerHistograms",
    "LiveCurve",
    "Momentum",
    "Nesterov",
    "Objective",
    "OneCycle",
    "ParameterPath",
    "Partitions",
    "Plateau",
    "Progress",
    "RMSProp",
    "RateFinder",
    "Result",
    "Schedule",
    "Step",
    "Sums",
    "Trainer",
    "Update",
    "Validation",
    "WriteCSV",
    "WriteJSONLines",
    "find_learning_rate",
    "make_schedule",
    "make_update",
    "minimize",
    "minimize_batches",
    "run_to_end",
]
