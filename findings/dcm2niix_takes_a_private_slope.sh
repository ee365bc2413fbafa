#!/usr/bin/env bash
# Makers keep data sets of their own in private sequences of each frame, with public tags inside (PS3.5 7.8 allows it).
# Guess: the slope of an enhanced MR file is that of the standard's macro, whatever a private sequence holds.
# Seen: where the standard's macro is shared by all frames, a RescaleSlope inside the private sequence of a frame wins:
# all values are 7 times too large, without a warning.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check dcm2niix==1.0.20260724 pydicom==3.0.2 nibabel==5.4.2 numpy==2.4.6
env/bin/python - <<'PYTHON'
import subprocess
from pathlib import Path

import nibabel as nib
import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import EnhancedMRImageStorage, ExplicitVRLittleEndian, generate_uid

N_SLICES = 6
values = np.random.default_rng(0).integers(0, 4000, (N_SLICES, 16, 16)).astype("<u2")


def box(**tags):
    item = Dataset()
    for name, value in tags.items():
        setattr(item, name, value)
    return item


def enhanced(is_private):
    item, item.file_meta = Dataset(), FileMetaDataset()
    item.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    item.SOPClassUID = item.file_meta.MediaStorageSOPClassUID = EnhancedMRImageStorage
    item.SOPInstanceUID = item.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    item.StudyInstanceUID, item.SeriesInstanceUID, item.FrameOfReferenceUID = (generate_uid() for _ in range(3))
    item.PatientName, item.PatientID, item.Modality, item.PatientPosition = "A", "1", "MR", "HFS"
    item.SeriesNumber, item.InstanceNumber, item.ImageType = 3, 1, ["ORIGINAL", "PRIMARY", "M", "NONE"]
    item.Manufacturer, item.NumberOfFrames, item.Rows, item.Columns = "Philips Medical Systems", N_SLICES, 16, 16
    item.SamplesPerPixel, item.PhotometricInterpretation = 1, "MONOCHROME2"
    item.BitsAllocated, item.BitsStored, item.HighBit, item.PixelRepresentation = 16, 12, 11, 0
    item.PixelData = values.tobytes()
    shared = box(
        PixelMeasuresSequence=[box(PixelSpacing=[1, 1], SliceThickness=2)],
        PlaneOrientationSequence=[box(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])],
        PixelValueTransformationSequence=[box(RescaleSlope=1, RescaleIntercept=0, RescaleType="US")],
    )
    item.SharedFunctionalGroupsSequence = [shared]
    item.PerFrameFunctionalGroupsSequence = [
        box(
            FrameContentSequence=[box(DimensionIndexValues=[1, k + 1])],
            PlanePositionSequence=[box(ImagePositionPatient=[-8, -8, 2 * k])],
        )
        for k in range(N_SLICES)
    ]
    for frame in item.PerFrameFunctionalGroupsSequence if is_private else ():
        block = frame.private_block(0x2005, "Philips MR Imaging DD 005", create=True)
        block.add_new(0x0F, "SQ", [box(RescaleSlope=7, RescaleIntercept=1)])
    return item


seen = {}
for is_private in (False, True):
    folder = Path(str(is_private))
    folder.mkdir()
    enhanced(is_private).save_as(folder / "a.dcm", enforce_file_format=True)
    command = ["env/bin/dcm2niix", "-f", "x", "-o", str(folder), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    print("\n".join(line for line in done.stdout.splitlines() if line.startswith("Chris") or "arning" in line))
    seen[is_private] = nib.load(folder / "x.nii").get_fdata().max()
    print(f"private sequence: {is_private}, largest value {seen[is_private]:.0f}, stored {values.max()} with slope 1")
    assert done.returncode == 0
    assert "arning" not in done.stdout
assert seen[False] == values.max()
assert seen[True] == 7 * values.max() + 1
PYTHON
