"""How many cores this process may use: those of its job or container, not all that the machine has."""

import os
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")
NO_LIMIT = "max"


def available_cores() -> int:
    """Count the cores that this process may use: the least that affinity, control group and Slurm allow."""
    counts = [_of_affinity(), _of_cgroup(CGROUP), _of_slurm()]
    return max(1, min(count for count in counts if count is not None))


def _of_affinity() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _of_cgroup(root: Path) -> int | None:
    """Read the quota of version 2, else of version 1; None without one. A part of a core counts as one."""
    try:
        quota, period = (root / "cpu.max").read_text().split()
    except (OSError, ValueError):
        try:
            quota = (root / "cpu/cpu.cfs_quota_us").read_text().strip()
            period = (root / "cpu/cpu.cfs_period_us").read_text().strip()
        except OSError:
            return None
    try:
        return None if quota == NO_LIMIT or int(quota) <= 0 else -(-int(quota) // int(period))
    except (ValueError, ZeroDivisionError):
        return None


def _of_slurm() -> int | None:
    word = os.environ.get("SLURM_CPUS_PER_TASK", "")
    return int(word) if word.isdigit() and int(word) else None
