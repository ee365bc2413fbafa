"""Scans as jobs of Slurm: one array, whose jobs and this process talk through a folder that both see."""
