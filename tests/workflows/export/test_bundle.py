"""An exported bundle runs with MONAI alone, and gives what the network gives."""

import json
import os
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from helpers.healthy_scans import write_person
from helpers.pretraining import write_images
from typer.testing import CliRunner

import medunsup
from medunsup.cli.main import app
from medunsup.core.errors import MissingError, OutputError, ResultThereError, StepError
from medunsup.nn import program

FILES = {"configs/inference.json", "configs/metadata.json", "docs/README.md", "models/model.ts"}
RUN = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "medunsup":
            raise ImportError("medunsup is not installed")
sys.meta_path.insert(0, Blocked())
from monai.bundle import run
run(config_file="configs/inference.json", dataset_dir=sys.argv[1], output_dir=sys.argv[2])
"""


def run_alone(bundle: Path, inputs: Path, out: Path) -> None:
    """Run a bundle in its folder, in a process that cannot import medunsup."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(inputs), str(out)],
        cwd=bundle,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.fixture(scope="module")
def bundle(finetuned, tmp_path_factory):
    return medunsup.export(finetuned.path, tmp_path_factory.mktemp("bundle") / "out", to="bundle")


def files_in(folder: Path) -> set[str]:
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return {name for name in found if not name.startswith(".")}


@pytest.mark.slow
@pytest.mark.usefixtures("quick_registration")
def test_labels_of_a_prepared_scan_are_those_of_the_network(finetuned, bundle, small_brain, tmp_path):
    scan = write_person(tmp_path / "sub-80_T1w.nii.gz", small_brain, 80)
    medunsup.predict(finetuned, scan, tmp_path / "predicted", prepared=True)
    (tmp_path / "prepared").mkdir()
    (path,) = (tmp_path / "predicted").rglob("*desc-prepared_T1w.nii.gz")
    path.rename(tmp_path / "prepared" / "sub-80.nii.gz")
    run_alone(bundle.path, tmp_path / "prepared", tmp_path / "out")
    found = nib.load(tmp_path / "out" / "sub-80_dseg.nii.gz")
    image = nib.load(tmp_path / "prepared" / "sub-80.nii.gz")
    values = image.get_fdata(dtype=np.float32)
    shares = finetuned.network.probabilities("finetuned", values[None], values != 0)
    labels = np.array([0, *(label.index for label in finetuned.labels)])
    np.testing.assert_array_equal(np.asarray(found.dataobj), labels[shares.argmax(axis=0)])
    np.testing.assert_allclose(found.affine, image.affine)


def test_probabilities_are_those_of_the_network_to_1e_5(finetuned, bundle):
    assert files_in(bundle.path) == FILES
    assert bundle.difference <= 1e-5
    told = json.loads((bundle.path / "configs" / "metadata.json").read_text())
    told_format = told["network_data_format"]
    assert told_format["inputs"]["image"]["spatial_shape"] == list(bundle.shape[1:])
    assert told_format["outputs"]["pred"]["channel_def"]["0"] == "background"
    assert told["medunsup"]["WeightsSHA256"] == finetuned.weights_sha256
    assert np.array(told["medunsup"]["TemplateGrid"]["Affine"]).shape == (4, 4)
    assert "registered to the MNI152 template" in (bundle.path / "docs" / "README.md").read_text()
    assert str(finetuned.path.parent) not in json.dumps(told)


@pytest.mark.slow
def test_features_of_images_are_those_of_the_encoder(tmp_path):
    sizes = {"epochs": 1, "batch_size": 4, "encoder_parameters": {"channels": 2, "levels": 2}}
    images = write_images(tmp_path / "images.npz")
    made = medunsup.pretrain("autoencoder", images, tmp_path / "encoder", parameters=sizes)
    bundle = medunsup.export(made.path, tmp_path / "bundle", to="bundle")
    assert bundle.task == "features"
    (tmp_path / "arrays").mkdir()
    values = np.random.default_rng(0).random((3, 1, 16, 16), np.float32)
    for n, one in enumerate(values):
        np.save(tmp_path / "arrays" / f"{n}.npy", one)
    run_alone(bundle.path, tmp_path / "arrays", tmp_path / "out")
    rows = [line.split("\t") for line in (tmp_path / "out" / "features.tsv").read_text().splitlines()]
    assert [row[0] for row in rows] == ["0.npy", "1.npy", "2.npy"]
    found = np.array([row[1:] for row in rows], float)
    np.testing.assert_allclose(found, medunsup.Encoder.load(made.path).transform(values), atol=1e-5)


@pytest.mark.slow
@pytest.mark.usefixtures("quick_registration")
def test_features_of_prepared_scans_are_those_of_the_encoder(finetuned, tmp_path):
    encoder = finetuned.path.parent / "encoder"
    bundle = medunsup.export(encoder, tmp_path / "bundle", to="bundle")
    run_alone(bundle.path, encoder.parent / "prepared", tmp_path / "out")
    rows = [line.split("\t") for line in (tmp_path / "out" / "features.tsv").read_text().splitlines()]
    kept = [np.load(encoder.parent / "prepared" / row[0])["values"] for row in rows]
    expected = medunsup.Encoder.load(encoder).transform(np.stack(kept))
    np.testing.assert_allclose(np.array([row[1:] for row in rows], float), expected, atol=1e-5)


def test_a_program_that_differs_is_not_written(finetuned, tmp_path, monkeypatch):
    monkeypatch.setattr(program, "difference", lambda *_: 0.2)
    with pytest.raises(StepError, match="computes something else"):
        medunsup.export(finetuned.path, tmp_path / "out", to="bundle")
    assert not files_in(tmp_path / "out")


def test_nothing_is_replaced_unasked(finetuned, bundle, tmp_path):
    with pytest.raises(ResultThereError, match="holds a bundle"):
        medunsup.export(finetuned.path, bundle.path, to="bundle")
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "model.ts").write_text("mine")
    with pytest.raises(OutputError, match="not ours"):
        medunsup.export(finetuned.path, tmp_path, to="bundle")
    with pytest.raises(MissingError):
        medunsup.export(tmp_path / "nowhere", tmp_path / "out", to="bundle")


def test_the_command_says_what_the_bundle_takes(finetuned, tmp_path):
    words = ["export", str(finetuned.path), "--to", "bundle", "-o", str(tmp_path / "out")]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.stderr
    assert "MONAI bundle for inputs of 1 × " in done.stdout
    told = json.loads(CliRunner().invoke(app, [*words, "--force", "--json"]).stdout)
    assert told["task"] == "segment"
    assert told["difference"] <= 1e-5
