"""Tables of features in three groups, as a user may have them."""

from pathlib import Path

import numpy as np

import medunsup

NAMES = [f"volumes/region{n}_ml" for n in range(8)]


def table(n: int = 45, *, seed: int = 0, shift: float = 0.0) -> medunsup.FeatureTable:
    """Rows of three sites that differ in four of eight features."""
    rng = np.random.default_rng(seed)
    of = np.arange(n) % 3
    values = rng.normal(size=(n, 8))
    values[:, :4] += 6 * of[:, None]
    return medunsup.FeatureTable(
        100 + 10 * values + shift,
        NAMES,
        {"subject": [f"sub-{k:03d}" for k in range(n)], "session": ["1"] * n},
        {"site": ["ABC"[k] for k in of], "age": [str(40 + k) for k in range(n)]},
    )


def write(path: Path, **how: object) -> Path:
    """Write such a table."""
    return medunsup.write_features(path, table(**how), force=True)  # type: ignore[arg-type]


def groups(n: int = 80, *, apart: float = 8.0, offset: float = 0.0, seed: int = 0) -> medunsup.FeatureTable:
    """Rows of two groups of unequal size, half of each at either site; sites differ by an offset."""
    rng = np.random.default_rng(seed)
    group = (np.arange(n) % 5 < 2).astype(int)
    site = np.arange(n) // 5 % 2
    values = rng.normal(size=(n, 6))
    values[:, :3] += apart * group[:, None]
    values[:, 3:] += offset * site[:, None]
    age = 60 + 8 * group + rng.normal(size=n)
    return medunsup.FeatureTable(
        50 + 3 * values,
        NAMES[:6],
        {"subject": [f"sub-{k:03d}" for k in range(n)]},
        {
            "site": ["AB"[k] for k in site],
            "age": [f"{one:.1f}" for one in age],
            "sex": ["F" if one else "M" for one in rng.integers(2, size=n)],
            "group": ["patient" if one else "control" for one in group],
        },
    )


def write_groups(path: Path, n: int) -> Path:
    """Write such a table."""
    return medunsup.write_features(path, groups(n), force=True)
