"""Sidecars come back as they were written, those of earlier versions too; what is not ours is said so."""

import json
import pickle
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from helpers.anomaly_results import found_on_the_left
from helpers.phantom import Anatomy
from hypothesis import given
from hypothesis import strategies as st

from medunsup.cohort.identity import status_of
from medunsup.cohort.sidecar import (
    VERSION,
    ForeignSidecarError,
    ResultSidecar,
    UnknownVersionError,
    UnreadableSidecarError,
)
from medunsup.core.provenance import plain
from medunsup.workflows.detect.sidecar import DetectSidecar
from medunsup.workflows.segment.sidecar import SegmentSidecar

IDENTITY = {
    "Version": "0.1.0",
    "Choices": {"method": "gmm", "seed": 0},
    "Inputs": [{"Role": "scan", "Name": "scan_T1w.nii.gz", "SHA256": "ab" * 32}],
}
JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def earlier(**change: Any) -> dict[str, Any]:
    """The record of a segmentation as it was written before sidecars named their version."""
    return {
        "Medunsup": IDENTITY,
        "Volumes": {"GM": {"FromFractionsMM3": 5e5}, "WM": {"FromFractionsMM3": 4e5}},
        "BrainMaskMM3": 1.2e6,
        "Quality": {"Verdict": "check", "Reasons": ["Look."], "Measures": {"fit": 0.5, "unknown": None}},
        "Steps": [{"name": "load", "outcome": "degraded", "warnings": ["Odd."]}],
    } | change


def put(folder: Path, facts: Any) -> Path:
    path = folder / "scan_dseg.json"
    path.write_text(facts if isinstance(facts, str) else json.dumps(facts), encoding="utf-8")
    return path


def test_a_segmentation_comes_back_as_it_was_written(make_result: Any, tmp_path: Path) -> None:
    result = make_result()
    path = result.save(tmp_path / "out")["sidecar"]
    read = SegmentSidecar.read(path)
    assert read == SegmentSidecar.of_result(result)
    assert read.sidecar_version == VERSION
    assert read.as_json().items() <= json.loads(path.read_text(encoding="utf-8")).items()
    assert read.medunsup.as_identity() == result.identity
    assert read.quality.verdict == result.quality.verdict


def test_what_detect_found_comes_back_as_it_was_written(small_brain: Anatomy, tmp_path: Path) -> None:
    result = found_on_the_left(small_brain)
    made = DetectSidecar.of_result(result, "medunsup detect x", IDENTITY | {"Model": "cd" * 32})
    read = DetectSidecar.read(put(tmp_path, made.as_json()))
    assert read == made
    assert (read.findings, read.model) == (result.findings, result.model)
    assert made.as_json()["Findings"] == [plain(asdict(one)) for one in result.findings]
    assert made.as_json()["Model"] == plain(asdict(result.model))
    assert read.baselines.keys() == {"rank_high", "pca_lof"}
    assert read.medunsup.model == "cd" * 32


def test_a_record_without_a_version_is_read(tmp_path: Path) -> None:
    read = SegmentSidecar.read(put(tmp_path, earlier()))
    assert read.sidecar_version < VERSION
    assert read.volumes_mm3 == {"GM": 5e5, "WM": 4e5}
    assert [text for step in read.steps for text in step.warnings] == ["Odd."]
    assert read.quality.measures["fit"] == 0.5
    assert read.quality.measures["unknown"] != read.quality.measures["unknown"]  # NaN


@pytest.mark.parametrize(
    "facts",
    [{"Description": "another program's"}, {}, None, 5, "Medunsup", ["Medunsup"], {"Medunsup": "0.1.0"}],
)
def test_another_programs_sidecar_is_not_one_of_ours(facts: Any, tmp_path: Path) -> None:
    path = put(tmp_path, json.dumps(facts))
    with pytest.raises(ForeignSidecarError) as caught:
        SegmentSidecar.read(path)
    assert str(caught.value) == f"{path} is not one of ours"


