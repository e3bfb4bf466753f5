"""The columns of training in a new table: found by name, or by place where there are no names."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from chainrule.errors import DataError, describe
from chainrule.tables.columns import Table
from chainrule.tables.specs import ColumnSpec

__all__ = ["align"]


def align(table: Table, specs: Sequence[ColumnSpec], named: bool, owner: str) -> Table:
    """The columns of ``table`` that are encoded, under the names and in the order of ``specs``.

    Raises
    ------
    DataError
        A column that training did not have, one that is lost, another number of columns.
    """
    used = [spec.name for spec in specs if spec.used]
    if table.named and named:
        _check_names(table, specs, used)
        return table.select(used)
    _check_count(table, len(specs), owner)
    if table.named != named:
        _warn(table.named, owner)
    columns = [
        (spec, table[name]) for spec, name in zip(specs, table.names, strict=True) if spec.used
    ]
    return Table((column.called(spec.name) for spec, column in columns), rows=table.rows)


def _check_names(table: Table, specs: Sequence[ColumnSpec], used: Sequence[str]) -> None:
    known = {spec.name for spec in specs}
    lost = [name for name in used if name not in table]
    unknown = [name for name in table if name not in known]
    if not (lost or unknown):
        return
    came = [f"no {name!r}" for name in lost] + [f"an unknown {name!r}" for name in unknown]
    remedy = "Take unknown columns out, give lost ones (all missing will do)."
    shown = came if len(came) <= 10 else [*came[:10], f"{len(came) - 10} more"]
    raise DataError(describe("X", "the columns of training", ", ".join(shown), remedy))


def _check_count(table: Table, expected: int, owner: str) -> None:
    if len(table.names) != expected:
        # in scikit-learn's words, which its users know and search for
        raise DataError(
            f"X has {len(table.names)} features, but {owner} is expecting {expected} features as "
            "input; without column names they are told by their order."
        )


def _warn(has_names: bool, owner: str) -> None:
    if has_names:
        message = f"X has feature names, but {owner} was fitted without feature names"
    else:
        message = f"X does not have valid feature names, but {owner} was fitted with feature names"
    warnings.warn(f"{message}; columns are taken in their order.", UserWarning, stacklevel=5)
