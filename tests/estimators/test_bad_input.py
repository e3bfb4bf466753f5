"""Bad input: what scikit-learn raises, in one line that says where and what to do."""

import re

import numpy as np
import pytest
import scipy.sparse
from sklearn.exceptions import NotFittedError

import chainrule as cr
from chainrule.errors import ChainruleError
from chainrule.estimators import MLPClassifier, MLPRegressor, OneVsAllClassifier, SoftmaxClassifier
from chainrule.training import Callback

ALL = (MLPClassifier, MLPRegressor, OneVsAllClassifier, SoftmaxClassifier)
# a few rows and epochs: convergence is not looked at
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

CLASSIFIERS = (MLPClassifier, OneVsAllClassifier, SoftmaxClassifier)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, 3))
Y = np.repeat([0, 1, 2], 10)


def holed(row=4, column=1, value=np.nan):
    table = X.copy()
    table[row, column] = value
    return table


def refused(match, call, *arguments, kind=ValueError, **options):
    """The call raises ``kind`` with one line that matches; nothing else is said."""
    with pytest.raises(kind, match=match) as caught:
        call(*arguments, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize(
    ("table", "match"),
    [
        (holed(), "Input X contains NaN.*row 4, column 1; fill missing values"),
        (holed(value=np.inf), "Input X contains infinity.*row 4, column 1"),
        (scipy.sparse.csr_matrix(holed()), "Input X contains NaN.*a stored value"),
        (X.astype(str).astype(object), "could not convert.*row 0, column 0 holds the text"),
        (X[:0], r"0 sample\(s\).*minimum of 1 is required"),
        (X[:, :0], r"0 feature\(s\).*minimum of 1 is required"),
        (X[:, 0], "Expected 2D array, got 1D array instead.*reshape"),
        (X[:, :, None], "Found array with dim 3"),
        (X + 1j, "Complex data not supported.*X holds complex numbers; give their real and"),
        (X[:7], "inconsistent numbers of samples"),
    ],
    ids=["nan", "inf", "sparse nan", "text", "no rows", "no columns", "1-d", "3-d", "complex", "y"],
)
def test_rows_at_fit(kind, table, match):
    model = kind()
    if table.dtype == object:
        table[0, 0] = "red"
    refused(match, model.fit, table, Y)
    assert vars(model) == vars(kind())


@pytest.mark.parametrize("kind", ALL)
def test_text_in_place_of_rows(kind):
    said = "could not convert string to float: 'abc'.*X must be a table of numbers"
    refused(said, kind().fit, "abc", Y)
    refused(said, kind(max_iter=2).fit(X, Y).predict, "abc")
    refused("y must hold numbers", MLPRegressor().fit, X, ["a", "b", "c"] * 10)


@pytest.mark.parametrize("kind", ALL)
def test_numbers_of_complex_rows_are_not_printed(kind):
    with pytest.raises(ValueError, match="complex numbers") as caught:
        kind().fit(np.tile(X, (1, 20)) * 1j, Y)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("kind", ALL)
def test_rows_at_prediction(kind):
    model = kind(max_iter=5, random_state=0).fit(X, Y)
    refused("X has 2 features, but .* is expecting 3", model.predict, X[:, :2])
    refused("Input X contains NaN.*row 4, column 1", model.predict, holed())
    refused("Input X contains infinity", model.predict, holed(value=-np.inf))
    refused("Expected 2D array", model.predict, X[0])


@pytest.mark.parametrize("kind", ALL)
def test_before_fit(kind):
    for method in ("predict", "predict_proba", "decision_function"):
        if hasattr(kind, method):
            refused("not fitted yet", getattr(kind(), method), X, kind=NotFittedError)
    with pytest.raises(NotFittedError):
        _ = kind().network_


def test_column_of_a_frame_is_named():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(holed(), columns=["age", "fare", "height"])
    refused(r"row 4, column 1 \('fare'\)", MLPClassifier().fit, frame, Y)
    frame["fare"] = ["cheap", *["dear"] * 29]
    refused(r"row 0, column 1 \('fare'\) holds the text 'cheap'", MLPClassifier().fit, frame, Y)


@pytest.mark.parametrize("kind", ALL)
def test_missing_values_of_pandas_are_placed(kind):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["age", "fare", "height"]).astype("Float64")
    frame.loc[4, "fare"] = pandas.NA
    refused(r"Input X contains NaN.*row 4, column 1 \('fare'\)", kind().fit, frame, Y)
    objects = X.astype(object)
    objects[3, 2] = None
    refused("Input X contains NaN.*row 3, column 2", kind().fit, objects, Y)


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_classes(kind):
    refused("Unknown label type: continuous", kind().fit, X, X[:, 0])
    refused("Input y contains NaN", kind().fit, X, np.where(Y == 1, np.nan, Y))
    refused("requires y to be passed", kind().fit, X, None)
    refused("Multioutput target data is not supported", kind().fit, X, np.c_[Y, Y])
    refused("not in class_weight", kind(class_weight={5: 1.0}).fit, X, Y)


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_labels_without_an_order(kind):
    # scikit-learn's perceptrons raise a TypeError, its other classifiers a ValueError
    for error in (TypeError, ValueError):
        labels = np.array(["a", "b", None] * 10, dtype=object)
        refused("y holds None in row 2; every row needs a class", kind().fit, X, labels, kind=error)
        refused("y holds None in row 0", kind().fit, X, [None] * 30, kind=error)
        labels[2::3] = 7
        refused("text and numbers: 'a' in row 0, 7 in row 2", kind().fit, X, labels, kind=error)


