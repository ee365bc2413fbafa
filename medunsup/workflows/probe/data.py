"""What a probe looks at: labelled scans or images, prepared as the encoder's pretraining prepared its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from medunsup.cohort.dataset.images import read_images
from medunsup.cohort.dataset.labels import classes_of, labels_of_cases, labels_of_images
from medunsup.cohort.dataset.sources import Case, SplitName
from medunsup.cohort.encoders.folder import EncoderFolder, Seen
from medunsup.cohort.encoders.overlap import NO_DATA_SET
from medunsup.cohort.settings import ReadSettings
from medunsup.cohort.training.prepare import prepare_alike, stack_splits
from medunsup.cohort.training.select import find_scans, hash_scans, left_out_words
from medunsup.core.errors import InputError, UsageError
from medunsup.core.hints import option
from medunsup.core.progress import Told
from medunsup.io.bids.names import data_set_id
from medunsup.workflows.probe.alike import (
    refuse_other_images,
    refuse_other_scans,
    refuse_seen_people,
    seen_people,
)
from medunsup.workflows.probe.request import ProbeRequest
from medunsup.workflows.probe.splits import split_off_test_by_class

if TYPE_CHECKING:
    from medunsup.training.scan_stack import Scans

SPLITS: tuple[SplitName, ...] = ("train", "test")


@dataclass(frozen=True)
class Labelled:
    """Scans or images of the splits "train" and "test", a line each, and their classes, 0 to K - 1."""

    scans: Mapping[SplitName, "Scans"]
    lines: Mapping[SplitName, Sequence[Seen]]
    labels: Mapping[SplitName, NDArray[np.intp]]
    classes: tuple[str, ...]
    remarks: tuple[str, ...] = ()

    def subjects(self, split: SplitName) -> list[str]:
        """Whose each scan or image is."""
        return [one.subject for one in self.lines[split]]


def read_labelled(request: ProbeRequest, encoder: EncoderFolder, work: Path, told: Told) -> Labelled:
    """Read, prepare and split what is probed; large arrays go into `work`.

    Raises UsageError or InputError for data or labels that cannot be used, or are unlike the pretraining's.
    """
    if request.is_of_images:
        return _images(request, encoder)
    return _scans(request, encoder, work, told)


def _images(request: ProbeRequest, encoder: EncoderFolder) -> Labelled:
    from medunsup.training.scan_stack import Scans

    if request.labels is not None or request.column is not None:
        raise UsageError(
            f"{request.data}: images hold their labels (train_labels, test_labels). Leave "
            f"{option('labels')} and {option('column')} out."
        )
    found = read_images(request.data, splits=SPLITS)
    if "test" not in found:
        raise InputError(f"{request.data}: holds no test_images. Put images there that nothing learns from.")
    refuse_other_images(encoder, found["train"].values.shape[1:])
    words = labels_of_images(request.data, {split: len(one.values) for split, one in found.items()})
    scans, lines = {}, {}
    for split, images in found.items():
        values = images.values[..., None]
        scans[split] = Scans(values, np.ones(values[:, 0].shape, bool), images.names)
        each = zip(images.names, images.contents, strict=True)
        lines[split] = [Seen(name, split, name, content, content) for name, content in each]
    return _labelled(scans, lines, words, str(request.data))


@dataclass(frozen=True)
class _AsBefore:
    """How the encoder's own scans were prepared."""

    reading: ReadSettings
    spacing_mm: float


def _scans(request: ProbeRequest, encoder: EncoderFolder, work: Path, told: Told) -> Labelled:
    before = encoder.manifest.preprocessing
    if before.kind != "scans" or before.reading is None or before.spacing_mm is None:
        raise UsageError(
            f"{request.data}: {encoder.path} was pretrained on images. Give images in a .npz file."
        )
    if request.labels is None:
        raise UsageError(f"Whose label is which? Give a table with {option('labels')}.")
    settings = _AsBefore(before.reading, before.spacing_mm)
    cases, left_out = find_scans(
        request.data, contrast=settings.reading.contrast, mask=request.mask, told=told
    )
    words = labels_of_cases(cases, request.labels, request.column)
    left_out["no label"] = words.count("")
    cases, words = [case for case, word in zip(cases, words, strict=True) if word], list(filter(None, words))
    splits, labels = _split(cases, words, request, encoder)
    classes_of(labels, f"{request.labels}")  # is told before any scan is prepared
    every = [case for split in SPLITS for case in splits[split]]
    n, seen = len(splits["train"]), _unprepared(every)
    refuse_seen_people(encoder, seen[n:])
    common = prepare_alike(every, settings, request.prepared, jobs=request.jobs, told=told)
    refuse_other_scans(encoder, common)
    seen = [one._replace(prepared_sha256=held) for one, held in zip(seen, common.contents, strict=True)]
    lines: dict[SplitName, list[Seen]] = {"train": seen[:n], "test": seen[n:]}
    stacks = stack_splits(splits, settings, request.prepared, work)
    remarks = (left_out_words(+left_out),) if +left_out else ()
    return _labelled(stacks, lines, labels, f"{request.labels}", remarks)


def _unprepared(cases: Sequence[Case]) -> list[Seen]:
    """Say whose scans these are and by which files, before their values are known."""
    return [
        Seen(case.subject, case.split, case.scan.name, sha256, "", data_set_id(case.scan) or NO_DATA_SET)
        for case, sha256 in zip(cases, hash_scans(cases), strict=True)
    ]


def _split(
    cases: Sequence[Case], words: Sequence[str], request: ProbeRequest, encoder: EncoderFolder
) -> tuple[dict[SplitName, list[Case]], dict[SplitName, list[str]]]:
    """Take the splits that a table names, validation being learned from, or draw who is tested on."""
    if not cases:
        raise InputError(f"{request.labels}: gives no scan a label.")
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
        chosen = request.settings
        seen = seen_people(encoder, _unprepared(cases))
        wanted = [True] * len(cases)
        is_test = split_off_test_by_class(subjects, words, share=chosen.test, seen=seen, seed=chosen.seed)
    splits: dict[SplitName, list[Case]] = {split: [] for split in SPLITS}
    labels: dict[SplitName, list[str]] = {split: [] for split in SPLITS}
    for case, word, is_wanted, tested in zip(cases, words, wanted, is_test, strict=True):
        if is_wanted:
            split: SplitName = "test" if tested else "train"
            splits[split].append(case)
            labels[split].append(word)
    return splits, labels


def _labelled(
    scans: Mapping[SplitName, "Scans"],
    lines: Mapping[SplitName, Sequence[Seen]],
    words: Mapping[SplitName, Sequence[str]],
    where: str,
    remarks: tuple[str, ...] = (),
) -> Labelled:
    classes = classes_of(words, where)
    codes = {word: n for n, word in enumerate(classes)}
    labels = {split: np.array([codes[word] for word in words[split]], np.intp) for split in SPLITS}
    return Labelled(scans, lines, labels, classes, remarks)
