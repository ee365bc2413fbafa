"""Results through a real Orthanc, reached from its network namespace alone, come back voxel by voxel."""

import json
from pathlib import Path

import numpy as np
import pytest
from helpers.archives import PLUGIN, run_beside_orthanc, why_no_orthanc
from helpers.brain_series import write_series
from helpers.dicom_maker import make_slices, write_slices
from pydicom import dcmread
from typer.testing import CliRunner

from medunsup.cli.main import app
from medunsup.core.labels import class_table
from medunsup.io.dicom.export_codes import segment_of
from medunsup.io.dicom.export_objects import read_back, write_map, write_segmentation
from medunsup.io.dicom.export_source import read_source

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(why_no_orthanc()), reason=why_no_orthanc() or "it runs"),
]

SEND_AND_FETCH = """
import json, urllib.request
from pathlib import Path

import medunsup

folder, ways, out = {folder!r}, {ways!r}, Path({out!r})


def get(path):
    return urllib.request.urlopen("http://127.0.0.1:8042" + path).read()


told = []
for way in ways:
    try:
        files = medunsup.send(folder, **way).files
        told.append([[str(file.path), file.kind, file.status, file.why] for file in files])
    except medunsup.MedunsupError as error:
        told.append(str(error))
out.mkdir()
for n, one in enumerate(json.loads(get("/instances"))):
    (out / f"{{n}}.dcm").write_bytes(get(f"/instances/{{one}}/file"))
print("TOLD", json.dumps(told))
"""
C_STORE = {"to": "127.0.0.1:4242", "called": "ORTHANC"}
REST = {"orthanc": "http://127.0.0.1:8042"}


def send_and_fetch(folder: Path, ways: list[dict], tmp_path: Path) -> tuple[list, Path]:
    """Send a folder in several ways; return what became of it each time, and what Orthanc then holds."""
    place = tmp_path / "orthanc"
    place.mkdir()
    script = SEND_AND_FETCH.format(folder=str(folder), ways=ways, out=str(place / "fetched"))
    (line,) = [line for line in run_beside_orthanc(script, place).splitlines() if line.startswith("TOLD")]
    return json.loads(line.removeprefix("TOLD ")), place / "fetched"


@pytest.mark.usefixtures("quick_registration")
def test_results_of_a_brain_come_back_voxel_by_voxel(small_brain, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    image = small_brain.image("T1w")
    series = write_series(image.like(image.data * small_brain.mask.data), tmp_path / "series")
    words = ["segment", str(series), "--method", "kmeans", "--set", "max_voxels=1000", "-o", "out", "--dicom"]
    assert CliRunner().invoke(app, words).exit_code == 0
    sent = list((tmp_path / "out").rglob("*.dcm"))
    (by_net, by_rest, again), fetched = send_and_fetch(tmp_path / "out", [C_STORE, REST, REST], tmp_path)
    refused = [file for file in by_net if file[2] == "refused"]
    assert [file[1] for file in refused] == ["Label Map Segmentation"]
    assert 'orthanc="URL"' in refused[0][3]
    assert {file[2] for file in by_rest} == {"accepted", "already stored"}
    assert {file[2] for file in again} == {"sent before"}
    came = {str(dcmread(path, stop_before_pixels=True).SOPInstanceUID): path for path in fetched.iterdir()}
    assert len(came) == len(sent) == 6
    for path in sent:
        header = dcmread(path, stop_before_pixels=True)
        twin = came[str(header.SOPInstanceUID)]
        if header.Modality == "SR":
            assert dcmread(path) == dcmread(twin)
            continue
        (ours, affine), (theirs, other) = read_back(path), read_back(twin)
        np.testing.assert_array_equal(ours, theirs)
        np.testing.assert_allclose(affine, other, atol=1e-4)


@pytest.mark.skipif(not Path(PLUGIN).exists(), reason="Orthanc's DICOMweb plugin is not installed")
def test_stow_stores_every_kind_and_tells_what_is_there_already(tmp_path):
    write_slices(make_slices(n=3), tmp_path / "sent" / "series")
    source = read_source(tmp_path / "sent" / "series")
    labels = np.ones((3, 4, 5), np.uint8)
    segments = [segment_of(label) for label in class_table(3)][:1]
    write_segmentation(source, labels, segments, tmp_path / "sent" / "dseg" / "dseg.dcm")
    write_segmentation(source, labels > 0, segments, tmp_path / "sent" / "binary" / "dseg.dcm", "BINARY")
    write_map(source, labels / np.float32(3), tmp_path / "sent" / "map.dcm", name="GM", quantity="fraction")
    stow = {"stow": "http://127.0.0.1:8042/dicom-web"}
    (first, again), fetched = send_and_fetch(tmp_path / "sent", [stow, stow | {"force": True}], tmp_path)
    assert {file[2] for file in first} == {"accepted"}
    assert {file[1] for file in first} == {
        "MR Image",
        "Segmentation",
        "Label Map Segmentation",
        "Parametric Map",
    }
    assert {file[2] for file in again} <= {"accepted", "already stored"}
    assert len(list(fetched.iterdir())) == 6


def test_wrong_title_and_a_service_that_is_not_there_are_told(tmp_path):
    folder = write_slices(make_slices(n=2), tmp_path / "series")
    other = [{"to": "127.0.0.1:4242"}, {"to": "127.0.0.1:4243"}, {"stow": "http://127.0.0.1:8042/none"}]
    (wrong, silent, missing, right), fetched = send_and_fetch(folder, [*other, C_STORE], tmp_path)
    assert "is not called ANY-SCP" in wrong
    assert "nothing answers there" in silent
    assert {file[2] for file in missing} == {"refused"}
    assert "HTTP 404" in missing[0][3]
    assert {file[2] for file in right} == {"accepted"}
    assert len(list(fetched.iterdir())) == 2