@pytest.mark.parametrize("kind", CLASSIFIERS)
@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ({0: 0, 1: 0, 2: 0}, "class_weight: the weights of all rows are 0"),
        ({0: -1.0}, "finite number ≥ 0 for each class; came -1.0 for class 0"),
        ({2: np.nan}, "finite number ≥ 0 for each class; came nan for class 2"),
        ({1: np.inf}, "finite number ≥ 0 for each class; came inf for class 1"),
        ({1: "a"}, "finite number ≥ 0 for each class; came 'a' for class 1"),
        ({1: None}, "finite number ≥ 0 for each class; came None for class 1"),
    ],
    ids=str,
)
def test_weights_of_classes(kind, weights, words):
    refused(words, kind(class_weight=weights).fit, X, Y)
    seldom = {0: 0.0, 1: 1.0, 2: 2.0}
    refused(
        "weights of all rows are 0", kind(class_weight=seldom).fit, X, Y, (Y == 0).astype(float)
    )


def test_weights_of_the_classes_of_a_table():
    table = np.stack([Y == 0, Y == 1], axis=1).astype(int)
    weights = [{0: 1.0, 1: -2.0}, {0: 1.0, 1: 1.0}]
    refused("came -2.0 for class 1", MLPClassifier(class_weight=weights).fit, X, table)


@pytest.mark.parametrize("kind", [OneVsAllClassifier, SoftmaxClassifier])
def test_one_class(kind):
    refused("at least 2 classes.*only one class: 'a'", kind().fit, X, ["a"] * 30)


def test_perceptrons_take_one_class_as_scikit_learns_do():
    model = MLPClassifier().fit(X, ["a"] * 30)
    assert set(model.predict(X)) == {"a"}


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_labels_never_seen(kind):
    model = kind(solver="adam").partial_fit(X, Y, classes=[0, 1, 2])
    before = [array.copy() for array in model.parameters_.values()]
    refused(
        r"has classes not in `self.classes_`.*\[0 1 2\].*\[1 2 3\]", model.partial_fit, X, Y + 1
    )
    refused("not the same as on last call", model.partial_fit, X, Y, classes=[0, 1])
    refused("classes must be passed on the first call", kind(solver="adam").partial_fit, X, Y)
    for one, two in zip(before, model.parameters_.values(), strict=True):
        np.testing.assert_array_equal(one, two)


def test_values():
    refused("must hold numbers", MLPRegressor().fit, X, np.repeat(["a", "b"], 15))
    refused("must hold numbers", MLPRegressor().fit, X, np.array(["a"] * 30, dtype=object))
    refused("Input y contains NaN", MLPRegressor().fit, X, holed()[:, 1])
    refused("Complex data.*y holds complex numbers", MLPRegressor().fit, X, X[:, 0] * 1j)
    sparse = scipy.sparse.csr_matrix(X[:, :1])
    refused("y is a sparse matrix; give it as", MLPRegressor().fit, X, sparse, kind=TypeError)
    refused("needs targets ≥ 0, got -", MLPRegressor("poisson").fit, X, X[:, 0])


