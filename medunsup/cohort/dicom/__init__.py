"""What verbs that write DICOM files share: the series referred to, and the folder of the files."""
