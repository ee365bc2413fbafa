"""What is shown of a fine-tuned network: label maps of its test scans, their pictures, and the page."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from medunsup.cohort.finetuned.folder import PREDICTIONS, as_labels
from medunsup.cohort.finetuned.manifest import FinetuneManifest
from medunsup.core.labels import Label
from medunsup.core.progress import Told
from medunsup.io.nifti.write import write_volume
from medunsup.report.finetune.page import (
    DICE_LIMIT,
    LIMIT,
    WORDS,
    Page,
    Row,
    Scan,
    Table,
    Watched,
    figure,
    finetune_page,
    interval,
)
from medunsup.report.finetune.picture import scan_picture
from medunsup.workflows.finetune.compared import FINETUNED, WITH_SCRATCH, Comparison, ShareFigures
from medunsup.workflows.finetune.data import Pairs
from medunsup.workflows.finetune.figures import GRID, NATIVE, CaseDice, Figures
from medunsup.workflows.finetune.folder import prediction_names
from medunsup.workflows.finetune.manifest_words import facts, kept_sentence, tone_of
from medunsup.workflows.finetune.measure import tested_scans
from medunsup.workflows.finetune.request import FinetuneRequest
from medunsup.workflows.finetune.show_shares import by_share

if TYPE_CHECKING:
    from medunsup.supervised.segmentation import Segmentation

HINT = (
    "Means over subjects with 95 % bootstrap intervals, differences paired by subject. Labels in native "
    "space."
)

Shown = Scan


def show(
    made: "Segmentation",
    pairs: Pairs,
    labels: Sequence[Label],
    request: FinetuneRequest,
    told: Told,
    *,
    shown: str = FINETUNED,
    compared: Comparison = WITH_SCRATCH,
) -> Iterator[tuple[CaseDice, Shown]]:
    """Test each scan, write the label map that the network `shown` makes of it, and draw it."""
    names = prediction_names(pairs.splits["test"])
    tested = tested_scans(made, pairs, labels, request.prepared, told, shown)
    for name, one in zip(names, tested, strict=True):
        image, brain = one.pair.image, one.pair.prepared.brain
        found = as_labels(one.predicted, labels)
        write_volume(
            image.like(found, kind="label"),
            request.out / PREDICTIONS / name,
            dtype=found.dtype,
            descrip="medunsup finetuned",
        )
        means = {compared.arms[arm]: one.figures.mean(arm, NATIVE) for arm in made.arms}
        picture = scan_picture(image, brain, one.truth, one.predicted, labels)
        yield one.figures, Scan(one.figures.scan, means, picture)


def page_of(
    figures: Figures,
    shares: Sequence[ShareFigures],
    scans: Sequence[Shown],
    manifest: FinetuneManifest,
    watched: Sequence[Watched] = (),
) -> str:
    """Return the page; `shares` of the labels from the largest to the smallest."""
    return finetune_page(
        Page(
            title=f"{manifest.encoder['encoder']} ({manifest.pretraining}) fine-tuned on "
            f"{manifest.scans['train']} scans",
            verdict=figures.verdict,
            tone=tone_of(figures.verdict),
            meaning=_meaning(figures),
            measure="Dice",
            table=_table(figures),
            hint=f"{HINT} {figures.compared.alike}",
            remarks=manifest.remarks,
            about=facts(manifest),
            efficiency=by_share(shares, "mean Dice"),
            labels=figures.labels,
            scans=scans,
            limits=(LIMIT, figures.compared.limit, DICE_LIMIT),
            heading=figures.compared.heading,
            kept=kept_sentence(manifest),
            watched=watched,
        )
    )


def _meaning(figures: Figures) -> str:
    compared = figures.compared
    own = figures.means[compared.main][NATIVE]
    told = f"Mean Dice of {own.n} test subjects {interval(own)}"
    if compared.main not in figures.against:
        return f"{told}."
    other, found = figures.means[compared.reference][NATIVE], figures.against[compared.main].difference
    words = compared.arms[compared.reference]
    return f"{told}, {words} {figure(other.value)}; difference {interval(found, signed=True)}."


def _table(figures: Figures) -> Table:
    compared = figures.compared
    columns = ("Network", "Mean, native space", f"Less {compared.beside}", WORDS, "Mean, template grid")
    rows = [
        Row(
            compared.arms[arm],
            [
                interval(figures.means[arm][NATIVE]),
                interval(figures.against[arm].difference, signed=True) if arm in figures.against else "",
                figures.against[arm].words if arm in figures.against else "",
                interval(figures.means[arm][GRID]),
                *(figure(one.value) for one in figures.per_class[arm]),
            ],
            is_main=arm == compared.main,
        )
        for arm in figures.arms
    ]
    return Table((*columns, *(label.name for label in figures.labels)), rows)
