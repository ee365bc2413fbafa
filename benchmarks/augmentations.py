"""Views a second on this CPU: images as SimCLR wants them, and volumes beside MONAI's transforms.

    python benchmarks/augmentations.py                 # 2 threads, 7 runs each
    python benchmarks/augmentations.py --threads 1

Volumes are of 128^3 voxels with a mask, views of 96^3: a crop of 102^3 at a random place, resized, flipped
with probability .5, smoothed and with noise. MONAI's chain of dictionary transforms does the same, item by
item as it must, in turns with ours. Both are given tensors in memory. Times are medians: CPU seconds of all
threads, and wall seconds, which are only as good as the machine is idle.
"""

import argparse
import time
import warnings
from collections.abc import Callable

import numpy as np
import torch

from medunsup.selfsupervised.augmentations.multi_crop import multi_crop
from medunsup.selfsupervised.augmentations.presets import PRESETS, Augmentations, augment
from medunsup.training.learner import View

SIDE, SIZE, CROP = 128, 96, 102
VOLUMES, IMAGES = 4, 256
SIMCLR = Augmentations(
    crop=1, crop_least=0.2, stretch=1.33, flip=0.5, rotation=0.5, blur=0.5, noise=0.5, intensity=0.8
)
SHARE = (CROP / SIDE) ** 3
VOLUME = Augmentations(crop=1, crop_least=SHARE, crop_most=SHARE, flip=0.5, blur=1, noise=1)


def main() -> None:
    options = parse()
    torch.set_num_threads(options.threads)
    print(f"torch {torch.__version__}, {options.threads} threads, median of {options.runs} runs\n")
    volumes(options.runs)
    images(options.runs)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--threads", type=int, default=2, help="threads that torch may use")
    parser.add_argument("--runs", type=int, default=7, help="runs of each; the median counts")
    return parser.parse_args()


def volumes(runs: int) -> None:
    view = View(torch.rand(VOLUMES, 1, *[SIDE] * 3), torch.rand(VOLUMES, 1, *[SIDE] * 3) > 0.1)
    drawn = torch.Generator().manual_seed(0)
    chain = monai_chain()
    items = [{"values": v, "mask": m} for v, m in zip(view.values, view.masks, strict=True)]
    config = PRESETS["segmentation"]
    jobs: dict[str, Callable[[], object]] = {
        "ours": lambda: augment(view, drawn, VOLUME, size=(SIZE,) * 3),
        "MONAI": lambda: [chain(item) for item in items],
        "ours, preset segmentation": lambda: augment(view, drawn, config, size=(SIZE,) * 3),
        "ours, 2 global + 4 local": lambda: multi_crop(view, drawn, VOLUME, size=(SIZE,) * 3),
    }
    seconds = in_turns(jobs, runs)
    ratio = seconds["MONAI"] / seconds["ours"]
    print(f"3D: {ratio[0]:.1f} times as fast as MONAI's chain, with 1/{ratio[1]:.1f} of its CPU time\n")
    print("  ms an item: wall    CPU")
    for name, taken in seconds.items():
        wall, cpu = 1000 * taken / VOLUMES
        print(f"           {wall:7.1f} {cpu:6.1f}   {name}")


def images(runs: int) -> None:
    view = View(torch.rand(IMAGES, 1, 28, 28), torch.ones(IMAGES, 1, 28, 28, dtype=torch.bool))
    drawn = torch.Generator().manual_seed(0)
    wall, _ = in_turns({"ours": lambda: augment(view, drawn, SIMCLR)}, runs)["ours"]
    print(f"\n2D: {IMAGES / wall:,.0f} views of 28 x 28 a second, in batches of {IMAGES}")


def monai_chain() -> Callable[[dict[str, torch.Tensor]], object]:
    """Return the same steps as MONAI's dictionary transforms."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from monai import transforms

    keys = ["values", "mask"]
    width = {f"sigma_{axis}": (0.0, 1.0) for axis in "xyz"}
    return transforms.Compose(
        [
            transforms.RandSpatialCropd(keys, (CROP,) * 3, random_size=False),
            transforms.Resized(keys, (SIZE,) * 3, mode=("trilinear", "nearest")),
            transforms.RandFlipd(keys, prob=0.5, spatial_axis=0),
            transforms.RandGaussianSmoothd("values", prob=1.0, **width),
            transforms.RandGaussianNoised("values", prob=1.0, std=0.1),
        ]
    )


def in_turns(jobs: dict[str, Callable[[], object]], runs: int) -> dict[str, np.ndarray]:
    """Median wall and CPU seconds of each job; jobs take turns, so that all meet the same machine."""
    taken: dict[str, list[np.ndarray]] = {name: [] for name in jobs}
    for _ in range(1 + runs):
        for name, job in jobs.items():
            start = clocks()
            job()
            taken[name].append(clocks() - start)
    return {name: np.median(seconds[1:], axis=0) for name, seconds in taken.items()}


def clocks() -> np.ndarray:
    return np.array([time.perf_counter(), time.process_time()])


if __name__ == "__main__":
    main()
