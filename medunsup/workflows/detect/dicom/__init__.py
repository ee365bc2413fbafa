"""DICOM files of what `detect` found, beside its NIfTI results."""
