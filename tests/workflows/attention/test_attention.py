"""Maps of where an encoder looks lie where the scan is, left at the left, however the scan was stored."""

import json
import re
import shutil
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch
from helpers import phantom
from helpers.healthy_scans import SPACING_MM, write_person
from helpers.small_scans import place_quickly
from torch import Tensor
from typer.testing import CliRunner

import medunsup
from medunsup.cli.main import app
from medunsup.core.errors import InputError, ResultThereError, UsageError
from medunsup.nn.attention import looked_at
from medunsup.nn.encoder import Encoder
from medunsup.report.attention.page import LIMITS

LEFT = np.s_[6:11, 14:19, 12:17]
VIT = {"sides": 32, "patch": 8, "width": 12, "layers": 2, "heads": 2}


class Bright(Encoder):
    """Feature maps that are the image itself, and at half the resolution: strong where the scan is bright."""

    method_name = "bright"
    has_blocks = True
    widths, strides, divisor = (1, 1), (1, 2), 2

    def __init__(self, dims: int) -> None:
        super().__init__(dims=dims, channels=1)
        self.unused = torch.nn.Parameter(torch.zeros(1))

    def maps(self, x: Tensor) -> list[Tensor]:
        pool = {2: torch.nn.functional.avg_pool2d, 3: torch.nn.functional.avg_pool3d}[self.dims]
        return [x, pool(x, 2)]


@pytest.fixture(scope="module")
def place(finetuned, people, tmp_path_factory) -> Path:
    """An encoder of slices with a network that was fine-tuned from it, and a transformer."""
    folder = tmp_path_factory.mktemp("place")
    shutil.copytree(finetuned.path.parent / "encoder", folder / "cnn")
    shutil.copytree(finetuned.path, folder / "seg")
    (folder / "scans").mkdir()
    for path in sorted(people.iterdir())[:4]:
        shutil.copy(path, folder / "scans")
    sizes = {"epochs": 1, "batch_size": 4, "encoder": "vit", "encoder_parameters": VIT}
    with pytest.MonkeyPatch.context() as patch:
        place_quickly(patch)
        medunsup.pretrain("simclr", folder / "scans", folder / "vit", parameters=sizes, spacing_mm=SPACING_MM)
    return folder


@pytest.fixture(autouse=True)
def _quick(quick_registration: None) -> None:
    """No scan is registered."""


def bright(place: Path, dims: int):
    folder = medunsup.Encoder.load(place / "cnn").folder_
    folder.__dict__["network"] = Bright(dims).eval()
    return folder


def stored(patient: Path, folder: Path, how: str) -> Path:
    """Write the patient with other axes, or tilted: the same voxels elsewhere in the world."""
    image = nibabel.load(patient)
    path = folder / "scan_T1w.nii.gz"
    if how == "oblique":
        a, b = np.deg2rad(12), np.deg2rad(-9)
        turn = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
        turn = turn @ np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
        affine = image.affine.copy()
        affine[:3] = turn @ affine[:3]
        nibabel.save(nibabel.Nifti1Image(np.asarray(image.dataobj), affine), path)
    else:
        wanted = nibabel.orientations.axcodes2ornt(tuple(how))
        turn = nibabel.orientations.ornt_transform(nibabel.io_orientation(image.affine), wanted)
        nibabel.save(image.as_reoriented(turn), path)
    return path


@pytest.fixture(scope="module")
def lopsided(small_brain, tmp_path_factory) -> Path:
    """A scan of a brain that is twice as bright at one place of its left side."""
    image = small_brain.image("T1w", noise=0.01)
    values = np.where(small_brain.mask.data, image.data, 0)
    assert small_brain.mask.data[LEFT].all()
    values[LEFT] *= 2
    path = tmp_path_factory.mktemp("lopsided") / "scan_T1w.nii.gz"
    return phantom.save(image.like(values.astype(np.float32)), path)


@pytest.mark.parametrize("how", ["RAS", "LAS", "PIR", "oblique"])
@pytest.mark.parametrize("dims", [2, 3])
def test_what_is_bright_at_the_left_is_strong_at_the_left(place, lopsided, tmp_path, how, dims):
    scan = stored(lopsided, tmp_path, how)
    medunsup.attention(bright(place, dims), scan, tmp_path / "out")
    image = nibabel.load(scan)
    middle = [*(np.mean([part.start, part.stop - 1]) for part in LEFT), 1]
    spot_mm = ((image.affine if how == "oblique" else nibabel.load(lopsided).affine) @ middle)[:3]
    assert spot_mm[0] < -3 * SPACING_MM  # so that a mirror would be noticed
    for name in ("", "fine"):
        found = nibabel.load(tmp_path / "out" / f"scan_T1w_desc-attention{name}_statmap.nii.gz")
        assert found.shape == image.shape
        np.testing.assert_allclose(found.affine, image.affine, atol=1e-4)
        values = np.asarray(found.dataobj)
        strongest = np.argwhere(values > 0.9 * values.max()).mean(axis=0)
        assert np.linalg.norm((found.affine @ [*strongest, 1])[:3] - spot_mm) < SPACING_MM


@pytest.mark.parametrize("encoder", ["cnn", "vit"])
def test_maps_are_from_0_to_1_in_the_brain_and_0_outside(place, patient, encoder):
    found = medunsup.attention(place / encoder, patient)
    names = {"cnn": ["coarse", "fine", "middle"], "vit": ["mean", "head1", "head2"]}[encoder]
    assert list(found.maps) == names == list(found.scales)
    for one in found.maps.values():
        assert one.grid.is_close(found.image.grid)
        assert (one.data[~found.brain.data.astype(bool)] == 0).all()
        assert 0 <= one.data.min() < one.data.max() <= 1


