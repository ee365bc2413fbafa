"""NIfTI, Analyze and MGH files: read into RAS+ millimetres, written in the scan's own space."""
