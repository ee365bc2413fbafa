"""Grids, crops, shapes in millimetres and label maps on another grid."""
