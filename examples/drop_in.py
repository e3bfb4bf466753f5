"""One import replaced: a pipeline with column transformer, grid search and calibration.

    python examples/drop_in.py            with chainrule's network
    python examples/drop_in.py sklearn    with scikit-learn's: the same lines, the same result

The table is made here: numbers with gaps, a category, and a class that depends on both.
"""

import sys
import time
import warnings

import numpy as np
import pandas as pd
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

if "sklearn" in sys.argv[1:]:
    from sklearn.neural_network import MLPClassifier
else:
    from chainrule import MLPClassifier


def make_table(rows: int = 600) -> tuple[pd.DataFrame, pd.Series]:
    """Age, income with gaps, town; who buys."""
    rng = np.random.default_rng(0)
    age, income = rng.uniform(18, 80, rows), rng.lognormal(3, 0.5, rows)
    town = rng.choice(["Shiraz", "Tabriz", "Yazd"], rows)
    wants = (age - 45) / 15 + np.log(income) - 3 + 1.5 * (town == "Yazd")
    buys = rng.uniform(size=rows) < 1 / (1 + np.exp(-wants))
    income[rng.uniform(size=rows) < 0.1] = np.nan
    table = pd.DataFrame({"age": age, "income": income, "town": town})
    return table, pd.Series(np.where(buys, "yes", "no"))


def main() -> float:
    """Fit, report, and give back the test log-loss."""
    X, y = make_table()
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0, stratify=y)
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    columns = make_column_transformer(
        (numbers, ["age", "income"]), (OneHotEncoder(handle_unknown="ignore"), ["town"])
    )
    network = make_pipeline(columns, MLPClassifier((20,), max_iter=100, random_state=0))
    search = GridSearchCV(network, {"mlpclassifier__alpha": [1e-4, 1e-2, 1.0]}, cv=3)
    model = CalibratedClassifierCV(search, cv=3)
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X_train, y_train)
    seconds = time.perf_counter() - start
    loss = log_loss(y_test, model.predict_proba(X_test), labels=model.classes_)
    print(f"accuracy {model.score(X_test, y_test):.3f}, log-loss {loss:.4f}, {seconds:.1f} s")
    return loss


if __name__ == "__main__":
    main()
