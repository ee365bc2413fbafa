"""From an encoder and labelled scans to a network: what is written, measured, compared, refused, resumed."""

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
from helpers import phantom
from helpers.healthy_scans import SPACING_MM
from helpers.labelled_scans import N_TEST, N_TRAIN, write_pairs
from helpers.pretraining import write_images
from helpers.small_scans import place_quickly

import medunsup
from medunsup.cohort.encoders.folder import EncoderFolder, read_encoder
from medunsup.core.errors import (
    GeometryError,
    InputError,
    MissingError,
    OutputError,
    ResultThereError,
    UsageError,
)
from medunsup.io.files.artifact_folder import read_arrays

TINY = {"steps": 4, "batch_size": 4}
ENCODER = {"epochs": 1, "batch_size": 4, "encoder_parameters": {"channels": 2, "levels": 2}}
ARMS = ["finetuned", "frozen", "scratch"]

KILLED = """
import os, signal
from helpers.small_scans import place_quickly
import pytest
import medunsup
from medunsup.training import loop
place_quickly(pytest.MonkeyPatch())
loop._Run._pause = lambda run, stop: run._save()  # a checkpoint after every batch
def kill(stage):
    if stage.what.startswith("epoch") and stage.share > 0.45:
        os.kill(os.getpid(), signal.SIGKILL)
medunsup.finetune({encoder!r}, {data!r}, {out!r}, parameters={parameters!r}, progress=kill)
"""


@pytest.fixture(scope="module")
def table(small_brain: phantom.Anatomy, tmp_path_factory) -> Path:
    return write_pairs(tmp_path_factory.mktemp("pairs"), small_brain)


@pytest.fixture(scope="module")
def encoder(people: Path, tmp_path_factory) -> EncoderFolder:
    folder = tmp_path_factory.mktemp("pretrained")
    (folder / "scans").mkdir()
    for scan in sorted(people.iterdir())[:5]:
        shutil.copy(scan, folder / "scans")
    with pytest.MonkeyPatch.context() as patch:
        place_quickly(patch)
        return medunsup.pretrain(
            "autoencoder", folder / "scans", folder / "out", parameters=ENCODER, spacing_mm=SPACING_MM
        )


