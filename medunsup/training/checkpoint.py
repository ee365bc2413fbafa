"""Checkpoints: one file that holds all a run needs to go on, complete or not there at all.

The first line is JSON with version and SHA-256 of the rest, so that a cut or foreign file is known before
anything in it is read.
"""

import hashlib
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from medunsup.core.errors import InputError, UsageError
from medunsup.core.hints import option
from medunsup.io.files.atomic import atomic_path

VERSION = 2  # 2: holds all parameters of its model, so that others are told
FORMAT = "medunsup checkpoint"
NAME = "checkpoint.bin"


def save(path: Path, content: Mapping[str, Any]) -> None:
    """Write tensors and plain values atomically. If that fails (OutputError) the old file stays."""
    buffer = io.BytesIO()
    torch.save(dict(content), buffer)
    payload = buffer.getbuffer()
    head = {"format": FORMAT, "version": VERSION, "sha256": hashlib.sha256(payload).hexdigest()}
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        file.write(json.dumps(head).encode() + b"\n")
        file.write(payload)


def load(path: Path) -> dict[str, Any]:
    """Read what `save` wrote. Raises InputError if it is missing, cut, damaged or of another version."""
    try:
        head, _, payload = path.read_bytes().partition(b"\n")
    except FileNotFoundError:
        raise InputError(
            f"{path}: there is no checkpoint to resume from. Start without {option('resume', True)}."
        ) from None
    try:
        facts = json.loads(head)
        is_ours = facts["format"] == FORMAT
    except (ValueError, KeyError, TypeError):
        is_ours = False
    if not is_ours:
        raise InputError(f"{path}: not a checkpoint of medunsup. Begin anew with {option('force', True)}.")
    if facts["version"] != VERSION:
        raise InputError(
            f"{path}: version {facts['version']}, this medunsup reads version {VERSION}. "
            "Go on with the medunsup that wrote it, "
            f"or begin anew ({option('force', True)}, or another folder)."
        )
    if hashlib.sha256(payload).hexdigest() != facts["sha256"]:
        raise InputError(f"{path}: truncated or damaged. Begin anew with {option('force', True)}.")
    return torch.load(io.BytesIO(payload), map_location="cpu", weights_only=True)


def check_same_run(path: Path, stored: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Raise UsageError naming what differs between the run that wrote a checkpoint and this one."""
    differing = [key for key in {**now, **stored} if stored.get(key) != now.get(key)]
    if differing:
        said = "; ".join(f"{key}: {stored.get(key)} there, {now.get(key)} now" for key in differing)
        raise UsageError(f"{path} belongs to another run ({said}). Resume with the same data and parameters.")
