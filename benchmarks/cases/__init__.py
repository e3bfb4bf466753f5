"""The cases, one file a kind of work."""

from benchmarks.cases import batches, digits, full_batch, predict, scale, tiny

CASES = [
    *batches.CASES,
    *full_batch.CASES,
    *digits.CASES,
    *tiny.CASES,
    *predict.CASES,
    *scale.CASES,
]
