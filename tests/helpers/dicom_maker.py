"""Made-up DICOM series whose content is known, and the ways to break them.

slices = make_slices(n=6)          # a list of pydicom data sets, one a file
write_slices(slices, folder)
"""

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"
ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4.1"
PATIENT_NAME = "Secret^Person"


def make_voxels(shape=(5, 4, 6), seed=0):
    """Array (columns, rows, slices) of distinct 12-bit values."""
    return np.random.default_rng(seed).integers(1, 4000, shape).astype(np.uint16)


def make_slices(
    voxels=None,
    *,
    n=6,
    orientation=(1, 0, 0, 0, 1, 0),
    origin=(-10.0, 20.0, 5.0),
    spacing=(0.9, 1.1),
    gap=2.0,
    uid=None,
    **tags,
) -> list[Dataset]:
    """One classic MR series, LPS; `spacing` is PixelSpacing (rows, columns)."""
    voxels = make_voxels((5, 4, n)) if voxels is None else voxels
    normal = np.cross(orientation[:3], orientation[3:])
    uid = uid or generate_uid()
    slices = []
    for k in range(voxels.shape[2]):
        item = _base(uid, voxels[:, :, k].T)
        item.InstanceNumber = k + 1
        item.ImagePositionPatient = [round(float(x), 6) for x in np.array(origin) + k * gap * normal]
        item.ImageOrientationPatient = [float(x) for x in orientation]
        item.PixelSpacing = list(spacing)
        item.SliceThickness = gap
        item.MRAcquisitionType = "3D"
        for name, value in tags.items():
            setattr(item, name, value)
        slices.append(item)
    return slices


def make_enhanced(voxels=None, *, n=6, orientation=(1, 0, 0, 0, 1, 0), gap=2.0, repeats=1, **tags) -> Dataset:
    """One enhanced multi-frame MR object; its frames are stored last slice first."""
    voxels = make_voxels((5, 4, n * repeats)) if voxels is None else voxels
    item = _base(generate_uid(), voxels[:, :, 0].T)
    item.SOPClassUID = item.file_meta.MediaStorageSOPClassUID = ENHANCED_MR
    n = voxels.shape[2] // repeats
    order = [(repeat, k) for repeat in range(repeats) for k in reversed(range(n))]
    item.NumberOfFrames = len(order)
    item.PixelData = np.stack([voxels[:, :, repeat * n + k].T for repeat, k in order]).astype("<u2").tobytes()
    item.MRAcquisitionType = "3D"
    shared = Dataset()
    shared.PixelMeasuresSequence = [_with(PixelSpacing=[0.9, 1.1], SliceThickness=gap)]
    shared.PlaneOrientationSequence = [_with(ImageOrientationPatient=[float(x) for x in orientation])]
    shared.PixelValueTransformationSequence = [_with(RescaleSlope=2, RescaleIntercept=-1, RescaleType="US")]
    item.SharedFunctionalGroupsSequence = [shared]
    normal = np.cross(orientation[:3], orientation[3:])
    item.PerFrameFunctionalGroupsSequence = [_frame(k * gap * normal, repeat) for repeat, k in order]
    for name, value in tags.items():
        setattr(item, name, value)
    return item


def write_slices(slices: Sequence[Dataset], folder: Path, *, syntax=ExplicitVRLittleEndian) -> Path:
    """Write each data set to a file of its own in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, item in enumerate(slices):
        write_dicom(item, folder / f"IM{number + 1:04d}.dcm", syntax=syntax)
    return folder


def write_dicom(item: Dataset, path: Path, *, syntax=ExplicitVRLittleEndian) -> Path:
    """Write one data set; big-endian pixels are swapped for it."""
    item = deepcopy(item)
    item.file_meta.TransferSyntaxUID = syntax
    if not syntax.is_little_endian:
        item.PixelData = np.frombuffer(item.PixelData, "<u2").astype(">u2").tobytes()
    item.save_as(path, enforce_file_format=True)
    return path


def _base(series_uid: str, plane: np.ndarray) -> Dataset:
    item = Dataset()
    item.file_meta = FileMetaDataset()
    item.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    item.SOPClassUID = item.file_meta.MediaStorageSOPClassUID = MR_IMAGE
    item.SOPInstanceUID = item.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    item.SeriesInstanceUID = series_uid
    item.StudyInstanceUID = "1.2.826.0.1.3680043.8.498.1"
    item.FrameOfReferenceUID = "1.2.826.0.1.3680043.8.498.2"
    item.PatientName, item.PatientID, item.PatientBirthDate = PATIENT_NAME, "ID-4711", "19490301"
    item.Modality = "MR"
    item.SeriesNumber = 3
    item.SeriesDescription = "MPRAGE"
    item.ImageType = ["ORIGINAL", "PRIMARY", "M"]
    item.Rows, item.Columns = plane.shape
    item.SamplesPerPixel, item.PhotometricInterpretation = 1, "MONOCHROME2"
    item.BitsAllocated, item.BitsStored, item.HighBit, item.PixelRepresentation = 16, 12, 11, 0
    item.PixelData = np.ascontiguousarray(plane, "<u2").tobytes()
    return item


def _frame(moved: np.ndarray, repeat: int) -> Dataset:
    frame = Dataset()
    place = [round(float(x), 6) for x in np.array([-10.0, 20.0, 5.0]) + moved]
    frame.PlanePositionSequence = [_with(ImagePositionPatient=place)]
    frame.FrameContentSequence = [_with(TemporalPositionIndex=repeat + 1)]
    return frame


def _with(**tags) -> Dataset:
    item = Dataset()
    for name, value in tags.items():
        setattr(item, name, value)
    return item
