"""A compiled objective: what training and prediction call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from chainrule.engine.batches import BatchReport, Shuffle, UpdateRule, UpdateState
from chainrule.graph import Node

Inputs = Any  # an array, a CSR matrix, or a mapping of these by the input's name


class CompiledObjective:
    """A row loss and a penalty in compiled code; see ``compile``."""

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
        raise NotImplementedError

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
        raise NotImplementedError

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
            place of n, so it may also pick a part of the rows.
        penalty_by_weight : bool
            Divide the penalty by the sum of weights of the batch (scikit-learn's ``alpha``).
        clip_norm : float, optional
            Scale the gradient down to this Euclidean norm where it is longer.
        rate_factors, decay_factors : mapping from parameter name to float
            Multiply the learning rate, the rule's ``weight_decay``. Default 1.
        dropout_seed : int, optional
            Key of the masks. Default None: nothing is dropped.
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
        raise NotImplementedError


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
    """
    raise NotImplementedError
