"""What lies outside of healthy in one scan, top to bottom: prepare, score, resample, threshold, list."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from medunsup.cohort.dataset.sources import HOW
from medunsup.cohort.dicom.reference import DicomForm, check_asked
from medunsup.cohort.places import tell_where
from medunsup.cohort.prepare import Prepared, load_and_prepare
from medunsup.cohort.settings import BrainChoice, ContrastName
from medunsup.core.hints import both
from medunsup.core.paths import user_path
from medunsup.core.record import Record, Step
from medunsup.core.renamed import takes_old_names
from medunsup.core.volume import Volume
from medunsup.io.load import Coordinates
from medunsup.workflows.detect.known_subject import SeenSubject, known_subject
from medunsup.workflows.detect.request import DetectRequest, check_rates, make_request
from medunsup.workflows.detect.save import refuse_overwrite, save
from medunsup.workflows.train.encoder import encoder_remarks
from medunsup.workflows.train.model_folder import ModelFolder, read_model
from medunsup.workflows.train.shipped import DEFAULT, REACH

if TYPE_CHECKING:
    from medunsup.anomaly.result import AnomalyResult, BaselineResult, Flag, ScanScore

Progress = Callable[[str], None]


@takes_old_names(false_parts="fp_per_scan", false_findings="fp_per_scan")
def detect(
    scan: str | Path,
    model: str | Path | ModelFolder | None = None,
    out: str | Path | None = None,
    *,
    mask: str | Path | None = None,
    alpha: float | None = None,
    fp_per_scan: float = 1.0,
    baselines: bool = False,
    contrast: ContrastName = "auto",
    brain: BrainChoice | None = None,
    volume: int | None = None,
    series: str | int | None = None,
    coordinates: Coordinates | None = None,
    cache: str | Path | None = None,
    force: bool = False,
    dicom: DicomForm | None = None,
    reference: str | Path | None = None,
    progress: Progress | None = None,
) -> "AnomalyResult":
    """Find what a model of healthy scans does not explain in one scan.

    The scan is registered to the template and scored there; map, mask and findings come back in native space.

    Parameters
    ----------
    scan : str or Path
        The scan: a NIfTI or MGZ file, a DICOM file, or a folder of DICOM files.
    model : str, Path or ModelFolder, optional
        A folder that `train` made, the name of a bundled model, or what `read_model` returned. Without it a
        bundled model for T1w is taken.
    out : str or Path, optional
        Folder to save the result in. Without it nothing is written.
    mask : str or Path, optional
        Brain mask: a file of 0 and 1, of labels, or of shares in [0, 1]. Without it the mask is found in the
        way that the model's own scans were masked.
    alpha : float between 0 and 1, optional
        False-positive rate of the verdict on the whole scan. Without it 0.05 if the calibration scans are
        enough for that, else there is a p-value and no verdict.
    fp_per_scan : float from 0 to 100, default 1.0
        False positives that a healthy scan may show in the mask, on average (FP/scan). It sets the threshold.
    baselines : bool, default False
        Apply the model's baselines to the scan as well.
    contrast : {'auto', 'T1w', 'T2w', 'FLAIR', 'PD'}, default 'auto'
        What the scan is. 'auto' takes it from the header, the file name, or how bright the tissues are.
    brain : {'auto', 'atlas', 'stripped', 'deepbet'}, optional
        How to find the brain if no mask is given; without it the way of the model's own scans.
    volume : int, optional
        Volume of a 4D file, counted from 0.
    series : str or int, optional
        DICOM series of a folder that holds several, by its number or UID.
    coordinates : {'auto', 'sform', 'qform'}, optional
        Which of a NIfTI file's two coordinate systems to use if they differ; without it the model's own
        choice.
    cache : str or Path, optional
        Folder that keeps prepared scans for the next call.
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
    AnomalyResult
        Score map and mask in native space, findings, p-value of the scan, and OOD flags.

    Raises
    ------
    MissingError
        If a file or folder is not there.
    InputError
        If the scan or the model cannot be used.
    GeometryError
        If the place of the voxels is missing, irregular or contradictory.
    UsageError
        If a choice is wrong, or the calibration scans are too few for `alpha`.
    StepError
        If a step failed on this scan and nothing could take its place.
    ResultThereError
        If `out` holds a result already and `force` is False.
    OutputError
        If saving fails: the folder is locked, full or not writable.

    Notes
    -----
    Not for diagnosis: a map says where a scan is unlike the healthy ones that the model learned from. A scan
    with OOD flags, or one of the training set, gets no verdict.

    References
    ----------
    Vovk, Gammerman and Shafer (2005), Algorithmic Learning in a Random World. Springer (the p-value).

    Examples
    --------
    >>> import medunsup
    >>> result = medunsup.detect("scan.nii.gz", "runs/atlas", baselines=True)
    >>> result.score.shape == result.image.shape
    True
    >>> 0 < result.scan.p_value <= 1
    True
    """
    opened = open_model(model)
    request = make_request(
        user_path(scan),
        opened,
        out=None if out is None else user_path(out),
        mask=None if mask is None else user_path(mask),
        alpha=alpha,
        fp_per_scan=fp_per_scan,
        baselines=baselines,
        cache=None if cache is None else user_path(cache),
        contrast=contrast,
        brain=brain,
        volume=volume,
        series=series,
        coordinates=coordinates,
    )
    check_rates(request)
    series_of_results = check_asked(request.scan.path, out, dicom, reference)
    if out is None:
        return detect_scan(request, progress=progress)
    if not force:
        refuse_overwrite(request.names)
    tell_where([request.names])
    result = detect_scan(request, progress=progress)
    save(result, request, force=force)
    if dicom is not None:
        from medunsup.workflows.detect.dicom.files import write_dicom

        write_dicom(request, series_of_results, dicom)
    return result


def open_model(model: str | Path | ModelFolder | None) -> ModelFolder:
    """Read the model that is meant; if none is named, the default of the bundled ones."""
    return model if isinstance(model, ModelFolder) else read_model(model or DEFAULT)


def detect_scan(request: DetectRequest, *, progress: Progress | None = None) -> "AnomalyResult":
    """Do what `detect` does, with everything asked for in one object; saves nothing."""
    from medunsup.anomaly.conformal import is_unusual
    from medunsup.anomaly.findings import findings
    from medunsup.anomaly.result import AnomalyResult
    from medunsup.preprocess.geometry.template_grid import ModelSpace

    model, healthy = request.model, request.model.healthy
    space, calibration = ModelSpace(model.settings.spacing_mm), healthy.calibration
    record = Record(progress=progress)
    image, made = load_and_prepare(request.scan, model.settings.spacing_mm, cache=request.cache, say=progress)

    def native(data: Any) -> Volume:
        return image.like(space.to_native(data, made.template_to_scan, image.grid) * made.brain, kind="score")

    with record.step("score", model=model.settings.model, score=model.settings.score) as step:
        found = healthy.map(made.values, made.mask)
        scan = scored(healthy.scan_score(made.values, made.mask, found), calibration.scan_scores)
        step.findings |= {"scan_score": scan.score, "p_value": scan.p_value}
    with record.step("to native space") as step:
        score = native(found)
        reconstruction = reconstructed(model, made, image, space)
    with record.step("compare with the healthy scans") as step:
        flagged = unlike_healthy(model, made, image)
        seen = seen_in(model, made)
        known = SeenSubject() if seen else known_subject(model, request.scan.path, grid=image.grid)
        remarks = (*made.warnings, *model_remarks(model, seen, known))
        subject = known.subject if known.forbids_verdict else ""
        alpha = supported_alpha(request, step)
    baselines = asked_baselines(request, made, native) if request.baselines else ()
    with record.step("threshold", fp_per_scan=request.fp_per_scan) as step:
        threshold = calibration.component_threshold(request.fp_per_scan)
        calibrated = image.like(calibration.calibrated_map(score.data, made.brain), kind="score")
        kept, listed = findings(
            (score.data > threshold) & made.brain,
            score.data,
            calibrated.data,
            image.grid,
            made.template_to_scan,
            least_mm3=model.settings.min_cluster_mm3,
        )
        step.findings |= {"threshold": threshold, "findings": len(listed)}
    return AnomalyResult(
        image=image,
        brain=image.like(made.brain, kind="mask"),
        score=score,
        calibrated=calibrated,
        mask=image.like(kept, kind="mask"),
        healthy=reconstruction,
        findings=listed,
        scan=scan,
        threshold=threshold,
        fp_per_scan=request.fp_per_scan,
        alpha=alpha,
        is_anomalous=None if alpha is None or flagged or seen or subject else is_unusual(scan.p_value, alpha),
        flags=flagged,
        baselines=baselines,
        model=model.about,
        contrast=made.contrast,
        record=record.closed(),
        remarks=remarks,
        details=made.as_record(),
        seen=seen or (known.split if subject else ""),
        seen_subject=subject,
        note=request.note,
    )


def scored(score: float, healthy: Any) -> "ScanScore":
    """Rank a scan's score among those of healthy calibration scans."""
    from medunsup.anomaly.conformal import conformal_p_value
    from medunsup.anomaly.result import ScanScore

    p_value = conformal_p_value(healthy, score)
    return ScanScore(float(score), p_value, tuple(float(value) for value in healthy))


