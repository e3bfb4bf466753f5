"""A bounded memory that covers the whole way."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.errors import OptionError
from chainrule.training.thinning import Thinned


@given(st.integers(4, 40), st.lists(st.floats(0.001, 50), max_size=400))
def test_never_too_many_and_the_first_stays(limit, steps):
    kept = Thinned(limit, cell=0.5)
    for position in np.cumsum([0.0, *steps]).tolist():
        if kept.wants(position):
            kept.add(position, -position)
    assert 1 <= len(kept.positions) <= limit
    assert kept.positions[0] == 0.0
    assert kept.positions == sorted(set(kept.positions))
    assert kept.records == [-position for position in kept.positions]


@pytest.mark.parametrize("count", [3, 8, 9, 100, 1000])
def test_of_consecutive_epochs_every_second_fourth_eighth_stays(count):
    kept = Thinned(8)
    for epoch in range(count):
        if kept.wants(epoch):
            kept.add(epoch, None)
    stride = 1
    while len(range(0, count, stride)) > 8:
        stride *= 2
    assert kept.positions == list(range(0, count, stride))


def test_what_comes_after_is_cut_and_the_way_goes_on_from_there():
    kept = Thinned(8)
    for epoch in range(6):
        kept.add(epoch, str(epoch))
    kept.cut(3)
    assert kept.records == ["0", "1", "2", "3"]
    assert not kept.wants(3)
    assert kept.wants(4)


def test_a_limit_below_four_is_refused():
    with pytest.raises(OptionError, match="limit"):
        Thinned(3)
