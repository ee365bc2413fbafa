"""Fine-tuning for segmentation: scans with label maps become networks, whose label maps are measured."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medunsup.cohort.finetuned.folder import DICE, FIGURES, SCANS
from medunsup.core.labels import Label
from medunsup.core.progress import Told
from medunsup.workflows.finetune.data import find_labels, find_pairs, prepare_pairs, stack_pairs
from medunsup.workflows.finetune.few_labels.given import hide_voxels
from medunsup.workflows.finetune.figures import (
    CaseDice,
    averaged,
    case_of,
    gather,
    plain_case,
    share_figures,
    unlearned,
)
from medunsup.workflows.finetune.folder import clear_predictions, dice_tsv, scans_tsv, write_label_table
from medunsup.workflows.finetune.measure import tested_scans
from medunsup.workflows.finetune.pretrained import Pretrained
from medunsup.workflows.finetune.request import FinetuneRequest
from medunsup.workflows.finetune.shares import Places, Share
from medunsup.workflows.finetune.show import Shown, page_of, show
from medunsup.workflows.finetune.task import Outcome, TaskRun

if TYPE_CHECKING:
    from medunsup.training.scan_stack import Scans


class Segment(TaskRun):
    """Segmentation of the pairs in a table."""

    def __init__(self, request: FinetuneRequest, pretrained: Pretrained) -> None:
        super().__init__(request, pretrained)
        self.pairs = find_pairs(request, pretrained)
        self.hashes = self.pairs.hashes
        self.labels: Sequence[Label] = ()
        self.shown: list[Shown] = []

    def read(self, work: Path, told: Told) -> "Scans":
        """Prepare all scans, and lay those to learn from one behind the other with their labels."""
        self.common = prepare_pairs(self.pairs, self.request, told)
        self.labels = find_labels(self.pairs, self.request, told)
        return stack_pairs(self.pairs, self.labels, self.request, work)

    def hide(self, scans: "Scans", places: Places) -> "Scans":
        """Return all scans with the label maps of a draw alone."""
        return hide_voxels(scans, places)

    @property
    def n_classes(self) -> int:
        """Labels and background."""
        return len(self.labels) + 1

    def test(self, made: Any, told: Told, *, kept: bool) -> list[Any]:
        """Measure Dice on each test scan; of the network that is kept the label maps are written."""
        arm, request = self.kept_arm(made), self.request
        if not kept:
            tested = tested_scans(made, self.pairs, self.labels, request.prepared, told, arm)
            return [plain_case(one.figures) for one in tested]
        clear_predictions(request.out)
        write_label_table(request.out, self.labels)
        found = []
        for case, picture in show(
            made, self.pairs, self.labels, request, told, shown=arm, compared=self.compared
        ):
            found.append(plain_case(case))
            self.shown.append(picture)
        return found

    def outcome(self, made: Any, shares: Sequence[tuple[Share, Sequence[Any]]]) -> Outcome:
        """Gather Dice of the largest share by scan and label, and mean Dice of all."""
        seed = self.request.settings.seed
        draws: list[list[list[CaseDice]]] = [
            [[case_of(one) for one in cases] for cases in each] for _, each in shares
        ]
        figures = gather(averaged(draws[0]), self.labels, seed=seed, compared=self.compared)
        by_share = [
            share_figures(share.share, share.n_subjects, each, seed=seed, compared=self.compared)
            for (share, _), each in zip(shares, draws, strict=True)
        ]
        table = {**figures.as_json(), "Measure": "Dice", "Shares": [one.as_json() for one in by_share]}
        pairs = self.pairs
        files = {
            FIGURES: json.dumps(table, indent=2) + "\n",
            DICE: dice_tsv(figures),
            SCANS: scans_tsv(pairs.cases, pairs.hashes),
        }
        return Outcome(
            figures.verdict,
            by_share,
            files,
            {
                "spacing_mm": pairs.grid.spacing_mm,
                "contrast": self.common.contrast,
                "coarsest_mm": self.common.coarsest_mm,
                "labels": [{"index": label.index, "name": label.name} for label in self.labels],
                "scans": {"train": len(shares[0][0].draws[0]), "test": len(pairs.splits["test"])},
            },
            [*self._remarks(), *unlearned(figures)],
            lambda manifest, watched: page_of(figures, by_share, self.shown, manifest, watched),
        )

    def _remarks(self) -> list[str]:
        found, common = [*self.pairs.remarks], self.common
        if self.pretrained.contrast not in (None, common.contrast):
            found.append(
                f"The encoder was pretrained on {self.pretrained.contrast} scans; these are "
                f"{common.contrast}."
            )
        if self.pairs.left_out:
            found.append(f"Scans of the validation or calibration split, left out: {self.pairs.left_out}.")
        return found
