"""
Read DICOM
==========

A folder of slices becomes one scan, in mm and the right way round, or an error that says what is
wrong.
"""

# %%
# A small series is written first: 64 slices of an average brain, as a scanner might send them.
import made_up
import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

import medunsup

values, affine = made_up.average(3)
to_lps = np.diag([-1.0, -1.0, 1.0])
series, study, frame = (generate_uid() for _ in range(3))


def write_slice(k, path):
    item = Dataset()
    item.file_meta = FileMetaDataset()
    item.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    item.SOPClassUID = item.file_meta.MediaStorageSOPClassUID = MRImageStorage
    item.SOPInstanceUID = item.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    item.SeriesInstanceUID, item.StudyInstanceUID, item.FrameOfReferenceUID = series, study, frame
    item.Modality, item.SeriesNumber, item.SeriesDescription = "MR", 2, "t1_mprage_sag"
    item.ImageType, item.MRAcquisitionType = ["ORIGINAL", "PRIMARY"], "3D"
    item.InstanceNumber = k + 1
    item.ImageOrientationPatient = [-1, 0, 0, 0, -1, 0]  # columns to the patient's right, rows to the front
    position = to_lps @ (affine[:3, :3] @ [0, 0, k] + affine[:3, 3])
    item.ImagePositionPatient = [round(float(x), 3) for x in position]
    item.PixelSpacing, item.SliceThickness = [3, 3], 3
    item.Rows, item.Columns = values.shape[1], values.shape[0]
    item.SamplesPerPixel, item.PhotometricInterpretation = 1, "MONOCHROME2"
    item.BitsAllocated, item.BitsStored, item.HighBit, item.PixelRepresentation = 16, 12, 11, 0
    item.PixelData = (values[:, :, k].T * 4000).round().astype("<u2").tobytes()
    item.save_as(path, enforce_file_format=True)


folder = made_up.folder()
for k in range(values.shape[2]):
    write_slice(k, folder / f"IM{k:03d}.dcm")

# %%
# The names and the order of files decide nothing: the headers say where each slice lies.
scan = medunsup.load(folder)
made_up.planes({"as read": scan.data})
scan

# %%
# What was chosen and what was repaired on the way stands in the notes; no tag of the patient is
# kept.
print(scan.source.notes)
print("place as written:", np.allclose(scan.affine, affine, atol=1e-3))
print("values as written:", np.abs(scan.data / 4000 - values).max() < 1e-3)

# %%
# A series with a slice missing is refused, with the place of the gap and the remedy.
(folder / "IM020.dcm").unlink()
try:
    medunsup.load(folder)
except medunsup.errors.GeometryError as error:
    print(str(error).replace(str(folder), "FOLDER"))
