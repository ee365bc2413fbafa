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
