"""Mini-batch training as an object: all of its state in one place, to stop and go on at will."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from chainrule.training.history import History
from chainrule.training.objective import Objective
from chainrule.training.schedules import Schedule
from chainrule.training.updates import Update


class Trainer:
    """Mini-batch training of an objective on given rows; ``minimize_batches`` runs it to the end.

    Batch after batch of ``batch_size`` rows: gradient of the weighted mean loss of the batch plus
    penalty, clipped, then the update rule at the rate of the schedule.

    Parameters
    ----------
    objective : Objective
    X, y, sample_weight
        As ``objective(theta, X, y, sample_weight)`` takes them. ``bind`` replaces them later.
    theta0 : ndarray of shape (parameters,)
        Where to start (copied); its precision, float32 or float64, is the one computed in.
    update : Update or str
        ``SGD``, ``Momentum``, ``Nesterov``, ``RMSProp``, ``Adam``, ``AdamW``; holds the base
        learning rate.
    schedule : Schedule or str
        ``Constant``, ``Step``, ``InverseScaling``, ``Cosine``, ``OneCycle``, ``CosLog``,
        ``FlatCosine``, ``Plateau``, ``Adaptive``.
    batch_size : int
        Rows of a batch; clipped to the number of rows.
    max_epochs : int
        The length of the run, which schedules of progress look at.
    shuffle : bool
        A new order of the rows in every epoch, the same for the same seed.
    window : int, optional
        Shuffle in windows of this many neighbouring rows (for memory-mapped X).
    order : callable, optional
        ``order(epoch)``: row numbers in the order in which to visit them, in place of ``shuffle``.
    seed : int
        Of shuffling and of dropout.
    penalty_scale : {"mean", "batch"}
        "mean": the penalty as the objective has it. "batch": divided by the batch's sum of
        weights, as scikit-learn's ``alpha`` is; an epoch's loss is then the mean of the
        batches' losses weighted by their numbers of rows, as in scikit-learn, else by their sums
        of weights.
    clip_norm : float, optional
        Scale a batch's gradient down to this Euclidean norm where it is longer.
    rate_factors, decay_factors : mapping of parameter name to float, optional
        Multiply the learning rate; ``AdamW``'s ``weight_decay`` (default: 1 for matrices, 0 for
        vectors; names not given keep their default).
    drop_last : bool
        Leave out the last batch of an epoch where it is not full.
    tol : float
        What counts as better: by more than this.
    n_iter_no_change : int, optional
        ``finished`` is set after more than this many epochs in a row that are not better, in
        loss or, where there is a ``validation``, in score. ``None``: never.
    validation : callable, optional
        ``validation(theta)`` after every epoch: a score, greater is better, or a
        ``Validation(score, loss)``.
    ties : {"first", "last"}
        Which of several epochs with the best score is the best.
    n_threads : int, optional
        Of the compiled engine. The result has the same bits for any number.

    Attributes
    ----------
    theta : ndarray
        The parameters now.
    slots : tuple of ndarray
        What the update rule remembers.
    step : int
        Updates made.
    epoch : int
        Epochs finished.
    batch : int
        Batches made of the epoch that is under way.
    rows_seen : int
        Rows trained on (scikit-learn's ``t_``).
    history : History
    best_theta, best_epoch, best_score, best_loss
        Of the epoch with the best score (with a validation) or the lowest loss.
    no_improvement : int
        Epochs in a row that were not better.
    finished : str or None
        Why training has ended, once it has.
    learning_rate : float
        Of the batch to come.
    """

    theta: np.ndarray
    slots: tuple[np.ndarray, ...]
    step: int
    epoch: int
    batch: int
    rows_seen: int
    history: History

    def __init__(
        self,
        objective: Objective,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        theta0: np.ndarray,
        update: Update | str = "adam",
        schedule: Schedule | str = "constant",
        batch_size: int = 256,
        max_epochs: int = 200,
        shuffle: bool = True,
        window: int | None = None,
        order: Callable[[int], np.ndarray] | None = None,
        seed: int = 0,
        penalty_scale: str = "mean",
        clip_norm: float | None = None,
        rate_factors: Mapping[str, float] | None = None,
        decay_factors: Mapping[str, float] | None = None,
        drop_last: bool = False,
        tol: float = 1e-4,
        n_iter_no_change: int | None = 10,
        validation: Callable[[np.ndarray], Any] | None = None,
        ties: str = "first",
        n_threads: int | None = None,
    ) -> None:
        raise NotImplementedError

    def bind(self, X: Any, y: Any, sample_weight: Any = None) -> None:
        """Go on with these rows (``partial_fit``, a playground whose data change)."""
        raise NotImplementedError

    def run_epoch(self) -> dict[str, float]:
        """To the end of the epoch, then validation, history, schedule; the history's new row.

        Raises
        ------
        NumericalError
            With step, layer and likely cause; ``.theta`` holds the last good parameters.
        KeyboardInterrupt
            From Ctrl-C; θ and state are those after the last finished batch.
        """
        raise NotImplementedError

    def run(self, batches: int) -> np.ndarray:
        """So many batches in one go, over the ends of epochs; the loss of each batch.

        The losses are those before each batch's update, penalty included. History, validation
        and schedules that react take note of the epochs that end, but ``validation`` is called
        once at most, after the last batch, and ``history`` gets one row for each ended epoch.
        """
        raise NotImplementedError

    def state_dict(self) -> dict[str, Any]:
        """All state as plain data: ``{"arrays": name → ndarray, "numbers": JSON-able values}``.

        A trainer made with the same arguments that loads it goes on to the same bits.
        """
        raise NotImplementedError

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what ``state_dict`` gave; refuses other sizes, precision or rules."""
        raise NotImplementedError
