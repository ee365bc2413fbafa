#!/usr/bin/env bash
# A lesion is drawn on every second slice of a series of 1.5 mm, and saved as a segmentation of 3 mm.
# Guess: highdicom takes the distance of the slices it is given, surely where pixel_measures tells it: 3 mm.
# Seen: SpacingBetweenSlices of the source, 1.5 mm, is copied even over pixel_measures that say 3 mm or a Volume of 3 mm.
# The positions of the frames are right and contradict it. highdicom itself, dcmqi and dcm2niix read half the lesion's
# volume, SimpleITK, which goes by positions, all of it.
# Remedy: delete the tag from copies of the source headers; highdicom then computes it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --only-binary :all: highdicom==0.28.2 pydicom==3.0.2 dcmqi==1.5.7 \
    dcm2niix==1.0.20260724 SimpleITK==2.5.7 nibabel==5.4.2 numpy==2.4.6
env/bin/python - <<'PYTHON'
import subprocess
from copy import deepcopy
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


def mr_slice(k, step):
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
    item.SliceThickness, item.SpacingBetweenSlices, item.PixelSpacing = step, step, [1, 1]
    item.ImagePositionPatient, item.ImageOrientationPatient = [-8, -8, step * k], [1, 0, 0, 0, 1, 0]
    item.Rows, item.Columns, item.SamplesPerPixel, item.PhotometricInterpretation = 16, 16, 1, "MONOCHROME2"
    item.BitsAllocated, item.BitsStored, item.HighBit, item.PixelRepresentation = 16, 12, 11, 0
    item.PixelData = np.full((16, 16), 100, "<u2").tobytes()
    return item


def segmentation(source, mask, **geometry):
    lesion = hd.seg.SegmentDescription(
        1, "Lesion", codes.SCT.MorphologicallyAbnormalStructure, codes.SCT.Lesion, hd.seg.SegmentAlgorithmTypeValues.MANUAL
    )
    return hd.seg.Segmentation(
        source, mask, hd.seg.SegmentationTypeValues.BINARY, [lesion], generate_uid(), 7, generate_uid(), 1, "A", "A", "1", "1",
        omit_empty_frames=False, **geometry,
    )


def volume_of(path):
    image = nib.load(path)
    return float((image.get_fdata() > 0).sum() * np.prod(image.header.get_zooms()[:3]))


second = [mr_slice(k, 1.5) for k in range(0, 24, 2)]
without_tag = deepcopy(second)
for header in without_tag:
    del header.SpacingBetweenSlices
mask = np.zeros((12, 16, 16), np.uint8)
mask[4:8, 4:10, 4:10] = 1
truth = mask.sum() * 3.0
measures = hd.PixelMeasuresSequence(pixel_spacing=[1, 1], slice_thickness=3, spacing_between_slices=3)
affine = np.array([[0, 0, 1, -8], [0, 1, 0, -8], [3, 0, 0, 0], [0, 0, 0, 1.0]])
volume = hd.Volume(mask, affine, "PATIENT", frame_of_reference_uid=study)
cases = {
    "as it comes": (second, mask, {}),
    "pixel_measures of 3 mm": (second, mask, {"pixel_measures": measures}),
    "a Volume of 3 mm": (second, volume, {}),
    "without the tag": (without_tag, mask, {}),
}
seen = {}
print(f"true volume {truth:.0f} mm³")
for number, (case, (source, pixels, geometry)) in enumerate(cases.items()):
    folder = Path(f"case{number}")
    folder.mkdir()
    file = folder / "seg.dcm"
    segmentation(source, pixels, **geometry).save_as(file)
    grid = hd.seg.segread(file).get_volume(combine_segments=True)
    itk = SimpleITK.ReadImage(file)
    for command in (
        ["env/bin/segimage2itkimage", "--inputDICOM", file, "--outputDirectory", folder, "--outputType", "nii", "-p", "q"],
        ["env/bin/dcm2niix", "-s", "y", "-f", "x", "-o", folder, file],
    ):
        subprocess.run([str(part) for part in command], capture_output=True, check=True)
    seen[case] = {
        "highdicom": float((grid.array > 0).sum() * np.prod(grid.spacing)),
        "dcmqi": volume_of(next(folder.glob("q*.nii.gz"))),
        "dcm2niix": volume_of(folder / "x.nii"),
        "SimpleITK": float((SimpleITK.GetArrayFromImage(itk) > 0).sum() * np.prod(itk.GetSpacing())),
    }
    print(f"{case}: {seen[case]}")
for case, volumes in seen.items():
    share = 1 if case == "without the tag" else 0.5
    for reader in ("highdicom", "dcmqi", "dcm2niix"):
        assert abs(volumes[reader] / truth - share) < 1e-3, (case, reader)
    assert abs(volumes["SimpleITK"] / truth - 1) < 1e-3, case
PYTHON
