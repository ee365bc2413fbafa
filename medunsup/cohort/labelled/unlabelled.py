"""Scans and images without labels that are learned from as well: found, and none of a test subject's."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from medunsup.cohort.dataset.images import ENDING, Images, read_images
from medunsup.cohort.dataset.sources import Case, SplitName
from medunsup.cohort.encoders.folder import Seen
from medunsup.cohort.encoders.overlap import NO_DATA_SET, Known, refuse_overlap
from medunsup.cohort.settings import ContrastChoice
from medunsup.cohort.training.select import find_scans
from medunsup.core.errors import InputError, UsageError
from medunsup.core.hints import option
from medunsup.core.progress import Told
from medunsup.io.bids.names import data_set_id
from medunsup.io.files.hashes import hash_input

if TYPE_CHECKING:
    from medunsup.training.scan_stack import Scans

REMEDY = "Without labels too, that flatters it: leave these out of the unlabelled ones, or test on others."
AGAIN = "unlabelled, there already"
TESTED = "unlabelled, of a test subject"
NAMED_TEST = "unlabelled, named test"


def unlabelled_cases(
    source: Path | None,
    contrast: ContrastChoice,
    nameless: Sequence[Case],
    splits: Mapping[SplitName, Sequence[Case]],
    left_out: Counter[str],
    told: Told,
    *,
    mask: str | None = None,
) -> list[Case]:
    """Return the training cases without a label: the `nameless` of the data, and what `source` holds.

    Repeats of training scans are left out and counted, as are `nameless` ones whose subject is tested on, or
    whose split is another. `mask` is a pattern for brain masks. Raises InputError if `source` holds a scan of
    a test subject, UsageError if it holds images.
    """
    tested = {case.subject for case in splits["test"]}
    own = [case for case in nameless if case.split in ("", "train", "validation")]
    kept = [case for case in own if case.subject not in tested]
    left_out[NAMED_TEST] += len(nameless) - len(own)
    left_out[TESTED] += len(own) - len(kept)
    if source is None:
        return _for_training(kept)
    if source.suffix == ENDING:
        raise UsageError(
            f"{option('unlabelled')}: {source} holds images, the labelled ones are scans. Give scans: a "
            "folder, a BIDS data set or a table."
        )
    found, others = find_scans(source, contrast=contrast, mask=mask, told=told)
    left_out.update({f"unlabelled, {reason}": n for reason, n in others.items() if n})
    there = {hash_input(case.scan) for case in (*splits["train"], *kept)}
    more = [case for case in found if hash_input(case.scan) not in there]
    left_out[AGAIN] += len(found) - len(more)
    refuse_tested(splits["test"], more)
    return _for_training([*kept, *more])


def refuse_tested(tested: Sequence[Case], unlabelled: Sequence[Case]) -> None:
    """Raise InputError if an unlabelled scan is that of a test subject, by its file or name."""
    both = [[_line(case, split) for case in of] for of, split in ((tested, "test"), (unlabelled, "train"))]
    refuse_overlap(Known(both[0], None), Known(both[1], None), by="the unlabelled scans", remedy=REMEDY)


def more_images(
    source: Path, images: Mapping[SplitName, Images], lines: Mapping[SplitName, Sequence[Seen]]
) -> Images:
    """Return the training images of another file, but for those that are there already.

    Raises InputError or UsageError for a file that is not like the labelled one, or holds a test image.
    """
    if source.suffix != ENDING:
        raise UsageError(
            f"{option('unlabelled')}: {source} is no .npz file, the labelled images are in one. Put those "
            "without labels into another, as train_images."
        )
    found = read_images(source, splits=("train",))["train"]
    shapes = found.values.shape[1:], images["train"].values.shape[1:]
    if shapes[0] != shapes[1]:
        raise InputError(
            f"{source}: its images are (C, I, J, K) {shapes[0]}, the labelled ones {shapes[1]}. Bring all to "
            "one size."
        )
    own = lines_of_images(found, "train", of=source)
    refuse_overlap(Known(lines["test"], None), Known(own, None), by="the unlabelled images", remedy=REMEDY)
    there = {one.prepared_sha256 for one in lines["train"]}
    new = [n for n, one in enumerate(own) if one.prepared_sha256 not in there]
    return Images(found.key, found.values[new], new)


def lines_of_images(images: Images, split: SplitName, of: Path | None = None) -> list[Seen]:
    """Describe images as an encoder folder does, each a subject of its own; `of` names another file."""
    begun = "" if of is None else f"{of.name}:"
    return [
        Seen(f"{begun}{name}", split, f"{begun}{name}", content, content)
        for name, content in zip(images.names, images.contents, strict=True)
    ]


def stack_of_images(*images: Images) -> "Scans":
    """Lay images one behind the other."""
    from medunsup.training.scan_stack import Scans

    values = images[0].values if len(images) == 1 else np.concatenate([one.values for one in images])
    names = [name for one in images for name in one.names]
    return Scans(values, np.ones(values[:, 0].shape, bool), names)


def _for_training(cases: Sequence[Case]) -> list[Case]:
    return [replace(case, split="train") for case in cases]


def _line(case: Case, split: str) -> Seen:
    data_set = data_set_id(case.scan) or NO_DATA_SET
    return Seen(case.subject, split, case.scan.name, hash_input(case.scan), split, data_set)
