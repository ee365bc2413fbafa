"""What a bundle says of itself: metadata.json, and a README."""

from importlib.metadata import version
from typing import Any

from medunsup.core.hints import words
from medunsup.core.provenance import generated_by
from medunsup.core.version import __version__
from medunsup.report.base.text import DISCLAIMER
from medunsup.workflows.export.bundle_source import Source

SCHEMA = (
    "https://github.com/Project-MONAI/MONAI-extra-test-data/releases/download/0.8.1/meta_schema_20240725.json"
)

README = """# {title}

{what}

{disclaimer} No expert has checked what it gives.

## Run it

Put prepared {inputs} into `prepared/`, then, in this folder:

    python -c "from monai.bundle import run; run(config_file='configs/inference.json')"

{outputs} medunsup is not needed; it was checked with MONAI {monai} and PyTorch {torch}. The command line
of monai.bundle does the same where the package fire is installed. The network is TorchScript
(`models/model.ts`) and takes inputs of one shape, {shape}; others are refused.

## What it takes

It does not take scans as they come from a scanner: {prepared}

`configs/metadata.json` says the same in plain values, with the hash of the weights. On made-up inputs the
outputs of this bundle were at most {difference} from those of the network.
"""


def metadata(source: Source, *, difference: float | None = None) -> dict[str, Any]:
    """Return what metadata.json holds: MONAI's keys, and ours under "medunsup"."""
    return {
        "schema": SCHEMA,
        "version": "0.1.0",
        "changelog": {"0.1.0": f"exported by medunsup {__version__}"},
        "monai_version": version("monai"),
        "pytorch_version": version("torch").partition("+")[0],
        "numpy_version": version("numpy"),
        "required_packages_version": {"nibabel": version("nibabel")},
        "name": _title(source),
        "task": _task(source),
        "description": _what(source),
        "authors": "medunsup",
        "copyright": "see the data that it was trained on",
        "intended_use": DISCLAIMER,
        "data_type": "nibabel" if source.task == "segment" else "numpy",
        "image_classes": prepared_words(source),
        "network_data_format": {"inputs": {"image": _input(source)}, "outputs": {"pred": _output(source)}},
        "medunsup": {
            "GeneratedBy": [generated_by()],
            "Folder": source.run,
            "WeightsSHA256": source.weights_sha256,
            "TemplateGrid": {"Affine": source.affine, "SpacingMM": source.spacing_mm},
            "Contrast": source.contrast,
            "Intensity": source.intensity,
            "MeanDiceOnTheGrid": dict(source.dice),
            "LargestDifference": difference,
            **source.about,
        },
    }


def readme(source: Source) -> str:
    """Return the README."""
    outputs = (
        "Label maps go to `eval/`, on the grid of their inputs."
        if source.task == "segment"
        else "`eval/features.tsv` gets a row for each file: its name, then its features."
    )
    return README.format(
        title=_title(source),
        what=_what(source),
        disclaimer=DISCLAIMER,
        inputs="scans (NIfTI)" if source.task == "segment" else "arrays (.npy, or `values` of a .npz)",
        outputs=outputs,
        monai=version("monai"),
        torch=version("torch"),
        shape=" × ".join(map(str, source.shape)),
        prepared=prepared_words(source),
        difference="1e-5",
    )


def prepared_words(source: Source) -> str:
    """Say how inputs must have been prepared, and by what."""
    if source.kind == "images":
        return f"arrays (C, sides) of {_sides(source)}, {source.intensity}."
    made = (
        f"`medunsup predict {source.run} SCAN {' '.join(words('prepared', True))}` writes them, as "
        "`_desc-prepared`"
        if source.task == "segment"
        else "the folder `prepared` that pretraining keeps beside the encoder holds them (.npz)"
    )
    return (
        f"{source.contrast} scans without skull, registered to the MNI152 template (affine) and laid on its "
        f"grid of {_sides(source)} of {source.spacing_mm:g} mm, RAS; intensities {source.intensity}. {made}."
    )


def _sides(source: Source) -> str:
    return " × ".join(map(str, source.shape[1:])) + " voxels"


def _title(source: Source) -> str:
    return f"{'Labels' if source.task == 'segment' else 'Features'} by the network {source.run}"


def _task(source: Source) -> str:
    if source.task == "segment":
        return f"Segmentation of {len(source.labels)} structures on prepared {source.contrast} scans"
    return f"Features of prepared {source.kind}"


def _what(source: Source) -> str:
    encoder = source.about["Encoder"]
    how = f"{encoder['encoder']} in {encoder['dims']}D, pretrained by {source.about['Pretraining']}"
    if source.task == "segment":
        names = ", ".join(label.name for label in source.labels)
        return f"A segmentation network ({how}) with the labels {names}."
    return f"An encoder ({how}) that gives {source.n_features} features."


def _input(source: Source) -> dict[str, Any]:
    channels, *sides = source.shape
    name = source.contrast or "image"
    return {
        "type": "image",
        "format": "magnitude" if source.kind == "scans" else "image",
        "modality": "MR" if source.kind == "scans" else "n/a",
        "num_channels": channels,
        "spatial_shape": sides,
        "dtype": "float32",
        "value_range": list(source.value_range),
        "is_patch_data": False,
        "channel_def": {str(n): name if channels == 1 else f"{name} {n}" for n in range(channels)},
    }


def _output(source: Source) -> dict[str, Any]:
    if source.task == "features":
        return {
            "type": "feature",
            "format": "array",
            "num_channels": source.n_features,
            "spatial_shape": [],
            "dtype": "float32",
            "value_range": [],
            "is_patch_data": False,
            "channel_def": {},
        }
    classes = {"0": "background"} | {str(n): one.name for n, one in enumerate(source.labels, start=1)}
    return {
        "type": "probabilities",
        "format": "segmentation",
        "num_channels": len(classes),
        "spatial_shape": list(source.shape[1:]),
        "dtype": "float32",
        "value_range": [0, 1],
        "is_patch_data": False,
        "channel_def": classes,
    }
