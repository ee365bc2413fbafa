"""Results are found again with page and thumbnail, wherever they lie below a folder."""

import base64
import json
from pathlib import Path

import pytest

from medunsup.cohort.results import FoundResult, read_results
from medunsup.cohort.sidecar import ResultSidecar
from medunsup.io.bids.outputs import Output

RECORD = Output("labels", "dseg.nii.gz", True, "labels")
PAGE = Output("page", "report.html", False, "page")
THUMBNAIL = Output("thumbnail", "thumbnail.jpg", False, "picture")
PICTURE = b"\xff\xd8 not really a JPEG"
ADDRESS = "data:image/jpeg;base64," + base64.b64encode(PICTURE).decode()


def put(folder: Path, stem: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{stem}_dseg.json"
    path.write_text(json.dumps({"Medunsup": {"Inputs": [{"Role": "scan", "Name": f"{stem}.nii.gz"}]}}))
    return path


def found(folder: Path) -> list[FoundResult[ResultSidecar]]:
    return read_results(folder, ResultSidecar, record=RECORD, page=PAGE, thumbnail=THUMBNAIL)


def test_names_begin_with_the_folders_between_unless_bids_tells_the_subject(tmp_path: Path) -> None:
    put(tmp_path, "a")
    put(tmp_path / "patient 07", "a")
    put(tmp_path / "sub-01" / "anat", "sub-01_T1w")
    assert [(one.name, one.file) for one in found(tmp_path)] == [
        ("a", "a.nii.gz"),
        ("patient 07/a", "patient 07/a.nii.gz"),
        ("sub-01_T1w", "sub-01_T1w.nii.gz"),
    ]


def test_page_and_thumbnail_are_those_beside_the_sidecar(tmp_path: Path) -> None:
    put(tmp_path / "p 1", "a").with_name("a_report.html").write_text("<p>")
    (tmp_path / "p 1" / "a_thumbnail.jpg").write_bytes(PICTURE)
    put(tmp_path / "p 2", "a")
    first, second = found(tmp_path)
    assert (first.page, first.thumbnail) == ("p%201/a_report.html", ADDRESS)
    assert (second.page, second.thumbnail) == ("", "")


@pytest.mark.parametrize("head", [f'<meta name="thumbnail" content="{ADDRESS}">', ""])
def test_the_thumbnail_of_an_older_result_stands_in_its_page(head: str, tmp_path: Path) -> None:
    put(tmp_path, "a").with_name("a_report.html").write_text(f"<!doctype html>\n<html><head>{head}<title>")
    (one,) = found(tmp_path)
    assert one.thumbnail == (ADDRESS if head else "")


def test_ours_that_cannot_be_understood_is_named_and_foreign_ones_are_passed_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(tmp_path, "a")
    (tmp_path / "b_dseg.json").write_text('{"Medunsup": {"Inputs": []}}')
    (tmp_path / "c_dseg.json").write_text('{"Description": "another program\'s"}')
    (tmp_path / "d_dseg.json").write_text("{broken")
    assert [one.name for one in found(tmp_path)] == ["a"]
    (told,) = caplog.messages
    assert told.startswith(f"{tmp_path / 'b_dseg.json'}: was made by another version")
    assert "force=True" in told
