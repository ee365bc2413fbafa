"""What is clustered: a table of features, images, or the features of an encoder of those."""

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medunsup.clustering.subjects import subjects_of
from medunsup.cohort.dataset.health import is_nothing
from medunsup.cohort.dataset.images import ENDING, Images, read_images, read_new_images
from medunsup.cohort.dataset.shown_labels import shown_labels
from medunsup.cohort.encoders.folder import read_encoder
from medunsup.cohort.feature_table.formats import open_columns
from medunsup.cohort.feature_table.read import read_features
from medunsup.cohort.feature_table.table import FeatureTable
from medunsup.cohort.labelled.alike import before_of, refuse_other_images
from medunsup.core.errors import InputError, MissingError, UsageError
from medunsup.core.hints import option
from medunsup.core.paths import user_path
from medunsup.workflows.cluster.settings import ClusterSettings

MOST_CLASSES, MOST_NUMBERS = 50, 20  # of words, and of classes that are numbered
LABELS = ("labels", "label", "train_labels")  # names of the labels beside images


@dataclass(frozen=True, eq=False)
class ClusterData:
    """Rows to cluster.

    `images` (N, C, I, J, K) are there where a method is to take them; the table then holds their voxels.
    `shown` are the images that rows are of, whatever is taken of them.
    """

    table: FeatureTable
    truth: tuple[str, Sequence[str]] = ("", ())
    images: NDArray[np.float32] | None = None
    shown: NDArray[np.float32] | None = None

    @property
    def values(self) -> NDArray[np.float64]:
        """The features (N, D)."""
        return self.table.values

    def sites(self, column: str | None) -> Sequence[str] | None:
        """Return the site of each row, or None."""
        return None if column is None else self.table.column(column)

    @property
    def groups(self) -> Sequence[Hashable] | None:
        """The subject of each row, "" where it is not known; None if each row is one by itself."""
        names = self.table.keys.get("subject")
        return None if names is None or subjects_of(names, len(names)) is None else names

    @property
    def subjects(self) -> NDArray[np.int64] | None:
        """The same as numbers."""
        return subjects_of(self.groups, len(self.table))

    def kept(self, columns: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Return covariates whose effect harmonising keeps."""
        return {name: self.table.column(name) for name in columns}


def read_data(
    data: str | Path | FeatureTable, settings: ClusterSettings, encoder: str | Path | None
) -> ClusterData:
    """Read a table, or the training images of a .npz file. Raises an error that names what is wrong."""
    if not isinstance(data, FeatureTable) and user_path(data).suffix == ENDING:
        path = user_path(data)
        images = read_images(path, splits=("train",))["train"]
        return _of_images(path, images, settings, encoder)
    if encoder is not None:
        raise UsageError(
            f"{option('encoder')} is for images (.npz). Of scans, take its features first: medunsup embed."
        )
    if isinstance(data, FeatureTable):
        return _with_truth(data, settings)
    named = [*settings.covariates, *filter(None, (settings.harmonise, settings.truth))]
    table = read_features(
        data, covariates=tuple(dict.fromkeys(named)), drop_incomplete=settings.drop_incomplete
    )
    return _with_truth(table, settings)


def read_new(
    data: str | Path | FeatureTable, settings: ClusterSettings, encoder: str | None, covariates: Sequence[str]
) -> ClusterData:
    """Read rows that are to be assigned to clusters that are there."""
    if isinstance(data, FeatureTable):
        return ClusterData(data)
    path = user_path(data)
    if path.suffix == ENDING:
        return _of_images(path, read_new_images(path), settings.model_copy(update={"truth": None}), encoder)
    there = open_columns(path).names if path.is_file() else ()
    named = [*settings.covariates, *(name for name in covariates if name in there)]
    table = read_features(
        path,
        covariates=tuple(dict.fromkeys(named)),
        drop_incomplete=settings.drop_incomplete,
        drop_constant=False,
    )
    return ClusterData(table)


def _with_truth(table: FeatureTable, settings: ClusterSettings) -> ClusterData:
    for name in filter(None, (*settings.covariates, settings.harmonise)):
        table.column(name)
    truth = known_classes(table, settings.truth)
    rest = {name: of for name, of in table.covariates.items() if name != settings.truth}
    table = FeatureTable(table.values, table.names, table.keys, rest, table.attributes)
    return ClusterData(table, truth)


def known_classes(table: FeatureTable, name: str | None) -> tuple[str, tuple[str, ...]]:
    """Return the column of known classes and its cells, "" where none is known.

    Raises UsageError for a column of measured numbers, or of as many words as rows, which are no classes.
    """
    cells = tuple("" if is_nothing(cell) else cell for cell in (table.column(name) if name else ()))
    words = {cell for cell in cells if cell}
    most = min(MOST_NUMBERS if _are_numbers(words) else MOST_CLASSES, max(2, sum(map(bool, cells)) // 2))
    if name and len(words) > most:
        raise UsageError(
            f"{option('truth', name)}: {name!r} has {len(words)} different values in {len(cells)} rows, "
            "which are no classes. Name a column of classes, or make one of it, such as young and old; what "
            "it has to do with clusters is told without it as well."
        )
    return name or "", cells


def _are_numbers(words: Iterable[str]) -> bool:
    try:
        return all(math.isfinite(float(word)) for word in words)
    except ValueError:
        return False


def _of_images(
    path: Path, images: Images, settings: ClusterSettings, encoder: str | Path | None
) -> ClusterData:
    if settings.harmonise or settings.covariates:
        raise UsageError(
            f"{path}: images have no columns for {option('harmonise')} or {option('covariates')}. Take "
            "features first, and put what is known of each image beside them."
        )
    truth = _labels_of(path, images, settings)
    keys = {"scan": images.names}
    if encoder is None:
        flat = images.values.reshape(len(images.values), -1).astype(np.float64)
        names = [f"voxel/{n}" for n in range(flat.shape[1])]
        return ClusterData(FeatureTable(flat, names, keys), truth, images.values, images.values)
    try:
        opened = read_encoder(user_path(encoder))
    except MissingError as error:
        raise MissingError(f"{error} It is asked for by {option('encoder')}.") from error
    refuse_other_images(before_of(opened), images.values.shape[1:])
    from medunsup.selfsupervised.encode import encode

    rows = encode(opened.network, images.values).astype(np.float64)
    names = [f"encoder/{n:03d}" for n in range(1, rows.shape[1] + 1)]
    return ClusterData(FeatureTable(rows, names, keys), truth, shown=images.values)


def _labels_of(path: Path, images: Images, settings: ClusterSettings) -> tuple[str, Sequence[str]]:
    if settings.truth is None:
        return "", ()
    if settings.truth not in LABELS:
        raise UsageError(
            f"{path}: the known classes of images are its train_labels. Give {option('truth', 'labels')}."
        )
    found = shown_labels(path, {"train": len(images.values)})
    if "train" not in found.of:
        raise InputError(
            f"{path}: holds no train_labels to measure with. {found.passed_over}".rstrip()
            + f" Leave {option('truth')} out."
        )
    return settings.truth, ["" if n < 0 else found.classes[n] for n in found.of["train"]]
