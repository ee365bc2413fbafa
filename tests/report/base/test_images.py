"""What the slices show: the right side, the right place, the right shape."""

import base64
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from medunsup.core.labels import TISSUES
from medunsup.core.volume import Volume
from medunsup.report.base.images import address
from medunsup.report.base.outline import outline
from medunsup.report.base.slices import AXIAL, PLANES, SAGITTAL, coordinate_mm, cut, positions, tilt_degrees
from medunsup.report.base.text import oblique_note
from medunsup.report.segment.mosaic import mosaic, uncertainty_tiles
from medunsup.report.segment.thumbnail import thumbnail
from medunsup.tissue.result import TissueResult


def pixels(picture: str | bytes) -> np.ndarray:
    """Pixels of a data address or a file."""
    file = picture if isinstance(picture, bytes) else base64.b64decode(picture.split(",", 1)[1])
    return np.asarray(Image.open(BytesIO(file)))


def middle_of_mark(picture: np.ndarray) -> tuple[float, float]:
    """Where the white block lies, as shares of height and width; it is the only white."""
    rows, columns = np.nonzero(picture > 200)
    return rows.mean() / picture.shape[0], columns.mean() / picture.shape[1]


@pytest.fixture(scope="module")
def marked_tiles(only_the_mark: TissueResult) -> dict[str, np.ndarray]:
    """The slice of each plane that shows most of the mark."""
    tiles = mosaic(only_the_mark)
    return {
        plane: max((pixels(tile.picture) for tile in row), key=lambda p: int((p > 200).sum()))
        for plane, row in tiles.items()
    }


@pytest.mark.parametrize("plane", ["axial", "coronal"])
def test_the_patients_right_is_at_the_left_of_the_picture(
    marked_tiles: dict[str, np.ndarray], plane: str
) -> None:
    _, column = middle_of_mark(marked_tiles[plane])
    assert column < 0.42


def test_the_letters_agree_with_the_picture() -> None:
    assert all((plane.left, plane.right) == ("R", "L") for plane in PLANES if plane is not SAGITTAL)
    assert (SAGITTAL.left, SAGITTAL.right) == ("A", "P")


@pytest.mark.parametrize(
    ("plane", "axis", "row", "column"),
    [(p, a, *w) for p in PLANES for a, w in {p.up: (0, None), p.across: (None, 0)}.items()],
)
def test_right_anterior_and_superior_lie_where_the_letters_say(plane, axis, row, column) -> None:
    """A plane of ones at the far end of an axis appears at the top row or in the left column."""
    data = np.zeros((5, 6, 7))
    data[tuple(-1 if n == axis else slice(None) for n in range(3))] = 1
    picture = cut(data, plane, 2)
    edge = picture[row] if row is not None else picture[:, column]
    assert edge.all()
    assert picture.sum() == edge.size


def test_thick_slices_are_drawn_in_true_proportion(thick: TissueResult) -> None:
    tiles = mosaic(thick)
    for row in tiles.values():
        for tile in row:
            height, width = pixels(tile.picture).shape
            sides = {"axial": (2.0, 2.0), "coronal": (2.0, 8.0), "sagittal": (2.0, 8.0)}[tile.plane.name]
            assert (tile.width_mm, tile.height_mm) == (width * sides[0], height * sides[1])
    axial, coronal = tiles["axial"][0], tiles["coronal"][0]
    assert axial.width_mm == coronal.width_mm


def test_a_few_thick_slices_are_shown_once_each(thick: TissueResult) -> None:
    shown = positions(thick.brain_mask.data[:, :, 6:11], AXIAL, 10)
    assert shown == sorted(set(shown))
    assert len(shown) <= 5


def test_each_slice_tells_its_place_in_the_world(result: TissueResult) -> None:
    grid = result.image.grid
    for index in (0, 7):
        along = (grid.affine @ [0, 0, index, 1])[2]
        assert coordinate_mm(grid, AXIAL, index) == pytest.approx(along)
    tile = mosaic(result)["axial"][0]
    assert tile.coordinate.startswith("z = −")


def test_air_around_the_brain_changes_no_slice_but_its_margin(
    only_the_mark: TissueResult, only_the_mark_padded: TissueResult
) -> None:
    before, after = (mosaic(scan) for scan in (only_the_mark, only_the_mark_padded))
    for plane in before:
        assert [tile.coordinate for tile in before[plane]] == [tile.coordinate for tile in after[plane]]
        assert after[plane][0].width_mm < before[plane][0].width_mm + 16


