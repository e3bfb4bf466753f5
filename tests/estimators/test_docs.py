"""The page on estimators keeps its word: its code runs and prints what it says."""

import doctest
import inspect
import io
import re
import warnings
from contextlib import redirect_stdout

import pytest

from chainrule.estimators import MLPClassifier, MLPRegressor, OneVsAllClassifier, SoftmaxClassifier
from chainrule.estimators.rules import FULL_BATCH, MINI_BATCH, RATES
from chainrule.networks import ACTIVATIONS

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def page(project_root):
    return (project_root / "docs" / "estimators.md").read_text(encoding="utf-8")


def test_code_prints_what_the_page_says(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = BLOCK.findall(page)
    checker, namespace = doctest.OutputChecker(), {}
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    code = [place for place, (language, _) in enumerate(blocks) if language == "python"]
    assert len(code) >= 8
    with warnings.catch_warnings():
        for place in code:
            language, expected = blocks[place + 1]
            assert language == "text"
            printed = io.StringIO()
            with redirect_stdout(printed):
                exec(compile(blocks[place][1], "estimators.md", "exec"), namespace)
            got = printed.getvalue()
            assert checker.check_output(expected, got, flags), got


def test_every_option_beyond_scikit_learns_is_on_the_page(page):
    theirs = "hidden_layer_sizes alpha batch_size learning_rate_init power_t max_iter shuffle"
    theirs += " random_state tol verbose warm_start momentum nesterovs_momentum early_stopping"
    theirs += " validation_fraction beta_1 beta_2 epsilon n_iter_no_change max_fun"
    for kind in (MLPClassifier, MLPRegressor, OneVsAllClassifier, SoftmaxClassifier):
        for name in inspect.signature(kind).parameters.keys() - set(theirs.split()):
            assert f"`{name}`" in page, (kind.__name__, name)
    words = {*FULL_BATCH, *MINI_BATCH, *RATES, *ACTIVATIONS}
    words -= {"identity", "sigmoid", "tanh", "relu", "constant", "invscaling", "adaptive"}
    assert [word for word in words if f'"{word}"' not in page] == []
