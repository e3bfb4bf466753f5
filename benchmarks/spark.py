"""MNIST, 784-20-10, 50 iterations of L-BFGS: beside MLlib's MultilayerPerceptronClassifier.

Both start at the same θ, minimise the same mean cross-entropy on as many cores, and have their rows
in memory before the clock starts. Ours stops where its loss is Spark's last: in float64, in which
Spark computes, and in float32, in which one would train on images; the loss at its θ is then looked
at in float64.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

import chainrule as cr
from benchmarks.data import mnist_floats

LAYERS = [784, 20, 10]
MOST = 200
"""Iterations in which ours must have come to Spark's loss."""


def missing() -> str | None:
    """What is not there, or None."""
    if importlib.util.find_spec("pyspark") is None:
        return "pyspark is not installed"
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        return "there is no Java"
    return None


def compare(iterations: int, cores: int) -> bool:
    """Print both; whether ours is ten times as fast at equal loss."""
    if (why := missing()) is not None:
        print(f"not measured: {why}")
        return False
    X, y = mnist_floats("float64")
    objective, theta0 = problem(X, y)
    for _ in range(2):  # the first warms up
        alone = until(objective, theta0, X, y, -np.inf, iterations)
    say("chainrule, float64", *alone[:3])
    with spark_session(cores) as spark:
        rows = table(spark, X, y)
        learn(rows, theta0, 3)  # the virtual machine compiles what is used often
        found, seconds, told = learn(rows, theta0, iterations)
    start, loss = (objective(theta, X, y)[0] for theta in (theta0, found))
    if abs(start - told[0]) > 1e-3 * start:  # its loss is the mean of its blocks' means
        raise RuntimeError(f"Spark begins at loss {told[0]}, ours at {start}: not one objective")
    say("Spark MLlib", seconds, loss, len(told) - 1)
    ratios = []
    for dtype in ("float64", "float32"):
        again, begin = X.astype(dtype), theta0.astype(dtype)
        taken, _, count, theta = until(objective, begin, again, y, loss, MOST)
        reached = objective(theta.astype(np.float64), X, y)[0]
        say(f"chainrule, {dtype}", taken, reached, count)
        if reached > loss:
            print(f"Spark's loss is not reached in {MOST} iterations")
            return False
        ratios.append(seconds / taken)
    print(
        f"Spark / chainrule at equal loss: {ratios[0]:.1f} in float64, {ratios[1]:.1f} in float32 "
        f"(bar 10), on {cores} cores"
    )
    return max(ratios) >= 10


def say(who: str, seconds: float, loss: float, iterations: int) -> None:
    print(f"{who:28s} {seconds:8.2f} s, loss {loss:.5f} after {iterations} iterations", flush=True)


def problem(X: np.ndarray, y: np.ndarray) -> tuple[cr.Objective, np.ndarray]:
    """The objective without a penalty, as Spark has none, and θ to start at."""
    model = cr.MLPClassifier((20,), activation="logistic", alpha=0.0, random_state=0)
    objective, theta, _, _ = model.as_objective(X[:1000], y[:1000])
    return objective, theta


def until(
    objective: cr.Objective, theta0: np.ndarray, X: Any, y: Any, loss: float, most: int
) -> tuple[float, float, int, np.ndarray]:
    """Seconds, loss, iterations and θ of L-BFGS, which stops as soon as its loss is ``loss``."""

    def stop(progress: Any) -> bool:
        return progress.history[-1]["loss"] <= loss

    begin = time.perf_counter()
    result = cr.training.minimize(
        objective, X, y, theta0=theta0, solver="lbfgs", max_iter=most, tol=0.0, callbacks=[stop]
    )
    return time.perf_counter() - begin, result.loss, result.n_iter, result.theta


@contextmanager
def spark_session(cores: int) -> Any:
    """A local Spark that speaks to loopback alone and leaves nothing behind."""
    from pyspark.sql import SparkSession

    with tempfile.TemporaryDirectory() as folder:
        os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
        options = {
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.memory": "6g",
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            "spark.log.level": "ERROR",
            "spark.local.dir": folder,
            "spark.sql.warehouse.dir": str(Path(folder) / "warehouse"),
        }
        builder: Any = SparkSession.builder
        spark = builder.master(f"local[{cores}]").config(map=options).getOrCreate()
        try:
            yield spark
        finally:
            spark.stop()


def table(spark: Any, X: np.ndarray, y: np.ndarray) -> Any:
    """The rows as Spark wants them, cached."""
    from pyspark.ml.linalg import DenseVector

    rows = [(DenseVector(x), float(label)) for x, label in zip(X, y, strict=True)]
    cores = spark.sparkContext.defaultParallelism
    frame = spark.createDataFrame(
        spark.sparkContext.parallelize(rows, cores), ["features", "label"]
    )
    frame = frame.cache()
    frame.count()
    return frame


def learn(rows: Any, theta0: np.ndarray, iterations: int) -> tuple[np.ndarray, float, list[float]]:
    """θ, seconds, and the losses that Spark tells, from that at ``theta0`` on."""
    from pyspark.ml.classification import MultilayerPerceptronClassifier
    from pyspark.ml.linalg import DenseVector

    network = MultilayerPerceptronClassifier(layers=LAYERS, maxIter=iterations, tol=0.0)
    network.setInitialWeights(DenseVector(theta0))
    begin = time.perf_counter()
    model = network.fit(rows)
    seconds = time.perf_counter() - begin
    return np.array(model.weights), seconds, list(model.summary().objectiveHistory)
