"""Whether an installed chainrule works: learn, check, save, load, export, command line.

    python tools/smoke.py

For wheels on machines where nothing but the wheel and its requirements is installed. Ends with an
exit code other than 0 where something is wrong; the compiled engine must be there unless
CHAINRULE_REQUIRE_ENGINE=0.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import chainrule as cr
from chainrule import engine


def expect(fact: object, what: str) -> None:
    """End here where it does not hold."""
    if not fact:
        sys.exit(f"smoke test: expected {what}")


def has_its_engine() -> str:
    """Compiled, and not by accident that of a checkout."""
    about = engine.info()
    required = os.environ.get("CHAINRULE_REQUIRE_ENGINE", "1") != "0"
    expect(about["compiled"] or not required, f"the compiled engine; came {about}")
    return str(about["isa"]) if about["compiled"] else "NumPy"


def learns(folder: Path) -> float:
    """Digits, by the estimator; its gradient; the file; a plain NumPy copy of it."""
    data = cr.load_digits()
    X, y, X_test = data.X_train / 16, data.y_train, data.X_test / 16
    model = cr.MLPClassifier((20,), solver="lbfgs", max_iter=500, random_state=0).fit(X, y)
    expect(cr.check_gradient(model, X[:30], y[:30], progress=False).ok, "a right gradient")
    cr.save(model, folder / "digits.safetensors")
    again = cr.load(folder / "digits.safetensors")
    expect(np.array_equal(again.predict(X_test), model.predict(X_test)), "the same predictions")
    cr.to_numpy(model, folder / "digits.py")
    score = model.score(X_test, data.y_test)
    expect(score > 0.9, f"nine of ten test digits right; came {score:.1%}")
    return score


def command_line_works(folder: Path) -> None:
    """``python -m chainrule`` on a table with a category and a gap."""
    rows = [f"{i % 7},{'a' if i % 3 else 'b'},{'yes' if i % 7 > 3 else 'no'}" for i in range(80)]
    table = "\n".join(["x,c,y", ",a,no", *rows]) + "\n"
    (folder / "table.csv").write_text(table, encoding="utf-8")
    for line in (
        "train table.csv --target y --max-iter 16 --save model.safetensors",
        "predict model.safetensors table.csv -o out.csv",
        "info",
    ):
        command = [sys.executable, "-m", "chainrule", *line.split()]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        expect(done.returncode == 0, f"`chainrule {line}` to end with 0; {done.stderr}")
    expect((folder / "out.csv").stat().st_size > 0, "predictions in out.csv")


def main() -> None:
    """All of it, and a line on what was there."""
    runs_on = has_its_engine()
    with tempfile.TemporaryDirectory() as name:
        score = learns(Path(name))
        command_line_works(Path(name))
    where = Path(cr.__file__).parent
    print(f"chainrule {cr.__version__} in {where}: {runs_on}, {score:.1%} of the test digits right")


if __name__ == "__main__":
    main()
