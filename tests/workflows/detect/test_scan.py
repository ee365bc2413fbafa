"""What `detect` finds in a scan, where it puts it, and what it says of a scan unlike the healthy ones."""

import csv
import gzip
import json
import shutil
from dataclasses import replace

import nibabel
import numpy as np
import pytest
from helpers import phantom
from helpers.healthy_scans import SPOT, write_person

import medunsup
from medunsup.core.errors import OutputError, ResultThereError, UsageError
from medunsup.workflows.detect.cohort import detect_many
from medunsup.workflows.detect.request import make_request
from medunsup.workflows.detect.scan import detect


@pytest.fixture(autouse=True)
def _quick(quick_registration: None) -> None:
    """No scan is registered."""


@pytest.fixture(scope="module")
def found(trained, patient):
    from helpers.small_scans import place_quickly

    with pytest.MonkeyPatch.context() as patch:
        place_quickly(patch)
        yield detect(patient, trained, baselines=True)


def test_bright_spot_is_the_largest_finding_where_it_is(found, small_brain):
    first = found.findings[0]
    index = np.array([(part.start + part.stop - 1) / 2 for part in SPOT])
    center_mm = small_brain.affine[:3, :3] @ index + small_brain.affine[:3, 3]
    assert np.linalg.norm(np.array(first.center_mm) - center_mm) < 8
    assert found.mask.data[SPOT].mean() > 0.5


def test_patient_scores_more_than_all_healthy_people(found):
    assert found.scan.p_value == pytest.approx(1 / (len(found.scan.healthy) + 1))
    assert found.scan.score > max(found.scan.healthy)


def test_maps_lie_in_native_space_and_are_0_outside_its_brain(found):
    for volume in (found.score, found.calibrated, found.mask, found.healthy):
        assert volume.grid.is_close(found.image.grid)
        assert (volume.data[~found.brain.data] == 0).all()


def test_pseudo_healthy_is_in_the_scans_own_units_and_lacks_the_spot(found):
    own, healthy = found.image.data[SPOT].mean(), found.healthy.data[SPOT].mean()
    rest = found.brain.data.copy()
    rest[SPOT] = False
    assert found.healthy.data[rest].mean() == pytest.approx(found.image.data[rest].mean(), rel=0.05)
    assert healthy < 0.8 * own


def test_mask_is_where_the_raw_map_exceeds_the_threshold(found):
    assert (found.mask.data == (found.score.data > found.threshold) & found.brain.data).all()


def test_baselines_see_the_same_scan(found):
    named = {one.name: one for one in found.baselines}
    assert {"rank_high", "asymmetry", "healthy_z"} <= set(named)
    assert named["rank_high"].map.grid.is_close(found.image.grid)
    assert named["pca_lof"].map is None
    assert all(0 < one.scan.p_value <= 1 for one in found.baselines)


def test_same_healthy_person_twice_is_remarked_on(trained, people, tmp_path):
    known = next(path for path in sorted(people.iterdir()))
    unpacked = tmp_path / "sub-77_T1w.nii"
    unpacked.write_bytes(gzip.decompress(known.read_bytes()))
    for scan in (known, unpacked):
        result = detect(scan, trained, alpha=0.5)
        assert any("has seen this scan (it learned from this scan)" in text for text in result.remarks)
        assert result.is_anomalous is None


def test_new_healthy_people_are_not_flagged_and_score_like_the_others(trained, small_brain, tmp_path):
    new = [write_person(tmp_path / f"sub-{n}_T1w.nii.gz", small_brain, n) for n in range(50, 62)]
    results = [detect(path, trained, alpha=0.125) for path in new]
    assert sum(bool(result.flags) for result in results) <= 1
    assert 0.3 < np.mean([result.scan.p_value for result in results]) < 0.85
    judged = [result for result in results if not result.flags]
    assert [result.is_anomalous for result in judged] == [result.scan.p_value <= 0.125 for result in judged]


def test_other_contrast_is_flagged_by_name_and_by_look(trained, small_brain, tmp_path):
    other = write_person(tmp_path / "sub-51_T2w.nii.gz", small_brain, 51, contrast="T2w")
    named = {flag.name for flag in detect(other, trained).flags}
    assert {"contrast", "pattern"} <= named
    assert detect(other, trained, alpha=0.5).is_anomalous is None
    lying = shutil.copy(other, tmp_path / "sub-51_T1w.nii.gz")
    assert "pattern" in {flag.name for flag in detect(lying, trained).flags}


