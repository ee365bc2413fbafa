"""
Find what is unlike healthy scans
=================================

A dark ball is put into an average brain, and the bundled model of healthy scans finds it.
"""

# %%
import made_up
import numpy as np

import medunsup

values, affine = made_up.average()
lesion = made_up.ball(affine, values.shape, (26, -20, 32), 10)
with_lesion = np.where(lesion, 0.35 * values, values)
scan = made_up.write(with_lesion, affine, made_up.folder() / "patient_T1w.nii.gz")

# %%
# The model knows one scanner. It flags this brain, which is an average and nobody's scan: then
# the map is there, but no verdict.
result = medunsup.detect(scan)
result

# %%
# What was marked: the ball, and how much of it.
for finding in result.findings[:3]:
    print(f"{finding.volume_mm3 / 1000:.1f} ml, {finding.side}, {finding.place}, peak at {finding.peak_mm}")
print(f"marked of the ball: {result.mask.data[lesion].mean():.0%}")

# %%
# The raw map can take any threshold; the calibrated one says how rare a voxel's score is in
# healthy brains: 3 is one in a thousand.
at = tuple(int(n) for n in np.argwhere(lesion).mean(axis=0))
made_up.planes({"scan": result.image.data}, at)

# %%
made_up.planes({"expected in health": result.healthy.data}, at)

# %%
made_up.planes({"−log10 p": result.calibrated.data}, at, cmap="magma")