def test_slices_of_arrays_are_looked_at_alone_and_share_one_scale(place):
    opened = medunsup.Encoder.load(place / "vit")
    scan = np.random.default_rng(0).random((1, 1, 32, 32, 4)).astype(np.float32)
    maps = opened.attention(scan)
    assert list(maps) == ["mean", "head1", "head2"]
    assert maps["mean"].shape == (1, 32, 32, 4)
    alone = [looked_at(opened.network, torch.from_numpy(scan[..., k]))["head2"][0].numpy() for k in range(4)]
    wanted = np.stack(alone, axis=-1)
    top = np.percentile(wanted, 99.5)
    np.testing.assert_allclose(maps["head2"][0], np.minimum(wanted / top, 1), atol=1e-5)


def test_attention_that_is_nearly_uniform_is_told_of(place, patient):
    folder = medunsup.Encoder.load(place / "vit").folder_
    assert not medunsup.attention(folder, patient).remarks
    torch.nn.init.zeros_(folder.network.vit.blocks[-1].attn.qkv.weight)
    found = medunsup.attention(folder, patient)
    assert list(found.scales.values()) == pytest.approx([1, 1, 1], abs=1e-5)
    assert any("nearly uniform" in one for one in found.remarks)


def test_beside_a_fine_tuned_network_the_same_maps_stand(place, patient, tmp_path):
    found = medunsup.attention(place / "cnn", patient, tmp_path / "out", beside=place / "seg")
    assert list(found.beside) == list(found.maps)
    assert any(
        not np.allclose(one.data, found.beside[name].data, atol=1e-3) for name, one in found.maps.items()
    )
    names = {path.name for path in (tmp_path / "out").rglob("*")}
    assert {"sub-99_desc-finetunedcoarse_statmap.nii.gz", "sub-99_desc-finetunedfine_statmap.json"} <= names
    with pytest.raises(UsageError, match="one of the same kind"):
        medunsup.attention(place / "vit", patient, beside=place / "seg")


def test_a_result_is_whole_told_of_and_not_replaced_unasked(place, patient, tmp_path):
    words = ["attention", str(place / "vit"), str(patient), "-o", str(tmp_path / "out")]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    anat = tmp_path / "out" / "sub-99" / "anat"
    sidecar = json.loads((anat / "sub-99_desc-attention_statmap.json").read_text())
    assert sidecar["Kind"] == "attention"
    assert sidecar["Encoder"]["method"] == "simclr"
    assert set(sidecar["Scales"]) == {"mean", "head1", "head2"}
    page = (anat / "sub-99_desc-attention_report.html").read_text()
    assert LIMITS[0] in page
    assert "http" not in page.replace("http-equiv", "")
    assert page.count('class="planes"') == 4
    again = CliRunner().invoke(app, words)
    assert again.exit_code == 2
    assert "--force" in again.output
    with pytest.raises(ResultThereError):
        medunsup.attention(place / "cnn", patient, tmp_path / "out")
    medunsup.attention(place / "cnn", patient, tmp_path / "out", force=True)
    assert not list(anat.glob("*head*"))  # of the result that was replaced


def test_scans_and_encoders_that_do_not_go_together_are_refused(place, small_brain, patient, tmp_path):
    dark = write_person(tmp_path / "sub-1_T2w.nii.gz", small_brain, 1, contrast="T2w")
    with pytest.raises(InputError, match="T1w scans, these are T2w"):
        medunsup.attention(place / "cnn", dark, tmp_path / "no")
    coarse = phantom.make_anatomy(spacing_mm=(5, 5, 13), supersample=1)
    write_person(tmp_path / "sub-2_T1w.nii.gz", coarse, 2)
    with pytest.raises(InputError, match="ratio beyond"):
        medunsup.attention(place / "cnn", tmp_path / "sub-2_T1w.nii.gz")
    from helpers.pretraining import write_images

    sizes = {"epochs": 1, "batch_size": 4}
    medunsup.pretrain("autoencoder", write_images(tmp_path / "i.npz"), tmp_path / "images", parameters=sizes)
    with pytest.raises(UsageError, match="pretrained on images"):
        medunsup.attention(tmp_path / "images", patient)
    maps = medunsup.Encoder.load(tmp_path / "images").attention(np.full((3, 16, 16), 0.5, np.float32))
    assert {one.shape for one in maps.values()} == {(3, 16, 16)}
    assert not (tmp_path / "no").exists()


@pytest.mark.parametrize("folder", ["cnn", "seg"])
def test_a_damaged_folder_is_told_before_a_scan_is_prepared(place, people, tmp_path, folder, monkeypatch):
    for name in ("cnn", "seg"):
        shutil.copytree(place / name, tmp_path / name)
    file = tmp_path / folder / {"cnn": "encoder.safetensors", "seg": "network.safetensors"}[folder]
    file.write_bytes(file.read_bytes()[:-8] + bytes(8))
    monkeypatch.setattr("medunsup.workflows.attention.attention.load_and_prepare", None)
    scan = sorted(people.iterdir())[0]
    with pytest.raises(InputError, match=re.escape(file.name)):
        medunsup.attention(tmp_path / "cnn", scan, beside=tmp_path / "seg")
