"""
Segment a scan
==============

Grey matter, white matter and CSF of a T1w scan, without labels and without a graphics card.
"""

# %%
# The scan is the average of 152 healthy brains; any NIfTI, MGZ or DICOM scan will do.
import made_up

import medunsup

values, affine = made_up.average()
scan = made_up.write(values, affine, made_up.folder() / "average_T1w.nii.gz")
medunsup.load(scan)

# %%
# One call does it all. A result shows itself: the verdict first, then outlines and volumes.
result = medunsup.segment(scan)
result

# %%
# The numbers, and why the verdict is what it is.
print(result.quality.verdict, {name: round(ml) for name, ml in result.volumes_ml.items()})
print(*result.quality.reasons, sep="\n")

# %%
# Fractions of each tissue, and how uncertain the label of each voxel is.
maps = {f"fraction of {name}": volume.data for name, volume in result.fractions.items()}
made_up.planes({**maps, "uncertainty": result.uncertainty.data}, vmin=0, vmax=1)

# %%
# All maps, tables, sidecars and the page, written at once; ``medunsup.show(result)`` opens the
# page.
for kind, path in result.save(made_up.folder()).items():
    print(f"{kind:20} {path.name}")
