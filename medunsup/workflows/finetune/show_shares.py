"""What is shown of shares of the labels: curves with intervals, and a table."""

from collections.abc import Sequence

from medunsup.metrics.bootstrap import Estimate
from medunsup.report.base.efficiency import Series, efficiency
from medunsup.report.finetune.page import WORDS, ByShare, Chart, Row, Table, figure, interval
from medunsup.workflows.finetune.compared import ShareFigures

HINT = (
    "Means over draws of the labels, with intervals of 95 % over test subjects and the standard deviation "
    "(SD) over draws. All networks of a draw had the same labels and number of steps. "
    "Intervals are for the draws made here: where the SD is as large as a difference, others may "
    "reverse it."
)


def by_share(shares: Sequence[ShareFigures], measure: str) -> ByShare | None:
    """Draw figures along shares of the labels; None of a single one."""
    if len(shares) < 2:
        return None
    ordered = sorted(shares, key=lambda one: one.n_subjects)
    charts = [_figures(ordered, measure)]
    if ordered[0].against:
        charts.append(_differences(ordered, measure))
    return ByShare(charts, share_table(ordered, measure), HINT)


def share_table(shares: Sequence[ShareFigures], measure: str) -> Table:
    """List each share and network."""
    rows = [
        Row(
            f"{name(one)}, {one.compared.arms[arm]}",
            [
                interval(one.means[arm]),
                figure(one.sd(arm)),
                interval(one.against[arm].difference, signed=True) if arm in one.against else "",
                one.against[arm].words if arm in one.against else "",
            ],
            is_main=arm == one.compared.main,
        )
        for one in shares
        for arm in one.means
    ]
    less = f"Less {shares[0].compared.beside}"
    return Table(("Labelled", _begun(measure), "SD over draws", less, WORDS), rows)


def name(one: ShareFigures) -> str:
    """Name a share: "12 (10 %)"."""
    return f"{one.n_subjects} ({100 * one.share:.3g} %)"


def _figures(shares: Sequence[ShareFigures], measure: str) -> Chart:
    words = shares[0].compared.arms
    series = [_series(words[arm], [one.means[arm] for one in shares]) for arm in shares[0].means]
    told = "; ".join(
        f"{words[arm]} {', '.join(f'{figure(one.means[arm].value)} with {name(one)}' for one in shares)}"
        for arm in shares[0].means
    )
    drawing = efficiency(series, [name(one) for one in shares], f"{measure}: {told}.")
    return Chart(f"{_begun(measure)} by network", drawing, "Means over draws; bars: 95 % over test subjects.")


def _differences(shares: Sequence[ShareFigures], measure: str) -> Chart:
    arms, compared = shares[0].against, shares[0].compared
    words = compared.arms
    series = [_series(words[arm], [one.against[arm].difference for one in shares]) for arm in arms]
    told = "; ".join(
        f"{words[arm]} "
        + ", ".join(
            f"{interval(one.against[arm].difference, signed=True)} with {name(one)}" for one in shares
        )
        for arm in arms
    )
    drawing = efficiency(series, [name(one) for one in shares], f"Less {compared.beside}: {told}.", zero=True)
    caption = f"Paired by test subject and draw; bars: 95 % over test subjects. {compared.gain}"
    return Chart(f"{_begun(measure)} less that {compared.arms[compared.reference]}", drawing, caption)


def _series(words: str, estimates: Sequence[Estimate]) -> Series:
    return Series(
        words,
        [one.value for one in estimates],
        [one.low for one in estimates],
        [one.high for one in estimates],
    )


def _begun(measure: str) -> str:
    """Write a measure as a sentence begins."""
    return measure[:1].upper() + measure[1:]
