"""Where sform and qform disagree, one is chosen by a rule, said aloud once, and recorded."""

import logging

import nibabel as nib
import numpy as np
import pytest
from helpers.nifti_maker import make_nifti, make_values, set_fields

from medunsup.core.errors import GeometryError
from medunsup.io.load import load
from medunsup.io.nifti.write import write_volume

SCANNER = np.diag([1.0, 1.0, 2.0, 1.0])
SHIFTED = SCANNER + np.array([[0, 0, 0, 8.0], [0] * 4, [0] * 4, [0] * 4])
LARGER = np.diag([1.2, 1.2, 2.4, 1.0])


def conflicting(path, sform, qform, codes=(2, 1)):
    def edit(image):
        image.set_sform(sform, codes[0])
        image.set_qform(qform, codes[1])

    return make_nifti(path, affine=qform, edit=edit)


def test_a_conflict_is_settled_for_the_sform_warned_of_once_and_recorded(tmp_path, caplog):
    path = conflicting(tmp_path / "scan.nii", SHIFTED, SCANNER)
    with caplog.at_level(logging.WARNING, logger="medunsup"):
        volume = load(path)
    assert np.array_equal(volume.affine, SHIFTED)
    assert volume.source.notes["coordinates"] == "sform"
    assert volume.source.notes["coordinates_conflict_mm"] == 8.0
    assert len(volume.source.notes["warnings"]) == 1
    assert [record.message for record in caplog.records] == [f"{path}: {volume.source.notes['warnings'][0]}"]


def test_the_other_system_can_be_asked_for(tmp_path):
    path = conflicting(tmp_path / "scan.nii", SHIFTED, SCANNER)
    assert np.array_equal(load(path, coordinates="qform").affine, SCANNER)


def test_an_sform_that_rescales_the_head_yields_to_the_qform_so_volumes_stay_true(tmp_path):
    volume = load(conflicting(tmp_path / "scan.nii", LARGER, SCANNER, codes=(4, 1)))
    assert volume.source.notes["coordinates"] == "qform"
    assert volume.voxel_volume_mm3 == pytest.approx(2.0)


def test_agreeing_systems_give_no_warning(tmp_path, caplog):
    volume = load(conflicting(tmp_path / "scan.nii", SCANNER, SCANNER))
    assert "warnings" not in volume.source.notes
    assert not caplog.records


def test_a_result_carries_both_systems_of_its_scan_so_every_viewer_overlays_it(tmp_path):
    path = conflicting(tmp_path / "scan.nii", SHIFTED, SCANNER)
    result = nib.load(write_volume(load(path), tmp_path / "map.nii.gz"))
    assert np.array_equal(result.get_sform(), SHIFTED)
    assert np.array_equal(result.get_qform(), SCANNER)
    assert (result.header["sform_code"], result.header["qform_code"]) == (2, 1)


def test_without_any_system_sides_are_a_guess_that_is_said(tmp_path):
    path = make_nifti(tmp_path / "scan.nii")
    set_fields(path, sform_code=0, qform_code=0)
    volume = load(path)
    assert "left and right are a guess" in volume.source.notes["warnings"][0]
    assert volume.source.notes["coordinates"] == "none"
    assert volume.spacing_mm == (1.5, 1.0, 2.0)
    result = write_volume(volume, tmp_path / "map.nii")
    assert np.array_equal(nib.load(result).affine, nib.load(path).affine)


def test_a_singular_sform_is_passed_over_for_the_qform(tmp_path):
    path = conflicting(tmp_path / "scan.nii", SHIFTED, SCANNER)
    set_fields(path, srow_x=[0, 0, 0, 0])
    volume = load(path)
    assert volume.source.notes["coordinates"] == "qform"
    assert "singular" in volume.source.notes["warnings"][0]


def test_negative_voxel_sizes_are_repaired_and_the_repair_is_recorded(tmp_path):
    path = make_nifti(tmp_path / "scan.nii")
    set_fields(path, pixdim=[1, -1.5, 1, 2, 0, 0, 0, 0])
    volume = load(path)
    assert volume.spacing_mm == (1.5, 1.0, 2.0)
    assert any("pixdim" in message for message in volume.source.notes["warnings"])


def test_asking_for_a_system_the_file_lacks_is_an_error(tmp_path):
    path = make_nifti(tmp_path / "scan.nii")
    set_fields(path, qform_code=0)
    with pytest.raises(GeometryError, match="no usable qform"):
        load(path, coordinates="qform")


def test_a_conflict_is_recorded_without_a_warning_where_one_system_was_asked_for(tmp_path, caplog):
    volume = load(conflicting(tmp_path / "scan.nii", SHIFTED, SCANNER), coordinates="qform")
    assert volume.source.notes["coordinates_conflict_mm"] == 8.0
    assert not caplog.records


def test_an_sform_alone_that_changes_the_voxel_size_is_said(tmp_path):
    path = conflicting(tmp_path / "scan.nii", LARGER, SCANNER, codes=(2, 0))
    volume = load(path)
    assert volume.voxel_volume_mm3 == pytest.approx(1.2**3 * 2)
    assert "1.2 × 1.2 × 2.4 mm" in volume.source.notes["warnings"][0]


@pytest.mark.parametrize(("degrees", "is_said"), [(0.02, False), (0.5, True), (-12.0, True)])
@pytest.mark.parametrize("name", ["scan.nii", "scan.mgz"])
def test_sheared_axes_are_said_once_and_recorded_with_the_angle(tmp_path, name, degrees, is_said):
    sheared = SCANNER.copy()
    sheared[:3, 1] = [np.sin(np.radians(degrees)), np.cos(np.radians(degrees)), 0]
    kind = nib.MGHImage if name.endswith("mgz") else nib.Nifti1Image
    path = make_nifti(
        tmp_path / name,
        make_values(dtype=np.int32),
        sheared,
        kind=kind,
        edit=None if kind is nib.MGHImage else lambda image: image.set_qform(None, 0),
    )
    notes = load(path).source.notes
    if is_said:
        assert notes["shear_degrees"] == pytest.approx(abs(degrees), abs=0.01)
    assert len(notes.get("warnings", ())) == is_said
    assert load(path).voxel_volume_mm3 == pytest.approx(2 * np.cos(np.radians(degrees)))