def test_contrast_that_nobody_told_is_not_held_against_a_scan(trained, patient, tmp_path):
    nameless = shutil.copy(patient, tmp_path / "scan.nii.gz")
    of_others = replace(trained, manifest=trained.manifest.model_copy(update={"contrast": "FLAIR"}))
    assert "contrast" in {flag.name for flag in detect(patient, of_others).flags}
    result = detect(nameless, of_others)
    assert any("T1w is assumed" in text for text in result.remarks)
    assert "contrast" not in {flag.name for flag in result.flags}


def test_alpha_that_so_few_scans_cannot_support_is_refused_with_the_reason(trained, patient):
    with pytest.raises(UsageError, match=r"0\.05 cannot be promised from 7 healthy calibration scans"):
        detect(patient, trained, alpha=0.05)


def test_without_alpha_there_is_a_p_value_and_no_verdict(found):
    assert found.is_anomalous is None
    assert any("no verdict" in text for text in found.record.warnings)


def test_more_fp_per_scan_allowed_lower_the_threshold(trained, patient):
    strict, loose = (detect(patient, trained, fp_per_scan=count) for count in (0, 20))
    assert loose.threshold < strict.threshold
    assert (loose.mask.data | ~strict.mask.data).all()


def test_files_lie_over_the_scan_and_say_how_they_were_made(trained, patient, tmp_path):
    detect(patient, trained, tmp_path)
    folder = tmp_path / "sub-99" / "anat"
    scan = nibabel.load(patient)
    for name in (
        "desc-anomaly_statmap",
        "desc-nlog10p_statmap",
        "desc-anomaly_mask",
        "desc-pseudohealthy_T1w",
    ):
        image = nibabel.load(folder / f"sub-99_{name}.nii.gz")
        np.testing.assert_array_equal(image.affine, scan.affine)
        assert image.shape == scan.shape
        assert (folder / f"sub-99_{name}.json").exists()
    record = json.loads((folder / "sub-99_desc-anomaly_mask.json").read_text())
    assert record["Command"] == "medunsup detect sub-99_T1w.nii.gz --model atlas -o out"
    assert record["PValue"] == 0.125
    assert str(patient.parent) not in json.dumps(record)


def test_page_lies_beside_the_maps_and_tells_the_same_p_value(trained, patient, tmp_path):
    detect(patient, trained, tmp_path)
    text = (tmp_path / "sub-99" / "anat" / "sub-99_desc-anomaly_report.html").read_text("utf-8")
    assert "None of 7 healthy scans scored as much" in text
    assert "medunsup detect sub-99_T1w.nii.gz --model atlas -o out" in text


def test_page_that_cannot_be_drawn_costs_the_page_and_is_told(trained, patient, tmp_path, monkeypatch):
    def broken(*_, **__):
        raise ValueError("no such colour")

    monkeypatch.setattr("medunsup.report.detect.page.write_page", broken)
    detect(patient, trained, tmp_path)
    folder = tmp_path / "sub-99" / "anat"
    assert not (folder / "sub-99_desc-anomaly_report.html").exists()
    steps = json.loads((folder / "sub-99_desc-anomaly_mask.json").read_text())["Steps"]
    assert steps[-1]["outcome"] == "failed"
    assert "no such colour" in steps[-1]["warnings"][0]


def test_command_line_holds_every_choice_that_is_not_usual_for_the_model(trained, tmp_path):
    scan = tmp_path / "a b.nii.gz"
    assert (
        make_request(scan, trained).command() == "medunsup detect 'a b.nii.gz' --model " + trained.path.name
    )
    chosen = make_request(
        scan,
        trained,
        mask=scan,
        alpha=0.2,
        fp_per_scan=2,
        contrast="T2w",
        volume=1,
        series=3,
        brain="atlas",
    ).command()
    for words in ("--contrast T2w", "--volume 1", "--series 3", "--brain atlas", "--alpha 0.2"):
        assert words in chosen
    assert "--fp-per-scan 2" in chosen
    settings = trained.settings.model_copy(update={"brain": "stripped"})
    stripped = replace(trained, manifest=trained.manifest.model_copy(update={"settings": settings}))
    assert "--brain" not in make_request(scan, stripped).command()
    assert "--brain auto" in make_request(scan, stripped, brain="auto").command()


