"""
Choose K, or say that there is nothing to choose
================================================

How many clusters are there? The rule may answer that there are none; others, which always name a
number, stand beside it.
"""

# %%
# Three groups of 40 rows, and 120 rows of one Gaussian with the same spread.
import matplotlib.pyplot as plt
import numpy as np

from medunsup.clustering import KMeans, choose_k

rng = np.random.default_rng(0)
centres = np.array([[0, 0, 0, 0], [5, 0, 1, 0], [0, 5, 0, 1]])
groups = np.repeat(centres, 40, axis=0) + rng.normal(size=(120, 4))
one = rng.multivariate_normal(groups.mean(axis=0), np.cov(groups.T), 120)


def make(k, seed):
    return KMeans(n_clusters=k, n_init=3, seed=seed)


# %%
# The rule: the largest K whose clusters are parted by a valley in rows that were not fitted, and
# are more stable or tighter than those of one Gaussian.
found = choose_k(make, groups, ks=[2, 3, 4, 5])
none = choose_k(make, one, ks=[2, 3, 4, 5])
print("three groups:", found.verdict)
print("one Gaussian:", none.verdict)

# %%
# Each criterion by itself names a number, for the Gaussian as well.
print("three groups:", found.proposals)
print("one Gaussian:", none.proposals)

# %%
figure, axes = plt.subplots(1, 2, figsize=(7.5, 3.4), sharex=True, sharey=True)
for axis, rows, choice in zip(axes, (groups, one), (found, none), strict=True):
    labels = make(choice.k, 0).fit(rows).labels_ if choice.k > 1 else np.zeros(len(rows))
    axis.scatter(rows[:, 0], rows[:, 1], c=labels, cmap="tab10", vmax=9, s=14)
    axis.set_title(f"K = {choice.k}")
figure.tight_layout()
