"""Clusters of voxels by other methods, in a number that the rule chooses, and by an encoder's features."""

import json
import shutil

import nibabel as nib
import numpy as np
import pytest
import torch
from helpers.phantom import make_anatomy, save
from typer.testing import CliRunner

import medunsup
from medunsup.cli.main import app
from medunsup.core.errors import StepError, UsageError
from medunsup.nn.encoder import Encoder
from medunsup.selfsupervised.voxel_maps import voxel_maps
from medunsup.workflows.cluster_patches.clusters import blocks


@pytest.fixture(scope="module")
def head(tmp_path_factory):
    """A scan of a head and its mask, on disk."""
    folder = tmp_path_factory.mktemp("head")
    anatomy = make_anatomy(spacing_mm=(5.0, 5.0, 5.0))
    scan = save(anatomy.image(noise=0.01, bias=0.0), folder / "scan.nii.gz")
    return scan, save(anatomy.mask, folder / "mask.nii.gz", dtype=np.uint8)


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """Two halves of different brightness, and one cloud without parts; with a mask that holds nearly all."""
    folder, shape = tmp_path_factory.mktemp("parts"), (36, 36, 36)
    rng = np.random.default_rng(0)
    halves = np.where(np.indices(shape)[0] < 18, 1.0, 2.0) + 0.02 * rng.normal(size=shape)
    made = {"halves": halves, "cloud": 10 + rng.normal(size=shape), "mask": np.ones(shape)}
    made["mask"][0, 0, 0] = 0
    for name, voxels in made.items():
        image = nib.Nifti1Image(voxels.astype(np.float32), np.diag([4.0, 4.0, 4.0, 1.0]))
        image.header.set_xyzt_units("mm")
        nib.save(image, folder / f"{name}.nii.gz")
    return folder


@pytest.mark.parametrize("method", ["kmeans", "gmm", "agglomerative"])
def test_other_methods_cluster_voxels_as_well(head, method):
    scan, mask = head
    found = medunsup.cluster_patches(scan, mask=mask, k=3, method=method)
    assert len(found.clusters) == 3
    assert found.made.method == method
    assert sum(one.n_voxels for one in found.clusters) == found.brain.data.sum()


def test_voxels_in_no_cluster_have_the_label_0_and_are_told(head):
    scan, mask = head
    found = medunsup.cluster_patches(scan, mask=mask, k=4, method="hdbscan")
    inside = found.brain.data.astype(bool)
    n_none = int((found.labels.data[inside] == 0).sum())
    assert n_none > 0
    assert sum(one.n_voxels for one in found.clusters) + n_none == inside.sum()
    assert any("are in no cluster" in remark for remark in found.remarks)


@pytest.mark.slow
def test_auto_finds_two_halves_with_their_border_and_none_in_a_cloud(parts, tmp_path):
    found = medunsup.cluster_patches(
        parts / "halves.nii.gz", tmp_path / "out", mask=parts / "mask.nii.gz", k="auto", max_k=3
    )
    assert found.verdict.startswith("3 clusters")
    dark, border, bright = found.labels.data[2:15], found.labels.data[17:19], found.labels.data[21:34]
    assert min((dark == 1).mean(), (border == 2).mean(), (bright == 3).mean()) > 0.95
    page = (tmp_path / "out" / "report.html").read_text()
    assert "3 clusters: a valley" in page
    assert "as asked for" not in page
    none = medunsup.cluster_patches(parts / "cloud.nii.gz", mask=parts / "mask.nii.gz", k="auto", max_k=2)
    assert len(none.clusters) == 1
    assert none.verdict.startswith("No clusters were found")
    assert (none.labels.data[none.brain.data.astype(bool)] == 1).all()


def test_blocks_are_cubes_of_20_mm():
    places = np.array([[0.0, 0.0, 0.0], [19.0, 1.0, 2.0], [21.0, 0.0, 0.0], [0.0, 45.0, 0.0]])
    first, second, third, fourth = blocks(places)
    assert first == second
    assert len({first, third, fourth}) == 3


