"""Save where an encoder looks in one scan: maps, sidecars and page, all of them or none."""

from collections.abc import Iterator
from pathlib import Path

from medunsup.cohort.encoders.attended import AttentionResult
from medunsup.cohort.sidecar import map_facts
from medunsup.core.volume import Volume
from medunsup.io.bids import derivatives
from medunsup.io.bids.derivatives import check_root, write_root
from medunsup.io.bids.names import OutputNames, sidecar_path
from medunsup.io.bids.outputs import Output
from medunsup.io.files.atomic import write_json
from medunsup.io.files.lock import locked
from medunsup.io.files.transaction import Staging, recover, unwritable
from medunsup.report.base.drawing import is_drawn
from medunsup.workflows.attention import outputs
from medunsup.workflows.attention.request import AttentionRequest
from medunsup.workflows.attention.sidecar import AttentionSidecar


def refuse_overwrite(names: OutputNames) -> None:
    """Raise ResultThereError if any file of such a result exists."""
    derivatives.refuse_overwrite(names, outputs.OUTPUTS, outputs.labels())


def save(result: AttentionResult, request: AttentionRequest, *, force: bool = False) -> dict[str, Path]:
    """Write everything and return the paths by kind; the folder is locked meanwhile.

    Raises OutputError if a result is there and `force` is not set, if another run writes there, or on a full
    or unwritable folder; then nothing that was there is lost.
    """
    names = request.names
    with locked(names.lock):
        recover(names.folder, names.stem)
        if not force:
            refuse_overwrite(names)
        if names.is_bids and names.root is not None:
            check_root(names.root)
        try:
            return _write(result, request, names)
        except OSError as error:
            raise unwritable(names.folder, error) from error


def _write(result: AttentionResult, request: AttentionRequest, names: OutputNames) -> dict[str, Path]:
    from medunsup.io.nifti.write import write_volume

    identity = request.identity()  # once: it hashes the inputs
    paths: dict[str, Path] = {}
    with Staging(names.folder, names.stem) as staging:
        page = names.path(outputs.REPORT)
        if _is_drawn(result, request, staging.place(page)):  # first, so that the sidecars can tell if not
            paths[outputs.REPORT.key] = page
        record = AttentionSidecar.of_result(result, request.command(), identity)
        for output, label, volume, scale in _maps(result):
            path = names.path(output, label)
            write_volume(volume, staging.place(path), descrip=f"medunsup {output.key}")
            facts = map_facts(output, names, request.scan.path, identity, outputs.MAIN, Scale=scale)
            facts |= record.as_json() if output == outputs.MAIN else {}
            write_json(staging.place(sidecar_path(path)), facts)
            paths[output.kind(label)] = path
        write_root(names, request.scan.path, outputs.DERIVATIVE)
        paths["sidecar"] = sidecar_path(names.path(outputs.MAIN))
        is_result = paths["sidecar"].exists()
        earlier = names.files(outputs.OUTPUTS, outputs.labels() if is_result else {})
        staging.publish(last=paths["sidecar"], outdated=earlier)
    return paths


def _maps(result: AttentionResult) -> Iterator[tuple[Output, str, Volume, float]]:
    """Yield all maps that there are, with the value that became 1."""
    for name, volume in result.maps.items():
        is_main = name == result.main
        yield (
            (outputs.MAIN if is_main else outputs.PART),
            ("" if is_main else name),
            volume,
            result.scales[name],
        )
    for name, volume in result.beside.items():
        yield outputs.BESIDE, name, volume, result.beside_scales[name]


def _is_drawn(result: AttentionResult, request: AttentionRequest, path: Path) -> bool:
    from medunsup.report.attention.page import write_page

    return is_drawn(lambda: write_page(result, path, command=request.command()), result.record)
