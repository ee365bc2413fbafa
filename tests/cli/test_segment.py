"""What the command prints, where, and how it ends."""

import json
import re

import nibabel
import numpy as np
import pytest
from typer.testing import CliRunner

from medunsup.cli.main import app
from medunsup.core.errors import OutputError, UsageError
from medunsup.workflows.segment.cohort import segment_many

pytestmark = pytest.mark.usefixtures("quick_registration")
QUICK = ["--method", "kmeans", "--set", "max_voxels=1000", "--no-report"]


@pytest.fixture
def medunsup(tmp_path, monkeypatch):
    """Run the command line in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*words):
        return CliRunner().invoke(app, [str(word) for word in words])

    return run


def test_a_scan_gives_its_volumes_on_stdout_and_its_files_beside_it(medunsup, make_scan):
    scan = make_scan()
    done = medunsup("segment", scan, *QUICK)
    assert done.exit_code == 0
    assert "GM" in done.stdout
    assert "ml" in done.stdout
    assert (scan.parent / "scan_dseg.nii.gz").exists()


def test_json_is_exactly_one_object_on_stdout(medunsup, make_scan, tmp_path):
    done = medunsup("segment", make_scan(), tmp_path / "missing.nii.gz", *QUICK, "-o", "out", "--json")
    told = json.loads(done.stdout)
    assert done.exit_code == told["exit_code"] == 1
    assert [scan["status"] for scan in told["scans"]] == ["done", "error"]
    assert set(told["scans"][0]["volumes_ml"]) == {"GM", "WM", "CSF"}
    assert told["scans"][0]["verdict"] in ("pass", "check", "fail")
    assert "missing.nii.gz" in told["scans"][1]["error"]


def test_quiet_says_nothing_when_all_is_well(medunsup, make_scan):
    done = medunsup("segment", make_scan(), *QUICK, "--quiet")
    assert done.exit_code == 0
    assert done.output == ""


def test_progress_goes_to_stderr_from_the_start(medunsup, make_scan):
    done = medunsup("segment", make_scan(), *QUICK)
    assert done.stderr.splitlines()[0] == "scan.nii.gz: starting"
    assert "starting" not in done.stdout


def test_many_scans_have_one_line_each_and_what_they_share_is_said_once(medunsup, make_scan, tmp_path):
    done = medunsup("segment", make_scan("a.nii.gz"), make_scan("b.nii.gz"), *QUICK, "-o", "out")
    told = done.stderr.splitlines()
    assert told[0] == f"medunsup: Results go to {tmp_path / 'out'}."
    assert re.fullmatch(r"\[1/2\] a\.nii\.gz: done, about \d+ s left", told[1])
    assert told[2] == "[2/2] b.nii.gz: done"
    (shared,) = [line for line in told if "Slices lie 5 mm apart" in line]
    assert shared.startswith("  all 2 scans: ")


@pytest.mark.parametrize("words", [["--method", "kmean"], ["--config", "fats"], ["--mask", "no.nii.gz"]])
def test_what_is_wrong_with_the_options_is_told_before_anything_starts(medunsup, make_scan, words):
    done = medunsup("segment", make_scan(), *words)
    assert done.exit_code == 2
    assert "starting" not in done.output


def test_a_failed_scan_ends_in_1_with_one_line_and_no_traceback(medunsup, tmp_path):
    (tmp_path / "bad.nii.gz").write_bytes(b"no image")
    done = medunsup("segment", "bad.nii.gz", *QUICK, "--quiet")
    assert done.exit_code == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert "bad.nii.gz" in done.stderr
    traced = medunsup("segment", "bad.nii.gz", *QUICK, "--quiet", "--debug")
    assert "Traceback" in traced.stderr


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["--method", "kmean"], "kmeans"),
        (["--method", "kmeans", "--set", "max_itr=3"], "max_iter"),
        (["--method", "kmeans", "--set", "max_iter"], "KEY=VALUE"),
        (["--method", "kmeans", "--set", "max_iter=many"], "max_iter"),
        (["--tissues", "some"], "tissues"),
        (["--tissues", "1"], "tissues"),
        (["--contrast", "T9"], "contrast"),
        (["--brain", "magic"], "atlas"),
        (["--coordinates", "form"], "qform"),
        (["--config", "fats"], "fast"),
        (["--config", "no.yaml"], "no.yaml"),
        (["--with", "T9w=x.nii.gz"], "T2w"),
        (["--with", "x.nii.gz"], "FLAIR=x.nii.gz"),
    ],
)
def test_wrong_use_ends_in_2_with_one_line_that_helps(medunsup, make_scan, words, hint):
    done = medunsup("segment", make_scan(), *words, "--quiet")
    assert done.exit_code == 2
    assert hint in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_an_unknown_option_ends_in_2(medunsup, make_scan):
    assert medunsup("segment", make_scan(), "--tisues", "3").exit_code == 2


def test_a_folder_of_dicom_files_needs_a_place_for_the_results(medunsup, tmp_path):
    (tmp_path / "series").mkdir()
    (tmp_path / "series" / "IM_0001.dcm").write_bytes(b"\0" * 128 + b"DICM")
    done = medunsup("segment", "series", "--quiet")
    assert done.exit_code == 2
    assert "-o" in done.stderr


def test_a_dry_run_tells_the_plan_and_writes_nothing(medunsup, make_scan, tmp_path):
    scans = [make_scan("a.nii.gz"), make_scan("b.nii.gz")]
    medunsup("segment", scans[0], *QUICK, "-o", "out")
    before = sorted((tmp_path / "out").rglob("*"))
    done = medunsup("segment", *scans, *QUICK, "-o", "out", "--dry-run", "--json")
    assert done.exit_code == 0
    assert [scan["status"] for scan in json.loads(done.stdout)["scans"]] == ["done", "new"]
    assert sorted((tmp_path / "out").rglob("*")) == before


@pytest.mark.parametrize("dry", [[], ["--dry-run"]])
@pytest.mark.parametrize(
    ("scans", "words", "code", "hint"),
    [
        (["gone.nii.gz"], [], 2, "gone.nii.gz: there is no such file"),
        (["a.nii.gz"], ["--mask", "{id}_mask.nii.gz"], 2, "a_mask.nii.gz is not there"),
        (["a.nii.gz"], ["--with", "T2w=gone.nii.gz"], 2, "its T2w gone.nii.gz is not there"),
        (["a.nii.gz"], ["--contrast", "T1w", "--with", "T1w=b.nii.gz"], 2, "Leave out --with T1w"),
        (["a.nii.gz", "gone.nii.gz"], [], 1, "gone.nii.gz: there is no such file"),
        (["made.nii.gz"], [], 2, "--force"),
        (["bad.nii.gz"], [], 1, "it looks like text"),
        (["labels.nii.gz"], [], 1, "is a label map (3 values), not a scan"),
        (["a.nii.gz"], ["--volume", "7"], 2, "has no volume 7"),
        (["a.nii.gz"], ["--mask", "a.nii.gz"], 1, "is no mask"),
        (["empty"], [], 1, "it is empty"),
    ],
)
def test_a_dry_run_ends_as_the_run_would(medunsup, make_scan, tmp_path, dry, scans, words, code, hint):
    make_scan("a.nii.gz")
    make_scan("b.nii.gz")
    (tmp_path / "bad.nii.gz").write_bytes(b"no image")
    (tmp_path / "empty").mkdir()
    labels = np.zeros((20, 20, 20), np.uint8)
    labels[3:15, 3:15, 3:15], labels[6:12, 6:12, 6:12] = 1, 2
    nibabel.save(nibabel.Nifti1Image(labels, np.eye(4)), tmp_path / "labels.nii.gz")
    if "made.nii.gz" in scans:
        medunsup("segment", make_scan("made.nii.gz"), *QUICK, "-o", "out", "--seed", "5")
    done = medunsup("segment", *scans, *QUICK, *words, "-o", "out", *dry)
    assert done.exit_code == code
    assert hint in done.output


def test_a_dry_run_says_of_each_scan_whether_it_can_be_begun(medunsup, make_scan):
    scans = [make_scan("a.nii.gz"), "gone.nii.gz"]
    done = medunsup("segment", *scans, *QUICK, "-o", "out", "--dry-run", "--json")
    told = json.loads(done.stdout)
    assert told["exit_code"] == done.exit_code == 1
    assert [scan["status"] for scan in told["scans"]] == ["new", "missing"]
    assert "no such file" in told["scans"][1]["why"]


def test_a_folder_is_segmented_scan_by_scan(medunsup, make_scan, tmp_path):
    for name in ("cohort/a.nii.gz", "cohort/b.nii.gz"):
        (tmp_path / "cohort").mkdir(exist_ok=True)
        make_scan(name.rsplit("/", 1)[1]).rename(tmp_path / name)
    done = medunsup("segment", "cohort", *QUICK, "-o", "out", "--json")
    told = json.loads(done.stdout)
    assert [scan["status"] for scan in told["scans"]] == ["done", "done"]
    assert "cohort: 2 scans." in done.stderr
    again = medunsup("segment", "cohort", *QUICK, "-o", "out", "--dry-run")
    assert again.stdout.count("done already") == 2


@pytest.mark.parametrize("asked", [["--series", "7"], ["--volume", "7"]])
def test_asking_for_what_a_scan_does_not_hold_is_wrong_use(medunsup, make_scan, tmp_path, asked):
    scan = make_scan()
    alone = medunsup("segment", scan, *QUICK, *asked, "--json")
    assert alone.exit_code == json.loads(alone.stdout)["exit_code"] == 2
    (tmp_path / "bad.nii.gz").write_bytes(b"no image")
    beside = medunsup("segment", scan, "bad.nii.gz", *QUICK, *asked)
    assert beside.exit_code == 1


def test_results_made_otherwise_are_refused_with_2_and_replaced_with_force(medunsup, make_scan):
    scan = make_scan()
    assert medunsup("segment", scan, *QUICK).exit_code == 0
    refused = medunsup("segment", scan, *QUICK, "--seed", "3")
    assert refused.exit_code == 2
    assert "--force" in refused.stderr
    assert medunsup("segment", scan, *QUICK, "--seed", "3", "--force").exit_code == 0


def test_options_win_over_the_config_file(medunsup, make_scan, tmp_path):
    (tmp_path / "mine.yaml").write_text("method: gmm\nseed: 4\nparameters:\n  max_iter: 50\n")
    words = ["--config", "mine.yaml", "--method", "kmeans", "--set", "max_iter=60", "--no-report"]
    assert medunsup("segment", make_scan(), *words).exit_code == 0
    choices = json.loads((tmp_path / "scan_dseg.json").read_text())["Medunsup"]["Choices"]
    assert (choices["method"], choices["seed"], choices["parameters"]) == ("kmeans", 4, {"max_iter": 60})


def test_the_command_in_the_sidecar_makes_the_same_result_again(medunsup, make_scan, tmp_path):
    import shlex

    medunsup(
        "segment", make_scan(), "--method", "kmeans", "--set", "max_iter=60", "--seed", "2", "--no-report"
    )
    first = (tmp_path / "scan_dseg.nii.gz").read_bytes()
    command = json.loads((tmp_path / "scan_dseg.json").read_text())["Command"]
    done = medunsup(*shlex.split(command)[1:], "--force", "--no-report")
    assert done.exit_code == 0
    assert (tmp_path / "scan_dseg.nii.gz").read_bytes() == first


def test_another_number_of_tissues_gives_as_many_maps(medunsup, make_scan, tmp_path):
    assert medunsup("segment", make_scan(), *QUICK, "--tissues", "4", "-o", "four").exit_code == 0
    assert len(list((tmp_path / "four").glob("*_probseg.nii.gz"))) == 4
    table = (tmp_path / "four" / "scan_dseg.tsv").read_text().splitlines()
    assert [row.split("\t")[0] for row in table[1:]] == ["1", "2", "3", "4"]


@pytest.mark.slow
def test_auto_takes_the_number_of_tissues_its_curves_propose(medunsup, make_scan, tmp_path):
    words = ["--method", "kmeans", "--set", "max_voxels=1000", "--tissues", "auto", "-o", "auto", "--json"]
    done = medunsup("segment", make_scan(), *words)
    assert done.exit_code == 0
    steps = json.loads((tmp_path / "auto" / "scan_dseg.json").read_text())["Steps"]
    mixture = next(step for step in steps if step["name"] == "mixture")
    volumes = json.loads(done.stdout)["scans"][0]["volumes_ml"]
    selection = mixture["findings"]["model_selection"]
    assert len(volumes) == selection["chosen"]
    page = (tmp_path / "auto" / "scan_report.html").read_text()
    assert f"the {selection['chosen']} that were chosen ({selection['rule']})" in page
    assert page.count("How many classes?") == 2


def test_several_contrasts_are_taken_together(medunsup, make_scan, tmp_path):
    scan, t2w = make_scan("s_T1w.nii.gz"), make_scan("s_T2w.nii.gz", contrast="T2w", axes="PIR")
    done = medunsup("segment", scan, *QUICK, "--with", f"T2w={t2w}", "-o", "out")
    assert done.exit_code == 0
    made = json.loads((tmp_path / "out" / "s_T1w_dseg.json").read_text())
    assert [item["Role"] for item in made["Medunsup"]["Inputs"]] == ["scan", "T2w"]


def test_an_empty_command_shows_help(medunsup):
    assert "segment" in medunsup().output


def test_an_mgz_scan_gives_nifti_maps_in_native_space(medunsup, make_scan, tmp_path):
    scan = nibabel.load(make_scan("made.nii.gz", axes="LIA"))
    nibabel.save(nibabel.MGHImage(scan.get_fdata().astype(np.float32), scan.affine), tmp_path / "brain.mgz")
    assert medunsup("segment", "brain.mgz", *QUICK).exit_code == 0
    written = nibabel.load(tmp_path / "brain_dseg.nii.gz")
    assert written.shape == scan.shape
    assert np.abs(written.affine - scan.affine).max() < 1e-4


def test_of_a_4d_file_one_volume_must_be_picked(medunsup, make_scan, tmp_path):
    scan = nibabel.load(make_scan())
    both = np.stack([scan.get_fdata(), scan.get_fdata()[::-1]], axis=-1).astype(np.float32)
    nibabel.save(nibabel.Nifti1Image(both, scan.affine), tmp_path / "both.nii.gz")
    asked = medunsup("segment", "both.nii.gz", *QUICK, "--quiet")
    assert asked.exit_code == 1
    assert "--volume" in asked.stderr
    assert medunsup("segment", "both.nii.gz", *QUICK, "--volume", "1").exit_code == 0
    assert nibabel.load(tmp_path / "both_dseg.nii.gz").shape == scan.shape


@pytest.mark.slow
def with_two_systems(path):
    """Give a scan a qform 8 mm beside its sform, about which it warns with the option that decides."""
    scan = nibabel.load(path)
    first, other = scan.affine.copy(), scan.affine.copy()
    other[0, 3] += 8
    scan.set_sform(first, 2)
    scan.set_qform(other, 1)
    nibabel.save(scan, path)
    return scan


@pytest.mark.slow
def test_python_and_the_command_line_write_the_same_bytes(medunsup, make_scan, tmp_path):
    path = make_scan()
    scan, mask = with_two_systems(path), tmp_path / "mask.nii.gz"
    nibabel.save(nibabel.Nifti1Image((scan.get_fdata() > 0).astype(np.uint8), scan.affine), mask)
    assert medunsup("segment", path, *QUICK, "--mask", mask, "-o", "terminal").exit_code == 0
    choices = {"method": "kmeans", "parameters": {"max_voxels": 1000}}
    segment_many([path], tmp_path / "python", mask=mask, report=False, **choices)
    made, again = (
        {file.name: file.read_bytes() for file in (tmp_path / where).iterdir() if file.is_file()}
        for where in ("python", "terminal")
    )
    assert made == again
    assert b"--coordinates qform" in made["scan_dseg.json"]


def test_the_remedy_is_one_that_the_reader_can_take(medunsup, make_scan, tmp_path):
    path = make_scan()
    (tmp_path / "scan_dseg.nii.gz").write_bytes(b"made by hand")
    with pytest.raises((OutputError, UsageError), match="ass force=True") as refused:
        segment_many([path], tmp_path)
    assert "--" not in str(refused.value)
    told = json.loads(medunsup("segment", path, "-o", tmp_path, "--json").stdout)["error"]
    assert "--force" in told
    assert "=True" not in told


def test_the_other_coordinate_system_can_be_asked_for(medunsup, make_scan, tmp_path):
    path = make_scan()
    scan = with_two_systems(path)
    brain = nibabel.Nifti1Image((scan.get_fdata() > 0).astype(np.uint8), None, scan.header)
    brain.set_data_dtype(np.uint8)
    nibabel.save(brain, tmp_path / "mask.nii.gz")
    for words, used in (([], "sform"), (["--coordinates", "qform"], "qform")):
        done = medunsup("segment", path, *QUICK, *words, "--mask", "mask.nii.gz", "-o", used)
        assert done.exit_code == 0
        assert ("--coordinates qform" in done.stderr) == (used == "sform")
        made = json.loads((tmp_path / used / "scan_dseg.json").read_text())
        assert made["Steps"][0]["findings"]["coordinates"] == used
        assert "resampled" not in str(made["Steps"])
    assert "--coordinates qform" in made["Command"]


def test_a_parameter_that_cannot_be_read_is_wrong_use(medunsup, make_scan):
    done = medunsup("segment", make_scan(), "--set", "max_voxels=[1,")
    assert done.exit_code == 2
    assert "--set" in done.stderr
    assert "Traceback" not in done.output


def test_results_are_not_put_among_the_files_of_a_dicom_folder(medunsup, tmp_path):
    (tmp_path / "dicom").mkdir()
    done = medunsup("segment", "dicom", "-o", "dicom/out")
    assert done.exit_code == 2
    assert "inside" in done.stderr


def test_a_defect_of_our_own_is_told_in_one_line(medunsup, make_scan, monkeypatch):
    from medunsup.workflows.segment import cohort

    def broken(*_, **__):
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr(cohort, "run_requests", broken)
    done = medunsup("segment", make_scan(), *QUICK, "--quiet")
    assert done.exit_code == 1
    assert done.stderr.strip() == "medunsup: unexpected ZeroDivisionError('a defect'). --debug shows where."
