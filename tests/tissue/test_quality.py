"""What the verdict says of a brain made from the template's own maps, whole and spoilt in known ways."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers import faults
from helpers.judged_brains import IN_PLACE, SIGNAL, Made, judge, make
from scipy import ndimage

from medunsup.core.labels import TISSUES
from medunsup.core.registry import method
from medunsup.core.volume import Source, Volume
from medunsup.preprocess.geometry.crop import Box
from medunsup.preprocess.intensity.normalize import winsorize_and_scale
from medunsup.tissue.base import TissueInput
from medunsup.tissue.quality import assess
from medunsup.tissue.quality.findings import Findings
from medunsup.tissue.quality.known import Known
from medunsup.tissue.quality.limits import ATLAS
from medunsup.tissue.quality.look import check_contrast, check_volumes
from medunsup.tissue.quality.measures import MEANINGS, rows
from medunsup.tissue.quality.outline import of_background
from medunsup.tissue.quality.sample import Atlas, Sample
from medunsup.tissue.result import Quality, TissueVolume


def slow(*values):
    """One set of arguments that the default suite leaves out."""
    return pytest.param(*values, marks=pytest.mark.slow)


@pytest.fixture(scope="module")
def whole(maps) -> Made:
    return make(maps)


@pytest.fixture(scope="module")
def verdict(whole) -> Quality:
    return judge(whole)


def test_a_good_scan_passes_without_a_reason(verdict):
    assert verdict.verdict == "pass"
    assert verdict.reasons == ()


@pytest.mark.parametrize("contrast", ["T2w", "FLAIR", "PD"])
def test_volumes_of_another_contrast_pass_in_part_and_are_said_to_be_not_validated(maps, contrast):
    quality = judge(make(maps, contrast))
    assert quality.verdict == "partial"
    warning, unchecked = quality.reasons
    assert warning.startswith(f"Volumes on {contrast} alone have not been validated")
    assert unchecked.startswith("Not checked: ")


@pytest.mark.parametrize(("part", "verdict"), [("shoulder", "fail"), ("head", "pass"), (None, "pass")])
def test_what_the_scanner_calls_another_part_of_the_body_fails_before_all_else(whole, part, verdict):
    source = Source("scan", "dicom", whole.image.grid, notes={"body_part": part})
    quality = judge(replace(whole, image=replace(whole.image, source=source)))
    assert quality.verdict == verdict
    assert (verdict == "fail") == any("not the head" in reason for reason in quality.reasons[:1])


def test_a_wide_gap_between_fractions_and_counted_labels_asks_for_a_look():
    def told(name: int, share: float, gap: float, contrast: str = "T1w") -> str:
        findings = Findings()
        shares = [(1 - share) / 2] * 3
        shares[name] = share
        volumes = [TissueVolume(label, 1e6 * n, 1e6 * n, n) for label, n in zip(TISSUES, shares, strict=True)]
        volumes[name] = replace(volumes[name], from_labels_mm3=1e6 * share * (1 + gap))
        mask = np.ones((10, 10, 10), bool)
        data = TissueInput(mask[None].astype(np.float32), mask, (10.0, 10.0, 10.0), (contrast,), TISSUES)
        check_volumes(findings, data, tuple(volumes), whole=True)
        return " ".join(findings.verdict().reasons)

    assert "WM measures 350 ml by fractions and 262 ml by counted labels" in told(1, 0.35, -0.25)
    assert "counted labels" not in told(1, 0.35, -0.15)
    assert "counted labels" not in told(1, 0.35, -0.25, "FLAIR")
    assert "counted labels" not in told(2, 0.10, -0.25)


def test_a_good_mask_in_a_whole_head_passes(maps):
    assert judge(make(maps, head=True)).verdict == "pass"


@pytest.mark.parametrize(
    ("pad", "is_still"), [(((0, 0),) * 3, True), (((9, 0), (0, 4), (30, 30)), True), (((5, 5),) * 3, False)]
)
def test_a_whole_head_is_judged_alike_in_still_air_and_in_any_empty_margin(maps, pad, is_still):
    head = make(maps, head=True)
    outside = ndimage.distance_transform_edt(~head.mask.data, sampling=head.mask.spacing_mm) > 12
    data = np.where(outside, 0, head.image.data) if is_still else head.image.data
    affine = head.image.affine.copy()
    affine[:3, 3] -= affine[:3, :3] @ [low for low, _ in pad]
    wide = Volume(np.pad(data, pad).astype(np.float32), affine)
    quality = judge(Made(wide, Volume(np.pad(head.mask.data, pad), affine, "mask"), "T1w", is_head=True))
    assert quality.verdict == "pass"
    assert quality.reasons == ()
    assert not {"left_out_percent", "mask_empty_percent"} & quality.measures.keys()
    assert quality.measures["atlas_in_view_percent"] == 100


def test_a_margin_around_a_cut_head_hides_no_cut(maps):
    head = make(maps, head=True)
    half = np.where(np.arange(head.image.shape[2]) < 30, head.image.data, 0).astype(np.float32)
    seen = head.mask.data & (half > 0)
    quality = judge(Made(head.image.like(half), head.mask.like(seen), "T1w", is_head=True))
    assert quality.measures["atlas_in_view_percent"] < 75


@pytest.mark.parametrize("side", ["top", "left", *map(slow, ["bottom", "right", "front", "back"])])
def test_a_mask_cut_on_one_side_is_caught_and_the_side_named(whole, side):
    quality = judge(replace(whole, mask=faults.cut(whole.mask, side)))
    assert quality.verdict != "pass"
    assert any(f"at its {side}" in reason for reason in quality.reasons)


def test_a_missing_cerebellum_is_caught_and_named(whole):
    mask = faults.without_cerebellum(whole.mask, IN_PLACE)
    quality = judge(Made(faults.stripped(whole.image, mask), mask))
    assert quality.verdict == "fail"
    assert any("cerebellum" in reason for reason in quality.reasons)


def test_an_eroded_mask_is_caught(whole):
    mask = faults.eroded(whole.mask, 8.0)
    for image in (whole.image, faults.stripped(whole.image, mask)):
        assert judge(Made(image, mask)).verdict != "pass"


@pytest.mark.parametrize("spoil", [faults.dilated, slow(faults.boxed)])
def test_a_mask_with_empty_background_is_caught(whole, spoil):
    quality = judge(replace(whole, mask=spoil(whole.mask)))
    assert quality.verdict == "fail"
    assert any("empty background" in reason for reason in quality.reasons)


def test_a_mask_that_reaches_into_the_scalp_is_caught(maps):
    head = make(maps, head=True)
    quality = judge(replace(head, mask=faults.dilated(head.mask, 8)))
    assert quality.verdict != "pass"
    assert any("mask" in reason for reason in quality.reasons)


@pytest.mark.parametrize(
    ("is_really", "named"),
    [
        ("T2w", "T1w"),
        ("T1w", "FLAIR"),
        slow("FLAIR", "T1w"),
        slow("T1w", "T2w"),
        slow("T2w", "FLAIR"),
    ],
)
def test_a_wrong_contrast_is_caught_and_named(maps, is_really, named):
    quality = judge(replace(make(maps, is_really), contrast=named))
    assert quality.verdict == "fail"
    assert any(f"taken as {named}" in reason for reason in quality.reasons)


@pytest.mark.parametrize("named", ["T2w", "FLAIR"])
def test_a_further_contrast_is_doubted_by_its_own_name(named):
    """The scan is what it says; the remedy is where the other file was given."""
    gm, wm, csf = np.eye(3, dtype=np.float32).repeat(200, axis=1).reshape(3, 600, 1, 1)
    mask, t1w = np.ones(gm.shape, dtype=bool), (0.5 * gm + 0.8 * wm + 0.2 * csf).ravel()
    data = TissueInput(np.stack([t1w.reshape(gm.shape)] * 2), mask, (3.0,) * 3, ("T1w", named), TISSUES)
    atlas = Atlas(gm, wm, mask, np.zeros((3, *gm.shape), np.float32), 1.0)
    sample = Sample(gm, mask, np.stack([t1w] * 2), np.zeros(600, np.uint8), (3.0,) * 3, True, atlas)
    findings = Findings(words=Known().words)
    check_contrast(findings, data, sample, is_registered=True)
    ((_, sentence),) = findings.objections
    assert sentence.startswith(f"The file given as {named} beside the scan is no {named}: ")
    assert "(--with NAME=FILE)" in sentence
    assert "--contrast" not in sentence


def test_a_value_just_beyond_its_limit_is_told_with_the_digits_that_show_it():
    findings = Findings(words=Known().words)
    findings.note({"atlas_agreement_nats": 0.06984})
    assert [findings.hold_to(limit) for limit in ATLAS] == [False, True, False]
    assert "agreement 0.0698 nats" in findings.objections[0][1]


@pytest.mark.parametrize(
    ("margin", "said"), [(1, "% of the mask's volume"), (8, "more than 10 times the mask's")]
)
def test_what_a_small_mask_leaves_out_is_told_in_numbers_that_mean_something(margin, said):
    scan, mask = np.zeros((24, 24, 24), np.float32), np.zeros((24, 24, 24), bool)
    scan[2:20, 2:20, 2:20] = 0.5
    inner = slice(2 + margin, 20 - margin)
    mask[inner, inner, inner] = True
    n = int(mask.sum())
    sample = Sample(scan, mask, np.ones((1, n), np.float32), np.ones(n, np.uint8), (3.0,) * 3, True, None)
    _, words = of_background(sample)
    assert said in words["left_out"]


def test_an_inverted_scan_is_caught(whole):
    quality = judge(replace(whole, image=faults.inverted(whole.image, whole.mask)))
    assert quality.verdict == "fail"


@pytest.mark.parametrize(
    "how",
    [
        {"shift_mm": 25, "axis": 0},
        {"turn_deg": 40, "axis": 0},
        slow({"shift_mm": -25, "axis": 1}),
        slow({"turn_deg": -40, "axis": 2}),
        slow({"scale": 1.3}),
        slow({"mirror": True, "axis": 2}),
    ],
)
def test_a_misregistered_template_is_caught_before_all_else(whole, how):
    quality = judge(whole, faults.misregistered(IN_PLACE, **how))
    assert quality.verdict == "fail"
    assert "template" in quality.reasons[0]
    assert "what the mask leaves out" in quality.reasons[-1]  # which leans on the template's place


def with_holes(made: Made, sides: tuple[int, ...]) -> Made:
    """Black spots of 5 cm in the parietal lobes: -1 left, 1 right."""
    places = np.moveaxis(np.indices(made.image.shape), 0, -1) @ made.image.affine[:3, :3].T
    places += made.image.affine[:3, 3]
    image = made.image.data.copy()
    for side in sides:
        image[np.linalg.norm(places - (side * 34, -36, 30), axis=-1) < 25] = SIGNAL["T1w"][2]
    return replace(made, image=faults.stripped(made.image.like(image), made.mask))


@pytest.mark.parametrize("side", [-1, slow(1)])
def test_a_large_lesion_on_one_side_asks_for_a_look(whole, side):
    quality = judge(with_holes(whole, (side,)))
    assert quality.verdict == "check"
    assert any("A large lesion" in reason for reason in quality.reasons)


def with_ball(made: Made, level: float, radius_mm: float, center_mm=(26.0, -20.0, 28.0)) -> Made:
    """The scan with a ball of one brightness in the white matter of the right hemisphere."""
    at = np.indices(made.image.shape).reshape(3, -1)
    world = made.image.affine[:3, :3] @ at + made.image.affine[:3, 3:]
    ball = (np.linalg.norm(world - np.array(center_mm)[:, None], axis=0) < radius_mm).reshape(
        made.image.shape
    )
    rng = np.random.default_rng(2)
    noisy = level + 3 * rng.normal(size=made.image.shape)
    return replace(made, image=made.image.like(np.where(ball, noisy, made.image.data).astype(np.float32)))


@pytest.mark.parametrize(
    ("level", "measure", "words"),
    [(70, "grey_patch_ml", "as dark as grey matter"), (160, "bright_patch_ml", "brighter than any tissue")],
)
def test_a_patch_that_no_tissue_describes_is_told_with_its_size_and_place(
    whole, verdict, level, measure, words
):
    quality = judge(with_ball(whole, level, 14.0))
    assert verdict.measures[measure] < 0.5
    assert 4 < quality.measures[measure] < 13  # the ball has 11.5 ml, not all of it in sure white matter
    assert quality.verdict == "check"
    (told,) = [reason for reason in quality.reasons if words in reason]
    assert "right" in told


def test_what_is_known_of_the_scan_reaches_the_verdict(whole):
    agent = judge(whole, contrast_agent=True)
    assert agent.verdict == "partial"
    assert "contrast agent" in agent.reasons[0]
    fluid = judge(whole, reaches_bone=False)
    assert fluid.verdict == "check"
    assert "Fluid and bone look alike" in fluid.reasons[0]


def test_two_halves_that_are_alike_do_not_differ(whole, verdict):
    both = judge(with_holes(whole, (-1, 1)))
    assert verdict.measures["asymmetry_percent"] < 1
    assert both.measures["asymmetry_percent"] < 1


@pytest.mark.slow
def test_mirroring_a_brain_changes_nothing_of_how_its_sides_differ(whole):
    left, right = (judge(with_holes(whole, (side,))).measures["asymmetry_percent"] for side in (-1, 1))
    assert left == pytest.approx(right, rel=0.15)


def test_a_registration_that_says_it_failed_is_believed(whole):
    quality = judge(whole, replace(IN_PLACE, fits=False))
    assert quality.verdict == "fail"
    assert "does not fit" in quality.reasons[0]


@pytest.mark.parametrize("contrast", ["T1w", "T2w"])
def test_a_mask_unlike_the_templates_brain_is_no_doubt_about_the_place(whole, contrast):
    narrow = replace(whole, mask=faults.cut(whole.mask, "top", 0.4), contrast=contrast)
    quality = judge(narrow)
    assert quality.measures["atlas_overlap_dice"] < 0.87
    assert "the template's place is in doubt" not in " ".join(quality.reasons)


@pytest.mark.slow
def test_ghosting_grows_with_ghosts_and_not_with_noise(whole, verdict):
    noisy = whole.image.like(
        whole.image.data + np.random.default_rng(1).normal(0, 5, whole.image.shape).astype(np.float32)
    )
    found = [verdict.measures["ghosting_percent"]]
    for strength in (0.4, 0.8):
        ghosts = faults.stripped(faults.ghosted(whole.image, strength), whole.mask)
        found.append(judge(replace(whole, image=ghosts)).measures["ghosting_percent"])
    assert found == sorted(found)
    assert found[-1] > 2 * found[0]
    more_noise = judge(replace(whole, image=faults.stripped(noisy, whole.mask)))
    assert more_noise.measures["ghosting_percent"] == pytest.approx(found[0], abs=2)
    assert more_noise.measures["noise_percent"] > 1.3 * verdict.measures["noise_percent"]


@pytest.mark.parametrize("axis", [slow(1), 2])
def test_a_bias_that_is_left_is_named_and_motion_is_not(whole, verdict, axis):
    ramp = np.expand_dims(np.linspace(0, 1, whole.image.shape[axis]), [n for n in range(3) if n != axis])
    found = judge(replace(whole, image=whole.image.like((whole.image.data * 4.0**ramp).astype(np.float32))))
    assert verdict.measures["bias_left_percent"] < 15
    assert found.measures["bias_left_percent"] > 35
    assert found.verdict != "pass"
    assert any("brighter in one place" in reason for reason in found.reasons)
    assert not any("head that moved" in reason for reason in found.reasons)


@pytest.mark.parametrize(
    ("measure", "percent", "told"),
    [("at_highest_percent", 33.0, "cut off at the upper end"), slow("at_lowest_percent", 14.0, "lower end")],
)
def test_intensities_that_were_cut_off_ask_for_a_look(whole, measure, percent, told):
    found = judge(whole, at_ends={measure: percent})
    assert found.verdict == "check"
    assert told in found.reasons[0]
    assert found.measures[measure] == percent


@pytest.mark.parametrize(("n_classes", "name"), [(5, "atlas_gmm"), (3, "kmeans"), (2, "gmm")])
def test_other_classes_and_methods_are_judged_as_far_as_can_be(whole, n_classes, name):
    quality = judge(whole, n_classes=n_classes, name=name)
    assert quality.verdict in ("partial", "check")
    assert "ghosting_percent" not in quality.measures
    said = any("shares (" in reason for reason in quality.reasons)
    assert said == (n_classes != 3)
    cut = judge(replace(whole, mask=faults.cut(whole.mask, "top")), n_classes=n_classes, name=name)
    assert cut.verdict != "pass"


def test_a_few_slices_are_judged_without_the_template(whole):
    middle = (slice(None), slice(None), slice(24, 26))
    image, mask = Volume(whole.image.data[middle], whole.image.affine), whole.mask.data[middle]
    thin = Made(image, Volume(mask, whole.mask.affine, "mask"))
    quality = judge(thin, replace(IN_PLACE, fits=False))
    assert quality.verdict == "partial"
    assert "where the template lies" in quality.reasons[-1]
    assert "atlas_overlap_dice" not in quality.measures


@pytest.mark.parametrize("given", [True, slow(False)])
def test_nothing_is_advised_that_was_done_already(whole, given):
    cut = faults.stripped(whole.image, faults.cut(whole.mask, "top", 0.4))
    spoilt = [
        judge(replace(whole, contrast="T2w"), mask_given=given, contrast_given=given),
        judge(whole, replace(IN_PLACE, fits=False), mask_given=given),
        judge(replace(whole, image=cut, mask=faults.cut(whole.mask, "top", 0.4)), mask_given=given),
    ]
    said = " ".join(reason for quality in spoilt for reason in quality.reasons)
    assert ("--mask" in said) == (not given)
    assert ("Name the contrast with the option contrast (--contrast)" in said) == (not given)


def test_reasons_are_whole_sentences_with_the_worst_first(whole):
    cut = faults.cut(whole.mask, "top", 0.4)
    reasons = judge(replace(whole, mask=cut, contrast="T2w")).reasons
    assert all(reason[0].isupper() or reason[0].isdigit() for reason in reasons)
    assert all(reason.endswith(".") for reason in reasons)


def test_every_measure_has_a_meaning_for_the_pages_table(verdict):
    assert verdict.measures.keys() <= MEANINGS.keys()
    told = {row.meaning: row for row in rows(verdict.measures)}
    assert len(told) == len(verdict.measures)
    assert not any(row.is_beyond for row in told.values())
    assert told["Overlap of brain mask and template brain (Dice)"].limit == "at least 0.87"


def test_measures_are_finite_and_documented(verdict, repository: Path):
    page = (repository / "docs" / "quality.md").read_text("utf-8")
    assert len(verdict.measures) > 15
    for name, value in verdict.measures.items():
        assert np.isfinite(value)
        assert f"`{name}`" in page, f"docs/quality.md does not explain {name}"
    assert {label.abbreviation.lower() + "_percent" for label in TISSUES} <= verdict.measures.keys()


def test_without_the_scan_the_rest_is_still_checked(whole):
    box = Box.around(whole.mask.data)
    image, mask = box.take(whole.image), box.take(whole.mask)
    intensity = winsorize_and_scale(image.data, mask.data)[None]
    data = TissueInput(intensity, mask.data, image.spacing_mm, ("T1w",), TISSUES, None)
    fitted = method("tissue", "kmeans")().fit(data)
    quality = assess(data, fitted, (), IN_PLACE)
    assert "mask_flat_face_percent" in quality.measures
    assert any("Not checked" in reason for reason in quality.reasons)


@pytest.mark.parametrize("reasons", [(), ("Look.",), ("Slices lie 6 mm apart.", "Not checked: ghosts.")])
def test_a_sidecar_from_before_partial_was_a_verdict_is_read_as_it_was_meant(reasons):
    read = Quality.from_sidecar({"Verdict": "pass", "Reasons": list(reasons), "Measures": {"x": 1}})
    assert read == Quality("partial" if len(reasons) == 2 else "pass", reasons, {"x": 1.0})
    with pytest.raises(ValueError, match="unknown verdict"):
        Quality.from_sidecar({"Verdict": "fine", "Reasons": []})


def test_a_measure_is_read_from_a_sidecar_that_has_its_former_name():
    measures = {"intracranial_ml": 1400, "gm_percent": 45}
    read = Quality.from_sidecar({"Verdict": "pass", "Reasons": [], "Measures": measures})
    assert read.measures == {"brain_mask_ml": 1400.0, "gm_percent": 45.0}
