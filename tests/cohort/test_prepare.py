"""Prepared scans are kept, taken again, and made anew where what was kept is damaged."""

from dataclasses import fields, replace

import numpy as np
import pytest

from medunsup.cohort.dataset.sources import Case
from medunsup.cohort.prepare import key, load_and_prepare, prepare
from medunsup.cohort.prepare_many import prepare_all, prepared, request_of, stack
from medunsup.cohort.request import ScanRequest
from medunsup.cohort.settings import ReadSettings
from medunsup.io.load import load
from medunsup.workflows.segment.request import make_request
from medunsup.workflows.segment.settings import SegmentSettings
from medunsup.workflows.train.settings import TrainSettings

SPACING_MM = 8.0
SETTINGS = TrainSettings(spacing_mm=SPACING_MM)


@pytest.fixture
def cases(make_scan, quick_registration) -> list[Case]:
    """Three scans; nothing is registered."""
    return [Case(make_scan(f"sub-{n}_T1w.nii.gz", seed=n), f"sub-{n}") for n in range(3)]


@pytest.fixture
def loaded(monkeypatch) -> list[str]:
    """Names of the scans that were read from their own files."""
    names: list[str] = []

    def counted(path, **how):
        names.append(path.name)
        return load(path, **how)

    monkeypatch.setattr("medunsup.io.load.load", counted)
    return names


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_a_scan_kept_in_a_damaged_file_is_prepared_again(cases, tmp_path, share, loaded):
    cache = tmp_path / "cache"
    first = prepared(cases[0], SETTINGS, cache)
    (kept,) = cache.iterdir()
    assert prepared(cases[0], SETTINGS, cache).content == first.content
    assert loaded == ["sub-0_T1w.nii.gz"]
    content = kept.read_bytes()
    kept.write_bytes(content[: int(share * len(content))])
    again = prepared(cases[0], SETTINGS, cache)
    assert again.content == first.content
    np.testing.assert_array_equal(again.brain, first.brain)
    assert (kept.read_bytes(), len(loaded)) == (content, 2)


def test_what_tells_whether_scans_belong_together_needs_no_second_look(cases, tmp_path, loaded):
    traits = prepare_all(cases, SETTINGS, tmp_path / "cache")
    made = [prepare(request_of(case, SETTINGS), SETTINGS.spacing_mm) for case in cases]
    assert [one.content for one in traits] == [one.content for one in made]
    assert [one.coarsest_mm for one in traits] == [max(one.spacing_mm) for one in made]
    assert {one.contrast for one in traits} == {"T1w"}


def test_each_prepared_scan_is_read_once_when_they_are_laid_behind_one_another(cases, tmp_path, monkeypatch):
    made = [prepared(case, SETTINGS, tmp_path / "cache") for case in cases]
    read = []

    def counted(request, *words, **more):
        read.append(request.path.name)
        return prepare(request, *words, **more)

    monkeypatch.setattr("medunsup.cohort.prepare_many.prepare", counted)
    scans = stack(cases, SETTINGS, tmp_path / "cache", tmp_path, "train")
    assert read == [case.scan.name for case in cases]
    np.testing.assert_array_equal(scans.values, [one.values for one in made])
    np.testing.assert_array_equal(scans.masks, [one.mask for one in made])


@pytest.fixture
def request_(make_scan):
    return ScanRequest(make_scan("scan.nii.gz"))


@pytest.mark.usefixtures("quick_registration")
def test_a_kept_scan_comes_back_as_it_was_made(request_, tmp_path):
    made = prepare(request_, SPACING_MM, cache=tmp_path / "cache")
    image, kept = load_and_prepare(request_, SPACING_MM, cache=tmp_path / "cache")
    assert len(list((tmp_path / "cache").iterdir())) == 1
    assert image.shape == made.brain.shape
    assert kept.content == made.content
    for field in fields(made):
        before, after = getattr(made, field.name), getattr(kept, field.name)
        same = np.array_equal(before, after) if isinstance(before, np.ndarray) else before == after
        assert same, field.name
        assert type(before) is type(after), field.name


@pytest.mark.usefixtures("quick_registration")
@pytest.mark.parametrize("cached", [False, True])
def test_scan_and_prepared_scan_come_of_one_loading(request_, tmp_path, cached, loaded):
    image, made = load_and_prepare(request_, SPACING_MM, cache=tmp_path if cached else None)
    assert loaded == [request_.path.name]
    assert made.spacing_mm == pytest.approx(image.spacing_mm, abs=1e-4)
    assert [step["name"] for step in made.steps][:2] == ["load", "brain mask"]


def test_a_prepared_scan_is_kept_under_all_that_it_depends_on(request_, make_scan):
    usual = key(request_, SPACING_MM)
    for reading in (
        ReadSettings(contrast="T2w"),
        ReadSettings(brain="atlas"),
        ReadSettings(volume=0),
        ReadSettings(series="3"),
        ReadSettings(coordinates="sform"),
    ):
        assert key(replace(request_, reading=reading), SPACING_MM) != usual
    assert key(request_, 2.0) != usual
    assert key(replace(request_, mask=make_scan("mask.nii.gz")), SPACING_MM) != usual
    assert key(ScanRequest(make_scan("other.nii.gz", contrast="T2w")), SPACING_MM) != usual


def test_where_results_go_and_what_segment_alone_asks_for_changes_no_prepared_scan(request_, tmp_path):
    asked = make_request(request_.path, SegmentSettings(method="kmeans", tissues=4, seed=3), out=tmp_path)
    assert key(asked.scan, SPACING_MM) == key(request_, SPACING_MM)


def test_all_verbs_read_a_scan_alike_unless_told_otherwise():
    assert SegmentSettings().reading == TrainSettings().reading == ReadSettings()
    chosen = {"contrast": "T2w", "brain": "stripped", "coordinates": "qform"}
    assert SegmentSettings(**chosen).reading == TrainSettings(**chosen).reading == ReadSettings(**chosen)
