"""Maps are written where the scan lies, whole or not at all, and always the same bytes."""

import errno
import gzip
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from helpers.dicom_maker import make_slices, write_slices
from helpers.nifti_maker import OBLIQUE, make_nifti, make_values

from medunsup.core.errors import OutputError, UsageError
from medunsup.core.volume import Volume
from medunsup.io.files.atomic import atomic_path, write_json, write_text
from medunsup.io.load import load
from medunsup.io.nifti.write import write_volume


@pytest.fixture
def volume(tmp_path) -> Volume:
    return load(make_nifti(tmp_path / "scan.nii.gz", affine=OBLIQUE))


def test_labels_and_masks_are_bytes_and_the_rest_floats(volume, tmp_path):
    stored = {
        kind: nib.load(
            write_volume(volume.like(volume.data > 3, kind), tmp_path / f"{kind}.nii")
        ).get_data_dtype()
        for kind in ("label", "mask", "image", "probability", "score")
    }
    assert stored == {"label": "u1", "mask": "u1", "image": "f4", "probability": "f4", "score": "f4"}


def test_slope_is_one_and_never_nan_so_that_every_tool_reads_the_map(volume, tmp_path):
    path = write_volume(volume, tmp_path / "map.nii")
    raw = nib.Nifti1Header(path.read_bytes()[:348], check=False)
    assert (raw["scl_slope"], raw["scl_inter"]) == (1, 0)


def test_the_same_volume_gives_the_same_bytes_whenever_and_wherever(volume, tmp_path, monkeypatch):
    monkeypatch.setattr(time, "time", lambda: 1e9)
    first = write_volume(volume, tmp_path / "a.nii.gz").read_bytes()
    monkeypatch.setattr(time, "time", lambda: 2e9)
    assert write_volume(volume, tmp_path / "sub" / "b.nii.gz").read_bytes() == first


def test_a_probability_stored_as_integers_keeps_0_and_1_exact(volume, tmp_path):
    probability = volume.like((volume.data / volume.data.max()), kind="probability")
    read = load(write_volume(probability, tmp_path / "prob.nii.gz", dtype=np.uint16))
    assert (read.data.min(), read.data.max()) == (0, 1)
    assert np.abs(read.data - probability.data).max() < 1e-5


def test_a_dicom_series_results_lie_on_its_slices(tmp_path):
    volume = load(write_slices(make_slices(), tmp_path / "dicom"))
    result = write_volume(volume, tmp_path / "map.nii.gz")
    again = load(result)
    assert again.source.grid.shape == volume.source.grid.shape == (5, 4, 6)
    assert np.allclose(again.affine, volume.affine, atol=1e-5)  # NIfTI-1 stores float32
    assert np.array_equal(again.data, volume.data)
    header = nib.load(result).header
    assert header["sform_code"] == header["qform_code"] == 1
    assert np.allclose(header.get_qform(), header.get_sform(), atol=1e-5)
    assert header.get_xyzt_units()[0] == "mm"


@pytest.mark.parametrize("form", ["nifti", "dicom"])
def test_simpleitk_and_nibabel_find_every_voxel_of_a_result_where_the_scan_has_it(form, tmp_path):
    if form == "nifti":
        path = make_nifti(tmp_path / "scan.nii.gz", affine=orthogonal(OBLIQUE))
    else:
        path = write_slices(make_slices(orientation=(0.8, 0.6, 0, -0.36, 0.48, 0.8)), tmp_path / "series")
    volume = load(path)
    result = write_volume(volume, tmp_path / "map.nii.gz")
    grid, image = volume.source.grid, sitk.ReadImage(str(result))
    for index in ([0, 0, 0], [4, 3, 5], [1, 2, 3]):
        world = (grid.affine @ [*index, 1])[:3]
        assert (nib.load(result).affine @ [*index, 1])[:3] == pytest.approx(world, abs=1e-5)
        lps = image.TransformIndexToPhysicalPoint(index)
        assert (-lps[0], -lps[1], lps[2]) == pytest.approx(tuple(world), abs=1e-4)
        assert image.GetPixel(index) == volume.in_source_space()[0][tuple(index)]


