"""What `predict` leaves of each scan, and of all scans of a folder together."""

from medunsup.io.bids.outputs import Derivative, Output

SCORES = {"Units": "arbitrary"}

DSEG = Output(
    "dseg",
    "desc-predicted_dseg.nii.gz",
    True,
    "Labels that a fine-tuned network gives, in native space",
    {"Manual": False},
)
LABEL_TABLE = Output("label_table", "desc-predicted_dseg.tsv", True, "Names and colours of the labels")
PROBSEG = Output(
    "probseg",
    "label-{label}_desc-predicted_probseg.nii.gz",
    True,
    "Probability of one label, 0 to 1; where asked for",
    {"Manual": False},
)
PREPARED = Output(
    "prepared",
    "space-template_desc-prepared{suffix}.nii.gz",
    False,
    "The scan as the network saw it, on the template grid; where asked for",
    {**SCORES, "SkullStripped": True},
)
VOLUMES = Output("volumes", "desc-predicted_volumes.tsv", False, "Volume of each label in ml")
REPORT = Output("predicted_report", "desc-predicted_report.html", False, "The page to look at first")
THUMBNAIL = Output("thumbnail", "desc-predicted_thumbnail.jpg", False, "Two slices, for the group page")

ALL_PREDICTIONS = Output(
    "all_predictions", "predictions.tsv", False, "Volumes and flags of all scans, one a row", is_shared=True
)
GROUP_PAGE = Output("group_page", "predicted_group.html", False, "The page of all scans", is_shared=True)

RESULT = (DSEG, LABEL_TABLE, PROBSEG, PREPARED, VOLUMES, REPORT, THUMBNAIL)
OUTPUTS = (*RESULT, ALL_PREDICTIONS, GROUP_PAGE)

DERIVATIVE = Derivative(
    title="medunsup: labels predicted by a network",
    heading="Labels that medunsup predicted",
    notes="No expert has checked these labels. Not for diagnosis.",
    record=DSEG,
    outputs=OUTPUTS,
)
