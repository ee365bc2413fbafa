"""The model card: what a trained model is, from which scans, and what it must not be used for."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from medunsup.cohort.dataset.sources import PRETRAINING
from medunsup.cohort.training.select import left_out_words
from medunsup.core.hints import both
from medunsup.core.registry import methods
from medunsup.core.version import __version__
from medunsup.workflows.train.encoder import encoder_remarks
from medunsup.workflows.train.manifest import Manifest
from medunsup.workflows.train.select import healthy_words

QUOTED = ("name", "ages", "licence")
TEXT = """# {model} with {score}, learned from {n} healthy {contrast} scans

Written by medunsup {version}. {summary}

## What it knows

- {n_train} scans to learn from, {n_validation} to decide when to stop, {n_calibration} to set thresholds,
  one a subject; of {n_subjects} subjects (`scans.tsv` has their hashes, not their folders){sites}.
- {healthy} {left_out}
- {contrast}, voxels of up to {coarsest:.1f} mm, on a grid of {spacing:g} mm in MNI space.
- Steps after the score: {steps}.
- The smallest p-value it can give a scan is {least_p:.3g}: {n_calibration} healthy scans were kept for that.
- {data_card}{encoder}

## What it must not be used for

- Diagnosis.
- Another contrast than {contrast}, another kind of scanner or sequence, another age than that of its scans:
  its thresholds hold for scans that could have been among the healthy ones. `detect` flags others.
- {limit}
- {score_limit}

## Beside baselines

Average precision on synthetic lesions of 2 ml in calibration scans, 3 healthy standard deviations brighter
and darker ({n_synthetic} lesions; chance is the prevalence, {prevalence}), after the same steps. A quick look
while training, not an evaluation: `medunsup evaluate` measures on cases of yours, with intervals.

| method | what | average precision |
| --- | --- | --- |
{rows}

## Check

`medunsup models verify` computes the files' hashes and the model's score of the MNI152 average again.
"""


def model_card(
    manifest: Manifest,
    scans: str,
    table: Sequence[tuple[str, ...]],
    *,
    data_card: str | None,
) -> str:
    """Write the card; `scans` is scans.tsv, `table` the rows of baselines.tsv, `data_card` lies beside it."""
    settings = manifest.settings
    rows = [row.split("\t") for row in scans.splitlines()[1:]]
    listed = [row for row in rows if row[1] != PRETRAINING]
    splits = Counter(row[1] for row in listed)
    sites = sorted({row[4] for row in listed} - {"n/a"})
    model = next(card for card in methods("anomaly") if card.name == settings.model)
    score = next(card for card in methods("score") if card.name == settings.score)
    return TEXT.format(
        model=settings.model,
        score=settings.score,
        version=__version__,
        summary=model.summary,
        n=len(listed),
        n_train=splits["train"],
        n_validation=splits["validation"],
        n_calibration=splits["calibration"],
        n_subjects=len({row[0] for row in listed}),
        sites=f"; sites: {', '.join(sites)}" if sites else "; sites not stated",
        healthy=healthy_words(manifest.healthy_by) or "What calls them healthy is not stated.",
        left_out=left_out_words(manifest.left_out) or "No scan was left out.",
        contrast=manifest.contrast,
        coarsest=manifest.coarsest_mm,
        spacing=settings.spacing_mm,
        steps=", ".join(settings.postprocess) or "none",
        least_p=1 / (splits["calibration"] + 1),
        data_card=described(data_card),
        encoder=_encoder(manifest),
        limit=model.limit,
        score_limit=score.limit,
        n_synthetic=table[0][4],
        prevalence=table[0][3],
        rows="\n".join(f"| {row[0]} | {row[1]} | {row[2]} |" for row in table),
    )


def _encoder(manifest: Manifest) -> str:
    """Say whose features the model rebuilds, and what is to be known of that encoder."""
    about = manifest.encoder
    if about is None:
        return ""
    said = f"Its features are those of the pretrained encoder {about['Folder']} ({about['Method']})."
    return "\n- " + " ".join([said, *encoder_remarks(about)])


def described(data_card: str | None) -> str:
    """Point to the data card; if it begins with fields, as those of `data_cards/` do, quote the main ones."""
    if data_card is None:
        return (
            f"No data card was given with {both('card')}: "
            "origin, ages and licence of the scans are not stated."
        )
    told = [f"{key} {value}" for key, value in card_fields(data_card).items() if key in QUOTED]
    return f"The scans are described in the [data card](data_card.md){': ' * bool(told)}{'; '.join(told)}."


def card_fields(data_card: str) -> dict[str, Any]:
    """Read the fields of a data card: what stands between the first two lines of dashes, if it is YAML."""
    import yaml

    start, *rest = data_card.split("---\n", 2)
    try:
        fields = yaml.safe_load(rest[0]) if len(rest) == 2 and not start.strip() else None
    except yaml.YAMLError:
        return {}
    return fields if isinstance(fields, dict) else {}
