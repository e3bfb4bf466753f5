"""In the middle of scikit-learn code: one import changed, nothing else."""

import pickle

import joblib
import numpy as np
import pytest
import sklearn
import sklearn.neural_network as theirs
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import BaggingClassifier, VotingClassifier
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from chainrule.estimators import MLPClassifier, MLPRegressor, OneVsAllClassifier, SoftmaxClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

ALL = (MLPClassifier, MLPRegressor, OneVsAllClassifier, SoftmaxClassifier)


def passengers(count=240):
    """A table of mixed columns as plain lists: who survives depends on sex, fare and class."""
    rng = np.random.default_rng(0)
    sex = rng.choice(["female", "male"], count)
    port = rng.choice(["C", "Q", "S"], count)
    fare = rng.gamma(2.0, 20.0, count)
    age = rng.uniform(1, 80, count)
    odds = 2.0 * (sex == "female") + 0.03 * fare - 0.02 * age
    survived = np.where(odds + rng.logistic(size=count) > 1.5, "yes", "no")
    return {"sex": sex, "port": port, "fare": fare, "age": age}, survived


@pytest.fixture(params=["pandas", "polars"])
def table(request):
    frames = pytest.importorskip(request.param)
    columns, survived = passengers()
    X, y = frames.DataFrame(columns), frames.Series(survived)
    if not hasattr(StandardScaler().fit(X[["fare"]]), "feature_names_in_"):
        pytest.skip(f"this scikit-learn does not know the columns of this {request.param}")
    return X, y


def search(perceptron):
    """The user's script; ``perceptron`` is the one name that is imported from elsewhere."""
    columns = ColumnTransformer(
        [
            ("numbers", StandardScaler(), ["fare", "age"]),
            ("words", OneHotEncoder(), ["sex", "port"]),
        ]
    )
    model = make_pipeline(columns, perceptron(max_iter=30, random_state=0))
    grid = {
        f"{perceptron.__name__.lower()}__hidden_layer_sizes": [(4,), (8, 4)],
        f"{perceptron.__name__.lower()}__alpha": [1e-4, 1.0],
    }
    return CalibratedClassifierCV(GridSearchCV(model, grid, cv=2), cv=2)


def test_one_import_changed_in_a_pipeline_with_search_and_calibration(table):
    X, y = table
    ours = search(MLPClassifier).fit(X, y)
    other = search(theirs.MLPClassifier).fit(X, y)
    np.testing.assert_allclose(ours.predict_proba(X), other.predict_proba(X), rtol=1e-5)
    np.testing.assert_array_equal(ours.predict(X), other.predict(X))
    for one, two in zip(ours.calibrated_classifiers_, other.calibrated_classifiers_, strict=True):
        scores = [search.estimator.cv_results_["mean_test_score"] for search in (one, two)]
        np.testing.assert_allclose(*scores)
        assert one.estimator.best_params_ == two.estimator.best_params_


def test_columns_are_known_by_name(table):
    X, y = table
    X = X[["fare", "age"]]
    model = SoftmaxClassifier(max_iter=20).fit(X, y)
    assert list(model.feature_names_in_) == ["fare", "age"]
    assert set(model.predict(X)) <= {"no", "yes"}
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(X[["age", "fare"]])
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        model.predict(np.asarray(X))
    with pytest.raises(ValueError, match="unseen at fit time|should match"):
        model.predict(X[["age"]])


@pytest.mark.parametrize("kind", ALL)
def test_cross_validation(digits, kind):
    X, y = digits
    scores = cross_val_score(kind(max_iter=20), X, y, cv=3)
    assert np.all(np.isfinite(scores))
    twice = [cross_val_predict(kind(max_iter=5, random_state=0), X, y, cv=2) for _ in range(2)]
    np.testing.assert_array_equal(*twice)


def test_inside_other_estimators(digits):
    X, y = digits
    model = VotingClassifier(
        [
            ("a", MLPClassifier((8,), max_iter=20, random_state=0)),
            ("b", SoftmaxClassifier()),
            ("c", BaggingClassifier(OneVsAllClassifier(max_iter=30), n_estimators=2)),
        ],
        voting="soft",
    )
    assert model.fit(X, y).score(X, y) > 0.95


def test_grid_search_in_processes(digits):
    X, y = digits
    grid = {"alpha": [1e-4, 1e-2]}
    one = GridSearchCV(SoftmaxClassifier(max_iter=20), grid, cv=2).fit(X, y)
    two = GridSearchCV(SoftmaxClassifier(max_iter=20), grid, cv=2, n_jobs=2).fit(X, y)
    np.testing.assert_array_equal(
        one.cv_results_["mean_test_score"], two.cv_results_["mean_test_score"]
    )


@pytest.mark.parametrize("kind", ALL)
def test_sample_weight_is_routed(digits, kind):
    X, y = digits
    weight = (y < 5).astype(float)
    with sklearn.config_context(enable_metadata_routing=True):
        model = kind(max_iter=5, random_state=0).set_fit_request(sample_weight=True)
        scorer = get_scorer("r2" if kind is MLPRegressor else "accuracy")
        found = cross_validate(
            model,
            X,
            y,
            cv=2,
            params={"sample_weight": weight},
            return_estimator=True,
            return_indices=True,
            scoring=scorer.set_score_request(sample_weight=False),
        )
    first = found["indices"]["train"][0]
    alone = kind(max_iter=5, random_state=0).fit(X[first], y[first], weight[first])
    np.testing.assert_array_equal(alone.predict(X), found["estimator"][0].predict(X))


@pytest.mark.parametrize("kind", ALL)
def test_pickle_and_joblib(digits, kind, tmp_path):
    X, y = digits
    model = kind(max_iter=5, random_state=0).fit(X, y)
    joblib.dump(model, tmp_path / "model.joblib")
    for again in (
        pickle.loads(pickle.dumps(model)),
        joblib.load(tmp_path / "model.joblib"),
        joblib.load(tmp_path / "model.joblib", mmap_mode="r"),
    ):
        np.testing.assert_array_equal(again.predict(X), model.predict(X))
        assert again.summary() == model.summary()
        assert again.get_params() == model.get_params()


def test_training_goes_on_after_pickling(digits):
    X, y = digits
    model = MLPClassifier(random_state=0, alpha=5.0).partial_fit(X, y, classes=range(10))
    again = pickle.loads(pickle.dumps(model))
    for one in (model, again):
        one.partial_fit(X, y)
    np.testing.assert_array_equal(model.coefs_[0], again.coefs_[0])


def test_pickles_of_another_major_version_are_refused(digits):
    model = SoftmaxClassifier(max_iter=2).fit(*digits)
    state = model.__getstate__()
    with pytest.raises(ValueError, match=r"expected format 1\.x; came 2\.3.*chainrule\.save"):
        SoftmaxClassifier().__setstate__(state | {"_chainrule_format": (2, 3)})
    SoftmaxClassifier().__setstate__(state | {"_chainrule_format": (1, 99)})
    del state["_chainrule_format"]
    with pytest.raises(ValueError, match="came none"):
        SoftmaxClassifier().__setstate__(state)
