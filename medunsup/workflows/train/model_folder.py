"""A trained model on disk: weights, what they mean, from which scans they come."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medunsup.cohort.training.folder import is_unfinished
from medunsup.core.errors import InputError, MedunsupError
from medunsup.core.hints import option
from medunsup.core.paths import user_path
from medunsup.core.renamed import renamed_property
from medunsup.core.shown import Shown
from medunsup.io.files.artifact_folder import COMPRESSED, Arrays, ArtifactFolder, write_artifact
from medunsup.io.files.tsv import read_tsv
from medunsup.workflows.train.manifest import Manifest, read_manifest
from medunsup.workflows.train.sanity_check import SyntheticCheck, read_synthetic
from medunsup.workflows.train.settings import TrainSettings
from medunsup.workflows.train.shipped import is_shipped, model_path

if TYPE_CHECKING:
    from medunsup.anomaly.baselines import Baselines
    from medunsup.anomaly.distribution_shift import DataCard
    from medunsup.anomaly.fitted_detector import HealthyModel
    from medunsup.anomaly.result import ModelFacts
    from medunsup.workflows.train.data_set import DataSet

MANIFEST = "model.json"
WEIGHTS = "weights.safetensors"
BASELINE_ARRAYS = "baselines.safetensors"
BASELINE_TABLE = "baselines.tsv"
SCANS = "scans.tsv"
CARD = "README.md"
DATA_CARD = "data_card.md"
OPTIONAL = (DATA_CARD,)
FILES = (WEIGHTS, BASELINE_ARRAYS, BASELINE_TABLE, SCANS, CARD, *OPTIONAL)
COMPACT_FILES = tuple(name + COMPRESSED for name in (WEIGHTS, BASELINE_ARRAYS))
LOCK = ".medunsup.lock"


@dataclass(frozen=True, eq=False, repr=False)
class ModelFolder(Shown):
    """A trained model on disk: settings, what it learned, and which scans it knows.

    `train` and `read_model` make it. Arrays are read when they are needed.

    Attributes
    ----------
    path : Path
        The folder.
    manifest : Manifest
        What its model.json says.

    Examples
    --------
    >>> import medunsup
    >>> model = medunsup.read_model("t1w_2mm_atlas")
    >>> model.settings.spacing_mm, model.is_shipped
    (2.0, True)
    """

    path: Path
    manifest: Manifest = field(repr=False)

    @property
    def settings(self) -> TrainSettings:
        """Choices that it was trained with, and that scans are prepared by."""
        return self.manifest.settings

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Channels and template grid (C, I, J, K)."""
        return self.manifest.shape

    @property
    def contrast(self) -> str:
        """Weighting of its scans, such as 'T1w'."""
        return self.manifest.contrast

    @property
    def facts(self) -> dict[str, Any]:
        """Its model.json, as plain values."""
        return self.manifest.as_record()

    @property
    def files(self) -> ArtifactFolder:
        """Its files, with the hashes they had when they were written."""
        return ArtifactFolder(self.path, self.manifest.sha256)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what was read from the files: another process reads it itself, if it needs it."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @cached_property
    def arrays(self) -> Arrays:
        """All that was learned, as named arrays; InputError if the file is damaged."""
        return self.files.arrays(WEIGHTS)

    @cached_property
    def healthy(self) -> "HealthyModel":
        """The fitted model with score and calibration; InputError if the arrays do not fit the settings."""
        try:
            return fitted_from(self.arrays, self.settings, self.shape)
        except MedunsupError:
            raise
        except (KeyError, RuntimeError, ValueError, TypeError) as error:
            raise InputError(
                f"{self.path}: the weights do not fit the settings ({' '.join(str(error).split())[:200]}). "
                f"It was made by version {self.manifest.version}; train it again with this one."
            ) from error

    @cached_property
    def data_card(self) -> "DataCard":
        """What its healthy scans look like: the statistics that OOD checks compare a scan with."""
        from medunsup.anomaly.base import part_of
        from medunsup.anomaly.distribution_shift import DataCard

        return DataCard.of_state(part_of(self.arrays, "card"))

    @cached_property
    def baselines(self) -> "Baselines":
        """The baselines, fitted on the same scans; InputError if the file is damaged."""
        from medunsup.anomaly.baselines import Baselines

        unfitted = Baselines(steps=self.settings.postprocess, spacing_mm=self.settings.spacing_mm)
        return unfitted.load_state(self.files.arrays(BASELINE_ARRAYS), self.shape)

    @property
    def about(self) -> "ModelFacts":
        """Names and numbers that results quote, as `ModelFacts`."""
        from medunsup.anomaly.result import ModelFacts

        splits = list(self.hashes.values())
        return ModelFacts(
            folder=self.path.name,
            model=self.settings.model,
            score=self.settings.score,
            steps=tuple(self.settings.postprocess),
            contrast=self.contrast,
            n_train=splits.count("train"),
            n_calibration=splits.count("calibration"),
            weights_sha256=self.weights_sha256,
        )

    @property
    def standing(self) -> str:
        """How it stands beside the best baseline on synthetic lesions in calibration scans, in words."""
        return self.synthetic.standing

    @cached_property
    def synthetic(self) -> SyntheticCheck:
        """What it found of those synthetic lesions; InputError if the file is missing or damaged."""
        from medunsup.anomaly.baselines import same_as

        chosen = self.settings
        is_plain = not (chosen.parameters or chosen.score_parameters)  # else it is a method of its own
        itself = same_as(chosen.model, chosen.score) if is_plain else ()
        return read_synthetic(self.path / BASELINE_TABLE, without=itself)

    planted = renamed_property("planted", "synthetic")

    @property
    def weights_sha256(self) -> str:
        """Hash of all that it learned, as it was written."""
        return self.manifest.sha256[self.stored(WEIGHTS)]

    @property
    def is_shipped(self) -> bool:
        """Whether it came with medunsup."""
        return is_shipped(self.path)

    @property
    def introduction(self) -> str:
        """One sentence: which model this is, and where its limits are told."""
        one = self.about
        name = one.folder if self.is_shipped else str(self.path)
        return (
            f"The model is {name}: {one.model} with {one.score}, learned from {one.n_train} healthy "
            f"{one.contrast} scans. `medunsup models show {name}` tells its limits."
        )

    def stored(self, name: str) -> str:
        """Return how a file of arrays is called in this folder: a compact model's are compressed.

        Parameters
        ----------
        name : str
            Name of the file in a model that is not compact.

        Returns
        -------
        str
            Name of the file here.

        Examples
        --------
        >>> import medunsup
        >>> medunsup.read_model("t1w_2mm_atlas").stored("weights.safetensors")
        'weights.safetensors.xz'
        """
        return self.files.stored(name)

    @property
    def hashes(self) -> dict[str, str]:
        """Split ('train', 'calibration', ...) of each scan the model knows, by the hash of its file."""
        return {row["sha256"]: row["split"] for row in self._scans()}

    @property
    def contents(self) -> dict[str, str]:
        """Split of each scan the model knows, by the hash of the prepared scan, which copies share."""
        return {row["prepared_sha256"]: row["split"] for row in self._scans()}

    @property
    def subjects(self) -> dict[str, str]:
        """Split of each subject the model knows, by the name it had there."""
        return {row["subject"]: row["split"] for row in self._scans()}

    @property
    def data_sets(self) -> dict[str, str]:
        """Data set of each subject the model knows; empty where that is not known."""
        return {row["subject"]: (row.get("data_set") or "").replace("n/a", "") for row in self._scans()}

    @cached_property
    def data_set(self) -> "DataSet":
        """The data set its scans come from, as its data card tells; empty without one."""
        from medunsup.workflows.train.data_set import DataSet

        path = self.path / DATA_CARD
        return DataSet.of_card(path.read_text(encoding="utf-8")) if path.is_file() else DataSet()

    def _scans(self) -> list[dict[str, str]]:
        rows = read_tsv(self.path / SCANS).rows
        return [{("split" if key == "part" else key): value for key, value in row.items()} for row in rows]


