"""Rows that are read piece by piece in this process: blocks, memory-mapped arrays, windows."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse

import chainrule as cr
from chainrule.cluster.sources import blocks_of
from chainrule.cluster.streaming import StreamedPieces
from chainrule.cluster.windows import Windows
from chainrule.errors import DataError, OptionError
from chainrule.training.recipe import Recipe
from chainrule.training.updates import SGD

from .conftest import cut

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

EDGES = (500, 501, 501, 1200)  # a block of one row, and one of none


def blocks(digits):
    return cut(digits.X, *EDGES), cut(digits.y, *EDGES)


def silent(rows):
    """Nobody is told."""


@pytest.mark.parametrize(
    "make",
    [
        lambda: cr.MLPClassifier((8,), solver="cg", max_iter=20, tol=0, random_state=0),
        lambda: cr.SoftmaxClassifier(solver="cg", max_iter=20, tol=0),
        lambda: cr.MLPRegressor(
            hidden_layer_sizes=(8,), solver="lbfgs", max_iter=20, tol=0, random_state=0
        ),
    ],
)
def test_full_batch_training_ends_where_it_does_on_an_array(digits, make):
    alone = make().fit(digits.X, digits.y)
    found = cr.cluster.fit(make(), *blocks(digits))
    assert found.n_iter_ == alone.n_iter_ == 20
    apart = np.linalg.norm(found._theta - alone._theta)
    assert apart <= 1e-9 * np.linalg.norm(alone._theta)
    assert found.loss_ == pytest.approx(alone.loss_, rel=1e-9)
    np.testing.assert_allclose(found.predict(digits.X), alone.predict(digits.X), rtol=1e-9)


def test_a_softmax_classifier_at_tight_convergence_has_the_same_coefficients(digits):
    make = {"alpha": 1e-2, "solver": "newton-cg", "tol": 1e-12}
    alone = cr.SoftmaxClassifier(**make).fit(digits.X, digits.y)
    found = cr.cluster.fit(cr.SoftmaxClassifier(**make), *blocks(digits))
    np.testing.assert_allclose(found.coef_, alone.coef_, atol=1e-6)


def test_one_vs_all_in_one_run_has_the_minimum_of_a_run_for_each_class(digits):
    make = {"alpha": 1e-2, "solver": "newton-cg", "tol": 1e-11}
    alone = cr.OneVsAllClassifier(**make).fit(digits.X, digits.y)
    found = cr.cluster.fit(cr.OneVsAllClassifier(**make), *blocks(digits))
    np.testing.assert_allclose(found.coef_, alone.coef_, atol=1e-5)


def test_weights_of_rows_and_of_classes_are_those_of_all_rows(digits):
    weight = np.random.default_rng(0).uniform(0.5, 2, len(digits.y))
    make = {"alpha": 1e-2, "solver": "newton-cg", "tol": 1e-12, "class_weight": "balanced"}
    rare = digits.y < 7
    X, y, w = digits.X[rare], np.sort(digits.y[rare]), weight[rare]  # each block has few classes
    alone = cr.SoftmaxClassifier(**make).fit(X, y, w)
    edges = (300, 700)
    found = cr.cluster.fit(
        cr.SoftmaxClassifier(**make), cut(X, *edges), cut(y, *edges), sample_weight=cut(w, *edges)
    )
    np.testing.assert_array_equal(found.classes_, alone.classes_)
    np.testing.assert_allclose(found.coef_, alone.coef_, atol=1e-6)


def test_sparse_blocks_train_as_the_whole_matrix_does(digits):
    X = scipy.sparse.csr_matrix(digits.X)
    make = {"alpha": 1e-2, "solver": "newton-cg", "tol": 1e-12}
    alone = cr.SoftmaxClassifier(**make).fit(X, digits.y)
    parts = [X[:500], X[500:1200], X[1200:]]
    found = cr.cluster.fit(cr.SoftmaxClassifier(**make), parts, cut(digits.y, 500, 1200))
    np.testing.assert_allclose(found.coef_, alone.coef_, atol=1e-6)
    batches = cr.SoftmaxClassifier(solver="adam", learning_rate_init=0.01, random_state=0)
    assert cr.cluster.fit(batches, parts, cut(digits.y, 500, 1200)).score(X, digits.y) > 0.95


def test_a_memory_mapped_array_larger_than_the_memory_that_is_allowed(tmp_path, digits):
    rng = np.random.default_rng(0)
    X = np.lib.format.open_memmap(tmp_path / "X.npy", "w+", np.float32, (60_000, 20))
    X[:] = rng.normal(size=X.shape)
    y = (X[:, 0] + X[:, 1] > 0).astype(np.int8)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    model = cr.MLPClassifier((4,), random_state=0, max_iter=2, tol=0, batch_size=100)
    found = cr.cluster.fit(model, mapped, y, memory="1MiB")
    assert found.score(mapped, y) > 0.97
    assert found._theta.dtype == np.float32
    assert found.t_ == 2 * 60_000


def test_mini_batches_over_windows_learn_as_well_as_over_an_array(digits):
    make = {"hidden_layer_sizes": (20,), "max_iter": 60, "random_state": 0, "batch_size": 50}
    alone = cr.MLPClassifier(**make, tol=0).fit(digits.X, digits.y)
    found = cr.cluster.fit(cr.MLPClassifier(**make, tol=0), *blocks(digits), memory="1MiB")
    assert found.loss_ == pytest.approx(alone.loss_, rel=0.15)
    assert found.score(digits.X, digits.y) >= alone.score(digits.X, digits.y) - 0.01
    assert len(set(found.loss_curve_)) == 60


@pytest.mark.parametrize("shuffle", [None, 7])
@pytest.mark.parametrize("drop_last", [False, True])
def test_windows_hold_every_row_once(digits, shuffle, drop_last):
    X, y = np.arange(1000.0)[:, None] * np.ones(4), np.zeros((1000, 1))
    x, t = cr.input("x", ("rows", 4)), cr.target("t", ("rows", 1))
    w = cr.parameter("w", (4, 1), init=0.0)
    J = cr.Objective(cr.squared_error(x @ w, t))
    pieces = StreamedPieces(blocks_of(X, y, None, 130), 1 << 20, silent)
    rows = pieces.rows(lambda piece: (piece.X, piece.y[:, None], None), J)
    rows.memory = 8 * 40 * 100  # 80 rows or so a window
    recipe = Recipe(SGD(), 30, drop_last=drop_last)
    windows = Windows(rows, recipe, shuffle)
    per_epoch = recipe.batches_per_epoch(1000)
    assert 1 < windows.batches < per_epoch
    seen = []
    for stretch, window in windows.stretches(per_epoch, per_epoch):
        assert stretch.epoch == 1
        start = stretch.first * 30
        seen += window.take(slice(start, start + stretch.batches * 30)).inputs["x"][:, 0].tolist()
    assert len(seen) == (990 if drop_last else 1000)
    assert len(set(seen)) == len(seen)
    assert (seen == sorted(seen)) is (shuffle is None)


def streamed(digits, **options):
    """A trainer over windows that are smaller than an epoch."""
    model = cr.MLPClassifier((5,), random_state=0)
    J, theta0, _, _ = model.as_objective(digits.X, digits.y)
    pieces = StreamedPieces(blocks_of(digits.X, digits.y, None, 100), 1 << 20, silent)
    rows = pieces.rows(lambda piece: (piece.X, piece.y, None), J)
    rows.memory = 1 << 19
    return cr.training.Trainer(J, rows, None, theta0=theta0, batch_size=20, seed=1, **options)


def test_training_goes_on_from_the_middle_of_an_epoch_to_the_same_bits(digits):
    whole = streamed(digits)
    whole.run(2 * whole.batches_per_epoch)
    parts = streamed(digits)
    for batches in (7, 50, 60, 2 * parts.batches_per_epoch - 117):
        parts.run(batches)
    assert parts.theta.tobytes() == whole.theta.tobytes()


def test_a_validation_sees_each_of_several_epochs(digits):
    seen = {1: [], 3: []}

    def make(size):
        return streamed(digits, validation=lambda theta: seen[size].append(theta.copy()) or 0.0)

    one, many = make(1), make(3)
    assert [one.run_epochs(1) for _ in range(3)] == [1, 1, 1]
    assert many.run_epochs(3) == 3
    np.testing.assert_array_equal(seen[1], seen[3])
    np.testing.assert_array_equal(seen[3][-1], many.theta)


@pytest.mark.parametrize("solver", ["cg", "lbfgs"])
def test_a_warm_start_begins_where_the_last_fit_ended(digits, solver):
    make = {"hidden_layer_sizes": (8,), "solver": solver, "max_iter": 10, "tol": 0}
    make |= {"random_state": 0, "warm_start": True}
    alone = cr.MLPClassifier(**make).fit(digits.X, digits.y).fit(digits.X, digits.y)
    found = cr.cluster.fit(cr.MLPClassifier(**make), *blocks(digits))
    before = found._theta.copy()
    began = []
    found.callbacks = [Begins(began)]
    cr.cluster.fit(found, *blocks(digits))
    assert began[0].tobytes() == before.tobytes()
    assert np.linalg.norm(found._theta - alone._theta) <= 1e-8 * np.linalg.norm(alone._theta)
    assert len(found.loss_curve_) == len(alone.loss_curve_) == 20
    on_an_array = cr.MLPClassifier(**make).fit(digits.X, digits.y)
    cr.cluster.fit(on_an_array, *blocks(digits))  # from one place to the other
    assert np.linalg.norm(on_an_array._theta - alone._theta) <= 1e-8 * np.linalg.norm(alone._theta)


class Begins(cr.training.Callback):
    """Takes down where training begins."""

    def __init__(self, began):
        self.began = began

    def on_train_begin(self, progress):
        self.began.append(progress.theta.copy())


def test_a_warm_start_of_mini_batches_counts_on(digits):
    make = {"hidden_layer_sizes": (8,), "max_iter": 5, "tol": 0, "random_state": 0}
    model = cr.MLPClassifier(**make, warm_start=True)
    first = cr.cluster.fit(model, *blocks(digits)).loss_
    cr.cluster.fit(model, *blocks(digits))
    assert model.loss_ < first
    assert len(model.loss_curve_) == 10
    assert model.t_ == 10 * 1797
    assert model.history_["epoch"] == list(range(1, 11))


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (lambda X: X[:, :63], lambda y: y, "X: expected 64 columns as in the last fit; came 63"),
        (lambda X: X, lambda y: y % 9, "the same classes as in the previous call"),
    ],
)
def test_a_warm_start_on_other_columns_or_classes_is_refused(digits, X, y, message):
    model = cr.SoftmaxClassifier(max_iter=2, warm_start=True)
    theta = cr.cluster.fit(model, *blocks(digits))._theta
    with pytest.raises(DataError, match=message):
        cr.cluster.fit(model, [X(digits.X)], [y(digits.y)])
    assert model._theta is theta


def test_rows_are_held_back_from_every_piece(digits):
    model = cr.MLPClassifier(
        (20,), early_stopping=True, random_state=0, max_iter=200, learning_rate_init=0.01
    )
    found = cr.cluster.fit(model, *blocks(digits))
    assert found.best_validation_score_ > 0.9
    assert found.training_status_ == "converged"
    sizes = [len(one) for one in blocks(digits)[0]]
    held = sum(int(0.1 * size) for size in sizes)
    assert found.t_ % (len(digits.y) - held) == 0


def test_a_checkpoint_of_streamed_rows_goes_on_to_the_same_bits(digits, tmp_path):
    class PowerCut(Exception):
        pass

    def stop(progress):
        if progress.epoch == 7:
            raise PowerCut

    make = {"hidden_layer_sizes": (8,), "max_iter": 12, "random_state": 0, "tol": 0}
    whole = cr.cluster.fit(cr.MLPClassifier(**make), *blocks(digits))
    kept = make | {"checkpoint": tmp_path, "checkpoint_every": 2}
    with pytest.raises(PowerCut):
        cr.cluster.fit(cr.MLPClassifier(**kept, callbacks=[stop]), *blocks(digits))
    again = cr.cluster.fit(cr.MLPClassifier(**kept), *blocks(digits))
    assert again._theta.tobytes() == whole._theta.tobytes()


def test_bad_rows_are_named_with_their_place(digits):
    X = digits.X.copy()
    X[700, 3] = np.nan
    with pytest.raises(DataError, match=r"^block 1: .*NaN.*row 200, column 3"):
        cr.cluster.fit(cr.SoftmaxClassifier(), cut(X, 500), cut(digits.y, 500))
    y = digits.y.astype(object)
    y[501] = None
    with pytest.raises(DataError, match=r"^block 1: y: expected a target in every row; came none"):
        cr.cluster.fit(cr.SoftmaxClassifier(), cut(digits.X, 500), cut(y, 500))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target": None}, "y: expected a list of 2 blocks"),
        ({"memory": "little"}, "memory: expected at least 1 MiB"),
        ({"memory": "1e400GB"}, "memory: expected at least 1 MiB"),
        ({"X": []}, "y: expected a list of 0 blocks"),
        ({"model": cr.MLPClassifier(early_stopping=True, scoring="f1")}, "scoring"),
    ],
)
def test_what_is_refused(digits, change, message):
    given = {"model": cr.SoftmaxClassifier(), "X": cut(digits.X, 9), "target": cut(digits.y, 9)}
    with pytest.raises((DataError, OptionError), match=message):
        cr.cluster.fit(**given | change)


def test_pieces_without_rows_and_of_one_class_are_one_clear_line(digits):
    with pytest.raises(DataError, match="at least one row; came none in 1 partitions"):
        cr.cluster.fit(cr.SoftmaxClassifier(), [digits.X[:0]], [digits.y[:0]])
    one = digits.y[:9] * 0
    with pytest.raises(DataError, match="only one class"):
        cr.cluster.fit(cr.SoftmaxClassifier(), cut(digits.X[:9], 5), cut(one, 5))
    with pytest.raises(DataError, match="64 columns as in the first partition; came 63"):
        cr.cluster.fit(
            cr.SoftmaxClassifier(), [digits.X[:9], digits.X[:9, :63]], [digits.y[:9]] * 2
        )
