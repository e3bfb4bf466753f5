"""One fit in its own process: ``python -m benchmarks.tables.worker SET CONTENDER SEED ROWS DATA``.

Prints a line of JSON: error, log_loss, seconds of fit (on the clock, and of processors in this
process) and of prediction, peak memory in MB.
"""

from __future__ import annotations

import json
import resource
import sys
import time
import warnings
from pathlib import Path

import numpy as np

from benchmarks.tables.contenders import CONTENDERS
from benchmarks.tables.sets import SETS, split


def run(name: str, contender: str, seed: int, rows: int | None, data: Path) -> dict[str, float]:
    """What a contender reaches on the test rows of a set, and what it took."""
    classes = SETS[name].classes
    X_train, X_test, y_train, y_test = split(name, seed, rows, data)
    model = CONTENDERS[contender].make(classes, seed)
    start, worked = time.perf_counter(), time.process_time()
    model.fit(X_train, y_train)
    fitted, worked = time.perf_counter(), time.process_time() - worked
    predicted = np.asarray(model.predict(X_test)).reshape(-1)
    found = {"seconds": fitted - start, "cpu_seconds": worked}
    found["predict_seconds"] = time.perf_counter() - fitted
    found["rows"] = float(len(X_train))
    # kilobytes on Linux
    found["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if not classes:
        error = np.sqrt(np.mean((predicted.astype(float) - y_test) ** 2)) / y_test.std()
        return found | {"error": float(error)}
    p = np.asarray(model.predict_proba(X_test), np.float64)
    of_truth = p[np.arange(len(p)), np.searchsorted(model.classes_, y_test)] / p.sum(axis=1)
    # half a mistake where there is none: a mean of ratios needs more than 0
    wrong = max(float(np.mean(predicted != y_test)), 0.5 / len(y_test))
    return found | {"error": wrong, "log_loss": float(-np.log(of_truth.clip(1e-15)).mean())}


def main() -> None:
    name, contender, seed, rows, data = sys.argv[1:]
    warnings.simplefilter("ignore")
    print(json.dumps(run(name, contender, int(seed), int(rows) or None, Path(data))))


if __name__ == "__main__":
    main()
