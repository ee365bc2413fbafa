"""Whether scans or images to be tested on were seen before: by subject, by values, or nearly alike.

A fingerprint is a coarse copy of what a network sees, at most `SIDE` cells a side, without its mean and of
length 1; the product of two is their correlation. On the template grid different brains reach .991, different
chest X-rays .967.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from medunsup.cohort.encoders.folder import FINGERPRINTS, EncoderFolder, Seen
from medunsup.core.errors import InputError

SIDE = 16
ALIKE = 0.999
SHOWN = 3
AT_ONCE = 512
NO_DATA_SET = "n/a"

Fingerprints = NDArray[np.float32]


class Known(NamedTuple):
    """Scans or images, a line each, and their fingerprints (N, P); none where they were not kept."""

    lines: Sequence[Seen]
    fingerprints: Fingerprints | None


class Pair(NamedTuple):
    """One to be tested on, one that was seen, and why they count as the same."""

    tested: Seen
    seen: Seen
    why: str


def fingerprints(values: NDArray[np.floating]) -> Fingerprints:
    """Return fingerprints (N, P) float32 of scans (N, C, I, J, K); of one that is constant it is 0."""
    found = []
    for one in values:  # which may be mapped from disk
        coarse = np.asarray(one, dtype=np.float64)
        for axis in range(1, coarse.ndim):
            coarse = _block_means(coarse, axis)
        coarse = coarse.ravel() - coarse.mean()
        length = np.linalg.norm(coarse)
        found.append(coarse / length if length > np.finfo(np.float32).eps else np.zeros_like(coarse))
    return np.stack(found).astype(np.float32)


def known_to(encoder: EncoderFolder) -> Known:
    """Return what an encoder was pretrained on; folders of earlier versions hold no fingerprints."""
    is_kept = FINGERPRINTS in encoder.manifest.sha256
    kept = encoder.files.arrays(FINGERPRINTS)["fingerprints"] if is_kept else None
    return Known(encoder.seen, kept)


def refuse_overlap(tested: Known, seen: Known, *, by: str, remedy: str) -> None:
    """Raise InputError with pairs of `tested` and `seen` that are the same, and the remedy.

    `by` says by what they were seen, such as "pretraining".
    """
    pairs = list(overlap(tested, seen))
    if not pairs:
        return
    shown = "; ".join(f"{one.tested.scan} is {one.seen.scan} ({one.why})" for one in pairs[:SHOWN])
    more = f"; and {len(pairs) - SHOWN} more" if len(pairs) > SHOWN else ""
    n, of = len({one.tested.scan for one in pairs}), len(tested.lines)
    raise InputError(f"{n} of {of} of the test split were seen by {by}: {shown}{more}. {remedy}")


def overlap(tested: Known, seen: Known) -> Iterator[Pair]:
    """Yield for each that was seen a pair, by the surest sign: same values, same subject, nearly alike."""
    by_content = {one.prepared_sha256: one for one in seen.lines}
    by_file = {one.sha256: one for one in seen.lines if one.sha256 != one.prepared_sha256}
    by_subject: dict[str, list[Seen]] = {}
    for one in seen.lines:
        by_subject.setdefault(one.subject, []).append(one)
    near = _nearest(tested.fingerprints, seen.fingerprints)
    for n, one in enumerate(tested.lines):
        same = by_content.get(one.prepared_sha256) or by_file.get(one.sha256)
        person = next((each for each in by_subject.get(one.subject, ()) if _may_be_one(one, each)), None)
        if same is not None:
            yield Pair(one, same, "same values")
        elif person is not None:
            yield Pair(one, person, f"subject {one.subject}")
        elif near is not None and near[1][n] > ALIKE:
            yield Pair(one, seen.lines[near[0][n]], f"correlation {near[1][n]:.5f}")


def _may_be_one(one: Seen, other: Seen) -> bool:
    """Whether two subjects of one name may be one person: not if their data sets are named, and differ."""
    return NO_DATA_SET in (one.data_set, other.data_set) or one.data_set == other.data_set


def _nearest(
    tested: Fingerprints | None, seen: Fingerprints | None
) -> tuple[NDArray[np.intp], NDArray[np.float32]] | None:
    """Return for each that is tested the one seen that it is most like, and their correlation."""
    if tested is None or seen is None or tested.shape[1] != seen.shape[1]:
        return None
    found = [tested[start : start + AT_ONCE] @ seen.T for start in range(0, len(tested), AT_ONCE)]
    which = np.concatenate([part.argmax(axis=1) for part in found])
    return which, np.concatenate([part.max(axis=1) for part in found])


def _block_means(values: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    n_cells = min(SIDE, values.shape[axis])
    edges = np.linspace(0, values.shape[axis], n_cells + 1).astype(int)
    sizes = np.diff(edges).reshape([-1 if n == axis else 1 for n in range(values.ndim)])
    return np.add.reduceat(values, edges[:-1], axis=axis) / sizes
