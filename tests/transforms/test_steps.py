"""medunsup's steps compose with MONAI's, and those that move voxels bring them back."""

import pickle

import nibabel as nib
import numpy as np
import pytest
import torch
from helpers.nifti_maker import OBLIQUE, make_values
from helpers.phantom import make_anatomy
from monai.data import DataLoader, Dataset, MetaTensor, decollate_batch
from monai.transforms import Compose, Flipd, Invertd, LoadImaged, RandGaussianNoised, SaveImaged
from scipy import ndimage

from medunsup.core.errors import GeometryError, InputError, UsageError
from medunsup.core.geometry import Grid
from medunsup.preprocess.geometry.template import load_template
from medunsup.preprocess.registration.affine import Registration
from medunsup.transforms import (
    BiasCorrectd,
    BrainMaskd,
    CropToBraind,
    MedunsupReader,
    RegisterTemplated,
    TemplateMapsd,
    ToRASd,
    ToTemplated,
    WinsorizeAndScaled,
)

pytestmark = pytest.mark.filterwarnings("ignore:NvImgCodec")  # MONAI tries its GPU reader
TURN = np.eye(4)
TURN[:3] = [[0.97, -0.15, 0.05, 3], [0.16, 0.95, 0.1, -12], [-0.03, -0.11, 1.02, 7]]


def tensor(data=None, affine=OBLIQUE):
    data = make_values(dtype=np.float32) if data is None else data
    return MetaTensor(torch.as_tensor(data)[None], affine=torch.as_tensor(affine))


def load_image():
    return LoadImaged("image", reader=MedunsupReader(), ensure_channel_first=True)


@pytest.fixture(scope="module")
def masked(scan_file):
    """A scan with its mask and registration: the slow step, done once."""
    return Compose([load_image(), BrainMaskd("image")])({"image": scan_file})


def copy_of(data):
    return {key: value.clone() if isinstance(value, MetaTensor) else value for key, value in data.items()}


@pytest.mark.parametrize("codes", ["RAS", "LPS", "SLA", "AIR", "PSL"])
def test_turning_to_ras_and_back_is_exact(codes):
    start = nib.orientations.axcodes2ornt(tuple(codes))
    picture = nib.Nifti1Image(make_values(), np.diag([1.0, 2, 3, 1])).as_reoriented(
        nib.orientations.ornt_transform(nib.orientations.axcodes2ornt("RAS"), start)
    )
    image = tensor(picture.get_fdata(dtype=np.float32), picture.affine)
    step = ToRASd("image")
    turned = step({"image": image})
    assert nib.aff2axcodes(turned["image"].affine) == ("R", "A", "S")
    assert np.array_equal(turned["image"][0], make_values())
    back = step.inverse(turned)["image"]
    assert torch.equal(back, image)
    assert torch.equal(back.affine, image.affine)
    assert not back.applied_operations


def test_the_whole_chain_goes_back_to_the_file(scan_file, masked):
    chain = Compose(
        [ToRASd(["image", "brain_mask"]), Flipd("image", 0), CropToBraind(["image", "brain_mask"])]
    )
    data = copy_of(masked)
    done = chain(data)
    assert done["image"].numel() < masked["image"].numel()
    back = chain.inverse(done)
    assert back["image"].shape == masked["image"].shape
    assert torch.allclose(back["image"].affine, masked["image"].affine, atol=1e-9)
    inside = masked["brain_mask"] > 0
    assert torch.equal(back["image"][inside], masked["image"][inside])
    assert torch.equal(back["brain_mask"], masked["brain_mask"])


def test_the_mask_lies_on_the_images_grid_and_holds_the_brain(masked, brain):
    mask, image = masked["brain_mask"], masked["image"]
    assert mask.shape == image.shape
    assert torch.equal(mask.affine, image.affine)
    assert set(mask.unique().tolist()) == {0.0, 1.0}
    truth = image > 0
    overlap = 2 * float((truth & (mask > 0)).sum()) / float(truth.sum() + mask.sum())
    assert overlap > 0.95
    assert masked["template_to_scan"].shape == (4, 4)


def test_axis_order_does_not_change_what_a_step_finds(masked):
    turned = Compose([ToRASd("image"), BrainMaskd("image")])({"image": masked["image"].clone()})
    again = ToRASd("brain_mask")({"brain_mask": masked["brain_mask"].clone()})
    assert torch.equal(turned["brain_mask"], again["brain_mask"])


def test_a_field_laid_over_the_brain_is_mostly_taken_out():
    brain = make_anatomy(spacing_mm=(6.0, 6.0, 6.0))
    data = brain.image("T1w", noise=0.01, bias=0.8).data
    start = {"image": tensor(data, brain.affine), "brain_mask": tensor(brain.mask.data, brain.affine)}
    white = brain.fractions[1] > 0.99
    before, after = data[white], np.asarray(BiasCorrectd("image")(start)["image"][0])[white]
    assert after.std() / after.mean() < 0.6 * before.std() / before.mean()


