"""What is saved: in native space, complete or not at all, telling nothing of the patient's folder."""

import json

import nibabel
import numpy as np
import pytest
from PIL import Image

import medunsup
from medunsup.core.errors import OutputError
from medunsup.io.bids.names import output_names
from medunsup.workflows.segment.cohort import segment_many
from medunsup.workflows.segment.save import save, write


def test_maps_lie_in_native_space(make_scan, make_result, tmp_path):
    scan = make_scan(axes="PIR")
    paths = save(make_result(scan), tmp_path / "out")
    original = nibabel.load(scan)
    for kind in ("dseg", "mask", "corrected", "uncertainty", "probseg_GM"):
        written = nibabel.load(paths[kind])
        assert written.shape == original.shape
        assert np.abs(written.affine - original.affine).max() < 1e-6
    assert np.allclose(nibabel.load(paths["corrected"]).get_fdata(), original.get_fdata(), rtol=0, atol=0.02)


def test_probabilities_are_off_by_less_than_one_in_two_thousand(make_result, tmp_path):
    result = make_result()
    paths = save(result, tmp_path / "out")
    written = nibabel.load(paths["probseg_GM"]).get_fdata()
    exact, _ = result.fractions["GM"].in_source_space()
    assert 0 < np.abs(written - exact).max() <= 1 / 2000
    assert written[exact == 1].min() == 1
    assert written[exact == 0].max() == 0


def test_labels_are_bytes_with_the_bids_indices(make_result, tmp_path):
    paths = save(make_result(), tmp_path / "out")
    image = nibabel.load(paths["dseg"])
    assert image.get_data_dtype() == np.uint8
    assert set(np.unique(image.dataobj)) == {0, 1, 2, 3}


def test_the_same_result_gives_the_same_bytes(make_result, tmp_path):
    result = make_result()
    first, second = save(result, tmp_path / "a"), save(result, tmp_path / "b")
    for kind, path in first.items():
        assert path.read_bytes() == second[kind].read_bytes(), kind


def test_a_sidecar_tells_choices_versions_and_hash_but_no_folder(make_scan, make_result, tmp_path):
    scan = make_scan("Jane Doe 1970/scan.nii.gz")
    paths = save(make_result(scan), tmp_path / "out")
    made = json.loads(paths["sidecar"].read_text())
    assert made["Medunsup"]["Inputs"][0]["Name"] == "scan.nii.gz"
    assert len(made["Medunsup"]["Inputs"][0]["SHA256"]) == 64
    assert made["Medunsup"]["Choices"]["method"] == "gmm"
    assert made["GeneratedBy"][0]["Name"] == "medunsup"
    assert made["Versions"]["numpy"] == np.__version__
    assert [step["name"] for step in made["Steps"]] == ["load"]
    for file in (tmp_path / "out").rglob("*.*"):
        if file.suffix in (".json", ".tsv", ".html"):
            assert "Jane Doe" not in file.read_text(), file
            assert str(tmp_path) not in file.read_text(), file


def test_the_masks_volume_is_called_what_it_is(make_result, tmp_path):
    result = make_result()
    save(result, tmp_path / "out")
    made = json.loads((tmp_path / "out" / "scan_dseg.json").read_text())
    assert made["BrainMaskMM3"] == pytest.approx(result.brain_mask.data.sum() * 125)
    for file in (tmp_path / "out").rglob("*"):
        if file.suffix in (".json", ".tsv", ".md"):
            assert "intracranial" not in file.read_text().lower(), file


def test_a_result_is_printed_in_one_short_line(make_result):
    result = make_result()
    told = repr(result)
    assert told.startswith(f"<SegmentResult: GM {result.volumes_ml['GM']:.1f}, WM ")
    assert told.endswith("ml; verdict pass>")
    assert len(told) < 120


def test_every_map_has_a_sidecar(make_result, tmp_path):
    save(make_result(), tmp_path / "out")
    maps = list((tmp_path / "out").glob("*.nii.gz"))
    assert len(maps) == 7
    assert all(path.with_name(path.name.replace(".nii.gz", ".json")).exists() for path in maps)


def test_nothing_is_overwritten_unless_forced(make_result, tmp_path):
    result = make_result()
    paths = save(result, tmp_path / "out")
    paths["dseg"].write_bytes(b"mine")
    with pytest.raises(OutputError, match="force=True"):
        save(result, tmp_path / "out")
    assert paths["dseg"].read_bytes() == b"mine"
    save(result, tmp_path / "out", force=True)
    assert paths["dseg"].read_bytes() != b"mine"


def test_a_result_that_is_there_is_told_before_anything_is_computed(make_scan, make_result, tmp_path):
    scan, told = make_scan(), []
    make_result(scan).save(tmp_path / "out")
    with pytest.raises(OutputError, match="force=True"):
        medunsup.segment(scan, out=tmp_path / "out", progress=told.append)
    assert told == []


