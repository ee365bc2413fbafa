"""
Where does a DINO encoder look?
===============================

A small vision transformer is pretrained by DINO on slices; its attention shows which places count
in its features. A map shows where a network looks, not disease.
"""

# %%
# Slices of made-up people at 4 mm.
import made_up
import matplotlib.pyplot as plt
import numpy as np

import medunsup

values, affine = made_up.average(4)
people = [made_up.person(values, seed)[:48, :56, 10:34:4] for seed in range(8)]
images = np.concatenate([np.moveaxis(one, 2, 0) for one in people])
images = np.pad(images, ((0, 0), (4, 4), (0, 0)))[:, :56, :56]
pixels = (255 * images / images.max()).astype(np.uint8)
folder = made_up.folder()
np.savez(folder / "slices.npz", train_images=pixels[:-12], val_images=pixels[-12:])
print(pixels.shape)

# %%
vit = {"sides": 56, "patch": 4, "width": 48, "layers": 2, "heads": 3}
how = {"epochs": 3, "batch_size": 12, "encoder": "vit", "encoder_parameters": vit, "local_sides": 1.0}
medunsup.pretrain("dino", folder / "slices.npz", folder / "dino", parameters=how)

# %%
# One map a head, and their mean, each from 0 to 1.
encoder = medunsup.Encoder.load(folder / "dino")
maps = encoder.attention(pixels[-12::3])
figure, axes = plt.subplots(len(maps) + 1, 4, figsize=(6, 1.5 * (len(maps) + 1)))
for column, image in enumerate(pixels[-12::3]):
    axes[0, column].imshow(image.T[::-1], cmap="gray")
    for row, (name, of) in enumerate(maps.items(), start=1):
        axes[row, column].imshow(np.squeeze(of[column]).T[::-1], cmap="magma")
        axes[row, 0].set_ylabel(name)
for axis in axes.ravel():
    axis.set(xticks=[], yticks=[])
figure.tight_layout()

# %%
# The features of an image are one row of numbers, for scikit-learn and the other verbs.
print(encoder.transform(pixels).shape)