def test_intensities_inside_the_brain_span_0_to_1_whatever_their_scale(masked):
    scaled = WinsorizeAndScaled("image")(copy_of(masked))["image"]
    assert (float(scaled.min()), float(scaled.max())) == (0.0, 1.0)
    louder = {**masked, "image": masked["image"].clone() * 7 + 3}
    assert torch.allclose(WinsorizeAndScaled("image")(louder)["image"], scaled, atol=1e-5)


def test_cropping_keeps_every_brain_voxel_where_it_is_and_the_margin_in_mm(masked):
    cropped = CropToBraind(["image", "brain_mask"], margin_mm=6)(copy_of(masked))
    assert cropped["brain_mask"].sum() == masked["brain_mask"].sum()

    def centre(mask):
        index = np.argwhere(np.asarray(mask[0]) > 0).mean(axis=0)
        return np.asarray(mask.affine)[:3] @ [*index, 1]

    assert centre(cropped["brain_mask"]) == pytest.approx(centre(masked["brain_mask"]), abs=1e-9)
    used = np.argwhere(np.asarray(cropped["brain_mask"][0]) > 0)
    assert used.min() == 2  # 6 mm at 3 mm voxels


def test_a_scan_is_brought_to_the_template_as_scipy_would_bring_it():
    grid = Grid((40, 44, 36), np.array([[0, 0, 5.0, -90], [-5, 0, 0, 90], [0, 5, 0, -70], [0, 0, 0, 1]]))
    smooth = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=grid.shape), 3).astype(np.float32)
    step = ToTemplated("image", spacing_mm=4)
    there = step({"image": tensor(smooth, grid.affine), "template_to_scan": TURN})["image"]
    template = load_template().t1.grid
    expected_affine = template.affine @ np.diag([4, 4, 4, 1])
    assert np.allclose(there.affine, expected_affine)
    index = np.linalg.inv(grid.affine) @ TURN @ expected_affine
    expected = ndimage.affine_transform(smooth, index[:3, :3], index[:3, 3], there.shape[1:], order=1)
    inner = ndimage.affine_transform(
        np.ones(grid.shape), index[:3, :3], index[:3, 3], there.shape[1:], order=0
    )
    inner = ndimage.binary_erosion(inner > 0, iterations=2)
    assert inner.sum() > 1000
    assert np.abs(np.asarray(there[0]) - expected)[inner].max() < 1e-4


def test_the_way_back_from_the_template_gives_the_scans_grid_and_nearly_its_values(brain):
    image = brain.image("T1w", noise=0, bias=0)
    data = ndimage.gaussian_filter(np.where(brain.mask.data, image.data, 0), 1.5)
    step = ToTemplated(["image", "labels"], spacing_mm=2, mode=("bilinear", "nearest"))
    labels = tensor(brain.labels.data.astype(np.float32), image.affine)
    start = {"image": tensor(data, image.affine), "labels": labels, "template_to_scan": np.eye(4)}
    there = step(dict(start))
    assert set(there["labels"].unique().tolist()) <= {0, 1, 2, 3}
    back = step.inverse(there)
    for key in ("image", "labels"):
        assert back[key].shape == start[key].shape
        assert torch.allclose(back[key].affine, start[key].affine)
        assert not back[key].applied_operations
    assert np.abs(np.asarray(back["image"][0]) - data).mean() < 0.02 * data.max()


@pytest.mark.parametrize("first", [20, 21])
def test_a_lesion_keeps_its_volume_on_the_template_and_on_the_way_back(first):
    affine = np.diag([3.0, 3, 3, 1])
    affine[:3, 3] = (-80, -115, -72)
    labels = np.zeros((54, 66, 55), np.float32)
    labels[first : first + 4, first : first + 3, 20:23] = 1
    step = ToTemplated("labels", spacing_mm=2, mode="nearest")
    there = step({"labels": tensor(labels, affine), "template_to_scan": np.eye(4)})
    assert float(there["labels"].sum()) * 8 == pytest.approx(36 * 27, abs=5)
    assert step.inverse(there)["labels"].sum() == pytest.approx(36, abs=1)


def test_a_prediction_on_the_template_is_inverted_with_its_volume():
    grid = Grid((40, 44, 36), np.array([[0, 0, 5.0, -90], [-5, 0, 0, 90], [0, 5, 0, -70], [0, 0, 0, 1]]))
    chain = Compose([ToTemplated("image", spacing_mm=2)])
    data = chain(
        {"image": tensor(np.ones(grid.shape, np.float32), grid.affine), "template_to_scan": np.eye(4)}
    )
    prediction = torch.zeros_like(data["image"])
    prediction[:, 30:33, 40:45, 31:34] = 1
    data["prediction"] = prediction
    back = Invertd("prediction", chain, "image", nearest_interp=True)(data)["prediction"]
    assert back.shape[1:] == grid.shape
    assert float(back.sum()) * 125 == pytest.approx(45 * 8, abs=63)


