"""Mean images of clusters and pictures of scans, from what `embed` prepared."""

import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from helpers.feature_tables import groups
from helpers.healthy_scans import SPACING_MM

import medunsup
from medunsup.cohort.prepare import kept, prepare
from medunsup.cohort.request import ScanRequest
from medunsup.core.errors import OutputError
from medunsup.preprocess.geometry.template_grid import ModelSpace
from medunsup.workflows.cluster.images import mean_images

pytestmark = pytest.mark.usefixtures("quick_registration")


@pytest.fixture(scope="module")
def grid():
    """The grid that prepared scans lie on."""
    return ModelSpace(8.0).grid


class Scan:
    """A prepared scan of one value in the brain."""

    def __init__(self, value, mask):
        self.values, self.mask = (value * mask)[None].astype(np.float32), mask


def test_means_and_differences_are_those_of_the_values(grid):
    whole = np.ones(grid.shape, bool)
    half = whole.copy()
    half[: grid.shape[0] // 2] = False
    scans = [Scan(1.0, whole), Scan(3.0, whole), Scan(5.0, half), Scan(7.0, half), Scan(100.0, whole)]
    found = mean_images([0, 0, 1, 1, -1], 2, lambda: iter(enumerate(scans)), 8.0)
    first, second = found
    assert (first.n, second.n) == (2, 2)
    np.testing.assert_allclose(first.mean, 2.0)
    np.testing.assert_allclose(second.mean, 6.0 * half)
    np.testing.assert_allclose(first.difference, -4.0 * half)
    np.testing.assert_allclose(second.difference, 4.0 * half)
    np.testing.assert_allclose(first.affine, grid.affine)


def test_a_table_of_embed_leads_to_means_and_scans_on_the_page(few, tmp_path):
    scans = tmp_path / "scans"
    scans.mkdir()
    for scan in sorted(few.iterdir())[:4]:
        shutil.copy(scan, scans)
    table = tmp_path / "features.csv"
    made = medunsup.embed(scans, table, features=["intensity"], spacing_mm=SPACING_MM)
    how = {"method": "kmeans", "k": 2, "seeds": 1, "umap": False}
    found = medunsup.cluster(table, tmp_path / "out", **how)
    images = {path.name for path in (tmp_path / "out" / "images").iterdir()}
    assert images == {f"cluster-{n}_{kind}.nii.gz" for n in (0, 1) for kind in ("mean", "difference")}
    inside = [n for n, label in enumerate(found.labels) if label == 0]
    own = [prepare(ScanRequest(scans / made.column("scan")[n]), SPACING_MM) for n in inside]
    counts = np.sum([one.mask for one in own], axis=0)
    expected = np.sum([one.values[0] * one.mask for one in own], axis=0) / np.maximum(counts, 1)
    image = nib.load(tmp_path / "out" / "images" / "cluster-0_mean.nii.gz")
    np.testing.assert_allclose(
        image.get_fdata(), np.where((2 * counts >= len(own)) & (counts > 0), expected, 0), atol=1e-5
    )
    np.testing.assert_allclose(image.affine, ModelSpace(SPACING_MM).grid.affine, atol=1e-4)
    text = (tmp_path / "out" / "report.html").read_text()
    assert text.count('alt="Middle slices of') == 4
    assert text.count('alt="Mean of') == 2
    shutil.rmtree(tmp_path / "prepared")
    medunsup.cluster(table, tmp_path / "out", force=True, **how)
    assert not (tmp_path / "out" / "images").exists()
    assert "Mean image of each cluster" not in (tmp_path / "out" / "report.html").read_text()


def test_images_that_are_not_of_clusters_stay_and_those_of_others_are_not_replaced(tmp_path):
    (tmp_path / "images").mkdir()
    for name in ("scan.nii.gz", "cluster-headache_mean.nii.gz", "cluster-0_mean.nii.gz"):
        (tmp_path / "images" / name).write_bytes(b"mine")
    how = {"method": "kmeans", "k": 2, "seeds": 1, "umap": False}
    with pytest.raises(OutputError, match="cluster-0_mean"):
        medunsup.cluster(groups(20), tmp_path, **how)
    medunsup.cluster(groups(20), tmp_path, force=True, **how)
    left = {path.name for path in (tmp_path / "images").iterdir()}
    assert left == {"scan.nii.gz", "cluster-headache_mean.nii.gz"}


def test_a_table_names_scans_that_are_drawn_as_they_are(few, tmp_path):
    names = [Path(shutil.copy(scan, tmp_path)) for scan in sorted(few.iterdir())[:2]]
    rows = "".join(f"{name.name},{n}.0,1.{n}\n" for n, name in enumerate(names))
    (tmp_path / "mine.csv").write_text("scan,a,b\n" + rows + "gone.nii.gz,9.0,0.5\n")
    medunsup.cluster(tmp_path / "mine.csv", tmp_path / "out", method="kmeans", k=2, seeds=1, umap=False)
    assert (tmp_path / "out" / "report.html").read_text().count('alt="Middle slices of') == 2


def test_nothing_is_kept_under_a_name_that_is_not_there(tmp_path):
    assert kept(tmp_path, "none") is None
