"""Whether labelled scans or images are like what an encoder was pretrained on, and none of it was seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from medunsup.cohort.dataset.sources import SplitName
from medunsup.cohort.encoders.folder import EncoderFolder, Seen
from medunsup.cohort.encoders.manifest import Preprocessing
from medunsup.cohort.encoders.overlap import Known, fingerprints, known_to, overlap, refuse_overlap
from medunsup.cohort.settings import ReadSettings
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
    "Take them out of the test split, or pretrain again without them: figures of what an encoder has seen "
    "say nothing of others, even if it saw no labels."
)


@dataclass(frozen=True)
class Before:
    """What an encoder was pretrained on; of weights from elsewhere only their `channels` are known.

    `name` is where it lies, for messages; `known` are the scans or images that it has seen.
    """

    name: str
    channels: int
    known: Known
    preprocessing: Preprocessing | None = None


def before_of(encoder: EncoderFolder) -> Before:
    """Say what the encoder of a folder was pretrained on."""
    about = encoder.manifest
    return Before(str(encoder.path), about.network.channels, known_to(encoder), about.preprocessing)


@dataclass(frozen=True)
class AsBefore:
    """How the scans of a pretraining were prepared."""

    reading: ReadSettings
    spacing_mm: float


def as_before(before: Before, data: Path) -> AsBefore:
    """Prepare scans as the pretraining did. Raises UsageError if it was one on images."""
    about = before.preprocessing
    if about is None or about.kind != "scans" or about.reading is None or about.spacing_mm is None:
        raise UsageError(f"{data}: {before.name} was pretrained on images. Give images in a .npz file.")
    return AsBefore(about.reading, about.spacing_mm)


def sides_in_words(sides: Sequence[int]) -> str:
    """Say how large images are, "28 x 28" or "28 x 28 x 28"."""
    return " x ".join(str(side) for side in (sides[:2] if sides[2] == 1 else sides))


def refuse_other_images(before: Before, shape: tuple[int, ...]) -> None:
    """Raise UsageError or InputError unless images (C, I, J, K) are like those of pretraining."""
    about = before.preprocessing
    if about is not None and about.kind != "images":
        raise UsageError(f"{before.name}: was pretrained on scans. Give scans, with a table of labels.")
    if shape[0] != before.channels:
        raise InputError(
            f"{before.name}: was pretrained on images of {before.channels} channels, these have {shape[0]}. "
            "Convert them, or pretrain on images like these."
        )
    sides = shape[1:] if about is None else about.shape[1:]
    if any(sizes_differ(now, then) for now, then in zip(shape[1:], sides, strict=True)):
        raise InputError(
            f"{before.name}: was pretrained on images of {sides_in_words(sides)}, these are "
            f"{sides_in_words(shape[1:])}, more than {MOST_RATIO} times larger or smaller. Resample them, or "
            "pretrain on images like these."
        )


def refuse_other_scans(before: Before, common: Common) -> None:
    """Raise InputError unless scans have the contrast of pretraining, and voxels alike on its grid."""
    about = before.preprocessing
    if about is None:
        return
    if common.contrast != about.contrast:
        raise InputError(
            f"{before.name}: was pretrained on {about.contrast} scans, these are {common.contrast}. "
            "Pretrain on scans like these."
        )
    least = about.spacing_mm or 0.0  # on the grid finer voxels look like those of its spacing
    if about.coarsest_mm is not None and sizes_differ(
        max(common.coarsest_mm, least), max(about.coarsest_mm, least)
    ):
        raise InputError(
            f"{before.name}: was pretrained on scans with voxels of up to {about.coarsest_mm:.2g} mm, these "
            f"have up to {common.coarsest_mm:.2g} mm, a ratio beyond {MOST_RATIO}. Pretrain on scans like "
            "these, or resample them."
        )


def refuse_seen_people(before: Before, tested: Sequence[Seen]) -> None:
    """Raise InputError if pretraining has seen one of these, by subject or file: before any is prepared."""
    refuse_overlap(Known(tested, None), Known(before.known.lines, None), by="pretraining", remedy=UNSEEN)


def seen_people(before: Before, lines: Sequence[Seen]) -> set[str]:
    """Return the subjects whom pretraining has seen, by name or file."""
    return {pair.tested.subject for pair in overlap(Known(lines, None), Known(before.known.lines, None))}


def refuse_seen(
    before: Before,
    scans: Mapping[SplitName, "Scans"],
    lines: Mapping[SplitName, Sequence[Seen]],
    *,
    learner: str,
) -> tuple[str, ...]:
    """Raise InputError if the test split was seen by pretraining, or stands in the training split as well.

    `learner` is who learns from the training split, such as "the probe". Returns what could not be looked
    at, as remarks.
    """
    test, known = Known(lines["test"], fingerprints(scans["test"].values)), before.known
    refuse_overlap(test, known, by="pretraining", remedy=UNSEEN)
    refuse_overlap(
        test,
        Known(lines["train"], fingerprints(scans["train"].values)),
        by=f"{learner} in its training split",
        remedy="Keep a subject in one split, and leave repeats out.",
    )
    return () if known.fingerprints is not None or not known.lines else (NO_FINGERPRINTS,)


def sizes_differ(now: float, then: float) -> bool:
    """Whether two sizes above 0, of images in voxels or of voxels in mm, are too far apart for an encoder."""
    return max(now / then, then / now) > MOST_RATIO