def test_template_maps_on_the_scan_are_those_of_its_registration(masked):
    maps = TemplateMapsd("image")(copy_of(masked))["template_maps"]
    assert maps.shape == (3, *masked["image"].shape[1:])
    affine = np.asarray(masked["image"].affine)
    grid = Grid(tuple(masked["image"].shape[1:]), affine)
    expected = Registration(masked["template_to_scan"], 0.0, True).to_scan(load_template().wm, grid)
    assert np.allclose(maps[1], expected, atol=1e-6)
    assert torch.equal(maps.affine, masked["image"].affine)


def test_a_step_that_had_to_fall_back_says_so(caplog, monkeypatch):
    def poor_mask(image, *, method, step):
        step.warn("the template does not fit", degraded=True)
        return image.like(image.data > 0, kind="mask"), Registration(np.eye(4), 0.0, False)

    monkeypatch.setattr("medunsup.transforms.brain.brain_mask", poor_mask)
    with caplog.at_level("WARNING", logger="medunsup"):
        BrainMaskd("image")({"image": tensor()})
    assert [record.message for record in caplog.records] == ["brain_mask: the template does not fit"]


def test_registering_the_template_gives_a_plausible_affine(masked):
    placed = RegisterTemplated("image")(copy_of(masked))["template_to_scan"]
    assert 0.3 < np.linalg.det(placed[:3, :3]) < 3


@pytest.mark.parametrize("workers", [0, 2])
def test_a_chain_through_a_data_loader_inverts_predictions_to_each_files_grid(workers, scan_file, tmp_path):
    small = nib.load(scan_file).slicer[:, :-3, :]
    nib.save(small, tmp_path / "other.nii.gz")
    chain = Compose([load_image(), ToRASd("image"), RandGaussianNoised("image", prob=1.0)])
    files = Dataset([{"image": str(scan_file)}, {"image": str(tmp_path / "other.nii.gz")}], chain)
    invert = Invertd("prediction", chain, "image", nearest_interp=True)
    for path, batch in zip(
        (scan_file, tmp_path / "other.nii.gz"), DataLoader(files, num_workers=workers), strict=True
    ):
        batch["prediction"] = (batch["image"] > 20).float()
        item = invert(decollate_batch(batch)[0])
        original = nib.load(path)
        assert item["prediction"].shape[1:] == original.shape
        assert np.allclose(item["prediction"].affine, original.affine)
        agree = (np.asarray(item["prediction"][0]) > 0) == (original.get_fdata() > 20)
        assert agree.mean() > 0.95


def test_monais_writer_puts_an_inverted_prediction_onto_the_file(scan_file, tmp_path):
    chain = Compose([load_image(), ToRASd("image")])
    data = chain({"image": scan_file})
    data["image"] = (data["image"] > 20).float()
    back = chain.transforms[1].inverse(data)
    save = SaveImaged("image", output_dir=tmp_path, output_postfix="dseg", resample=False, print_log=False)
    save(back)
    written, original = nib.load(next(tmp_path.rglob("*.nii.gz"))), nib.load(scan_file)
    assert np.allclose(written.affine, original.affine, atol=1e-6)
    assert np.array_equal(written.get_fdata() > 0, original.get_fdata() > 20)


@pytest.mark.parametrize(
    "step",
    [
        BiasCorrectd,
        BrainMaskd,
        CropToBraind,
        RegisterTemplated,
        TemplateMapsd,
        ToRASd,
        ToTemplated,
        WinsorizeAndScaled,
    ],
)
def test_every_step_can_be_sent_to_another_process(step):
    again = pickle.loads(pickle.dumps(step(["image", "other"], allow_missing_keys=True)))
    assert again.keys == ("image", "other")


def test_keys_that_are_not_there_are_passed_over_if_that_is_allowed():
    image = tensor()
    result = ToRASd(["image", "label"], allow_missing_keys=True)({"image": image})
    assert list(result) == ["image"]
    with pytest.raises(KeyError, match="label"):
        ToRASd(["image", "label"])({"image": image})


def test_what_is_missing_is_named_with_the_step_that_makes_it():
    with pytest.raises(UsageError, match=r"no 'brain_mask'.*Put BrainMaskd before"):
        WinsorizeAndScaled("image")({"image": tensor()})
    with pytest.raises(UsageError, match=r"no 'template_to_scan'.*BrainMaskd or RegisterTemplated"):
        ToTemplated("image")({"image": tensor()})
    with pytest.raises(InputError, match="mask is empty"):
        CropToBraind("image")({"image": tensor(), "brain_mask": tensor() * 0})
    with pytest.raises(GeometryError, match="no place in the world"):
        BrainMaskd("image")({"image": torch.zeros(1, 4, 4, 4)})
    with pytest.raises(GeometryError, match=r"\(2, 5, 6, 7\)"):
        BrainMaskd("image")({"image": tensor().repeat(2, 1, 1, 1)})
