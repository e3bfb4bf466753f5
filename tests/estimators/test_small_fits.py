"""What makes small fits short must not be seen: shared networks, rows checked while gathered."""

import gc
import pickle
import warnings
import weakref
from copy import deepcopy

import numpy as np
import pytest
import sklearn.utils
from sklearn.exceptions import ConvergenceWarning

import chainrule as cr
from chainrule.errors import NumericalError
from chainrule.estimators.generators import check_random_state
from chainrule.training import SGD, Trainer


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((90, 4))
    return X, (X[:, 0] > 0).astype(int)


def fitted(X, y, **options):
    model = cr.MLPClassifier((5,), max_iter=3, random_state=0, **options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(X, y)


def test_the_same_options_share_a_network_and_nothing_else(rows):
    X, y = rows
    first = fitted(X, y)
    kept = [W.copy() for W in first.coefs_]
    second = fitted(-X, y)
    assert second._network is first._network
    for before, now in zip(kept, first.coefs_, strict=True):
        np.testing.assert_array_equal(before, now)
    assert not np.array_equal(first.coefs_[0], second.coefs_[0])


@pytest.mark.parametrize("seed", [0, 7, 2**32 - 1])
def test_a_seed_gives_scikit_learns_generator(seed):
    ours, theirs = check_random_state(seed), sklearn.utils.check_random_state(seed)
    for copy in (ours, pickle.loads(pickle.dumps(ours)), deepcopy(ours)):
        for mine, wanted in zip(copy.get_state(), theirs.get_state(), strict=True):
            np.testing.assert_array_equal(mine, wanted)
    assert ours.normal() == theirs.normal()


def test_a_generator_is_taken_as_it_is():
    given = np.random.RandomState(3)
    assert check_random_state(given) is given
    assert check_random_state(None) is sklearn.utils.check_random_state(None)


@pytest.mark.parametrize(
    "options",
    [
        {"alpha": 0.5},
        {"activation": "tanh"},
        {"dropout": 0.5},
        {"n_threads": 1},
        {"activation": cr.tanh},
        {"layers": [cr.Dense(5, "relu")]},
    ],
    ids=["alpha", "activation", "dropout", "threads", "own function", "own layers"],
)
def test_other_options_make_another_network(rows, options):
    assert fitted(*rows, **options)._network is not fitted(*rows)._network


def test_functions_of_ones_own_are_never_shared(rows):
    assert (
        fitted(*rows, activation=cr.tanh)._network is not fitted(*rows, activation=cr.tanh)._network
    )


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_label_smoothing_and_quantiles_are_part_of_the_loss(rows):
    X, y = rows
    y = np.arange(len(y)) % 3
    smooth, plain = fitted(X, y, label_smoothing=0.2), fitted(X, y)
    assert smooth._network is not plain._network
    low, high = (
        cr.MLPRegressor("quantile", (5,), quantile=q, max_iter=2).fit(X, X[:, 0])
        for q in (0.1, 0.9)
    )
    assert low._network is not high._network


def test_a_kept_network_keeps_no_rows_alive(rows):
    X, y = rows[0].copy(), rows[1]
    alive = weakref.ref(X)
    model = fitted(X, y)
    del X
    gc.collect()
    assert alive() is None
    assert model.predict(rows[0]).shape == (90,)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("compiled", [True, False])
def test_a_bad_value_is_found_while_rows_are_gathered(rows, bad, compiled, monkeypatch):
    if not compiled:
        monkeypatch.setenv("CHAINRULE_ENGINE", "off")
    X, y = rows
    model = fitted(X, y, batch_size=10)
    before = {name: np.copy(value) for name, value in model.parameters_.items()}
    spoilt = X.copy()
    spoilt[77, 2] = bad
    for method in (model.partial_fit, model.fit):
        with pytest.raises(ValueError, match=r"Input X contains .*row 77, column 2"):
            method(spoilt, y)
        for name, value in model.parameters_.items():
            np.testing.assert_array_equal(value, before[name])
    assert model.n_iter_ == 3


def test_values_of_great_size_add_up_to_infinity_and_are_no_error(rows):
    X, y = rows
    large = X.copy()
    large[:, 3] = 1.5e308
    with np.errstate(all="ignore"), pytest.raises(ValueError, match="non-finite"):
        fitted(large, y)


def test_a_diverging_fit_says_so_without_a_warning():
    x, t = cr.input("x", ("rows", 1)), cr.target("t", ("rows", 1))
    scores = x @ cr.parameter("w", (1, 1), init=1.0)
    J = cr.Objective(cr.squared_error(scores, t))
    X = np.linspace(1, 2, 40)[:, None]
    trainer = Trainer(
        J, X, X, theta0=np.array([2.0]), update=SGD(30.0), batch_size=10, shuffle=False
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(NumericalError):
            trainer.run(2000)
