"""The folder that a model or encoder is trained into: what is in it, and what may be done there."""

import json
import logging
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from medunsup.core.config import Config
from medunsup.core.errors import OutputError, ResultThereError, UsageError
from medunsup.core.hints import option
from medunsup.io.files.atomic import write_json
from medunsup.io.files.transaction import remove_empty

TRAINING = "training"
CHECKPOINT, ASKED = "checkpoint.bin", "asked.json"
WORK = ".work"

How = Literal["plain", "resume", "force"]
Training = Literal["none", "begun", "stopped"]
Action = Literal["begin", "begin anew", "go on", "refuse: model", "refuse: training", "refuse: resume"]
State = tuple[bool, Training]

# Whether a model is there, and whether a training was begun (no checkpoint yet) or stopped (with one) there;
# then what is done by how it is asked for.
ACTIONS: dict[State, dict[How, Action]] = {
    (False, "none"): {"plain": "begin", "resume": "begin anew", "force": "begin"},
    (False, "begun"): {"plain": "begin", "resume": "begin anew", "force": "begin"},
    (False, "stopped"): {"plain": "refuse: training", "resume": "go on", "force": "begin"},
    (True, "none"): {"plain": "refuse: model", "resume": "refuse: resume", "force": "begin"},
    (True, "begun"): {"plain": "refuse: model", "resume": "begin anew", "force": "begin"},
    (True, "stopped"): {"plain": "refuse: model", "resume": "go on", "force": "begin"},
}
REFUSALS: dict[Action, tuple[type[OutputError], str]] = {
    "refuse: model": (
        ResultThereError,
        "holds {kind}. Pass {force} to replace it, or choose another folder with {out}.",
    ),
    "refuse: training": (
        ResultThereError,
        "holds a training that is not finished. Go on with {resume}, or begin anew with {force}.",
    ),
    "refuse: resume": (
        OutputError,
        "holds no unfinished training, but {kind}. Use it, or pass {force} instead of {resume} to "
        "replace it.",
    ),
}

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingFolder:
    """The folder `out` of a model, locked by the caller; `how` says what to do about what is there.

    While a model is trained, the folder `checkpoints` in it holds what was asked for and how far it came.
    `manifest` is the file that says that the model is whole, `kind` what messages call it.
    """

    out: Path
    how: How = "plain"
    manifest: str = "model.json"
    kind: str = "a model"

    @property
    def checkpoints(self) -> Path:
        """Where a training keeps what it needs to go on."""
        return self.out / TRAINING

    @property
    def state(self) -> State:
        """Whether a model is there, and how far a training came."""
        has_model = (self.out / self.manifest).exists()
        if (self.checkpoints / CHECKPOINT).exists():
            return has_model, "stopped"
        return has_model, "begun" if (self.checkpoints / ASKED).exists() else "none"

    def open(self, asked: Mapping[str, Any]) -> bool:
        """Begin a training here, or find that it goes on: True. `asked` is what `asked_for` gives.

        Raises OutputError for a model or a training that is there and may not be replaced, or for nothing to
        go on with; UsageError if what is to go on was asked for otherwise.
        """
        state = self.state
        action = ACTIONS[state][self.how]
        if action in REFUSALS:
            kind, words = REFUSALS[action]
            named = {
                "kind": self.kind,
                "force": option("force", True),
                "resume": option("resume", True),
                "out": option("out"),
            }
            raise kind(f"{self.out}: {words.format(**named)}")
        if self.how == "resume" and state[1] != "none":
            _refuse_other(self.checkpoints / ASKED, asked)
        if action == "go on":
            return True
        if action == "begin anew":
            is_begun = self.checkpoints.exists()
            there = "stopped before any checkpoint" if is_begun else "holds no training to go on with"
            log.warning("%s: %s; begins anew, with the same seed.", self.out, there)
        shutil.rmtree(self.checkpoints, ignore_errors=True)
        write_json(self.checkpoints / ASKED, asked)
        return False

    def forget(self) -> None:
        """Clear a training that has no checkpoint: it counts as never begun."""
        if self.state[1] != "stopped":
            shutil.rmtree(self.checkpoints, ignore_errors=True)

    def finish(self) -> None:
        """Clear what only an unfinished training needs; the log of a deep model stays."""
        for name in (CHECKPOINT, ASKED):  # one without what was asked could not be resumed
            (self.checkpoints / name).unlink(missing_ok=True)
        remove_empty([self.checkpoints])

    @contextmanager
    def work(self) -> Iterator[Path]:
        """Hold a folder for files that are not needed afterwards."""
        path = self.out / WORK
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)


def is_unfinished(folder: Path) -> bool:
    """Whether a training was begun in a folder and not finished; of one that is done its log stays."""
    return any((folder / TRAINING / name).exists() for name in (CHECKPOINT, ASKED))


def asked_for(settings: Config, hashes: Sequence[str]) -> dict[str, Any]:
    """Note what a training is asked for: the choices, and the scans by their hashes."""
    return {"Settings": settings.model_dump(mode="json"), "Scans": list(hashes)}


def _refuse_other(noted: Path, now: Mapping[str, Any]) -> None:
    """Raise UsageError if what was noted when the training began is not what is asked for now."""
    try:
        before = json.loads(noted.read_text(encoding="utf-8"))
        first, second = (_named(each["Settings"]) for each in (before, now))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise OutputError(f"{noted}: cannot be read. Begin anew with {option('force', True)}.") from error
    if before == now:
        return
    changed = [
        f"{key} {first.get(key, 'unset')}, not {second.get(key, 'unset')}"
        for key in first | second
        if first.get(key) != second.get(key)
    ]
    what = "; ".join(changed) or "other scans"
    raise UsageError(
        f"{noted.parent}: this training was begun with {what}. Resume it with the same, "
        f"or begin anew with {option('force', True)}."
    )


def _named(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Give each parameter of the model a line of its own beside the other choices."""
    own = {f"parameters.{key}": value for key, value in settings.get("parameters", {}).items()}
    return {key: value for key, value in settings.items() if key != "parameters"} | own
