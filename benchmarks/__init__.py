"""Benchmarks: chainrule and its peers on the same arrays, in one run.

``python -m benchmarks`` prints every case with its ratios and bars; see ``docs/performance.md``.
"""
