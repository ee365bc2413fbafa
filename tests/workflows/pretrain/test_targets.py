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


@pytest.fixture
def four(few, tmp_path):
    """A table of four scans: the mixture takes its time for each."""
    scans = sorted(few.glob("*_T1w.nii.gz"))[:4]
    rows = [f"{scan}\t{'validation' if n == 3 else 'train'}" for n, scan in enumerate(scans)]
    (tmp_path / "four.tsv").write_text("\n".join(["scan\tsplit", *rows]) + "\n")
    return tmp_path / "four.tsv"


@pytest.mark.usefixtures("quick_registration")
def test_scans_come_with_the_tissues_that_the_mixture_finds_once(four, tmp_path, given, monkeypatch):
    def run(name):
        stages = []
        made = medunsup.pretrain(
            "tissue_pretext",
            four,
            tmp_path / name,
            parameters=TINY,
            spacing_mm=SPACING_MM,
            progress=lambda stage: stages.append(stage.what),
        )
        return made, stages, given["kept"]

    made, stages, fractions = run("one")
    assert TissuePretext.asks_for == TISSUE_FRACTIONS
    assert "tissue fractions, 4 of 4" in stages
    assert len(given["validation"].targets) == 1
    for (values, mask), found in zip(given["train"], fractions, strict=True):
        assert np.allclose(found.sum(axis=0), mask, atol=1e-3)  # kept in half precision
        gm, wm, csf = ((values[0] * one).sum() / one.sum() for one in found)
        assert csf < gm < wm  # as in T1w
    assert float(made.manifest.last["divergence"]) > 0
    assert not (tmp_path / "one" / ".work").exists()
    assert made.decoder is not None
    assert "last.weight" in made.decoder

    monkeypatch.setattr("medunsup.workflows.pretrain.targets.tissue_fractions", None)
    assert np.array_equal(run("two")[2], fractions)  # kept for the next pretraining


def test_priors_sum_to_one_everywhere():
    priors = template_priors(8.0)
    assert np.allclose(priors.sum(axis=0), 1, atol=1e-5)
    assert (priors >= 0).all()
    assert priors[2, 0, 0, 0] == 1  # beyond the brain
