"""Tissue volumes of one brain scan, and what anatomy adds to intensity.

    python pipelines/brain_tissue.py scan_T1w.nii.gz out/ [brain_mask.nii.gz]

Segments with the default method, saves all maps and the report, then segments once more with the plain
Gaussian mixture of the textbooks and says how far the two agree.
"""

import sys
from pathlib import Path

import medunsup
from medunsup.metrics import dice


def main(scan: Path, out: Path, mask: Path | None = None) -> None:
    """Segment `scan` twice, print volumes and agreement, save the first result to `out`."""
    result = medunsup.segment(scan, mask=mask)
    print(f"verdict: {result.quality.verdict}", *result.quality.reasons, sep="\n  ")
    for tissue in result.tissues:
        print(
            f"{tissue.label.name:>20}: {tissue.from_fractions_mm3 / 1000:7.1f} ml "
            f"({tissue.fraction_of_brain_mask:.0%} of the brain mask)"
        )
    for kind, path in result.save(out).items():
        print(f"{kind:>20}: {path}")

    plain = medunsup.segment(scan, mask=mask, method="gmm")
    for tissue in result.tissues:
        label = tissue.label
        agreement = dice(plain.labels.data, result.labels.data, label.index)
        print(f"{label.name:>20}: Dice {agreement:.3f} between a plain mixture and the default")


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    main(*(Path(word) for word in sys.argv[1:]))
