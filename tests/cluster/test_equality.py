"""What is promised of partitions: the result of one machine, however the rows are cut.

One evaluation to 1e-12, θ after 20 iterations of CG to 1e-9, coefficients at tight convergence to
1e-6, a network's final loss to 1e-3; and the same partitions give the same bits on any number of
workers.
"""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest

import chainrule as cr
from chainrule.cluster.dask_pieces import DaskPieces
from chainrule.cluster.sources import blocks_of
from chainrule.cluster.streaming import StreamedPieces

from .conftest import cluster_of

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

CUTS = {
    "all in one": (1797,),
    "in halves": (900, 897),
    "uneven": (5, 400, 1, 0, 700, 691),
    "even": (225,) * 7 + (222,),
    "many": (37,) * 48 + (21,),
}
MAKE = {
    "CG": lambda: cr.MLPClassifier((8,), solver="cg", max_iter=20, tol=0, random_state=0),
    "softmax": lambda: cr.SoftmaxClassifier(alpha=1e-2, solver="newton-cg", tol=1e-12),
    "full batch": lambda: cr.MLPClassifier(
        (32,), solver="lbfgs", alpha=0.1, max_iter=100, tol=1e-9, random_state=0
    ),
    "mini-batches": lambda: cr.MLPClassifier(
        (64,), batch_size=200, max_iter=150, tol=0, random_state=0,
        learning_rate_init=0.02, learning_rate="cosine",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def alone(digits):
    """Each of the models, fitted to the whole array."""
    return {name: make().fit(digits.X, digits.y) for name, make in MAKE.items()}


@pytest.fixture(scope="module", params=[1, 2, 4])
def workers(request):
    """A client of so many workers."""
    with cluster_of(request.param, processes=False, protocol="tcp://") as (client, _):
        yield client


def fit(name, cut, digits, client=None):
    """The model, fitted to rows cut so, on the workers of ``client`` or in this process."""
    sizes = CUTS[cut]
    if client is None:
        edges = np.cumsum(sizes)[:-1]
        return cr.cluster.fit(MAKE[name](), np.split(digits.X, edges), np.split(digits.y, edges))
    X, y = da.from_array(digits.X, (sizes, 64)), da.from_array(digits.y, (sizes,))
    return cr.cluster.fit(MAKE[name](), X, y, client=client)


def check(name, found, alone, digits):
    """That ``found`` is as near to the model fitted to an array as is promised."""
    whole = alone[name]
    if name == "CG":
        apart = np.linalg.norm(found._theta - whole._theta)
        assert apart <= 1e-9 * np.linalg.norm(whole._theta)
    elif name == "softmax":
        np.testing.assert_allclose(found.coef_, whole.coef_, rtol=0, atol=1e-6)
    else:  # both losses over all rows, penalty included
        losses = []
        for model in (found, whole):
            J, theta, X, y = model.as_objective(digits.X, digits.y)
            losses.append(J(theta, X, y)[0])
        assert abs(losses[0] - losses[1]) <= 1e-3
        assert max(losses) < 0.05  # of 2.3 at first: the bound says something


def evaluate(pieces_of, digits, cut):
    """Loss and gradient at θ over weighted rows cut so; and over the whole array."""
    weight = np.random.default_rng(0).uniform(0.5, 2, len(digits.y))
    J, theta, X, y = cr.MLPClassifier((8,), random_state=0, alpha=1e-2).as_objective(
        digits.X, digits.y
    )
    edges = np.cumsum([size for size in CUTS[cut] if size])[:-1]
    parts = [np.split(one, edges) for one in (X, y, weight)]
    rows = pieces_of(blocks_of(*parts)).rows(as_it_is, J)
    return J.evaluate(theta, rows), J(theta, X, y, weight)


def as_it_is(piece):
    return piece.X, piece.y, piece.weight


def silent(rows):
    """Nobody is told."""


def check_evaluation(found, wanted):
    assert abs(found[0] - wanted[0]) <= 1e-12 * abs(wanted[0])
    assert np.linalg.norm(found[1] - wanted[1]) <= 1e-12 * np.linalg.norm(wanted[1])


@pytest.mark.parametrize("cut", CUTS)
def test_one_evaluation_here(digits, cut):
    check_evaluation(*evaluate(lambda loads: StreamedPieces(loads, 1 << 30, silent), digits, cut))


@pytest.mark.parametrize("cut", ["in halves", "uneven"])
@pytest.mark.parametrize("name", MAKE)
def test_fits_here(digits, alone, name, cut):
    check(name, fit(name, cut, digits), alone, digits)


@pytest.mark.slow
@pytest.mark.parametrize("cut", ["all in one", "even", "many"])
@pytest.mark.parametrize("name", MAKE)
def test_fits_here_cut_in_other_ways(digits, alone, name, cut):
    check(name, fit(name, cut, digits), alone, digits)


def test_one_evaluation_on_workers(digits, workers):
    for cut in CUTS:
        found = evaluate(lambda loads: DaskPieces.of(workers, loads, silent), digits, cut)
        check_evaluation(*found)
        here = evaluate(lambda loads: StreamedPieces(loads, 1 << 30, silent), digits, cut)[0]
        assert found[0][0] == here[0]
        assert found[0][1].tobytes() == here[1].tobytes()


@pytest.fixture(scope="module")
def bits():
    """θ of each model, as the first number of workers made it."""
    return {}


@pytest.mark.slow
@pytest.mark.parametrize("name", MAKE)
def test_fits_on_workers(digits, alone, workers, bits, name):
    found = fit(name, "uneven", digits, workers)
    check(name, found, alone, digits)
    theta = found._theta.tobytes()
    assert bits.setdefault(name, theta) == theta
    if name != "mini-batches":  # which here run over windows, there over shares of all partitions
        assert fit(name, "uneven", digits)._theta.tobytes() == theta
