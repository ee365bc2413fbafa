"""From an encoder and labelled images to a classifier: what is written, measured, refused, resumed."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from helpers.labelled_images import SIDE, draw_images, write_labelled
from helpers.pretraining import write_images
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

import medunsup
from medunsup.core.errors import InputError, ResultThereError, UsageError
from medunsup.io.files.artifact_folder import read_arrays
from medunsup.training import Scans

TINY = {"steps": 3, "batch_size": 8}
ENCODER = {"epochs": 1, "batch_size": 4, "encoder_parameters": {"channels": 2, "levels": 2}}
ARMS = ["finetuned", "frozen", "scratch"]
SHARES = {"fractions": (0.25, 1.0), "labelled": (2,)}


class StopError(Exception):
    """What ends a run from outside."""


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("encoder")
    return medunsup.pretrain(
        "autoencoder", write_images(folder / "images.npz"), folder / "run", parameters=ENCODER
    )


@pytest.fixture(scope="module")
def images(tmp_path_factory) -> Path:
    return write_labelled(tmp_path_factory.mktemp("images") / "labelled.npz")


@pytest.fixture(scope="module")
def made(encoder, images, tmp_path_factory):
    return classified(encoder, images, tmp_path_factory.mktemp("made") / "out")


@pytest.fixture(scope="module")
def shared(encoder, images, tmp_path_factory):
    return classified(encoder, images, tmp_path_factory.mktemp("shared") / "out", **SHARES)


def classified(encoder, data, out, **more):
    choices = {"parameters": TINY} | more
    return medunsup.finetune(encoder.path, data, out, task="classify", **choices)


def told(made) -> list[dict[str, str]]:
    return list(csv.DictReader((made.path / "probabilities.tsv").open(), delimiter="\t"))


class TestFolder:
    def test_every_network_tells_the_probabilities_of_every_test_image(self, made):
        rows = told(made)
        assert len(rows) == 24 * len(ARMS)
        assert {row["network"] for row in rows} == set(ARMS)
        assert all(float(row["p_0"]) + float(row["p_1"]) == pytest.approx(1, abs=1e-5) for row in rows)
        assert rows[0]["scan"] == "test_images[0]"

    def test_figures_are_those_of_the_probabilities(self, made):
        for arm in ARMS:
            rows = [row for row in told(made) if row["network"] == arm]
            truth, second = ([float(row[key]) for row in rows] for key in ("label", "p_1"))
            assert made.figures["AUC"][arm]["value"] == pytest.approx(roc_auc_score(truth, second), abs=1e-4)
            found = balanced_accuracy_score(truth, np.array(second) > 0.5)
            assert made.figures["BalancedAccuracy"][arm] == pytest.approx(found, abs=1e-4)

    def test_finetune_json_says_task_classes_and_counts(self, made):
        about = made.manifest
        assert (about.task, about.scans) == ("classify", {"train": 24, "test": 24})
        assert [one["name"] for one in about.labels] == ["0", "1"]
        assert about.verdict == made.figures["AgainstScratch"]["finetuned"]["words"]
        assert made.files.changed() == []
        assert not (made.path / "training" / "checkpoint.bin").exists()

    def test_the_network_that_is_kept_says_the_same_again(self, made, images):
        tested = np.load(images)["test_images"].astype(np.float32) / 255
        scans = Scans(tested[:, None, ..., None], np.ones((*tested.shape, 1), bool))
        found = made.classifier.probabilities("finetuned", scans)
        rows = [[float(row["p_0"]), float(row["p_1"])] for row in told(made) if row["network"] == "finetuned"]
        np.testing.assert_allclose(found, rows, atol=1e-5)
        names = read_arrays(made.path / "network.safetensors")
        assert {name.split(".")[0] for name in names} == {"encoder", "head"}

    def test_the_page_says_the_verdict_first_and_loads_nothing(self, made):
        page = (made.path / "report.html").read_text()
        assert page.index(made.manifest.verdict) < page.index("AUC on the test subjects")
        assert "http" not in page.replace("http-equiv", "")

    def test_the_page_counts_who_was_taken_for_whom(self, made):
        rows = [row for row in told(made) if row["network"] == "finetuned"]
        page = (made.path / "report.html").read_text()
        table = page[page.index("Confusion matrix") : page.index("Counts of the test split")]
        for true in ("0", "1"):
            own = [float(row["p_1"]) > 0.5 for row in rows if row["label"] == true]
            line = table[table.index(f'<th scope="row">{true}</th>') :].split("</tr>")[0]
            counts = [int(cell.split(">")[1].split(" ")[0]) for cell in line.split("<td")[1:]]
            assert counts == [len(own) - sum(own), sum(own)]
        auc = made.figures["AUC"]["finetuned"]
        assert f"fine-tuned, all layers, AUC {auc['value']:.3f} [{auc['low']:.3f}, {auc['high']:.3f}]" in page

    def test_parameters_are_told_in_plain_words(self, made):
        page = (made.path / "report.html").read_text()
        facts = page[page.index("<h2>The network</h2>") :]
        assert '<th scope="row">Patch</th><td>whole images</td>' in facts
        assert not any(f"<td>{word}</td>" in facts for word in ("None", "True", "False"))

    def test_two_runs_are_equal_and_another_seed_is_not(self, made, encoder, images, tmp_path):
        again = classified(encoder, images, tmp_path / "again")
        other = classified(encoder, images, tmp_path / "other", seed=1)
        weights = [(one.path / "network.safetensors").read_bytes() for one in (made, again, other)]
        assert weights[0] == weights[1] != weights[2]

    def test_a_network_that_is_there_is_replaced_only_by_force(self, encoder, images, tmp_path):
        classified(encoder, images, tmp_path / "out", baselines=False)
        with pytest.raises(ResultThereError, match="force"):
            classified(encoder, images, tmp_path / "out")
        done = classified(encoder, images, tmp_path / "out", force=True)
        assert list(done.figures["AUC"]) == ARMS


class TestShares:
    def test_each_share_is_drawn_five_times_and_all_labels_once(self, shared):
        told = {one["subjects"]: one["draws"] for one in shared.figures["Shares"]}
        assert told == {24: 1, 6: 5, 2: 5}
        rows = list(csv.DictReader((shared.path / "shares.tsv").open(), delimiter="\t"))
        assert len(rows) == (1 + 5 + 5) * len(ARMS)
        for one in shared.figures["Shares"]:
            for arm, of in one["networks"].items():
                values = [
                    float(row["figure"])
                    for row in rows
                    if (row["subjects"], row["network"]) == (str(one["subjects"]), arm)
                ]
                assert of["value"] == pytest.approx(np.mean(values), abs=1e-4)
                if len(values) > 1:
                    assert of["sd"] == pytest.approx(np.std(values, ddof=1), abs=1e-4)

    def test_the_network_that_is_kept_is_that_of_all_labels(self, shared, made):
        ours, theirs = ((one.path / "network.safetensors").read_bytes() for one in (shared, made))
        assert ours == theirs
        assert shared.figures["AUC"] == made.figures["AUC"]

    def test_the_page_draws_curves_with_a_legend(self, shared):
        page = (shared.path / "report.html").read_text()
        assert page.index("With fewer labels") < page.index("AUC by network") < page.index("less that from")
        for name in ("fine-tuned, all layers", "encoder frozen", "from scratch"):
            assert f"</svg>{name}</span>" in page

    def test_more_subjects_than_there_are_cannot_be_drawn(self, encoder, images, tmp_path):
        with pytest.raises(UsageError, match="there are 24 training subjects"):
            classified(encoder, images, tmp_path / "out", labelled=(25,))
        assert not (tmp_path / "out" / "training").exists()

    def test_a_run_that_was_ended_goes_on_and_does_no_draw_twice(self, shared, encoder, images, tmp_path):
        heard: list[str] = []

        def stop(stage):
            if stage.what.startswith("6 labelled, draw 4"):
                raise StopError

        with pytest.raises(StopError):
            classified(encoder, images, tmp_path / "out", progress=stop, **SHARES)
        assert not (tmp_path / "out" / "finetune.json").exists()
        with pytest.raises(UsageError, match="labelled"):
            classified(encoder, images, tmp_path / "out", resume=True, fractions=(0.25, 1.0))
        done = classified(
            encoder,
            images,
            tmp_path / "out",
            resume=True,
            progress=lambda stage: heard.append(stage.what),
            **SHARES,
        )
        assert not any(what.startswith(f"6 labelled, draw {n}") for what in heard for n in (1, 2, 3))
        assert any(what.startswith("6 labelled, draw 4") for what in heard)
        for name in ("network.safetensors", "figures.json", "shares.tsv", "probabilities.tsv", "report.html"):
            assert (done.path / name).read_bytes() == (shared.path / name).read_bytes()
        assert not (done.path / "training" / "draws").exists()


class TestRefused:
    def test_one_class_alone(self, encoder, tmp_path):
        data = write_labelled(tmp_path / "l.npz", train_labels=np.zeros(24, np.uint8))
        with pytest.raises(InputError, match="holds one class alone"):
            classified(encoder, data, tmp_path / "out")

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"train_labels": None}, "holds no train_labels"),
            ({"test_images": None, "test_labels": None}, "holds no test_images"),
            ({"test_labels": np.zeros((24, 2), np.uint8)}, "Give one label an image"),
        ],
    )
    def test_labels_or_a_test_split_that_are_missing(self, encoder, tmp_path, changes, said):
        with pytest.raises(InputError, match=said):
            classified(encoder, write_labelled(tmp_path / "l.npz", **changes), tmp_path / "out")
        assert not (tmp_path / "out" / "finetune.json").exists()

    def test_images_of_other_channels_or_sizes(self, encoder, tmp_path):
        rng = np.random.default_rng(0)
        for shape, said in (((24, SIDE, SIDE, 3), "images of 1 channels"), ((24, 40, 40), "times larger")):
            pictures = {f"{name}_images": rng.random(shape) for name in ("train", "test")}
            with pytest.raises(InputError, match=said):
                classified(encoder, write_labelled(tmp_path / "l.npz", **pictures), tmp_path / "out")

    def test_test_images_that_are_learned_from_or_were_seen_by_the_pretraining(self, encoder, tmp_path):
        pictures = draw_images(np.arange(24) % 2, np.random.default_rng(1))
        data = write_labelled(tmp_path / "l.npz", train_images=pictures, test_images=pictures)
        with pytest.raises(InputError, match="by fine-tuning in its training split"):
            classified(encoder, data, tmp_path / "out")
        seen = np.load(encoder.path.parent / "images.npz")["train_images"][:2]
        tested = draw_images(np.arange(24) % 2, np.random.default_rng(2))
        tested[:2] = seen
        with pytest.raises(InputError, match="2 of 24 of the test split were seen by pretraining"):
            classified(encoder, write_labelled(tmp_path / "s.npz", test_images=tested), tmp_path / "out")

    def test_options_of_the_other_task(self, encoder, images, tmp_path):
        with pytest.raises(UsageError, match=r"label_table.* does not go with task="):
            classified(encoder, images, tmp_path / "out", label_table=tmp_path / "names.tsv")
        with pytest.raises(UsageError, match=r"column.* does not go with task="):
            medunsup.finetune(encoder.path, images, tmp_path / "out", column="diagnosis")
        with pytest.raises(UsageError, match="images hold their labels"):
            classified(encoder, images, tmp_path / "out", column="diagnosis")

    def test_choices_that_images_have_no_use_for(self, encoder, images, tmp_path):
        with pytest.raises(UsageError, match=r"spacing_mm=2.*contrast=.* labelled.npz holds images"):
            classified(encoder, images, tmp_path / "out", spacing_mm=2.0, contrast="T1w")

    @pytest.mark.parametrize(
        "choices", [{"fractions": (0.0,)}, {"fractions": (1.5,)}, {"labelled": (0,)}, {"draws": 4}]
    )
    def test_shares_and_draws_out_of_bounds(self, encoder, images, tmp_path, choices):
        with pytest.raises(UsageError):
            classified(encoder, images, tmp_path / "out", **choices)


def test_weights_from_elsewhere_classify_to_the_same(made, encoder, images, tmp_path):
    done = medunsup.finetune(
        None,
        images,
        tmp_path / "out",
        task="classify",
        weights=encoder.path / "encoder.safetensors",
        plan=encoder.path / "adaptation_plan.json",
        parameters=TINY,
    )
    assert json.loads((done.path / "figures.json").read_text())["AUC"] == made.figures["AUC"]
    assert any("not known" in text for text in done.manifest.remarks)


def test_an_encoder_of_z_scores_sees_images_alike_however_bright(encoder, images, tmp_path):
    plan = json.loads((encoder.path / "adaptation_plan.json").read_text())
    (tmp_path / "plan.json").write_text(json.dumps(plan | {"intensity": "z-score"}))
    dimmed = {name: (array if "labels" in name else array / 255) for name, array in np.load(images).items()}
    darker = {name: (array if "labels" in name else 0.25 * array) for name, array in dimmed.items()}
    found = []
    for name, arrays in (("as", dimmed), ("dark", darker)):
        np.savez(tmp_path / f"{name}.npz", **arrays)
        done = medunsup.finetune(
            None,
            tmp_path / f"{name}.npz",
            tmp_path / name,
            task="classify",
            weights=encoder.path / "encoder.safetensors",
            plan=tmp_path / "plan.json",
            parameters=TINY,
        )
        assert done.manifest.encoder["intensity"] == "z-score"
        found.append([[float(row["p_0"]), float(row["p_1"])] for row in told(done)])
    np.testing.assert_allclose(*found, atol=1e-3)
