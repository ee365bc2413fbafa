"""The methods paragraph says what the record says, and no more."""

from dataclasses import replace

from medunsup.core.record import Record
from medunsup.report.base.methods_text import MethodsText
from medunsup.report.segment.methods_text import methods_text
from medunsup.tissue.result import TissueResult


def told(result: TissueResult, record: Record) -> str:
    return methods_text(replace(result, record=record)).paragraph


def test_a_given_mask_is_not_said_to_be_found(result: TissueResult) -> None:
    given, found = Record(), Record()
    given.step("brain mask", given=True)
    found.step("brain mask", given=False)
    assert "mask was given" in told(result, given)
    assert "mask was given" not in told(result, found)
    assert "MNI152" in told(result, found)


def test_a_stripped_scan_is_said_to_have_come_without_a_skull(result: TissueResult) -> None:
    record = Record()
    record.step("brain mask", given=False).findings["already_stripped"] = True
    assert "without a skull" in told(result, record)


def test_deepbet_is_credited_only_where_its_mask_was_kept(result: TissueResult) -> None:
    kept, replaced = Record(), Record()
    kept.step("brain mask", given=False, method="deepbet")
    replaced.step("brain mask", given=False, method="deepbet").findings["method"] = "atlas"
    assert "deepbet" in told(result, kept)
    assert "deepbet" not in told(result, replaced)


def test_n4_is_credited_only_where_a_strong_bias_was_evened_out(result: TissueResult) -> None:
    strong, usual = Record(), Record()
    strong.step("normalise").findings["bias_evened_out"] = 0.4
    usual.step("normalise").findings["bias_evened_out"] = 0.0
    assert "N4" in told(result, strong)
    assert "N4" not in told(result, usual)


def test_priors_are_claimed_only_where_they_were_used(result: TissueResult) -> None:
    used, unused, misfit = Record(), Record(), Record()
    used.step("priors")
    used.step("mixture", use_priors=True)
    unused.step("priors")
    unused.step("mixture")
    misfit.step("priors").warn("The template does not fit.", degraded=True)
    misfit.step("mixture", use_priors=True)
    assert "spatial priors" in told(result, used)
    assert "spatial priors" not in told(result, unused)
    assert "spatial priors" not in told(result, misfit)


def test_where_the_priors_were_left_out_the_method_is_not_credited_with_them(result: TissueResult) -> None:
    by_atlas = replace(result, fit=replace(result.fit, method="atlas_gmm"))
    whys = {"done": "", "skipped": "known for GM, WM and CSF only", "degraded": "template did not fit"}
    for outcome, why in whys.items():
        record = Record()
        record.step("priors").outcome = outcome  # type: ignore[assignment]
        record.step("mixture", use_priors=True)
        text = told(by_atlas, record)
        assert ("without its priors" in text) == (outcome != "done")
        assert why in text
    refused = Record()
    refused.step("priors")
    refused.step("mixture", use_priors=False)
    assert "as was asked" in told(by_atlas, refused)


def test_a_prior_learned_from_the_other_scans_is_told(result: TissueResult) -> None:
    record = Record()
    record.step("priors", learned="scan_prior.npz")
    record.step("mixture", use_priors=True)
    assert "other scans" in told(result, record)


def test_a_step_that_was_skipped_or_failed_is_not_told(result: TissueResult) -> None:
    record = Record()
    record.step("normalise").outcome = "skipped"
    assert "winsorised" not in told(result, record)


def test_every_method_is_cited_with_its_limit(result: TissueResult) -> None:
    from medunsup.core.registry import methods

    for card in methods("tissue"):
        text = methods_text(replace(result, fit=replace(result.fit, method=card.name)))
        assert card.paper in text.references
        assert card.limit.rstrip(".") in text.paragraph


def test_references_are_numbered_in_the_order_they_are_cited() -> None:
    text = MethodsText()
    text.say("One", "nibabel")
    text.say("Two", "mni", "nibabel")
    assert text.paragraph == "One [1]. Two [1, 2]."
    assert len(text.references) == 2
