"""A network fine-tuned on made-up scans in a moment, for what puts such a network to use."""

import shutil
from pathlib import Path

import pytest

import medunsup
from helpers import phantom
from helpers.healthy_scans import SPACING_MM
from helpers.labelled_scans import write_pairs
from helpers.small_scans import place_quickly
from medunsup.cohort.finetuned.folder import FinetunedFolder

TINY = {"steps": 4, "batch_size": 4}
ENCODER = {"epochs": 1, "batch_size": 4, "encoder_parameters": {"channels": 2, "levels": 2}}


@pytest.fixture(scope="session")
def pairs(small_brain: phantom.Anatomy, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight scans with label maps, in a table."""
    return write_pairs(tmp_path_factory.mktemp("pairs"), small_brain)


@pytest.fixture(scope="session")
def finetuned(people: Path, pairs: Path, tmp_path_factory: pytest.TempPathFactory) -> FinetunedFolder:
    """A small encoder, pretrained on five of the people and fine-tuned on the pairs."""
    folder = tmp_path_factory.mktemp("finetuned")
    (folder / "scans").mkdir()
    for scan in sorted(people.iterdir())[:5]:
        shutil.copy(scan, folder / "scans")
    with pytest.MonkeyPatch.context() as patch:
        place_quickly(patch)
        made = medunsup.pretrain(
            "autoencoder", folder / "scans", folder / "encoder", parameters=ENCODER, spacing_mm=SPACING_MM
        )
        return medunsup.finetune(made.path, pairs, folder / "seg", parameters=TINY, baselines=False)
