"""A fine-tuned network on new scans: labels where they belong, volumes, flags, what is refused."""

import csv
import json

import nibabel as nib
import numpy as np
import pytest
from helpers import phantom
from helpers.healthy_scans import write_person
from scipy.ndimage import affine_transform

import medunsup
from medunsup.cohort.finetuned.folder import FinetunedFolder, read_finetuned
from medunsup.core.errors import InputError, MissingError, ResultThereError, UsageError
from medunsup.core.volume import Volume
from medunsup.preprocess.geometry.template import load_template

ENDING = "_desc-predicted_dseg.nii.gz"


@pytest.fixture(autouse=True)
def _quick(quick_registration: None) -> None:
    """No scan is registered."""


@pytest.fixture
def scan(small_brain, tmp_path):
    return write_person(tmp_path / "sub-70_T1w.nii.gz", small_brain, 70)


def test_labels_are_those_that_fine_tuning_gave_its_test_scans(finetuned, pairs, tmp_path):
    for scan in ("sub-35", "sub-37"):
        found = medunsup.predict(finetuned, pairs.parent / f"{scan}_T1w.nii.gz", tmp_path)
        ours = nib.load(tmp_path / scan / "anat" / f"{scan}{ENDING}")
        theirs = nib.load(finetuned.path / "predictions" / f"{scan}_desc-finetuned_dseg.nii.gz")
        np.testing.assert_array_equal(np.asarray(ours.dataobj), np.asarray(theirs.dataobj))
        np.testing.assert_array_equal(ours.affine, theirs.affine)
        assert "was tested on this scan" in " ".join(found.remarks)


def test_volumes_count_voxels_and_probabilities_sum_to_them(finetuned, scan, tmp_path):
    found = medunsup.predict(finetuned.path, scan, tmp_path / "out", probabilities=True)
    folder = tmp_path / "out" / "sub-70" / "anat"
    rows = list(csv.DictReader((folder / "sub-70_desc-predicted_volumes.tsv").open(), delimiter="\t"))
    labels = np.asarray(nib.load(folder / f"sub-70{ENDING}").dataobj)
    table = list(csv.DictReader((folder / "sub-70_desc-predicted_dseg.tsv").open(), delimiter="\t"))
    assert [row["index"] for row in table] == ["1", "2", "3"]
    total = 0.0
    for row, one in zip(rows, found.volumes, strict=True):
        assert float(row["volume_ml"]) == pytest.approx((labels == int(row["index"])).sum() * 0.125)
        share = nib.load(folder / f"sub-70_label-{row['index']}_desc-predicted_probseg.nii.gz").get_fdata()
        assert 0 <= share.min() <= share.max() <= 1 + 1e-6
        assert one.expected_ml == pytest.approx(share.sum() * 0.125, rel=1e-4)
        total = total + share
    assert total.max() <= 1 + 1e-5


def asymmetric(brain) -> Volume:
    """A scan whose left half is four times as bright."""
    image = brain.image("T1w", noise=0.0, bias=0.0)
    x = nib.affines.apply_affine(image.affine, np.argwhere(np.ones(image.shape)))[:, 0]
    bright = np.where(x.reshape(image.shape) < 0, 4.0, 1.0)
    return image.like(np.where(brain.mask.data, image.data * bright, 0).astype(np.float32))


class BrightIsOne:
    """Stands in for a network: label 1 where the prepared scan is brighter than its median, else 2."""

    def probabilities(self, arm, values, mask):
        bright = values[0] > np.median(values[0][mask])
        return np.stack([~mask, mask & bright, mask & ~bright, np.zeros_like(mask)]).astype(np.float32)


@pytest.fixture
def bright_is_one(finetuned):
    made = read_finetuned(finetuned.path)
    made.__dict__["network"] = BrightIsOne()
    return made


