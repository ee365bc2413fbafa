"""
Thresholds from healthy scans alone
===================================

No lesion is needed to choose a threshold: scans of healthy people that the model has not seen tell
how high a healthy score gets.
"""

# %%
# Score maps of 39 healthy scans, made up: gamma noise.
import matplotlib.pyplot as plt
import numpy as np

import medunsup

rng = np.random.default_rng(0)


def healthy_map():
    return rng.gamma(2, size=(16, 20, 16)).astype(np.float32) * rng.uniform(0.9, 1.1)


maps = [healthy_map() for _ in range(39)]
masks = [np.ones(maps[0].shape, bool)] * len(maps)
calibration = medunsup.calibrate(maps, masks, [float(one.mean()) for one in maps], voxel_mm3=8.0)
calibration

# %%
# The smallest p-value is 1 in 40. A smaller false-positive rate is refused, with the number of
# scans that would do.
print(calibration.p_value(9.0), calibration.scan_threshold(0.05))
try:
    calibration.scan_threshold(0.01)
except medunsup.errors.UsageError as error:
    print(error)

# %%
# The promise: a new healthy scan gets p ≤ α at most that often. Tried on 400 new ones.
p = np.array([calibration.p_value(float(healthy_map().mean())) for _ in range(400)])
alphas = np.linspace(0.025, 1, 40)
figure, axis = plt.subplots(figsize=(4.2, 4))
axis.plot(alphas, [(p <= alpha + 1e-9).mean() for alpha in alphas], label="new healthy scans")
axis.plot([0, 1], [0, 1], "--", color="gray", label="promised")
axis.set(xlabel="α asked for", ylabel="share called unusual")
axis.legend()
figure.tight_layout()
