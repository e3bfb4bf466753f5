"""What a target is taken for."""

import numpy as np
import pytest

from chainrule.errors import DataError
from chainrule.tables import as_table
from chainrule.tables.task import holds_classes, target_values


@pytest.mark.parametrize(
    ("y", "classes"),
    [
        (np.array(["a", "b"]), True),
        (np.array([True, False]), True),
        (np.arange(20), True),
        (np.arange(21), False),
        (np.arange(3.0), True),
        (np.array([0.5, 1.0]), False),
    ],
)
def test_classes_or_values(y, classes):
    assert holds_classes(y) is classes


def test_another_limit():
    assert not holds_classes(np.arange(9), most=8)


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["1", "2.0", "1"], np.array([1, 2, 1])),
        (["1", "2.5"], np.array([1.0, 2.5])),
        (["01", "1"], np.array(["01", "1"])),
        (["1", "x"], np.array(["1", "x"])),
    ],
)
def test_values_of_texts(cells, values):
    found = target_values(as_table({"y": cells})["y"])
    np.testing.assert_array_equal(found, values)
    assert found.dtype.kind == values.dtype.kind


def test_infinity_is_refused():
    with pytest.raises(DataError, match="column 'y', row 1: expected a finite number; came 'inf'"):
        target_values(as_table({"y": ["1", "inf"]})["y"])
