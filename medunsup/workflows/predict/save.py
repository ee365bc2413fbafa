"""Save what a network says of one scan: maps, tables, sidecars and page, all of them or none."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from medunsup.cohort.finetuned.folder import label_rows
from medunsup.cohort.sidecar import SidecarError, map_facts
from medunsup.core.labels import Label
from medunsup.core.volume import Volume
from medunsup.io.bids.derivatives import check_root, refuse_overwrite, write_root
from medunsup.io.bids.names import OutputNames, sidecar_path
from medunsup.io.bids.outputs import Output
from medunsup.io.files.atomic import write_bytes, write_json, write_text
from medunsup.io.files.transaction import Staging, unwritable
from medunsup.io.files.tsv import tsv
from medunsup.report.base.drawing import is_drawn
from medunsup.workflows.predict import outputs
from medunsup.workflows.predict.request import PredictRequest
from medunsup.workflows.predict.sidecar import PredictSidecar

if TYPE_CHECKING:
    from medunsup.supervised.prediction import NetworkFacts, Prediction

COLUMNS = ("index", "name", "volume_ml", "expected_ml")


def label_names(labels: Sequence[Label]) -> dict[str, list[str]]:
    """Return the labels of each kind of file of which a scan may have several, by its key."""
    return {outputs.PROBSEG.key: [label.abbreviation for label in labels]}


def write(result: "Prediction", request: PredictRequest, force: bool = False) -> dict[str, Path]:
    """Write everything and return the paths by kind, in a folder that is locked already.

    Raises OutputError if a result is there and `force` is not set, or on a full or unwritable folder; then
    nothing that was there is lost.
    """
    names = request.names
    if not force:
        refuse_overwrite(names, outputs.OUTPUTS, label_names(request.network.labels))
    if names.is_bids and names.root is not None:
        check_root(names.root)
    try:
        return _write(result, request, names)
    except OSError as error:
        raise unwritable(names.folder, error) from error


def _write(result: "Prediction", request: PredictRequest, names: OutputNames) -> dict[str, Path]:
    from medunsup.io.nifti.write import write_volume

    identity = request.identity()  # once: it hashes the inputs
    tables = {outputs.LABEL_TABLE: labels_tsv(result), outputs.VOLUMES: volumes_tsv(result)}
    with Staging(names.folder, names.stem) as staging:
        paths = _report(result, request, staging)  # first, so that the sidecars can tell if it failed
        record = PredictSidecar.of_result(result, request.command(), identity)
        for output, label, volume in _maps(result, request):
            path = names.path(output, label)
            dtype = volume.data.dtype if output == outputs.DSEG else None
            write_volume(volume, staging.place(path), dtype=dtype, descrip=f"medunsup {output.key}")
            more = {"Label": label} if label else {}
            facts = map_facts(output, names, request.scan.path, identity, outputs.DSEG, **more)
            facts |= record.as_json() if output == outputs.DSEG else {}
            facts |= {"SpatialReference": grid_words(result.network)} if output == outputs.PREPARED else {}
            write_json(staging.place(sidecar_path(path)), facts)
            paths[output.kind(label)] = path
        for output, text in tables.items():
            paths[output.key] = names.path(output)
            write_text(staging.place(paths[output.key]), text)
        write_root(names, request.scan.path, outputs.DERIVATIVE)
        paths["sidecar"] = sidecar_path(names.path(outputs.DSEG))
        staging.publish(last=paths["sidecar"], outdated=_earlier(names))
    return paths


def _earlier(names: OutputNames) -> list[Path]:
    """List all that an earlier result of this scan may have left.

    Maps of probabilities are ours only where its sidecar tells of the labels.
    """
    try:
        made = PredictSidecar.read(sidecar_path(names.path(outputs.DSEG)))
    except SidecarError:
        return names.files(outputs.OUTPUTS)
    return names.files(outputs.OUTPUTS, {outputs.PROBSEG.key: [str(one.index) for one in made.volumes]})


def _maps(result: "Prediction", request: PredictRequest) -> list[tuple[Output, str, Volume]]:
    """All maps, those of probabilities with the label."""
    return [
        (outputs.DSEG, "", result.labels),
        *((outputs.PROBSEG, label, share) for label, share in result.probabilities.items()),
        *([(outputs.PREPARED, "", result.prepared)] if request.prepared else []),
    ]


def grid_words(network: "NetworkFacts") -> str:
    """Say which grid a prepared scan lies on."""
    return f"MNI152 template, cropped to its brain, {network.spacing_mm:g} mm"


def labels_tsv(result: "Prediction") -> str:
    """Write the BIDS table of label names."""
    return tsv(label_rows([one.label for one in result.volumes]))


def volumes_tsv(result: "Prediction") -> str:
    """List the labels: volume in ml of their voxels, and sum of their probabilities in ml."""
    measured = (
        (str(one.label.index), one.label.name, f"{one.volume_ml:.4f}", f"{one.expected_ml:.4f}")
        for one in result.volumes
    )
    return tsv([COLUMNS, *measured])


def _report(result: "Prediction", request: PredictRequest, staging: Staging) -> dict[str, Path]:
    from medunsup.report.predict import page
    from medunsup.report.predict.slices import thumbnail

    files = request.names.paths((outputs.REPORT, outputs.THUMBNAIL))

    def draw() -> None:
        picture = thumbnail(result)  # before the page, so that a defect leaves neither
        page.write_page(result, staging.place(files["predicted_report"]), command=request.command())
        write_bytes(staging.place(files["thumbnail"]), picture)

    return files if is_drawn(draw, result.record) else {}
