"""`cluster patches`: the voxels of one scan in clusters."""
