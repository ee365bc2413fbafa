"""`export`: a pretrained encoder as weights that another library's network loads."""
