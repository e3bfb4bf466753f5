"""Mini-batch training as an object: all of its state in one place, to stop and go on at will."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any

import numpy as np

from chainrule.engine.batches import BatchReport, Shuffle, UpdateState
from chainrule.errors import NumericalError, OptionError
from chainrule.ops.options import integer, number
from chainrule.training.diagnosis import explain
from chainrule.training.history import History
from chainrule.training.numpy_backend import Order, batch_rows
from chainrule.training.objective import Objective
from chainrule.training.orders import OwnOrders
from chainrule.training.recipe import Recipe, check_count, check_factors, default_decay_factors
from chainrule.training.rows import PartitionedRows, bind_rows
from chainrule.training.schedules import Clock, Constant, Schedule, make_schedule, of_progress
from chainrule.training.stored import check_arrays, check_numbers
from chainrule.training.tally import TALLIED, added, columns, means
from chainrule.training.updates import Update, make_update
from chainrule.training.validation import Validation, as_validation
from chainrule.training.watch import Watch


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
    decay_schedule, dropout_schedule : Schedule or str
        Of ``AdamW``'s decay and of the rates of all masks, batch by batch; those that do not react
        to how training goes.
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
    check_finite : bool
        Refuse rows with NaN or infinity by a ``DataError`` when a batch meets them; training
        cannot go on from there.

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
    watch : Watch
        ``best``, ``best_epoch`` and ``best_theta`` of the epoch with the best score (with a
        validation) or the lowest loss; ``no_improvement``, epochs in a row that were not better.
    finished : str or None
        Why training has ended, once it has.
    stop : ndarray of one uint8
        Set it to 1, from any thread, to end a running stretch after the batch under way.
    seconds : float
        Spent in ``run`` and ``run_epoch``.
    """

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
        decay_schedule: Schedule | str = "constant",
        dropout_schedule: Schedule | str = "constant",
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
        check_finite: bool = False,
    ) -> None:
        self.objective = objective
        self.rule = make_update(update)
        self.schedule = make_schedule(schedule)
        self.decay_schedule = of_progress("decay_schedule", decay_schedule)
        self.dropout_schedule = of_progress("dropout_schedule", dropout_schedule)
        theta0 = objective.vector.check(theta0)
        self.theta = np.array(theta0, np.float32 if theta0.dtype == np.float32 else np.float64)
        masks = objective.rows.masks
        self.recipe = Recipe(
            update=self.rule,
            batch_size=check_count("batch_size", batch_size),
            drop_last=drop_last,
            penalty_by_weight=one_of("penalty_scale", penalty_scale, ("mean", "batch")) == "batch",
            clip_norm=None if clip_norm is None else number(above=0)("clip_norm", clip_norm),
            rate_factors=check_factors("rate_factors", rate_factors, objective.vector),
            decay_factors={
                **default_decay_factors(objective.vector),
                **check_factors("decay_factors", decay_factors, objective.vector),
            },
            dropout_seed=_seed(seed) if masks else None,
            n_threads=n_threads,
            check_finite=check_finite,
        )
        self.max_epochs = check_count("max_epochs", max_epochs)
        self.shuffle = Shuffle(_seed(seed), window) if shuffle else None
        self.order = order
        self.validation = validation
        self.watch = Watch(self.theta.copy(), validation is not None, tol, n_iter_no_change, ties)
        self.state = UpdateState(0, tuple(np.zeros_like(self.theta) for _ in self.rule.slots))
        self.memory = self.schedule.fresh_memory()
        self.epoch = self.batch = self.rows_seen = 0
        self.history = History()
        self.finished: str | None = None
        self.stop = np.zeros(1, np.uint8)
        self.seconds = 0.0
        self._tally = np.zeros(TALLIED)
        self._good = self.theta.copy()
        self.bind(X, y, sample_weight)
        self.backend = (
            self.rows.backend(objective, self.theta.dtype)
            if isinstance(self.rows, PartitionedRows)
            else objective.backend(self.theta.dtype)
        )

    @property
    def slots(self) -> tuple[np.ndarray, ...]:
        """What the update rule remembers."""
        return self.state.slots

    @property
    def step(self) -> int:
        """Updates made."""
        return self.state.step

    @property
    def batches_per_epoch(self) -> int:
        """How many batches an epoch has."""
        return self.recipe.batches_per_epoch(self.rows.count)

    @property
    def learning_rate(self) -> float:
        """The rate of the batch to come."""
        return float(self._rates(1)[0])

    def bind(self, X: Any, y: Any, sample_weight: Any = None) -> None:
        """Go on with these rows (``partial_fit``, a playground whose data change).

        An epoch that is under way is given up; the next batch is the first of a new one.
        """
        self.rows = bind_rows(self.objective.rows, X, y, sample_weight)
        self.batch = 0
        self._forget_orders()

    def run_epoch(self) -> dict[str, Any]:
        """To the end of the epoch, then validation, schedule and history; the history's new row.

        Raises
        ------
        NumericalError
            With step, layer and likely cause; ``.theta`` holds the last good parameters.
        KeyboardInterrupt
            From Ctrl-C or ``stop``; θ and state are those after the last finished batch.
        """
        begin, epoch = perf_counter(), self.epoch
        try:
            rate = self._stretch(self.batches_per_epoch - self.batch)[1]
        finally:
            self.seconds += perf_counter() - begin
        if self.epoch == epoch:
            raise KeyboardInterrupt
        begin = perf_counter()
        said = None if self.validation is None else as_validation(self.validation(self.theta))
        self.seconds += perf_counter() - begin
        tally, thetas = self._tally[:, None], self.theta[None]
        self._epochs_ended(tally, [rate], [self.seconds], [said] if said else None, thetas)
        return self.history[-1]

    def run_epochs(self, count: int) -> int:
        """Up to ``count`` epochs as ``run_epoch`` makes them; how many were made.

        Several are made in one go where nothing has to look in between: no schedule that reacts,
        and not before training may be ``finished``; a ``validation`` then looks at θ as it was
        after each of them. The same bits and the same history (but for the seconds, which are
        spread evenly).
        """
        left = self.watch.at_least_left
        count = check_count("count", count) if left is None else min(count, left)
        if self.validation is not None:
            count = min(count, max(1, MOST_KEPT // self.theta.nbytes))
        if count == 1 or self.schedule.reacts or self.batch > 0:
            self.run_epoch()
            return 1
        if self._own is not None:
            count = self._own.at_most(count)
        begin, start = perf_counter(), self._position()
        rates = self._rates(count * self.batches_per_epoch)
        thetas = None
        if self.validation is not None:
            thetas = np.empty((count, self.theta.size), self.theta.dtype)
        try:
            blind = self._run_blindly(rates, count, thetas)
        except BaseException:  # from the validation: as if none of these epochs had been made
            self._go_back(start)
            raise
        if blind is None:  # something went wrong: again, and look
            self._go_back(start)
            self.run_epoch()
            return 1
        elapsed = perf_counter() - begin
        per_epoch = self.batches_per_epoch
        seconds = self.seconds + elapsed / count * np.arange(1, count + 1)
        told = rates[per_epoch - 1 :: per_epoch].tolist(), seconds.tolist()
        self._epochs_ended(blind[0], *told, blind[1], thetas)
        self.seconds += elapsed
        return count

    def run(self, batches: int) -> np.ndarray:
        """So many batches in one go, over the ends of epochs; the loss of each batch.

        The losses are those before each batch's update, penalty included; fewer than asked for
        where ``stop`` was set. Validation, history and schedules that react to them look at whole
        epochs made by ``run_epoch`` alone.
        """
        begin = perf_counter()
        try:
            return self._stretch(check_count("batches", batches))[0]
        finally:
            self.seconds += perf_counter() - begin

    def state_dict(self) -> dict[str, Any]:
        """All state as plain data: ``{"arrays": name → ndarray, "numbers": JSON-able values}``.

        A trainer made with the same arguments that loads it goes on to the same bits; an ``order``
        of one's own takes part where it has ``state_dict`` and ``load_state_dict`` as well.
        """
        state = self.snapshot()
        state["numbers"]["history"] = self.history.to_dict(nan=None)
        return state

    def snapshot(self) -> dict[str, Any]:
        """``state_dict`` without the history, which only grows: how many rows it has."""
        arrays = {"theta": self.theta.copy(), "best_theta": self.watch.best_theta.copy()}
        arrays |= {
            name: slot.copy() for name, slot in zip(self.rule.slots, self.slots, strict=True)
        }
        numbers = {name: getattr(self, name) for name in _COUNTERS}
        numbers |= {
            "rule": self.rule.kind,
            "step": self.step,
            "tally": self._tally.tolist(),
            "schedule": dict(self.memory),
            "watch": self.watch.numbers(),
            "rows_of_history": len(self.history),
        }
        if hasattr(self.order, "state_dict"):
            own = self.order.state_dict()  # type: ignore[union-attr]
            arrays |= own["arrays"]
            numbers["order"] = own["numbers"]
        return {"arrays": arrays, "numbers": numbers}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what ``state_dict`` gave; refuses another size, precision or update rule.

        Raises
        ------
        OptionError, ShapeError
            Where it is not the state of such a trainer; its own state may then be mixed.
        """
        arrays, numbers = state["arrays"], state["numbers"]
        if numbers["rule"] != self.rule.kind:
            raise OptionError(
                f"the state is of update rule {numbers['rule']!r}, this trainer has "
                f"{self.rule.kind!r}"
            )
        check_arrays(arrays, ("theta", "best_theta", *self.rule.slots), self.theta)
        check_numbers(numbers, self.batches_per_epoch, self.memory)
        self.theta[...] = arrays["theta"]
        for name, slot in zip(self.rule.slots, self.slots, strict=True):
            slot[...] = arrays[name]
        self.state.step = numbers["step"]
        for name in _COUNTERS:
            setattr(self, name, numbers[name])
        self.memory = dict(numbers["schedule"])
        self._tally = np.array(numbers["tally"], dtype=np.float64)
        self._forget_orders()
        if hasattr(self.order, "load_state_dict"):
            self.order.load_state_dict({"arrays": arrays, "numbers": numbers["order"]})  # type: ignore[union-attr]
        self._good = self.theta.copy()
        self.watch.restore(numbers["watch"], arrays["best_theta"])
        self.history = History(numbers["history"])

    # the parts of an epoch ---------------------------------------------------------------

    def _epochs_ended(
        self,
        tallies: np.ndarray,
        rates: list[float],
        seconds: list[float],
        said: list[Validation] | None,
        thetas: np.ndarray | None,
    ) -> None:
        """Early stopping, schedule and history take note of the epochs just made, one a column.

        ``said`` is what the validation said of each, ``thetas`` has θ after each where it did.
        """
        losses, norms = means(tallies)
        first = self.epoch - len(losses) + 1
        for i, loss in enumerate(losses):
            watched = loss if said is None else said[i].score
            self.watch.see(watched, first + i, self.theta if thetas is None else thetas[i])
            self.schedule.epoch_ends(self.memory, watched if said is None else -watched)
        if self.watch.stalled:
            self._stall(rates[-1])
        validation: dict[str, list[float]] = {}
        if said is not None:
            validation["validation_loss"] = [one.loss for one in said]
            validation["validation_score"] = [one.score for one in said]
        self.history.extend(
            len(losses),
            epoch=range(first, self.epoch + 1),
            loss=losses,
            gradient_norm=norms,
            learning_rate=rates,
            seconds=seconds,
            **validation,
        )

    def _stretch(self, batches: int) -> tuple[np.ndarray, float]:
        """Run batches, one order of the rows at a time; their losses and the last one's rate."""
        losses, rate = [], math.nan
        while batches > 0:
            count = batches
            if self.order is not None:  # an order of one's own is asked for epoch by epoch
                count = min(batches, self.batches_per_epoch - self.batch)
            rates = self._rates(count)
            report = self._run_stretch(rates)
            losses.append((report.losses + report.penalties)[: report.n_done])
            rate = float(rates[-1])
            batches -= count
            if report.n_done < count:
                break
        return losses[0] if len(losses) == 1 else np.concatenate(losses), rate

    def _run_stretch(self, rates: np.ndarray) -> BatchReport:
        first = self.epoch * self.batches_per_epoch + self.batch
        start, before = self.theta.copy(), self.state.step
        if self.batch == 0:
            self._tally[:] = 0
        try:
            report = self._run_batches(rates, first, self._order(first // self.batches_per_epoch))
        except KeyboardInterrupt:
            self._advance(first, self.state.step - before)
            raise
        if report.n_done:  # a batch's loss and gradient at these parameters were finite
            self._good = start
            self._add_up(report, first)
        self._advance(first, report.n_done)
        if report.stopped == "interrupted":
            self.stop[0] = 0
        elif report.stopped is not None:
            raise self._explain(report, first, float(rates[report.n_done]))
        return report

    def _run_batches(
        self, rates: np.ndarray, first: int, order: Order, thetas: np.ndarray | None = None
    ) -> BatchReport:
        return self.backend.run_batches(
            self.theta,
            self.state,
            self.rows,
            self.recipe,
            rates=rates,
            decay=self._levels(self.decay_schedule, len(rates)),
            dropout=self._levels(self.dropout_schedule, len(rates)),
            after_epochs=thetas,
            first_batch=first,
            order=order,
            stop=self.stop,
        )

    def _run_blindly(
        self, rates: np.ndarray, count: int, thetas: np.ndarray | None
    ) -> tuple[np.ndarray, list[Validation] | None] | None:
        """``count`` whole epochs: ``_tally`` of each as a column, and what the validation said.

        ``None`` if one failed. θ after each goes into ``thetas``, where there is a validation.
        """
        first, good = self.epoch * self.batches_per_epoch, self.theta.copy()
        try:
            report = self._run_batches(rates, first, self._orders(count), thetas)
        except KeyboardInterrupt:
            self.stop[0] = 1  # when it is looked at again, nothing more is run
            return None
        if report.stopped is not None:
            return None
        said = None
        if thetas is not None and self.validation is not None:
            said = [as_validation(self.validation(theta)) for theta in thetas]
        table = columns(report, self.recipe, self.rows.count, first)
        self._advance(first, len(rates))
        self._good = good
        self._forget_orders()
        return added(np.zeros((TALLIED, count)), table.reshape(TALLIED, count, -1)), said

    def _position(self) -> tuple[np.ndarray, tuple[np.ndarray, ...], int]:
        return self.theta.copy(), tuple(slot.copy() for slot in self.slots), self.step

    def _go_back(self, position: tuple[np.ndarray, tuple[np.ndarray, ...], int]) -> None:
        theta, slots, self.state.step = position
        self.theta[...] = theta
        for slot, earlier in zip(self.slots, slots, strict=True):
            slot[...] = earlier

    def _orders(self, count: int) -> Order:
        """The orders of so many epochs, the one to come first."""
        return self.shuffle if self._own is None else self._own.of(self.epoch, count)

    def _order(self, epoch: int) -> Order:
        """The order of an epoch."""
        return self.shuffle if self._own is None else self._own.of(epoch, 1)[0]

    def _forget_orders(self) -> None:
        """Keep none of the caller's orders: the rows are others, or their epochs are over."""
        self._own = None if self.order is None else OwnOrders(self.order, self.rows.count)

    def _rates(self, count: int) -> np.ndarray:
        factor = self.schedule.factor(self._clock(count), self.memory)
        return self.rule.learning_rate * factor

    def _levels(self, schedule: Schedule, count: int) -> np.ndarray | None:
        """The factors of the next batches, or ``None`` where they are all 1."""
        return None if schedule == Constant() else schedule.factor(self._clock(count), {})

    def _clock(self, count: int) -> Clock:
        """Where the next batches stand."""
        per_epoch = self.batches_per_epoch
        return Clock(
            first=self.epoch * per_epoch + self.batch,
            count=count,
            per_epoch=per_epoch,
            rows_per_epoch=self._rows_in(per_epoch),
            planned=self.max_epochs * per_epoch,
            rows_before=self.rows_seen - self._rows_in(self.batch),
        )

    def _rows_in(self, batches: int) -> int:
        return self.recipe.rows_in(batches, self.rows.count)

    def _advance(self, first: int, done: int) -> None:
        before, per_epoch = self._rows_in(self.batch), self.batches_per_epoch
        self.epoch, self.batch = divmod(first + done, per_epoch)
        ended = self.epoch - first // per_epoch
        self.rows_seen += ended * self._rows_in(per_epoch) + self._rows_in(self.batch) - before

    def _add_up(self, report: BatchReport, first: int) -> None:
        """Add to ``_tally`` what the row of the epoch under way (or just ended) needs."""
        per_epoch = self.batches_per_epoch
        last = (first + report.n_done - 1) // per_epoch * per_epoch  # where that epoch began
        if last > first:
            self._tally[:] = 0
        begin = max(last - first, 0)
        table = columns(report, self.recipe, self.rows.count, first, begin)
        self._tally = added(self._tally, table)

    def _stall(self, rate: float) -> None:
        if not self.schedule.stalled(self.memory, rate):
            self.watch.no_improvement = 0
            return
        what = "Training loss" if self.validation is None else "Validation score"
        self.finished = (
            f"{what} did not improve more than tol={self.watch.tol:g} for "
            f"{self.watch.n_iter_no_change} consecutive epochs."
        )

    def _explain(self, report: BatchReport, first: int, rate: float) -> NumericalError:
        number = first + report.n_done
        order = self._order(number // self.batches_per_epoch)
        batch = self.rows
        if not isinstance(batch, PartitionedRows):
            batch = batch.take(batch_rows(batch.count, self.recipe, number, order))
        return explain(
            self.objective,
            self.theta,
            batch,
            step=number,
            good=self._good.copy(),
            learning_rate=rate,
            parameter=report.parameter,
        )


MOST_KEPT = 1 << 24
"""Bytes of parameters that are kept for a validation at a time."""

_COUNTERS = ("epoch", "batch", "rows_seen", "finished", "seconds")


def _seed(value: Any) -> int:
    value = integer("seed", value)
    if not 0 <= value < 1 << 64:
        raise OptionError(f"seed must be in [0, 2⁶⁴), got {value}")
    return value


def one_of(name: str, value: Any, allowed: tuple[str, ...]) -> str:
    """``value`` if it is among ``allowed``."""
    if value not in allowed:
        raise OptionError(f"{name} must be one of {', '.join(allowed)}, got {value!r}")
    return value
