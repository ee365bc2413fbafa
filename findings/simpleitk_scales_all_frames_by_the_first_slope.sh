#!/usr/bin/env bash
# An enhanced MR file may scale each frame by a slope of its own, to use all bits of dark and of bright slices.
# Guess: a reader that applies RescaleSlope applies it frame by frame, or refuses where slopes differ.
# Seen: SimpleITK applies the slope of the first frame to all of them, without a word. A scan that is 600 everywhere comes
# out as a ramp of 600 to 100, which a bias correction would take for the coil's. pydicom's apply_rescale changes nothing
# at all, since the slope does not stand at the top of the file. highdicom and dcm2niix are right.
# Remedy: convert such files with dcm2niix first.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --only-binary :all: SimpleITK==2.5.7 highdicom==0.28.2 pydicom==3.0.2 \
    dcm2niix==1.0.20260724 nibabel==5.4.2 numpy==2.4.6
env/bin/python - <<'PYTHON'
import subprocess
from importlib.metadata import version

import highdicom
import nibabel as nib
import numpy as np
import pydicom
import SimpleITK
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.pixels import apply_rescale
from pydicom.uid import EnhancedMRImageStorage, ExplicitVRLittleEndian, generate_uid

for package in ("SimpleITK", "pydicom", "highdicom", "dcm2niix"):
    print(package, version(package), end="  ")
print()
SLOPES = [2, 4, 6, 8, 10, 12]
TRUTH = 600


def box(**tags):
    item = Dataset()
    for name, value in tags.items():
        setattr(item, name, value)
    return item


item, item.file_meta = Dataset(), FileMetaDataset()
item.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
item.SOPClassUID = item.file_meta.MediaStorageSOPClassUID = EnhancedMRImageStorage
item.SOPInstanceUID = item.file_meta.MediaStorageSOPInstanceUID = generate_uid()
item.StudyInstanceUID, item.SeriesInstanceUID, item.FrameOfReferenceUID = (generate_uid() for _ in range(3))
item.PatientName, item.PatientID, item.Modality, item.PatientPosition = "Made^Up", "1", "MR", "HFS"
item.SeriesNumber, item.InstanceNumber, item.ImageType = 3, 1, ["ORIGINAL", "PRIMARY", "M", "NONE"]
item.Manufacturer, item.NumberOfFrames, item.Rows, item.Columns = "A", len(SLOPES), 16, 16
item.SamplesPerPixel, item.PhotometricInterpretation = 1, "MONOCHROME2"
item.BitsAllocated, item.BitsStored, item.HighBit, item.PixelRepresentation = 16, 12, 11, 0
item.PixelData = np.stack([np.full((16, 16), TRUTH // slope, "<u2") for slope in SLOPES]).tobytes()
item.SharedFunctionalGroupsSequence = [
    box(
        PixelMeasuresSequence=[box(PixelSpacing=[1, 1], SliceThickness=2)],
        PlaneOrientationSequence=[box(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])],
    )
]
item.PerFrameFunctionalGroupsSequence = [
    box(
        FrameContentSequence=[box(DimensionIndexValues=[1, k + 1])],
        PlanePositionSequence=[box(ImagePositionPatient=[-8, -8, 2 * k])],
        PixelValueTransformationSequence=[box(RescaleSlope=slope, RescaleIntercept=0, RescaleType="US")],
    )
    for k, slope in enumerate(SLOPES)
]
item.save_as("scan.dcm", enforce_file_format=True)

again = pydicom.dcmread("scan.dcm")
done = subprocess.run(["env/bin/dcm2niix", "-s", "y", "-f", "x", "-o", ".", "scan.dcm"], capture_output=True, text=True)
assert done.returncode == 0
seen = {
    "SimpleITK": SimpleITK.GetArrayFromImage(SimpleITK.ReadImage("scan.dcm"))[:, 0, 0],
    "pydicom, apply_rescale": apply_rescale(again.pixel_array, again)[:, 0, 0],
    "highdicom": highdicom.imread("scan.dcm").get_volume(dtype=np.float64).array[:, 0, 0],
    "dcm2niix": nib.load("x.nii").get_fdata()[0, 0],
}
stored = TRUTH // np.array(SLOPES)
print("slopes", SLOPES, "stored", stored, "true values", TRUTH)
for reader, values in seen.items():
    print(f"{reader}: {np.asarray(values)}")
assert np.array_equal(seen["SimpleITK"], stored * SLOPES[0])
assert np.array_equal(seen["pydicom, apply_rescale"], stored)
assert np.allclose(seen["highdicom"], TRUTH)
assert np.allclose(seen["dcm2niix"], TRUTH)
PYTHON
