"""Every table of names and colours says the same, read by the rules of the program it is for."""

from medunsup.core.labels import TISSUES, class_table
from medunsup.workflows.segment.tables import dseg_tsv, freesurfer, fsleyes, itksnap, slicer, volumes_tsv


def test_the_bids_table_has_the_standard_columns_and_order():
    header, *rows = [line.split("\t") for line in dseg_tsv(TISSUES).splitlines()]
    assert header == ["index", "name", "abbreviation", "color"]
    assert [row[0] for row in rows] == ["1", "2", "3"]
    assert [row[2] for row in rows] == ["GM", "WM", "CSF"]


def test_all_viewers_get_the_same_colours():
    expected = {label.index: label.rgb for label in TISSUES}

    def numbers(text, first, scale=1.0):
        rows = [line.split() for line in text.splitlines() if line[0].isdigit() and line[0] != "0"]
        return {int(row[0]): tuple(round(float(v) * scale) for v in row[first : first + 3]) for row in rows}

    assert numbers(freesurfer(TISSUES), 2) == expected
    assert numbers(slicer(TISSUES), 2) == expected
    assert numbers(itksnap(TISSUES), 1) == expected
    assert numbers(fsleyes(TISSUES), 1, 255) == expected


def test_freesurfer_and_slicer_names_hold_no_space():
    for text in (freesurfer(class_table(5)), slicer(class_table(5))):
        assert all(len(line.split()) == 6 for line in text.splitlines() if not line.startswith("#"))


def test_the_volume_table_adds_up_to_the_mask(make_result):
    result = make_result()
    header, *rows = [line.split("\t") for line in volumes_tsv(result).splitlines()]
    shares = [float(row[header.index("fraction_of_mask")]) for row in rows]
    assert abs(sum(shares[:3]) - shares[3]) < 1e-4
    assert all(float(cell) >= 0 for row in rows for cell in row[3:])
