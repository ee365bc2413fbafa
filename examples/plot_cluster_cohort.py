"""
Group the scans of a cohort
===========================

A table of features, a row a scan: a map of it, groups in it, and what they have to do with site and
age.
"""

# %%
# The table is made up; ``medunsup.embed("scans/", "features.csv")`` makes one from scans. Some
# people have less grey matter and larger ventricles; the second site measures everything a little
# larger.
import matplotlib.pyplot as plt
import numpy as np

import medunsup

rng = np.random.default_rng(0)
n = 90
atrophied = rng.random(n) < 0.35
site = rng.integers(0, 2, n)
columns = {
    "volumes/GM_ml": 680 - 110 * atrophied,
    "volumes/WM_ml": 520 - 15 * atrophied,
    "volumes/CSF_ml": 260 + 120 * atrophied,
    "intensity/skewness": 0.1 + 0.25 * atrophied,
}
spread = np.array([28, 30, 28, 0.06])
values = np.stack(list(columns.values()), axis=1) + rng.normal(size=(n, 4)) * spread + np.outer(site, spread)
table = medunsup.FeatureTable(
    values,
    list(columns),
    {"subject": [f"{k:03d}" for k in range(n)]},
    {"site": [f"site{s}" for s in site], "age": [f"{60 + 12 * a + rng.normal() * 6:.0f}" for a in atrophied]},
)
table

# %%
# A map of the rows, coloured by site.
places = medunsup.reduce(table, method="pca", colour="site")
places

# %%
# Clusters, with the site taken out first. Their number follows from a rule that may say that
# there are none.
found = medunsup.cluster(table, method="gmm", harmonise="site", seeds=3, umap=False)
figure, axis = plt.subplots(figsize=(6, 4))
for label in np.unique(found.labels):
    axis.scatter(*places.places[found.labels == label, :2].T, s=18, label=f"cluster {label}")
axis.set(xlabel="component 1", ylabel="component 2")
axis.legend()
figure.tight_layout()
found

# %%
# Who they are: covariates that were not used to find them.
for cluster in found.clusters:
    ages = [float(found.covariates["age"][row]) for row in np.flatnonzero(found.labels == cluster.label)]
    typical = table.label(cluster.exemplars[0])
    print(f"cluster {cluster.label}: {cluster.n} people, mean age {np.mean(ages):.0f}, typical {typical}")
for remark in found.remarks:
    print(remark)
