"""`cluster patches`: labels in the scan's own space, ordered by brightness; what is refused."""

import json

import nibabel as nib
import numpy as np
import pytest
from helpers.phantom import make_anatomy, save
from typer.testing import CliRunner

from medunsup.cli.main import app
from medunsup.core.errors import ResultThereError, StepError, UsageError
from medunsup.features.voxels import voxel_features
from medunsup.workflows.cluster_patches.patches import cluster_patches


@pytest.fixture(scope="module")
def phantom():
    """A small head of three tissues."""
    return make_anatomy(spacing_mm=(3.0, 3.5, 4.0), scale=0.5)


@pytest.fixture
def files(phantom, tmp_path):
    """A scan and its brain mask, stored along the axes asked for."""

    def written(axes="RAS", noise=0.0):
        image = phantom.image(noise=noise, bias=0.0)
        scan = save(image, tmp_path / f"{axes}.nii.gz", axes=axes)
        return scan, save(phantom.mask, tmp_path / f"{axes}_mask.nii.gz", axes=axes, dtype=np.uint8)

    return written


@pytest.mark.parametrize("axes", ["RAS", "LPI", "PSR", "ASL"])
def test_labels_lie_on_the_scan_as_it_was_stored_in_any_orientation(files, tmp_path, axes):
    scan, mask = files(axes)
    found = cluster_patches(scan, tmp_path / "out", mask=mask, k=4)
    given, labels = nib.load(scan), nib.load(tmp_path / "out" / "patches_dseg.nii.gz")
    assert labels.shape == given.shape
    assert np.array_equal(labels.affine, given.affine)
    assert labels.header.get_sform(coded=True)[1] == given.header.get_sform(coded=True)[1]
    assert labels.get_data_dtype() == np.uint8
    stored, inside = np.asarray(labels.dataobj), nib.load(mask).get_fdata() > 0
    assert np.array_equal(stored > 0, inside)
    values = given.get_fdata()
    for one in found.clusters:
        assert values[stored == one.label.index].mean() == pytest.approx(one.mean_intensity, rel=1e-5)


def test_the_same_head_stored_otherwise_has_the_same_clusters(files):
    first, second = (cluster_patches(scan, mask=mask, k=4) for scan, mask in (files("RAS"), files("LPI")))
    same = (first.labels.data == second.labels.data)[first.brain.data.astype(bool)].mean()
    assert same > 0.99


def test_clusters_are_numbered_from_dark_to_bright_and_their_sizes_add_up(files, phantom):
    scan, mask = files(noise=0.02)
    found = cluster_patches(scan, mask=mask, k=5)
    means = [one.mean_intensity for one in found.clusters]
    assert means == sorted(means)
    assert [one.label.index for one in found.clusters] == [1, 2, 3, 4, 5]
    voxel_ml = 3.0 * 3.5 * 4.0 / 1000
    assert sum(one.ml for one in found.clusters) == pytest.approx(phantom.mask.data.sum() * voxel_ml)
    assert sum(one.share for one in found.clusters) == pytest.approx(1)
    assert len({one.label.rgb for one in found.clusters}) == 5


def test_what_lies_outside_the_mask_changes_no_feature(phantom):
    image, mask = phantom.image().data, phantom.mask.data
    _, rows = voxel_features(image, mask, (3.0, 3.5, 4.0))
    outside = np.where(mask, image, 1e4)
    _, others = voxel_features(outside, mask, (3.0, 3.5, 4.0))
    np.testing.assert_array_equal(rows, others)
    np.testing.assert_allclose(rows.mean(axis=0), 0, atol=1e-3)
    np.testing.assert_allclose(rows.std(axis=0), 1, atol=1e-3)


def test_gradients_are_per_millimetre_along_every_axis():
    i, j, k = np.meshgrid(np.arange(40) * 1.0, np.arange(20) * 2.0, np.arange(14) * 3.0, indexing="ij")
    first, second = j < 16, j > 22  # with a gap between, where nothing is counted
    names, rows = voxel_features(np.where(first, i, k), first | second, (1.0, 2.0, 3.0))
    column, inside = rows[:, names.index("gradient_1.5mm")], first | second
    middle = (abs(i - 20) < 6) & (abs(k - 20) < 6)
    ramps = [column[(part & middle)[inside]] for part in (first & (j < 10), second & (j > 28))]
    assert np.median(ramps[0]) == pytest.approx(np.median(ramps[1]), abs=0.05)
    assert np.ptp(np.concatenate(ramps)) < 0.2 < column.std()


def test_the_command_of_two_words_writes_all_and_prints_one_object(files, tmp_path):
    scan, mask = files()
    words = ["cluster", "patches", str(scan), "--k", "3", "-o", str(tmp_path / "o"), "--mask", str(mask)]
    ran = CliRunner().invoke(app, [*words, "--json", "-q"])
    assert ran.exit_code == 0, ran.output
    told = json.loads(ran.stdout)
    assert told["k"] == 3
    assert {path.name for path in (tmp_path / "o").iterdir() if path.name[0] != "."} == {
        "patches_dseg.nii.gz",
        "dseg.tsv",
        "report.html",
        "patches.json",
    }
    text = (tmp_path / "o" / "report.html").read_text()
    assert text[text.index("<h1") :].split(">")[1].startswith("3 clusters of ")
    rows = (tmp_path / "o" / "dseg.tsv").read_text().splitlines()
    assert rows[0].split("\t")[:3] == ["index", "name", "color"]
    assert [row.split("\t")[0] for row in rows[1:]] == ["1", "2", "3"]
    again = CliRunner().invoke(app, words)
    assert again.exit_code == 2, again.output


def test_a_table_of_rows_is_still_what_cluster_takes():
    ran = CliRunner().invoke(app, ["cluster", "--help"])
    assert "FEATURES" in ran.output
    assert "SCAN" in CliRunner().invoke(app, ["cluster", "patches", "--help"]).output


def test_the_same_seed_gives_the_same_bytes(files, tmp_path):
    scan, mask = files(noise=0.02)
    for name in ("a", "b"):
        cluster_patches(scan, tmp_path / name, mask=mask, k=4)
    for path in (tmp_path / "a").glob("[!.]*"):
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_what_cannot_be_clustered_is_refused_in_words(files, phantom, tmp_path):
    scan, mask = files()
    with pytest.raises(UsageError, match="k"):
        cluster_patches(scan, mask=mask, k=1)
    few = phantom.mask.like(np.zeros(phantom.mask.shape, bool))
    few.data[5:6, 5:6, 5:7] = True
    with pytest.raises(StepError, match="too few for 6 clusters"):
        cluster_patches(scan, mask=save(few, tmp_path / "few.nii.gz", dtype=np.uint8))
    cluster_patches(scan, tmp_path / "out", mask=mask, k=2)
    with pytest.raises(ResultThereError, match="force"):
        cluster_patches(scan, tmp_path / "out", mask=mask, k=2)