@pytest.mark.parametrize("axes", ["RAS", "LAS", "PSR"])
def test_left_stays_left_however_axes_are_stored(axes, bright_is_one, small_brain, tmp_path):
    path = phantom.save(asymmetric(small_brain), tmp_path / "scan_T1w.nii.gz", axes=axes)
    medunsup.predict(bright_is_one, path, tmp_path / "out")
    check_left(path, tmp_path / "out" / f"scan_T1w{ENDING}")


@pytest.mark.parametrize("mirrored", [False, True])
def test_left_stays_left_on_an_oblique_grid(mirrored, bright_is_one, small_brain, tmp_path):
    scan, cosine, sine = asymmetric(small_brain), np.cos(np.radians(15)), np.sin(np.radians(15))
    turned = np.array([[cosine, 0, sine, 0], [0, 1, 0, 0], [-sine, 0, cosine, 0], [0, 0, 0, 1]]) @ np.diag(
        [-4.0 if mirrored else 4.0, 4.0, 4.0, 1.0]
    )
    grid = np.array([40, 48, 48])
    turned[:3, 3] = (scan.affine @ [*(np.array(scan.shape) - 1) / 2, 1])[:3] - turned[:3, :3] @ (grid - 1) / 2
    to_scan = np.linalg.inv(scan.affine) @ turned
    values = affine_transform(scan.data, to_scan[:3, :3], to_scan[:3, 3], output_shape=tuple(grid), order=0)
    nib.save(nib.Nifti1Image(values, turned), tmp_path / "oblique_T1w.nii.gz")
    medunsup.predict(bright_is_one, tmp_path / "oblique_T1w.nii.gz", tmp_path / "out")
    check_left(tmp_path / "oblique_T1w.nii.gz", tmp_path / "out" / f"oblique_T1w{ENDING}")


def check_left(scan, labels) -> None:
    """Label 1 lies left of the midline in the world, label 2 right of it, but for dark voxels at its edge."""
    found, image = nib.load(labels), nib.load(scan)
    np.testing.assert_allclose(found.affine, image.affine, atol=1e-5)
    values = np.asarray(found.dataobj)
    for label, sign in ((1, -1), (2, 1)):
        x = nib.affines.apply_affine(found.affine, np.argwhere(values == label))[:, 0]
        assert len(x) > 1000
        assert (sign * x > -8.0).mean() > 0.95


def test_a_scan_of_another_contrast_is_refused_unless_its_name_is_wrong(finetuned, small_brain, tmp_path):
    path = write_person(tmp_path / "sub-71_FLAIR.nii.gz", small_brain, 71, contrast="FLAIR")
    with pytest.raises(InputError, match=r'is FLAIR; the network was fine-tuned on T1w.*contrast="T1w"'):
        medunsup.predict(finetuned, path)
    assert medunsup.predict(finetuned, path, contrast="T1w").contrast == "T1w"


def test_far_coarser_voxels_are_flagged_and_the_page_says_so_first(finetuned, tmp_path):
    brain = phantom.make_anatomy(spacing_mm=(5, 5, 12), supersample=2)
    path = write_person(tmp_path / "thick_T1w.nii.gz", brain, 72)
    found = medunsup.predict(finetuned, path, tmp_path / "out")
    assert "spacing" in [flag.name for flag in found.flags]
    page = (tmp_path / "out" / "thick_T1w_desc-predicted_report.html").read_text()
    assert page.index("Unlike the scans it was fine-tuned on") < page.index("<h2>Volumes")


def test_the_sidecar_names_network_inputs_and_how_it_was_made(finetuned, scan, tmp_path):
    medunsup.predict(finetuned, scan, tmp_path / "out", prepared=True)
    folder = tmp_path / "out" / "sub-70" / "anat"
    told = json.loads((folder / "sub-70_desc-predicted_dseg.json").read_text())
    assert told["Network"]["weights_sha256"] == finetuned.weights_sha256
    assert told["Medunsup"]["Inputs"][0]["Name"] == scan.name
    assert str(tmp_path) not in json.dumps(told)
    prepared = nib.load(folder / "sub-70_space-template_desc-prepared_T1w.nii.gz")
    assert np.diag(prepared.affine)[:3] == pytest.approx([8, 8, 8])
    page = (folder / "sub-70_desc-predicted_report.html").read_text()
    assert "No expert has checked these labels" in page
    assert "http" not in page.replace("http-equiv", "")
    assert page.count('class="outline"') >= 3


