"""
Pretrain without labels, fine-tune with few
===========================================

An encoder learns from images that nobody labelled. A classifier starts from it, and is held against
one that starts from random weights.
"""

# %%
# Small images of two classes: a bright spot is there or not. 160 are not labelled, 24 are.
import made_up
import matplotlib.pyplot as plt
import numpy as np

import medunsup

rng = np.random.default_rng(0)


def make(n):
    labels = np.arange(n) % 2
    images = 70 + 25 * rng.normal(size=(n, 28, 28))
    for image, label in zip(images, labels, strict=True):
        if label:
            row, column = rng.integers(6, 22, 2)
            image[row - 3 : row + 3, column - 3 : column + 3] += 90
    return images.clip(0, 255).astype(np.uint8), labels


folder = made_up.folder()
unlabelled, _ = make(160)
train, labels = make(24)
test, truth = make(60)
np.savez(folder / "unlabelled.npz", train_images=unlabelled[:140], val_images=unlabelled[140:])
np.savez(
    folder / "labelled.npz", train_images=train, train_labels=labels, test_images=test, test_labels=truth
)
figure, axes = plt.subplots(1, 6, figsize=(7.5, 1.6))
for axis, image, label in zip(axes, train, labels, strict=False):
    axis.imshow(image, cmap="gray", vmin=0, vmax=255)
    axis.set(title=f"class {label}", xticks=[], yticks=[])
figure.tight_layout()

# %%
# A few epochs of SimCLR on two CPU cores; real pretraining takes minutes to hours.
sizes = {"epochs": 8, "batch_size": 28, "encoder_parameters": {"channels": 8, "levels": 3}}
encoder = medunsup.pretrain("simclr", folder / "unlabelled.npz", folder / "encoder", parameters=sizes)
encoder

# %%
# Three networks see the same labelled images in the same order: fine-tuned, with a frozen
# encoder, and from scratch.
few = {"steps": 40, "batch_size": 12}
network = medunsup.finetune(
    folder / "encoder", folder / "labelled.npz", folder / "network", task="classify", parameters=few
)
network

# %%
# The verdict says no more than the interval allows.
print(network.manifest.verdict)

# %%
# New images.
medunsup.predict(network, folder / "labelled.npz")
