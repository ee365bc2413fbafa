"""Labelled scans or images: found, split and refused before any is prepared; then prepared and stacked."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from medunsup.cohort.dataset.images import ENDING, Images, read_images
from medunsup.cohort.dataset.labels import classes_of, labels_of_cases, labels_of_images
from medunsup.cohort.dataset.sources import Case, SplitName
from medunsup.cohort.encoders.folder import Seen
from medunsup.cohort.encoders.overlap import NO_DATA_SET
from medunsup.cohort.executors.processes import Processes
from medunsup.cohort.labelled.alike import Before, refuse_other_images, refuse_seen_people, seen_people
from medunsup.cohort.labelled.splits import split_off_test_by_class
from medunsup.cohort.labelled.unlabelled import (
    lines_of_images,
    more_images,
    stack_of_images,
    unlabelled_cases,
)
from medunsup.cohort.prepare_many import Preparation
from medunsup.cohort.settings import ContrastChoice
from medunsup.cohort.training.consistency import Common
from medunsup.cohort.training.prepare import prepare_alike, stack_splits
from medunsup.cohort.training.select import find_scans, hash_scans, left_out_words
from medunsup.core.errors import InputError, UsageError
from medunsup.core.hints import option
from medunsup.core.progress import Told
from medunsup.io.bids.names import data_set_id

if TYPE_CHECKING:
    from medunsup.training.scan_stack import Scans

SPLITS: tuple[SplitName, ...] = ("train", "test")
NO_CLASS = ("-1", "nan")  # what images hold that are not labelled

BySplit = Mapping[SplitName, Sequence[str]]


@dataclass(frozen=True)
class Source:
    """Where labelled scans or images are, and who is tested on.

    `labels` is a table and `column` the one of it that is learned; images hold theirs. `mask` is a pattern
    for brain masks. `test` is the share of the subjects to test on, where the data name no test split. What
    has no label is left out, or with `keeps_unlabelled` stays in the training split, with what is
    `unlabelled` elsewhere.
    """

    data: Path
    labels: Path | None = None
    column: str | None = None
    mask: str | None = None
    test: float = 0.3
    seed: int = 0
    contrast: ContrastChoice = "auto"
    keeps_unlabelled: bool = False
    unlabelled: Path | None = None

    @property
    def is_of_images(self) -> bool:
        """Whether these are images in one .npz file, not scans."""
        return self.data.suffix == ENDING


@dataclass(frozen=True, eq=False)
class Found:
    """What was found: a line and the word of a class for each scan or image of the splits "train" and "test".

    Of scans `cases` are their files, of images `images` their values, and `more` those of another file, last
    in the training split. A training scan or image without a label has an empty word.
    """

    lines: Mapping[SplitName, Sequence[Seen]]
    words: BySplit
    classes: tuple[str, ...]
    cases: Mapping[SplitName, Sequence[Case]] | None = None
    images: Mapping[SplitName, Images] | None = None
    more: Images | None = None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Labelled:
    """Scans or images of the splits "train" and "test", a line each, and their classes, 0 to K - 1.

    The class of one that is not labelled is -1, in the training split alone. `common` is what scans share;
    images have none.
    """

    scans: Mapping[SplitName, "Scans"]
    lines: Mapping[SplitName, Sequence[Seen]]
    labels: Mapping[SplitName, NDArray[np.intp]]
    classes: tuple[str, ...]
    remarks: tuple[str, ...] = ()
    common: Common | None = None

    def subjects(self, split: SplitName) -> list[str]:
        """Whose each scan or image is."""
        return [one.subject for one in self.lines[split]]


def find_labelled(source: Source, before: Before, told: Told) -> Found:
    """Find labelled scans or images, and split them.

    Raises UsageError or InputError for data or labels that cannot be used, images unlike those of the
    pretraining, or test subjects that it has seen.
    """
    return _find_images(source, before) if source.is_of_images else _find_scans(source, before, told)


def read_labelled(
    found: Found,
    settings: Preparation | None,
    cache: Path,
    work: Path,
    told: Told,
    *,
    jobs: int = 1,
    check: Callable[[Common], None] = lambda common: None,
) -> Labelled:
    """Prepare what was found, scans by `settings`; large arrays go into `work`.

    `check` may refuse scans by what they share.

    Raises InputError for scans that cannot be used.
    """
    codes = {word: n for n, word in enumerate(found.classes)}
    labels = {
        split: np.array([codes.get(word, -1) for word in found.words[split]], np.intp) for split in SPLITS
    }
    if found.images is not None:
        stacks = {split: stack_of_images(images) for split, images in found.images.items()}
        if found.more is not None:
            stacks["train"] = stack_of_images(found.images["train"], found.more)
        return Labelled(stacks, found.lines, labels, found.classes, found.remarks)
    assert found.cases is not None
    assert settings is not None
    every = [case for split in SPLITS for case in found.cases[split]]
    common = prepare_alike(every, settings, cache, executor=Processes(jobs), told=told)
    check(common)
    contents, lines = iter(common.contents), dict[SplitName, list[Seen]]()
    for split in SPLITS:
        lines[split] = [one._replace(prepared_sha256=next(contents)) for one in found.lines[split]]
    stacks = stack_splits(found.cases, settings, cache, work)
    return Labelled(stacks, lines, labels, found.classes, found.remarks, common)


def _find_images(source: Source, before: Before) -> Found:
    if source.labels is not None or source.column is not None:
        raise UsageError(
            f"{source.data}: images hold their labels (train_labels, test_labels). Leave "
            f"{option('labels')} and {option('column')} out."
        )
    images = read_images(source.data, splits=SPLITS)
    if "test" not in images:
        raise InputError(f"{source.data}: holds no test_images. Put images there that nothing learns from.")
    refuse_other_images(before, images["train"].values.shape[1:])
    words = labels_of_images(source.data, {split: len(one.values) for split, one in images.items()})
    lines = {split: lines_of_images(one, split) for split, one in images.items()}
    if not source.keeps_unlabelled:
        return Found(lines, words, classes_of(words, str(source.data)), images=images)
    words["train"] = ["" if word in NO_CLASS else word for word in words["train"]]
    more = None if source.unlabelled is None else more_images(source.unlabelled, images, lines)
    if more is not None:
        lines["train"] += lines_of_images(more, "train", of=source.unlabelled)
        words["train"] += [""] * len(more.values)
    return Found(lines, words, classes_of(_labelled_words(words), str(source.data)), images=images, more=more)


def _find_scans(source: Source, before: Before, told: Told) -> Found:
    if source.labels is None:
        raise UsageError(
            f"{source.data}: scans hold no labels. Give a table of them, a row a subject: {option('labels')}."
        )
    cases, left_out = find_scans(source.data, contrast=source.contrast, mask=source.mask, told=told)
    words = labels_of_cases(cases, source.labels, source.column)
    nameless = [case for case, word in zip(cases, words, strict=True) if not word]
    cases, words = [case for case, word in zip(cases, words, strict=True) if word], list(filter(None, words))
    splits, labels = _split(cases, words, source, before)
    classes = classes_of(labels, f"{source.labels}")
    left_out["split calibration"] = len(cases) - sum(map(len, splits.values()))
    if source.keeps_unlabelled:
        added = unlabelled_cases(
            source.unlabelled, source.contrast, nameless, splits, left_out, told, mask=source.mask
        )
        splits["train"] += added
        labels["train"] += [""] * len(added)
    else:
        left_out["no label"] = len(nameless)
    seen = _unprepared([case for split in SPLITS for case in splits[split]])
    n = len(splits["train"])
    refuse_seen_people(before, seen[n:])
    lines: dict[SplitName, list[Seen]] = {"train": seen[:n], "test": seen[n:]}
    remarks = (left_out_words(+left_out),) if +left_out else ()
    return Found(lines, labels, classes, cases=splits, remarks=remarks)


def _labelled_words(words: BySplit) -> BySplit:
    return {split: [word for word in of if word] for split, of in words.items()}


def _unprepared(cases: Sequence[Case]) -> list[Seen]:
    """Say whose scans these are and by which files, before their values are known."""
    return [
        Seen(case.subject, case.split, case.scan.name, sha256, "", data_set_id(case.scan) or NO_DATA_SET)
        for case, sha256 in zip(cases, hash_scans(cases), strict=True)
    ]


def _split(
    cases: Sequence[Case], words: Sequence[str], source: Source, before: Before
) -> tuple[dict[SplitName, list[Case]], dict[SplitName, list[str]]]:
    """Take the splits that a table names, or draw who is tested on.

    Validation scans are learned from, calibration scans left out.
    """
    if not cases:
        raise InputError(f"{source.labels}: gives no scan a label.")
    named = [case.split for case in cases]
    if any(named) and not all(named):
        lost = cases[named.index("")]
        raise InputError(
            f"{lost.scan.name}: has no split while others have. Fill the column, or leave it out."
        )
    if any(named):
        wanted = [name in ("train", "validation", "test") for name in named]
        is_test = np.array([name == "test" for name in named])
    else:
        subjects = [case.subject for case in cases]
        seen = seen_people(before, _unprepared(cases))
        wanted = [True] * len(cases)
        is_test = split_off_test_by_class(subjects, words, share=source.test, seen=seen, seed=source.seed)
    splits: dict[SplitName, list[Case]] = {split: [] for split in SPLITS}
    labels: dict[SplitName, list[str]] = {split: [] for split in SPLITS}
    for case, word, is_wanted, tested in zip(cases, words, wanted, is_test, strict=True):
        if is_wanted:
            split: SplitName = "test" if tested else "train"
            splits[split].append(case)
            labels[split].append(word)
    return splits, labels
