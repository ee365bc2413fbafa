"""From scans or images to a table of features: whose rows, resumed, what fails, what is refused."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from helpers.healthy_scans import SPACING_MM
from helpers.pretraining import write_images
from helpers.volumes_of_tables import same_as_segment

import medunsup
from medunsup.cohort.prepare import prepare
from medunsup.cohort.request import ScanRequest
from medunsup.core.errors import InputError, ResultThereError, UsageError
from medunsup.features import FeatureInput, Intensity
from medunsup.preprocess.geometry.template_grid import ModelSpace
from medunsup.workflows.embed import row

TINY = {"epochs": 1, "batch_size": 4, "encoder_parameters": {"channels": 2, "levels": 2}}

pytestmark = pytest.mark.usefixtures("quick_registration")


@pytest.fixture
def folder(few, tmp_path) -> Path:
    """Four people of the eight, so that a test takes a second."""
    made = tmp_path / "scans"
    made.mkdir()
    for scan in sorted(few.iterdir())[:4]:
        shutil.copy(scan, made)
    return made


def embed(data, out, **more):
    return medunsup.embed(data, out, **{"features": ["intensity"], "spacing_mm": SPACING_MM} | more)


def test_every_scan_has_a_row_with_its_keys_and_covariates(folder, tmp_path):
    table = "participant_id\tage\tsite\n" + "".join(f"sub-{n:02d}\t{60 + n}\tA\n" for n in (2, 0))
    table += "sub-01\tn/a\tB\n"
    (folder / "participants.tsv").write_text(table)
    made = embed(folder, tmp_path / "features.csv", features=["volumes", "intensity", "first_order"])
    read = medunsup.read_features(tmp_path / "features.csv", drop_constant=False)
    assert np.array_equal(read.values, made.values)
    assert made.column("subject") == ("sub-00", "sub-01", "sub-02", "sub-03")
    assert made.column("age") == ("60", "", "62", "")
    assert made.column("scan")[0] == sorted(scan.name for scan in folder.glob("*.nii.gz"))[0]
    assert {name.split("/")[0] for name in made.names} == {"volumes", "intensity", "first_order"}
    told = json.loads((tmp_path / "features.json").read_text())
    assert set(told["columns"]) == set(made.names)
    assert (told["contrast"], told["spacing_mm"]) == ("T1w", SPACING_MM)


def test_features_are_those_of_the_prepared_scan(folder, tmp_path):
    made = embed(folder, tmp_path / "features.csv")
    scan = prepare(ScanRequest(folder / made.column("scan")[2]), SPACING_MM)
    expected = Intensity().transform(FeatureInput(scan.values, scan.mask))
    assert np.array_equal(made.values[2], expected)


def test_volumes_are_those_of_the_tissue_fractions_in_the_head(folder, tmp_path):
    from medunsup.cohort.tissue_fractions import template_priors, tissue_fractions

    made = embed(folder, tmp_path / "features.csv", features=["volumes"])
    scan = prepare(ScanRequest(folder / made.column("scan")[1]), SPACING_MM)
    found = tissue_fractions(
        scan.values, scan.mask, template_priors(SPACING_MM), contrast="T1w", spacing_mm=SPACING_MM
    )
    grid_ml = SPACING_MM**3 / 1000  # the registration of the test neither stretches nor shrinks
    named = dict(zip(made.names, made.values[1], strict=True))
    assert named["volumes/GM_ml"] == pytest.approx(found[0].sum() * grid_ml, rel=1e-5)
    assert named["volumes/brain_ml"] == pytest.approx(scan.mask.sum() * grid_ml, rel=1e-5)


@pytest.mark.slow
def test_volumes_at_the_scan_are_those_that_segment_writes(folder, tmp_path):
    same_as_segment(sorted(folder.glob("*.nii.gz"))[1], tmp_path, spacing_mm=SPACING_MM)
    on_grid = embed(folder, tmp_path / "grid.csv", features=["volumes"])
    at_scan = medunsup.read_features(tmp_path / "f.csv", drop_constant=False)
    assert at_scan.column("scan")[0] == on_grid.column("scan")[1]
    assert abs(at_scan.values[0] - on_grid.values[1]).max() > 1  # ml: another question, another answer


def test_a_run_that_was_ended_goes_on_where_it_was(folder, tmp_path, monkeypatch):
    done, measured = [], row._measured

    def until_the_third(task, say):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(task.request.path)
        return measured(task, say)

    monkeypatch.setattr(row, "_measured", until_the_third)
    with pytest.raises(KeyboardInterrupt):
        embed(folder, tmp_path / "features.csv")
    assert not (tmp_path / "features.csv").exists()
    again = []
    monkeypatch.setattr(
        row, "_measured", lambda task, say: again.append(task.request.path) or measured(task, say)
    )
    resumed = embed(folder, tmp_path / "features.csv")
    assert len(again) == 2
    assert not set(again) & set(done)
    whole = embed(folder, tmp_path / "other.csv", cache=tmp_path / "fresh")
    assert np.array_equal(resumed.values, whole.values)


def test_scans_that_it_prepared_are_ready_for_a_pretraining(folder, tmp_path):
    embed(folder, tmp_path / "features.csv")
    made = {path: path.stat().st_mtime_ns for path in (tmp_path / "prepared").iterdir()}
    medunsup.pretrain("autoencoder", folder, tmp_path / "ae", parameters=TINY, spacing_mm=SPACING_MM)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "prepared").iterdir()} == made


def test_a_scan_that_fails_is_named_and_has_no_row(folder, tmp_path, caplog):
    (folder / "sub-99_T1w.nii.gz").write_bytes(b"no image")
    made = embed(folder, tmp_path / "features.csv")
    assert len(made) == 4
    assert list(made.attributes["failed"]) == ["sub-99_T1w.nii.gz"]
    assert "sub-99_T1w.nii.gz" in caplog.text


def test_components_of_the_cohort(folder, tmp_path):
    made = embed(folder, tmp_path / "f.csv", features=["pca"], parameters={"pca.n_components": 2})
    assert made.names == ("pca/001", "pca/002")
    assert abs(made.values.mean(axis=0)).max() < 1e-6 * abs(made.values).max()
    images = tmp_path / made.attributes["images"]["pca"]
    names = [
        "component-001",
        "component-002",
        "mean",
        *(f"mode-00{n}_{s}" for n in (1, 2) for s in ("high", "low")),
    ]
    assert sorted(path.name for path in images.glob("*.nii.gz")) == [f"{name}.nii.gz" for name in names]
    mean = medunsup.load(images / "mean.nii.gz")
    first = prepare(ScanRequest(folder / made.column("scan")[0]), SPACING_MM)
    assert mean.data.shape == first.mask.shape
    assert np.allclose(mean.affine, ModelSpace(SPACING_MM).grid.affine)
    assert np.corrcoef(mean.data.ravel(), first.values.ravel())[0, 1] > 0.9


def test_an_encoder_of_scans_prepares_them_as_its_pretraining(folder, tmp_path):
    medunsup.pretrain(
        "autoencoder", folder, tmp_path / "runs", parameters=TINY, spacing_mm=SPACING_MM, validation=0
    )
    made = medunsup.embed(folder, tmp_path / "features.csv", encoder=tmp_path / "runs")
    encoder = medunsup.Encoder.load(tmp_path / "runs")
    scan = prepare(ScanRequest(folder / made.column("scan")[0]), SPACING_MM)
    assert made.values[0] == pytest.approx(encoder.transform(scan.values[None], scan.mask[None])[0], rel=1e-6)
    assert made.names[0] == "encoder/001"
    with pytest.raises(UsageError, match="was pretrained at"):
        medunsup.embed(folder, tmp_path / "g.csv", encoder=tmp_path / "runs", spacing_mm=4.0)


def test_images_have_the_features_of_an_encoder(tmp_path):
    images = write_images(tmp_path / "images.npz")
    medunsup.pretrain("autoencoder", images, tmp_path / "runs", parameters=TINY)
    made = medunsup.embed(images, tmp_path / "features.parquet", encoder=tmp_path / "runs")
    with np.load(images) as kept:
        n, first = len(kept["train_images"]), kept["train_images"]
    assert made.column("scan")[0] == "train_images[0]"
    assert made.column("split").count("train") == n
    expected = medunsup.Encoder.load(tmp_path / "runs").transform(first)
    assert made.values[:n] == pytest.approx(expected, abs=1e-6)
    with pytest.raises(UsageError, match="encoder"):
        medunsup.embed(images, tmp_path / "g.csv")
    with pytest.raises(UsageError, match="encoder"):
        medunsup.embed(images, tmp_path / "g.csv", features=["volumes"], encoder=tmp_path / "runs")


def test_nothing_is_replaced_without_force(folder, tmp_path):
    embed(folder, tmp_path / "features.csv")
    with pytest.raises(ResultThereError, match="force"):
        embed(folder, tmp_path / "features.csv")
    embed(folder, tmp_path / "features.csv", force=True)


@pytest.mark.parametrize(
    ("choices", "told"),
    [
        ({"features": ["bones"]}, "no feature method 'bones'"),
        ({"features": []}, "No features are asked for"),
        ({"parameters": {"pca.n_components": 3}}, "'pca.n_components' is of none"),
        ({"parameters": {"intensity.bin": 3}}, "did you mean 'bins'"),
    ],
)
def test_wrong_choices_are_refused(folder, tmp_path, choices, told):
    with pytest.raises(UsageError, match=told):
        embed(folder, tmp_path / "features.csv", **choices)


def test_the_same_scan_in_two_files_is_refused(folder, tmp_path):
    shutil.copy(next(iter(sorted(folder.glob("*.nii.gz")))), folder / "sub-77_T1w.nii.gz")
    with pytest.raises(InputError, match="hold the same scan"):
        embed(folder, tmp_path / "features.csv")


def test_a_folder_whose_scans_all_fail_is_refused(tmp_path):
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "sub-1_T1w.nii.gz").write_bytes(b"no image")
    with pytest.raises(InputError, match="none of 1 scans can be used"):
        embed(tmp_path / "bad", tmp_path / "features.csv")
