"""NIfTI, Analyze and MGH files: read into RAS+ millimetres, written in native space."""
