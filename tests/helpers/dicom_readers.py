"""What independent software reads of our DICOM results, as arrays with their place or as plain values.

array, affine = READERS["dcmqi"](path)      # affine to LPS mm
check_same(array, affine, wanted, wanted_affine)
"""

import json
import subprocess
import tempfile
from itertools import product
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK
from pydicom import dcmread

from medunsup.io.dicom.export_codes import REASON, VERDICT
from medunsup.io.dicom.export_objects import read_back
from medunsup.io.dicom.export_report import Judgement, read_judgement, read_report

TOLERANCE_MM = 1e-4
LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def dcmqi(program, *words):
    """Run a program of dcmqi, which is C++ on dcmtk and ITK; skipped if it is not installed."""
    folder = Path(pytest.importorskip("dcmqi").__file__).parent / "bin"
    command = [folder / program, *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr


def by_dcmqi(path):
    """Read a segmentation or a parametric map with dcmqi."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["--inputDICOM", path, "--outputDirectory", folder, "-t", "nrrd"]
        if dcmread(path, specific_tags=["Modality"]).Modality == "SEG":
            dcmqi("segimage2itkimage", *words, "--mergeSegments")
        else:
            dcmqi("paramap2itkimage", *words)
        (file,) = Path(folder).glob("*.nrrd")
        image = SimpleITK.ReadImage(file)
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    affine[:3, 3] = image.GetOrigin()
    return SimpleITK.GetArrayFromImage(image).T, affine


def groups_by_dcmqi(path):
    """Read the groups of a report with dcmqi, as its `tid1500reader` writes them; it must not complain."""
    with tempfile.TemporaryDirectory() as folder:
        said = dcmqi("tid1500reader", "--inputDICOM", path, "--outputMetadata", Path(folder) / "r.json")
        assert "warning" not in said.lower(), said
        return json.loads((Path(folder) / "r.json").read_text())["Measurements"]


def report_by_dcmqi(path):
    """Read the numbers of a report with dcmqi, in the form of `read_report`."""
    return [
        (
            group["TrackingIdentifier"],
            {
                (one["quantity"]["CodeValue"], one.get("derivationModifier", {}).get("CodeValue", "")): float(
                    one["value"]
                )
                for one in group["measurementItems"]
            },
        )
        for group in groups_by_dcmqi(path)
        if group.get("measurementItems")
    ]


def judgement_by_dcmqi(path):
    """Read the verdict of a report and its reasons with dcmqi, in the form of `read_judgement`."""
    found = [
        (one["conceptCode"]["CodeValue"], one["conceptValue"])
        for group in groups_by_dcmqi(path)
        for one in group["qualitativeEvaluations"]
    ]
    (verdict,) = [value["CodeMeaning"] for name, value in found if name == VERDICT[0]]
    return Judgement(verdict.lower(), tuple(value for name, value in found if name == REASON[0]))


READERS = {"highdicom": read_back, "dcmqi": by_dcmqi}
REPORT_READERS = {"highdicom": read_report, "dcmqi": report_by_dcmqi}
JUDGEMENT_READERS = {"highdicom": read_judgement, "dcmqi": judgement_by_dcmqi}


def check_same_as_nifti(path, nifti):
    """Compare what each reader finds in a result with its NIfTI file."""
    image = nibabel.load(nifti)
    wanted, affine = np.asarray(image.dataobj, np.float32), LPS @ image.affine
    for read in READERS.values():
        check_same(*read(path), wanted, affine)


def check_same(array, affine, wanted, wanted_affine):
    """Compare voxel for voxel and place by place, whatever the order and direction of the axes."""
    turn = np.linalg.inv(wanted_affine) @ affine
    order = np.abs(turn[:3, :3]).argmax(axis=1)
    assert sorted(order) == [0, 1, 2], turn
    array, affine = array.transpose(order), affine[:, [*order, 3]]
    for axis in np.flatnonzero(np.diag(turn[:3, order]) < 0):
        array, affine = np.flip(array, axis), affine.copy()
        affine[:3, 3] += affine[:3, axis] * (array.shape[axis] - 1)
        affine[:3, axis] *= -1
    np.testing.assert_array_equal(array, wanted)
    corners = np.array([*product(*[(0, n - 1) for n in wanted.shape])])
    off = (affine - wanted_affine)[:3] @ np.c_[corners, np.ones(8)].T
    assert np.abs(off).max() < TOLERANCE_MM
