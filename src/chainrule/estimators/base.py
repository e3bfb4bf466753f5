"""What all estimators share: a network, one vector of parameters, and how they are shown and kept.

The public arrays (``coefs_``, ``coef_``, …) are views into θ. Who replaces one of them by an array
of his own is heard: predictions are then computed from what stands there.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from operator import is_
from typing import Any, ClassVar, Self

import numpy as np
from sklearn import get_config
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from chainrule.errors import DataError, FileFormatError
from chainrule.estimators.constraints import Constraint, check_parameters
from chainrule.estimators.data import check_rows, is_plain
from chainrule.estimators.display import html_table, text_table
from chainrule.estimators.memory import Memory
from chainrule.estimators.network import Network
from chainrule.estimators.sklearn_callbacks import CallbackSupportMixin
from chainrule.graph import Graph
from chainrule.training.history import History

PICKLE_FORMAT = (1, 0)
"""Major and minor version of what a pickle of an estimator holds."""


class NetworkEstimator(CallbackSupportMixin, BaseEstimator):
    """The part of an estimator that does not depend on what it predicts.

    A subclass says which parameters it has (``_constraints``), and which
    public arrays show θ (``_show``, ``_shown_in``).
    """

    _constraints: ClassVar[dict[str, Constraint]]
    _network: Network
    _theta: np.ndarray
    _views: tuple[np.ndarray, ...]
    _memory: Memory | None
    history_: History
    n_features_in_: int
    n_threads: int | None

    @abstractmethod
    def _has_arrays(self) -> bool:
        """Whether there are public arrays: from a fit, or put there by hand."""

    @abstractmethod
    def _show(self, network: Network, values: dict[str, np.ndarray]) -> dict[str, Any]:
        """The public attributes that show these parameters of ``network``."""

    @abstractmethod
    def _arrays(self) -> tuple[np.ndarray, ...]:
        """The public arrays as they stand."""

    @abstractmethod
    def _shown_in(self, network: Network) -> dict[str, np.ndarray]:
        """The parameters of ``network`` as the public arrays have them now, by name."""

    @abstractmethod
    def _objective_of(self, X: Any, y: Any) -> tuple[Network, np.ndarray, Any, np.ndarray]:
        """Network with penalty, θ, rows and encoded target for ``as_objective``."""

    def _check_parameters(self) -> None:
        values = {name: getattr(self, name) for name in self._constraints}
        check_parameters(type(self).__name__, values, self._constraints)

    def _install(self, network: Network, theta: np.ndarray) -> None:
        """Make θ this estimator's parameters; the public arrays become views into it."""
        self._network, self._theta = network, theta
        for name, value in self._show(network, network.objective.unpack(theta)).items():
            setattr(self, name, value)
        self._views = self._arrays()

    def _theta_now(self) -> np.ndarray:
        """θ, including what was put into the public arrays since the fit."""
        arrays = self._arrays()
        if len(arrays) == len(self._views) and all(map(is_, arrays, self._views)):
            return self._theta
        objective = self._network.objective
        values = objective.unpack(self._theta.copy()) | self._shown_in(self._network)
        return objective.pack(values).astype(self._theta.dtype, copy=False)

    def _scores(self, X: Any) -> np.ndarray:
        """The scores of every row, X checked as far as it needs to be."""
        if "_theta" not in self.__dict__:
            check_is_fitted(self, "_theta")
        theta = self._theta_now()
        if is_plain(self, X, theta.dtype):
            check = not get_config()["assume_finite"]
            try:
                return self._network.forward(theta, X, self.n_threads, check_finite=check)
            except DataError:
                pass  # which the check of the rows has the words for
        X = check_rows(self, X, reset=False)
        return self._network.forward(theta, X, self.n_threads)

    def _network_output(self, X: Any) -> np.ndarray:
        """The output of every row: probabilities, values."""
        scores = self._scores(X)
        return self._network.activate(scores)

    @property
    def network_(self) -> Graph:
        """The graph from the input to the output, for printing and drawing."""
        check_is_fitted(self)
        return self._network.graph

    @property
    def parameters_(self) -> dict[str, np.ndarray]:
        """Every parameter of the network by name: W1, b1, …"""
        check_is_fitted(self)
        return self._network.objective.unpack(self._theta_now())

    def as_objective(self, X: Any, y: Any) -> tuple[Any, np.ndarray, Any, np.ndarray]:
        """What ``fit`` minimises on X and y, as (J, θ, X, y); ``J(θ, X, y)`` is (loss, gradient).

        Labels are encoded as the loss reads them. θ, in float64, is where the fit ended, or for an
        estimator that is not fitted where it would start. Every row has weight 1.
        """
        self._check_parameters()
        # validation leaves its marks on the twin
        network, theta, X, y = self._twin()._objective_of(X, y)
        return network.objective, theta.astype(np.float64), X, y

    def summary(self) -> str:
        """Layers, shapes, parameter counts and the state of training, for a terminal."""
        return text_table(self)

    def _repr_html_(self) -> str:
        return html_table(self)

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self._repr_html_()}

    def _stored(self) -> dict[str, Any]:
        """What the header of a model file holds beside what all estimators have."""
        return {}

    def _restore(self, header: Mapping[str, Any], network: Network) -> None:
        """Take up what ``_stored`` gave, and refuse a network that does not fit."""
        inputs = network.objective.rows.inputs
        if len(inputs) != 1 or network.columns != self.n_features_in_:
            came = ", ".join(f"{one.name} of {one.shape[1]} columns" for one in inputs)
            raise FileFormatError(f"a network that reads {came} for {self.n_features_in_} features")

    def _with_theta(self, network: Network) -> Callable[[np.ndarray], Self]:
        """From θ to a fitted estimator that has it; column names are left to the caller's X."""

        def fitted(theta: np.ndarray) -> Self:
            twin = self._twin()
            vars(twin).pop("feature_names_in_", None)
            twin._install(network, theta)
            return twin

        return fitted

    def _twin(self) -> Self:
        """Another estimator with the same attributes; what is set on one is not on the other."""
        twin = object.__new__(type(self))
        vars(twin).update(vars(self))
        return twin

    __copy__ = _twin

    def __getstate__(self) -> dict[str, Any]:
        held: Any = super().__getstate__()
        state: dict[str, Any] = dict(held)
        if "_network" in state:
            # plain data: the classes of the graph may change, what was learned stays readable
            state["_network"] = self._network.to_dict()
            state["_theta"] = self._theta_now()
            # "_made_for" would take the restored network, without penalty, for the one it was
            state.pop("_made_for", None)
            for name in ("_views", *self._show(self._network, self.parameters_)):
                state.pop(name)
        return state | {"_chainrule_format": PICKLE_FORMAT}

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = {**state}
        version = state.pop("_chainrule_format", None)
        if version is None or version[0] != PICKLE_FORMAT[0]:
            came = "none" if version is None else ".".join(map(str, version))
            raise FileFormatError(
                f"pickle of {type(self).__name__}: expected format {PICKLE_FORMAT[0]}.x; came "
                f"{came}. Load it with the chainrule that wrote it, or fit again; what "
                "chainrule.save writes stays readable."
            )
        network, theta = state.pop("_network", None), state.pop("_theta", None)
        super().__setstate__(state)
        if network is not None and theta is not None:
            self._install(Network.from_dict(network), theta)


@contextmanager
def unchanged_on_failure(estimator: Any) -> Iterator[None]:
    """Whatever ends the block early, the estimator is as it was before."""
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise
