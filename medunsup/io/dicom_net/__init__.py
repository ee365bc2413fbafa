"""DICOM over the network: files sent to an archive, and a listener that takes them."""
