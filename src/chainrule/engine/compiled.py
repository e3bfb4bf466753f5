"""A compiled objective: what training and prediction call."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np

from chainrule.engine.batches import BatchReport, Shuffle, UpdateRule, UpdateState
from chainrule.engine.data import native_rows, native_weight, refuse_rows
from chainrule.engine.loading import EngineError, native
from chainrule.engine.lowering import lower
from chainrule.engine.program import Program
from chainrule.engine.stretch import (
    check_epochs,
    check_state,
    room_for,
    row_numbers,
    spans,
    told,
)
from chainrule.engine.threads import default_threads
from chainrule.errors import GraphError, OptionError, ShapeError
from chainrule.graph import Node

Inputs = Any  # an array, a CSR matrix, or a mapping of these by the input's name


class CompiledObjective:
    """A row loss and a penalty in compiled code; see ``compile``.

    One object may be used by several Python threads at once.

    Attributes
    ----------
    program : Program
        What runs; ``program.describe()`` prints it.
    dtype : dtype
        Precision of the computation and of θ.
    """

    def __init__(self, row_loss: Node, program: Program, vector: Any, module: Any) -> None:
        self.row_loss = row_loss
        self.program = program
        self.vector = vector
        self.dtype = np.dtype(program.precision)
        self._module = module
        self._machine = _machine(module, program)
        self._outputs: dict[Node, tuple[Program, Any]] = {}

    def forward(
        self,
        theta: np.ndarray,
        inputs: Inputs,
        output: Node | None = None,
        *,
        n_threads: int | None = None,
        check_finite: bool = False,
    ) -> np.ndarray:
        """The value of ``output`` for every row, in the program's precision.

        Parameters
        ----------
        theta : ndarray (n_parameters,)
            Of the program's precision.
        inputs : array, CSR matrix, or mapping of them by name
            uint8, int32, int64, float32 or float64; any strides; read only and memory-mapped
            arrays included. Converted block by block, never copied whole.
        output : Node, optional
            A node that the row loss is computed from. Default: the row loss itself (which then
            needs no target unless it reads one: a target is not accepted here).
        n_threads : int, optional
            Default: ``default_threads()``. The result has the same bits for any number.
        check_finite : bool
            Refuse NaN and infinity in ``inputs`` (``DataError`` with the row), while gathering.
        """
        program, machine = self._forward_program(self.row_loss if output is None else output)
        arrays, rows = native_rows(program, inputs, None)
        out = np.empty((rows, *program.output_shape), self.dtype)
        outcome = machine.forward(
            self._theta(theta), arrays, out.reshape(-1), _threads(n_threads), check_finite
        )
        if outcome[1] == "trouble":
            refuse_rows(program, outcome[3:])
        return out

    def _forward_program(self, output: Node) -> tuple[Program, Any]:
        if output not in self._outputs:
            program = lower(output, self.vector, dtype=self.dtype, gradient=False)
            if program.not_lowered:
                raise GraphError(f"the engine cannot compute {program.not_lowered[0]}")
            self._outputs[output] = program, _machine(self._module, program)
        return self._outputs[output]

    def _theta(self, theta: np.ndarray, *, change: bool = False) -> np.ndarray:
        if theta.shape != (self.vector.size,) or theta.dtype != self.dtype:
            raise ShapeError(
                f"theta must be {self.vector.size} numbers of {self.dtype}, "
                f"got {theta.shape} of {theta.dtype}"
            )
        if change and not (theta.flags.c_contiguous and theta.flags.writeable):
            raise ShapeError("theta is changed in place: it must be contiguous and writeable")
        return np.ascontiguousarray(theta)

    def sums(
        self,
        theta: np.ndarray,
        inputs: Inputs,
        target: np.ndarray | None = None,
        weight: np.ndarray | None = None,
        *,
        n_threads: int | None = None,
        check_finite: bool = False,
    ) -> tuple[float, float, np.ndarray]:
        """(Σ w·loss, Σ w, Σ w·gradient): plain sums over rows, without the penalty.

        Sums over parts of the rows add up to the sums over all. The gradient is float64 whatever
        the precision of θ; no mask drops anything. ``weight`` defaults to ones.
        """
        self._require_loss()
        arrays, rows = native_rows(self.program, inputs, target)
        gradient = np.empty(self.vector.size)
        loss, total, outcome = self._machine.sums(
            self._theta(theta), arrays, native_weight(weight, rows), gradient,
            _threads(n_threads), check_finite,
        )  # fmt: skip
        if outcome[1] == "trouble":
            refuse_rows(self.program, outcome[3:])
        return loss, total, gradient

    def penalty(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """½ Σ λ₂ θ² + Σ λ₁ |θ| and its gradient, in θ's precision."""
        theta, (l1, l2) = self._theta(theta), self._strengths
        with np.errstate(all="ignore"):  # a θ that is too large shows in what comes out
            slope = l2 * theta
            cost = 0.5 * float((slope * theta).sum(dtype=np.float64))
            if l1 is not None:
                cost += float((l1 * np.abs(theta)).sum(dtype=np.float64))
                slope += l1 * np.sign(theta)
        return cost, slope

    @cached_property
    def _strengths(self) -> tuple[np.ndarray | None, np.ndarray]:
        """λ₁ (None where there is none) and λ₂ along θ."""
        along = np.zeros((2, self.vector.size), self.dtype)
        for row, named in zip(along, (self.program.l1, self.program.l2), strict=True):
            for name, strength in named.items():
                row[self.vector.slices[name]] = strength
        return (along[0] if self.program.l1 else None), along[1]

    def _require_loss(self) -> None:
        if self.program.weight_at < 0:
            raise GraphError(f"{self.row_loss.label} is not one number a row: it has no gradient")

    def run_batches(
        self,
        theta: np.ndarray,
        state: UpdateState,
        inputs: Inputs,
        target: np.ndarray | None = None,
        weight: np.ndarray | None = None,
        *,
        rule: UpdateRule,
        learning_rate: float | np.ndarray,
        batch_size: int,
        n_batches: int | None = None,
        first_batch: int = 0,
        order: Shuffle | np.ndarray | None = None,
        drop_last: bool = False,
        penalty_by_weight: bool = False,
        clip_norm: float | None = None,
        rate_factors: Mapping[str, float] | None = None,
        decay_factors: Mapping[str, float] | None = None,
        dropout_seed: int | None = None,
        decay: np.ndarray | None = None,
        dropout: np.ndarray | None = None,
        after_epochs: np.ndarray | None = None,
        n_threads: int | None = None,
        check_finite: bool = False,
        stop: np.ndarray | None = None,
    ) -> BatchReport:
        """A stretch of mini-batches in one call; θ and ``state`` are changed in place.

        Batch k (counted from the start of training) is batch ``k mod m`` of epoch ``k div m``,
        m = ceil(n / batch_size) (floor with ``drop_last``): rows at positions
        [(k mod m)·batch_size, …) of that epoch's order. Its gradient is
        Σ w·gradient / Σ w + gradient of the penalty.

        Parameters
        ----------
        learning_rate : float or array of n_batches floats
            One rate, or one for each batch of this stretch.
        n_batches : int, optional
            Length of the stretch; may run over several epochs. Default: to the end of the epoch.
        first_batch : int
            Number of the first batch since the start of training; with ``Shuffle`` the epoch is
            ``first_batch div m``; dropout masks are drawn for step ``first_batch + i``.
        order : Shuffle, array of row numbers, or None
            None: as the rows stand. An array: the same order in every epoch; its length takes the
            place of n, so it may also pick a part of the rows. A matrix: a row for each epoch,
            the first for that of ``first_batch``.
        penalty_by_weight : bool
            Divide the penalty by the sum of weights of the batch (scikit-learn's ``alpha``).
        clip_norm : float, optional
            Scale the gradient down to this Euclidean norm where it is longer.
        rate_factors, decay_factors : mapping from parameter name to float
            Multiply the learning rate, the rule's ``weight_decay``. Default 1.
        dropout_seed : int, optional
            Key of the masks. Default None: nothing is dropped.
        decay, dropout : array of n_batches floats in [0, 1], optional
            Factors of the rule's ``weight_decay`` and of the rates of all masks, one a batch.
        after_epochs : ndarray of shape (epochs, parameters), optional
            θ at the end of each epoch that ends within this stretch is written here, a row each.
        stop : ndarray of one uint8, optional
            Set it to 1 from another thread to stop within 50 ms.

        Returns
        -------
        BatchReport

        Raises
        ------
        KeyboardInterrupt
            From Ctrl-C, within 50 ms; θ and the state are those of the last finished batch.
        """
        self._require_loss()
        arrays, rows = native_rows(self.program, inputs, target)
        if isinstance(order, np.ndarray):
            order = row_numbers(order)
        length = order.shape[-1] if isinstance(order, np.ndarray) else rows
        size = min(operator.index(batch_size), length)
        if size < 1:
            raise OptionError(f"batch_size must be at least 1 and there must be rows, got {size}")
        per_epoch = length // size if drop_last else -(-length // size)
        count = per_epoch - first_batch % per_epoch if n_batches is None else n_batches
        check_epochs(order, (first_batch % per_epoch + count - 1) // per_epoch + 1)
        ends = (first_batch % per_epoch + count) // per_epoch
        kept = room_for(after_epochs, ends, self.vector.size, self.dtype)
        rates = np.ascontiguousarray(learning_rate, np.float64).reshape(-1)
        if len(rates) not in (1, count):
            raise OptionError(f"expected 1 or {count} learning rates, got {len(rates)}")
        report = np.zeros((4, count))
        decays = rule.kind == "adamw" and rule.weight_decay != 0
        options = {
            "rule": "adam" if rule.kind == "adamw" else rule.kind,
            "momentum": rule.momentum,
            "rho": rule.rho,
            "beta_1": rule.beta_1,
            "beta_2": rule.beta_2,
            "epsilon": rule.epsilon,
            "weight_decay": rule.weight_decay if decays else 0.0,
            "clip_norm": 0.0 if clip_norm is None else float(clip_norm),
            "spans": spans(
                self.program, self.vector, rate_factors or {}, decay_factors or {}, decays
            ),
            "batch_size": size,
            "first_batch": operator.index(first_batch),
            "n_batches": count,
            "step": state.step,
            "drop_last": bool(drop_last),
            "penalty_by_weight": bool(penalty_by_weight),
            "threads": _threads(n_threads),
            "dropout_seed": dropout_seed,
            "decay": None if decay is None else np.asarray(decay, np.float64).tolist(),
            "dropout": None if dropout is None else np.asarray(dropout, np.float64).tolist(),
            "after_epochs": kept,
            "stop": stop,
            "check_finite": bool(check_finite),
            "order": (order.seed, order.window or 0) if isinstance(order, Shuffle) else order,
        }
        check_state(state, rule, self.vector.size, self.dtype)
        try:
            outcome, raised = self._machine.run_batches(
                self._theta(theta, change=True), list(state.slots), arrays,
                native_weight(weight, rows), rates, *report, options,
            )  # fmt: skip
        except IndexError:
            raise OptionError(f"order names rows outside [0, {rows})") from None
        state.step += outcome[0]
        if raised is not None:
            raise raised
        if outcome[1] == "trouble":
            refuse_rows(self.program, outcome[3:])
        return told(outcome, self.vector, report)


def compile(
    row_loss: Node,
    penalty: Node | None,
    vector: Any,
    dtype: Any = "float64",
) -> CompiledObjective | None:
    """A compiled objective, or None where NumPy must do the work.

    None when the native module is missing, or when a node of ``row_loss`` or ``penalty`` is not
    lowered: ``lower(row_loss, vector, penalty).not_lowered`` names it.

    Parameters
    ----------
    row_loss : Node of shape ("rows",)
        For prediction alone any node with rows does: then only ``forward`` can be called.
    penalty : Node of shape (), optional
        Sums of ``l1`` and ``l2`` of parameters.
    vector : ParameterVector
        Says where each parameter lies in θ (``slices``, ``shapes``, ``size``).
    dtype : "float32" or "float64"
        Precision of the computation and of θ.

    Raises
    ------
    EngineError
        When the native module is required (CHAINRULE_REQUIRE_ENGINE=1) and missing.
    """
    module = native()
    if module is None:
        return None
    program = lower(row_loss, vector, penalty, dtype)
    if program.not_lowered:
        return None
    return CompiledObjective(row_loss, program, vector, module)


def _machine(module: Any, program: Program) -> Any:
    kind = module.MachineFloat32 if program.precision == "float32" else module.MachineFloat64
    try:
        return kind(program.to_native())
    except ValueError as error:
        raise EngineError(f"the engine refused its own program: {error}") from error


def _threads(n_threads: int | None) -> int:
    return default_threads() if n_threads is None else max(1, operator.index(n_threads))
