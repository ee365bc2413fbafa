"""
A bias field, before and after
==============================

A coil makes one end of the head brighter than the other. A strong field is found and divided out
before the tissues are fitted.
"""

# %%
# The average brain is multiplied by a smooth field: the front is nearly twice as bright as the
# back.
import made_up
import matplotlib.pyplot as plt
import numpy as np

import medunsup

values, affine = made_up.average(3)
i, j, k = (np.linspace(-1, 1, n) for n in values.shape)
field = np.exp(0.33 * j[:, None] + 0.12 * i[:, None, None] - 0.1 * k**2).astype(np.float32)
noise = 0.01 * np.random.default_rng(0).normal(size=values.shape)
spoilt = np.where(values > 0.05, values * field + noise, 0).clip(0)
scan = made_up.write(spoilt, affine, made_up.folder() / "spoilt_T1w.nii.gz")

# %%
# ``corrected`` is the scan without its bias field.
result = medunsup.segment(scan)
result

# %%
inside = result.brain_mask.data
found = result.image.data[inside] / result.corrected.data[inside].clip(1e-3)
estimated = np.zeros(values.shape)
estimated[inside] = found / np.median(found)
true = np.where(inside, field / np.median(field[inside]), 0)
made_up.planes({"before": spoilt, "after": result.corrected.data})

# %%
made_up.planes({"field put in": true, "field found": estimated}, cmap="viridis", vmin=0.6, vmax=1.6)

# %%
# White matter along the head, from the back to the front: level after the correction.
white = result.labels.data == 2
figure, axis = plt.subplots(figsize=(6, 3))
for name, image in {"before": spoilt, "after": result.corrected.data}.items():
    shown = [y for y in range(values.shape[1]) if white[:, y].sum() > 50]
    profile = [image[:, y][white[:, y]].mean() for y in shown]
    axis.plot(shown, np.array(profile) / np.mean(profile), label=name)
axis.set(xlabel="voxel, from back to front", ylabel="white matter, of its mean")
axis.legend()
figure.tight_layout()
