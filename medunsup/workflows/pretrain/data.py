"""What an encoder learns from: scans on the template grid, or images of one file; found, then made ready."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from medunsup.cohort.dataset.covariates import Covariates, covariates_of_cases, covariates_of_images
from medunsup.cohort.dataset.images import (
    Images,
    read_images,
    refuse_choices_of_scans,
    refuse_executor,
)
from medunsup.cohort.dataset.shown_labels import ShownLabels, shown_labels
from medunsup.cohort.dataset.sources import Case, SplitName
from medunsup.cohort.dataset.splits import split_off_validation
from medunsup.cohort.encoders.folder import Seen
from medunsup.cohort.encoders.manifest import Preprocessing
from medunsup.cohort.training.prepare import prepare_alike, stack_splits
from medunsup.cohort.training.select import find_scans, hash_scans
from medunsup.core.progress import Told
from medunsup.io.bids.names import data_set_id
from medunsup.io.files.hashes import hash_file
from medunsup.workflows.pretrain.learn import check_fits_images
from medunsup.workflows.pretrain.request import PretrainRequest
from medunsup.workflows.pretrain.settings import PretrainSettings

if TYPE_CHECKING:
    from medunsup.training.scan_stack import Scans

log = logging.getLogger(__name__)

SCALED = "brain on the healthy scale of its contrast, about [0, 1]; 0 outside the brain mask"
DIVIDED = "divided by 255"
OTHER_SPLIT = "of the calibration or test split"
REPEAT = "validation image that is a training image as well"


@dataclass(frozen=True)
class Ready:
    """What is learned from, by its split; a line of each; how all of it was prepared.

    `labels` are those that lie beside images: shown, never learned from.
    """

    scans: Mapping[SplitName, "Scans"]
    seen: tuple[Seen, ...]
    preprocessing: Preprocessing
    labels: ShownLabels = field(default_factory=ShownLabels)


class Found(Protocol):
    """Scans or images that were found: what is known of them before any is prepared."""

    @property
    def hashes(self) -> list[str]:
        """By which a pretraining knows its scans again."""

    @property
    def left_out(self) -> Mapping[str, int]:
        """Why images were left out, and how many."""

    def ready(self, request: PretrainRequest, work: Path, told: Told) -> Ready:
        """Prepare all, in files of `work` where they are large."""


def find(request: PretrainRequest, told: Told) -> Found:
    """Find what is learned from, by its split.

    Raises UsageError or InputError for a source that cannot be understood or holds too few.
    """
    if request.is_of_images:
        refuse_executor(request.data, request.where.name)
        refuse_choices_of_scans(request.data, request.settings, PretrainSettings(), request.mask)
        found = _find_images(request.data, request.settings.covariates)
        check_fits_images(request.settings, found.splits["train"].values.shape[1:])
        return found
    return _find_scans(request, told)


@dataclass(frozen=True)
class _Scans:
    splits: dict[SplitName, list[Case]]
    left_out: Mapping[str, int]
    hashes: list[str]
    covariates: Mapping[SplitName, Covariates]

    def ready(self, request: PretrainRequest, work: Path, told: Told) -> Ready:
        settings, cases = request.settings, _all(self.splits)
        common = prepare_alike(cases, settings, request.prepared, executor=request.where, told=told)
        stacks = stack_splits(self.splits, settings, request.prepared, work)
        if settings.covariates:
            stacks = {split: replace(stacks[split], covariates=self.covariates[split]) for split in stacks}
        seen = [
            Seen(case.subject, case.split, case.scan.name, sha256, content, _data_set(case))
            for case, sha256, content in zip(cases, self.hashes, common.contents, strict=True)
        ]
        return Ready(
            stacks,
            tuple(seen),
            Preprocessing(
                kind="scans",
                shape=stacks["train"].shape,
                intensity=SCALED,
                spacing_mm=settings.spacing_mm,
                coarsest_mm=common.coarsest_mm,
                contrast=common.contrast,
                reading=settings.reading,
            ),
        )


def _find_scans(request: PretrainRequest, told: Told) -> _Scans:
    request.where.prepare([])  # what cannot be used is told before anything is read
    settings = request.settings
    scans, left_out = find_scans(request.data, contrast=settings.contrast, mask=request.mask, told=told)
    splits = split_off_validation(scans, validation=settings.validation, seed=settings.seed)
    left_out[OTHER_SPLIT] = len(scans) - len(_all(splits))
    columns = settings.covariates
    known = {split: covariates_of_cases(cases, request.data, columns) for split, cases in splits.items()}
    return _Scans(splits, +left_out, hash_scans(_all(splits)), known)


def _all(splits: Mapping[SplitName, list[Case]]) -> list[Case]:
    return [case for cases in splits.values() for case in cases]


def _data_set(case: Case) -> str:
    return data_set_id(case.scan) or "n/a"


@dataclass(frozen=True)
class _Images:
    splits: dict[SplitName, Images]
    hashes: list[str]
    left_out: Mapping[str, int]
    covariates: Mapping[SplitName, Covariates]
    labels: ShownLabels = field(default_factory=ShownLabels)

    def ready(self, request: PretrainRequest, work: Path, told: Told) -> Ready:
        from medunsup.training.scan_stack import Scans

        stacks, seen = {}, []
        for split, images in self.splits.items():
            values, labels = images.values, self.labels.of.get(split)
            known = self.covariates.get(split)
            inside = np.ones(values[:, 0].shape, bool)
            stacks[split] = Scans(values, inside, images.names, covariates=known, labels=labels)
            lines = zip(images.names, images.contents, strict=True)
            seen += [Seen(name, split, name, content, content) for name, content in lines]
        shape = stacks["train"].shape
        made = Preprocessing(kind="images", shape=shape, intensity=DIVIDED)
        return Ready(stacks, tuple(seen), made, self.labels)


def _find_images(path: Path, columns: Sequence[str]) -> _Images:
    """Read images; those of validation that are training images as well are left out, with a warning."""
    splits = read_images(path)
    sizes = {split: len(one.values) for split, one in splits.items()}
    covariates = covariates_of_images(path, sizes, columns) if columns else {}
    labels = shown_labels(path, sizes)
    if labels.passed_over:
        log.warning("%s: %s", path, labels.passed_over)
    left_out: Counter[str] = Counter()
    if "validation" in splits:
        images, known = splits["validation"], set(splits["train"].contents)
        new = [n for n, content in enumerate(images.contents) if content not in known]
        left_out[REPEAT] = len(images.values) - len(new)
        splits["validation"] = Images(images.key, images.values[new], new)
        covariates = {split: one[new] if split == "validation" else one for split, one in covariates.items()}
        labels = labels.keeping("validation", new)
        if not new:
            del splits["validation"]
    return _Images(splits, [hash_file(path)], +left_out, covariates, labels)
