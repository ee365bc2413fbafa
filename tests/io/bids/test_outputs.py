"""What follows from the files that a verb declares: names, what BIDS tools pass over, the folder's README."""

from fnmatch import fnmatch
from pathlib import Path

import pytest

from medunsup.core.errors import ResultThereError
from medunsup.io.bids.derivatives import refuse_overwrite, write_root
from medunsup.io.bids.names import output_names, sidecar_path
from medunsup.io.bids.outputs import Derivative, Output
from medunsup.workflows.attention import outputs as attention
from medunsup.workflows.detect import outputs as detect
from medunsup.workflows.predict import outputs as predict
from medunsup.workflows.segment import outputs as segment

SCAN = Path("sub-01_ses-2_T1w.nii.gz")
LABELS = {"probseg": ["GM", "C12"], "baseline": ["rank_high"], "colours": ["itksnap.label"]}
LABELS |= {"attention_part": ["head1", "fine"], "attention_beside": ["mean", "head1", "coarse"]}
VERBS = pytest.mark.parametrize(
    "derivative",
    [segment.DERIVATIVE, detect.DERIVATIVE, attention.DERIVATIVE, predict.DERIVATIVE],
    ids=["segment", "detect", "attention", "predict"],
)


def hidden(path: Path, root: Path, lines: list[str]) -> bool:
    """Whether one of the lines hides a file, by its name or that of a folder above it."""
    return any(fnmatch(part, line) for part in path.relative_to(root).parts for line in lines)


@VERBS
def test_just_what_bids_does_not_know_is_hidden_with_its_sidecar(
    derivative: Derivative, tmp_path: Path
) -> None:
    names = output_names(SCAN, tmp_path)
    for output in derivative.outputs:
        path = names.path(output, *LABELS.get(output.key, [])[:1])
        assert hidden(path, tmp_path, derivative.ignored) == (not output.is_bids)
        if output.is_map:
            assert hidden(sidecar_path(path), tmp_path, derivative.ignored) == (not output.is_bids)


def test_no_two_files_of_one_scan_have_one_name(tmp_path: Path) -> None:
    names = output_names(SCAN, tmp_path)
    own = [
        path
        for each in (segment, detect, attention, predict)
        for path in names.paths(each.OUTPUTS, LABELS).values()
    ]
    assert len(set(own)) == len(own)
    assert {path.parent for path in own} == {tmp_path / "sub-01" / "ses-2" / "anat"}


def test_a_label_of_a_name_holds_no_underscore() -> None:
    name = output_names(SCAN, Path("out")).path(detect.BASELINE, "rank_high").name
    assert name == "sub-01_ses-2_desc-rankhigh_statmap.nii.gz"


def test_only_maps_have_sidecars(tmp_path: Path) -> None:
    names = output_names(tmp_path / "scan.nii.gz", None)
    found = {path.name for path in names.files(segment.RESULT, LABELS) if path.suffix == ".json"}
    assert "scan_dseg.json" in found
    assert not found & {"scan_report.json", "scan_volumes.json", "scan_thumbnail.json"}


@pytest.mark.parametrize("output", segment.RESULT, ids=lambda output: output.key)
def test_any_file_of_a_result_keeps_it_from_being_replaced(output: Output, tmp_path: Path) -> None:
    names = output_names(tmp_path / "scan.nii.gz", None)
    refuse_overwrite(names, segment.RESULT, LABELS)
    names.path(output, *LABELS.get(output.key, [])[:1]).write_text("mine")
    with pytest.raises(ResultThereError, match="force=True"):
        refuse_overwrite(names, segment.RESULT, LABELS)


def test_two_verbs_share_a_folder_and_each_adds_what_it_hides(tmp_path: Path) -> None:
    names = output_names(SCAN, tmp_path)
    (tmp_path / ".bidsignore").write_text("my_notes.txt\n")
    for derivative in (segment.DERIVATIVE, detect.DERIVATIVE, segment.DERIVATIVE):
        write_root(names, SCAN, derivative)
    lines = (tmp_path / ".bidsignore").read_text().splitlines()
    assert lines[0] == "my_notes.txt"
    assert {*segment.DERIVATIVE.ignored, *detect.DERIVATIVE.ignored} < set(lines)
    assert len(lines) == len(set(lines))
    assert "tissue" in (tmp_path / "README.md").read_text()


@VERBS
def test_the_readme_names_every_kind_of_file_and_the_sidecar_that_ends_a_result(
    derivative: Derivative,
) -> None:
    for output in derivative.outputs:
        assert f": {output.description}\n" in derivative.readme
    assert f"`_{sidecar_path(Path(derivative.record.ending())).name}`" in derivative.readme
