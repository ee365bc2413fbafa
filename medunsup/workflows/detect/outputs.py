"""What `detect` leaves of each scan, and of all scans of a folder together."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from medunsup.io.bids.outputs import Derivative, Output

SCORES = {"Units": "arbitrary"}

ANOMALY = Output(
    "anomaly",
    "desc-anomaly_statmap.nii.gz",
    False,
    "Raw anomaly score; higher is less like healthy scans",
    SCORES,
)
CALIBRATED = Output(
    "calibrated",
    "desc-nlog10p_statmap.nii.gz",
    False,
    "-log10 of the share of healthy voxels that score as much or more",
    SCORES,
)
MASK = Output(
    "anomaly_mask",
    "desc-anomaly_mask.nii.gz",
    True,
    "Where the raw score exceeds the threshold set on healthy scans",
    {"Type": "Lesion", "Manual": False},
)
HEALTHY = Output(
    "healthy",
    "desc-pseudohealthy{suffix}.nii.gz",
    True,
    "The scan as the model expects it in a healthy person, in the scan's units",
    {**SCORES, "SkullStripped": True},
)
FINDINGS = Output(
    "findings",
    "desc-anomaly_findings.tsv",
    False,
    "Connected components of the mask, with volume, place and score",
)
REPORT = Output("anomaly_report", "desc-anomaly_report.html", False, "The page to look at first")
THUMBNAIL = Output("thumbnail", "desc-anomaly_thumbnail.jpg", False, "Two slices, for the page of all scans")
BASELINE = Output(
    "baseline",
    "desc-{label}_statmap.nii.gz",
    False,
    "Raw anomaly score of a baseline, to compare with",
    SCORES,
)
DICOM = Output(
    "dicom", "desc-anomaly_dicom", False, "Folder of findings and map as DICOM files, if asked for"
)

ALL_ANOMALIES = Output(
    "all_anomalies", "anomalies.tsv", False, "Verdicts and findings of all scans, one a row", is_shared=True
)
GROUP_PAGE = Output("group_page", "anomaly_group.html", False, "The page of all scans", is_shared=True)

RESULT = (ANOMALY, CALIBRATED, MASK, HEALTHY, FINDINGS, REPORT, THUMBNAIL)
OUTPUTS = (*RESULT, BASELINE, ALL_ANOMALIES, GROUP_PAGE)
FORMER = (  # as earlier versions called them: they go with the result that they belong to
    replace(CALIBRATED, name="desc-anomalysurprise_statmap.nii.gz"),
    replace(HEALTHY, name="desc-healthylook{suffix}.nii.gz"),
)

DERIVATIVE = Derivative(
    title="medunsup: anomalies",
    heading="Anomalies found by medunsup",
    notes="That sidecar holds the scan's p-value and out-of-distribution flags as well. Not for diagnosis.",
    record=MASK,
    outputs=(*OUTPUTS, DICOM),
)


def labels() -> Mapping[str, Sequence[str]]:
    """Return the labels of each kind of file of which a scan may have several, by its key."""
    from medunsup.anomaly.baselines import BASELINES, RENAMED

    return {BASELINE.key: [*BASELINES, *RENAMED]}
