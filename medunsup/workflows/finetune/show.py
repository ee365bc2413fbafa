"""What is shown of a fine-tuned network: label maps of its test scans, their pictures, and the page."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from medunsup.cohort.finetuned.folder import PREDICTIONS, as_labels
from medunsup.cohort.finetuned.manifest import FinetuneManifest
from medunsup.core.labels import Label
from medunsup.core.progress import Told
from medunsup.io.nifti.write import write_volume
from medunsup.report.base.text import Shown as Tone
from medunsup.report.finetune.page import Page, Row, Scan, figure, finetune_page, interval
from medunsup.report.finetune.picture import scan_picture
from medunsup.workflows.finetune.data import Pairs
from medunsup.workflows.finetune.figures import (
    ARM_WORDS,
    FINETUNED,
    GRID,
    NATIVE,
    SCRATCH,
    CaseDice,
    Figures,
)
from medunsup.workflows.finetune.folder import prediction_names
from medunsup.workflows.finetune.measure import tested_scans
from medunsup.workflows.finetune.request import FinetuneRequest

if TYPE_CHECKING:
    from medunsup.supervised.segmentation import Segmentation

TONES: dict[str, Tone] = {"better": "pass", "worse": "fail", "no difference": "partial"}

Shown = Scan


def show(
    made: "Segmentation", pairs: Pairs, labels: Sequence[Label], request: FinetuneRequest, told: Told
) -> Iterator[tuple[CaseDice, Shown]]:
    """Test each scan, write the fine-tuned network's label map of it, and draw it."""
    names = prediction_names(pairs.splits["test"])
    tested = tested_scans(made, pairs, labels, request.prepared, told)
    for name, one in zip(names, tested, strict=True):
        image, brain = one.pair.image, one.pair.prepared.brain
        found = as_labels(one.predicted, labels)
        write_volume(
            image.like(found, kind="label"),
            request.out / PREDICTIONS / name,
            dtype=found.dtype,
            descrip="medunsup finetuned",
        )
        means = {ARM_WORDS[arm]: one.figures.mean(arm, NATIVE) for arm in made.arms}
        picture = scan_picture(image, brain, one.truth, one.predicted, labels)
        yield one.figures, Scan(one.figures.scan, means, picture)


def page_of(figures: Figures, scans: Sequence[Shown], manifest: FinetuneManifest) -> str:
    """Return the page."""
    tone: Tone = next((one for start, one in TONES.items() if figures.verdict.startswith(start)), "check")
    encoder, counts = manifest.encoder["encoder"], manifest.scans
    return finetune_page(
        Page(
            title=f"{encoder} ({manifest.pretraining}) fine-tuned on {counts['train']} scans",
            verdict=figures.verdict,
            tone=tone,
            meaning=_meaning(figures),
            labels=figures.labels,
            rows=_rows(figures),
            scans=scans,
            remarks=manifest.remarks,
            about={
                "Encoder": f"{encoder} in {manifest.encoder['dims']}D, {manifest.pretraining}",
                "Scans": f"{counts['train']} to learn from, {counts['test']} to test on, {manifest.contrast}",
                "Template grid": f"{manifest.spacing_mm:g} mm",
                **{key.replace("_", " ").capitalize(): str(one) for key, one in manifest.parameters.items()},
            },
        )
    )


def _meaning(figures: Figures) -> str:
    own = figures.means[FINETUNED][NATIVE]
    told = f"Mean Dice of {own.n} test subjects {interval(own)}"
    if FINETUNED not in figures.against:
        return f"{told}."
    scratch, found = figures.means[SCRATCH][NATIVE], figures.against[FINETUNED].difference
    return f"{told}, from scratch {figure(scratch.value)}; difference {interval(found, signed=True)}."


def _rows(figures: Figures) -> list[Row]:
    return [
        Row(
            ARM_WORDS[arm],
            figures.means[arm][NATIVE],
            figures.means[arm][GRID],
            figures.per_class[arm],
            difference=figures.against[arm].difference if arm in figures.against else None,
            words=figures.against[arm].words if arm in figures.against else "",
            is_main=arm == FINETUNED,
        )
        for arm in figures.arms
    ]
