"""Tables of Arrow as data frames whose numbers lie as training reads them: row by row."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

BLOCK_ROWS = 1 << 16
"""Rows that are written at once: all their columns stay in the cache."""


def as_frame(table: pa.Table) -> pd.DataFrame:
    """The table as a frame; floats of one precision come to lie row by row, in one copy.

    ``to_pandas`` puts each column in one stretch: a row is then in as many places of memory as it
    has columns, and has to be gathered before it is trained on.
    """
    like = table.schema.empty_table().to_pandas()
    kinds = set(like.dtypes)
    plain = len(like.columns) == table.num_columns  # none of them is an index
    whole = not any(column.null_count for column in table.columns)
    if not (plain and whole and kinds in ({np.dtype("float32")}, {np.dtype("float64")})):
        return table.to_pandas()
    return pd.DataFrame(row_by_row(table, kinds.pop()), columns=like.columns, copy=False)


def row_by_row(table: pa.Table, dtype: np.dtype) -> np.ndarray:
    """(rows, columns) in C order, from columns of ``dtype`` without missing values."""
    out = np.empty((table.num_rows, table.num_columns), dtype)
    at = 0
    for batch in table.to_batches(max_chunksize=BLOCK_ROWS):
        rows = out[at : at + batch.num_rows]
        for i, column in enumerate(batch.columns):
            rows[:, i] = column.to_numpy(zero_copy_only=True)
        at += batch.num_rows
    return out
