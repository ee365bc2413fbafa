#!/usr/bin/env bash
# Some scanners store two images in one series (root mean square and mean of a multi-echo MPRAGE), told apart by
# ImageType alone: echo time, numbers and positions are alike.
# Guess: the converter writes each as a volume of its own, or refuses.
# Seen: two volumes, without a warning, each a mixture of slices of both images; which ones follows from the
# SOPInstanceUIDs, which are arbitrary.
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
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

N_SLICES = 12
BRIGHTNESS = {"RMS": 2000, "MEAN": 1000}
study, series = generate_uid(), generate_uid()


def slice_of(kind, k):
    item, item.file_meta = Dataset(), FileMetaDataset()
    item.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    item.SOPClassUID = item.file_meta.MediaStorageSOPClassUID = MRImageStorage
    item.SOPInstanceUID = item.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    item.StudyInstanceUID = item.FrameOfReferenceUID = study
    item.SeriesInstanceUID, item.SeriesNumber, item.SeriesDescription = series, 3, "memprage"
    item.PatientName, item.PatientID, item.Modality, item.PatientPosition = "A", "1", "MR", "HFS"
    item.Manufacturer, item.AcquisitionNumber, item.InstanceNumber = "SIEMENS", 1, k + 1
    item.ImageType = ["DERIVED", "PRIMARY", "M", "DIS2D", kind]
    item.MRAcquisitionType, item.RepetitionTime, item.EchoTime = "3D", 2530, 3.5
    item.SliceThickness, item.PixelSpacing = 2, [1, 1]
    item.ImagePositionPatient, item.ImageOrientationPatient = [-8, -8, 2 * k], [1, 0, 0, 0, 1, 0]
    item.Rows, item.Columns, item.SamplesPerPixel, item.PhotometricInterpretation = 16, 16, 1, "MONOCHROME2"
    item.BitsAllocated, item.BitsStored, item.HighBit, item.PixelRepresentation = 16, 12, 11, 0
    item.PixelData = np.full((16, 16), BRIGHTNESS[kind], "<u2").tobytes()
    return item


seen = []
for number in range(2):
    source, target = Path(f"in{number}"), Path(f"out{number}")
    source.mkdir()
    target.mkdir()
    for kind in BRIGHTNESS:
        for k in range(N_SLICES):
            slice_of(kind, k).save_as(source / f"{kind}{k:02d}.dcm", enforce_file_format=True)
    command = ["env/bin/dcm2niix", "-f", "x", "-o", str(target), str(source)]
    done = subprocess.run(command, capture_output=True, text=True)
    print("\n".join(line for line in done.stdout.splitlines() if line.startswith("Chris") or "arning" in line))
    volumes = np.asanyarray(nib.load(target / "x.nii").dataobj)[0, 0].T
    seen.append(["".join("R" if value == 2000 else "M" for value in volume) for volume in volumes])
    print(f"UIDs of time {number}, exit code {done.returncode}, slices of each volume (R: RMS, M: MEAN): {seen[-1]}")
    assert done.returncode == 0
    assert "Warning" not in done.stdout
assert all(set(volume) == {"R", "M"} for volumes in seen for volume in volumes), "each volume is a mixture"
assert seen[0] != seen[1], "the UIDs decide"
PYTHON
