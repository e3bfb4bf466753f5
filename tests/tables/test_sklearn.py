"""The encoder among scikit-learn's own: its checks, pipelines, clones, output as frames."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import estimator_checks_generator

from chainrule.tables import ColumnEncoder

# a list, because the oldest scikit-learn's own decorator passes a generator, which pytest 9 refuses
CHECKS = list(estimator_checks_generator(ColumnEncoder()))


@pytest.mark.parametrize(
    ("estimator", "check"), CHECKS, ids=[check.func.__name__ for _, check in CHECKS]
)
def test_scikit_learns_checks(estimator, check):
    check(estimator)


TABLE = {"age": [30.0, None, 50.0, 20.0] * 10, "word": ["a", "b", "b", "c"] * 10}
LABELS = [0, 1, 1, 0] * 10


def test_pipelines_and_cross_validation():
    model = make_pipeline(ColumnEncoder(), LogisticRegression())
    frame = pd.DataFrame(TABLE)
    assert cross_val_score(model, frame, LABELS, cv=3).min() == 1.0
    assert model.fit(frame, LABELS)[:-1].get_feature_names_out().tolist() == [
        "age", "age_missing", "word_a", "word_b", "word_c",
    ]  # fmt: skip


def test_output_as_a_frame():
    encoder = ColumnEncoder().set_output(transform="pandas")
    out = encoder.fit_transform(pd.DataFrame(TABLE))
    assert isinstance(out, pd.DataFrame)
    assert list(out.columns) == encoder.get_feature_names_out().tolist()
    assert (out.dtypes == np.float32).all()


def test_beside_other_transformers():
    both = make_column_transformer((ColumnEncoder(), ["word"]), ("passthrough", ["age"]))
    assert both.fit_transform(pd.DataFrame(TABLE)).shape == (40, 4)


def test_a_clone_is_not_fitted():
    encoder = ColumnEncoder(types={"age": "categorical"}, max_one_hot=3).fit(TABLE)
    twin = clone(encoder)
    assert twin.get_params() == encoder.get_params()
    with pytest.raises(NotFittedError):
        twin.transform(TABLE)
    with pytest.raises(NotFittedError):
        twin.summary()


def test_names_asked_for_must_be_its_own():
    encoder = ColumnEncoder().fit(TABLE)
    assert len(encoder.get_feature_names_out(["age", "word"])) == 5
    with pytest.raises(ValueError, match="input_features is not equal to feature_names_in_"):
        encoder.get_feature_names_out(["word", "age"])
    with pytest.raises(ValueError, match="input_features should have length equal"):
        encoder.get_feature_names_out(["word"])
