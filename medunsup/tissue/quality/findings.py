"""Gather measures and objections, then say the verdict: the worst first."""

from dataclasses import dataclass, field
from math import isfinite

from medunsup.tissue.quality.limits import Limit
from medunsup.tissue.result import UNCHECKED, Quality, Verdict

SEVERITY: dict[Verdict, int] = {"fail": 0, "check": 1, "partial": 2, "pass": 3}


@dataclass
class Findings:
    """Measures by name, objections in the order they were found, and what could not be checked.

    `words` fill the sentences of the limits.
    """

    measures: dict[str, float] = field(default_factory=dict)
    objections: list[tuple[Verdict, str]] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)
    words: dict[str, str] = field(default_factory=dict)

    def note(self, measures: dict[str, float]) -> None:
        """Keep finite measures, rounded to what they can tell."""
        self.measures |= {name: round(float(value), 4) for name, value in measures.items() if isfinite(value)}

    def object(self, severity: Verdict, sentence: str) -> None:
        """Keep one objection."""
        self.objections.append((severity, sentence))

    def hold_to(self, limit: Limit, *, allowance: float = 1.0) -> bool:
        """Object if a measure is there and goes beyond the limit, taken `allowance` times; say whether."""
        value = self.measures.get(limit.measure)
        if value is None:
            return False
        severity = limit.judge(value / allowance)
        if severity != "pass":
            self.object(severity, limit.sentence.format(value=value, **self.words))
        return severity != "pass"

    def verdict(self) -> Quality:
        """Sum up: the worst objection decides; what could not be checked makes a pass partial."""
        left_out: list[tuple[Verdict, str]] = (
            [("partial", f"{UNCHECKED} {'; '.join(self.unchecked)}.")] if self.unchecked else []
        )
        ordered = sorted(self.objections + left_out, key=lambda item: SEVERITY[item[0]])
        verdict = ordered[0][0] if ordered else "pass"
        return Quality(verdict, tuple(sentence for _, sentence in ordered), self.measures)