def test_nothing_is_replaced_unasked_and_the_same_gives_the_same_bytes(finetuned, scan, tmp_path):
    first = medunsup.predict(finetuned, scan, tmp_path / "out", probabilities=True)
    files = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    with pytest.raises(ResultThereError):
        medunsup.predict(finetuned, scan, tmp_path / "out")
    again = medunsup.predict(finetuned, scan, tmp_path / "out", probabilities=True, force=True)
    np.testing.assert_array_equal(first.labels.data, again.labels.data)
    assert {path: path.read_bytes() for path in files} == files
    medunsup.predict(finetuned, scan, tmp_path / "out", force=True)
    assert not list((tmp_path / "out").rglob("*probseg*"))


def test_what_is_no_fine_tuned_network_is_refused_in_words(finetuned, scan, tmp_path):
    with pytest.raises(MissingError, match="there is no such folder"):
        medunsup.predict(tmp_path / "nowhere", scan)
    with pytest.raises(InputError, match=r"no folder of a fine-tuned network .finetune\.json"):
        medunsup.predict(tmp_path, scan)
    about = finetuned.manifest.model_copy(update={"task": "detect"})
    with pytest.raises(UsageError, match="was fine-tuned for the task detect"):
        medunsup.predict(FinetunedFolder(finetuned.path, about), scan)
    with pytest.raises(UsageError, match="brian"):
        medunsup.predict_many(finetuned, [scan], brian="atlas")


def test_brain_of_a_volume_that_nobody_has_is_flagged(finetuned, tmp_path):
    brain = phantom.make_anatomy(spacing_mm=(5, 5, 5), scale=0.7)
    path = write_person(tmp_path / "small_T1w.nii.gz", brain, 73)
    found = medunsup.predict(finetuned, path)
    assert "brain" in [flag.name for flag in found.flags]
    assert isinstance(found.labels, Volume)


def real_brain(path):
    """Write the brain of the MNI152 template where the tests take the template to lie on a scan."""
    template = load_template()
    values = np.where(template.mask.data > 0.5, template.t1.data, 0).astype(np.float32)
    affine = template.t1.affine.copy()
    affine[:3, 3] += (0, 18, -10)
    return phantom.save(Volume(values, affine, "image"), path)


def test_a_network_of_phantoms_flags_a_real_brain_and_none_of_its_own_kind(finetuned, pairs, tmp_path):
    found = medunsup.predict(finetuned, real_brain(tmp_path / "sub-74_T1w.nii.gz"))
    names = [flag.name for flag in found.flags]
    assert {"pattern", "intensities"} <= set(names)
    assert "that of the mean training scan" in found.flags[names.index("pattern")].sentence
    for scan in ("sub-35", "sub-36", "sub-37"):
        like = medunsup.predict(finetuned, pairs.parent / f"{scan}_T1w.nii.gz")
        assert not {flag.name for flag in like.flags} & {"pattern", "outside", "missing", "side"}


def test_a_folder_without_data_card_compares_voxels_alone(finetuned, tmp_path):
    kept = {name: one for name, one in finetuned.manifest.sha256.items() if name != "card.safetensors"}
    older = FinetunedFolder(finetuned.path, finetuned.manifest.model_copy(update={"sha256": kept}))
    assert not medunsup.predict(older, real_brain(tmp_path / "sub-74_T1w.nii.gz")).flags
    thick = write_person(
        tmp_path / "thick_T1w.nii.gz", phantom.make_anatomy(spacing_mm=(5, 5, 12), supersample=2), 72
    )
    assert [flag.name for flag in medunsup.predict(older, thick).flags] == ["spacing"]