def read_model(model: str | Path) -> ModelFolder:
    """Open a model folder that `train` made, or a model that comes with medunsup.

    Parameters
    ----------
    model : str or Path
        Path of the folder, or the name of a bundled model; a path that exists wins.

    Returns
    -------
    ModelFolder
        The model; its arrays are read when they are needed.

    Raises
    ------
    UsageError
        If there is no such folder or bundled model.
    InputError
        If the folder is not complete, was written in another format, or is damaged.

    Examples
    --------
    >>> import medunsup
    >>> medunsup.read_model("t1w_2mm_atlas").contrast
    'T1w'
    """
    path = model_path(user_path(model))
    manifest = path / MANIFEST
    if not manifest.is_file():
        unfinished = is_unfinished(path)
        hint = (
            f"Its training is not finished: go on with it by train and {option('resume', True)}."
            if unfinished
            else "Give a folder that train made."
        )
        raise InputError(f"{path}: is no model folder ({MANIFEST} is missing). {hint}")
    return ModelFolder(path, read_manifest(manifest))


def fitted_from(arrays: Arrays, settings: TrainSettings, shape: tuple[int, int, int, int]) -> "HealthyModel":
    """Make a `HealthyModel` of what was learned; arrays that do not fit raise what numpy and torch do."""
    from medunsup.anomaly.fitted_detector import HealthyModel

    return HealthyModel.of_state(
        arrays,
        model=(settings.model, settings.parameters),
        score=(settings.score, settings.score_parameters),
        steps=settings.postprocess,
        shape=shape,
        spacing_mm=settings.spacing_mm,
    )


def write_model(folder: Path, manifest: Manifest, files: Mapping[str, str | bytes]) -> None:
    """Write all files or none; model.json comes last, so where it is, the model is whole.

    The folder is locked by the caller. Raises OutputError on a full or unwritable disk.
    """
    write_artifact(
        folder,
        files,
        MANIFEST,
        lambda hashes: manifest.written_now(dict(hashes)).as_record(),
        kind="model",
        outdated=(*OPTIONAL, *COMPACT_FILES),
    )
