"""Well-known places of MNI space lie in the lobes that atlases give them."""

import pytest

from medunsup.preprocess.geometry.lobes import lobe_at, side_of


@pytest.mark.parametrize(
    ("point_mm", "lobe"),
    [
        ((-46, 16, 24), "frontal lobe"),  # Broca's area
        ((0, 52, 0), "frontal lobe"),  # medial prefrontal cortex
        ((36, -20, 58), "frontal lobe"),  # hand knob of the motor cortex
        ((-44, -50, 48), "parietal lobe"),  # inferior parietal lobule
        ((2, -60, 44), "parietal lobe"),  # precuneus
        ((10, -90, 2), "occipital lobe"),  # primary visual cortex
        ((-58, -24, -6), "temporal lobe"),  # middle temporal gyrus
        ((26, -14, -20), "temporal lobe"),  # hippocampus
        ((-45, -20, 8), "temporal lobe"),  # Heschl's gyrus
        ((-60, -40, 12), "temporal lobe"),  # posterior superior temporal gyrus
        ((-58, -50, 6), "temporal lobe"),  # posterior middle temporal gyrus
        ((-37, -40, 2), "temporal lobe"),  # its white matter
        ((42, -52, -18), "temporal lobe"),  # fusiform face area
        ((-55, -50, -16), "temporal lobe"),  # inferior temporal gyrus
        ((-15, -85, -13), "occipital lobe"),  # lingual gyrus
        ((48, 20, 0), "frontal lobe"),  # inferior frontal gyrus
        ((-38, 4, 0), "insula"),
        ((12, -18, 8), "deep brain"),  # thalamus
        ((-26, 4, 0), "deep brain"),  # putamen
        ((24, -62, -34), "cerebellum or brain stem"),
        ((0, -24, -32), "cerebellum or brain stem"),  # pons
    ],
)
def test_known_places_lie_in_their_lobes(point_mm, lobe):
    assert lobe_at(point_mm) == lobe


@pytest.mark.parametrize(("x_mm", "side"), [(-20, "left"), (3, "midline"), (20, "right")])
def test_negative_x_is_left(x_mm, side):
    assert side_of(x_mm) == side
