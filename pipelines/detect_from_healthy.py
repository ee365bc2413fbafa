"""What in a scan is unlike healthy scans: train on a folder of healthy ones, then look at one scan.

    python pipelines/detect_from_healthy.py healthy/ scan_T1w.nii.gz out/ [model]

Trains the model (`pca` if none is named; see `medunsup methods anomaly`) unless out/model is there, looks at
the scan, saves maps, table and page in out/, and prints what was found beside what baselines say.
"""

import sys
from pathlib import Path

import medunsup


def main(healthy: Path, scan: Path, out: Path, model: str = "pca") -> None:
    """Train on `healthy` once, look at `scan`, print p-values and findings, save all in `out`."""
    folder = out / "model"
    is_there = (folder / "model.json").exists()
    trained = medunsup.read_model(folder) if is_there else medunsup.train(model, healthy, folder)
    result = medunsup.detect(scan, trained, out, baselines=True, force=True)
    for text in (*(flag.sentence for flag in result.flags), *result.remarks):
        print(f"look out: {text}")
    print(f"p = {result.scan.p_value:.3g} among {len(result.scan.healthy)} healthy scans")
    for one in result.baselines:
        print(f"  p = {one.scan.p_value:.3g} by {one.words}")
    for one in result.findings:
        print(
            f"{one.volume_mm3 / 1000:6.2f} ml  {one.side}, {one.place}, mostly {one.tissue}; "
            f"peak {one.peak:.1f}, as high as one healthy voxel in {10**one.peak_calibrated:,.0f}"
        )
    print(f"maps, table and page: {out}")


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    main(*(Path(word) for word in sys.argv[1:4]), *sys.argv[4:])
