"""
A chain of MONAI transforms
===========================

The loader and each step of the preprocessing are MONAI dictionary transforms, to be mixed with
MONAI's own.
"""

# %%
import made_up
from monai.data import DataLoader, Dataset
from monai.transforms import Compose, LoadImaged, RandGaussianNoised

from medunsup.transforms import BrainMaskd, CropToBraind, MedunsupReader, ToRASd, WinsorizeAndScaled

values, affine = made_up.average(3)
folder = made_up.folder()
people = {folder / f"sub-{n}_T1w.nii.gz": made_up.person(values, n) for n in range(2)}
items = [{"image": str(made_up.write(one, affine, path))} for path, one in people.items()]
chain = Compose(
    [
        LoadImaged("image", reader=MedunsupReader(), ensure_channel_first=True),
        ToRASd("image"),
        BrainMaskd("image"),
        WinsorizeAndScaled("image"),
        CropToBraind(["image", "brain_mask"], margin_mm=6),
        RandGaussianNoised("image", prob=1.0, std=0.03),
    ]
)

# %%
# Each item keeps its place in the world, and what was found on the way.
data = Dataset(items, chain)
first = data[0]
print(first["image"].shape, first["image"].affine[:3, 3])
made_up.planes({"image": first["image"][0].numpy(), "brain mask": first["brain_mask"][0].numpy()})

# %%
# In a loader, as any other.
for batch in DataLoader(data, batch_size=1):
    print(batch["image"].shape, float(batch["image"].max()))
