"""Whether a pretrained encoder helps: probes on its features, beside a random encoder and PCA."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from medunsup.cohort.encoders.folder import LOCK, EncoderFolder, read_encoder
from medunsup.cohort.encoders.probed import ProbeResult
from medunsup.cohort.labelled.alike import Before, as_before, before_of, refuse_other_scans, refuse_seen
from medunsup.cohort.labelled.read import Labelled, find_labelled, read_labelled
from medunsup.core.errors import ResultThereError
from medunsup.core.hints import option
from medunsup.core.paths import user_path
from medunsup.core.progress import Told
from medunsup.io.files.lock import locked
from medunsup.io.files.transaction import recover, refuse_foreign_files
from medunsup.metrics.representation import TEMPERATURE
from medunsup.workflows.probe.components import Rows
from medunsup.workflows.probe.figures import features_of, measure
from medunsup.workflows.probe.request import ProbeRequest
from medunsup.workflows.probe.save import PAGE, RESULT, TABLE, save
from medunsup.workflows.probe.settings import ProbeSettings


def probe(
    encoder: str | Path,
    data: str | Path,
    out: str | Path,
    *,
    labels: str | Path | None = None,
    column: str | None = None,
    mask: str | None = None,
    cache: str | Path | None = None,
    jobs: int = 1,
    force: bool = False,
    progress: Told | None = None,
    **choices: Any,
) -> ProbeResult:
    """Measure whether a pretrained encoder helps, and write figures and a page.

    Logistic regression and a vote of neighbours are fitted on its features with few labels and with many, and
    asked about a test split; beside them the same on the network with random weights, and on principal
    components of the voxels.

    Parameters
    ----------
    encoder : str or Path
        Folder that `pretrain` made.
    data : str or Path
        A .npz file with train_images, train_labels, test_images and test_labels; or scans: a folder, a BIDS
        data set or a table, whose column split, if there is one, names the test split.
    out : str or Path
        Folder for the figures and the page.
    labels : str or Path, optional
        Table (TSV or CSV) with a row a subject of the scans; n/a leaves one out.
    column : str, optional
        Column of `labels` that is told; not needed where there is but one.
    mask : str, optional
        Brain masks: a path with {folder}, {stem} and {id} filled in from each scan's path.
    cache : str or Path, optional
        Folder that keeps prepared scans; by default 'prepared' beside `out`.
    jobs : int, 1 or more, default 1
        Scans that are prepared at the same time, each in a process of its own.
    force : bool, default False
        Replace a probe that is in `out`.
    progress : callable, optional
        Called with each `Stage`: what is done now, the share of the run that is done, seconds left.
    **choices
        What changes the figures, by name:

        - fractions : sequence of float from 0 to 1, default (0.01, 0.1, 1.0). Shares of the training subjects
          whose labels are given.
        - draws : int from 5 to 100, default 5. How often labels are drawn at each share; of all there is but
          one draw.
        - test : float from 0.1 to 0.9, default 0.3. Share of the subjects to test on, where the data name no
          test split; drawn from those that pretraining has not seen.
        - seed : int, 0 or more, default 0. Seed of the split, the draws and the folds.

    Returns
    -------
    ProbeResult
        Verdicts first, with all figures.

    Raises
    ------
    UsageError
        If a choice is wrong, or labels are not given.
    InputError
        If data or labels cannot be used, are unlike those of pretraining, or the test split was seen.
    ResultThereError
        If `out` holds a probe and `force` is False.
    OutputError
        If `out` holds files of others, or cannot be written.

    Notes
    -----
    A probe says how well an encoder's features tell labels apart while it is frozen. A network that is
    fine-tuned for segmentation may gain where probes do not, and the other way round.

    Examples
    --------
    >>> import medunsup
    >>> found = medunsup.probe("runs/encoder", "labelled.npz", "probe/all", fractions=(1.0,))
    >>> [one.n_labels for one in found.verdicts]
    [20]
    """
    request = ProbeRequest(
        ProbeSettings.parse(choices, "probe"),
        user_path(encoder),
        user_path(data),
        user_path(out),
        labels=None if labels is None else user_path(labels),
        column=column,
        mask=mask,
        cache=None if cache is None else user_path(cache),
        jobs=jobs,
        force=force,
    )
    return probe_encoder(request, progress or (lambda stage: None))


def probe_encoder(request: ProbeRequest, told: Told) -> ProbeResult:
    """Do what `probe` does, with everything asked for in one object; `told` hears of each stage."""
    encoder, out = read_encoder(request.encoder), request.out
    with locked(out / LOCK):
        recover(out, "probe")
        if (out / RESULT).exists() and not request.force:
            raise ResultThereError(
                f"{out}: holds a probe. Pass {option('force', True)} to replace it, or choose another folder "
                f"with {option('out')}."
            )
        read = (request.data, request.labels)
        refuse_foreign_files(out, (TABLE, PAGE), RESULT, read=read, force=request.force)
        with TemporaryDirectory(prefix=".work-", dir=out) as work:
            before = before_of(encoder)
            labelled = _read(request, before, Path(work), told)
            remarks = refuse_seen(before, labelled.scans, labelled.lines, learner="the probe")
            features = features_of(encoder, labelled, told)
        measured = measure(features, labelled, request.settings, told)
        result = ProbeResult(
            verdicts=measured.verdicts,
            figures=measured.figures,
            classes=labelled.classes,
            counts={split: len(set(labelled.subjects(split))) for split in ("train", "test")},
            about=_about(request, encoder, features["pca"]),
            remarks=(*labelled.remarks, *remarks, *_verdict_of(encoder)),
            picture=_picture(features["encoder"], request.settings.seed),
            test_classes=labelled.labels["test"],
        )
        save(result, out)
    return result


def _read(request: ProbeRequest, before: Before, work: Path, told: Told) -> Labelled:
    """Read what is probed, scans being prepared as those of the pretraining were."""
    source = request.source
    settings = None if source.is_of_images else as_before(before, request.data)
    if settings is not None:
        source = replace(source, contrast=settings.reading.contrast)
    found = find_labelled(source, before, told)
    check = partial(refuse_other_scans, before)
    return read_labelled(found, settings, request.prepared, work, told, jobs=request.jobs, check=check)


def _about(request: ProbeRequest, encoder: EncoderFolder, components: Rows) -> dict[str, Any]:
    manifest, settings = encoder.manifest, request.settings
    network = manifest.network
    return {
        "encoder": encoder.path.name,
        "method": manifest.method,
        "network": f"{network.name} in {network.dims}D, {network.n_features} features",
        "principal_components": components.train.shape[1],
        "pretrained_on": dict(manifest.scans),
        "epochs": manifest.epochs,
        "data": request.data.name,
        "labels": request.column or "",
        "draws": settings.draws,
        "temperature": TEMPERATURE,
        "seed": settings.seed,
    }


def _verdict_of(encoder: EncoderFolder) -> tuple[str, ...]:
    """Repeat what pretraining said of itself."""
    return (
        (f"Its pretraining ended in a collapse: {encoder.manifest.verdict}",)
        if encoder.manifest.verdict
        else ()
    )


def _picture(rows: Rows, seed: int) -> Any:
    """Project the encoder's test features onto their first two principal components."""
    import numpy as np
    from sklearn.decomposition import PCA

    centred = rows.test - rows.test.mean(axis=0)
    if min(centred.shape) < 2:
        return np.zeros((0, 2))
    return PCA(2, random_state=seed).fit_transform(centred).astype(np.float64)
