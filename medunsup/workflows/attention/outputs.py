"""What `attention` leaves of a scan."""

from collections.abc import Mapping, Sequence

from medunsup.io.bids.outputs import Derivative, Output

MOST_HEADS = 64
FACTS = {"Units": "arbitrary"}

MAIN = Output(
    "attention",
    "desc-attention_statmap.nii.gz",
    False,
    "Where the encoder looks, 0 to 1: the mean of all heads, or the strength of its coarsest feature map",
    FACTS,
)
PART = Output(
    "attention_part",
    "desc-attention{label}_statmap.nii.gz",
    False,
    "The same of one head (head1, ...), or of a finer feature map (fine, middle)",
    FACTS,
)
BESIDE = Output(
    "attention_beside",
    "desc-finetuned{label}_statmap.nii.gz",
    False,
    "The same map of a fine-tuned network",
    FACTS,
)
REPORT = Output("attention_report", "desc-attention_report.html", False, "The page to look at first")

OUTPUTS = (MAIN, PART, BESIDE, REPORT)

DERIVATIVE = Derivative(
    title="medunsup: attention",
    heading="Where an encoder looks, by medunsup",
    notes="A map shows where a network looks, not disease. Not for diagnosis.",
    record=MAIN,
    outputs=OUTPUTS,
)


def labels() -> Mapping[str, Sequence[str]]:
    """Return the labels of each kind of file of which a scan may have several, by its key."""
    heads = [f"head{n + 1}" for n in range(MOST_HEADS)]
    return {PART.key: ["fine", "middle", *heads], BESIDE.key: ["mean", "coarse", "fine", "middle", *heads]}
