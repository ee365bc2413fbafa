"""What scans look like along the axes of a map, and which features axes are made of."""

import shutil

import numpy as np
import pytest
from helpers.feature_tables import table
from helpers.healthy_scans import SPACING_MM

import medunsup
from medunsup.core.errors import OutputError
from medunsup.io.files.tsv import read_tsv
from medunsup.preprocess.geometry.template_grid import ModelSpace
from medunsup.workflows.reduce.images import changes

SPACING = 8.0


class Scan:
    """A prepared scan of such values where the mask is."""

    def __init__(self, values, mask):
        self.values, self.mask = (values * mask)[None].astype(np.float32), mask


def test_a_voxel_changes_by_its_slope_along_the_axis_and_others_do_not():
    shape = ModelSpace(SPACING).grid.shape
    rng = np.random.default_rng(0)
    places = rng.normal(size=(12, 2)) * [3.0, 1.0]
    whole, half = np.ones(shape, bool), np.ones(shape, bool)
    half[: shape[0] // 2] = False
    scans = []
    for n, (first, _) in enumerate(places):
        values = np.full(shape, 0.5)
        values[-1] += 0.1 * first
        scans.append(Scan(values, half if n > 3 else whole))
    found = changes(places, lambda: iter(enumerate(scans)), SPACING)
    along = found.changes["pca_1"]
    assert found.n == 12
    np.testing.assert_allclose(along[-1], 0.1 * places[:, 0].std(), rtol=1e-4)
    np.testing.assert_allclose(along[:-1], 0, atol=1e-6)
    assert not found.inside[0].any()
    np.testing.assert_allclose(found.mean[-2], 0.5, rtol=1e-5)
    assert not found.mean[0].any()


def test_few_scans_and_other_grids_have_no_images():
    shape = ModelSpace(SPACING).grid.shape
    places = np.arange(8.0).reshape(4, 2)
    good, other = Scan(1.0, np.ones(shape, bool)), Scan(1.0, np.ones((3, 3, 3), bool))
    assert changes(places, lambda: iter(enumerate([good, good, other, other])), SPACING) is None


@pytest.mark.usefixtures("quick_registration")
def test_a_table_of_embed_leads_to_images_along_the_axes(few, tmp_path):
    scans = tmp_path / "scans"
    scans.mkdir()
    for scan in sorted(few.iterdir())[:4]:
        shutil.copy(scan, scans)
    features = tmp_path / "features.csv"
    medunsup.embed(scans, features, features=["intensity"], spacing_mm=SPACING_MM)
    medunsup.reduce(features, tmp_path / "map", method="pca")
    images = {path.name for path in (tmp_path / "map" / "images").iterdir()}
    assert images == {"axis-mean.nii.gz", "axis-1_change.nii.gz", "axis-2_change.nii.gz"}
    assert "What scans look like along the axes" in (tmp_path / "map" / "report.html").read_text()
    (tmp_path / "prepared").rename(tmp_path / "elsewhere")
    medunsup.reduce(features, tmp_path / "map", method="pca", force=True)
    assert not (tmp_path / "map" / "images").exists()
    assert "What scans look like" not in (tmp_path / "map" / "report.html").read_text()


def test_loadings_are_correlations_of_features_with_axes(tmp_path):
    rows = table()
    found = medunsup.reduce(rows, tmp_path, method="pca")
    for axis in range(2):
        for feature in range(8):
            expected = np.corrcoef(found.places[:, axis], rows.values[:, feature])[0, 1]
            assert found.loadings[axis, feature] == pytest.approx(expected, abs=1e-9)
    written = read_tsv(tmp_path / "loadings.tsv")
    assert written.names == ["feature", "pca_1", "pca_2"]
    assert [row["feature"] for row in written.rows] == list(rows.names)
    text = (tmp_path / "report.html").read_text()
    assert "axes are of standardised features" in text
    assert text.count("<rect") == 16


def test_axes_of_features_in_their_own_units_are_called_so(tmp_path):
    medunsup.reduce(table(), tmp_path, method="pca", parameters={"standardize": False})
    assert "Features kept their units" in (tmp_path / "report.html").read_text()


def test_an_image_of_someone_else_is_not_replaced(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "axis-mean.nii.gz").write_bytes(b"mine")
    with pytest.raises(OutputError, match="axis-mean"):
        medunsup.reduce(table(), tmp_path, method="pca")
