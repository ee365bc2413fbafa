"""Tissue fractions of scans become what a network is asked for, without labels."""

import numpy as np
import pytest
from helpers.healthy_scans import SPACING_MM

import medunsup
from medunsup.selfsupervised.methods.tissue_pretext import TissuePretext
from medunsup.workflows.pretrain.targets import TISSUE_FRACTIONS, template_priors

TINY = {"epochs": 1, "batch_size": 4, "encoder_parameters": {"channels": 2, "levels": 2}}


@pytest.fixture
def given(monkeypatch):
    """What the method is fitted on."""
    seen = {}
    fit = TissuePretext.fit

    def spied(self, scans, *, validation=None, training=None):
        seen.update(train=scans, validation=validation, kept=np.array(scans.targets))
        return fit(self, scans, validation=validation, training=training)

    monkeypatch.setattr(TissuePretext, "fit", spied)
    return seen


@pytest.mark.usefixtures("quick_registration")
def test_scans_come_with_the_tissues_that_the_mixture_finds(few, tmp_path, given):
    stages = []
    made = medunsup.pretrain(
        "tissue_pretext",
        few,
        tmp_path / "out",
        parameters=TINY,
        spacing_mm=SPACING_MM,
        validation=0.25,
        progress=lambda stage: stages.append(stage.what),
    )
    assert TissuePretext.asks_for == TISSUE_FRACTIONS
    assert "tissue fractions, 8 of 8" in stages
    scans, fractions = given["train"], given["kept"]
    assert len(given["validation"].targets) == 2
    for (values, mask), found in zip(scans, fractions, strict=True):
        assert np.allclose(found.sum(axis=0), mask, atol=1e-3)  # kept in half precision
        gm, wm, csf = ((values[0] * one).sum() / one.sum() for one in found)
        assert csf < gm < wm  # as in T1w
    assert float(made.manifest.last["divergence"]) > 0
    assert not (tmp_path / "out" / ".work").exists()
    assert made.decoder is not None
    assert "last.weight" in made.decoder


@pytest.mark.usefixtures("quick_registration")
def test_targets_are_kept_for_the_next_pretraining(few, tmp_path, given, monkeypatch):
    def run(name):
        out = tmp_path / name
        medunsup.pretrain("tissue_pretext", few, out, parameters=TINY, spacing_mm=SPACING_MM)
        return given["kept"]

    first = run("one")
    monkeypatch.setattr("medunsup.workflows.pretrain.targets.tissue_fractions", None)
    assert np.array_equal(run("two"), first)


def test_priors_sum_to_one_everywhere():
    priors = template_priors(8.0)
    assert np.allclose(priors.sum(axis=0), 1, atol=1e-5)
    assert (priors >= 0).all()
    assert priors[2, 0, 0, 0] == 1  # beyond the brain