def test_moving_the_scan_in_the_world_moves_its_coordinates(result: TissueResult) -> None:
    moved = result.image.affine.copy()
    moved[2, 3] += 100
    there = replace(result, image=replace(result.image, affine=moved))
    shift = [
        int(b.coordinate.split()[2].replace("−", "-")) - int(a.coordinate.split()[2].replace("−", "-"))
        for a, b in zip(mosaic(result)["axial"], mosaic(there)["axial"], strict=True)
    ]
    assert set(shift) == {100}


def test_a_tilted_scan_is_told_to_be_tilted(result: TissueResult) -> None:
    angle = np.deg2rad(20)
    turn = np.eye(4)
    turn[1:3, 1:3] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    tilted = Volume(result.image.data, turn @ result.image.affine)
    assert tilt_degrees(tilted.grid) == pytest.approx(20)
    assert "20°" in oblique_note(tilted)
    assert oblique_note(result.image) == ""


def test_every_border_is_drawn_once_in_the_inner_tissues_colour() -> None:
    gm, wm, csf = (label.index for label in TISSUES)
    labels = np.array([[0, csf, csf, csf, gm, gm, gm, wm, wm, wm]] * 3, np.uint8)
    assert outline(labels, TISSUES)[1].tolist() == [0, csf, 0, 0, gm, 0, 0, wm, 0, 0]


def test_a_flat_region_has_no_outline() -> None:
    assert not outline(np.full((4, 4), 2, np.uint8), TISSUES).any()


def test_the_tissues_have_the_colours_of_the_table(result: TissueResult) -> None:
    tile = mosaic(result)["axial"][5]
    picture = np.asarray(Image.open(BytesIO(base64.b64decode(tile.fill.split(",", 1)[1]))).convert("RGBA"))
    seen = {tuple(colour) for colour in picture[picture[..., 3] > 0][:, :3].tolist()}
    assert seen == {label.rgb for label in TISSUES}


def test_sure_voxels_are_dark_and_torn_ones_bright(result: TissueResult) -> None:
    doubt = np.where(np.arange(result.image.shape[0])[:, None, None] > result.image.shape[0] // 2, 1.0, 0.0)
    torn = result.uncertainty.like(np.broadcast_to(doubt, result.image.shape).astype(np.float32))
    tile = uncertainty_tiles(replace(result, uncertainty=torn))[1]
    picture = Image.open(BytesIO(base64.b64decode(tile.picture.split(",", 1)[1]))).convert("L")
    grey = np.asarray(picture, float)
    half = grey.shape[1] // 2
    assert grey[:, :half].max() > 200  # torn on the patient's right, so at the left
    assert grey[:, half + 2 :].max() < 60


def test_the_thumbnail_is_small_and_in_proportion(result: TissueResult, thick: TissueResult) -> None:
    assert len(address(thumbnail(result), "jpeg")) < 7_000  # 500 of them stay below 3.5 MB
    first, second = pixels(thumbnail(result)), pixels(thumbnail(thick))
    assert first.shape[0] == second.shape[0]
    assert abs(first.shape[1] - second.shape[1]) <= 12


def test_outlines_are_equally_thin_along_thick_slices(thick: TissueResult) -> None:
    tile = mosaic(thick)["coronal"][5]
    drawn = np.asarray(Image.open(BytesIO(base64.b64decode(tile.outline.split(",", 1)[1])))) > 0
    row_mm, column_mm = tile.height_mm / drawn.shape[0], tile.width_mm / drawn.shape[1]
    assert row_mm == pytest.approx(column_mm, rel=0.05)


@pytest.mark.parametrize(("axis", "plane"), [(2, "axial"), (0, "sagittal")])
def test_a_scan_of_one_slice_is_shown_in_the_one_plane_that_cuts_it(result, axis, plane) -> None:
    where = [slice(None)] * 3
    where[axis] = slice(20, 21)

    def slice_of(volume: Volume) -> Volume:
        return Volume(volume.data[tuple(where)], volume.affine, volume.kind)

    names = ("image", "brain_mask", "labels", "uncertainty")
    single = replace(result, **{name: slice_of(getattr(result, name)) for name in names})
    assert [tile.plane.name for tile in uncertainty_tiles(single)] == [plane]
    assert {name: len(tiles) for name, tiles in mosaic(single).items()} == {plane: 1}
    assert pixels(thumbnail(single)).shape[0] == 96


def test_a_scan_that_is_small_all_round_is_shown_in_all_planes(result) -> None:
    middle = tuple(slice(20, 25) for _ in range(3))
    names = ("image", "brain_mask", "labels", "uncertainty")
    small = {name: getattr(result, name) for name in names}
    parts = {name: Volume(one.data[middle], one.affine, one.kind) for name, one in small.items()}
    assert list(mosaic(replace(result, **parts))) == [plane.name for plane in PLANES]
