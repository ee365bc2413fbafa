"""Where a pretrained encoder looks in one scan, top to bottom: check, prepare, look, resample, save."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from medunsup.cohort.encoders.attended import AttentionResult
from medunsup.cohort.encoders.folder import EncoderFolder, read_encoder
from medunsup.cohort.finetuned.encoder import encoder_in
from medunsup.cohort.finetuned.folder import FinetunedFolder, read_finetuned, standardised
from medunsup.cohort.labelled.alike import before_of, refuse_other_scans, sizes_differ
from medunsup.cohort.places import tell_where
from medunsup.cohort.prepare import Prepared, load_and_prepare, prepare
from medunsup.cohort.request import ScanRequest
from medunsup.cohort.settings import BrainChoice, ContrastName, ReadSettings
from medunsup.cohort.training.consistency import Common
from medunsup.core.errors import UsageError
from medunsup.core.hints import option
from medunsup.core.paths import user_path
from medunsup.core.record import Record
from medunsup.core.volume import Volume
from medunsup.io.load import Coordinates
from medunsup.workflows.attention.request import AttentionRequest
from medunsup.workflows.attention.save import refuse_overwrite, save

if TYPE_CHECKING:
    from medunsup.nn.encoder import Encoder

NEARLY_UNIFORM = 1.5  # times what each place gets if all count alike

Progress = Callable[[str], None]


def attention(
    encoder: str | Path | EncoderFolder,
    scan: str | Path,
    out: str | Path | None = None,
    *,
    beside: str | Path | FinetunedFolder | None = None,
    mask: str | Path | None = None,
    contrast: ContrastName | None = None,
    brain: BrainChoice | None = None,
    volume: int | None = None,
    series: str | int | None = None,
    coordinates: Coordinates | None = None,
    cache: str | Path | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> AttentionResult:
    """Show where a pretrained encoder looks in a scan.

    Of a transformer with global attention (`vit`): the attention of its last block, one map a head and their
    mean. Of any other encoder: how strong its feature maps are at three depths. All maps come back in native
    space, from 0 to 1 inside the brain. Encoders of slices look at each axial slice alone.

    Parameters
    ----------
    encoder : str, Path or EncoderFolder
        Folder that `pretrain` made from scans.
    scan : str or Path
        The scan: a NIfTI or MGZ file, a DICOM file, or a folder of DICOM files.
    out : str or Path, optional
        Folder to save maps, sidecars and page in. Without it nothing is written.
    beside : str, Path or FinetunedFolder, optional
        Folder that `finetune` made: the same maps of its network, in the same colours.
    mask : str or Path, optional
        Brain mask: a file of 0 and 1, of labels, or of shares in [0, 1].
    contrast : {'auto', 'T1w', 'T2w', 'FLAIR', 'PD'}, optional
        What the scan is; without it or with 'auto' header, file name or brightness tell.
    brain : {'auto', 'atlas', 'stripped', 'deepbet'}, optional
        How to find the brain if no mask is given; without it the way of the pretraining.
    volume : int, optional
        Volume of a 4D file, counted from 0.
    series : str or int, optional
        DICOM series of a folder that holds several, by its number or UID.
    coordinates : {'auto', 'sform', 'qform'}, optional
        Which of a NIfTI file's two coordinate systems to use if they differ; without it the pretraining's.
    cache : str or Path, optional
        Folder that keeps prepared scans for the next call.
    force : bool, default False
        Replace a result that is in `out` already.
    progress : callable, optional
        Called with the name of each step as it begins.

    Returns
    -------
    AttentionResult
        Maps in native space, what they are of, and their scales.

    Raises
    ------
    MissingError
        If a file or folder is not there.
    InputError
        If scan or folders cannot be used, or the scan is unlike those of the pretraining.
    GeometryError
        If the place of the voxels is missing, irregular or contradictory.
    UsageError
        If a choice is wrong, or the encoder was pretrained on images or takes several channels.
    StepError
        If a step failed on this scan and nothing could take its place.
    ResultThereError
        If `out` holds a result already and `force` is False.
    OutputError
        If saving fails: the folder is locked, full or not writable.

    Notes
    -----
    A map shows where a network looks, not disease, nor why it says what it says.

    References
    ----------
    Caron et al. (2021), Emerging properties in self-supervised vision transformers. ICCV.

    Zagoruyko and Komodakis (2017), Paying more attention to attention. ICLR.

    Gidaris, Singh and Komodakis (2018), Unsupervised representation learning by predicting image rotations.
    ICLR.

    Examples
    --------
    >>> import medunsup
    >>> found = medunsup.attention("runs/scans", "scan.nii.gz", "looked_at")
    >>> found.maps["coarse"].shape == found.image.shape
    True
    """
    opened = encoder if isinstance(encoder, EncoderFolder) else read_encoder(encoder)
    before = _reading_before(opened)
    given = {"brain": brain, "volume": volume, "series": series, "coordinates": coordinates}
    chosen = {"contrast": contrast or "auto"} | {key: one for key, one in given.items() if one is not None}
    request = AttentionRequest(
        ScanRequest(
            user_path(scan),
            ReadSettings.parse(before.model_dump() | chosen, where="attention"),
            None if mask is None else user_path(mask),
            out=None if out is None else user_path(out),
        ),
        opened,
        beside if isinstance(beside, FinetunedFolder) or beside is None else read_finetuned(beside),
        None if cache is None else user_path(cache),
    )
    if out is None:
        return look(request, progress=progress)
    if not force:
        refuse_overwrite(request.names)
    tell_where([request.names])
    result = look(request, progress=progress)
    save(result, request, force=force)
    return result


def look(request: AttentionRequest, *, progress: Progress | None = None) -> AttentionResult:
    """Do what `attention` does, with everything asked for in one object; saves nothing."""
    encoder, beside = request.encoder, request.beside
    if beside is not None:
        _refuse_unlike(encoder, beside)
    network = encoder.network  # a broken folder is told before a scan is prepared
    fine_tuned = None if beside is None else encoder_in(beside)
    record = Record(progress=progress)
    image, made = load_and_prepare(request.scan, request.spacing_mm, cache=request.cache, say=progress)
    refuse_other_scans(before_of(encoder), Common(made.contrast, max(made.spacing_mm), (made.content,)))
    with record.step("look", encoder=encoder.manifest.network.name) as step:
        maps, scales = _native(network, made, made.values, image, request.spacing_mm)
        step.findings["scales"] = scales
    found: dict[str, Any] = {}
    if beside is not None and fine_tuned is not None:
        with record.step("look with the fine-tuned network"):
            own = prepare(request.scan, beside.manifest.spacing_mm, cache=request.cache)
            values = standardised(own.values, own.mask) if beside.is_standardised else own.values
            found = dict(
                zip(
                    ("beside", "beside_scales"),
                    _native(fine_tuned, own, values, image, beside.manifest.spacing_mm),
                    strict=True,
                )
            )
    return AttentionResult(
        image=image,
        brain=image.like(made.brain, kind="mask"),
        maps=maps,
        kind="attention" if network.heads else "activation",
        scales=scales,
        contrast=made.contrast,
        about=_about(encoder, beside),
        remarks=(*made.warnings, *_collapsed(encoder), *(_uniform(scales) if network.heads else ())),
        record=record.closed(),
        details=made.as_record(),
        **found,
    )


def _native(
    network: "Encoder", made: Prepared, values: NDArray[np.float32], image: Volume, spacing_mm: float
) -> tuple[dict[str, Volume], dict[str, float]]:
    """Resample the maps of a network to native space, 0 to 1 in the brain; return their scales as well."""
    from medunsup.preprocess.geometry.template_grid import ModelSpace
    from medunsup.selfsupervised.attention import attention as maps_of
    from medunsup.selfsupervised.attention import scaled

    space, maps, scales = ModelSpace(spacing_mm), {}, {}
    for name, found in maps_of(network, values[None], made.mask[None]).items():
        share, scales[name] = scaled(found[0], made.mask)
        native = space.to_native(share, made.template_to_scan, image.grid)
        inside = np.where(made.brain, np.clip(native, 0, 1), 0)
        maps[name] = image.like(inside.astype(np.float32), kind="score")
    return maps, scales


def _reading_before(encoder: EncoderFolder) -> ReadSettings:
    """Say how the scans of the pretraining were read. Raises UsageError if no scan can be looked at so."""
    about, channels = encoder.manifest.preprocessing, encoder.manifest.network.channels
    if about.kind != "scans" or about.reading is None or about.spacing_mm is None:
        raise UsageError(
            f"{encoder.path}: was pretrained on images, so a scan has no place in it. Give an encoder of "
            "scans; for images there is medunsup.Encoder.load(folder).attention(images)."
        )
    if channels != 1:
        raise UsageError(f"{encoder.path}: takes {channels} channels, a scan has 1. Pretrain on scans.")
    return about.reading


def _refuse_unlike(encoder: EncoderFolder, beside: FinetunedFolder) -> None:
    """Raise UsageError unless maps of a fine-tuned network can stand beside those of the encoder."""
    ours, theirs = encoder.manifest, beside.manifest
    if (theirs.encoder["encoder"], theirs.encoder["dims"]) != (ours.network.name, ours.network.dims):
        raise UsageError(
            f"{beside.path}: holds the encoder {theirs.encoder['encoder']} in {theirs.encoder['dims']}D, "
            f"{encoder.path} is {ours.network.name} in {ours.network.dims}D. Give one of the same kind with "
            f"{option('beside')}."
        )
    if not theirs.spacing_mm:  # as of images
        raise UsageError(
            f"{beside.path}: was fine-tuned on images of no known voxel size. Give one of scans with "
            f"{option('beside')}."
        )
    spacing_mm, contrast = ours.preprocessing.spacing_mm or theirs.spacing_mm, ours.preprocessing.contrast
    if sizes_differ(theirs.spacing_mm, spacing_mm) or theirs.contrast != contrast:
        raise UsageError(
            f"{beside.path}: was fine-tuned on {theirs.contrast} at {theirs.spacing_mm:g} mm, {encoder.path} "
            f"pretrained on {contrast} at {spacing_mm:g} mm. Give one of scans alike with {option('beside')}."
        )


def _about(encoder: EncoderFolder, beside: FinetunedFolder | None) -> Mapping[str, Any]:
    manifest = encoder.manifest
    network = manifest.network
    found: dict[str, Any] = {
        "folder": encoder.path.name,
        "method": manifest.method,
        "network": f"{network.name} in {network.dims}D",
        "spacing_mm": manifest.preprocessing.spacing_mm,
        "epochs": manifest.epochs,
    }
    if beside is not None:
        found |= {"beside": beside.path.name, "beside_task": beside.manifest.task}
    return found


def _uniform(scales: Mapping[str, float]) -> tuple[str, ...]:
    """Say so if attention is nearly the same everywhere: its maps are coloured all the same."""
    most = max(scales.values())
    if most >= NEARLY_UNIFORM:
        return ()
    return (
        f"Attention is nearly uniform: no map reaches 1 above {most:.3g} times what each place would get if "
        "all counted alike. The colours show small differences.",
    )


def _collapsed(encoder: EncoderFolder) -> tuple[str, ...]:
    said = encoder.manifest.verdict
    return (f"The pretraining ended in a collapse: {said}",) if said else ()
