"""The generator that ``random_state`` means."""

from __future__ import annotations

from typing import Any

import numpy as np
import sklearn.utils
from numpy.random.bit_generator import ISeedSequence


class NoEntropy(ISeedSequence):
    """Zeros in place of entropy, for a generator that gets its seed right after it is made."""

    def generate_state(self, n_words: int, dtype: Any = np.uint32) -> Any:
        """So many zeros: a list, because they are taken out one by one."""
        return [0] * n_words


def check_random_state(random_state: Any) -> np.random.RandomState:
    """The generator that scikit-learn's function of this name gives, and its draws.

    ``RandomState(seed)`` gathers entropy before it takes the seed, which is a tenth of a
    millisecond: as long as several epochs of a small fit.
    """
    if type(random_state) is not int:
        return sklearn.utils.check_random_state(random_state)
    no_entropy: Any = NoEntropy()  # NumPy's own annotation knows SeedSequence alone
    generator = np.random.RandomState(np.random.MT19937(no_entropy))
    generator.seed(random_state)
    return generator
