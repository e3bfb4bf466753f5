"""``python -m benchmarks.tables.arithmetic``: how far training is from what products alone take.

A network is fitted to adult. The time of its epochs is divided by the time that as many
multiplications and additions take in a large float32 product (``numpy.matmul``, 2048³), measured
in this process before and after. Exit status 1 when td-s takes more than twice that.
"""

from __future__ import annotations

import argparse
import sys
from datetime import date
from pathlib import Path
from time import perf_counter

from threadpoolctl import threadpool_limits

from benchmarks.measure import sgemm_peak
from benchmarks.tables.sets import DATA, split
from chainrule import RealMLPClassifier, engine
from chainrule.training import Callback, Progress

MOST = 2.0


class Stopwatch(Callback):
    """Seconds of all epochs, the scores of the rows held back among them."""

    def on_train_begin(self, progress: Progress) -> None:
        self.start = perf_counter()

    def on_epoch_end(self, progress: Progress) -> None:
        self.seconds = perf_counter() - self.start


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="the folder of the sets")
    parser.add_argument("--epochs", type=int, default=16)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3, help="fits; the fastest counts")
    arguments = parser.parse_args()
    print(" ".join(["python -m benchmarks.tables.arithmetic", *sys.argv[1:]]), end="   ")
    print(f"({date.today().isoformat()}, {engine.info()})")
    X, _, y, _ = split("adult", 0, None, arguments.data)
    ratios = {}
    for preset in ("td-s", "td"):
        flops, seconds, whole = 0.0, [], []
        for _ in range(arguments.rounds):
            watch = Stopwatch()
            model = RealMLPClassifier(
                preset,
                n_epochs=arguments.epochs,
                callbacks=[watch],
                random_state=0,
                n_threads=arguments.threads,
            )
            start = perf_counter()
            model.fit(X, y)
            whole.append(perf_counter() - start)
            seconds.append(watch.seconds)
            flops = arithmetic(model, len(X))
        with threadpool_limits(arguments.threads, user_api="blas"):
            peak = sgemm_peak()
        ratios[preset] = min(seconds) * peak / flops
        print(
            f"{preset:5} {arguments.epochs} epochs {min(seconds):6.2f} s (fit {min(whole):.2f} s), "
            f"{flops / 1e9:.0f} GFLOP, at the peak of {peak / 1e9:.0f} GFLOP/s "
            f"{flops / peak:6.2f} s: ratio {ratios[preset]:.2f}"
        )
    print(f"td-s: {ratios['td-s']:.2f} (bar {MOST:g})")
    return 0 if ratios["td-s"] <= MOST else 1


def arithmetic(model: RealMLPClassifier, rows: int) -> float:
    """Flops of the products of the linear layers in all epochs: three of a layer for a row
    trained on, one for a row held back."""
    sizes = [value.size for name, value in model.parameters_.items() if name[0] == "W"]
    held = -int(-rows * model.validation_fraction // 1)
    batch = int(model.batch_size)
    trained = (rows - held) // batch * batch
    return 2.0 * sum(sizes) * (3 * trained + held) * model.n_epochs


if __name__ == "__main__":
    sys.exit(main())
