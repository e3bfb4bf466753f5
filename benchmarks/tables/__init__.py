"""Networks for tables against their peers: same sets, same splits, same seeds, one table.

``python -m benchmarks.tables`` runs it; docs/tables.md says what came of it.
"""
