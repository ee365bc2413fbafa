"""DICOM series: found, sorted, placed in space, decoded."""
