"""The labels of one scan, top to bottom: prepare, network, native space, volumes, what they are worth."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from medunsup.cohort.finetuned.folder import FinetunedFolder, as_labels, standardised
from medunsup.cohort.finetuned.native_space import likeliest, native_shares
from medunsup.cohort.places import tell_where
from medunsup.cohort.prepare import Prepared, load_and_prepare
from medunsup.cohort.settings import BrainChoice, ContrastName
from medunsup.core.labels import Label
from medunsup.core.paths import user_path
from medunsup.core.record import Record
from medunsup.core.volume import Volume
from medunsup.io.load import Coordinates
from medunsup.workflows.predict.flags import refuse_contrast, remarks_on, unlike_training
from medunsup.workflows.predict.request import PredictRequest, make_request, open_network
from medunsup.workflows.predict.save import refuse_overwrite, save

if TYPE_CHECKING:
    from medunsup.supervised.prediction import LabelVolume, NetworkFacts, Prediction

NATIVE, FINETUNED = "native", "finetuned"

Progress = Callable[[str], None]
Shares = NDArray[np.float32]


def predict(
    network: str | Path | FinetunedFolder,
    scan: str | Path,
    out: str | Path | None = None,
    *,
    mask: str | Path | None = None,
    probabilities: bool = False,
    prepared: bool = False,
    contrast: ContrastName = "auto",
    brain: BrainChoice | None = None,
    volume: int | None = None,
    series: str | int | None = None,
    coordinates: Coordinates | None = None,
    cache: str | Path | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> "Prediction":
    """Give a scan to a fine-tuned network: its labels in native space, and their volumes.

    The scan is prepared as those of the fine-tuning were. Probabilities are resampled to native space, where
    each voxel gets the likeliest label.

    Parameters
    ----------
    network : str, Path or FinetunedFolder
        A folder that `finetune` made, or what it returned.
    scan : str or Path
        The scan: NIfTI, MGZ or a DICOM folder.
    out : str or Path, optional
        Folder for the label map, the table of volumes and the page; without it nothing is saved.
    mask : str or Path, optional
        Brain mask of the scan.
    probabilities : bool, default False
        Keep the probability of each label as well.
    prepared : bool, default False
        Save the scan as the network saw it as well, on the template grid: what an exported bundle takes.
    contrast : {'auto', 'T1w', 'T2w', 'FLAIR', 'PD'}, default 'auto'
        What the scan is. One of another contrast than the network's is refused.
    brain : {'auto', 'atlas', 'stripped', 'deepbet'}, optional
        How to find the brain if no mask is given; without it the way of the fine-tuning.
    volume : int, optional
        Volume of a 4D file, counted from 0.
    series : str or int, optional
        DICOM series, by its number or UID.
    coordinates : {'auto', 'sform', 'qform'}, optional
        Which of a NIfTI file's two coordinate systems to use if they differ; without it that of the
        fine-tuning.
    cache : str or Path, optional
        Folder that keeps prepared scans for the next call.
    force : bool, default False
        Replace a result that is in `out` already.
    progress : callable, optional
        Called with the name of each step as it begins.

    Returns
    -------
    Prediction
        Label map, volumes, probabilities if asked for, flags and remarks.

    Raises
    ------
    MissingError
        If a file or folder is not there.
    InputError
        If the scan or the network cannot be used, or the scan is of another contrast.
    GeometryError
        If the place of the voxels is missing, irregular or contradictory.
    UsageError
        If a choice is wrong, or the network was fine-tuned for another task.
    StepError
        If a step failed on this scan and nothing could take its place.
    ResultThereError
        If `out` holds a result already and `force` is False.
    OutputError
        If saving fails: the folder is locked, full or not writable.

    Notes
    -----
    Not for diagnosis: no expert has checked the labels. What the network came to on its test scans says what
    to expect of scans like those.

    Examples
    --------
    >>> import medunsup
    >>> found = medunsup.predict("runs/seg", "scan.nii.gz", probabilities=True)
    >>> sorted(found.probabilities), found.labels.shape == found.image.shape
    (['1', '2', '3'], True)
    """
    request = make_request(
        user_path(scan),
        open_network(network),
        out=None if out is None else user_path(out),
        mask=None if mask is None else user_path(mask),
        probabilities=probabilities,
        prepared=prepared,
        cache=None if cache is None else user_path(cache),
        contrast=contrast,
        brain=brain,
        volume=volume,
        series=series,
        coordinates=coordinates,
    )
    if out is None:
        return predict_scan(request, progress=progress)
    if not force:
        refuse_overwrite(request.names, request.network.labels)
    tell_where([request.names])
    result = predict_scan(request, progress=progress)
    save(result, request, force=force)
    return result


def predict_scan(request: PredictRequest, *, progress: Progress | None = None) -> "Prediction":
    """Do what `predict` does, with everything asked for in one object; saves nothing."""
    from medunsup.preprocess.geometry.template_grid import ModelSpace
    from medunsup.supervised.prediction import Prediction

    network, spacing_mm = request.network, request.network.manifest.spacing_mm
    record = Record(progress=progress)
    image, made = load_and_prepare(request.scan, spacing_mm, cache=request.cache, say=progress)
    refuse_contrast(made, network, str(request.scan.path))
    values = standardised(made.values, made.mask) if network.is_standardised else made.values
    with record.step("network", folder=network.path.name, labels=len(network.labels)):
        shares = network.network.probabilities("finetuned", values, made.mask)
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


def facts_of(network: FinetunedFolder) -> "NetworkFacts":
    """Gather what is known of a network, with what it came to on its test scans."""
    from medunsup.supervised.prediction import NetworkFacts

    about, figures = network.manifest, network.figures
    mean: Mapping[str, Any] = figures.get("MeanDice", {}).get(FINETUNED, {}).get(NATIVE, {})
    low, high = mean.get("low"), mean.get("high")
    each = figures.get("DicePerLabel", {}).get(FINETUNED, [])
    return NetworkFacts(
        folder=network.path.name,
        encoder=f"{about.encoder['encoder']} in {about.encoder['dims']}D",
        pretraining=about.pretraining,
        weights_sha256=network.weights_sha256,
        contrast=about.contrast,
        spacing_mm=about.spacing_mm,
        n_train=about.scans.get("train", 0),
        n_test=about.scans.get("test", 0),
        dice=mean.get("value"),
        dice_interval=None if low is None or high is None else (low, high),
        dice_per_label={
            label.name: one.get("value") for label, one in zip(network.labels, each, strict=False)
        },
    )
