"""What every anomaly model must keep, whichever it is: a model dropped in as one file is tested as well."""

import re

import numpy as np
import pytest
from helpers.anomaly_models import CLASSIC, DEEP, differing, every_model, fitted, looks, make
from helpers.small_brains import small_brains

from medunsup.anomaly.base import OFFERS, offers
from medunsup.core.errors import InputError, UsageError
from medunsup.core.registry import method, methods
from medunsup.io.files.artifact_folder import arrays_as_bytes, read_arrays
from medunsup.training import estimator
from medunsup.training.scan_stack import Scans

CARDS = methods("anomaly")


def unseen(channels: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """A person whom no model has seen."""
    return next(iter(small_brains(1, channels=channels, seed=5)))


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_card_cites_a_paper_with_its_year_and_admits_a_limit(card):
    assert re.search(r"\b(19|20)\d\d\b", card.paper)
    assert len(card.limit) > 20
    assert card.summary.endswith(".")


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_a_misspelt_parameter_names_the_nearest(card):
    config = method("anomaly", card.name).Config
    for name in config.model_fields:
        with pytest.raises(UsageError, match=f"unknown key '{name}x'; did you mean '{name}'"):
            config.parse({f"{name}x": 1})


@every_model
def test_what_a_model_says_of_a_scan_lies_on_its_voxels_and_inside_its_mask(name, dims):
    values, mask = unseen()
    found = looks(fitted(name, dims), values, mask)
    rows = found.pop("encode", np.zeros((1, 1)))
    assert rows.ndim == 2
    assert np.isfinite(rows).all()
    for offer, look in found.items():
        assert look.shape == (values.shape[1:] if offer == "deviation" else values.shape), offer
        assert look.dtype == np.float32, offer
        assert np.isfinite(look).all(), offer
        assert not look[..., ~mask].any(), offer


@every_model
def test_every_contrast_counts(name, dims):
    model = fitted(name, dims, 2)
    values, mask = unseen(channels=2)
    found = looks(model, values, mask)
    maps = {offer: look for offer, look in found.items() if offer != "encode"}
    assert {look.shape for offer, look in maps.items() if offer != "deviation"} <= {values.shape}
    for channel in (0, 1):
        other = values.copy()
        other[channel] *= 0.5
        assert differing(looks(model, other, mask), found)


@every_model
def test_what_is_said_of_a_scan_hangs_on_no_other_scan(name, dims):
    model = fitted(name, dims)
    scans = small_brains(3, seed=5)
    alone = looks(make(name, dims).load_state(model.state(), scans.shape), scans.values[1], scans.masks[1])
    among_others = [looks(model, values, mask) for values, mask in scans]
    assert differing(among_others[1], alone) == []


@pytest.mark.parametrize(("name", "dims"), [case for case in DEEP if case[1] == 2])
def test_slices_looked_at_one_by_one_are_what_they_are_together(name, dims, monkeypatch):
    model, scan = fitted(name, dims), unseen()
    together = {offer: look for offer, look in looks(model, *scan).items() if not offer.startswith("sample")}
    monkeypatch.setattr(estimator, "SLICES_AT_ONCE", 1)
    singly = looks(model, *scan)
    for offer, look in together.items():
        np.testing.assert_allclose(singly[offer], look, atol=1e-4, err_msg=offer)


@every_model
def test_the_scan_and_its_mask_are_left_as_they_were(name, dims):
    values, mask = unseen()
    copies = values.copy(), mask.copy()
    looks(fitted(name, dims), values, mask)
    np.testing.assert_array_equal(values, copies[0])
    np.testing.assert_array_equal(mask, copies[1])


@every_model
def test_a_model_read_from_its_file_says_what_the_trained_one_said(name, dims, tmp_path):
    model = fitted(name, dims)
    (tmp_path / "weights.safetensors").write_bytes(arrays_as_bytes(model.state()))
    arrays = read_arrays(tmp_path / "weights.safetensors")
    stored = make(name, dims).load_state(arrays, small_brains(1).shape)
    assert differing(stored.state(), model.state()) == []
    assert differing(looks(stored, *unseen()), looks(model, *unseen())) == []


@pytest.mark.parametrize(
    ("name", "dims"),
    [(name, 3) for name in CLASSIC] + [pytest.param(*case, marks=pytest.mark.slow) for case in DEEP],
)
def test_the_same_scans_and_seed_give_the_same_model_and_another_seed_another(name, dims):
    again = make(name, dims).fit(small_brains()).state()
    assert differing(again, fitted(name, dims).state()) == []
    if "seed" in method("anomaly", name).Config.model_fields:
        assert differing(make(name, dims, seed=1).fit(small_brains()).state(), again)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("name", CLASSIC)
def test_a_classic_model_of_flipped_scans_gives_flipped_reconstructions(name, axis):
    scans, (values, mask) = small_brains(), unseen()
    mirrored = Scans(np.flip(scans.values, axis + 2), np.flip(scans.masks, axis + 1))
    model = make(name, 3).fit(mirrored)
    found = looks(model, np.flip(values, axis + 1), np.flip(mask, axis))
    for offer, look in looks(fitted(name, 3), values, mask).items():
        if offer == "encode" or offer.startswith("sample"):
            continue  # the sign of a mode is arbitrary
        back = np.flip(found[offer], axis - 3)
        np.testing.assert_allclose(back, look, atol=1e-3, err_msg=offer)


@every_model
def test_an_empty_mask_is_refused(name, dims):
    values, mask = unseen()
    model, nothing = fitted(name, dims), np.zeros_like(mask)
    assert offers(model) <= set(OFFERS)
    for offer in offers(model):
        more = {"n": 1, "seed": 0} if offer == "sample" else {}
        with pytest.raises(InputError, match="mask is empty"):
            getattr(model, offer)(values, nothing, **more)
