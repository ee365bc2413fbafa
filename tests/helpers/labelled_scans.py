"""Made-up scans with label maps, in a table, and an encoder that was pretrained on other people."""

import numpy as np
from scipy.ndimage import gaussian_filter

from helpers import phantom

N_TRAIN, N_TEST = 5, 3


def write_pairs(folder, brain: phantom.Anatomy, *, first: int = 30, with_splits: bool = True):
    """Write scans sub-30 and so on with tissue labels, and pairs.tsv, the last three for testing."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = ["scan\tlabels\tsplit" if with_splits else "scan\tlabels"]
    labels = brain.labels
    for n in range(N_TRAIN + N_TEST):
        name = f"sub-{first + n:02d}_T1w"
        _write_scan(folder / f"{name}.nii.gz", brain, first + n)
        phantom.save(labels, folder / f"{name}_dseg.nii.gz", dtype=np.uint8)
        split = "train" if n < N_TRAIN else "test"
        rows.append(f"{name}.nii.gz\t{name}_dseg.nii.gz" + (f"\t{split}" if with_splits else ""))
    table = folder / "pairs.tsv"
    table.write_text("\n".join(rows) + "\n")
    return table


def _write_scan(path, brain: phantom.Anatomy, seed: int) -> None:
    """Write one scan, stripped; nobody's tissue has everybody's intensities, so no two are nearly alike."""
    image = brain.image("T1w", seed=seed, noise=0.02)
    own = gaussian_filter(np.random.default_rng(seed).normal(size=image.shape), 3)
    values = np.where(brain.mask.data, image.data * (1 + 0.15 * own / own.std()), 0)
    phantom.save(image.like(values.astype(np.float32)), path)
