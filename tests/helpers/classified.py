"""Networks fine-tuned to classify made-up scans or images, in a moment."""

from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter

import medunsup
from helpers import phantom
from helpers.finetuned import ENCODER
from helpers.healthy_scans import SPACING_MM
from helpers.labelled_images import write_labelled
from helpers.pretraining import write_images
from medunsup.cohort.finetuned.folder import FinetunedFolder

TINY = {"steps": 3, "batch_size": 4}
N_PEOPLE, N_SEEN = 12, 3


def write_unlike(path: Path, brain: phantom.Anatomy, n: int) -> Path:
    """Write a person whose tissue varies smoothly by itself."""
    image = brain.image("T1w", seed=n, noise=0.02)
    field = gaussian_filter(np.random.default_rng(n).normal(size=image.data.shape), 2)
    values = image.data * (1 + 0.2 * field / field.std()) * brain.mask.data
    return phantom.save(image.like(values.astype(np.float32)), path)


def classified_scans(folder: Path, brain: phantom.Anatomy) -> FinetunedFolder:
    """Fine-tune on twelve people, labelled AD or HC in turn; their scans lie in folder/scans."""
    for name, n_people in (("seen", N_SEEN), ("scans", N_PEOPLE)):
        (folder / name).mkdir()
        for n in range(n_people):
            write_unlike(folder / name / f"sub-{n:02d}_T1w.nii.gz", brain, n)
    rows = [f"sub-{n:02d},{'AD' if n % 2 else 'HC'}" for n in range(N_PEOPLE)]
    (folder / "labels.csv").write_text("\n".join(["subject,diagnosis", *rows]) + "\n")
    made = medunsup.pretrain(
        "autoencoder", folder / "seen", folder / "encoder", parameters=ENCODER, spacing_mm=SPACING_MM
    )
    return medunsup.finetune(
        made.path,
        folder / "scans",
        folder / "diagnosis",
        task="classify",
        labels=folder / "labels.csv",
        parameters=TINY,
        baselines=False,
    )


def classified_images(folder: Path) -> FinetunedFolder:
    """Fine-tune on images with a bright spot or without; they lie in folder/labelled.npz."""
    made = medunsup.pretrain(
        "autoencoder", write_images(folder / "images.npz"), folder / "encoder", parameters=ENCODER
    )
    return medunsup.finetune(
        made.path,
        write_labelled(folder / "labelled.npz"),
        folder / "classes",
        task="classify",
        parameters=TINY,
        baselines=False,
    )
