"""The labels of one scan, top to bottom: prepare, network, native space, volumes, what they are worth."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from medunsup.cohort.finetuned.folder import as_labels, standardised
from medunsup.cohort.finetuned.native_space import likeliest, native_shares
from medunsup.cohort.prepare import Prepared, load_and_prepare
from medunsup.core.labels import Label
from medunsup.core.record import Record
from medunsup.core.volume import Volume
from medunsup.workflows.predict.flags import refuse_contrast, remarks_on, unlike_training
from medunsup.workflows.predict.network_facts import FINETUNED, facts_of
from medunsup.workflows.predict.request import PredictRequest

if TYPE_CHECKING:
    from medunsup.supervised.prediction import LabelVolume, Prediction

Progress = Callable[[str], None]
Shares = NDArray[np.float32]


def predict_scan(request: PredictRequest, progress: Progress | None = None) -> "Prediction":
    """Do what `predict` does with a segmentation network; saves nothing."""
    from medunsup.preprocess.geometry.template_grid import ModelSpace
    from medunsup.supervised.prediction import Prediction

    network, spacing_mm = request.network, request.network.manifest.spacing_mm
    record = Record(progress=progress)
    image, made = load_and_prepare(request.scan, spacing_mm, cache=request.cache, say=progress)
    refuse_contrast(made, network, str(request.scan.path))
    values = standardised(made.values, made.mask) if network.is_standardised else made.values
    with record.step("network", folder=network.path.name, labels=len(network.labels)):
        shares = network.network.probabilities(FINETUNED, values, made.mask)
    with record.step("to native space") as step:
        found = NativeLabels(shares, made, image, spacing_mm, keep=request.probabilities)
        volumes = found.volumes(network.labels)
        step.findings |= {one.label.name: round(one.volume_ml, 2) for one in volumes}
    with record.step("compare with the training scans"):
        flagged = unlike_training(network, made, image, values)
    return Prediction(
        image=image,
        labels=image.like(as_labels(found.classes, network.labels), kind="label"),
        brain=image.like(made.brain, kind="mask"),
        volumes=volumes,
        probabilities=found.probabilities(network.labels),
        prepared=Volume(values[0], ModelSpace(spacing_mm).grid.affine, "image"),
        network=facts_of(network),
        contrast=made.contrast,
        flags=flagged,
        remarks=remarks_on(network, made, volumes),
        record=record.closed(),
        details=made.as_record(),
    )


class NativeLabels:
    """Classes (I, J, K) of a scan in native space, sums of their probabilities, and these if kept."""

    def __init__(
        self, shares: Shares, made: Prepared, image: Volume, spacing_mm: float, *, keep: bool
    ) -> None:
        self.image, self.sums, self.kept = image, list[float](), list[Shares]()

        def heard() -> Iterator[Shares]:
            for share in native_shares(shares, made.template_to_scan, spacing_mm, image.grid):
                self.sums.append(float(share.sum(dtype=np.float64)))
                if keep:
                    self.kept.append(share)
                yield share

        self.classes = likeliest(heard())

    def volumes(self, labels: Sequence[Label]) -> "tuple[LabelVolume, ...]":
        """Measure each label."""
        from medunsup.supervised.prediction import LabelVolume

        voxel_ml = self.image.voxel_volume_mm3 / 1000
        counts = np.bincount(self.classes.ravel(), minlength=len(labels) + 1)
        return tuple(
            LabelVolume(label, float(counts[n]) * voxel_ml, self.sums[n] * voxel_ml)
            for n, label in enumerate(labels, start=1)
        )

    def probabilities(self, labels: Sequence[Label]) -> Mapping[str, Volume]:
        """Return the maps that were kept, by the label's abbreviation."""
        maps = self.kept[1:]
        return {
            label.abbreviation: self.image.like(share, kind="probability")
            for label, share in zip(labels, maps, strict=bool(maps))
        }