@pytest.mark.parametrize("kind", ALL)
def test_sample_weight(kind):
    refused(r"shape == \(3,\), expected \(30,\)", kind().fit, X, Y, np.ones(3))
    refused("must be 1D array or scalar", kind().fit, X, Y, np.ones((30, 1)))
    refused("≥ 0", kind().fit, X, Y, -np.ones(30))
    refused("at least one non-zero", kind().fit, X, Y, np.zeros(30))
    refused("sample_weight contains NaN", kind().fit, X, Y, np.full(30, np.nan))


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("alpha", -1, "a float in the range [0.0, inf)"),
        ("solver", "sdg", "a str among {'cg', 'lbfgs'"),
        ("batch_size", 0, "'auto'"),
        ("batch_size", 2.5, "an int in the range [1, inf)"),
        ("learning_rate", "fast", "a str among {'constant', 'invscaling', 'adaptive'"),
        ("learning_rate_init", 0, "a float in the range (0.0, inf)"),
        ("max_iter", 0, "an int in the range [1, inf)"),
        ("shuffle", 1, "an instance of 'bool'"),
        ("random_state", "zero", "RandomState"),
        ("tol", "small", "a float in the range [0.0, inf)"),
        ("momentum", 1.5, "a float in the range [0.0, 1.0]"),
        ("validation_fraction", 1.0, "a float in the range [0.0, 1.0)"),
        ("beta_1", 1.0, "a float in the range [0.0, 1.0)"),
        ("n_iter_no_change", 0, "an int in the range [1, inf) or inf"),
        ("grad_clip_norm", 0.0, "a float in the range (0.0, inf) or None"),
        ("validation_data", "rows", "a pair (X, y) or None"),
        ("scoring", 3, "a str or a callable or None"),
        ("callbacks", print, "a list of callbacks or None"),
        ("n_threads", 0, "an int in the range [1, inf) or None"),
        ("dtype", "float16", "{'float32', 'float64'} or None"),
    ],
)
@pytest.mark.parametrize("kind", ALL)
def test_options(kind, name, value, words):
    expected = f"The '{name}' parameter of {kind.__name__} must be .*{re.escape(words)}.*Got"
    refused(expected, kind(**{name: value}).fit, X, Y)
    assert issubclass(ChainruleError, Exception)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"hidden_layer_sizes": (3, 0)}, r"hidden_layer_sizes must be > 0, got \[3, 0\]"),
        ({"hidden_layer_sizes": (3.5,)}, r"hidden_layer_sizes must be integers, got \[3.5\]"),
        ({"hidden_layer_sizes": -1}, "'hidden_layer_sizes' parameter .* int in the range"),
        ({"activation": "rely"}, "'activation' parameter .*'relu'"),
        ({"activation": ["rely"]}, "activation must be one of .*relu.*, got 'rely'"),
        ({"dropout": 1.0}, "'dropout' parameter"),
        ({"dropout": [1.0]}, r"dropout must be in the range \[0, 1\), got 1.0"),
        ({"layers": [20]}, r"expected layers such as Dense\(20, 'relu'\), got 20"),
        ({"layers": lambda x: 3}, "layers must be a function from a node to a node"),
        (
            {"loss": lambda scores, target: 3.0},
            "loss must be a function of the nodes.*returns a node, got float.*cr.square",
        ),
        (
            {"loss": lambda scores, target: scores},
            r"one number a row, of shape \(rows,\), got \(rows, 3\).*scores \(rows, 3\) and "
            r"targets \(rows,\), numbers of classes.*cr.sum\(…, axis=1\)",
        ),
        (
            {"loss": lambda scores, target: cr.sum(scores, axis=1)},
            "must read exactly one target, got none",
        ),
        (
            {"loss": lambda scores, target: cr.square(scores - target)},
            "loss: subtract calculates with real numbers.*numbers of classes, which cr.softmax_c",
        ),
        ({"loss": "hinge"}, "'loss' parameter of MLPClassifier must be .*'log_loss'"),
        ({"label_smoothing": 1.0}, "'label_smoothing' parameter"),
        ({"scoring": "goodness", "early_stopping": True}, "'goodness' is not a valid scoring"),
    ],
)
def test_options_of_networks(options, match):
    refused(match, MLPClassifier(**options).fit, X, Y)


def test_losses_of_ones_own():
    def fit(loss, y):
        return MLPRegressor(loss).fit(X, y)

    two = X[:, :2]
    refused(r"got \(rows, 2\).*cr.sum", fit, lambda s, t: cr.square(s - t), two)
    refused(r"got \(\).*Leave out the mean", fit, lambda s, t: cr.mean(cr.square(s - t)), X[:, 0])
    wrong = {"kind": TypeError}
    refused(r"write cr\.square\(…\)", fit, lambda s, t: np.square(s - t), X[:, 0], **wrong)
    refused(r"write cr\.mean\(…\)", fit, lambda s, t: np.mean(s - t), X[:, 0], **wrong)
    refused("np.clip calculates.*sigmoid", fit, lambda s, t: np.clip(s - t, 0, 1), X[:, 0], **wrong)


@pytest.mark.parametrize("kind", ALL)
def test_callbacks(kind):
    class Mine(Callback):
        pass

    words = "callbacks: expected functions of a Progress, or Callback objects; came"
    for solver in ("adam", "cg"):
        options = {"solver": solver, "max_iter": 2}
        refused(rf"{words} 3 \(int\)", kind(callbacks=[3], **options).fit, X, Y, kind=TypeError)
        refused(
            rf"{words} the class Mine. Make one of it: Mine\(…\)",
            *(kind(callbacks=[Mine], **options).fit, X, Y),
            kind=TypeError,
        )


def test_validation_data():
    refused("pair", MLPClassifier(validation_data=(X, Y, Y)).fit, X, Y)
    refused("X has 2 features", MLPClassifier().fit, X, Y, validation_data=(X[:, :2], Y))
    refused(
        "validation_data: .*classes not in", MLPClassifier().fit, X, Y, validation_data=(X, Y + 1)
    )
    refused(
        "validation_data: Input X contains NaN",
        MLPClassifier().fit,
        X,
        Y,
        None,
        validation_data=(holed(), Y),
    )
    refused("needs a mini-batch solver", OneVsAllClassifier().fit, X, Y, validation_data=(X, Y))


def test_gradient_check_refuses_alike():
    refused("Input X contains NaN.*row 4", cr.check_gradient, MLPClassifier(), holed(), Y)
    refused("'alpha' parameter", MLPClassifier(alpha=-1).as_objective, X, Y)
