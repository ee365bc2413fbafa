"""What is said of a method for few labels: what is compared, which is kept, curves of pseudo-labels."""

from collections.abc import Mapping, Sequence
from typing import Any

from medunsup.report.base.curves import curves
from medunsup.report.finetune.page import Watched
from medunsup.workflows.finetune.compared import WITH_SCRATCH, Comparison
from medunsup.workflows.finetune.few_labels.learned import ALONE, METHOD
from medunsup.workflows.finetune.settings import FinetuneSettings

ALONE_WORDS = "labels alone"
STYLES = ("first", "second", "third")
CURVES: tuple[tuple[str, dict[str, str], str], ...] = (
    (
        "Coverage",
        {"coverage": "coverage"},
        "Share of the unlabelled items whose pseudo-label is used. At 0 this is supervised learning.",
    ),
    (
        "Pseudo-labels",
        {"pseudo_accuracy": "right", "pseudo_commonest": "of the commonest class"},
        "Shares of the pseudo-labels of validation items. That of the right ones shall not fall, and not all "
        "shall be of one class.",
    ),
)


def compared_of(settings: FinetuneSettings) -> Comparison:
    """Say which network is set against which."""
    if settings.few_labels is None:
        return WITH_SCRATCH
    name = settings.few_labels
    return Comparison(
        METHOD,
        ALONE,
        {METHOD: name, ALONE: ALONE_WORDS},
        beside=ALONE_WORDS,
        key="labels_alone",
        heading=f"{name}, beside the labels alone",
        gain="Above 0 unlabelled items have gained.",
        alike="Both networks learned from the same labelled items; the validation subjects chose one.",
        limit="With labels of other subjects the other network may be better. Few validation subjects choose "
        "badly, and those who are kept for that are not learned from.",
    )


def watched(curve: Sequence[Mapping[str, Any]]) -> list[Watched]:
    """Draw what was seen of the pseudo-labels, epoch by epoch."""
    found = []
    for title, names, caption in CURVES:
        series = {words: [row.get(key) for row in curve] for key, words in names.items()}
        styles = dict(zip(series, STYLES, strict=False))
        drawing = curves(series, [row["epoch"] for row in curve], styles, ends=(0.0, 1.0))
        if drawing is not None:
            found.append(Watched(title, drawing, caption))
    return found


def facts(few: Mapping[str, Any]) -> dict[str, str]:
    """List how labels were given, for the table of facts."""
    counts = f"{few['labelled']} labelled, {few['unlabelled']} unlabelled, {few['validation']} to choose by"
    reached = {"coverage": "Coverage of the unlabelled", "pseudo_accuracy": "Pseudo-labels right"}
    shares = {words: f"{few[name]:.1%}" for name, words in reached.items() if name in few}
    return {"Method": f"{few['method']}: {counts}", **shares}


def kept_words(few: Mapping[str, Any]) -> str:
    """Name the network that is kept: "fixmatch", "labels alone"."""
    return str(few["method"]) if few["kept"] == METHOD else ALONE_WORDS
