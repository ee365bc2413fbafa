"""Losses against NumPy in double precision, closed forms, invariances and finite differences."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax, logsumexp, softmax
from torch import Tensor

from medunsup.selfsupervised.losses.barlow_twins import barlow_twins, cross_correlation
from medunsup.selfsupervised.losses.cross_view import cross_view
from medunsup.selfsupervised.losses.dino import dino, updated_center
from medunsup.selfsupervised.losses.info_nce import info_nce
from medunsup.selfsupervised.losses.masked_error import masked_error
from medunsup.selfsupervised.losses.nt_xent import nt_xent
from medunsup.selfsupervised.losses.pairwise_margin import pairwise_margin
from medunsup.selfsupervised.losses.triplet import triplet
from medunsup.selfsupervised.losses.y_aware import y_aware

SHAPES = st.tuples(st.integers(2, 9), st.integers(1, 7), st.integers(0, 10_000))
TWO_VIEWS = {
    "nt_xent": nt_xent,
    "cross_view": cross_view,
    "pairwise_margin": pairwise_margin,
    "triplet": triplet,
    "y_aware": lambda first, second, **named: y_aware(
        first, second, torch.arange(len(first), dtype=first.dtype), **named
    ),
    "info_nce": lambda first, second: info_nce(first, second, second.flip(1)),
}
BY_ANGLE = [*TWO_VIEWS]


def arrays(n: int, d: int, seed: int, count: int = 2) -> list[np.ndarray]:
    return list(np.random.default_rng(seed).normal(size=(count, n, d)))


def tensors(*found: np.ndarray) -> list[Tensor]:
    return [torch.from_numpy(one) for one in found]


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def views_of(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """Rows of length 1, and which two are a pair."""
    n = len(first)
    return unit(np.vstack([first, second])), [(i, (i + n) % (2 * n)) for i in range(2 * n)]


def numpy_nt_xent(first, second, temperature, subjects) -> float:
    rows, pairs = views_of(first, second)
    of = np.tile(subjects, 2)
    losses = []
    for i, j in pairs:
        shown = [j, *(k for k in range(len(rows)) if of[k] != of[i])]
        logits = rows[shown] @ rows[i] / temperature
        losses.append(logsumexp(logits) - logits[0])
    return float(np.mean(losses))


def numpy_pairwise(first, second, margin, subjects) -> float:
    rows, pairs = views_of(first, second)
    of = np.tile(subjects, 2)
    apart = np.linalg.norm(rows[:, None] - rows, axis=2)
    positives = [apart[i, j] ** 2 for i, j in pairs]
    negatives = [max(0, margin - apart[i, k]) ** 2 for i, _ in pairs for k, s in enumerate(of) if s != of[i]]
    return float(np.mean(positives) + (np.mean(negatives) if negatives else 0)) / 2


def numpy_triplet(first, second, margin, subjects) -> float:
    rows, pairs = views_of(first, second)
    of = np.tile(subjects, 2)
    apart = np.linalg.norm(rows[:, None] - rows, axis=2)
    lacks = [apart[i, j] - apart[i, k] + margin for i, j in pairs for k, s in enumerate(of) if s != of[i]]
    active = [lack for lack in lacks if lack > 0]
    return float(np.mean(active)) if active else 0.0


def numpy_y_aware(first, second, covariates, bandwidth, temperature) -> float:
    rows, pairs = views_of(first, second)
    known, losses = np.tile(covariates, 2), []
    for i, _ in pairs:
        others = [k for k in range(len(rows)) if k != i]
        weights = np.exp(-((known[others] - known[i]) ** 2) / (2 * bandwidth**2))
        chances = log_softmax(rows[others] @ rows[i] / temperature)
        losses.append(-np.sum(weights * chances) / weights.sum())
    return float(np.mean(losses))


def numpy_correlation(first, second) -> np.ndarray:
    n = len(first)
    return np.corrcoef(first.T, second.T)[: first.shape[1], first.shape[1] :] if n > 1 else np.zeros((1, 1))


@settings(max_examples=40, deadline=None)
@given(SHAPES, st.floats(0.01, 2.0))
def test_contrastive_losses_are_what_numpy_computes(shape, temperature):
    n, d, seed = shape
    first, second = arrays(n, d, seed)
    subjects = np.random.default_rng(seed).integers(0, 4, n)
    one, two = tensors(first, second)
    of = torch.from_numpy(subjects)
    found = float(nt_xent(one, two, temperature=temperature, subjects=of))
    assert found == pytest.approx(numpy_nt_xent(first, second, temperature, subjects), abs=1e-6)
    found = float(pairwise_margin(one, two, margin=1.2, subjects=of))
    assert found == pytest.approx(numpy_pairwise(first, second, 1.2, subjects), abs=5e-6)
    found = float(nt_xent(one, two, temperature=temperature))
    assert found == pytest.approx(numpy_nt_xent(first, second, temperature, np.arange(n)), abs=1e-6)
    age = np.random.default_rng(seed).uniform(20, 90, n)
    found = float(y_aware(one, two, torch.from_numpy(age), bandwidth=7.0, temperature=temperature))
    assert found == pytest.approx(numpy_y_aware(first, second, age, 7.0, temperature), abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 9), st.integers(2, 7), st.integers(0, 10_000))
def test_triplets_are_what_numpy_computes(n, d, seed):
    first, second = arrays(n, d, seed)
    subjects = np.random.default_rng(seed).integers(0, 4, n)
    found = float(triplet(*tensors(first, second), margin=0.3, subjects=torch.from_numpy(subjects)))
    assert found == pytest.approx(numpy_triplet(first, second, 0.3, subjects), abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(SHAPES, st.integers(0, 12))
def test_the_loss_with_a_queue_is_what_numpy_computes(shape, length):
    n, d, seed = shape
    queries, keys = arrays(n, d, seed)
    queue = np.random.default_rng(seed + 1).normal(size=(length, d))
    subjects = np.random.default_rng(seed).integers(0, 4, n)
    of_queue = np.random.default_rng(seed + 1).integers(0, 4, length)
    expected = []
    for query, key, subject in zip(unit(queries), unit(keys), subjects, strict=True):
        kept = unit(queue)[of_queue != subject] if length else queue
        logits = np.array([key @ query, *(kept @ query)]) / 0.07
        expected.append(logsumexp(logits) - logits[0])
    found = info_nce(
        *tensors(queries, keys, queue),
        subjects=torch.from_numpy(subjects),
        queue_subjects=torch.from_numpy(of_queue),
    )
    assert float(found) == pytest.approx(np.mean(expected), abs=1e-6)


@settings(max_examples=30, deadline=None)
@given(st.integers(3, 9), st.integers(2, 7), st.integers(0, 10_000))
def test_barlow_twins_is_what_numpys_correlations_give(n, d, seed):
    first, second = (1e3 * one for one in arrays(n, d, seed))
    off = numpy_correlation(first, second) - np.eye(d)
    weights = np.where(np.eye(d) > 0, 1.0, 0.005)
    found = float(barlow_twins(*tensors(first, second)))
    assert found == pytest.approx(float(np.sum(weights * off**2)), abs=1e-6)


@settings(max_examples=30, deadline=None)
@given(SHAPES, st.integers(1, 3), st.integers(2, 4))
def test_dino_is_what_numpy_computes(shape, large, views):
    n, k, seed = shape
    student = arrays(n, k, seed, views)
    teacher = arrays(n, k, seed + 1, min(large, views))
    center = np.random.default_rng(seed).normal(size=k)
    expected = [
        -np.mean(np.sum(softmax((p - center) / 0.04, axis=1) * log_softmax(q / 0.1, axis=1), axis=1))
        for i, p in enumerate(teacher)
        for j, q in enumerate(student)
        if i != j
    ]
    found = dino(tensors(*student), tensors(*teacher), torch.from_numpy(center))
    assert float(found) == pytest.approx(np.mean(expected), abs=1e-6)


@pytest.mark.parametrize("kind", ["squared", "absolute"])
@pytest.mark.parametrize("shape", [(3, 2, 5, 4), (2, 1, 3, 4, 5)])
def test_the_masked_error_is_what_numpy_computes(kind, shape):
    rng = np.random.default_rng(0)
    one, two = rng.normal(size=(2, *shape))
    hidden, brain = rng.random((2, shape[0], 1, *shape[2:])) < 0.6
    error = (one - two) ** 2 if kind == "squared" else abs(one - two)
    expected = np.mean([error[n][:, (hidden & brain)[n, 0]].mean() for n in range(shape[0])])
    found = masked_error(*tensors(one, two, hidden, brain), kind=kind)
    assert float(found) == pytest.approx(expected, abs=1e-12)


def test_what_lies_outside_the_brain_or_was_shown_counts_for_nothing():
    rng = np.random.default_rng(0)
    one, two = tensors(*rng.normal(size=(2, 2, 1, 6, 6)))
    hidden, brain = tensors(*(rng.random((2, 2, 1, 6, 6)) < 0.5))
    counted = hidden & brain
    spoilt = torch.where(counted, two, torch.nan)
    one.requires_grad_(True)
    loss = masked_error(one, spoilt, hidden, brain)
    assert float(loss.detach()) == float(masked_error(one.detach(), two, hidden, brain))
    loss.backward()
    assert torch.equal(one.grad != 0, counted)


@pytest.mark.parametrize("temperature", [0.05, 0.1, 0.5, 1.0])
def test_nt_xent_is_monais_where_that_is_stable(temperature):
    from monai.losses import ContrastiveLoss

    one, two = tensors(*arrays(16, 8, 0))
    theirs = ContrastiveLoss(temperature=temperature)(one, two)
    assert float(nt_xent(one, two, temperature=temperature)) == pytest.approx(float(theirs), abs=1e-6)


def test_barlow_twins_is_monais_but_for_the_standard_deviation():
    """MONAI divides by that of a sample (n - 1), so that even equal views keep a correlation below 1."""
    from monai.losses import BarlowTwinsLoss

    one, two = (1e3 * each for each in tensors(*arrays(12, 6, 0)))
    off = cross_correlation(one, two) * 11 / 12 - torch.eye(6)
    theirs = (off.square() * torch.where(torch.eye(6) > 0, 1.0, 0.005)).sum()
    assert float(BarlowTwinsLoss(lambd=0.005)(one, two)) == pytest.approx(float(theirs), abs=1e-6)
    assert float(barlow_twins(one, one, redundancy=0.0)) < 1e-12
    assert float(BarlowTwinsLoss(lambd=0.0)(one, one)) == pytest.approx(6 / 12**2, abs=1e-6)


@pytest.mark.parametrize("temperature", [1e-4, 1e-3, 0.011])
@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16, torch.float16])
def test_losses_and_gradients_are_finite_at_any_temperature(temperature, kind):
    one, two = (each.to(kind).requires_grad_(True) for each in tensors(*arrays(16, 8, 0)))
    age = torch.arange(16.0)
    for loss in (
        nt_xent(one, two, temperature=temperature),
        info_nce(one, two, two, temperature=temperature),
        y_aware(one, two, age, temperature=temperature),
        dino([one, two], [two, one], torch.zeros(8), teacher_temperature=temperature),
    ):
        assert loss.isfinite()
        assert loss.dtype == torch.float32
        (slope,) = torch.autograd.grad(loss, one, retain_graph=True)
        assert slope.isfinite().all()
        assert slope.any() or temperature < 0.011


@pytest.mark.parametrize("name", BY_ANGLE)
def test_halves_are_computed_in_float32_also_under_autocast(name):
    halves = [each.bfloat16() for each in tensors(*arrays(16, 8, 0))]
    expected = TWO_VIEWS[name](*(each.float() for each in halves))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(TWO_VIEWS[name](*halves), expected)
        assert torch.equal(TWO_VIEWS[name](*(each.float() for each in halves)), expected)


def test_halves_given_by_name_are_computed_in_float32():
    one, two = (each.bfloat16() for each in tensors(*arrays(16, 8, 0)))
    assert torch.equal(nt_xent(first=one, second=two), nt_xent(one.float(), two.float()))


def test_equal_embeddings_give_the_loss_of_guessing():
    same = torch.ones(8, 5, dtype=torch.float64)
    assert float(nt_xent(same, same)) == pytest.approx(math.log(15), abs=1e-12)
    assert float(y_aware(same, same, torch.arange(8.0))) == pytest.approx(math.log(15), abs=1e-12)
    assert float(info_nce(same, same, same[:6])) == pytest.approx(math.log(7), abs=1e-12)
    assert float(pairwise_margin(same, same, margin=1.0)) == pytest.approx(0.5, abs=1e-5)
    assert float(triplet(same, same, margin=0.2)) == pytest.approx(0.2, abs=1e-12)
    assert float(barlow_twins(same, same)) == pytest.approx(5, abs=1e-12)
    assert float(dino([same, same], [same, same], torch.zeros(5))) == pytest.approx(math.log(5), abs=1e-12)


def test_opposite_items_leave_no_loss():
    """Two items that lie opposite, each view where the other is: nothing is left to learn."""
    one = torch.tensor([[1.0, 0.0], [-1.0, 0.0]], dtype=torch.float64)
    assert float(nt_xent(one, one, temperature=0.05)) < 1e-12
    assert float(pairwise_margin(one, one, margin=1.5)) < 1e-10
    assert float(triplet(one, one, margin=0.5)) == 0


@pytest.mark.parametrize("name", BY_ANGLE)
@settings(max_examples=15, deadline=None)
@given(shape=SHAPES, scale=st.floats(0.01, 100))
def test_the_length_of_embeddings_does_not_matter(name, shape, scale):
    one, two = tensors(*arrays(*shape))
    loss = TWO_VIEWS[name]
    assert float(loss(scale * one, two / scale)) == pytest.approx(float(loss(one, two)), abs=1e-6)


@pytest.mark.parametrize("name", ["nt_xent", "cross_view", "pairwise_margin", "triplet"])
def test_the_order_of_items_and_of_views_does_not_matter(name):
    one, two = tensors(*arrays(9, 5, 3))
    order = torch.randperm(9, generator=torch.Generator().manual_seed(0))
    loss, subjects = TWO_VIEWS[name], torch.arange(9) // 2
    expected = float(loss(one, two, subjects=subjects))
    assert float(loss(one[order], two[order], subjects=subjects[order])) == pytest.approx(expected, abs=1e-12)
    assert float(loss(two, one, subjects=subjects)) == pytest.approx(expected, abs=1e-12)


def test_barlow_twins_knows_no_order_scale_or_offset():
    one, two = (1e3 * each for each in tensors(*arrays(9, 5, 3)))
    order = torch.randperm(9, generator=torch.Generator().manual_seed(0))
    expected = float(barlow_twins(one, two))
    assert float(barlow_twins(one[order], two[order])) == pytest.approx(expected, abs=1e-9)
    assert float(barlow_twins(7 * one + 30, two)) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("name", ["nt_xent", "cross_view", "pairwise_margin", "triplet"])
def test_items_of_the_same_subject_have_no_influence(name):
    """A batch of one person is as good as each item alone."""
    one, two = tensors(*arrays(5, 4, 1))
    loss = TWO_VIEWS[name]
    alone = [float(loss(a[None], b[None])) for a, b in zip(one, two, strict=True)]
    found = float(loss(one, two, subjects=torch.zeros(5, dtype=torch.int64)))
    assert found == pytest.approx(np.mean(alone) if name != "triplet" else 0, abs=1e-12)


def test_keys_of_the_same_subject_in_the_queue_have_no_influence():
    one, two, queue = tensors(*arrays(6, 4, 1, 3))
    subjects, of_queue = torch.arange(6), torch.tensor([0, 0, 1, 7, 8, 9])
    found = [
        info_nce(
            one[:1], two[:1], torch.cat([change * queue[:2], queue[2:]]),
            subjects=subjects[:1], queue_subjects=of_queue,
        )
        for change in (1, -1)
    ]  # fmt: skip
    assert float(found[0]) == float(found[1])
    assert float(found[0]) == pytest.approx(float(info_nce(one[:1], two[:1], queue[2:])), abs=1e-12)


def test_a_narrow_kernel_of_the_covariate_leaves_plain_contrastive_learning():
    one, two = tensors(*arrays(7, 5, 2))
    found = y_aware(one, two, 10 * torch.arange(7.0), bandwidth=0.5)
    assert float(found) == pytest.approx(float(nt_xent(one, two)), abs=1e-9)


def test_a_wide_kernel_makes_everyone_alike():
    one, two = tensors(*arrays(7, 5, 2))
    rows = torch.nn.functional.normalize(torch.cat([one, two]))
    logits = (rows @ rows.T / 0.1).fill_diagonal_(-torch.inf).log_softmax(dim=1)
    expected = -logits[~torch.eye(14, dtype=torch.bool)].mean()
    found = y_aware(one, two, torch.arange(7.0), bandwidth=1e6)
    assert float(found) == pytest.approx(float(expected), abs=1e-9)


def test_no_view_is_compared_with_itself():
    """With one view there is no pair; with two, what the teacher says of a view is not asked of that view."""
    one, two, three = tensors(*arrays(6, 4, 0, 3))
    center = torch.zeros(4, dtype=torch.float64)
    changed = dino([one, two], [three], center), dino([5 * one, two], [three], center)
    assert float(changed[0]) == float(changed[1])


def test_the_teacher_gets_no_gradient():
    one, two = (each.requires_grad_(True) for each in tensors(*arrays(6, 4, 0)))
    loss = dino([one, one], [two, two], torch.zeros(4, dtype=torch.float64))
    assert torch.autograd.grad(loss, [one, two], allow_unused=True)[1] is None
    loss = info_nce(one, two, two)
    assert torch.autograd.grad(loss, [one, two], allow_unused=True)[1] is None


def test_the_centre_moves_to_the_mean_of_the_teacher():
    one, two = tensors(*arrays(6, 4, 0))
    center = torch.zeros(4, dtype=torch.float64)
    for _ in range(200):
        center = updated_center(center, [one, two], momentum=0.9)
    assert torch.allclose(center, torch.cat([one, two]).mean(dim=0), atol=1e-8)


def test_centring_makes_all_prototypes_equally_likely_for_a_constant_teacher():
    constant = torch.tensor([[3.0, -1.0, 0.5]], dtype=torch.float64).repeat(4, 1)
    center = updated_center(torch.zeros(3, dtype=torch.float64), [constant], momentum=0.0)
    found = dino([constant * 0, constant * 0], [constant, constant], center)
    assert float(found) == pytest.approx(math.log(3), abs=1e-12)


GRADIENTS: dict[str, Callable[..., Tensor]] = {
    **TWO_VIEWS,
    "subjects": lambda a, b: nt_xent(a, b, subjects=torch.tensor([0, 0, 1, 2])),
    "barlow_twins": barlow_twins,
    "dino": lambda a, b: dino([a, a], [b, b.flip(1)], torch.zeros(3, dtype=a.dtype)),
    "masked_error": lambda a, b: masked_error(
        a[:, :, None], b[:, :, None], torch.tensor([True, False, True, True])[:, None, None],
        torch.ones(4, 1, 1, dtype=torch.bool),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradients_are_those_of_finite_differences(name):
    one, two = tensors(*arrays(4, 3, 5))
    one.requires_grad_(True)
    assert torch.autograd.gradcheck(lambda a: GRADIENTS[name](a, two), (one,), atol=1e-5)
