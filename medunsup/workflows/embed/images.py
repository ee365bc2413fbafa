"""Features of images in one .npz file, by an encoder that was pretrained on such images."""

import numpy as np

from medunsup.cohort.dataset.images import Images, read_images, refuse_executor
from medunsup.cohort.dataset.shown_labels import shown_labels
from medunsup.cohort.dataset.sources import SplitName
from medunsup.cohort.encoders.folder import WEIGHTS, EncoderFolder
from medunsup.cohort.feature_table.table import FeatureTable
from medunsup.cohort.labelled.alike import before_of, refuse_other_images
from medunsup.core.errors import UsageError
from medunsup.core.hints import option
from medunsup.core.provenance import generated_by
from medunsup.workflows.embed.request import EmbedRequest

SPLITS: tuple[SplitName, ...] = ("train", "validation", "test")


def embed_images(request: EmbedRequest, encoder: EncoderFolder | None) -> FeatureTable:
    """Return a row for each image of every split of a file, with its split and label where there is one.

    Raises UsageError without an encoder, or with kinds of features that are of scans alone.
    """
    encoder, splits = check_images_of(request, encoder)
    labels = shown_labels(request.data, {split: len(images.values) for split, images in splits.items()})
    from medunsup.selfsupervised.encode import encode

    rows, scans, of_split, told = [], [], [], []
    for split, images in splits.items():
        rows.append(encode(encoder.network, images.values).astype(np.float64))
        scans += images.names
        of_split += [split] * len(images.names)
        known = labels.of.get(split)
        told += [""] * len(images.names) if known is None else ["" if n < 0 else str(n) for n in known]
    covariates = {"split": of_split} | ({"label": told} if any(told) else {})
    columns = {
        f"encoder/{n:03d}": f"feature {n} of the encoder {encoder.path.name}, its mean over the image"
        for n in range(1, encoder.manifest.network.n_features + 1)
    }
    about = {
        "encoder": {"method": encoder.manifest.method, "sha256": encoder.manifest.sha256[WEIGHTS]},
        "columns": columns,
        "generated_by": generated_by(),
    }
    return FeatureTable(np.concatenate(rows), list(columns), {"scan": scans}, covariates, about)


def check_images_of(
    request: EmbedRequest, encoder: EncoderFolder | None
) -> tuple[EncoderFolder, dict[SplitName, Images]]:
    """Return the encoder and the images of each split.

    Raises UsageError without an encoder, for what is of scans alone, or for images that it does not fit.
    """
    refuse_executor(request.data, request.where.name)
    if encoder is None or request.settings.features:
        raise UsageError(
            f"{request.data}: of images features are those of an encoder alone: give {option('encoder')} and "
            f"no {option('features')}."
        )
    splits = read_images(request.data, splits=SPLITS)
    for images in splits.values():
        refuse_other_images(before_of(encoder), images.values.shape[1:])
    return encoder, splits