def orthogonal(affine):
    """Nearest affine without shear, as ITK demands."""
    result = affine.copy()
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    left, _, right = np.linalg.svd(affine[:3, :3] / lengths)
    result[:3, :3] = left @ right * lengths
    return result


def test_a_volume_made_of_an_array_is_written_as_it_is(tmp_path):
    made = Volume(make_values().astype(np.float32), OBLIQUE)
    assert np.array_equal(nib.load(write_volume(made, tmp_path / "map.nii")).get_fdata(), made.data)


def test_another_suffix_is_refused(volume, tmp_path):
    with pytest.raises(UsageError, match=r"\.nii or \.nii\.gz"):
        write_volume(volume, tmp_path / "map.nrrd")


def test_an_error_while_writing_leaves_the_old_file_and_no_other(tmp_path):
    path = write_text(tmp_path / "table.tsv", "old")
    with pytest.raises(RuntimeError):
        write_half(path, RuntimeError())
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_killed_run_leaves_no_file_that_looks_finished(tmp_path):
    code = (
        "import sys, time; from pathlib import Path; from medunsup.io.files.atomic import atomic_path\n"
        "with atomic_path(Path(sys.argv[1])) as temporary:\n"
        "    temporary.write_text('half'); print('ready', flush=True); time.sleep(60)"
    )
    run = subprocess.Popen([sys.executable, "-c", code, tmp_path / "x_dseg.nii.gz"], stdout=subprocess.PIPE)
    assert run.stdout is not None
    run.stdout.readline()
    run.send_signal(signal.SIGKILL)
    run.wait()
    run.stdout.close()
    assert [path.suffix for path in tmp_path.iterdir()] == [".part"]
    assert not list(tmp_path.glob("*.nii.gz"))


def test_an_interrupt_removes_the_half_file(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        write_half(tmp_path / "x.txt", KeyboardInterrupt())
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_a_clear_error_and_loses_nothing(tmp_path, volume):
    path = write_volume(volume, tmp_path / "map.nii.gz")
    before = path.read_bytes()
    with (
        pytest.raises(OutputError, match=r"map\.nii\.gz: the disk is full\. Free some space"),
        atomic_path(path),
    ):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert path.read_bytes() == before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_device_without_space_is_reported_as_full(tmp_path, monkeypatch):
    monkeypatch.setattr("medunsup.io.files.atomic.secrets.token_hex", lambda _: "fixed")
    (tmp_path / ".x.txt.fixed.part").symlink_to("/dev/full")
    with pytest.raises(OutputError, match="the disk is full"):
        write_text(tmp_path / "x.txt", "text")


def test_a_file_in_the_way_of_a_folder_is_named(tmp_path):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(OutputError, match="a part of this path is a file"):
        write_text(tmp_path / "out" / "x.txt", "text")


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.EIO])
def test_a_locked_read_only_or_broken_disk_is_a_clear_error(number, tmp_path):
    with pytest.raises(OutputError, match=rf"x\.txt: cannot be written \({os.strerror(number)}\)"):
        write_half(tmp_path / "x.txt", OSError(number, os.strerror(number)))
    assert not list(tmp_path.iterdir())


def test_of_two_writers_the_second_is_told_and_the_first_keeps_its_file(tmp_path):
    path = write_json(tmp_path / "result.json", {"first": True}, overwrite=False)
    with pytest.raises(OutputError, match="exists already"):
        write_json(path, {"second": True}, overwrite=False)
    assert '"first": true' in path.read_text()
    assert list(tmp_path.iterdir()) == [path]


def test_json_is_never_given_values_it_does_not_have(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "x.json", {"value": float("nan")})
    assert not list(tmp_path.iterdir())


def test_gzip_headers_hold_neither_name_nor_time(volume, tmp_path):
    path = write_volume(volume, tmp_path / "secret_name.nii.gz")
    assert path.read_bytes()[3:8] == bytes(5)
    assert len(gzip.decompress(path.read_bytes())) == 352 + volume.data.nbytes


def write_half(path, error):
    with atomic_path(path) as temporary:
        temporary.write_text("half")
        raise error
