"""One scan's trip, top to bottom: load, mask, register, normalise, priors, mixture, volumes, verdict."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from medunsup.cohort.dicom.reference import DicomForm, check_asked
from medunsup.cohort.places import tell_where
from medunsup.cohort.reading import by_contrast
from medunsup.cohort.settings import BrainChoice, ContrastName
from medunsup.core.paths import user_path
from medunsup.core.record import Record
from medunsup.io.load import Coordinates
from medunsup.workflows.segment.fit import build, fit
from medunsup.workflows.segment.inputs import LoadedScan, find_brain, read_scan, tissue_input
from medunsup.workflows.segment.measure import Measured, measured
from medunsup.workflows.segment.request import SegmentRequest, make_request
from medunsup.workflows.segment.result import SegmentResult
from medunsup.workflows.segment.save import refuse_overwrite
from medunsup.workflows.segment.settings import SegmentSettings

Progress = Callable[[str], None]


def segment(
    path: str | Path,
    *,
    mask: str | Path | None = None,
    tissues: int | Literal["auto"] = 3,
    contrast: ContrastName = "auto",
    method: str = "atlas_gmm",
    parameters: Mapping[str, Any] | None = None,
    with_contrasts: Mapping[str, str | Path] | None = None,
    volume: int | None = None,
    series: str | int | None = None,
    coordinates: Coordinates = "auto",
    brain: BrainChoice = "auto",
    seed: int = 0,
    out: str | Path | None = None,
    force: bool = False,
    dicom: DicomForm | None = None,
    reference: str | Path | None = None,
    progress: Progress | None = None,
) -> SegmentResult:
    """Segment one scan into tissues and measure their volumes.

    The scan is loaded, its brain mask found, its intensities normalised, the template's tissue maps are
    registered to it, and a mixture is fitted. All maps come back in native space.

    Parameters
    ----------
    path : str or Path
        The scan: a NIfTI or MGZ file, a DICOM file, or a folder of DICOM files.
    mask : str or Path, optional
        Brain mask: a file of 0 and 1, of labels, or of shares in [0, 1]. On another grid it is resampled to
        the scan. Without it the mask is found in the way `brain` says.
    tissues : int from 2 to 12, or 'auto', default 3
        Number of classes. 3 are GM, WM and CSF; 'auto' proposes a number from the intensities.
    contrast : {'auto', 'T1w', 'T2w', 'FLAIR', 'PD'}, default 'auto'
        Weighting of the scan. 'auto' takes it from file name or header, else from the intensities.
    method : str, default 'atlas_gmm'
        Name of a tissue method; `medunsup.methods('tissue')` lists them.
    parameters : dict, optional
        Parameters of the method by name; the fields of its `Config`.
    with_contrasts : dict of str to str or Path, optional
        Further scans of the same head, by contrast: 'T1w', 'T2w', 'FLAIR' or 'PD'. One that moved is
        registered rigidly, with a warning in the record.
    volume : int, optional
        Volume of a 4D file, counted from 0. Without it a file of several volumes is refused.
    series : str or int, optional
        DICOM series of a folder that holds several, by its number or UID. Without it the only MR scan among
        them is taken, or the only 3D T1w one; a folder with more of these is refused.
    coordinates : {'auto', 'sform', 'qform'}, default 'auto'
        Which of a NIfTI file's two coordinate systems places scan, mask and further contrasts if they
        differ. 'auto' takes the sform, unless it is unusable or rescales the head.
    brain : {'auto', 'atlas', 'stripped', 'deepbet'}, default 'auto'
        How the brain mask is found if none is given. 'auto' keeps the region of a skull-stripped scan, else
        fits the template's mask ('atlas'); 'stripped' takes the scan's own region; 'deepbet' runs a network
        (T1w only, needs the extra `deepbet`).
    seed : int, 0 or more, default 0
        Seed of every random choice.
    out : str or Path, optional
        Folder to save the result in. Without it nothing is written.
    force : bool, default False
        Replace a result that is in `out` already.
    dicom : {'labelmap', 'binary'}, optional
        Write DICOM files beside the saved result, the segmentation of this kind: of a DICOM series, or of
        the one that `reference` names.
    reference : str or Path, optional
        DICOM series that a NIfTI scan was converted from, for `dicom`.
    progress : callable, optional
        Called with the name of each step as it begins.

    Returns
    -------
    SegmentResult
        Maps in native space, volumes in mm³ and ml, verdict with reasons, and the record of all steps.

    Raises
    ------
    MissingError
        If a file or folder is not there.
    InputError
        If a file cannot be used, or a further contrast shows another head.
    GeometryError
        If the place of the voxels is missing, irregular or contradictory.
    UsageError
        If a choice is wrong: an unknown method or parameter, a volume or series that is not there.
    StepError
        If a step failed and nothing could take its place.
    ResultThereError
        If `out` holds a result already and `force` is False.
    OutputError
        If saving fails: the folder is locked, full or not writable.
    DependencyError
        If 'deepbet' or the codec of DICOM pixels is not installed.

    Notes
    -----
    The verdict is for a human eye: with 'check' or 'fail' look at the page before the volumes are used.

    Examples
    --------
    >>> import medunsup
    >>> result = medunsup.segment("scan.nii.gz", out="results")
    >>> list(result.volumes_ml)
    ['GM', 'WM', 'CSF']
    >>> result.labels.shape == result.image.shape
    True
    """
    settings = SegmentSettings.parse(
        {
            "method": method,
            "tissues": tissues,
            "contrast": contrast,
            "seed": seed,
            "volume": volume,
            "series": series,
            "coordinates": coordinates,
            "brain": brain,
            "parameters": dict(parameters or {}),
        },
        where="segment",
    )
    request = make_request(
        user_path(path),
        settings,
        mask=None if mask is None else user_path(mask),
        contrasts={name: user_path(file) for name, file in by_contrast(with_contrasts).items()},
        out=None if out is None else user_path(out),
    )
    series_of_results = check_asked(request.scan.path, out, dicom, reference)
    build(settings)  # a misspelt method or parameter is told before anything is read
    if out is not None and not force:
        refuse_overwrite(request.names)
    if out is not None:
        tell_where([request.names])
    result = segment_scan(request, progress=progress)
    if out is not None:
        result.save(request.scan.out, force=force)
    if dicom is not None:
        from medunsup.workflows.segment.dicom.files import write_dicom

        write_dicom(request, series_of_results, dicom)
    return result


def segment_scan(request: SegmentRequest, *, progress: Progress | None = None) -> SegmentResult:
    """Do what `segment` does, with everything asked for in one object; saves nothing."""
    record = Record(progress=progress)
    scan = read_scan(request, record)
    brain = find_brain(scan, request, record)
    given = tissue_input(scan, brain, request, record)
    fitted = fit(given, request.settings, record)
    given = given.without_priors
    found = measured(scan, brain, given, fitted, record)
    del brain, given, fitted  # room for the maps of the whole scan
    return assemble(scan, found, request, record)


def assemble(scan: LoadedScan, found: Measured, request: SegmentRequest, record: Record) -> SegmentResult:
    """Put the maps back on the whole scan."""
    image, maps = scan.image, found.maps
    return SegmentResult(
        image=image,
        corrected=maps.corrected,
        brain_mask=maps.on_scan(image, maps.mask, "mask"),
        labels=maps.on_scan(image, maps.labels, "label"),
        uncertainty=maps.on_scan(image, maps.entropy, "score"),
        fractions=maps.fractions_on_scan(image),
        tissues=found.volumes,
        fit=found.fit,
        quality=found.quality,
        record=record.closed(),
        parameters={**request.settings.as_record(), "parameters": found.parameters},
        identity=scan.identity,
        command=request.command(),
        registration=found.registration,
        is_stripped=found.is_stripped,
    )
