"""What `detect` does on the MNI152 average with a synthetic lesion, so that the truth is known."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from medunsup.cohort.batch import CohortResult, Progress
from medunsup.core.volume import Volume
from medunsup.io.nifti.write import write_volume
from medunsup.workflows.detect.cohort import Finished, detect_many
from medunsup.workflows.detect.outcome import DetectOutcome

SCAN, TRUTH = "MNI152lesion_T1w.nii.gz", "MNI152lesion_desc-synthetic_mask.nii.gz"
CENTER_MM = (26.0, -20.0, 32.0)  # white matter of the right hemisphere
RADIUS_MM = 10.0
PURE_CSF = 0.95
AVERAGE = (
    " The scan as a whole is flagged and gets no verdict, for an average of 152 subjects, without a bias "
    "field, is unlike a scan of one person."
)
NOTE = (
    "This is a demo. A synthetic lesion of {:.1f} ml, as dark as CSF, was put into the MNI152 average brain: "
    "it is the finding to look at, with its centre at x, y, z = {:.0f}, {:.0f}, {:.0f} mm. An average of 152 "
    "subjects is no one person’s scan, so a red box that calls it unlike the healthy scans is expected."
)


@dataclass(frozen=True)
class DetectDemo:
    """What `detect` said of the scan, and how much of the lesion it marked (`found_share`)."""

    result: CohortResult[DetectOutcome]
    lesion_ml: float
    found_share: float
    n_elsewhere: int

    @property
    def words(self) -> str:
        """Say how the mask compares with the truth."""
        x, y, z = CENTER_MM
        average = AVERAGE if self.result.scans[0].flags else ""
        return (
            f"The synthetic lesion: {self.lesion_ml:.1f} ml at ({x:.0f}, {y:.0f}, {z:.0f}) mm, "
            f"as dark as CSF. Marked of it: {self.found_share:.0%}; "
            f"findings elsewhere: {self.n_elsewhere}.{average}"
        )


def run_detect_demo(
    out: Path,
    *,
    model: str | None = None,
    force: bool = False,
    progress: Progress | None = None,
    finished: Finished | None = None,
) -> DetectDemo:
    """Put a synthetic lesion into the MNI152 T1, write it into `out`, and let a shipped model find it.

    Raises DependencyError if nilearn's data files are missing, OutputError if `out` cannot be written.
    """
    scan, lesion = make_scan(out)
    lesion_ml = float(lesion.data.sum()) * lesion.voxel_volume_mm3 / 1000
    note = NOTE.format(lesion_ml, *CENTER_MM).replace("-", "−")
    result = detect_many([scan], model, force=force, progress=progress, finished=finished, note=note)
    return DetectDemo(result, lesion_ml, *_compared(result.scans[0], lesion))


def make_scan(out: Path) -> tuple[Path, Volume]:
    """Write scan and lesion mask, unless they are there; return the scan's path and the lesion."""
    from medunsup.anomaly.synthetic.lesions import insert_level
    from medunsup.preprocess.geometry.template import load_template

    template = load_template()
    index = np.indices(template.t1.shape).reshape(3, -1).T
    world_mm = index @ template.t1.affine[:3, :3].T + template.t1.affine[:3, 3]
    is_inside = np.linalg.norm(world_mm - CENTER_MM, axis=1) <= RADIUS_MM
    values, brain = template.t1.data, template.mask.data
    made = insert_level(
        values[None],
        brain,
        is_inside.reshape(values.shape),
        level=float(values[(template.csf.data > PURE_CSF) & brain].mean()),
        spacing_mm=template.t1.spacing_mm,
    )
    lesion = template.mask.like(made.truth, kind="mask")
    for path, volume in ((out / TRUTH, lesion), (out / SCAN, template.t1.like(made.values[0]))):
        if not path.exists():
            write_volume(volume, path, descrip="MNI152 average with a synthetic lesion")
    return out / SCAN, lesion


def _compared(outcome: DetectOutcome, lesion: Volume) -> tuple[float, int]:
    """Return the share of the lesion that was marked, and how many connected components lie elsewhere."""
    from medunsup.io.load import load
    from medunsup.metrics.components import components

    if "anomaly_mask" not in outcome.outputs:
        return 0.0, 0
    marked = load(outcome.outputs["anomaly_mask"]).data > 0
    labels, n_found = components(marked, voxel_mm3=lesion.voxel_volume_mm3)
    touching = set(np.unique(labels[marked & lesion.data]))
    return float((marked & lesion.data).sum() / lesion.data.sum()), n_found - len(touching)
