"""What every page is drawn with: slices, charts, the viewer, words and numbers."""
