"""Data to learn from: digits, MNIST, IDX files, numeric CSV tables."""

from chainrule.datasets.csv_tables import NumericTable, read_csv
from chainrule.datasets.dataset import Dataset
from chainrule.datasets.digits import load_digits
from chainrule.datasets.idx import read_idx, write_idx
from chainrule.datasets.mnist import find_mnist, load_mnist

__all__ = [
    "Dataset",
    "NumericTable",
    "find_mnist",
    "load_digits",
    "load_mnist",
    "read_csv",
    "read_idx",
    "write_idx",
]