def test_a_mask_too_small_to_tell_and_wrong_choices_are_refused(parts, tmp_path):
    small = np.zeros((36, 36, 36), np.uint8)
    small[:4, :4, :4] = 1
    image = nib.Nifti1Image(small, np.diag([4.0, 4.0, 4.0, 1.0]))
    image.header.set_xyzt_units("mm")
    nib.save(image, tmp_path / "small.nii.gz")
    scan = parts / "halves.nii.gz"
    with pytest.raises(StepError, match="cubes of 20 mm"):
        medunsup.cluster_patches(scan, mask=tmp_path / "small.nii.gz", k="auto")
    for wrong, said in (
        ({"k": 1}, "give 2 to 50"),
        ({"k": 51}, "give 2 to 50"),
        ({"method": "vade"}, "learns"),
    ):
        with pytest.raises(UsageError, match=said):
            medunsup.cluster_patches(scan, mask=parts / "mask.nii.gz", **wrong)


class Blurred(Encoder):
    """Two maps: the image itself and twice it, and their means over 2 voxels."""

    method_name = "blurred"
    has_blocks = True
    widths, strides, divisor = (2, 2), (1, 2), 2

    def __init__(self, dims: int) -> None:
        super().__init__(dims=dims, channels=1)
        self.unused = torch.nn.Parameter(torch.zeros(1))

    def maps(self, x):
        pool = {2: torch.nn.functional.avg_pool2d, 3: torch.nn.functional.avg_pool3d}[self.dims]
        both = torch.cat([x, 2 * x], dim=1)
        return [both, pool(both, 2)]


@pytest.mark.parametrize("dims", [2, 3])
def test_maps_of_voxels_lie_where_the_image_is(dims):
    rng = np.random.default_rng(0)
    values, mask = rng.normal(size=(1, 13, 10, 9)).astype(np.float32), np.zeros((13, 10, 9), bool)
    mask[2:11, 2:8, 1:8] = True
    found = voxel_maps(Blurred(dims).eval(), values, mask, n_axes=2)
    assert list(found) == ["map1/01", "map1/02", "map2/01", "map2/02"]
    own = found["map1/01"][mask]
    assert np.corrcoef(own, values[0][mask])[0, 1] == pytest.approx(1, abs=1e-5)
    assert own.var() == pytest.approx(1, abs=1e-3)
    assert found["map1/02"][mask].var() == pytest.approx(0, abs=1e-6)
    assert np.corrcoef(found["map2/01"][mask], values[0][mask])[0, 1] > 0.3


@pytest.mark.usefixtures("quick_registration")
def test_voxels_are_clustered_by_what_an_encoder_makes_of_them(finetuned, patient, tmp_path):
    encoder = shutil.copytree(finetuned.path.parent / "encoder", tmp_path / "encoder")
    words = ["cluster", "patches", str(patient), "--encoder", str(encoder), "--k", "3", "--json", "-q"]
    ran = CliRunner().invoke(app, [*words, "-o", str(tmp_path / "out")])
    assert ran.exit_code == 0, ran.output
    told = json.loads(ran.stdout)
    assert (told["k"], told["encoder"]) == (3, "encoder")
    assert told["features"][0] == "map1/01"
    image, labels = nib.load(patient), nib.load(tmp_path / "out" / "patches_dseg.nii.gz")
    assert labels.shape == image.shape
    np.testing.assert_allclose(labels.affine, image.affine)
    assert "encoder makes of each voxel" in (tmp_path / "out" / "report.html").read_text()


def test_an_encoder_of_images_is_refused(tmp_path, head):
    from helpers.pretraining import write_images

    small = {"epochs": 1, "batch_size": 4, "encoder_parameters": {"channels": 2, "levels": 2}}
    medunsup.pretrain("autoencoder", write_images(tmp_path / "i.npz"), tmp_path / "runs", parameters=small)
    with pytest.raises(UsageError, match="pretrained on images"):
        medunsup.cluster_patches(head[0], mask=head[1], encoder=tmp_path / "runs")
