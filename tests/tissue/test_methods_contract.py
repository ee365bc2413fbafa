"""What every tissue method must keep, whichever it is: a method dropped in as one file is tested as well."""

import numpy as np
import pytest
from helpers.phantom import Anatomy, make_anatomy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from medunsup.core.errors import MedunsupError
from medunsup.core.labels import TISSUES, class_table
from medunsup.core.registry import method, methods
from medunsup.metrics.segmentation import dice
from medunsup.tissue.base import TissueInput, TissueMethod

NAMES = [card.name for card in methods("tissue")]
CONTRASTS = ("T1w", "T2w", "FLAIR", "PD")
every_method = pytest.mark.parametrize("name", NAMES)


def scaled(data: np.ndarray, mask: np.ndarray) -> np.ndarray:
    low, high = np.percentile(data[mask], (0.1, 99.9))
    return np.clip((data - low) / (high - low), 0, 1).astype(np.float32)


def blurred_truth(anatomy: Anatomy, floor: float = 0.05) -> np.ndarray:
    """Priors as a template would give: the truth, smeared over 6 mm."""
    from scipy.ndimage import gaussian_filter

    sigma = 6.0 / np.abs(np.diag(anatomy.affine)[:3])
    smeared = np.stack([gaussian_filter(anatomy.fractions[n], sigma) for n in range(3)]) + floor
    return (smeared / smeared.sum(axis=0)).astype(np.float32)


def prepared(anatomy: Anatomy, contrasts: tuple[str, ...] = ("T1w",), **options: float) -> TissueInput:
    """The phantom as a method gets it from `segment`."""
    mask = anatomy.mask.data
    images = [anatomy.image(name, seed=n, **options).data for n, name in enumerate(contrasts)]
    spacing = tuple(np.abs(np.diag(anatomy.affine)[:3]).tolist())
    intensity = np.stack([scaled(image, mask) for image in images])
    return TissueInput(intensity, mask, spacing, contrasts, TISSUES, blurred_truth(anatomy))


def turned(data: TissueInput, axes: tuple[int, int, int], flips: tuple[int, ...]) -> TissueInput:
    """The same scan with its array axes permuted, then flipped."""
    return TissueInput(
        intensity=turn(data.intensity, axes, flips),
        mask=turn(data.mask, axes, flips),
        spacing_mm=tuple(data.spacing_mm[axis] for axis in axes),
        contrasts=data.contrasts,
        labels=data.labels,
        priors=None if data.priors is None else turn(data.priors, axes, flips),
    )


def turn(array: np.ndarray, axes: tuple[int, int, int], flips: tuple[int, ...]) -> np.ndarray:
    lead = array.ndim - 3
    order = (*range(lead), *(axis + lead for axis in axes))
    return np.ascontiguousarray(np.flip(array.transpose(order), [axis + lead for axis in flips]))


def fit(name: str, data: TissueInput) -> TissueMethod:
    return method("tissue", name)().fit(data)


def volumes(fitted: TissueMethod, voxel_mm3: float = 1.0) -> np.ndarray:
    return fitted.fractions_.sum(axis=(1, 2, 3)) * voxel_mm3


@pytest.fixture(scope="module")
def anatomy() -> Anatomy:
    """A brain at 4 mm: 23,000 voxels, so that every method can be fitted many times."""
    return make_anatomy(spacing_mm=(4.0, 4.0, 4.0))


@pytest.fixture(scope="module")
def scan(anatomy) -> TissueInput:
    return prepared(anatomy, bias=0.1)


@pytest.fixture(scope="module")
def fits(scan):
    """Each method fitted once on the same scan."""
    return {name: fit(name, scan) for name in NAMES}


def test_the_default_and_the_textbook_methods_are_there():
    assert {"atlas_gmm", "kmeans", "minibatch_kmeans", "gmm", "bayesian_gmm"} <= set(NAMES)


@every_method
def test_card_cites_a_paper_with_its_year_and_admits_a_limit(name):
    card = next(card for card in methods("tissue") if card.name == name)
    assert any(part.strip("().,;").isdigit() and len(part.strip("().,;")) == 4 for part in card.paper.split())
    assert len(card.limit) > 20
    assert card.summary.endswith(".")


