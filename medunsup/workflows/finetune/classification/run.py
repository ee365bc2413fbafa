"""Fine-tuning for classification: labelled scans or images become networks, whose answers are measured."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from medunsup.cohort.dataset.images import refuse_choices_of_scans
from medunsup.cohort.encoders.folder import Seen
from medunsup.cohort.finetuned.folder import FIGURES, PROBABILITIES, SCANS, standardised
from medunsup.cohort.labelled.alike import refuse_seen
from medunsup.cohort.labelled.read import SPLITS, Labelled, find_labelled, read_labelled
from medunsup.core.errors import UsageError
from medunsup.core.progress import Stage, Told
from medunsup.io.files.memmap import stacked
from medunsup.workflows.finetune.classification.figures import (
    Truth,
    accuracies,
    class_figures,
    one_class,
    unlearned,
)
from medunsup.workflows.finetune.classification.page import page_of
from medunsup.workflows.finetune.classification.tables import labelled_tsv, probabilities_tsv
from medunsup.workflows.finetune.compared import plain_against, plain_estimate, plain_value
from medunsup.workflows.finetune.data import Grid
from medunsup.workflows.finetune.pretrained import Pretrained
from medunsup.workflows.finetune.request import FinetuneRequest
from medunsup.workflows.finetune.settings import FinetuneSettings
from medunsup.workflows.finetune.shares import Share
from medunsup.workflows.finetune.task import Outcome, TaskRun

if TYPE_CHECKING:
    from medunsup.training.scan_stack import Scans


class Classify(TaskRun):
    """Classification of labelled scans, or of images in one file."""

    labelled: Labelled

    def __init__(self, request: FinetuneRequest, pretrained: Pretrained) -> None:
        super().__init__(request, pretrained)
        source, settings = request.source, request.settings
        if source.is_of_images:
            refuse_choices_of_scans(source.data, settings, FinetuneSettings(), request.mask)
        self.grid = None
        if not source.is_of_images:
            self.grid = Grid(settings.reading, pretrained.spacing_mm(settings.spacing_mm))
        self.found = find_labelled(source, pretrained.before, lambda stage: None)
        images = self.found.images
        if images is not None and images["train"].values.shape[-1] == 1 and pretrained.plan.dims == 3:
            raise UsageError(f"{pretrained.before.name}: takes volumes, these images are flat. Give volumes.")
        lines = [one for split in SPLITS for one in self.found.lines[split]]
        words = [word for split in SPLITS for word in self.found.words[split]]
        self.hashes = [f"{one.sha256} {word}" for one, word in zip(lines, words, strict=True)]

    def read(self, work: Path, told: Told) -> "Scans":
        """Prepare all scans or images, and return those to learn from with their classes."""
        request, before = self.request, self.pretrained.before
        read = read_labelled(self.found, self.grid, request.prepared, work, told, jobs=request.jobs)
        self.seen_remarks = refuse_seen(before, read.scans, read.lines, learner="fine-tuning")
        self.labelled = read
        train, self.tested = (self._shown(read.scans[split], work, split) for split in SPLITS)
        self.truth = Truth(
            [one.scan for one in read.lines["test"]], read.subjects("test"), read.labels["test"]
        )
        return _with_labels(train, read)

    @property
    def n_classes(self) -> int:
        """Classes that are told apart."""
        return len(self.found.classes)

    def test(self, made: Any, told: Told, *, kept: bool) -> dict[str, Any]:
        """Ask each network about all test scans: probabilities (N, K)."""
        told(Stage("testing scans"))
        return {arm: made.probabilities(arm, self.tested).tolist() for arm in made.arms}

    def outcome(self, made: Any, shares: Sequence[tuple[Share, Sequence[Any]]]) -> Outcome:
        """Gather AUC of all shares, and of the largest balanced accuracies."""
        seed, truth, read = self.request.settings.seed, self.truth, self.labelled
        said = [[{arm: np.array(one) for arm, one in draw.items()} for draw in each] for _, each in shares]
        by_share = [
            class_figures(share.share, share.n_subjects, each, truth, seed=seed, compared=self.compared)
            for (share, _), each in zip(shares, said, strict=True)
        ]
        largest, right = by_share[0], accuracies(said[0], truth)
        table = {
            "Verdict": largest.verdict,
            "Measure": "AUC",
            "Classes": list(read.classes),
            "AUC": {arm: plain_estimate(one) for arm, one in largest.means.items()},
            "BalancedAccuracy": plain_value(right),
            self.compared.key_of_all: plain_against(largest.against),
            "Shares": [one.as_json() for one in by_share],
        }
        files = {
            FIGURES: json.dumps(table, indent=2) + "\n",
            PROBABILITIES: probabilities_tsv(truth, read.classes, said[0][0]),
            SCANS: labelled_tsv(self._lines(), [*self.found.words["train"], *self.found.words["test"]]),
        }
        return Outcome(
            largest.verdict,
            by_share,
            files,
            self._facts(len(shares[0][0].draws[0])),
            [*self._remarks(), *unlearned(largest), *one_class(said[0], read.classes)],
            lambda manifest, watched: page_of(
                by_share, said[0][0], truth, right, read.classes, manifest, watched
            ),
        )

    def _lines(self) -> list[Seen]:
        return [one._replace(split=split) for split in SPLITS for one in self.labelled.lines[split]]

    def _facts(self, n_train: int) -> dict[str, Any]:
        read = self.labelled
        return {
            "spacing_mm": 0.0 if self.grid is None else self.grid.spacing_mm,
            "contrast": "" if read.common is None else read.common.contrast,
            "coarsest_mm": None if read.common is None else read.common.coarsest_mm,
            "labels": [{"index": n, "name": name} for n, name in enumerate(read.classes)],
            "scans": {"train": n_train, "test": len(read.lines["test"])},
        }

    def _remarks(self) -> list[str]:
        found, common = [*self.labelled.remarks, *self.seen_remarks], self.labelled.common
        if common is not None and self.pretrained.contrast not in (None, common.contrast):
            found.append(
                f"The encoder was pretrained on {self.pretrained.contrast} scans; these are "
                f"{common.contrast}."
            )
        return found

    def _shown(self, scans: "Scans", work: Path, split: str) -> "Scans":
        """Return scans as the network sees them: standardised, where its pretraining had them so."""
        from medunsup.training.scan_stack import Scans

        if not self.pretrained.is_standardised:
            return scans
        file = work / f"{split}_standardised.npy"
        with stacked(file, scans.values.shape, np.float32) as add:
            for values, mask in scans:
                add(standardised(values, mask))
        return Scans(np.load(file, mmap_mode="r"), scans.masks, scans.names, scans.subjects)


def _with_labels(scans: "Scans", read: Labelled) -> "Scans":
    labels = read.labels["train"].astype(np.int64)
    return replace(scans, subjects=tuple(read.subjects("train")), labels=labels)
