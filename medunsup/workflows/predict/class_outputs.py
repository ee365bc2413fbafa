"""What `predict` leaves of a scan, or of the images in one file, whose classes it tells."""

from medunsup.io.bids.outputs import Derivative, Output
from medunsup.workflows.predict.outputs import ALL_PREDICTIONS, GROUP_PAGE, PREPARED, REPORT, THUMBNAIL

NOTES = "No expert has checked these classes. Not for diagnosis."

CLASSES = Output("classes", "desc-predicted_classes.tsv", False, "Probability of each class")
CLASSES_RECORD = Output(
    "sidecar", "desc-predicted_classes.json", False, "Network, inputs, flags, versions and hashes"
)
IMAGES = Output("images", "desc-predicted_images.tsv", False, "Class of each image, probabilities and flags")
IMAGES_RECORD = Output(
    "sidecar", "desc-predicted_images.json", False, "Network, inputs, counts, versions and hashes"
)

CLASSES_DERIVATIVE = Derivative(
    title="medunsup: classes predicted by a network",
    heading="Classes that medunsup predicted",
    notes=NOTES,
    record=CLASSES_RECORD,
    outputs=(CLASSES, CLASSES_RECORD, PREPARED, REPORT, THUMBNAIL, ALL_PREDICTIONS, GROUP_PAGE),
)
IMAGES_DERIVATIVE = Derivative(
    title="medunsup: classes of images predicted by a network",
    heading="Classes of images that medunsup predicted",
    notes=NOTES,
    record=IMAGES_RECORD,
    outputs=(IMAGES, IMAGES_RECORD, REPORT),
)
