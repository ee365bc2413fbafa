"""What a fine-tuned network says of one scan: label map in native space, volumes, and what they are worth."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from medunsup.anomaly.result import Flag
from medunsup.core.labels import Label
from medunsup.core.record import Record
from medunsup.core.shown import Shown
from medunsup.core.volume import Volume


@dataclass(frozen=True)
class LabelVolume:
    """Volume of one label in a scan.

    Attributes
    ----------
    label : Label
        The label.
    volume_ml : float
        Volume in ml of the voxels that have it.
    expected_ml : float
        Sum of its probabilities in ml; far from `volume_ml` where the network is unsure, or the label thin.

    Examples
    --------
    >>> import medunsup
    >>> found = medunsup.predict("runs/seg", "scan.nii.gz")
    >>> [volume.label.index for volume in found.volumes]
    [1, 2, 3]
    """

    label: Label
    volume_ml: float
    expected_ml: float


@dataclass(frozen=True)
class NetworkFacts:
    """What is known of the network that a scan was given to.

    Attributes
    ----------
    folder : str
        Name of its folder.
    encoder, pretraining : str
        Its encoder, and the method that it was pretrained with.
    weights_sha256 : str
        Hash of its weights.
    contrast : str
        Contrast of the scans that it was fine-tuned on.
    spacing_mm : float
        Voxel size in mm of the template grid that it lives on.
    n_train, n_test : int
        How many scans it was fine-tuned and tested on.
    dice : float or None
        Mean Dice of its test scans in native space.
    dice_interval : tuple of float or None
        Ends of its 95 % interval, over subjects.
    dice_per_label : dict of str to float or None
        The same for each label, by name.
    auc : float or None
        Area under the ROC curve on the test subjects of a classifier.
    auc_interval : tuple of float or None
        Ends of its 95 % interval, over subjects.
    """

    folder: str
    encoder: str
    pretraining: str
    weights_sha256: str
    contrast: str
    spacing_mm: float
    n_train: int
    n_test: int
    dice: float | None = None
    dice_interval: tuple[float, float] | None = None
    dice_per_label: Mapping[str, float | None] = field(default_factory=dict)
    auc: float | None = None
    auc_interval: tuple[float, float] | None = None


@dataclass(frozen=True, eq=False, repr=False)
class Prediction(Shown):
    """What a fine-tuned network says of one scan. `medunsup.predict` makes it; nobody has checked it.

    Attributes
    ----------
    image : Volume
        The scan.
    labels : Volume
        Label map in native space; 0 is background.
    brain : Volume
        Brain mask in native space.
    volumes : tuple of LabelVolume
        Volume of each label.
    probabilities : dict of str to Volume
        Probability of each label in native space, by its abbreviation; empty unless asked for.
    prepared : Volume
        The scan as the network saw it, on the template grid.
    network : NetworkFacts
        Which network it was, and what it came to on its test scans.
    contrast : str
        What the scan was taken as.
    flags : tuple of Flag
        What makes the scan unlike those that the network was fine-tuned on.
    remarks : tuple of str
        What else a reader should know.
    record : Record
        What was done, step by step.
    details : dict
        How the scan was prepared.

    Examples
    --------
    >>> import medunsup
    >>> found = medunsup.predict("runs/seg", "scan.nii.gz")
    >>> found.labels.shape == found.image.shape, found.volumes[0].volume_ml > 0
    (True, True)
    """

    image: Volume
    labels: Volume
    brain: Volume
    volumes: tuple[LabelVolume, ...]
    probabilities: Mapping[str, Volume]
    prepared: Volume
    network: NetworkFacts
    contrast: str
    flags: tuple[Flag, ...]
    remarks: tuple[str, ...]
    record: Record
    details: Mapping[str, Any]
