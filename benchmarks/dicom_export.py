"""How long a DICOM segmentation of 256³ voxels takes, beside a plain call of highdicom with the same content.

python benchmarks/dicom_export.py
"""

import tempfile
import time
from pathlib import Path

import numpy as np
from highdicom.seg import Segmentation, segread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, RLELossless, generate_uid

from medunsup.core.labels import Label
from medunsup.io.dicom import export_objects
from medunsup.io.dicom.export_codes import segment_of
from medunsup.io.dicom.export_source import ExportSource, read_source

SIZE, N_LABELS = 256, 4


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder)
        source = read_source(write_series(where / "scan"))
        labels = shells()
        segments = [segment_of(Label(n, f"C{n}", f"Class {n}", (40 * n, 99, 0))) for n in range(1, 5)]
        start = time.perf_counter()
        path = export_objects.write_segmentation(source, labels, segments, where / "seg.dcm")
        written = time.perf_counter()
        segread(path).get_volume(combine_segments=True)
        read = time.perf_counter()
        plain(source, labels, segments, where / "plain.dcm")
        ended = time.perf_counter()
        print(f"written and read back {written - start:.2f} s, read {read - written:.2f} s")
        print(f"file {path.stat().st_size / 1e6:.2f} MB; plain highdicom, not read back {ended - read:.2f} s")
        print(f"ratio {(written - start) / (ended - read):.2f}")


def shells() -> np.ndarray:
    """Nested ellipsoids with a wavy border, about as intricate as tissues."""
    x, y, z = np.meshgrid(*[np.linspace(-1, 1, SIZE)] * 3, indexing="ij", sparse=True)
    radius = np.sqrt(x**2 + 1.3 * y**2 + 1.1 * z**2) + 0.05 * np.sin(25 * x) * np.sin(25 * y) * np.sin(25 * z)
    return np.where(radius < 0.8, N_LABELS - np.floor(radius * 5), 0).clip(0).astype(np.uint8)


def plain(source: ExportSource, labels: np.ndarray, segments: list, path: Path) -> None:
    Segmentation(
        source_images=source.headers,
        pixel_array=export_objects._volume(source, labels),
        segmentation_type="LABELMAP",
        segment_descriptions=[export_objects._description(segment) for segment in segments],
        omit_empty_frames=False,
        transfer_syntax_uid=RLELossless,
        series_number=1,
        **export_objects._new_uids(),
    ).save_as(path)


def write_series(folder: Path) -> Path:
    folder.mkdir()
    study, series, frame = (generate_uid() for _ in range(3))
    for k in range(SIZE):
        item = Dataset()
        item.file_meta = FileMetaDataset()
        item.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        item.SOPClassUID = item.file_meta.MediaStorageSOPClassUID = MRImageStorage
        item.SOPInstanceUID = item.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        item.StudyInstanceUID, item.SeriesInstanceUID, item.FrameOfReferenceUID = study, series, frame
        item.PatientName = item.PatientID = "made up"
        item.Modality, item.SeriesNumber, item.InstanceNumber = "MR", 1, k + 1
        item.ImagePositionPatient, item.ImageOrientationPatient = [0, 0, k], [1, 0, 0, 0, 1, 0]
        item.PixelSpacing, item.SliceThickness = [1, 1], 1
        item.Rows = item.Columns = SIZE
        item.SamplesPerPixel, item.PhotometricInterpretation = 1, "MONOCHROME2"
        item.BitsAllocated, item.BitsStored, item.HighBit, item.PixelRepresentation = 16, 12, 11, 0
        item.PixelData = bytes(2 * SIZE * SIZE)
        item.save_as(folder / f"{k:03}.dcm", enforce_file_format=True)
    return folder


if __name__ == "__main__":
    main()
