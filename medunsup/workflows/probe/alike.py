"""Whether what is probed is like what the encoder was pretrained on, and none of it was seen."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from medunsup.cohort.dataset.sources import SplitName
from medunsup.cohort.encoders.folder import EncoderFolder, Seen
from medunsup.cohort.encoders.overlap import Known, fingerprints, known_to, overlap, refuse_overlap
from medunsup.cohort.training.consistency import Common
from medunsup.core.errors import InputError, UsageError

if TYPE_CHECKING:
    from medunsup.training.scan_stack import Scans

MOST_RATIO = 1.5  # of sizes or voxel sides
NO_FINGERPRINTS = (
    "The encoder's folder holds no fingerprints: images nearly alike were not looked for among those it was "
    "pretrained on, only equal ones."
)

UNSEEN = (
    "Take them out of the test split, or pretrain again without them: figures of what an encoder has "
    "seen say "
    "nothing of others, even if it saw no labels."
)


def refuse_other_images(encoder: EncoderFolder, shape: tuple[int, ...]) -> None:
    """Raise UsageError or InputError unless images (C, H, W) are like those of pretraining."""
    before = encoder.manifest.preprocessing
    if before.kind != "images":
        raise UsageError(f"{encoder.path}: was pretrained on scans. Give scans, with a table of labels.")
    channels, *sides = before.shape[:3]
    if shape[0] != channels:
        raise InputError(
            f"{encoder.path}: was pretrained on images of {channels} channels, these have {shape[0]}. "
            "Convert "
            "them, or pretrain on images like these."
        )
    if any(_is_other(now, then) for now, then in zip(shape[1:], sides, strict=True)):
        raise InputError(
            f"{encoder.path}: was pretrained on images of {sides[0]} x {sides[1]}, these are {shape[1]} x "
            f"{shape[2]}, more than {MOST_RATIO} times larger or smaller. Resample them, or pretrain on "
            "images "
            "like these."
        )


def refuse_other_scans(encoder: EncoderFolder, common: Common) -> None:
    """Raise InputError unless scans have the contrast of pretraining, and voxels about as large."""
    before = encoder.manifest.preprocessing
    if common.contrast != before.contrast:
        raise InputError(
            f"{encoder.path}: was pretrained on {before.contrast} scans, these are {common.contrast}. "
            "Pretrain "
            "on scans like these."
        )
    if before.coarsest_mm is not None and _is_other(common.coarsest_mm, before.coarsest_mm):
        raise InputError(
            f"{encoder.path}: was pretrained on scans with voxels of up to {before.coarsest_mm:.2g} mm, "
            "these "
            f"have up to {common.coarsest_mm:.2g} mm, a ratio beyond {MOST_RATIO}. Pretrain on scans like "
            "these, or resample them."
        )


def refuse_seen_people(encoder: EncoderFolder, tested: Sequence[Seen]) -> None:
    """Raise InputError if pretraining has seen one of these, by subject or file: before any is prepared."""
    refuse_overlap(Known(tested, None), Known(encoder.seen, None), by="pretraining", remedy=UNSEEN)


def seen_people(encoder: EncoderFolder, lines: Sequence[Seen]) -> set[str]:
    """Return the subjects whom pretraining has seen, by name or file."""
    return {pair.tested.subject for pair in overlap(Known(lines, None), Known(encoder.seen, None))}


def refuse_seen(
    encoder: EncoderFolder,
    scans: Mapping[SplitName, "Scans"],
    lines: Mapping[SplitName, Sequence[Seen]],
) -> tuple[str, ...]:
    """Raise InputError if the test split was seen by pretraining, or stands in the training split as well.

    Returns what could not be looked at, as remarks.
    """
    test = Known(lines["test"], fingerprints(scans["test"].values))
    known = known_to(encoder)
    refuse_overlap(test, known, by="pretraining", remedy=UNSEEN)
    refuse_overlap(
        test,
        Known(lines["train"], fingerprints(scans["train"].values)),
        by="the probe in its training split",
        remedy="Keep a subject in one split, and leave repeats out.",
    )
    return () if known.fingerprints is not None else (NO_FINGERPRINTS,)


def _is_other(now: float, then: float) -> bool:
    return max(now / then, then / now) > MOST_RATIO
