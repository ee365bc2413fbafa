"""What is shown of a fine-tuned classifier: the page."""

from collections.abc import Mapping, Sequence

from medunsup.cohort.finetuned.manifest import FinetuneManifest
from medunsup.report.finetune.classes import ByClass, confusion, roc
from medunsup.report.finetune.page import (
    LIMIT,
    WORDS,
    Page,
    Row,
    Table,
    Watched,
    figure,
    finetune_page,
    interval,
)
from medunsup.workflows.finetune.classification.figures import Told, Truth
from medunsup.workflows.finetune.compared import ShareFigures
from medunsup.workflows.finetune.manifest_words import facts, kept_sentence, tone_of
from medunsup.workflows.finetune.show_shares import by_share

HINT = (
    "95 % bootstrap intervals over test subjects, differences paired. AUC of more than two classes is the "
    "mean of each against the rest."
)


def page_of(
    shares: Sequence[ShareFigures],
    said: Told,
    truth: Truth,
    right: Mapping[str, float],
    classes: Sequence[str],
    manifest: FinetuneManifest,
    watched: Sequence[Watched] = (),
) -> str:
    """Return the page; `shares` from the largest to the smallest.

    `said` is what the networks of the first draw of the largest share said of the test items, `right` are
    balanced accuracies.
    """
    largest, compared = shares[0], shares[0].compared
    rows = [
        Row(
            compared.arms[arm],
            [
                interval(one),
                interval(largest.against[arm].difference, signed=True) if arm in largest.against else "",
                largest.against[arm].words if arm in largest.against else "",
                figure(right[arm]),
            ],
            is_main=arm == compared.main,
        )
        for arm, one in largest.means.items()
    ]
    kind = "scans" if manifest.spacing_mm else "images"
    return finetune_page(
        Page(
            title=f"{_names(classes)}: {manifest.encoder['encoder']} ({manifest.pretraining}) fine-tuned on "
            f"{manifest.scans['train']} {kind}",
            verdict=manifest.verdict,
            tone=tone_of(manifest.verdict),
            meaning=_meaning(largest),
            measure="AUC",
            table=Table(("Network", "AUC", f"Less {compared.beside}", WORDS, "Balanced accuracy"), rows),
            hint=f"{HINT} {compared.alike}",
            remarks=manifest.remarks,
            about=facts(manifest),
            efficiency=by_share(shares, "AUC"),
            by_class=by_class(largest, said, truth, classes),
            heading=compared.heading,
            kept=kept_sentence(manifest),
            watched=watched,
            limits=(LIMIT, compared.limit),
        )
    )


def by_class(share: ShareFigures, said: Told, truth: Truth, classes: Sequence[str]) -> ByClass:
    """Draw who was taken for whom by the main network, and the ROC curves of all."""
    compared = share.compared
    whose = "" if len(classes) == 2 else " Mean over classes, each against the rest."
    drawn = len(share.per_draw[compared.main])
    draws = "" if drawn == 1 else f" Curves and counts of the first of {drawn} draws, the AUC of all."
    return ByClass(
        confusion(said[compared.main], truth.classes, classes, compared.arms[compared.main]),
        roc(said, truth.classes, compared.arms, share.means),
        f"Thin line across: guessing.{whose}{draws}",
    )


def _names(classes: Sequence[str]) -> str:
    return " or ".join([", ".join(classes[:-1]), classes[-1]])


def _meaning(one: ShareFigures) -> str:
    compared = one.compared
    own = one.means[compared.main]
    told = f"AUC on {own.n} test subjects {interval(own)}"
    if compared.main not in one.against:
        return f"{told}."
    found, reference = one.against[compared.main].difference, figure(one.means[compared.reference].value)
    return (
        f"{told}, {compared.arms[compared.reference]} {reference}; difference {interval(found, signed=True)}."
    )