@every_method
def test_maps_have_the_shapes_and_types_of_the_contract(name, fits, scan):
    fitted = fits[name]
    shape = scan.mask.shape
    assert fitted.posterior_.shape == fitted.fractions_.shape == (3, *shape)
    assert fitted.labels_.shape == fitted.entropy_.shape == shape
    maps = (fitted.posterior_, fitted.fractions_, fitted.entropy_)
    assert all(array.dtype == np.float32 and np.isfinite(array).all() for array in maps)
    assert fitted.labels_.dtype == np.uint8
    for array, wanted in ((fitted.bias_field_, (1, *shape)), (fitted.outlier_, shape)):
        assert array is None or array.shape == wanted
    assert {component.label for component in fitted.components_} >= {"GM", "WM", "CSF"}
    assert fitted.n_iter_ >= 1


@every_method
def test_probabilities_sum_to_one_inside_the_mask_and_are_zero_outside(name, fits, scan):
    for array in (fits[name].posterior_, fits[name].fractions_):
        assert array.min() >= 0
        np.testing.assert_allclose(array.sum(axis=0)[scan.mask], 1, atol=1e-4)
        assert not array[:, ~scan.mask].any()


@every_method
def test_labels_and_uncertainty_stay_inside_the_mask(name, fits, scan):
    fitted = fits[name]
    assert not fitted.labels_[~scan.mask].any()
    assert np.isin(fitted.labels_[scan.mask], (1, 2, 3)).all()
    assert not fitted.entropy_[~scan.mask].any()
    assert 0 <= fitted.entropy_.min() <= fitted.entropy_.max() <= 1 + 1e-6


@every_method
def test_tissues_are_found(name, fits, anatomy):
    """Simple anatomy, 3 % noise, 10 % bias: no method has an excuse."""
    for label, wanted in zip(TISSUES, (0.9, 0.93, 0.7), strict=True):
        assert dice(fits[name].labels_, anatomy.labels.data, label.index) > wanted


@every_method
def test_log_likelihood_never_falls(name, fits):
    values = np.array(fits[name].log_likelihood_)
    assert values.size >= 1
    assert np.isfinite(values).all()
    assert (np.diff(values) >= -1e-6 * np.abs(values[1:])).all()


@every_method
def test_bias_field_is_positive_with_mean_one(name, fits, scan):
    field = fits[name].bias_field_
    if field is None:
        pytest.skip(f"{name} models no bias field")
    assert field[:, scan.mask].min() > 0
    assert field[:, scan.mask].mean() == pytest.approx(1, abs=0.01)


@every_method
def test_same_seed_gives_the_same_bytes(name, fits, scan):
    again = fit(name, scan)
    assert again.posterior_.tobytes() == fits[name].posterior_.tobytes()
    assert again.fractions_.tobytes() == fits[name].fractions_.tobytes()
    assert again.log_likelihood_ == fits[name].log_likelihood_


@every_method
@pytest.mark.parametrize(
    ("axes", "flips"),
    [
        ((0, 1, 2), (0,)),
        pytest.param((0, 1, 2), (1, 2), marks=pytest.mark.slow),
        pytest.param((2, 0, 1), (), marks=pytest.mark.slow),
        ((1, 0, 2), (2,)),
    ],
    ids=["mirrored", "two-axes-flipped", "axes-rolled", "axes-swapped-and-flipped"],
)
def test_flipping_or_permuting_the_axes_does_not_change_the_tissues(name, fits, scan, axes, flips):
    fitted = fit(name, turned(scan, axes, flips))
    same = fitted.labels_ == turn(fits[name].labels_, axes, flips)
    assert same[turn(scan.mask, axes, flips)].mean() > 0.998
    np.testing.assert_allclose(volumes(fitted), volumes(fits[name]), rtol=5e-3)


@every_method
@pytest.mark.parametrize(("gain", "offset"), [(0.02, 0.0), (300.0, 25000.0)])
def test_scale_and_offset_of_intensity_do_not_change_volumes(name, fits, scan, gain, offset):
    """`segment` scales every scan to [0, 1] first; the raw image enters here as it would there."""
    raw = scan.intensity[0] * gain + offset
    intensity = scaled(raw.astype(np.float32), scan.mask)[None]
    again = TissueInput(intensity, scan.mask, scan.spacing_mm, scan.contrasts, scan.labels, scan.priors)
    np.testing.assert_allclose(volumes(fit(name, again)), volumes(fits[name]), rtol=2e-3)


