"""No weight gets lost between two networks: each fits, is a fault, or is named as unused."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from medunsup.nn.fit_names import fit_names, renamed

NAMES = st.sampled_from(["stem.w", "a.w", "a.b", "b.w", "b.opt.w", "norm.w"])
SHAPES = st.sampled_from([(2,), (2, 1, 3), (2, 4, 3), (3, 1, 3)])
WEIGHTS = st.dictionaries(NAMES, SHAPES.map(torch.ones))


def fit(source, target, prefix, **how):
    there = {prefix + name: value for name, value in target.items()} | {"head.w": torch.ones(1)}
    return there, fit_names(source, there, {"": prefix}, stem="stem.", optional=("opt",), **how)


@settings(max_examples=200, deadline=None)
@given(source=WEIGHTS, target=WEIGHTS, prefix=st.sampled_from(["", "trunk.", "trunk.encoder."]))
def test_every_weight_of_the_source_is_accounted_for_once(source, target, prefix):
    there, found = fit(source, target, prefix)
    for name in source:
        said = [prefix + name in found.values, name in found.faults, name in found.unused]
        assert sum(said) == 1, name
    assert all(value.shape == there[name].shape for name, value in found.values.items())


@settings(max_examples=200, deadline=None)
@given(source=WEIGHTS, target=WEIGHTS)
def test_every_weight_of_the_targets_encoder_is_accounted_for(source, target):
    _, found = fit(source, target, "trunk.")
    for name in target:
        there = f"trunk.{name}"
        assert there in found.values or {there, name} & (found.faults.keys() | set(found.unused))
    assert "head.w" not in found.faults


@settings(max_examples=100, deadline=None)
@given(weights=WEIGHTS, prefix=st.sampled_from(["", "trunk."]))
def test_a_network_fits_its_copy_and_no_value_changes(weights, prefix):
    _, found = fit(weights, weights, prefix)
    assert (found.faults, found.unused, found.times) == ({}, [], 1)
    assert all(found.values[prefix + name] is value for name, value in weights.items())


def test_only_the_stem_is_repeated_for_more_channels():
    one, three = {"stem.w": torch.ones(2, 1, 3), "a.w": torch.ones(2, 1, 3)}, torch.ones(2, 3, 3)
    _, found = fit(one, {"stem.w": three, "a.w": three}, "")
    assert (found.times, list(found.faults)) == (3, ["a.w"])
    assert torch.allclose(found.values["stem.w"].sum(dim=1), one["stem.w"].sum(dim=1))


def test_the_longest_beginning_counts():
    names = {"": "net.", "stem.": "first.", "stem.norm.": "norm."}
    assert [renamed(name, names) for name in ("a.w", "stem.w", "stem.norm.w")] == [
        "net.a.w",
        "first.w",
        "norm.w",
    ]
    assert renamed("a.w", {"stem.": "first."}) is None
