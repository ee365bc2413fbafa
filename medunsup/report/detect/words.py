"""What the page of one scan's anomalies says: verdict, p-value in words, what to do about flags."""

from dataclasses import dataclass

from medunsup.anomaly.findings import MOST_LISTED
from medunsup.anomaly.result import AnomalyResult, Finding, ScanScore
from medunsup.cohort.dataset.sources import HOW
from medunsup.core.hints import both
from medunsup.report.base.headline import Headline
from medunsup.report.base.numbers import p_text
from medunsup.report.base.text import Shown, VerdictWords, tissue_name
from medunsup.report.detect.methods_text import preparation

NO_PROOF = "That is no proof of health: a small lesion hardly moves the score of a whole scan."
ADVICE = {
    "contrast": "Take a model that learned from scans of this contrast. {name_contrast}",
    "body": "Give a scan of the head.",
    "pattern": "Look whether the white line below runs round the brain. If not, {mend_mask}; if it does, the "
    "model does not fit scans like this one.",
    "outside": "Look whether the white line below leaves out skull and scalp. If not, {mend_mask}.",
    "missing": "Look whether the white line below holds the whole brain. If not, {mend_mask}.",
    "intensities": "Take a model that learned from scans of this sequence and scanner.",
    "side": "Check left and right in the scan's header. A large one-sided lesion may raise this "
    "flag wrongly.",
    "bias": "Correct the bias field of this scan as that of the healthy ones was, and look again; or take "
    "a model that learned from scans of this coil and field strength.",
    "spacing": "Take a scan with thinner slices, or a model that learned from scans as coarse as this one.",
}


@dataclass(frozen=True)
class Verdict:
    """How the first screen is coloured, titled and explained; `remarks` are no reasons for it."""

    shown: Shown
    words: VerdictWords
    reasons: tuple[str, ...]
    advice: tuple[str, ...]
    remarks: tuple[str, ...]


def verdict(result: AnomalyResult) -> Verdict:
    """Say first whether the result means anything, only then what the p-value says."""
    if result.flags:
        reasons = tuple(flag.sentence for flag in result.flags)
        left = _left_to_advise(result)
        advice = dict.fromkeys(
            ADVICE[flag.name].format(**left) for flag in result.flags if flag.name in ADVICE
        )
        return Verdict("fail", _unlike(result), reasons, tuple(advice), result.remarks)
    shown: Shown = "check" if result.is_anomalous else "partial"
    return Verdict(shown, _judged(result), (), (), result.remarks)


def _left_to_advise(result: AnomalyResult) -> dict[str, str]:
    """Put the advice so that it names nothing that was given already, a mask or a contrast."""
    given = {step.name: step.parameters for step in preparation(result).steps}
    has_mask = given.get("brain mask", {}).get("given", False)
    is_named = given.get("contrast", {}).get("asked", "auto") != "auto"
    return {
        "mend_mask": "correct the mask that was given"
        if has_mask
        else f"give a brain mask with the option {both('mask')}",
        "name_contrast": f"If the contrast that was named with {both('contrast')} is wrong, name another."
        if is_named
        else f"If the contrast is wrong, name it with the option {both('contrast')}.",
    }


def rank_words(scan: ScanScore) -> str:
    """Say a p-value as a count: 3 of 40 healthy scans scored as much or more, so p = 0.10."""
    n_above = sum(score >= scan.score for score in scan.healthy)
    return f"{above_words(n_above, len(scan.healthy))}, so {p_words(scan.p_value)}"


def above_words(n_above: int, n_healthy: int) -> str:
    """Say how many of the healthy scans scored as much as this one."""
    scans = f"{n_healthy} healthy scan{'s' if n_healthy != 1 else ''}"
    if n_above == 0:
        return f"None of {scans} scored as much"
    return f"{n_above} of {scans} scored as much or more"


def floor_words(scan: ScanScore) -> str:
    """Say so if no scan could have got a smaller p-value."""
    n = len(scan.healthy)
    if n and max(scan.healthy) < scan.score:
        return f" No scan can get less: with {n} healthy scans p is never below {p_text(1 / (n + 1))}."
    return ""


def p_words(p_value: float) -> str:
    """Write p = 0.10."""
    return f"p = {p_text(p_value)}"


