"""What a bundle is made from: a network from prepared arrays to outputs, and what must be said of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from medunsup.cohort.encoders.folder import WEIGHTS, read_encoder
from medunsup.cohort.finetuned.folder import read_finetuned
from medunsup.core.errors import UsageError
from medunsup.core.labels import Label

if TYPE_CHECKING:
    from torch import nn

SCALED = "fitted by template tissues so that the brain's mean is 0.5, clipped to [0, 2], 0 outside the mask"
STANDARDISED = f"{SCALED}; then mean 0 and standard deviation 1 in the mask, 0 outside"


@dataclass(frozen=True, eq=False)
class Source:
    """A network for a bundle: its module, the shape of its input, and facts for readers.

    `shape` is (C, I, J, K) of scans on the template grid, or (C, H, W) of images. `affine` places the grid in
    the template's world.
    """

    run: str
    task: Literal["segment", "features"]
    network: "nn.Module"
    shape: tuple[int, ...]
    kind: Literal["scans", "images"]
    intensity: str
    value_range: tuple[float, float]
    weights_sha256: str
    about: Mapping[str, Any]
    contrast: str | None = None
    spacing_mm: float | None = None
    affine: Sequence[Sequence[float]] | None = None
    labels: tuple[Label, ...] = ()
    n_features: int = 0
    dice: Mapping[str, Any] = field(default_factory=dict)


def finetuned_source(run: Path) -> Source:
    """Read a fine-tuned segmentation network. Raises UsageError for another task."""
    from medunsup.nn.program import Labels
    from medunsup.nn.segmenter import SegmentationNetwork
    from medunsup.preprocess.geometry.template_grid import ModelSpace

    folder = read_finetuned(run)
    about = folder.manifest
    if about.task != "segment":
        raise UsageError(
            f"{run}: was fine-tuned for the task {about.task}; bundles are written of networks that were "
            "fine-tuned for segment, and of encoders."
        )
    network, grid = folder.network.learner_.network("finetuned"), ModelSpace(about.spacing_mm).grid
    assert isinstance(network, SegmentationNetwork)
    return Source(
        run=folder.path.name,
        task="segment",
        network=Labels(network),
        shape=(folder.plan.channels, *grid.shape),
        kind="scans",
        intensity=STANDARDISED if folder.is_standardised else SCALED,
        value_range=(-10.0, 10.0) if folder.is_standardised else (0.0, 2.0),
        weights_sha256=folder.weights_sha256,
        about={"Encoder": dict(about.encoder), "Pretraining": about.pretraining, "Scans": about.scans},
        contrast=about.contrast,
        spacing_mm=about.spacing_mm,
        affine=grid.affine.tolist(),
        labels=folder.labels,
        dice=folder.figures.get("MeanDice", {}).get(folder.arm, {}).get("grid", {}),
    )


def encoder_source(run: Path) -> Source:
    """Read an encoder."""
    from medunsup.nn.program import ImageFeatures, VolumeFeatures
    from medunsup.preprocess.geometry.template_grid import ModelSpace

    folder = read_encoder(run)
    about = folder.manifest
    how, is_scan = about.preprocessing, about.preprocessing.kind == "scans"
    grid = ModelSpace(how.spacing_mm).grid if is_scan and how.spacing_mm is not None else None
    is_flat = not is_scan and how.shape[3] == 1
    flat, whole = ImageFeatures(folder.network), VolumeFeatures(folder.network, only_inside=is_scan)
    return Source(
        run=folder.path.name,
        task="features",
        network=flat if is_flat else whole,
        shape=how.shape[:3] if is_flat else how.shape,
        kind=how.kind,
        intensity=SCALED if is_scan else how.intensity,
        value_range=(0.0, 2.0) if is_scan else (0.0, 1.0),
        weights_sha256=about.sha256[WEIGHTS],
        about={
            "Encoder": folder.plan.model_dump(mode="json"),
            "Pretraining": about.method,
            "Scans": about.scans,
        },
        contrast=how.contrast,
        spacing_mm=how.spacing_mm,
        affine=None if grid is None else grid.affine.tolist(),
        n_features=folder.network.n_features,
    )
