"""How many threads: what this process may use, so that nested work never oversubscribes."""

from __future__ import annotations

import os
from pathlib import Path

_LIMITS = ("OMP_NUM_THREADS", "LOKY_MAX_CPU_COUNT")


def default_threads() -> int:
    """The smallest of affinity, cgroup quota, OMP_NUM_THREADS, LOKY_MAX_CPU_COUNT; at least 1."""
    counts = [_affinity(), _quota(), *(_variable(name) for name in _LIMITS)]
    return max(1, min(count for count in counts if count is not None))


def _affinity() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _variable(name: str) -> int | None:
    text = os.environ.get(name, "").split(",")[0].strip()  # OpenMP allows a list, one a level
    return int(text) if text.isdecimal() and int(text) > 0 else None


_quotas: dict[int, int | None] = {}


def _quota() -> int | None:
    """CPUs that the container's cgroup grants; read once a process."""
    pid = os.getpid()
    if pid not in _quotas:
        _quotas[pid] = read_quota(Path("/sys/fs/cgroup"))
    return _quotas[pid]


def read_quota(root: Path) -> int | None:
    """Whole CPUs of the quota under ``root`` (cgroup version 2, then 1), rounded up, or None."""
    try:
        quota, period = (root / "cpu.max").read_text().split()
    except (OSError, ValueError):
        try:
            quota = (root / "cpu" / "cpu.cfs_quota_us").read_text().strip()
            period = (root / "cpu" / "cpu.cfs_period_us").read_text().strip()
        except OSError:
            return None
    if not (quota.isdecimal() and period.isdecimal() and int(period) > 0):
        return None  # "max" or −1: no limit
    return max(1, -(-int(quota) // int(period)))
