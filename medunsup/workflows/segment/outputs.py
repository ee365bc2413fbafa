"""What `segment` leaves of each scan, and of all scans of a folder together."""

from medunsup.core.hints import both
from medunsup.io.bids.outputs import Derivative, Output

ROUNDED = {"Units": "arbitrary", "RoundingErrorAtMost": 0.0005}

REPORT = Output("report", "report.html", False, "The page to look at first")
THUMBNAIL = Output("thumbnail", "thumbnail.jpg", False, "Two slices, for the page of all scans")
DSEG = Output(
    "dseg",
    "dseg.nii.gz",
    True,
    "Tissue classes: the most probable one of each voxel",
    {"Manual": False},
)
MASK = Output(
    "mask",
    "desc-brain_mask.nii.gz",
    True,
    "Brain mask: the region the tissues were fitted in",
    {"Type": "Brain", "Manual": False},
)
CORRECTED = Output(
    "corrected",
    "desc-biascorrected{suffix}.nii.gz",
    True,
    "The scan divided by its estimated bias field",
    {"RoundingErrorAtMost": "1/8192 of the maximum, relative"},
)
UNCERTAINTY = Output(
    "uncertainty",
    "desc-uncertainty_statmap.nii.gz",
    False,
    "Normalised entropy of the class probabilities: 0 certain, 1 a guess",
    ROUNDED,
)
VOLUMES = Output("volumes", "volumes.tsv", False, "Volumes in mm³, from fractions and from labels")
PROBSEG = Output(
    "probseg",
    "label-{label}_probseg.nii.gz",
    True,
    "Partial volume fraction of one tissue, 0 to 1",
    {"Manual": False, **ROUNDED},
)
DICOM = Output("dicom", "dicom", False, "Folder of the same results as DICOM files, if asked for")
# Where one table does not serve all scans of the folder.
LABEL_TABLE = Output("label_table", "dseg.tsv", True, "Names and colours of the labels, if its own")
COLOURS = Output("colours", "dseg_{label}", False, "The same for a viewer")

ALL_VOLUMES = Output("all_volumes", "volumes.tsv", False, "Volumes of all scans, one a row", is_shared=True)
GROUP_PAGE = Output("group_page", "group_report.html", False, "The page of all scans", is_shared=True)
SHARED_LABEL_TABLE = Output(
    "shared_label_table", "dseg.tsv", True, "Names and colours of the labels", is_shared=True
)
SHARED_COLOURS = Output(
    "shared_colours",
    "colours",
    False,
    "The same for FreeSurfer, FSLeyes, ITK-SNAP and 3D Slicer",
    is_shared=True,
)
LEARNED = f"What {both('learn_prior', True)} learned from all scans"
PRIOR = Output("prior", "prior", False, LEARNED, is_shared=True)

RESULT = (REPORT, THUMBNAIL, DSEG, MASK, CORRECTED, UNCERTAINTY, VOLUMES, PROBSEG)
TABLES = (LABEL_TABLE, COLOURS)
SHARED = (ALL_VOLUMES, GROUP_PAGE, SHARED_LABEL_TABLE, SHARED_COLOURS, PRIOR)
OUTPUTS = (*RESULT, *TABLES, *SHARED)

DERIVATIVE = Derivative(
    title="medunsup: brain tissue segmentation",
    heading="Brain tissue segmentation by medunsup",
    notes="Labels: GM 1, WM 2, CSF 3. Not for diagnosis.",
    record=DSEG,
    outputs=(*OUTPUTS, DICOM),
)