def test_table_lists_volume_place_and_peak(trained, patient, tmp_path, found):
    detect(patient, trained, tmp_path)
    path = tmp_path / "sub-99" / "anat" / "sub-99_desc-anomaly_findings.tsv"
    rows = list(csv.DictReader(path.open(), delimiter="\t"))
    assert len(rows) == len(found.findings)
    assert float(rows[0]["volume_mm3"]) == pytest.approx(found.findings[0].volume_mm3, abs=0.1)
    assert {row["side"] for row in rows} <= {"left", "right", "midline", "both"}


def test_result_that_is_there_is_kept_without_force(trained, patient, tmp_path):
    detect(patient, trained, tmp_path)
    with pytest.raises(OutputError, match="exists already"):
        detect(patient, trained, tmp_path)
    detect(patient, trained, tmp_path, force=True)


def test_maps_of_baselines_do_not_outlive_the_result_they_belong_to(trained, patient, tmp_path):
    detect(patient, trained, tmp_path, baselines=True)
    folder = tmp_path / "sub-99" / "anat"
    assert (folder / "sub-99_desc-rankhigh_statmap.nii.gz").exists()
    detect(patient, trained, tmp_path, force=True)
    assert not list(folder.glob("*rankhigh*"))
    assert (folder / "sub-99_desc-anomaly_statmap.json").exists()


@pytest.mark.parametrize("ending", [".nii.gz", ".json"])
@pytest.mark.parametrize("baselines", [False, True])
def test_users_map_of_the_name_of_a_baselines_is_not_taken_for_ours(
    trained, patient, tmp_path, baselines, ending
):
    own = tmp_path / "sub-99" / "anat" / f"sub-99_desc-asymmetry_statmap{ending}"
    own.parent.mkdir(parents=True)
    own.write_bytes(b"drawn by hand")
    with pytest.raises(ResultThereError, match="desc-asymmetry"):
        detect(patient, trained, tmp_path, baselines=baselines)
    with pytest.raises(ResultThereError, match="desc-asymmetry"):
        detect_many([patient], trained, tmp_path, baselines=baselines)
    assert own.read_bytes() == b"drawn by hand"
    detect(patient, trained, tmp_path, force=True)
    assert own.read_bytes() == b"drawn by hand"  # a result without it does not replace it


def test_maps_by_former_names_go_with_the_result_that_they_belong_to_alone(trained, patient, tmp_path):
    folder = tmp_path / "sub-99" / "anat"
    folder.mkdir(parents=True)
    former = [
        folder / f"sub-99_desc-{name}" for name in ("healthylook_T1w.nii.gz", "anomalysurprise_statmap.json")
    ]
    for path in former:
        path.write_bytes(b"drawn by hand")
    detect(patient, trained, tmp_path)
    assert all(path.exists() for path in former)  # no result was there: they are somebody's own
    detect(patient, trained, tmp_path, force=True)
    assert not any(path.exists() for path in former)


def test_killed_run_leaves_nothing_that_looks_whole(trained, patient, tmp_path, monkeypatch):
    from medunsup.workflows.detect import save

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(save, "findings_tsv", killed)
    with pytest.raises(KeyboardInterrupt):
        detect(patient, trained, tmp_path / "out")
    assert not list((tmp_path / "out").rglob("*.nii.gz"))


def test_given_mask_decides_where_is_looked(trained, patient, tmp_path, small_brain):
    half = small_brain.mask.data.copy()
    half[: half.shape[0] // 2] = False
    mask = phantom.save(small_brain.mask.like(half), tmp_path / "half.nii.gz", dtype=np.uint8)
    result = detect(patient, trained, mask=mask)
    assert (result.brain.data == half).all()
    assert "missing" in {flag.name for flag in result.flags}


def test_scan_turned_on_disk_gives_the_same_map(trained, patient, tmp_path, found):
    turned = tmp_path / "sub-99_T1w.nii.gz"
    image = nibabel.load(patient)
    order = nibabel.orientations.ornt_transform(
        nibabel.io_orientation(image.affine), nibabel.orientations.axcodes2ornt("PIR")
    )
    nibabel.save(image.as_reoriented(order), turned)
    other = detect(turned, trained)
    np.testing.assert_allclose(other.score.data, found.score.data, atol=1e-3)


def test_result_prints_what_was_found_and_no_voxels(found):
    assert repr(found).startswith(f"<AnomalyResult: {len(found.findings)} findings, ")
    assert "p_value=0.125" in repr(found)
    assert len(repr(found)) < 120


def test_the_verbs_are_at_hand_from_the_package():
    assert medunsup.detect is detect
