"""The page of a pretraining: the verdict first, then curves, neighbours, maps, and how it was made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from medunsup.cohort.encoders.manifest import EncoderManifest
from medunsup.core.version import __version__
from medunsup.metrics.representation import TEMPERATURE
from medunsup.report.base.headline import Headline
from medunsup.report.base.numbers import significant
from medunsup.report.base.render import number, render
from medunsup.report.base.text import DISCLAIMER
from medunsup.report.pretrain import words
from medunsup.report.pretrain.charts import Row, Told, knn_chart, loss_chart, monitor_charts, score_chart
from medunsup.report.pretrain.maps import colouring_of, feature_maps
from medunsup.report.pretrain.methods_text import methods_text
from medunsup.report.pretrain.neighbours import neighbours
from medunsup.report.pretrain.sample import ShownSample

KNN, KNN_K, SCORE = "knn_accuracy", "knn_k", "rankme"
SPLITS = {"train": "training", "validation": "validation"}


@dataclass(frozen=True, eq=False)
class PretrainPage:
    """Everything that the page shows.

    `curve` holds the figures of each epoch, that before the first step first; `loss` names the loss among
    them; `guessing` is the loss of whoever guesses, if that is known. `collapse` is the name of the collapse,
    empty of a healthy run. `judged` epochs came after the warm-up; the weights of epoch `kept` are kept.
    `names_changes` says that the method names classes.
    """

    title: str
    about: EncoderManifest
    curve: Sequence[Row]
    loss: str
    guessing: float | None
    collapse: str
    judged: int
    kept: int
    sample: ShownSample
    remarks: Sequence[str] = ()
    names_changes: bool = False


def pretrain_page(page: PretrainPage) -> str:
    """Return the page as HTML; it loads nothing from outside and needs no JavaScript."""
    tone, said = words.verdict(said=page.about.verdict, collapse=page.collapse, judged=page.judged)
    colouring, is_alone = colouring_of(page.sample), page.sample.split == "train"
    text = methods_text(page.about, page.kept)
    return render(
        "pretrain.html.j2",
        page=page,
        tone=tone,
        verdict=said,
        split=SPLITS[page.sample.split],
        too_few=is_alone and "validation" in page.about.scans,
        loss=loss_chart(page.curve, page.loss, page.guessing, validated=not is_alone),
        charts=_charts(page),
        headline=_headline(page),
        rows=neighbours(page.sample),
        maps=feature_maps(page.sample, colouring),
        colouring=colouring,
        labels_shown=words.LABELS_SHOWN if page.sample.labels is not None else "",
        text=text,
        facts=_facts(page),
        parameters=_flat(page.about.parameters),
        limits=words.LIMITS,
        version=__version__,
        disclaimer=DISCLAIMER,
    )


def _charts(page: PretrainPage) -> list[Told]:
    labels = page.sample.labels
    drawn: list[Told | None] = []
    if labels is not None and (labels >= 0).any():
        n, k = int((labels >= 0).sum()), page.curve[-1].get(KNN_K) or 0
        how = f"Of {n} labelled items, k = {k:.0f}, temperature {TEMPERATURE:g}."
        drawn.append(knn_chart(page.curve, KNN, how, _majority(page.sample)))
    drawn += monitor_charts(page.curve, page.guessing, names_changes=page.names_changes)
    chose = page.about.parameters.get("keep") == "label_free"
    drawn.append(score_chart(page.curve, SCORE, page.kept, chose=chose))
    return [one for one in drawn if one is not None]


def _headline(page: PretrainPage) -> list[Headline]:
    """Name the loss, the rank, and the accuracy of neighbours, or the spread where no labels are known."""
    first, kept = page.curve[0], next(row for row in page.curve if row["epoch"] == page.kept)
    shown = []
    losses = [row[page.loss] for row in page.curve if row.get(page.loss) is not None]
    if losses:
        note = f"{_figure(losses[0])} in the first epoch"
        if page.guessing is not None:
            note += f"; {_figure(page.guessing)} by guessing"
        shown.append(Headline("Loss in the last epoch", _figure(losses[-1]), "", note))
    figures = {
        KNN: ("k-NN accuracy", "", f"{_figure(_majority(page.sample))} by the commonest label"),
        "feature_rank": ("Effective rank", f" of {page.about.network.n_features}", "dimensions in use"),
        "feature_std": ("Spread of features", " of 1", "0 is collapse"),
    }
    for name, (title, unit, note) in figures.items():
        if kept.get(name) is not None:
            before = f"; {_figure(first.get(name))} before training" if first.get(name) is not None else ""
            shown.append(Headline(title, _figure(kept[name]), unit, note + before))
    return shown[:3]


def _majority(sample: ShownSample) -> float:
    """Share of the commonest label among those that are known."""
    known = sample.labels[sample.labels >= 0] if sample.labels is not None else np.zeros(0, int)
    return float(np.bincount(known).max() / len(known)) if len(known) else 0.0


def _figure(value: float | None) -> str:
    return "–" if value is None else significant(value, 3)


def _facts(page: PretrainPage) -> list[tuple[str, str]]:
    """Say what was learned from, line by line."""
    about, made = page.about, page.about.preprocessing
    splits = ", ".join(
        f"{n} {'for training' if name == 'train' else name}" for name, n in about.scans.items()
    )
    facts = [
        (made.kind, splits),
        ("left out", ", ".join(f"{reason} ({n})" for reason, n in sorted(about.left_out.items())) or "none"),
        ("contrast", made.contrast or ""),
        (
            "grid" if made.kind == "scans" else "size",
            " × ".join(str(side) for side in made.shape[1:] if side > 1 or made.kind == "scans"),
        ),
        ("spacing", f"{made.spacing_mm:g} mm" if made.spacing_mm else ""),
        ("coarsest voxel side", f"{made.coarsest_mm:.2g} mm" if made.coarsest_mm else ""),
        ("channels", str(made.shape[0])),
        ("intensities", made.intensity),
        (
            "shown on this page",
            f"{len(page.sample)} items of the {SPLITS[page.sample.split]} split, evenly spread",
        ),
    ]
    return [(name, value) for name, value in facts if value]


def _flat(parameters: Mapping[str, object]) -> list[tuple[str, str]]:
    """Write parameters line by line, those within others after a point."""
    lines: list[tuple[str, str]] = []
    for name, value in parameters.items():
        if isinstance(value, Mapping):
            lines += [(f"{name}.{inner}", told) for inner, told in _flat(value)]
        elif isinstance(value, list | tuple):
            lines.append((name, ", ".join(map(str, value))))
        else:
            lines.append((name, "none" if value is None else number(value)))
    return lines
