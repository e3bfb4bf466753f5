"""Tables: columns of any type, missing values, unknown categories, to numbers."""

from chainrule.tables.columns import Column, Table
from chainrule.tables.encoded import Encoded
from chainrule.tables.encoder import ColumnEncoder
from chainrule.tables.inference import TextColumnError
from chainrule.tables.reading import TableReader, read_table
from chainrule.tables.sources import as_table
from chainrule.tables.specs import ColumnSpec
from chainrule.tables.summary import Summary

__all__ = [
    "Column",
    "ColumnEncoder",
    "ColumnSpec",
    "Encoded",
    "Summary",
    "Table",
    "TableReader",
    "TextColumnError",
    "as_table",
    "read_table",
]
