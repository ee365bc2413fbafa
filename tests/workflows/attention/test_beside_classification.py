"""A network that was fine-tuned for classification stands beside its encoder as one for segmentation does."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

import medunsup
from medunsup.core.errors import UsageError


@pytest.mark.usefixtures("quick_registration")
def test_a_classification_network_stands_beside_its_encoder(finetuned, pairs, patient, tmp_path):
    encoder, scans = finetuned.path.parent / "encoder", tmp_path / "scans"
    scans.mkdir()
    for path in pairs.parent.glob("*_T1w.nii.gz"):  # whom pretraining has not seen
        shutil.copy(path, scans)
    names = [path.name.split("_")[0] for path in sorted(scans.iterdir())]
    rows = [f"{name}\t{'a' if n % 2 else 'b'}" for n, name in enumerate(names)]
    (tmp_path / "labels.tsv").write_text("\n".join(["subject\tgroup", *rows]) + "\n")
    few = {"steps": 2, "batch_size": 4}
    made = medunsup.finetune(
        encoder, scans, tmp_path / "seen", task="classify", labels=tmp_path / "labels.tsv", parameters=few
    )
    found = medunsup.attention(encoder, patient, beside=made)
    assert list(found.beside) == list(found.maps)
    assert any(not np.allclose(one.data, found.beside[name].data) for name, one in found.maps.items())
    of_images = replace(made, manifest=made.manifest.model_copy(update={"spacing_mm": 0.0, "contrast": ""}))
    with pytest.raises(UsageError, match="fine-tuned on images"):
        medunsup.attention(encoder, patient, beside=of_images)
