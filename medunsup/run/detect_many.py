"""Look at many scans with one model: skip what is done, go on when one fails."""

import json
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from medunsup.core.errors import MedunsupError, OutputError, UsageError
from medunsup.core.paths import user_path
from medunsup.io.bids import sidecar
from medunsup.run.detect import DetectRequest, detect_scan, make_request
from medunsup.run.detect_export import KINDS, save, status
from medunsup.run.model_folder import read_model
from medunsup.run.request import check_distinct, check_there, fill


@dataclass(frozen=True)
class DetectOutcome:
    """One scan's fate: `flags` say why the scan is unlike those the model knows, `error` is one line."""

    scan: Path
    status: Literal["done", "skipped", "failed"]
    p_value: float = float("nan")
    alpha: float | None = None
    is_anomalous: bool | None = None
    volumes_mm3: tuple[float, ...] = ()
    flags: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    outputs: dict[str, Path] = field(default_factory=dict)
    error: str | None = None
    trace: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        facts = asdict(self) | {"scan": str(self.scan)}
        facts["outputs"] = {kind: str(path) for kind, path in self.outputs.items()}
        facts["p_value"] = self.p_value if self.error is None else None
        del facts["trace"]
        return facts


def detect_many(
    scans: Sequence[Path],
    model: Path,
    out: Path | None,
    *,
    mask: str | None = None,
    force: bool = False,
    progress: Callable[[Path, str], None] | None = None,
    **choices: Any,
) -> list[DetectOutcome]:
    """Look at each scan and save what is found; `choices` are those of `detect`.

    Raises UsageError or InputError for what concerns all of them: the model, a wrong choice, no scan there.
    """
    opened = read_model(user_path(model))
    requests = [
        make_request(
            user_path(scan),
            opened,
            out=None if out is None else user_path(out),
            mask=None if mask is None else fill(mask, scan),
            **choices,
        )
        for scan in scans
    ]
    check_distinct([request.scan for request in requests])
    check_there([request.scan for request in requests])
    if not force:
        _refuse_other(requests)
    return [_one(request, force, progress) for request in requests]


def read_outcome(request: DetectRequest, state: Literal["done", "skipped"]) -> DetectOutcome:
    """Read what is there of a scan that is done."""
    names = request.names
    path = sidecar(names.path("anomaly_mask"))
    made = json.loads(path.read_text(encoding="utf-8"))
    warnings = [text for step in made["Steps"] for text in step.get("warnings", ())]
    outputs = {kind: names.path(kind) for kind in KINDS if names.path(kind).exists()}
    return DetectOutcome(
        scan=request.scan.scan,
        status=state,
        p_value=made["PValue"],
        alpha=made["Alpha"],
        is_anomalous=made["IsAnomalous"],
        volumes_mm3=tuple(one["volume_mm3"] for one in made["Findings"]),
        flags=tuple(one["sentence"] for one in made["Flags"]),
        warnings=(*made["Remarks"], *warnings),
        outputs={**outputs, "sidecar": path},  # type: ignore[dict-item]
    )


def _refuse_other(requests: Sequence[DetectRequest]) -> None:
    others = [request for request in requests if request.scan.scan.exists() and status(request) == "other"]
    if others:
        more = f" (and {len(others) - 1} more)" if len(others) > 1 else ""
        raise UsageError(
            f"{others[0].names.path('anomaly_mask')}: is there already, made otherwise{more}. "
            "Pass --force to replace it, or choose another folder with -o."
        )


def _one(request: DetectRequest, force: bool, progress: Callable[[Path, str], None] | None) -> DetectOutcome:
    scan = request.scan.scan
    try:
        if not force and status(request) == "done":
            return read_outcome(request, "skipped")
        result = detect_scan(request, progress=lambda text: progress(scan, text) if progress else None)
        save(result, request, force=True)
        return read_outcome(request, "done")
    except OutputError:
        raise
    except MedunsupError as error:
        return DetectOutcome(scan, "failed", error=str(error), trace=traceback.format_exc())
    except Exception as error:  # noqa: BLE001 - one broken scan must not end the others
        text = f"{scan}: unexpected {type(error).__name__}: {error}. --debug shows where."
        return DetectOutcome(scan, "failed", error=" ".join(text.split()), trace=traceback.format_exc())
