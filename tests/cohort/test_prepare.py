"""Prepared scans are kept, taken again, and made anew where what was kept is damaged."""

import numpy as np
import pytest

from medunsup.cohort.dataset.sources import Case
from medunsup.cohort.prepare import prepare
from medunsup.cohort.prepare_many import prepare_all, prepared, request_of, stack
from medunsup.io.load import load
from medunsup.workflows.train.settings import TrainSettings

SETTINGS = TrainSettings(spacing_mm=8.0)


@pytest.fixture
def cases(make_scan, quick_placement) -> list[Case]:
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