def test_a_byte_order_mark_that_an_editor_left_changes_nothing(tmp_path: Path) -> None:
    path = put(tmp_path, earlier())
    plainly = SegmentSidecar.read(path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert SegmentSidecar.read(path) == plainly


@pytest.mark.parametrize("content", [b"{broken", b"", b"\xff\xfe\x00", b"[" * 100_000])
def test_a_broken_sidecar_cannot_be_read(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "scan_dseg.json"
    path.write_bytes(content)
    with pytest.raises(UnreadableSidecarError, match="cannot be read"):
        SegmentSidecar.read(path)
    with pytest.raises(UnreadableSidecarError, match="cannot be read"):
        SegmentSidecar.read(tmp_path / "not_there.json")


@pytest.mark.parametrize(
    "change",
    [
        {"Medunsup": {"Inputs": []}},
        {"Medunsup": {}},
        {"Volumes": {"GM": {}}},
        {"Volumes": None},
        {"Quality": {"Verdict": "splendid", "Reasons": []}},
        {"BrainMaskMM3": "large"},
        {"Steps": ["load"]},
        {"SidecarVersion": VERSION + 1},
    ],
)
def test_ours_that_cannot_be_understood_is_another_answer(change: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(UnknownVersionError, match="version"):
        SegmentSidecar.read(put(tmp_path, earlier(**change)))


@given(JSON)
def test_any_json_is_a_record_or_one_of_the_answers(tmp_path_factory: Any, facts: Any) -> None:
    path = put(tmp_path_factory.mktemp("any"), json.dumps(facts))
    with pytest.raises(ForeignSidecarError):
        ResultSidecar.read(path)
    path.write_text(json.dumps(earlier(Medunsup=facts, Quality=facts)), encoding="utf-8")
    with pytest.raises((ForeignSidecarError, UnknownVersionError)):
        SegmentSidecar.read(path)


def test_an_answer_passes_from_one_process_to_another() -> None:
    error = pickle.loads(pickle.dumps(ForeignSidecarError(Path("a.json"), "is not one of ours")))
    assert (str(error), error.why) == ("a.json is not one of ours", "is not one of ours")


def test_status_says_what_a_result_was_made_from(tmp_path: Path) -> None:
    result = tmp_path / "scan_dseg.nii.gz"
    ask = lambda **change: status_of(result, SegmentSidecar, lambda: IDENTITY | change)  # noqa: E731
    assert ask() == ("new", "")
    result.write_text("")
    assert ask() == ("other", f"{result} is not one of ours")
    path = put(tmp_path, earlier())
    assert ask() == ("done", "")
    assert ask(Version="9") == ("other", "made by version 0.1.0")
    assert ask(Choices={"method": "gmm", "seed": 1}) == ("other", "made with seed 0, not 1")
    put(tmp_path, earlier(Volumes=None))
    assert ask()[0] == "other"
    put(tmp_path, "{")
    assert ask() == ("other", f"{path} cannot be read")


@pytest.mark.parametrize(
    ("made", "why"),
    [
        ({"Choices": {**IDENTITY["Choices"], "smooth_mm": 2}}, "made with smooth_mm 2, not None"),
        ({"Choices": {**IDENTITY["Choices"], "smooth_mm": None}}, "made otherwise"),
        ({"Later": "a fact of another version"}, "made otherwise"),
    ],
)
def test_status_names_what_only_the_kept_record_holds(tmp_path: Path, made: dict[str, Any], why: str) -> None:
    put(tmp_path, earlier(Medunsup=IDENTITY | made))
    assert status_of(tmp_path / "scan_dseg.nii.gz", SegmentSidecar, lambda: IDENTITY) == ("other", why)


def test_choices_of_earlier_names_count_as_those_of_today(tmp_path: Path) -> None:
    old = IDENTITY | {"Choices": {"alpha": None, "false_parts": 1.0}}
    made = ResultSidecar.read(put(tmp_path, {"Medunsup": old})).medunsup
    assert made.choices == {"alpha": None, "fp_per_scan": 1.0}


def test_an_input_may_be_left_out_of_the_comparison() -> None:
    prior = {"Role": "prior", "Name": "scan_prior.npz", "SHA256": "cd" * 32}
    made = ResultSidecar.of({}, IDENTITY | {"Inputs": [*IDENTITY["Inputs"], prior]}).medunsup
    assert made.as_identity(without="prior") == IDENTITY
    assert made.as_identity() != IDENTITY
