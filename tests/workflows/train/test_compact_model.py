"""A compact model says what the whole one says, in less space."""

import shutil

import numpy as np
import pytest
from helpers import phantom
from helpers.small_models import write_small_model
from helpers.small_scans import place_quickly

from medunsup.core.errors import InputError, OutputError
from medunsup.io.files.artifact_folder import COMPRESSED
from medunsup.workflows.detect.scan import detect
from medunsup.workflows.train import compact_model as compacting
from medunsup.workflows.train.compact_model import compact_model, lighter
from medunsup.workflows.train.model_folder import WEIGHTS, read_model
from medunsup.workflows.train.verify import verify

SHAPE, STEP = (1, 20, 24, 20), 2.0**-9


@pytest.fixture(scope="module")
def models(small_brain, tmp_path_factory):
    """A small model, and its compact copy."""
    folder = tmp_path_factory.mktemp("models")
    scans = []
    for n in range(6):
        image = small_brain.image("T1w", seed=n)
        brain = image.like(np.where(small_brain.mask.data, image.data, 0))
        scans.append(phantom.save(brain, folder / f"sub-{n}_T1w.nii.gz"))
    with pytest.MonkeyPatch.context() as patch:
        place_quickly(patch)
        patch.setattr(compacting, "LEAST_SIZE", 1000)
        whole = read_model(write_small_model(folder / "whole", scans))
        yield whole, compact_model(whole, folder / "compact", notes="\n## Measured\n\nNothing.\n")


def test_scans_get_the_same_verdicts_and_nearly_the_same_maps(models, make_scan):
    whole, compact = (detect(make_scan("new_T1w.nii.gz", seed=9), model, baselines=True) for model in models)
    assert whole.scan.p_value == compact.scan.p_value
    assert [flag.name for flag in whole.flags] == [flag.name for flag in compact.flags]
    inside = whole.brain.data
    differences = np.abs(whole.score.data - compact.score.data)[inside]
    assert np.median(differences) < 0.02 * np.median(whole.score.data[inside])
    assert 0 < len(compact.baselines) < len(whole.baselines)
    assert not [one.name for one in compact.baselines if one.name.startswith("pca")]


def test_it_is_small_sound_and_keeps_card_and_scans(models):
    whole, compact = models
    sizes = [sum(file.stat().st_size for file in model.path.glob("*.safetensors*")) for model in models]
    assert sizes[1] < sizes[0] / 4
    assert verify(compact.path).is_sound
    assert compact.hashes == whole.hashes
    assert compact.synthetic == whole.synthetic
    assert (compact.path / "README.md").read_text().endswith("Nothing.\n")


def test_a_model_is_not_replaced(models):
    with pytest.raises(OutputError, match="holds a model"):
        compact_model(models[0], models[1].path)


def test_a_cut_or_foreign_file_is_refused_in_words(models, tmp_path):
    copy = shutil.copytree(models[1].path, tmp_path / "copy")
    file = copy / (WEIGHTS + COMPRESSED)
    content = file.read_bytes()
    for damaged in (content[: len(content) // 2], b"", b"no xz"):
        file.write_bytes(damaged)
        with pytest.raises(InputError, match="damaged or cut short"):
            read_model(copy).healthy  # noqa: B018


def test_nothing_becomes_zero(monkeypatch):
    monkeypatch.setattr(compacting, "LEAST_SIZE", 1)
    assert (lighter(np.full(SHAPE, STEP / 100, np.float32), SHAPE, STEP) > 0).all()


def test_small_and_exact_arrays_stay_as_they_are():
    few = np.array([1 / 3], np.float32)
    assert lighter(few, SHAPE, STEP) is few
    exact = np.arange(10.0)
    assert lighter(exact, SHAPE, STEP) is exact


def test_values_on_the_grid_move_by_less_than_half_a_step(monkeypatch):
    monkeypatch.setattr(compacting, "LEAST_SIZE", 1)
    values = np.random.default_rng(0).uniform(0.01, 2, SHAPE).astype(np.float32)
    assert np.abs(lighter(values, SHAPE, STEP).astype(np.float32) - values).max() <= STEP / 2 + 1e-7


def test_a_stricter_limit_is_that_of_the_pattern_alone():
    limits = np.array([0.6, 0.02, 0.02, 0.1, 0.0])
    assert compacting.stricter(limits, 0.7).tolist() == [0.7, *limits[1:]]
    assert compacting.stricter(limits, 0.5).tolist() == limits.tolist()
