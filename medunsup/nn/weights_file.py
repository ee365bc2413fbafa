"""Weights that were trained elsewhere, read from a file without running any code in it."""

import json
import pickle
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from medunsup.core.errors import InputError, MissingError, UsageError
from medunsup.nn.adaptation_plan import AdaptationPlan

HOLDERS = ("network_weights", "state_dict", "model", "model_state_dict")  # keys that hold the weights
INSIDE = "nnssl_adaptation_plan"


def read_checkpoint(path: Path) -> tuple[dict[str, Tensor], dict[str, Any] | None]:
    """Read the weights by name, and the adaptation plan that the file carries, if it does.

    Raises MissingError if the file is not there, InputError if it holds no weights or more than weights.
    """
    if not path.is_file():
        raise MissingError(f"{path}: there is no such file. Check the path.")
    if path.suffix == ".safetensors":
        return _safetensors(path), None
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        raise InputError(
            f"{path}: cannot be read as weights ({' '.join(str(error).split())[:160]}). Save the state dict "
            "alone: torch.save(network.state_dict(), path)."
        ) from error
    held = next((found[key] for key in HOLDERS if isinstance(found, dict) and key in found), found)
    plan = found.get(INSIDE) if isinstance(found, dict) else None
    weights = {key: value for key, value in held.items() if isinstance(value, Tensor)} if held else {}
    if not weights:
        raise InputError(f"{path}: holds no weights by name. Save the state dict of the network.")
    return weights, plan


def read_plan(values: Any, where: Path) -> AdaptationPlan:
    """Read an adaptation plan, ours or that of nnssl. Raises UsageError if it is neither."""
    if not isinstance(values, dict):
        raise UsageError(f"{where}: is no adaptation plan. Give the adaptation_plan.json of the weights.")
    if "architecture_plans" in values:
        return AdaptationPlan.of_nnssl(values)
    return AdaptationPlan.parse(values, str(where))


def read_plan_file(path: Path) -> AdaptationPlan:
    """Read an adaptation plan from its file. Raises MissingError or UsageError."""
    try:
        return read_plan(json.loads(path.read_text(encoding="utf-8")), path)
    except FileNotFoundError as error:
        raise MissingError(f"{path}: there is no such file. Check the path.") from error
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: is no JSON. Give the adaptation_plan.json of the weights.") from error


def _safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return dict(load_file(path))
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path}: is damaged or no safetensors file ({error}). Copy it again.") from error
