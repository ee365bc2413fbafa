#!/usr/bin/env bash
# highdicom leaves slices without a label out of a segmentation, as the standard allows; each frame says where it lies.
# Guess: converters fill the gap between two lesions, since each frame has its position, or refuse.
# Seen: dcm2niix (exit code 0) puts the slices that are left one upon the other: two lesions 12 mm apart become one, and the
# upper one comes to lie 10 mm too low. SimpleITK stacks them too, with a spacing of 1 x 1 x 1 mm where it is 0.5 x 0.5 x 2:
# the volume is twice the true one. highdicom and dcmqi fill the gap.
# Remedy: omit_empty_frames=False.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --only-binary :all: highdicom==0.28.2 pydicom==3.0.2 dcmqi==1.5.7 \
    dcm2niix==1.0.20260724 SimpleITK==2.5.7 nibabel==5.4.2 numpy==2.4.6
env/bin/python - <<'PYTHON'
import subprocess
from importlib.metadata import version
from pathlib import Path

import highdicom as hd
import nibabel as nib
import numpy as np
import SimpleITK
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

for package in ("highdicom", "dcmqi", "dcm2niix", "SimpleITK"):
    print(package, version(package), end="  ")
print()
study, series = generate_uid(), generate_uid()


def mr_slice(k):
    item, item.file_meta = Dataset(), FileMetaDataset()
    item.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    item.SOPClassUID = item.file_meta.MediaStorageSOPClassUID = MRImageStorage
    item.SOPInstanceUID = item.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    item.StudyInstanceUID, item.SeriesInstanceUID, item.FrameOfReferenceUID = study, series, study
    item.PatientName, item.PatientID, item.Modality, item.PatientPosition = "Made^Up", "1", "MR", "HFS"
    for name in ("PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID", "AccessionNumber"):
        setattr(item, name, "")
    item.ReferringPhysicianName = item.PositionReferenceIndicator = ""
    item.Manufacturer, item.SeriesNumber, item.InstanceNumber = "A", 3, k + 1
    item.ImageType, item.MRAcquisitionType = ["ORIGINAL", "PRIMARY", "M"], "3D"
    item.SliceThickness, item.SpacingBetweenSlices, item.PixelSpacing = 2, 2, [0.5, 0.5]
    item.ImagePositionPatient, item.ImageOrientationPatient = [-4, -4, 2 * k], [1, 0, 0, 0, 1, 0]
    item.Rows, item.Columns, item.SamplesPerPixel, item.PhotometricInterpretation = 16, 16, 1, "MONOCHROME2"
    item.BitsAllocated, item.BitsStored, item.HighBit, item.PixelRepresentation = 16, 12, 11, 0
    item.PixelData = np.full((16, 16), 100, "<u2").tobytes()
    return item


def planes_and_volume(path):
    """Where the labelled slices lie in mm, and the volume of the label in mm³."""
    image = nib.load(path)
    voxels = np.argwhere(image.get_fdata() > 0)
    planes = np.unique(nib.affines.apply_affine(image.affine, voxels)[:, 2].round(3))
    return [float(plane) for plane in planes], float(len(voxels) * np.prod(image.header.get_zooms()[:3]))


source = [mr_slice(k) for k in range(16)]
mask = np.zeros((16, 16, 16), np.uint8)
mask[3:5, 4:8, 4:8] = mask[10:12, 4:8, 4:8] = 1
lesion = hd.seg.SegmentDescription(
    1, "Lesion", codes.SCT.MorphologicallyAbnormalStructure, codes.SCT.Lesion, hd.seg.SegmentAlgorithmTypeValues.MANUAL
)
truth = [6.0, 8.0, 20.0, 22.0], mask.sum() * 0.5
print(f"truth: labelled slices at {truth[0]} mm, {truth[1]:.0f} mm³")
seen = {}
for omit in (True, False):
    folder = Path(f"omit{omit}")
    folder.mkdir()
    file = folder / "seg.dcm"
    hd.seg.Segmentation(
        source, mask, hd.seg.SegmentationTypeValues.BINARY, [lesion], generate_uid(), 7, generate_uid(), 1, "A", "A", "1", "1",
        omit_empty_frames=omit,
    ).save_as(file)
    grid = hd.seg.segread(file).get_volume(combine_segments=True)
    nib.save(nib.Nifti1Image(grid.array, np.diag([-1, -1, 1, 1]) @ grid.affine), folder / "h.nii")
    SimpleITK.WriteImage(SimpleITK.ReadImage(file), folder / "s.nii")
    for command in (
        ["env/bin/segimage2itkimage", "--inputDICOM", file, "--outputDirectory", folder, "--outputType", "nii", "-p", "q"],
        ["env/bin/dcm2niix", "-s", "y", "-f", "x", "-o", folder, file],
    ):
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True)
    names = {"highdicom": "h.nii", "dcmqi": next(folder.glob("q*.nii.gz")).name, "dcm2niix": "x.nii", "SimpleITK": "s.nii"}
    for reader, name in names.items():
        seen[omit, reader] = planes_and_volume(folder / name)
        print(f"omit_empty_frames={omit}, {reader}: {seen[omit, reader][0]} mm, {seen[omit, reader][1]:.0f} mm³")
    said = [line for line in done.stdout.splitlines() if "arning" in line]
    print("\n".join(said))
    assert not any("spac" in line or "gap" in line or "missing" in line for line in said)
for reader in ("highdicom", "dcmqi"):
    assert seen[True, reader] == seen[False, reader] == truth
for reader in ("dcm2niix", "SimpleITK"):
    assert seen[False, reader] == truth
assert seen[True, "dcm2niix"] == ([6.0, 8.0, 10.0, 12.0], truth[1])
assert seen[True, "SimpleITK"][1] == 2 * truth[1]
PYTHON
