#!/usr/bin/env bash
# A map of numbers is kept as a DICOM Parametric Map by one package and read by another. Each frame says where it lies.
# Guess: dcmqi's paramap2itkimage puts each frame at its position, as its segimage2itkimage does.
# Seen: it takes the order in which frames are stored for the order of the slices. highdicom stores them in the opposite
# one, so the map comes back mirrored along the slices, exit code 0: on a sagittal scan left becomes right.
# Place, size and axes of the volume are right, so nothing looks wrong. highdicom reads its own file rightly.
# Remedy: turn the order of frames and pixels round before saving; both readers are then right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --only-binary :all: highdicom==0.28.2 pydicom==3.0.2 dcmqi==1.5.7 \
    nibabel==5.4.2 numpy==2.4.6
env/bin/python -W ignore - <<'PYTHON'
import subprocess
from importlib.metadata import version
from pathlib import Path

import highdicom as hd
import nibabel as nib
import numpy as np
from highdicom.sr import CodedConcept
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

print("highdicom", version("highdicom"), "dcmqi", version("dcmqi"))
study, series = generate_uid(), generate_uid()
N_SLICES = 12
BRAIN = CodedConcept("12738006", "SCT", "Brain")
LEFT_MOST = N_SLICES  # the value of the slice furthest to the patient's left


def sagittal_slice(k):
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
    item.SliceThickness, item.SpacingBetweenSlices, item.PixelSpacing = 2, 2, [1, 1]
    item.ImagePositionPatient, item.ImageOrientationPatient = [2 * k - 11, -8, 8], [0, 1, 0, 0, 0, -1]
    item.Rows, item.Columns, item.SamplesPerPixel, item.PhotometricInterpretation = 16, 16, 1, "MONOCHROME2"
    item.BitsAllocated, item.BitsStored, item.HighBit, item.PixelRepresentation = 16, 12, 11, 0
    item.PixelData = np.full((16, 16), 100, "<u2").tobytes()
    return item


def parametric_map(source, values):
    mapping = hd.pm.RealWorldValueMapping("1", "score", codes.UCUM.NoUnits, (-1e6, 1e6), slope=1.0, intercept=0.0)
    made = hd.pm.ParametricMap(
        source, values, generate_uid(), 7, generate_uid(), 1, "A", "A", "1", "1", False, [mapping], 6.0, 12.0
    )
    for frame in made.PerFrameFunctionalGroupsSequence:
        anatomy = Dataset()
        anatomy.FrameLaterality, anatomy.AnatomicRegionSequence = "U", [BRAIN]
        frame.FrameAnatomySequence = [anatomy]
    return made


def turn_round(made):
    frames = list(made.PerFrameFunctionalGroupsSequence)
    indices = [frame.FrameContentSequence[0].DimensionIndexValues for frame in frames]
    for frame, index in zip(frames, indices[::-1], strict=True):
        frame.FrameContentSequence[0].DimensionIndexValues = index
    made.PerFrameFunctionalGroupsSequence = frames[::-1]
    pixels = np.frombuffer(made.FloatPixelData, np.float32).reshape(len(frames), -1)
    made.FloatPixelData = pixels[::-1].tobytes()


def x_of(values, affine_lps):
    """The patient's left-right place in mm, + is left, of the slice that was made to be the left-most."""
    return round(float(nib.affines.apply_affine(affine_lps, np.argwhere(values == LEFT_MOST)[0])[0]), 3)


source = [sagittal_slice(k) for k in range(N_SLICES)]
values = np.repeat(np.arange(1, N_SLICES + 1, dtype=np.float32), 256).reshape(N_SLICES, 16, 16)
truth = float(source[-1].ImagePositionPatient[0])
print(f"the slice of value {LEFT_MOST} was made at x = {truth} mm (+ is the patient's left)")
seen = {}
for is_turned in (False, True):
    folder = Path(str(is_turned))
    folder.mkdir()
    made = parametric_map(source, values)
    if is_turned:
        turn_round(made)
    made.save_as(folder / "map.dcm")
    command = ["env/bin/paramap2itkimage", "--inputDICOM", folder / "map.dcm", "--outputDirectory", folder, "--outputType", "nii"]
    subprocess.run([str(part) for part in command], capture_output=True, check=True)
    image = nib.load(next(folder.glob("*.nii.gz")))
    grid = hd.imread(folder / "map.dcm").get_volume()
    seen[is_turned] = x_of(grid.array, grid.affine), x_of(image.get_fdata(), np.diag([-1, -1, 1, 1]) @ image.affine)
    print(f"frames turned round: {is_turned}; highdicom finds it at {seen[is_turned][0]}, dcmqi at {seen[is_turned][1]} mm")
assert seen[False] == (truth, -truth)
assert seen[True] == (truth, truth)
PYTHON
