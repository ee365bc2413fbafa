"""One scan, or the images of one file, given to a fine-tuned network."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from medunsup.cohort.finetuned.folder import FinetunedFolder
from medunsup.cohort.places import tell_where
from medunsup.cohort.settings import BrainChoice, ContrastName
from medunsup.core.paths import user_path
from medunsup.io.bids import derivatives
from medunsup.io.files.lock import locked
from medunsup.io.files.transaction import recover
from medunsup.io.load import Coordinates
from medunsup.workflows.predict.request import make_request, open_network
from medunsup.workflows.predict.save import label_names
from medunsup.workflows.predict.ways import WAYS

if TYPE_CHECKING:
    from medunsup.supervised.class_prediction import ClassPrediction, ImagePredictions
    from medunsup.supervised.prediction import Prediction

Progress = Callable[[str], None]


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
) -> "Prediction | ClassPrediction | ImagePredictions":
    """Give a scan to a fine-tuned network: its labels in native space and their volumes, or its class.

    The scan is prepared as those of the fine-tuning were. Probabilities of voxels are resampled to native
    space, where each gets the likeliest label. A network that was fine-tuned on images takes those of a
    .npz file.

    Parameters
    ----------
    network : str, Path or FinetunedFolder
        A folder that `finetune` made, or what it returned.
    scan : str or Path
        The scan: NIfTI, MGZ or a DICOM folder. Or images: a .npz file, of which `test_images` are taken, or
        else `images`.
    out : str or Path, optional
        Folder for the label map, tables and the page; without it nothing is saved.
    mask : str or Path, optional
        Brain mask of the scan.
    probabilities : bool, default False
        Keep the map of each label's probability as well; those of a scan's classes are always kept.
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
    Prediction, ClassPrediction or ImagePredictions
        Of a network that segments label map, volumes, probabilities if asked for; of one that classifies the
        probability of each class, for a scan or for each image; with flags and remarks.

    Raises
    ------
    MissingError
        If a file or folder is not there.
    InputError
        If the scan or the network cannot be used, or the scan is of another contrast.
    GeometryError
        If the place of the voxels is missing, irregular or contradictory.
    UsageError
        If a choice is wrong, or the network takes images where a scan is given, or a scan where images are.
    StepError
        If a step failed on this scan and nothing could take its place.
    ResultThereError
        If `out` holds a result already and `force` is False.
    OutputError
        If saving fails: the folder is locked, full or not writable.

    Notes
    -----
    Not for diagnosis: no expert has checked labels or classes. What the network came to on its test scans
    says what to expect of scans like those.

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
    way = WAYS[request.kind]
    if out is None:
        return way.predict(request, progress)
    names = request.names
    if not force:
        derivatives.refuse_overwrite(names, way.derivative.outputs, label_names(request.network.labels))
    tell_where([names])
    result = way.predict(request, progress)
    with locked(names.lock):
        recover(names.folder, names.stem)
        way.write(result, request, force)
    return result
