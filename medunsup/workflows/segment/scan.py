"""One scan's whole trip, top to bottom: load, mask, place, normalise, priors, mixture, volumes, verdict."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from medunsup.cohort import further_contrasts, reading
from medunsup.cohort.contrast import check_told_once, name_contrasts, told_contrast
from medunsup.cohort.places import tell_where
from medunsup.cohort.request import Request
from medunsup.core.geometry import steadied
from medunsup.core.paths import user_path
from medunsup.core.record import Record, Step
from medunsup.core.volume import Volume
from medunsup.io.bids.names import names_contrast_agent
from medunsup.io.load import Coordinates
from medunsup.preprocess.geometry.crop import Box
from medunsup.workflows.segment import fit, measure
from medunsup.workflows.segment.result import SegmentResult
from medunsup.workflows.segment.save import refuse_overwrite
from medunsup.workflows.segment.settings import ContrastName, SegmentSettings

if TYPE_CHECKING:
    from medunsup.preprocess.brain_extraction.brain_mask import Brain
    from medunsup.tissue.quality import Known

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
    brain: Literal["auto", "atlas", "stripped", "deepbet"] = "auto",
    seed: int = 0,
    out: str | Path | None = None,
    force: bool = False,
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
    request = Request(
        scan=user_path(path),
        settings=settings,
        mask=None if mask is None else user_path(mask),
        contrasts={name: user_path(file) for name, file in reading.by_contrast(with_contrasts).items()},
        out=None if out is None else user_path(out),
    )
    fit.build(settings)  # a misspelt method or parameter is told before anything is read
    if out is not None and not force:
        refuse_overwrite(request.names)
    if out is not None:
        tell_where([request.names])
    result = segment_scan(request, progress=progress)
    if out is not None:
        result.save(request.out, force=force)
    return result


def segment_scan(request: Request, *, progress: Progress | None = None) -> SegmentResult:
    """Do what `segment` does, with everything asked for in one object; saves nothing."""
    from medunsup.preprocess.brain_extraction.field_of_view import seen_ranges

    settings = request.settings
    record = Record()

    def begin(name: str, **parameters: Any) -> Step:
        if progress is not None:
            progress(name)
        return record.step(name, **parameters)

    with begin("load") as step:
        image = reading.load_scan(request.scan, settings, step)
        check_told_once(request, image.source)
        identity = request.identity()
    with begin("brain mask", given=request.mask is not None, method=settings.brain) as step:
        even, found = find_evened(image, request, step)
        brain, placement = found.mask, found.placement
    box = Box.around(brain.data, within=None if found.is_stripped else seen_ranges(image.data))
    channels, read = {"image": box.take(even)}, None
    if request.contrasts:
        with begin("contrasts", given=sorted(request.contrasts)) as step:
            others, read = further_contrasts.load_contrasts(
                request.contrasts, even, brain, step, settings.coordinates
            )
            channels |= {name: box.take(volume) for name, volume in others.items()}
    region = box.take(brain).data.copy()  # the whole mask comes back at the end
    brain = replace(box.take(brain), data=region)
    with begin("priors") as placed:
        priors = fit.priors(channels["image"], brain, placement, request, placed)
    with begin("contrast", asked=settings.contrast) as step:
        contrasts = name_contrasts(request, image.source, channels["image"].data, priors, step)
    with begin("normalise") as step:
        intensity, uneven = fit.scale(channels.values(), contrasts, region, step)
    with begin("mixture", method=settings.method) as step:
        data = fit.prepare(intensity, region, image.spacing_mm, contrasts, priors, settings, step)
        if data.priors is None and placed.outcome == "done":
            placed.outcome = "skipped"  # for the number of classes that was settled on
        fitted = fit.fit(data, settings, step)
        data, priors = replace(data, priors=None), None  # the largest thing that is no longer needed
        description = measure.describe_fit(data, fitted, settings, step)
    with begin("volumes") as step:
        volumes = measure.measure(data, fitted, image.voxel_volume_mm3, step)
    with begin("quality") as step:
        known = replace(known_of(request, image, found), before=read)
        quality = measure.judge(data, fitted, volumes, placement, even, box, known, step, fit=description)
    parameters = {**settings.as_record(), "parameters": fitted.parameters}
    classes, corrected = data.labels, measure.corrected(even, box, fitted, uneven[0])
    labels, entropy, fractions = fitted.labels_, fitted.entropy_, fitted.fractions_
    del data, intensity, channels, brain, fitted, even  # room for the maps of the whole scan
    return SegmentResult(
        image=image,
        corrected=corrected,
        brain_mask=measure.on_scan(image, box, region, "mask"),
        labels=measure.on_scan(image, box, labels, "label"),
        uncertainty=measure.on_scan(image, box, entropy, "score"),
        fractions=measure.fractions(image, box, fractions, classes),
        tissues=volumes,
        fit=description,
        quality=quality,
        record=record,
        parameters=parameters,
        identity=identity,
        command=request.command(),
        placement=placement,
    )


def find_evened(image: Volume, request: Request, step: Step) -> tuple[Volume, "Brain"]:
    """Find the brain as `find_brain` does, and take a strong bias of a T1w scan out before anything else."""
    from medunsup.preprocess.intensity.evened import evened_out

    found = find_brain(image, request, step)
    if told_contrast(request, image.source) not in (None, "T1w"):
        return image, found
    return evened_out(image, found, lambda even, trial: find_brain(even, request, trial), step=step)


def find_brain(image: Volume, request: Request, step: Step) -> "Brain":
    """Get the brain mask, given or found, and where the template lies on the scan."""
    from medunsup.preprocess.brain_extraction import brain_mask

    steady = replace(image, affine=steadied(image.affine))
    if request.mask is None:
        found = brain_mask.find_brain(steady, method=request.settings.brain, step=step)
    else:
        mask = reading.load_mask(request.mask, image, step, request.settings.coordinates)
        found = brain_mask.place_given(steady, steady.like(mask.data, kind="mask"), step=step)
    return replace(found, mask=image.like(found.mask.data, kind="mask"))


def known_of(request: Request, image: Volume, found: "Brain") -> "Known":
    """Gather what the verdict should know of how the scan was taken."""
    from medunsup.tissue.quality import Known
    from medunsup.tissue.quality.window import piled_up

    return Known(
        is_stripped=found.is_stripped,
        mask_given=request.mask is not None,
        contrast_given=request.settings.contrast != "auto",
        contrast_agent=names_contrast_agent(request.scan.name)
        or bool(image.source and image.source.notes.get("contrast_agent")),
        reaches_bone=found.reaches_bone,
        at_ends=piled_up(image.data[found.mask.data]),
    )
