import numpy as np
import pytest

from medunsup.core.errors import UsageError
from medunsup.core.geometry import Grid
from medunsup.core.volume import Volume
from medunsup.preprocess.geometry.template import load_template
from medunsup.preprocess.geometry.template_grid import ModelSpace

SOMEWHERE = np.array(
    [[0.97, -0.06, 0.03, 12.3], [0.05, 0.94, -0.12, -7.6], [-0.02, 0.11, 0.98, 21.4], [0, 0, 0, 1.0]]
)


@pytest.mark.parametrize("spacing_mm", [1.0, 2.0, 3.0])
def test_grid_holds_the_whole_template_and_can_be_halved_four_times(spacing_mm):
    space = ModelSpace(spacing_mm)
    assert all(side % 16 == 0 for side in space.shape)
    held = space.to_template_grid(load_template().mask, np.eye(4)).sum() * spacing_mm**3 / 1000
    assert held == pytest.approx(load_template().volume_ml, rel=2e-3)


def test_two_millimetres_give_the_customary_grid():
    assert ModelSpace().shape == (80, 96, 80)


def test_scan_on_the_usual_two_millimetre_grid_is_not_interpolated():
    affine = np.diag([2.0, 2, 2, 1])
    affine[:3, 3] = (-98, -134, -72)
    noise = np.random.default_rng(0).normal(size=(99, 117, 95)).astype(np.float32)
    on_grid = ModelSpace().to_template_grid(Volume(noise, affine), np.eye(4))
    assert np.isin(on_grid[on_grid != 0], noise).all()


def test_label_map_comes_back_from_the_grid_as_it_was():
    template = load_template()
    affine = SOMEWHERE @ template.mask.affine
    shape = template.mask.shape
    for tissue in (template.gm, template.wm, template.csf):
        truth = tissue.data > 0.5
        on_grid = ModelSpace(1.0).to_template_grid(Volume(truth.astype(np.float32), affine), SOMEWHERE)
        back = ModelSpace(1.0).to_native(on_grid, SOMEWHERE, Grid(shape, affine)) > 0.5
        assert 2 * (truth & back).sum() / (truth.sum() + back.sum()) >= 0.99


def test_label_map_between_the_grid_points_comes_back_with_little_loss():
    template, space = load_template(), ModelSpace(1.0)
    affine = template.mask.affine.copy()
    affine[:3, 3] += (0.31, -0.47, 0.23)
    truth = template.wm.data > 0.5
    on_grid = space.to_template_grid(Volume(truth.astype(np.float32), affine), np.eye(4))
    back = space.to_native(on_grid, np.eye(4), Grid(truth.shape, affine)) > 0.5
    assert 2 * (truth & back).sum() / (truth.sum() + back.sum()) >= 0.99


def test_detail_finer_than_the_grid_does_not_fold_back():
    fine = Volume(np.indices((160, 192, 160)).sum(axis=0).astype(np.float32) % 2, ModelSpace(1.0).grid.affine)
    on_grid = ModelSpace(2.0).to_template_grid(fine, np.eye(4))[5:-5, 5:-5, 5:-5]
    assert np.abs(on_grid - 0.5).max() < 0.05


@pytest.mark.parametrize("spacing_mm", [0.1, 20.0])
def test_spacing_without_sense_is_refused(spacing_mm):
    with pytest.raises(UsageError, match="spacing"):
        ModelSpace(spacing_mm)
