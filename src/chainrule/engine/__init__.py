"""The compiled engine: lowers a graph to a flat program and runs it over blocks of rows.

>>> compiled = engine.compile(row_loss, penalty, vector, dtype="float32")     # doctest: +SKIP
>>> compiled.sums(theta, X, y)             # Σ w·loss, Σ w, Σ w·gradient      # doctest: +SKIP
>>> compiled.run_batches(theta, state, X, y, rule=UpdateRule("adam"), ...)    # doctest: +SKIP

The NumPy rules are the definition; this is their compilation, proven equal by tests. Where the
native module is missing, or a graph holds an operation that is not lowered, ``compile`` returns
``None`` and NumPy does the work.
"""

from chainrule.engine.batches import BatchReport, Shuffle, UpdateRule, UpdateState
from chainrule.engine.compiled import CompiledObjective, compile
from chainrule.engine.loading import EngineError, available, info
from chainrule.engine.lowering import lower, unlowered
from chainrule.engine.program import Program
from chainrule.engine.threads import default_threads

__all__ = [
    "BatchReport",
    "CompiledObjective",
    "EngineError",
    "Program",
    "Shuffle",
    "UpdateRule",
    "UpdateState",
    "available",
    "compile",
    "default_threads",
    "info",
    "lower",
    "unlowered",
]
