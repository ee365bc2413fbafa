"""`attention`: where a pretrained encoder looks in a scan."""
