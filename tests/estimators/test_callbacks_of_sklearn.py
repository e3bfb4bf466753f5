"""scikit-learn's own callbacks, where the installed version has them."""

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from chainrule.estimators import MLPClassifier, MLPRegressor, OneVsAllClassifier, SoftmaxClassifier

callback = pytest.importorskip("sklearn.callback", reason="scikit-learn before 1.9")

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


class Recorder:
    """Notes every task; stops after ``last`` of them."""

    def __init__(self, last=None):
        self.events = []
        self.losses = []
        self.last = last

    def setup(self, estimator, context):
        self.events.append("setup")

    def teardown(self, estimator, context):
        self.events.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.events.append(f"begin {context.task_name}")

    def on_fit_task_end(self, estimator, context, *, X, y, fitted_estimator):
        self.events.append(f"end {context.task_name}")
        if context.task_name == "iteration":
            self.losses.append(fitted_estimator.score(X, y))
        return self.events.count("end iteration") == self.last


@pytest.mark.parametrize("solver", ["adam", "cg"])
@pytest.mark.parametrize("kind", [MLPClassifier, SoftmaxClassifier])
def test_every_iteration_is_a_task(digits, kind, solver):
    X, y = digits
    recorder = Recorder()
    model = kind(solver=solver, max_iter=3, random_state=0).set_callbacks(recorder).fit(X, y)
    steps = ["begin iteration", "end iteration"] * 3
    assert recorder.events == ["setup", "begin fit", *steps, "end fit", "teardown"]
    assert recorder.losses[-1] == model.score(X, y)
    assert len(set(recorder.losses)) > 1


def test_a_callback_may_stop(values):
    recorder = Recorder(last=2)
    model = MLPRegressor(max_iter=50).set_callbacks(recorder).fit(*values)
    assert model.n_iter_ == 2
    assert model.training_status_ == "callback"


def test_one_vs_all_has_a_task_for_each_iteration_of_each_class(digits):
    X, y = digits
    recorder = Recorder()
    model = OneVsAllClassifier(solver="cg", max_iter=4).set_callbacks(recorder).fit(X, y)
    assert recorder.events.count("end iteration") == model.n_iter_.sum()


def test_torn_down_after_a_failure(digits):
    X, y = digits
    recorder = Recorder()
    model = MLPClassifier().set_callbacks(recorder)
    with pytest.raises(ValueError, match="NaN"):
        model.fit(np.full_like(X, np.nan), y)
    assert recorder.events[0] == "setup"
    assert recorder.events[-1] == "teardown"
    assert not hasattr(model, "_callback_fit_ctx")


def test_scoring_monitor(digits):
    X, y = digits
    monitor = callback.ScoringMonitor(scoring="accuracy")
    make_pipeline(StandardScaler(), MLPClassifier(max_iter=3).set_callbacks(monitor)).fit(X, y)
    rows = [row for row in monitor.get_logs(select="most_recent").data if "iteration" in str(row)]
    assert len(rows) == 3