def rate_words(alpha: float) -> str:
    """Say a rate as 1 in 20 where it is one, as a percentage otherwise."""
    return f"1 in {1 / alpha:.0f}" if abs(1 / alpha - round(1 / alpha)) < 0.005 else f"{100 * alpha:.3g} %"


def headline(result: AnomalyResult) -> list[Headline]:
    """Three numbers: p-value, findings, the largest of them."""
    void = "means nothing, see above"
    n_healthy, n_found = len(result.scan.healthy), len(result.findings)
    usual = f"a healthy scan shows {result.fp_per_scan:g} on average"
    largest = result.findings[0] if n_found else None
    value = f"{largest.volume_mm3 / 1000:.1f}" if largest else "–"
    return [
        Headline(
            "p of the whole scan",
            p_text(result.scan.p_value),
            "",
            void if result.flags else f"among {n_healthy} healthy scans",
        ),
        Headline("Findings", count_words(n_found), "", void if result.flags else usual),
        Headline(
            "Largest finding", value, "ml" if largest else "", where_words(largest) if largest else "none"
        ),
    ]


def count_words(n_found: int) -> str:
    """Say how many findings there are; the list is capped."""
    return f"{n_found} or more" if n_found >= MOST_LISTED else str(n_found)


def where_words(finding: Finding) -> str:
    """Say where a finding lies; its peak may lie on the other side of its centre."""
    side = "both sides," if finding.side == "both" else finding.side
    return f"roughly {side} {finding.place}, mostly {_tissue(finding)}"


def tissue_words(finding: Finding) -> str:
    """Name the tissue most of a finding lies in, and its share."""
    return f"{_tissue(finding)}, {100 * finding.tissue_share:.0f} %"


def findings_words(result: AnomalyResult) -> str:
    """Say what so many findings are worth."""
    n_found, usual = len(result.findings), result.fp_per_scan
    plural = "s" if usual != 1 else ""
    ordinary = f"At this threshold a healthy scan shows {usual:g} such finding{plural} on average"
    if result.flags:
        return f"{ordinary}; this scan is unlike the healthy ones, so the promise does not hold."
    if result.seen:
        return f"{ordinary}; {seen_words('', result.seen_subject)}, so the promise does not hold."
    if n_found == 0:
        return f"{ordinary}; this one shows none."
    if n_found <= usual:
        return f"{ordinary}; this one shows no more than that."
    return f"{ordinary}; this one shows {count_words(n_found)}. Any single one may still be an ordinary one."


def seen_words(split: str, subject: str) -> str:
    """Say what the model has seen before, this scan or one of a subject of its name, and in which split."""
    how = f" (it {HOW.get(split, 'knows')} this {'subject' if subject else 'scan'})" if split else ""
    return f"the model has seen {f'a subject named {subject}' if subject else 'this scan'}{how}"


def warnings(result: AnomalyResult) -> list[str]:
    """Every warning of the record that is not among the remarks already, once each."""
    return [text for text in dict.fromkeys(result.record.warnings) if text not in result.remarks]


def _unlike(result: AnomalyResult) -> VerdictWords:
    return VerdictWords(
        "Do not read this map",
        "✕",
        f"The scan is unlike the {result.model.n_train} healthy scans the model learned from. Map, "
        "findings and p-value below mean nothing.",
    )


def _judged(result: AnomalyResult) -> VerdictWords:
    rank = rank_words(result.scan)
    n_found = len(result.findings)
    found = f"{count_words(n_found) if n_found else 'No'} finding{'s' if n_found > 1 else ''}"
    if result.seen:
        return VerdictWords(
            f"{found}; no verdict on the scan as a whole",
            "–",
            f"{rank}.",  # a remark below it says why that means little
        )
    if result.alpha is None:
        n = len(result.scan.healthy)
        return VerdictWords(
            f"{found}; no verdict on the scan as a whole",
            "–",
            f"{rank}. {n} healthy scans are too few for a verdict at 1 in 20.",
        )
    asked = f"at most {rate_words(result.alpha)} healthy scans may be called unusual"
    if result.is_anomalous:
        return VerdictWords(f"{found}; unusual as a whole", "!", f"{rank}; {asked}: this one is.")
    return VerdictWords(
        f"{found}; not unusual as a whole", "–", f"{rank}; {asked}: this one is not. {NO_PROOF}"
    )


def _tissue(finding: Finding) -> str:
    return tissue_name(finding.tissue, finding.tissue).lower()
