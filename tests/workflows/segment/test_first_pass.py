"""--learn-prior: a cohort refines its prior; no scan confirms itself; what is learned is kept."""

import shutil

import numpy as np
import pytest

from medunsup.core.errors import InputError, UsageError
from medunsup.core.geometry import Grid
from medunsup.preprocess.registration.affine import Registration
from medunsup.workflows.segment import first_pass
from medunsup.workflows.segment.cohort import segment_many
from medunsup.workflows.segment.cohort_prior import (
    in_template_space,
    made_from,
    mean_with_template,
    on_scan,
    read_maps,
    write_maps,
)

FEW_VOXELS = {"max_voxels": 1000}
CHOICES = {"method": "kmeans", "parameters": FEW_VOXELS, "report": False, "learn_prior": True}


@pytest.fixture
def cohort(make_scan):
    return [make_scan(f"{name}.nii.gz", seed=n) for n, name in enumerate("abcd")]


def test_fractions_resampled_to_the_template_and_back_stay_where_they_were(make_result):
    result = make_result()
    registration = Registration(
        np.array([[1.1, 0, 0, 3], [0, 0.9, 0.1, 20], [0, -0.1, 1, -12], [0, 0, 0, 1.0]]), 1, True
    )
    maps = in_template_space(result, registration)
    prior = on_scan(mean_with_template(maps.maps * 1000), result.image, result.brain_mask, registration)
    truth = np.stack([result.fractions[name].data for name in ("GM", "WM", "CSF")])
    inside = result.brain_mask.data
    assert np.abs(prior.sum(axis=0)[inside] - 1).max() < 1e-5
    assert prior[:, ~inside].max() == 0
    agreement = (prior.argmax(axis=0) == truth.argmax(axis=0))[inside].mean()
    assert agreement > 0.85


def test_without_scans_the_mean_is_the_template(make_result):
    result = make_result()
    nothing = in_template_space(result, Registration(np.eye(4), 1, True))
    template = mean_with_template(np.zeros_like(nothing.maps))
    assert np.allclose(template.maps.sum(axis=0), 1, atol=1e-6)
    assert template.maps[1].max() > 0.9
    assert isinstance(Grid(template.maps.shape[1:], template.affine).voxel_volume_mm3, float)


def test_maps_survive_the_disk_and_give_the_same_bytes(make_result, tmp_path):
    maps = in_template_space(make_result(), Registration(np.eye(4), 1, True))
    first, second = (write_maps(tmp_path / name, maps, "x").read_bytes() for name in ("a.npz", "b.npz"))
    assert first == second
    assert np.abs(read_maps(tmp_path / "a.npz").maps - maps.maps).max() <= 0.5 / 255 + 1e-6


@pytest.mark.usefixtures("quick_registration")
@pytest.mark.slow
def test_a_cohort_learns_once_and_is_skipped_when_asked_again(cohort, tmp_path):
    first = segment_many(cohort, tmp_path / "out", **CHOICES)
    assert [scan.status for scan in first.scans] == ["done"] * 4
    assert len(list((tmp_path / "out" / "prior").glob("*_prior.npz"))) == 4
    told = []
    again = segment_many(cohort, tmp_path / "out", progress=lambda scan, text: told.append(text), **CHOICES)
    assert [scan.status for scan in again.scans] == ["skipped"] * 4
    assert told == []


@pytest.mark.usefixtures("quick_registration")
def test_results_made_otherwise_are_refused_before_anything_is_learned(cohort, tmp_path):
    segment_many(cohort[:1], tmp_path / "out", **CHOICES | {"learn_prior": False})
    told = []
    with pytest.raises(UsageError, match="force=True"):
        segment_many(cohort, tmp_path / "out", progress=lambda scan, text: told.append(text), **CHOICES)
    assert told == []
    assert not (tmp_path / "out" / "prior").exists()


@pytest.mark.usefixtures("quick_registration")
@pytest.mark.slow
def test_a_prior_that_was_deleted_is_learned_again_and_the_results_stay(cohort, tmp_path):
    segment_many(cohort, tmp_path / "out", **CHOICES)
    shutil.rmtree(tmp_path / "out" / "prior")
    again = segment_many(cohort, tmp_path / "out", **CHOICES)
    assert [scan.status for scan in again.scans] == ["skipped"] * 4


@pytest.mark.usefixtures("quick_registration")
@pytest.mark.slow
def test_no_scan_is_part_of_its_own_prior(cohort, make_scan, tmp_path):
    segment_many(cohort, tmp_path / "one", **CHOICES)
    make_scan("a.nii.gz", contrast="T2w", seed=99)
    segment_many(cohort, tmp_path / "two", **CHOICES)

    def prior(run, name):
        return (tmp_path / run / "prior" / f"{name}_prior.npz").read_bytes()

    assert prior("one", "a") == prior("two", "a")
    assert prior("one", "b") != prior("two", "b")


@pytest.mark.usefixtures("quick_registration")
@pytest.mark.slow
def test_a_scan_that_fails_is_told_and_the_others_learn_without_it(cohort, tmp_path):
    (tmp_path / "broken.nii.gz").write_bytes(b"no image")
    result = segment_many([*cohort, tmp_path / "broken.nii.gz"], tmp_path / "out", **CHOICES)
    assert [scan.status for scan in result.scans] == ["done"] * 4 + ["error"]


@pytest.mark.parametrize(
    ("count", "out", "more", "hint"),
    [(3, "out", {}, "at least 4"), (4, None, {}, "`out`"), (4, "out", {"tissues": 4}, "`tissues`")],
)
def test_a_prior_that_cannot_be_learned_is_refused(cohort, tmp_path, count, out, more, hint):
    with pytest.raises(UsageError, match=hint):
        segment_many(cohort[:count], tmp_path / out if out else None, **CHOICES, **more)


def test_a_damaged_file_of_the_first_pass_is_made_again(tmp_path, make_result):
    path = write_maps(
        tmp_path / "a.npz", in_template_space(make_result(), Registration(np.eye(4), 1, True)), "x"
    )
    assert made_from(path) == "x"
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 3] ^= 1  # among the maps: what they were made from can still be read
    path.write_bytes(flipped)
    assert made_from(path) == ""
    np.savez(path, identity=np.array("x"))
    assert made_from(path) == ""
    path.write_bytes(whole[:1000])
    assert made_from(path) == ""
    with pytest.raises(InputError, match="no prior that medunsup wrote"):
        read_maps(path)


@pytest.mark.slow
@pytest.mark.usefixtures("quick_registration")
def test_a_cohort_that_could_learn_nothing_says_so(cohort, tmp_path, monkeypatch):
    monkeypatch.setattr(first_pass, "do_first_pass", lambda first, say: False)
    result = segment_many(cohort, tmp_path / "out", **CHOICES)
    assert all("No prior could be learned" in " ".join(scan.warnings) for scan in result.scans)