def reconstructed(model: ModelFolder, made: Prepared, image: Volume, space: Any) -> Volume | None:
    """Bring the pseudo-healthy reconstruction back to the scan's voxels and units, if the model makes one."""
    if not hasattr(model.healthy.model, "reconstruct"):
        return None
    low, high = made.intensity_range
    found = model.healthy.model.reconstruct(made.values, made.mask)[0]
    found = space.to_native(low + (high - low) * found, made.template_to_scan, image.grid)
    return image.like((found * made.brain).astype(np.float32), kind="image")


def unlike_healthy(model: ModelFolder, made: Prepared, image: Volume) -> "tuple[Flag, ...]":
    """Say what sets the scan apart from those the model knows; a contrast that was assumed is no evidence."""
    from medunsup.anomaly.distribution_shift import body_flag, contrast_flag, flags

    coarsest_mm = max(made.spacing_mm)
    found = flags(model.data_card, made.values, made.mask, coarsest_mm=coarsest_mm)
    named = () if made.contrast_is_assumed else contrast_flag(made.contrast, model.contrast)
    return (*body_flag(image.body_part), *named, *found)


def seen_in(model: ModelFolder, made: Prepared) -> str:
    """Return the split of the model's own scans that this one was in, empty if the model has not seen it."""
    return model.hashes.get(made.sha256) or model.contents.get(made.content) or ""


