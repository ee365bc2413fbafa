"""One encoder to fine-tune: which, on which scans and labels, into which folder."""

from dataclasses import dataclass
from pathlib import Path

from medunsup.cohort.labelled.read import Source
from medunsup.cohort.training.folder import How
from medunsup.core.errors import UsageError
from medunsup.core.hints import option
from medunsup.workflows.finetune.settings import FinetuneSettings


@dataclass(frozen=True)
class FinetuneRequest:
    """One encoder to fine-tune: which, on which scans and labels, into which folder.

    Either `encoder`, a folder of ours, or `weights` with `plan`, trained elsewhere. `label_table` names
    labels of voxels, `labels` and `column` those of scans, `mask` brain masks;
    `unlabelled` are scans or images to learn from without labels; `cache` keeps prepared scans.
    """

    settings: FinetuneSettings
    data: Path
    out: Path
    encoder: Path | None = None
    weights: Path | None = None
    plan: Path | None = None
    label_table: Path | None = None
    labels: Path | None = None
    column: str | None = None
    mask: str | None = None
    unlabelled: Path | None = None
    cache: Path | None = None
    jobs: int = 1
    resume: bool = False
    force: bool = False

    def __post_init__(self) -> None:
        if (self.encoder is None) == (self.weights is None):
            raise UsageError(
                f"Give an encoder folder, or weights that were trained elsewhere ({option('weights')}): "
                "one of the two."
            )
        if self.encoder is not None and self.plan is not None:
            raise UsageError(
                f"{option('plan')} goes with {option('weights')}; an encoder folder has its own."
            )
        task = self.settings.task
        of_scans = {
            option("labels"): self.labels,
            option("column"): self.column,
            option("mask"): self.mask,
        }
        other = {option("label_table"): self.label_table} if task == "classify" else of_scans
        for name, value in other.items():
            if value is not None:
                raise UsageError(
                    f"{name} does not go with {option('task', task)}. Leave it out, or choose the other task."
                )

        self._check_few_labels()

    def _check_few_labels(self) -> None:
        few_labels, steps = option("few_labels"), "medunsup methods semisupervised"
        if self.settings.few_labels is None:
            if self.unlabelled is not None:
                raise UsageError(
                    f"{option('unlabelled')} needs a method that learns without labels: {few_labels}, one of "
                    f"`{steps}`."
                )
        elif not self.settings.baselines:
            raise UsageError(
                f"Baselines cannot be left out with {few_labels}: the labels alone are learned from beside "
                "the method. Leave that choice out."
            )

    @property
    def how(self) -> How:
        """How to meet what is in the folder; going on wins over replacing."""
        return "resume" if self.resume else "force" if self.force else "plain"

    @property
    def source(self) -> Source:
        """Where labelled scans or images are, and who is tested on."""
        chosen = self.settings
        return Source(
            self.data,
            self.labels,
            self.column,
            self.mask,
            test=chosen.test,
            seed=chosen.seed,
            contrast=chosen.contrast,
            keeps_unlabelled=chosen.few_labels is not None,
            unlabelled=self.unlabelled,
        )

    @property
    def prepared(self) -> Path:
        """Folder of prepared scans."""
        return self.cache or self.out.parent / "prepared"
