"""`probe`: whether a pretrained encoder helps, with few labels or many."""