@pytest.fixture(scope="module")
def made(encoder, table, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        place_quickly(patch)
        return medunsup.finetune(
            encoder.path, table, tmp_path_factory.mktemp("made") / "seg", parameters=TINY
        )


def rewritten(table: Path, folder: Path, change) -> Path:
    """Copy a table with whole paths, its rows changed."""
    head, *rows = (line.split("\t") for line in table.read_text().splitlines())
    rows = [dict(zip(head, row, strict=True)) for row in rows]
    for row in rows:
        row |= {key: str(table.parent / row[key]) for key in ("scan", "labels")}
    rows = change(rows) or rows
    names = list(rows[0])
    path = folder / "changed.tsv"
    path.write_text(
        "\n".join(["\t".join(names), *("\t".join(row[name] for name in names) for row in rows)]) + "\n"
    )
    return path


@pytest.mark.usefixtures("quick_registration")
class TestFolder:
    def test_all_three_networks_are_tested_on_every_test_subject_and_label(self, made):
        rows = list(csv.DictReader((made.path / "dice.tsv").open(), delimiter="\t"))
        assert len(rows) == N_TEST * len(ARMS) * 2 * 3
        assert {row["network"] for row in rows} == set(ARMS)
        assert {row["subject"] for row in rows} == {"sub-35", "sub-36", "sub-37"}
        assert {row["space"] for row in rows} == {"grid", "native"}
        assert all(0 <= float(row["dice"]) <= 1 for row in rows)
        assert made.manifest.scans == {"train": N_TRAIN, "test": N_TEST}

    def test_too_few_test_subjects_are_called_that_whatever_the_figures(self, made):
        assert made.manifest.verdict == f"too few test subjects to tell: {N_TEST} of at least 6"
        assert made.figures["AgainstScratch"]["finetuned"]["difference"]["n"] == N_TEST

    def test_label_maps_lie_in_native_space_and_dice_is_theirs(self, made, table):
        rows = list(csv.DictReader((made.path / "dice.tsv").open(), delimiter="\t"))
        for n in range(5, 8):
            name = f"sub-{30 + n}_T1w"
            found = nib.load(made.path / "predictions" / f"sub-{30 + n}_desc-finetuned_dseg.nii.gz")
            scan, truth = (nib.load(table.parent / f"{name}{end}.nii.gz") for end in ("", "_dseg"))
            assert found.shape == scan.shape
            np.testing.assert_array_equal(found.affine, scan.affine)
            labels, true = np.asarray(found.dataobj), np.asarray(truth.dataobj)
            assert set(np.unique(labels)) <= {0, 1, 2, 3}
            told = {
                row["label"]: float(row["dice"])
                for row in rows
                if (row["scan"], row["network"], row["space"]) == (f"{name}.nii.gz", "finetuned", "native")
            }
            for label, dice in told.items():
                ours, theirs = labels == int(label), true == int(label)
                assert dice == pytest.approx(
                    2 * (ours & theirs).sum() / (ours.sum() + theirs.sum()), abs=1e-5
                )

    def test_weights_are_those_of_the_fine_tuned_network_and_nothing_changed_since(self, made):
        names = read_arrays(made.path / "network.safetensors")
        assert {name.split(".")[0] for name in names} == {"encoder", "decoder"}
        assert made.files.changed() == []

    def test_the_page_says_the_verdict_first_and_shows_every_test_scan(self, made):
        page = (made.path / "report.html").read_text()
        assert page.index("too few test subjects") < page.index("Dice on the test subjects")
        assert page.count("data:image/jpeg") == N_TEST
        assert "http" not in page.replace("http-equiv", "")

    def test_scans_are_listed_with_their_hashes_and_no_path(self, made, table):
        text = (made.path / "scans.tsv").read_text()
        assert len(text.splitlines()) == 1 + N_TRAIN + N_TEST
        assert str(table.parent) not in text

    def test_names_of_labels_come_from_a_table(self, encoder, table, tmp_path):
        (tmp_path / "names.tsv").write_text("index\tname\n1\tgrey\n2\twhite\n3\tfluid\n")
        done = medunsup.finetune(
            encoder.path,
            table,
            tmp_path / "out",
            label_table=tmp_path / "names.tsv",
            parameters=TINY,
            baselines=False,
        )
        assert [label["name"] for label in done.manifest.labels] == ["grey", "white", "fluid"]
        assert list(done.figures["MeanDice"]) == ["finetuned"]
        assert done.manifest.verdict == "not compared with scratch"
        assert "2\twhite" in (done.path / "predictions" / "dseg.tsv").read_text()

    def test_two_runs_are_equal_and_another_seed_is_not(self, made, encoder, table, tmp_path):
        again = medunsup.finetune(encoder.path, table, tmp_path / "again", parameters=TINY)
        other = medunsup.finetune(encoder.path, table, tmp_path / "other", parameters=TINY, seed=1)
        weights = [(one.path / "network.safetensors").read_bytes() for one in (made, again, other)]
        assert weights[0] == weights[1] != weights[2]
        assert (made.path / "dice.tsv").read_bytes() == (again.path / "dice.tsv").read_bytes()


@pytest.mark.slow
@pytest.mark.usefixtures("quick_registration")
def test_a_run_that_was_killed_goes_on_to_the_same_weights_and_figures(made, encoder, table, tmp_path):
    out = tmp_path / "out"
    code = KILLED.format(encoder=str(encoder.path), data=str(table), out=str(out), parameters=TINY)
    tests = str(Path(__file__).parents[2])
    program = f"import sys; sys.path.insert(0, {tests!r})\n{code}"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == -9
    assert not (out / "finetune.json").exists()
    with pytest.raises(ResultThereError, match="not finished"):
        medunsup.finetune(encoder.path, table, out, parameters=TINY)
    with pytest.raises(UsageError, match="steps"):
        medunsup.finetune(encoder.path, table, out, parameters={**TINY, "steps": 5}, resume=True)
    done = medunsup.finetune(encoder.path, table, out, parameters=TINY, resume=True)
    for name in ("network.safetensors", "dice.tsv", "figures.json", "report.html"):
        assert (done.path / name).read_bytes() == (made.path / name).read_bytes()


@pytest.mark.slow
@pytest.mark.usefixtures("quick_registration")
def test_few_labelled_subjects_are_compared_and_a_run_that_was_ended_goes_on(made, encoder, table, tmp_path):
    few = {"parameters": TINY, "labelled": (1, 2)}
    whole = medunsup.finetune(encoder.path, table, tmp_path / "whole", **few)
    shares = whole.figures["Shares"]
    assert [(one["subjects"], one["draws"]) for one in shares] == [(5, 1), (2, 5), (1, 5)]
    for name in ("network.safetensors", "dice.tsv"):
        assert (whole.path / name).read_bytes() == (made.path / name).read_bytes()
    whole_mean = made.figures["MeanDice"]["finetuned"]["native"]["value"]
    assert shares[0]["networks"]["finetuned"]["value"] == whole_mean
    assert len({tuple(one["per_draw"]["scratch"]) for one in shares}) == 3

    def stop(stage):
        if stage.what.startswith("2 labelled, draw 3 of 5: testing"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        medunsup.finetune(encoder.path, table, tmp_path / "out", progress=stop, **few)
    done = medunsup.finetune(encoder.path, table, tmp_path / "out", resume=True, **few)
    for name in ("network.safetensors", "dice.tsv", "shares.tsv", "figures.json", "report.html"):
        assert (done.path / name).read_bytes() == (whole.path / name).read_bytes()


@pytest.mark.usefixtures("quick_registration")
class TestWeightsFromElsewhere:
    def test_weights_with_our_plan_are_fine_tuned_to_the_same(self, made, encoder, table, tmp_path):
        torch.save(
            {"state_dict": {f"net.{key}": value for key, value in encoder.network.state_dict().items()}},
            tmp_path / "foreign.pth",
        )
        plan = encoder.plan.model_copy(update={"file": {"": "net."}})
        (tmp_path / "plan.json").write_text(plan.model_dump_json())
        done = medunsup.finetune(
            None,
            table,
            tmp_path / "out",
            weights=tmp_path / "foreign.pth",
            plan=tmp_path / "plan.json",
            parameters=TINY,
        )
        assert (done.path / "dice.tsv").read_bytes() == (made.path / "dice.tsv").read_bytes()
        assert any("not known" in text for text in done.manifest.remarks)

    def test_weights_of_an_encoder_folder_go_with_its_plan_file(self, encoder, table, tmp_path):
        done = medunsup.finetune(
            None,
            table,
            tmp_path / "out",
            weights=encoder.path / "encoder.safetensors",
            plan=encoder.path / "adaptation_plan.json",
            parameters=TINY,
            baselines=False,
        )
        assert done.manifest.encoder["encoder"] == "cnn"

    def test_weights_without_a_plan_and_a_missing_file_are_refused(self, encoder, table, tmp_path):
        torch.save(encoder.network.state_dict(), tmp_path / "foreign.pth")
        with pytest.raises(UsageError, match=r"adaptation_plan.json"):
            medunsup.finetune(None, table, tmp_path / "out", weights=tmp_path / "foreign.pth")
        with pytest.raises(MissingError, match="no such file"):
            medunsup.finetune(None, table, tmp_path / "out", weights=tmp_path / "none.pth")

    def test_a_checkpoint_of_nnssl_holds_its_own_plan(self, table, tmp_path):
        """Made up, with the keys that OpenMind's checkpoints have; arrays there have axes (K, J, I)."""
        pytest.importorskip("dynamic_network_architectures")
        from medunsup.nn import AdaptationPlan

        sizes = {"features_per_stage": [8, 16, 16], "n_blocks_per_stage": [1, 1, 1]}
        trained = {
            "patch_size": [32] * 3,
            "spacing": [8] * 3,
            "normalization_schemes": ["ZScoreNormalization"],
        }
        plan = {
            "architecture_plans": {"arch_class_name": "ResidualEncoderUNet", "arch_kwargs": sizes},
            "pretrain_num_input_channels": 1,
            "recommended_downstream_patchsize": [32] * 3,
            "key_to_encoder": "encoder.stages",
            "key_to_stem": "encoder.stem",
            "pretrain_plan": {"configurations": {"only": trained}},
        }
        weights = {}
        for name, value in AdaptationPlan.of_nnssl(plan).build().state_dict().items():
            theirs = name.replace("stem_block.", "encoder.stem.", 1).replace("stages.", "encoder.stages.", 1)
            weights[theirs] = value.permute(0, 1, 4, 3, 2) if value.ndim == 5 else value
        torch.save({"network_weights": weights, "nnssl_adaptation_plan": plan}, tmp_path / "foreign.pth")
        done = medunsup.finetune(
            None,
            table,
            tmp_path / "out",
            weights=tmp_path / "foreign.pth",
            parameters={"steps": 1, "batch_size": 1},
            baselines=False,
        )
        assert done.manifest.encoder["intensity"] == "z-score"
        assert done.manifest.spacing_mm == 8.0
        assert f"{len(weights)} weights loaded into ResEnc, 0 left" in done.manifest.remarks[0]

    def test_a_file_that_would_run_code_is_refused(self, table, tmp_path):
        torch.save({"model": Path("x")}, tmp_path / "foreign.pth")
        with pytest.raises(InputError, match="Save the state dict"):
            medunsup.finetune(None, table, tmp_path / "out", weights=tmp_path / "foreign.pth")


@pytest.mark.usefixtures("quick_registration")
class TestRefused:
    def test_subjects_of_the_pretraining_are_not_tested_on(self, encoder, table, people, tmp_path):
        def change(rows):
            rows[-1]["scan"] = str(people / "sub-00_T1w.nii.gz")

        with pytest.raises(InputError, match=r"seen by pretraining: .* \(same values\). Without labels too"):
            medunsup.finetune(encoder.path, rewritten(table, tmp_path, change), tmp_path / "out")

    def test_the_same_scan_under_another_name_is_known(self, encoder, table, people, tmp_path):
        shutil.copy(people / "sub-00_T1w.nii.gz", tmp_path / "sub-88_T1w.nii.gz")

        def change(rows):
            rows[-1]["scan"] = str(tmp_path / "sub-88_T1w.nii.gz")

        with pytest.raises(InputError, match="sub-88"):
            medunsup.finetune(encoder.path, rewritten(table, tmp_path, change), tmp_path / "out")

    def test_they_may_be_learned_from(self, encoder, table, people, tmp_path):
        def change(rows):
            rows[0]["scan"] = str(people / "sub-00_T1w.nii.gz")

        done = medunsup.finetune(
            encoder.path, rewritten(table, tmp_path, change), tmp_path / "out", parameters=TINY
        )
        assert done.manifest.scans["train"] == N_TRAIN

    def test_another_spacing_than_that_of_the_pretraining(self, encoder, table, tmp_path):
        with pytest.raises(UsageError, match=r"pretrained on voxels of 8 mm; 5 mm is more than 1.5 times"):
            medunsup.finetune(encoder.path, table, tmp_path / "out", spacing_mm=5.0)

    def test_channels_that_a_scan_does_not_have(self, table, tmp_path):
        images = write_images(tmp_path / "images.npz", channels=3)
        colours = medunsup.pretrain("autoencoder", images, tmp_path / "colours", parameters=ENCODER)
        with pytest.raises(UsageError, match="takes images of 3 channels, a scan has 1"):
            medunsup.finetune(colours.path, table, tmp_path / "out")

    def test_labels_on_another_grid(self, encoder, table, small_brain, tmp_path):
        moved = small_brain.labels.affine.copy()
        moved[0, 3] += 2.5
        labels = medunsup.Volume(small_brain.labels.data, moved, "label")
        phantom.save(labels, tmp_path / "moved.nii.gz", dtype=np.uint8)

        def change(rows):
            rows[2]["labels"] = str(tmp_path / "moved.nii.gz")

        with pytest.raises(GeometryError, match=r"moved.nii.gz: lies on another grid"):
            medunsup.finetune(encoder.path, rewritten(table, tmp_path, change), tmp_path / "out")
        assert not (tmp_path / "out" / "training").exists()

    def test_grey_values_as_labels(self, encoder, table, tmp_path):
        def change(rows):
            rows[2]["labels"] = rows[1]["scan"]

        with pytest.raises(InputError, match="is no label map"):
            medunsup.finetune(encoder.path, rewritten(table, tmp_path, change), tmp_path / "out")

    def test_scans_without_labels_and_tables_without_the_column(self, encoder, table, tmp_path):
        def change(rows):
            rows[3]["labels"] = "n/a"

        with pytest.raises(UsageError, match=r"1 of 8 scans have no label map, first sub-33"):
            medunsup.finetune(encoder.path, rewritten(table, tmp_path, change), tmp_path / "out")
        with pytest.raises(UsageError, match="8 of 8 scans"):
            medunsup.finetune(
                encoder.path,
                rewritten(table, tmp_path, lambda rows: [{"scan": row["scan"]} for row in rows]),
                tmp_path / "out",
            )

    def test_one_subject_alone(self, encoder, table, tmp_path):
        def change(rows):
            return [{key: row[key] for key in ("scan", "labels")} for row in rows[:1]]

        with pytest.raises(InputError, match="No subject is left for the test split: 1 in all"):
            medunsup.finetune(encoder.path, rewritten(table, tmp_path, change), tmp_path / "out")

    def test_a_subject_in_both_splits(self, encoder, table, tmp_path):
        def change(rows):
            for row in rows:
                row["subject"] = "one"

        with pytest.raises(InputError, match="stands in the splits test and train"):
            medunsup.finetune(encoder.path, rewritten(table, tmp_path, change), tmp_path / "out")

    @pytest.mark.parametrize(
        ("more", "said"),
        [
            ({"parameters": {"step": 3}}, "did you mean 'steps'"),
            ({"task": "detect"}, "task"),
            ({"weights": "x.pth"}, "one of the two"),
            ({"plan": "x.json"}, "an encoder folder has its own"),
        ],
    )
    def test_wrong_choices(self, encoder, table, tmp_path, more, said):
        with pytest.raises(UsageError, match=said):
            medunsup.finetune(encoder.path, table, tmp_path / "out", **more)

    def test_a_network_is_replaced_only_with_force_and_a_foreign_file_never(
        self, made, encoder, table, tmp_path
    ):
        copy = shutil.copytree(made.path, tmp_path / "copy")
        with pytest.raises(ResultThereError, match="force=True"):
            medunsup.finetune(encoder.path, table, copy, parameters=TINY)
        (tmp_path / "mine").mkdir()
        (tmp_path / "mine" / "figures.json").write_text("{}")
        with pytest.raises(OutputError, match="not ours"):
            medunsup.finetune(encoder.path, table, tmp_path / "mine", parameters=TINY)


@pytest.mark.usefixtures("quick_registration")
def test_splits_that_no_table_names_are_drawn_by_subject_and_spare_those_seen(
    encoder, small_brain, people, tmp_path
):
    table = write_pairs(tmp_path / "data", small_brain, with_splits=False)
    known = {one.subject for one in read_encoder(encoder.path).seen}
    text = table.read_text().replace("sub-30_T1w.nii.gz", str(people / "sub-00_T1w.nii.gz"), 1)
    table.write_text(text)
    for seed in range(3):
        out = tmp_path / str(seed)
        done = medunsup.finetune(
            encoder.path, table, out, parameters={"steps": 1}, baselines=False, seed=seed, test=0.5
        )
        rows = list(csv.DictReader((done.path / "scans.tsv").open(), delimiter="\t"))
        tested = {row["subject"] for row in rows if row["split"] == "test"}
        assert len(tested) == 4
        assert not tested & known


def test_figures_are_json_without_nan(made):
    text = (made.path / "figures.json").read_text()
    assert "NaN" not in text
    assert json.loads(text) == made.figures
