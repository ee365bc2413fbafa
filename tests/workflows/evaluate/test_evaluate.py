"""`evaluate` on small made-up brains: what it measures, keeps, refuses and says."""

import csv
import gzip
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import nibabel
import numpy as np
import pytest
from helpers import phantom
from helpers.small_models import write_small_model
from helpers.small_scans import place_quickly

from medunsup.anomaly.evaluation import Evaluation
from medunsup.cohort.dataset.sources import Case
from medunsup.core.errors import GeometryError, InputError, OutputError, UsageError
from medunsup.io.load import load
from medunsup.workflows.evaluate import cohort
from medunsup.workflows.evaluate import evaluate as evaluating
from medunsup.workflows.evaluate.evaluate import evaluate
from medunsup.workflows.evaluate.synthetic import read_shapes
from medunsup.workflows.train.settings import TrainSettings

N_TRAIN, N_ILL, N_HEALTHY = 6, 2, 2
SPOT = np.s_[12:17, 14:19, 10:15]
STEPS = TrainSettings().postprocess


@pytest.fixture(scope="module")
def folder(small_brain: phantom.Anatomy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A model, healthy scans and patients with a bright spot, and their table; nothing is registered."""
    folder = tmp_path_factory.mktemp("evaluate")
    brain = small_brain.mask.data
    spot = np.zeros(brain.shape, bool)
    spot[SPOT] = True
    spot &= brain
    for n in range(N_TRAIN + N_ILL + N_HEALTHY):
        image = small_brain.image("T1w", seed=n)
        is_ill = N_TRAIN <= n < N_TRAIN + N_ILL
        values = np.where(brain, image.data + 60 * (spot & is_ill), 0)
        phantom.save(image.like(values), folder / f"sub-{n}_T1w.nii.gz", axes="LPS")
    phantom.save(small_brain.mask.like(spot), folder / "spot.nii.gz", dtype=np.uint8)
    write_table(folder)
    with pytest.MonkeyPatch.context() as patch:
        place_quickly(patch)
        scans = [folder / f"sub-{n}_T1w.nii.gz" for n in range(N_TRAIN)]
        write_small_model(folder / "model", scans)
        yield folder


def write_table(folder: Path, name: str = "cases.tsv", **change: str) -> Path:
    """Two patients of one site, two healthy people of another."""
    rows = [["scan", "lesions", "site"]]
    for n in range(N_TRAIN, N_TRAIN + N_ILL + N_HEALTHY):
        is_ill = n < N_TRAIN + N_ILL
        rows.append([f"sub-{n}_T1w.nii.gz", "spot.nii.gz" if is_ill else "", "A" if is_ill else "B"])
    text = "\n".join("\t".join(row) for row in rows) + "\n"
    for old, new in change.items():
        text = text.replace(old, new)
    path = folder / name
    path.write_text(text)
    return path


@pytest.fixture(scope="module")
def result(folder: Path) -> Evaluation:
    return evaluate(folder / "model", folder / "cases.tsv", folder / "eval", synthetic=True)


def pictures(out: Path) -> list[str]:
    """The pictures of the page, as they are written there."""
    return [part.split('"')[0] for part in (out / "report.html").read_text().split('<img src="')[1:]]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_a_bright_spot_is_found_by_rank_and_by_the_model(result):
    ill = result.cases[0]
    assert ill.figure("rank_high", "average_precision") > 0.8
    assert ill.figure("model", "average_precision") > 3 * ill.figure("model", "prevalence")
    assert ill.figure("intensity_low", "average_precision") < 0.1


def test_prevalence_is_what_the_chance_baseline_reaches(result):
    for case in result.cases[:N_ILL]:
        assert case.figure("prevalence", "average_precision") == pytest.approx(
            case.figure("model", "prevalence")
        )


def test_baselines_that_take_native_scans_are_ranked_in_native_space(result, folder):
    scan = nibabel.load(folder / f"sub-{N_TRAIN}_T1w.nii.gz").get_fdata()
    truth = nibabel.load(folder / "spot.nii.gz").as_reoriented([[0, -1], [1, -1], [2, 1]]).get_fdata() > 0
    from sklearn.metrics import average_precision_score

    brain = scan != 0
    wanted = average_precision_score(truth[brain], scan[brain])
    assert result.cases[0].figure("intensity_high", "average_precision") == pytest.approx(wanted, abs=1e-6)


def test_healthy_scans_count_for_false_alarms_and_the_whole_scan_only(result):
    healthy = result.cases[-1]
    assert not healthy.is_ill
    assert not healthy.figures
    assert healthy.froc["model"].n_lesions == 0
    assert result.figures.model.froc.n_scans == N_ILL + N_HEALTHY
    assert result.figures.model.scan_auroc.n == N_ILL + N_HEALTHY


def test_two_patients_are_too_few_to_call_a_model_better(result):
    verdicts = {one.model_against.verdict for one in result.figures.baselines}
    assert verdicts == {"underpowered"}


def test_sites_that_part_healthy_from_ill_are_flagged(result):
    assert {one.fact: one.strength for one in result.figures.confounders}["site"] == "complete"


def test_the_last_step_gives_the_map_that_is_measured(result):
    for case in result.cases[:N_ILL]:
        assert list(case.steps) == ["none", *STEPS]
        assert case.steps[STEPS[-1]] == pytest.approx(case.figure("model", "average_precision"))


def test_synthetic_lesions_of_strong_contrast_are_seen_better_than_none(result):
    sensitivity = np.array(result.synthetic.sensitivity)
    chance, strong = (result.synthetic.contrasts_sd.index(each) for each in (0.0, 3.0))
    assert sensitivity.shape == (
        len(result.synthetic.volumes_mm3),
        len(result.synthetic.contrasts_sd),
    )
    assert sensitivity[:, strong].mean() > sensitivity[:, chance].mean()
    assert len(result.synthetic.average_precision) == len(result.synthetic.levels)


def test_tables_hold_every_method_case_and_step(result, folder):
    eval_folder = folder / "eval"
    assert len(rows(eval_folder / "cases.tsv")) == len(result.cases) * len(result.figures.methods)
    assert rows(eval_folder / "comparison.tsv")[0]["method"] == "model"
    assert [row["step"] for row in rows(eval_folder / "steps.tsv")] == ["none", *STEPS]
    assert rows(eval_folder / "froc.tsv")
    record = json.loads((eval_folder / "evaluation.json").read_text())
    assert record["NumberOfHealthy"] == N_HEALTHY
    page = (eval_folder / "report.html").read_text()
    assert "Too few subjects to say" in page
    assert page.count('<img src="data:image/jpeg') == len(result.cases)


def test_a_scan_of_another_contrast_is_said_to_lie_outside_what_the_model_knows(folder, small_brain):
    other = small_brain.image("T2w", seed=90)
    stripped = other.like(np.where(small_brain.mask.data, other.data, 0))
    phantom.save(stripped, folder / "sub-90_T1w.nii.gz", axes="LPS")
    table = write_table(folder, "other.tsv", **{f"sub-{N_TRAIN}_": "sub-90_"})
    out = folder / "other"
    found = evaluate(folder / "model", table, out, baselines=False, cache=folder / "eval" / "prepared")
    assert "pattern" in found.cases[0].flags
    assert not found.cases[-1].flags
    first, *_, last = rows(out / "cases.tsv")
    assert "pattern" in first["unlike_healthy"]
    assert "another contrast" in first["warnings"]
    assert (last["unlike_healthy"], last["warnings"]) == ("n/a", "n/a")
    assert "sub-90_T1w.nii.gz (sub-90): The intensity pattern correlates" in (out / "report.html").read_text()
    again = evaluate(folder / "model", table, out, baselines=False, force=True)
    assert again.cases[0].flags == found.cases[0].flags


def test_a_contrast_told_when_training_is_not_taken_for_that_of_the_cases(folder):
    scans = [folder / f"sub-{n}_T1w.nii.gz" for n in range(N_TRAIN)]
    model = write_small_model(folder / "told FLAIR", scans, contrast="FLAIR")
    found = evaluate(model, folder / "cases.tsv", folder / "told", baselines=False)
    assert all("contrast" in case.flags for case in found.cases)


def test_an_ended_run_measures_only_what_is_left(folder, result, monkeypatch):
    measured = []
    own = cohort.measure

    def counted(case, judge, say):
        if len(measured) == 2:
            raise KeyboardInterrupt
        measured.append(case.scan.name)
        return own(case, judge, say)

    monkeypatch.setattr(cohort, "measure", counted)
    ended = folder / "ended"
    with pytest.raises(KeyboardInterrupt):
        evaluate(folder / "model", folder / "cases.tsv", ended, cache=folder / "eval" / "prepared")
    assert not (ended / "evaluation.json").exists()
    monkeypatch.setattr(cohort, "measure", own)
    again = evaluate(folder / "model", folder / "cases.tsv", ended, cache=folder / "eval" / "prepared")
    for ending in ("json", "npz"):
        assert len(list((ended / "cases").glob(f"*.{ending}"))) == len(result.cases)
    for name in ("cases.tsv", "froc.tsv"):
        assert (ended / name).read_text() == (folder / "eval" / name).read_text()
    assert pictures(ended) == pictures(folder / "eval")
    assert again.figures.model.figures == result.figures.model.figures


def test_what_is_not_kept_whole_and_in_this_format_is_measured_anew(folder, result, tmp_path, caplog):
    cases = shutil.copytree(folder / "eval" / "cases", tmp_path / "cases")
    kept = sorted(path for path in cases.glob("*.json") if not path.name.startswith("synthetic"))
    earlier = json.loads(kept[0].read_text()) | {"p_value": 0.5, "picture": "data:,", "slices": "axial"}
    del earlier["Format"]
    kept[0].write_text(json.dumps(earlier))
    kept[1].write_text("[1, 2]")
    kept[2].with_suffix(".npz").unlink()
    cut = kept[3].with_suffix(".npz")
    cut.write_bytes(cut.read_bytes()[:100])
    heard = []
    asked = {"cache": folder / "eval" / "prepared", "progress": heard.append}
    evaluate(folder / "model", folder / "cases.tsv", tmp_path, **asked)
    assert [stage.detail for stage in heard].count("preparing") == len(kept) == 4
    assert (tmp_path / "cases.tsv").read_text() == (folder / "eval" / "cases.tsv").read_text()
    assert pictures(tmp_path) == pictures(folder / "eval")
    (said,) = [text for text in caplog.messages if "in the format of another version" in text]
    assert "cases kept in the format of another version (1) are not used" in said


def test_cases_of_an_earlier_version_are_reported_under_whatever_key_and_only_while_some_are_measured(
    folder, result, tmp_path, caplog
):
    cases = shutil.copytree(folder / "eval" / "cases", tmp_path / "cases")
    earlier = min(path for path in cases.glob("*.json") if not path.name.startswith("synthetic"))
    record = json.loads(earlier.read_text())
    del record["Format"]
    (cases / f"{'0' * 32}.json").write_text(json.dumps(record))
    asked = {"cache": folder / "eval" / "prepared"}
    evaluate(folder / "model", folder / "cases.tsv", tmp_path, **asked)
    assert not [text for text in caplog.messages if "in the format of another version" in text]
    earlier.unlink()
    evaluate(folder / "model", folder / "cases.tsv", tmp_path, force=True, **asked)
    assert len([text for text in caplog.messages if "another version (1) are not used" in text]) == 1


def test_scan_and_lesions_are_loaded_once_a_case(folder, tmp_path, monkeypatch):
    loaded = []

    def counted(path, **how):
        loaded.append(path.name)
        return load(path, **how)

    monkeypatch.setattr("medunsup.io.load.load", counted)
    evaluate(folder / "model", folder / "cases.tsv", tmp_path, baselines=False)
    scans = [f"sub-{n}_T1w.nii.gz" for n in range(N_TRAIN, N_TRAIN + N_ILL + N_HEALTHY)]
    assert sorted(loaded) == sorted([*scans, *["spot.nii.gz"] * N_ILL])


@pytest.mark.parametrize("name", ["report.html", "froc.tsv"])
def test_files_of_the_users_own_are_not_replaced(folder, tmp_path, name):
    (tmp_path / name).write_text("mine")
    with pytest.raises(OutputError, match=f"{name}: is there already and not ours"):
        evaluate(folder / "model", folder / "cases.tsv", tmp_path)
    assert (tmp_path / name).read_text() == "mine"


def test_the_table_of_cases_is_never_replaced_by_the_results(folder):
    with pytest.raises(UsageError, match=r"cases\.tsv: would be replaced"):
        evaluate(folder / "model", folder / "cases.tsv", folder, force=True)
    assert (folder / "cases.tsv").read_text().startswith("scan\tlesions")


def test_nothing_is_replaced_without_force(folder, result):
    with pytest.raises(OutputError, match="force=True"):
        evaluate(folder / "model", folder / "cases.tsv", folder / "eval")


def test_a_scan_the_model_was_trained_on_is_refused(folder):
    table = write_table(folder, "seen.tsv", **{f"sub-{N_TRAIN}_": "sub-0_"})
    with pytest.raises(InputError, match="has seen this scan"):
        evaluate(folder / "model", table, folder / "refused")


def test_a_scan_the_model_was_trained_on_is_refused_packed_anew_as_well(folder):
    packed = (folder / "sub-0_T1w.nii.gz").read_bytes()
    (folder / "sub-77_T1w.nii").write_bytes(gzip.decompress(packed))
    table = write_table(folder, "packed.tsv", **{f"sub-{N_TRAIN}_T1w.nii.gz": "sub-77_T1w.nii"})
    with pytest.raises(
        InputError, match=r"sub-77_T1w\.nii: the model has seen this scan in another file \(train\)"
    ):
        evaluate(folder / "model", table, folder / "refused")


def test_another_scan_of_a_subject_the_model_knows_is_remarked_on(folder):
    table = write_table(folder, "known.tsv", **{"site": "subject", "\tA": "\tsub-0_T1w.nii.gz"})
    cache = folder / "eval" / "prepared"
    found = evaluate(folder / "model", table, folder / "known", baselines=False, cache=cache)
    said = [
        any("has seen a subject of this name (train)" in text for text in case.warnings)
        for case in found.cases
    ]
    assert said == [True] * N_ILL + [False] * N_HEALTHY


def test_lesions_on_another_grid_are_refused(folder):
    wrong = phantom.make_anatomy(spacing_mm=(6, 6, 6), supersample=1)
    phantom.save(wrong.mask, folder / "wrong.nii.gz", dtype=np.uint8)
    table = write_table(folder, "wrong.tsv", **{"spot.nii.gz": "wrong.nii.gz"})
    with pytest.raises(GeometryError, match=r"wrong\.nii\.gz"):
        evaluate(folder / "model", table, folder / "refused", cache=folder / "eval" / "prepared")


def test_lesions_are_inserted_in_the_shapes_of_the_masks_given(folder, result):
    masks = folder / "masks"
    masks.mkdir()
    (masks / "sub-1_lesions.nii.gz").write_bytes((folder / "spot.nii.gz").read_bytes())
    (shape,) = read_shapes(masks).shapes
    assert shape[0].sum() == (nibabel.load(folder / "spot.nii.gz").get_fdata() > 0).sum()
    out, asked = folder / "shaped", {"baselines": False, "cache": folder / "eval" / "prepared"}
    found = evaluate(folder / "model", folder / "cases.tsv", out, lesion_shapes=masks, **asked).synthetic
    assert found.shapes == "real shapes, drawn from 1"
    assert found.average_precision != result.synthetic.average_precision
    assert "(real shapes, drawn from 1)" in (out / "report.html").read_text()


def test_a_folder_without_a_lesion_mask_is_refused_before_anything_is_measured(folder, tmp_path):
    with pytest.raises(InputError, match="holds no mask with a lesion"):
        evaluate(folder / "model", folder / "cases.tsv", tmp_path / "eval", lesion_shapes=tmp_path)
    assert not (tmp_path / "eval").exists()


def test_synthetic_lesions_need_a_healthy_case(folder):
    table = folder / "ill.tsv"
    table.write_text(f"scan\tlesions\nsub-{N_TRAIN}_T1w.nii.gz\tspot.nii.gz\n")
    with pytest.raises(UsageError, match="no healthy case"):
        evaluate(folder / "model", table, folder / "refused", synthetic=True)


@pytest.mark.parametrize("place", ["outside", "half"])
def test_a_patient_whose_lesions_the_brain_mask_leaves_out_stays_one_with_lesions_missed(folder, place):
    spot = nibabel.load(folder / "spot.nii.gz")
    inside, drawn = spot.get_fdata() > 0, np.zeros(spot.shape, np.uint8)
    drawn[1:6, 1:6, 1:6] = 1
    if place == "half":
        drawn[inside] = 1
    nibabel.save(nibabel.Nifti1Image(drawn, spot.affine), folder / f"{place}.nii.gz")
    table = write_table(folder, f"{place}.tsv", **{"spot.nii.gz": f"{place}.nii.gz"})
    out = folder / f"eval-{place}"
    found = evaluate(folder / "model", table, out, cache=folder / "eval" / "prepared")
    ill, share = found.cases[0], 125 / drawn.sum()
    assert (ill.is_ill, ill.lesions_outside_brain) == (True, pytest.approx(share))
    assert ill.at_threshold["lesions"] == ill.froc["model"].n_lesions == (1 if place == "outside" else 2)
    assert ill.at_threshold["recall"] <= 1 - share
    assert ill.figure("model", "average_precision") <= 1 - share
    assert found.figures.model.scan_auroc.n == N_ILL + N_HEALTHY
    said = f"2 of 2 scans with lesions have some outside the brain mask (up to {share:.0%} of them)"
    assert said in (out / "report.html").read_text()
    row = rows(out / "cases.tsv")[0]
    assert float(row["lesions_outside_brain"]) == pytest.approx(share, abs=1e-5)
    assert "count as missed" in row["warnings"]


def test_people_of_whom_a_data_set_says_nothing_are_no_cases_and_patients_stay_ill(caplog):
    states = {"healthy": "group hc", "patient": "group ms", "unknown": "group n/a", "given": "group n/a"}
    cases = [Case(Path(f"{state}.nii"), state, state=state, evidence=why) for state, why in states.items()]
    known = evaluating.known_cases(cases)
    assert [(case.subject, case.is_healthy) for case in known] == [
        ("healthy", True),
        ("patient", False),
        ("given", True),
    ]
    assert "1 of 4 cases are left out: healthy or not is not known (group n/a)" in caplog.text


@pytest.mark.slow
def test_cases_measured_two_at_a_time_are_those_measured_one_by_one(folder, result):
    two = evaluate(
        folder / "model", folder / "cases.tsv", folder / "two", cache=folder / "eval" / "prepared", jobs=2
    )
    assert [case.scan for case in two.cases] == [case.scan for case in result.cases]
    for name in ("cases.tsv", "comparison.tsv", "steps.tsv", "froc.tsv"):
        assert (folder / "two" / name).read_bytes() == (folder / "eval" / name).read_bytes()


@pytest.mark.slow
def test_an_error_in_another_process_is_that_of_the_case(folder):
    table = write_table(
        folder, "other.tsv", **{"sub-7_T1w.nii.gz\tspot.nii.gz": "sub-7_T1w.nii.gz\tmodel.nii"}
    )
    phantom.save(phantom.make_anatomy(spacing_mm=(7, 7, 7)).mask, folder / "model.nii", dtype=np.uint8)
    with pytest.raises(GeometryError, match=r"model\.nii"):
        evaluate(folder / "model", table, folder / "broken", cache=folder / "eval" / "prepared", jobs=2)
