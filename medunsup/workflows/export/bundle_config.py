"""The inference.json of a bundle: from files to labels or features, by MONAI alone."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from medunsup.core.labels import Label

IMPORTS = ["$import glob", "$import os", "$import torch", "$import monai"]
COMMON = {
    "bundle_root": ".",
    "dataset_dir": "$@bundle_root + '/prepared'",
    "output_dir": "$@bundle_root + '/eval'",
    "device": "$torch.device('cuda' if torch.cuda.is_available() else 'cpu')",
    "network_def": "$torch.jit.load(@bundle_root + '/models/model.ts', map_location=@device)",
    "network": "$@network_def.eval()",
    "inferer": {"_target_": "SimpleInferer"},
    "dataset": {"_target_": "Dataset", "data": "@datalist", "transform": "@preprocessing"},
}
OUTPUT = "@inferer(data['image'].as_tensor()[None].to(@device), @network)[0].cpu()"


def label_config(labels: Sequence[Label]) -> dict[str, Any]:
    """Return the config of a segmentation: label maps of prepared scans (NIfTI) on the template grid."""
    indices = [0, *(label.index for label in labels)]
    dtype = "uint8" if max(indices) <= np.iinfo(np.uint8).max else "uint16"
    return {
        "imports": IMPORTS,
        **COMMON,
        "datalist": _datalist("**/*.nii.gz"),
        "preprocessing": _compose(
            {"_target_": "LoadImaged", "keys": "image", "reader": "NibabelReader"},
            {"_target_": "EnsureChannelFirstd", "keys": "image"},
            {"_target_": "EnsureTyped", "keys": "image", "dtype": "$torch.float32"},
        ),
        "postprocessing": _compose(
            {"_target_": "AsDiscreted", "keys": "pred", "argmax": True},
            {
                "_target_": "MapLabelValued",
                "keys": "pred",
                "orig_labels": list(range(len(indices))),
                "target_labels": indices,
                "dtype": "$torch.int32",
            },
            {
                "_target_": "SaveImaged",
                "keys": "pred",
                "output_dir": "@output_dir",
                "output_postfix": "dseg",
                "output_dtype": f"$__import__('numpy').{dtype}",
                "resample": False,
                "separate_folder": False,
            },
        ),
        "predict": f"$lambda data: {{'pred': monai.data.MetaTensor({OUTPUT}, meta=data['image'].meta)}}",
        "run": ["$[@postprocessing(@predict(data))['pred'].shape for data in @dataset]"],
    }


def feature_config() -> dict[str, Any]:
    """Return the config of an encoder: features.tsv, a row for each array (.npy, or `values` of a .npz)."""
    return {
        "imports": IMPORTS,
        **COMMON,
        "datalist": _datalist("**/*.np[yz]"),
        "preprocessing": _compose(
            {
                "_target_": "LoadImaged",
                "keys": "image",
                "reader": "$monai.data.NumpyReader(npz_keys='values', channel_dim=0)",
                "ensure_channel_first": True,
            },
            {"_target_": "EnsureTyped", "keys": "image", "dtype": "$torch.float32"},
        ),
        "predict": f"$lambda data: {OUTPUT}",
        "rows": "$[(item['image'], @predict(data).tolist()) for item, data in zip(@datalist, @dataset)]",
        "lines": r"$['\t'.join([os.path.relpath(n, @dataset_dir), *map(repr, row)]) for n, row in @rows]",
        "initialize": ["$os.makedirs(@output_dir, exist_ok=True)"],
        "run": [r"$open(@output_dir + '/features.tsv', 'w').write('\n'.join(@lines) + '\n')"],
    }


def _compose(*transforms: dict[str, Any]) -> dict[str, Any]:
    return {"_target_": "Compose", "transforms": list(transforms)}


def _datalist(pattern: str) -> str:
    found = f"glob.glob(@dataset_dir + '/{pattern}', recursive=True)"
    return f"$[{{'image': path}} for path in sorted({found})]"
