"""Pictures of an evaluation's scans: true to left and right, through what matters, never too many."""

from base64 import b64decode
from io import BytesIO

import numpy as np
import pytest
from helpers.evaluated import evaluation
from PIL import Image

from medunsup.core.volume import Volume
from medunsup.report.evaluate import page as page_of
from medunsup.report.evaluate.case_picture import HEIGHT, case_picture, where
from medunsup.report.evaluate.case_slices import cut_slices, read_slices, write_slices

SHAPE = (40, 48, 32)
LEFT = np.s_[8:14, 20:26, 20:26]  # RAS+: low first index is the patient's left


def slices(truth=None, marked=None, spacing=(2.0, 2.0, 2.0), rare=None):
    """Slices through a grey brain in a dark box."""
    brain = np.zeros(SHAPE, bool)
    brain[4:36, 4:44, 4:28] = True
    values = np.where(brain, np.linspace(90, 10, SHAPE[1])[None, :, None], 0).astype(np.float32)
    calibrated = np.zeros(SHAPE, np.float32)
    if rare is not None:
        calibrated[rare] = 5
    masks = [np.zeros(SHAPE, bool) if part is None else _filled(part) for part in (marked, truth)]
    image = Volume(values, np.diag([*spacing, 1.0]))
    return cut_slices(image, brain, calibrated, masks[0], masks[1] if truth else None)


def drawn(**what):
    """The picture's pixels (rows, columns, 3) and its words."""
    cut = slices(**what)
    picture = Image.open(BytesIO(b64decode(case_picture(cut).split(",", 1)[1])))
    return np.asarray(picture.convert("RGB")).astype(int), where(cut)


def _filled(part):
    mask = np.zeros(SHAPE, bool)
    mask[part] = True
    return mask


def difference(pixels):
    """Where the second of the axial halves differs from the first: columns of one half, as shares."""
    # 40 x 48 and 40 x 32 voxels after cropping to the brain and 8 mm: all of it
    width = round(HEIGHT * SHAPE[0] / SHAPE[1])
    plain, over = pixels[:, :width], pixels[:, width : 2 * width]
    columns = np.flatnonzero((np.abs(over - plain).max(axis=2) > 60).any(axis=0))
    return columns / width


def test_what_is_on_the_patients_left_is_drawn_at_the_right():
    columns = difference(drawn(truth=LEFT)[0])
    assert columns.size
    assert columns.min() > 0.5


def test_slices_go_through_the_lesion_even_if_something_else_was_found():
    words = drawn(truth=LEFT, marked=np.s_[20:30, 6:12, 6:10])[1]
    z, y = (int(part.split("= +")[1].removesuffix(" mm")) for part in words.split(", "))
    assert 40 <= z <= 50
    assert 40 <= y <= 50


@pytest.mark.parametrize("how", [{"marked": LEFT}, {"rare": LEFT}])
def test_without_lesions_slices_go_through_what_was_found(how):
    words = drawn(**how)[1]
    assert 40 <= int(words.split("= +")[1].split(" mm")[0]) <= 50


def test_nothing_is_drawn_over_a_brain_without_lesions_and_findings():
    pixels, _ = drawn()
    assert not difference(pixels).size
    assert pixels[:, : pixels.shape[1] // 4].max() > 100  # and the slices go through the brain


def test_slices_are_true_to_the_millimetre():
    cubes = drawn(truth=LEFT)[0].shape
    flat = drawn(truth=LEFT, spacing=(1.0, 1.0, 4.0))[0].shape
    assert cubes[0] == flat[0] == HEIGHT
    assert cubes[1] == pytest.approx(2 * HEIGHT * (40 / 48 + 40 / 32), abs=4)
    assert flat[1] < cubes[1]


def test_slices_kept_on_disk_give_the_same_picture(tmp_path):
    made = slices(truth=LEFT, marked=np.s_[20:30, 6:12, 6:10], spacing=(0.7, 0.7, 3.1))
    write_slices(made, tmp_path / "case.npz")
    kept = read_slices(tmp_path / "case.npz")
    assert (case_picture(kept), where(kept)) == (case_picture(made), where(made))


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_slices_cut_short_are_none(tmp_path, share):
    write_slices(slices(truth=LEFT), tmp_path / "case.npz")
    content = (tmp_path / "case.npz").read_bytes()
    (tmp_path / "case.npz").write_bytes(content[: int(share * len(content))])
    assert read_slices(tmp_path / "case.npz") == ()


def test_the_page_shows_the_least_well_found_first_and_no_more_than_fit(tmp_path, monkeypatch):
    result = evaluation([0.7, 0.2, 0.5], [0.1, 0.1, 0.1])
    files = [tmp_path / f"{n}.npz" for n in range(len(result.cases))]
    for file in files:
        write_slices(slices(), file)

    def order():
        text = page_of.write_evaluation(result, tmp_path / "page.html", files).read_text("utf-8")
        return [part.split('alt="sub-')[1][0] for part in text.split('src="data:')[1:]]

    assert order()[:3] == ["1", "2", "0"]
    assert len(order()) == len(result.cases)
    monkeypatch.setattr(page_of, "PICTURE_BYTES", 2 * len(case_picture(slices())))
    assert order() == ["1", "2"]
