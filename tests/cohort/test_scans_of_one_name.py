"""Scans called alike, one a folder, are told apart in the results."""

import pytest

from medunsup.core.errors import UsageError
from medunsup.workflows.segment.cohort import segment_many

pytestmark = pytest.mark.usefixtures("quick_registration")
QUICK = {"method": "kmeans", "parameters": {"max_voxels": 1000}, "report": False}


def test_results_of_one_name_lie_in_folders_named_after_the_scans_own(make_scan, tmp_path, caplog):
    scans = [make_scan("one/T1.nii.gz"), make_scan("two/T1.nii.gz"), make_scan("two/b.nii.gz")]
    out = tmp_path / "out"
    made = segment_many(scans, out, **QUICK)
    below = [scan.outputs["dseg"].relative_to(out).as_posix() for scan in made.scans]
    assert below == ["one/T1_dseg.nii.gz", "two/T1_dseg.nii.gz", "b_dseg.nii.gz"]
    assert [text for text in caplog.messages if "share their name" in text] == [
        "Some scans share their name: the results of 2 go into folders named after theirs, "
        f"such as {out / 'one'}."
    ]
    rows = (out / "volumes.tsv").read_text().splitlines()[1:]
    assert [row.split("\t")[0] for row in rows] == ["b.nii.gz", "one/T1.nii.gz", "two/T1.nii.gz"]
    assert [scan.status for scan in segment_many(scans, out, **QUICK).scans] == ["skipped"] * 3


def test_folders_are_named_from_where_the_scans_part(make_scan, tmp_path):
    scans = [make_scan(f"{name}/anat/T1.nii.gz") for name in ("p1", "p2")]
    made = segment_many(scans, tmp_path / "out", **QUICK)
    below = [scan.outputs["dseg"].relative_to(tmp_path / "out").as_posix() for scan in made.scans]
    assert below == ["p1/anat/T1_dseg.nii.gz", "p2/anat/T1_dseg.nii.gz"]
    assert "p2/anat/T1.nii.gz" in (tmp_path / "out" / "volumes.tsv").read_text()


def test_results_beside_their_scans_need_no_other_place(make_scan):
    scans = [make_scan("one/T1.nii.gz"), make_scan("two/T1.nii.gz")]
    made = segment_many(scans, **QUICK)
    assert [scan.outputs["dseg"].parent for scan in made.scans] == [scan.parent for scan in scans]


def test_the_page_of_all_scans_tells_them_apart(make_scan, tmp_path):
    scans = [make_scan("one/T1.nii.gz"), make_scan("two/T1.nii.gz")]
    page = segment_many(scans, tmp_path / "out", **QUICK | {"report": True}).group_page
    told = page.read_text("utf-8")
    for name in ("one/T1", "two/T1"):
        assert f'href="{name}_report.html"' in told
        assert f">{name}<" in told


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("x/T1.nii.gz", "x/T1.mgz"), "both be written as T1 in .*out. Give only one of them"),
        (("x/T1.nii.gz", "x/T1.nii.gz"), "both be written as T1 in .*out. Give only one of them"),
        (("x/sub-1_T1w.nii.gz", "y/sub-1_T1w.nii.gz"), "both be written as sub-1 in .* Leave out `out`"),
        (
            ("sub-1_T1w.nii.gz", "sub-1_FLAIR.nii.gz"),
            "Run each contrast with a folder.*with_contrasts=",
        ),
    ],
)
def test_scans_that_would_lie_in_one_place_are_refused_before_anything_is_written(
    make_scan, tmp_path, names, words
):
    scans = [make_scan(name) for name in names]
    with pytest.raises(UsageError, match=words):
        segment_many(scans, tmp_path / "out", **QUICK)
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_priors_learned_from_scans_of_one_name_are_kept_apart(make_scan, tmp_path):
    scans = [make_scan(f"p{n}/T1.nii.gz", seed=n) for n in range(4)]
    made = segment_many(scans, tmp_path / "out", learn_prior=True, **QUICK)
    assert made.n_failed == 0
    kept = sorted((tmp_path / "out" / "prior").rglob("*_prior.npz"))
    below = [path.relative_to(tmp_path / "out" / "prior").as_posix() for path in kept]
    assert below == [f"p{n}/T1_prior.npz" for n in range(4)]
