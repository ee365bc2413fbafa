"""The official validator finds no error in what we write."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from medunsup.workflows.detect.cohort import detect_many
from medunsup.workflows.segment.cohort import segment_many


@pytest.fixture(scope="module")
def validator() -> str:
    """The command of the PyPI package bids-validator-deno."""
    found = shutil.which("bids-validator-deno") or shutil.which(
        "bids-validator-deno", path=Path(sys.executable).parent
    )
    if found is None:
        pytest.skip("bids-validator-deno is not installed (pip install bids-validator-deno)")
    return found


@pytest.mark.slow
@pytest.mark.usefixtures("quick_registration")
@pytest.mark.parametrize(
    ("contrast", "suffix", "tissues"),
    [
        ("T1w", "T1w", 3),
        ("T1w", "desc-preproc_T1w", 3),
        ("FLAIR", "FLAIR", 3),
        ("T2w", "T2w", 4),
        ("PD", "PDw", 3),
    ],
)
def test_the_official_validator_finds_no_error(validator, make_scan, tmp_path, contrast, suffix, tissues):
    for name in ("01", "02"):
        make_scan(f"raw/sub-{name}/ses-1/anat/sub-{name}_ses-1_{suffix}.nii.gz", contrast=contrast)
    raw = tmp_path / "raw"
    (raw / "dataset_description.json").write_text('{"Name": "made up", "BIDSVersion": "1.10.0"}')
    result = segment_many(sorted(raw.rglob("*.nii.gz")), method="kmeans", tissues=tissues)
    assert result.n_failed == 0
    out = raw / "derivatives" / "medunsup"
    done = subprocess.run(
        [validator, str(out), "--format", "json"], capture_output=True, text=True, timeout=120
    )
    issues = json.loads(done.stdout)["issues"]["issues"]
    assert [issue for issue in issues if issue["severity"] == "error"] == []
    assert len(list(out.rglob("*_dseg.nii.gz"))) == 2


@pytest.mark.slow
@pytest.mark.usefixtures("quick_registration")
def test_the_official_validator_finds_no_error_in_what_detect_writes(
    validator, trained, patient, people, tmp_path
):
    known = sorted(people.iterdir())[0]
    result = detect_many([patient, known], trained.path, tmp_path / "out", baselines=True)
    assert result.group_page == tmp_path / "out" / "anomaly_group.html"
    done = subprocess.run(
        [validator, str(tmp_path / "out"), "--format", "json"], capture_output=True, text=True, timeout=120
    )
    issues = json.loads(done.stdout)["issues"]["issues"]
    assert [issue for issue in issues if issue["severity"] == "error"] == []


@pytest.mark.slow
def test_the_validator_does_find_errors(validator, tmp_path):
    (tmp_path / "dataset_description.json").write_text('{"Name": "made up", "BIDSVersion": "1.10.0"}')
    (tmp_path / "stray.nii.gz").write_bytes(b"")
    done = subprocess.run(
        [validator, str(tmp_path), "--format", "json"], capture_output=True, text=True, timeout=120
    )
    assert any(issue["severity"] == "error" for issue in json.loads(done.stdout)["issues"]["issues"])
