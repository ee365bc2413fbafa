"""The template lands where the brain is, the same way every time, and says so when it does not."""

import numpy as np
import pytest

from medunsup.core.record import Step
from medunsup.preprocess.geometry.template import load_template
from medunsup.preprocess.registration import affine
from medunsup.preprocess.registration.affine import Registration, refine_registration, register_template


def test_a_known_registration_is_found_again_on_a_brain_alone(known_head, distance_between):
    bare = known_head.stripped()
    registration = register_template(bare.scan, bare.brain, step=Step("place"))
    assert registration.fits
    assert distance_between(registration.template_to_scan, bare.template_to_scan) < 2.0


def test_a_known_registration_is_found_again_on_a_tilted_head_with_a_neck(head_maker, distance_between):
    head = head_maker(turn_deg=(28, 10, -12))
    step = Step("place")
    registration = register_template(head.scan, None, step=step)
    assert registration.fits
    assert distance_between(registration.template_to_scan, head.template_to_scan) < 6.0
    refined = refine_registration(head.scan, head.brain, registration, step=step)
    assert distance_between(refined.template_to_scan, head.template_to_scan) < 2.0


@pytest.mark.slow
def test_the_number_of_threads_changes_nothing(known_head):
    import SimpleITK as sitk  # noqa: N813

    bare = known_head.stripped()
    before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    found = []
    try:
        for n_threads in (1, 2):
            sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(n_threads)
            found.append(register_template(bare.scan, bare.brain, step=Step("place")).template_to_scan)
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)
    np.testing.assert_array_equal(*found)


def test_a_registration_that_breaks_off_leaves_the_coarse_registration(known_head, monkeypatch):
    def breaks(*_):
        raise RuntimeError("ITK ERROR: all samples map outside")

    monkeypatch.setattr(affine, "_register", breaks)
    bare = known_head.stripped()
    step = Step("place")
    registration = register_template(bare.scan, bare.brain, step=step)
    assert registration.kind == "similarity"
    assert step.outcome == "degraded"
    assert "coarser registration" in step.warnings[0]


def test_a_registration_of_impossible_size_is_not_believed(known_head, monkeypatch):
    monkeypatch.setattr(affine, "_register", lambda *_: (np.diag([2.0, 2.0, 2.0, 1.0]), 0.6))
    bare = known_head.stripped()
    step = Step("place")
    registration = register_template(bare.scan, bare.brain, step=step)
    assert registration.kind == "similarity"
    assert "ml" in step.warnings[0]


def test_when_nothing_fits_the_template_takes_the_masks_centre_and_size(known_head, monkeypatch):
    monkeypatch.setattr(affine, "_problems", lambda *_: ["nothing fits"])
    bare = known_head.stripped()
    step = Step("place")
    registration = register_template(bare.scan, bare.brain, step=step)
    assert (registration.kind, registration.fits, step.outcome) == ("moments", False, "degraded")
    placed = registration.to_scan(load_template().mask, bare.scan.grid) > 0.5
    assert placed.sum() == pytest.approx(bare.brain.data.sum(), rel=0.05)


def test_a_refinement_that_goes_astray_keeps_the_first_fit(known_head, monkeypatch):
    monkeypatch.setattr(affine, "_register", lambda *_: (np.diag([0.2, 2.0, 2.0, 1.0]), 0.6))
    first = Registration(known_head.template_to_scan, 0.5, fits=True)
    step = Step("place")
    assert refine_registration(known_head.scan, known_head.brain, first, step=step) is first
    assert "kept the first fit" in step.warnings[0]


def test_resampling_onto_the_templates_own_grid_gives_the_template_back():
    template = load_template()
    same = Registration(np.eye(4), 1.0, fits=True).to_scan(template.t1, template.t1.grid)
    np.testing.assert_allclose(same, template.t1.data, atol=1e-6)


def test_template_tissues_sum_to_one_inside_the_mask_and_vanish_outside():
    template = load_template()
    total = template.gm.data + template.wm.data + template.csf.data
    np.testing.assert_allclose(total[template.mask.data], 1, atol=1e-6)
    assert not total[~template.mask.data].any()
