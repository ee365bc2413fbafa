"""
Is a model worth its cost?
==========================

A model is measured on scans whose lesions are known, beside baselines that cost nothing.
"""

# %%
# Three cases: two with a lesion, one without. Real ones are scans with lesions that an expert
# drew.
import made_up
import numpy as np

import medunsup

values, affine = made_up.average(3)
folder = made_up.folder()
rows = ["scan\tlesions\tsubject"]
for n, center in enumerate([(26, -20, 32), (-30, 10, 24), None]):
    image = made_up.person(values, n)
    lesion = np.zeros(values.shape, bool)
    if center is not None:
        lesion = made_up.ball(affine, values.shape, center, 10)
    made_up.write(np.where(lesion, 0.4 * image, image), affine, folder / f"case{n}_T1w.nii.gz")
    made_up.write(lesion, affine, folder / f"case{n}_lesions.nii.gz")
    rows.append(f"case{n}_T1w.nii.gz\t{f'case{n}_lesions.nii.gz' if lesion.any() else ''}\tperson{n}")
    if n == 0:
        made_up.planes(
            {"case0: a lesion in the right half": np.where(lesion, 0.4 * image, image)}, at=(41, 38, 35)
        )
(folder / "cases.tsv").write_text("\n".join(rows) + "\n")
print("\n".join(rows))

# %%
# Each figure is a mean over subjects with its interval; two patients are far too few to tell a
# difference.
found = medunsup.evaluate("t1w_2mm_atlas", folder / "cases.tsv", folder / "evaluation")
found

# %%
# The page holds the same with pictures of each case. ``medunsup.show(folder / "evaluation")``
# opens it.
for path in sorted((folder / "evaluation").iterdir()):
    print(path.name)

# %%
# What may be said of each baseline:
for one in found.figures.methods:
    if one.model_against is not None:
        print(f"{one.name:28} {one.model_against.verdict}")
