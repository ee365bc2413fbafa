"""A fine-tuned network on disk: weights, what they expect, and what they came to on test scans."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from medunsup.cohort.finetuned.manifest import FinetuneManifest, read_manifest
from medunsup.cohort.label_maps import COLOURS
from medunsup.cohort.training.folder import is_unfinished
from medunsup.core.errors import InputError, MedunsupError, MissingError, UsageError
from medunsup.core.hints import option
from medunsup.core.labels import Label
from medunsup.core.paths import user_path
from medunsup.core.shown import Shown
from medunsup.io.files.artifact_folder import ArtifactFolder
from medunsup.io.files.tsv import read_tsv

if TYPE_CHECKING:
    from medunsup.anomaly.distribution_shift import DataCard
    from medunsup.nn.adaptation_plan import AdaptationPlan
    from medunsup.supervised.arms import Task
    from medunsup.supervised.classification import Classification
    from medunsup.supervised.segmentation import Segmentation

MANIFEST = "finetune.json"
WEIGHTS, CARD = "network.safetensors", "card.safetensors"
FIGURES, DICE, SCANS, CURVE, PAGE = "figures.json", "dice.tsv", "scans.tsv", "curve.tsv", "report.html"
PROBABILITIES, SHARES = "probabilities.tsv", "shares.tsv"
FILES = (WEIGHTS, CARD, FIGURES, DICE, PROBABILITIES, SHARES, SCANS, CURVE, PAGE)
PREDICTIONS, ENDING, LABEL_TABLE = "predictions", "_desc-finetuned_dseg.nii.gz", "dseg.tsv"
LOCK = ".medunsup.lock"
Z_SCORE = "z-score"

Kind = TypeVar("Kind", bound="Task")

Array = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False, repr=False)
class FinetunedFolder(Shown):
    """A fine-tuned network on disk, and what it came to on its test scans.

    Attributes
    ----------
    path : Path
        The folder.
    manifest : FinetuneManifest
        What its finetune.json says: task, encoder, labels, how scans are prepared.

    Examples
    --------
    >>> import medunsup
    >>> few = {"parameters": {"steps": 2}, "spacing_mm": 8.0}
    >>> made = medunsup.finetune("runs/encoder", "pairs.tsv", "runs/folder", **few)
    >>> made.manifest.task, made.manifest.scans
    ('segment', {'train': 5, 'test': 3})
    """

    path: Path
    manifest: FinetuneManifest = field(repr=False)

    @property
    def files(self) -> ArtifactFolder:
        """Its files, with the hashes they had when they were written."""
        return ArtifactFolder(self.path, self.manifest.sha256)

    @cached_property
    def figures(self) -> dict[str, Any]:
        """What its figures.json says: verdict, Dice or AUC, comparisons with scratch."""
        return dict(json.loads((self.path / FIGURES).read_text(encoding="utf-8")))

    @property
    def weights_sha256(self) -> str:
        """Hash of its weights, as they were when they were written."""
        return self.manifest.sha256.get(WEIGHTS, "")

    @property
    def arm(self) -> str:
        """What its figures call the network that is kept."""
        few = self.manifest.few_labels
        return "finetuned" if few is None else str(few["kept"])

    @property
    def plan(self) -> "AdaptationPlan":
        """What its encoder is, and how the scans that it was pretrained on were scaled."""
        from medunsup.nn.adaptation_plan import AdaptationPlan

        return AdaptationPlan.parse(self.manifest.encoder, str(self.path))

    @cached_property
    def labels(self) -> tuple[Label, ...]:
        """What its classes are, from class 1 on; class 0 is background."""
        return tuple(
            Label(one["index"], str(one["index"]), one["name"], COLOURS[n % len(COLOURS)])
            for n, one in enumerate(self.manifest.labels)
        )

    @property
    def is_standardised(self) -> bool:
        """Whether its scans have mean 0 and standard deviation 1 in the brain."""
        return Z_SCORE in str(self.manifest.encoder.get("intensity", ""))

    @cached_property
    def network(self) -> "Segmentation":
        """The segmentation network with its weights.

        Raises UsageError if it was fine-tuned for another task, InputError unless all weights fit.
        """
        from medunsup.supervised.segmentation import Segmentation

        return self._loaded(Segmentation, "segment", len(self.labels) + 1)

    @cached_property
    def classifier(self) -> "Classification":
        """The classification network with its weights; raises what `network` does."""
        from medunsup.supervised.classification import Classification

        return self._loaded(Classification, "classify", len(self.labels))

    @cached_property
    def data_card(self) -> "DataCard | None":
        """What its training scans look like; None in a folder of an earlier version."""
        from medunsup.anomaly.distribution_shift import DataCard

        return DataCard.of_state(self.files.arrays(CARD)) if CARD in self.files.hashes else None

    def _loaded(self, kind: "type[Kind]", task: str, classes: int) -> "Kind":
        about = self.manifest
        if about.task != task:
            raise UsageError(f"{self.path}: was fine-tuned to {about.task}, not to {task}.")
        weights = {f"arms.finetuned.{name}": value for name, value in self.files.arrays(WEIGHTS).items()}
        try:
            config: Any = kind.Config.parse(about.parameters, str(self.path))
            made = kind(config, self.plan.build().eval(), classes=classes, arms=("finetuned",))
            return made.load_state(weights, (self.plan.channels, 1, 1, 1))  # takes images of any sides
        except (MedunsupError, RuntimeError) as error:
            raise InputError(
                f"{self.path}: the weights do not fit the network ({' '.join(str(error).split())[:200]}). It "
                f"was made by version {about.version}; fine-tune again with this one."
            ) from error

    @cached_property
    def seen(self) -> dict[str, str]:
        """Split that each scan was in, by the hash of its file."""
        return {row["sha256"]: row["split"] for row in read_tsv(self.path / SCANS).rows}


def read_finetuned(path: str | Path) -> FinetunedFolder:
    """Open a folder.

    Raises MissingError if there is none, InputError if it is not complete, was written in another format, or
    cannot be read.
    """
    folder = user_path(path)
    if not folder.exists():
        raise MissingError(f"{folder}: there is no such folder. Give one that finetune made.")
    if not (folder / MANIFEST).is_file():
        unfinished = is_unfinished(folder)
        hint = (
            f"Its fine-tuning is not finished: go on with it by finetune and {option('resume', True)}."
            if unfinished
            else "Give a folder that finetune made."
        )
        raise InputError(f"{folder}: is no folder of a fine-tuned network ({MANIFEST} is missing). {hint}")
    return FinetunedFolder(folder, read_manifest(folder / MANIFEST))


def as_labels(classes: NDArray[np.integer], labels: Sequence[Label]) -> NDArray[Any]:
    """Turn numbers of classes into labels, of the smallest type that holds them."""
    values = np.array([0, *(label.index for label in labels)])
    fits = values.max() <= np.iinfo(np.uint8).max
    return np.asarray(values.astype(np.uint8 if fits else np.uint16)[classes])


def label_rows(labels: Sequence[Label]) -> list[tuple[str, ...]]:
    """Lay out the BIDS table of label names: index, name, abbreviation, colour."""
    head = ("index", "name", "abbreviation", "color")
    return [head, *((str(one.index), one.name, one.abbreviation, one.hex) for one in labels)]


def standardised(values: Array, mask: Mask) -> Array:
    """Bring each channel (C, I, J, K) to mean 0 and standard deviation 1 in the mask; 0 outside."""
    inside = values[:, mask]
    mean, spread = inside.mean(axis=1), np.maximum(inside.std(axis=1), 1e-6)
    shape = (-1, 1, 1, 1)
    return np.asarray((values - mean.reshape(shape)) / spread.reshape(shape) * mask, dtype=np.float32)
