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

from medunsup.transforms.brain import BrainMaskd, CropToBraind
from medunsup.transforms.intensity import BiasCorrectd, WinsorizeAndScaled
from medunsup.transforms.orientation import ToRASd
from medunsup.transforms.reader import MedunsupReader
from medunsup.transforms.template import PlaceTemplated, TemplateMapsd, ToTemplated

__all__ = [
    "BiasCorrectd",
    "BrainMaskd",
    "CropToBraind",
    "MedunsupReader",
    "PlaceTemplated",
    "TemplateMapsd",
    "ToRASd",
    "ToTemplated",
    "WinsorizeAndScaled",
]
