"""What was done to a scan, step by step; it becomes the sidecar and the report's method paragraph."""

from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter
from types import TracebackType
from typing import Any, Literal

Outcome = Literal["done", "degraded", "skipped", "failed"]


@dataclass
class Step:
    """One step of the record: what it was given, what it found, and whether it had to fall back.

    Parameters
    ----------
    name : str
        What is done.
    parameters : dict, optional
        What it was given.
    findings : dict, optional
        What it found; filled while it runs.
    outcome : {'done', 'degraded', 'skipped', 'failed'}, default 'done'
        How it ended; 'degraded' if something had to take its place.
    warnings : list of str, optional
        What a reader of the result should know.
    seconds : float, default 0.0
        How long it took. It never reaches a sidecar, so that the same input and seed give the same bytes.

    Examples
    --------
    >>> import medunsup
    >>> with medunsup.Step("brain mask") as step:
    ...     step.warn("The mask may leave fluid out.", degraded=True)
    >>> step.outcome, step.warnings
    ('degraded', ['The mask may leave fluid out.'])
    """

    name: str
    parameters: dict[str, Any] = field(default_factory=dict)
    findings: dict[str, Any] = field(default_factory=dict)
    outcome: Outcome = "done"
    warnings: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def warn(self, message: str, *, degraded: bool = False) -> None:
        """Keep a warning for the sidecar and the report.

        Parameters
        ----------
        message : str
            One sentence.
        degraded : bool, default False
            Whether something had to take the step's place.

        Examples
        --------
        >>> import medunsup
        >>> step = medunsup.Step("priors")
        >>> step.warn("No template fits.")
        >>> step.outcome
        'done'
        """
        self.warnings.append(message)
        if degraded:
            self.outcome = "degraded"

    def __enter__(self) -> "Step":
        self._started = perf_counter()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.seconds = perf_counter() - self._started
        if error is not None:
            self.outcome = "failed"


@dataclass
class Record:
    """All steps of one scan; it becomes the sidecar and the report's methods paragraph.

    Attributes
    ----------
    steps : list of Step
        The steps, in order.
    progress : callable or None
        Called with the name of each step as it begins.
    """

    steps: list[Step] = field(default_factory=list)
    progress: Callable[[str], None] | None = field(default=None, repr=False, compare=False)

    def step(self, name: str, **parameters: Any) -> Step:
        """Open the next step; use it in a `with` block."""
        if self.progress is not None:
            self.progress(name)
        self.steps.append(Step(name, parameters))
        return self.steps[-1]

    def mark(self, name: str, outcome: Outcome) -> None:
        """Set the outcome of the last step of that name: of one whose work turned out not to be used."""
        [step for step in self.steps if step.name == name][-1].outcome = outcome

    def closed(self) -> "Record":
        """Return the same steps for a result to keep, with nobody who hears of more."""
        return Record(self.steps)

    @property
    def warnings(self) -> list[str]:
        """Every warning, in order."""
        return [message for step in self.steps for message in step.warnings]

    def as_sidecar(self) -> list[dict[str, Any]]:
        """Return the steps as plain values for JSON, without timings."""
        keys = ("name", "parameters", "findings", "outcome", "warnings")
        return [{key: getattr(step, key) for key in keys if getattr(step, key)} for step in self.steps]