def model_remarks(model: ModelFolder, seen: str, known: SeenSubject) -> list[str]:
    """Remark on a scan or subject that the model has seen; and on a model that finds little."""
    how = f"it {HOW.get(seen, 'knows')} this scan"
    own = f"The model has seen this scan ({how}): its p-value and map say little." if seen else ""
    reach = REACH if model.is_shipped else ""
    of_encoder = encoder_remarks(model.manifest.encoder)
    return [text for text in (own, known.remark, reach, *of_encoder, model.synthetic.doubt) if text]


def asked_baselines(
    request: DetectRequest, made: Prepared, native: Callable[[Any], Volume]
) -> "tuple[BaselineResult, ...]":
    """Let the baselines look at the scan, on the template grid."""
    from medunsup.anomaly.baselines import BASELINES
    from medunsup.anomaly.result import BaselineResult

    model, results = request.model, []
    for name in (name for name in model.baselines.scores_ if name != "prevalence"):
        found = model.baselines.map(name, made.values, made.mask)
        number = model.baselines.scan_score(name, made.values, made.mask, found)
        scan = scored(number, model.arrays[f"baseline_scores/{name}"])
        results.append(
            BaselineResult(name, BASELINES[name].words, scan, None if found is None else native(found))
        )
    return tuple(results)


def supported_alpha(request: DetectRequest, step: Step) -> float | None:
    """Return the alpha asked for, or the usual one if the calibration scans are enough for it."""
    from medunsup.anomaly.calibration import SCANS_FOR_USUAL, USUAL_ALPHA
    from medunsup.anomaly.conformal import least_rate

    n = request.model.healthy.calibration.n
    if request.alpha is not None:
        return request.alpha
    if n >= SCANS_FOR_USUAL:
        return USUAL_ALPHA
    step.warn(
        f"{n} calibration scans support no false-positive rate below {least_rate(n)}: the scan gets a "
        f"p-value and no verdict. Ask for {both('alpha', float(least_rate(n)))} or more, or "
        f"calibrate on {SCANS_FOR_USUAL} scans."
    )
    return None
