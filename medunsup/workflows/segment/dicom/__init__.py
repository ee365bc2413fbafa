"""DICOM files of a segmentation, beside its NIfTI results."""
