"""The page of where a pretrained encoder looks in a scan."""