@every_method
def test_voxel_size_changes_volumes_only_by_partial_volume(name):
    """2 mm against 3 mm of the same head: GM and WM to 6 %."""
    found = []
    for size in (2.0, 3.0):
        anatomy = make_anatomy(spacing_mm=(size,) * 3, scale=0.7)
        found.append(volumes(fit(name, prepared(anatomy, bias=0.05)), size**3))
    np.testing.assert_allclose(found[0][:2], found[1][:2], rtol=0.06)


@every_method
@pytest.mark.parametrize("contrast", [*CONTRASTS[:-1], pytest.param(CONTRASTS[-1], marks=pytest.mark.slow)])
def test_labels_are_gm_1_wm_2_csf_3_whatever_the_contrast(name, contrast, anatomy):
    data = prepared(anatomy, (contrast,), noise=0.02, bias=0.0)
    fitted = fit(name, data)
    for label in TISSUES:
        assert dice(fitted.labels_, anatomy.labels.data, label.index) > 0.6
    means = {part.label: part.mean[0] for part in fitted.components_}
    true_mean = {
        label.abbreviation: data.intensity[0][anatomy.labels.data == label.index].mean() for label in TISSUES
    }
    assert sorted(means, key=means.get)[0] == sorted(true_mean, key=true_mean.get)[0]


@every_method
def test_two_contrasts_serve_at_once(name, anatomy):
    data = prepared(anatomy, ("T1w", "T2w"), noise=0.04, bias=0.0)
    fitted = fit(name, data)
    assert all(len(component.mean) == 2 for component in fitted.components_)
    for label in TISSUES:
        assert dice(fitted.labels_, anatomy.labels.data, label.index) > 0.7


@every_method
@pytest.mark.parametrize("case", ["constant", "three voxels", "no voxel"])
def test_input_without_tissues_is_refused_in_words(name, case, scan):
    intensity, mask = scan.intensity.copy(), scan.mask.copy()
    if case == "constant":
        intensity[:] = 0.5
    else:
        inside = np.flatnonzero(mask)
        mask.flat[inside[0 if case == "no voxel" else 3 :]] = False
    data = TissueInput(intensity, mask, scan.spacing_mm, scan.contrasts, scan.labels, scan.priors)
    with pytest.raises(MedunsupError, match=r"mask|voxels|intensit"):
        fit(name, data)


@every_method
def test_config_refuses_unknown_keys_and_is_frozen(name):
    kind = method("tissue", name)
    with pytest.raises(MedunsupError, match="unknown key"):
        kind.Config.parse({"no_such_parameter": 1})
    with pytest.raises(Exception, match="frozen"):
        setattr(kind.Config(), next(iter(kind.Config.model_fields)), 1)


@every_method
def test_parameters_are_plain_values_a_sidecar_can_hold(name):
    import json

    kind = method("tissue", name)
    parameters = kind().parameters
    assert parameters
    assert kind(kind.Config.parse(json.loads(json.dumps(parameters)))).parameters == parameters


@every_method
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 10_000), noise=st.floats(0.01, 0.2), n_voxels=st.integers(400, 1500))
def test_any_small_mask_gives_probabilities(name, seed, noise, n_voxels):
    """Three blobs of intensity, scattered anywhere in a box, with a ragged mask."""
    rng = np.random.default_rng(seed)
    mask = np.zeros(2000, dtype=bool)
    mask[rng.permutation(2000)[:n_voxels]] = True
    truth = rng.integers(0, 3, 2000)
    image = np.array([0.5, 0.8, 0.2])[truth] + rng.normal(0, noise, 2000)
    shape = (20, 10, 10)
    mask = mask.reshape(shape)
    priors = np.full((3, *shape), 1 / 3, dtype=np.float32)
    intensity = scaled(image.reshape(shape), mask)[None]
    fitted = fit(name, TissueInput(intensity, mask, (1.0, 1.0, 1.0), ("T1w",), class_table(3), priors))
    np.testing.assert_allclose(fitted.posterior_.sum(axis=0)[mask], 1, atol=1e-4)
    assert not fitted.posterior_[:, ~mask].any()
    # Nats a voxel; a covariance with a least width (scikit-learn) is no exact maximum.
    reached = np.array(fitted.log_likelihood_)
    assert (np.diff(reached) >= -1e-6 * np.maximum(np.abs(reached[1:]), 1)).all()
