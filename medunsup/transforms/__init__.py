"""medunsup's loader and preprocessing steps as MONAI transforms, for `monai.transforms.Compose`.

    Compose([
        LoadImaged("image", reader=MedunsupReader(), ensure_channel_first=True),
        ToRASd("image"),
        BrainMaskd("image"),
        BiasCorrectd("image"),
        WinsorizeAndScaled("image"),
        CropToBraind(["image", "brain_mask"], margin_mm=5),
    ])

Those that move voxels can be inverted, back to the grid of the file. Nothing else in medunsup imports
this package, torch or MONAI on its way from a scan to its tissues.
"""

from typing import Any

from medunsup.core.renamed import renamed_class
from medunsup.transforms.brain import BrainMaskd, CropToBraind
from medunsup.transforms.intensity import BiasCorrectd, WinsorizeAndScaled
from medunsup.transforms.orientation import ToRASd
from medunsup.transforms.reader import MedunsupReader
from medunsup.transforms.template import RegisterTemplated, TemplateMapsd, ToTemplated

__all__ = [
    "BiasCorrectd",
    "BrainMaskd",
    "CropToBraind",
    "MedunsupReader",
    "RegisterTemplated",
    "TemplateMapsd",
    "ToRASd",
    "ToTemplated",
    "WinsorizeAndScaled",
]


def __getattr__(name: str) -> Any:
    if name == "PlaceTemplated":
        return renamed_class("PlaceTemplated", RegisterTemplated)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
