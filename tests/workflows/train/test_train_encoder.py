"""A model of healthy scans that learns from the features of a pretrained encoder folder."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from helpers.healthy_scans import SPACING_MM, write_person
from helpers.small_scans import place_quickly
from typer.testing import CliRunner

import medunsup
from medunsup.cli.main import app
from medunsup.core.errors import InputError, UsageError
from medunsup.workflows.train.summary import remarks
from medunsup.workflows.train.verify import verify

TINY = {"epochs": 1, "batch_size": 4, "encoder_parameters": {"channels": 2, "levels": 2}}
MODEL = {"channels": 2, "levels": 2, "latent_dim": 4, "epochs": 1}
STEPS = {"min_cluster_mm3": 0.0, "postprocess": ()}


@pytest.fixture(scope="module")
def place(people, tmp_path_factory) -> Path:
    """Encoders of the first four people, and a model of the first eight with such an encoder."""
    folder = tmp_path_factory.mktemp("place")
    for name, n in (("four", 4), ("eight", 8)):
        (folder / name).mkdir()
        for path in sorted(people.iterdir())[:n]:
            shutil.copy(path, folder / name)
    with pytest.MonkeyPatch.context() as patch:
        place_quickly(patch)
        for dims in (2, 3):
            medunsup.pretrain(
                "autoencoder",
                folder / "four",
                folder / f"in_{dims}d",
                parameters={**TINY, "dims": dims, "batch_size": 2},
                spacing_mm=SPACING_MM,
                cache=folder / "prepared",
            )
        trained(folder, folder / "model")
    return folder


def trained(place: Path, out: Path, encoder: str = "in_2d", data: str = "eight", **more):
    choices = {"parameters": MODEL, "encoder": place / encoder, "cache": place / "prepared", **STEPS} | more
    return medunsup.train("feature_ae", place / data, out, **choices)


@pytest.mark.usefixtures("quick_registration")
class TestTraining:
    def test_the_model_is_whole_without_the_encoder_folder(self, place, patient, tmp_path):
        encoder = medunsup.Encoder.load(place / "in_2d")
        hidden = shutil.copytree(place / "model", tmp_path / "elsewhere")
        model = medunsup.read_model(hidden)
        assert not list(hidden.rglob("encoder*"))
        assert model.settings.spacing_mm == SPACING_MM
        own = model.healthy.model.learner_.features.encoder
        for name, value in encoder.network.state_dict().items():
            np.testing.assert_allclose(own.state_dict()[name], value, atol=1e-5)
        found = medunsup.detect(patient, model)
        again = medunsup.detect(patient, medunsup.read_model(hidden))
        np.testing.assert_allclose(found.score.data, again.score.data, atol=1e-5)
        assert found.score.data[found.brain.data].std() > 0
        assert verify(hidden).is_sound

    def test_scans_that_the_encoder_has_seen_are_known_and_told_of(self, place):
        model = medunsup.read_model(place / "model")
        calibration = {name for name, split in model.subjects.items() if split == "calibration"}
        n = len(calibration & {f"sub-{k:02d}" for k in range(4)})
        assert 0 < n == model.manifest.encoder["CalibrationScansSeen"]
        told = f"was pretrained on {n} of the {len(calibration)} calibration scans"
        assert any(told in one for one in remarks(model))
        assert told in (model.path / "README.md").read_text()

    def test_a_scan_that_only_the_encoder_has_seen_gets_no_verdict(self, place, people, tmp_path):
        new = tmp_path / "new"
        new.mkdir()
        for path in sorted(people.iterdir())[8:16]:
            shutil.copy(path, new)
        model = medunsup.train(
            "feature_ae", new, tmp_path / "model", parameters=MODEL, encoder=place / "in_2d",
            cache=place / "prepared", **STEPS,
        )  # fmt: skip
        assert model.about.n_train + model.about.n_calibration < 9
        assert model.manifest.encoder["CalibrationScansSeen"] == 0
        assert "8 healthy T1w scans" in (model.path / "README.md").read_text()
        found = medunsup.detect(place / "four" / "sub-00_T1w.nii.gz", model, alpha=0.5)
        assert found.seen == "pretraining"
        assert found.is_anomalous is None

    def test_dims_are_those_of_the_encoder_unless_others_are_asked_for(self, place, tmp_path):
        model = trained(place, tmp_path / "out", "in_3d")
        assert model.settings.parameters["dims"] == 3
        with pytest.raises(UsageError, match="was pretrained in 2D"):
            trained(place, tmp_path / "no", parameters={**MODEL, "dims": 3})

    def test_other_spacing_contrast_or_models_are_refused(self, place, small_brain, tmp_path):
        with pytest.raises(UsageError, match="was pretrained on voxels of 8 mm"):
            trained(place, tmp_path / "no", spacing_mm=4.0)
        with pytest.raises(UsageError, match=r"takes no encoder\..*feature_ae"):
            medunsup.train("ae", place / "eight", tmp_path / "no", encoder=place / "in_2d")
        (tmp_path / "dark").mkdir()
        for n in range(8):
            write_person(tmp_path / "dark" / f"sub-{n}_T2w.nii.gz", small_brain, n, contrast="T2w")
        with pytest.raises(InputError, match="T1w scans, these are T2w"):
            medunsup.train(
                "feature_ae", tmp_path / "dark", tmp_path / "no", encoder=place / "in_2d", contrast="T2w",
                parameters=MODEL, **STEPS,
            )  # fmt: skip
        assert not (tmp_path / "no" / "model.json").exists()

    def test_the_command_line_takes_a_folder(self, place, tmp_path):
        words = ["train", "feature_ae", "--data", place / "eight", "--encoder", place / "in_2d"]
        words += ["-o", tmp_path / "out", "--set", "channels=2", "--set", "levels=2", "--set", "epochs=1"]
        done = CliRunner().invoke(app, [*map(str, words), "--cache", str(place / "prepared")])
        assert done.exit_code == 0, done.output
        assert medunsup.read_model(tmp_path / "out").manifest.encoder["Folder"] == "in_2d"