def test_results_of_the_raw_data_set_are_not_mixed_into_it(make_scan, make_result, tmp_path):
    raw = tmp_path / "raw"
    scan = make_scan("raw/sub-01/anat/sub-01_T1w.nii.gz")
    (raw / "dataset_description.json").write_text('{"Name": "mine", "BIDSVersion": "1.10.0"}')
    with pytest.raises(OutputError, match="derivatives"):
        save(make_result(scan), raw)
    assert json.loads((raw / "dataset_description.json").read_text())["Name"] == "mine"
    assert not list(raw.rglob("*dseg*"))


def test_beside_its_scan_a_result_brings_its_own_tables(make_scan, make_result):
    scan = make_scan("scan.nii.gz")
    make_result(scan).save()
    names = {path.name for path in scan.parent.iterdir()}
    assert {"scan_dseg.nii.gz", "scan_dseg.tsv", "scan_dseg_itksnap.label", "scan_volumes.tsv"} <= names
    assert "dseg.tsv" not in names
    assert not [name for name in names if name.startswith(".")]


def test_page_and_thumbnail_come_and_go_together(make_result, tmp_path):
    result, names = make_result(), output_names(tmp_path / "out" / "scan.nii.gz", None)
    saved = write(result, names)
    assert Image.open(saved["thumbnail"]).format == "JPEG"
    assert b"thumbnail" not in saved["report"].read_bytes()
    write(result, names, force=True, report=False)
    assert not saved["thumbnail"].exists()
    assert not saved["report"].exists()


@pytest.mark.parametrize("damaged", ["{", "{}", '{"Medunsup": {"Inputs": []}}', None])
def test_page_of_a_result_whose_sidecar_is_damaged_does_not_outlive_it(make_result, tmp_path, damaged):
    result, names = make_result(), output_names(tmp_path / "out" / "scan.nii.gz", None)
    saved = write(result, names)
    saved["sidecar"].unlink() if damaged is None else saved["sidecar"].write_text(damaged)
    other = tmp_path / "out" / "scan_label-lesion_probseg.nii.gz"
    other.write_text("mine")
    write(result, names, force=True, report=False)
    assert not saved["report"].exists()
    assert not saved["thumbnail"].exists()
    assert all(saved[kind].exists() for kind in ("dseg", "volumes", "label_table", "sidecar", "probseg_GM"))
    assert other.read_text() == "mine"


def test_no_file_of_the_users_is_taken_for_a_sidecar_and_removed(make_result, tmp_path):
    result, out = make_result(), tmp_path / "out"
    save(result, out)
    own = [out / f"scan_{name}.json" for name in ("report", "volumes", "thumbnail")]
    for path in own:
        path.write_text("mine")
    save(result, out, force=True)
    assert [path.read_text() for path in own] == ["mine"] * len(own)


def test_a_defect_in_the_page_costs_the_page_and_not_the_maps(make_result, tmp_path, monkeypatch):
    from medunsup.report.segment import page

    def broken(*_, **__):
        raise ZeroDivisionError("no pixels")

    monkeypatch.setattr(page, "write_page", broken)
    paths = save(make_result(), tmp_path / "out")
    assert not {"report", "thumbnail"} & paths.keys()
    assert not [path for path in (tmp_path / "out").iterdir() if path.suffix in (".html", ".jpg")]
    steps = json.loads(paths["sidecar"].read_text())["Steps"]
    assert steps[-1]["name"] == "report"
    assert "no pixels" in steps[-1]["warnings"][0]


def test_any_finding_fits_into_a_sidecar(tmp_path):
    from pathlib import Path

    from medunsup.core.provenance import plain

    findings = {
        "a": np.float32(0.5),
        "b": np.arange(2),
        "c": float("nan"),
        "d": (Path("/home/ann/x"), {1: np.True_}),
    }
    told = plain(findings)
    assert told == {"a": 0.5, "b": [0, 1], "c": None, "d": ["x", {"1": True}]}
    json.dumps(told, allow_nan=False)


@pytest.mark.usefixtures("quick_registration")
def test_what_the_new_result_does_not_have_does_not_stay_beside_it(make_scan, tmp_path):
    scan, choices = make_scan(), {"method": "kmeans", "parameters": {"max_voxels": 1000}}
    segment_many([scan], tmp_path / "out", tissues=4, **choices)
    before = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"scan_report.html", "scan_label-C4_probseg.nii.gz", "scan_dseg.tsv"} <= before
    segment_many([scan], tmp_path / "out", tissues=3, report=False, force=True, **choices)
    after = {path.name for path in (tmp_path / "out").iterdir()}
    assert "scan_label-GM_probseg.nii.gz" in after
    assert not [name for name in after if "C4" in name or name in ("scan_report.html", "scan_dseg.tsv")]
