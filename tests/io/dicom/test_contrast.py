"""The contrast follows DICOM's own term, else the words of the name, whole words alone, and the times."""

import pytest
from pydicom.dataset import Dataset

from medunsup.io.dicom.contrast import acquisition_of, contrast_of, has_contrast_agent


@pytest.mark.parametrize(
    ("tags", "contrast"),
    [
        ({"SeriesDescription": "t1_mprage_sag_p2"}, "T1w"),
        ({"SeriesDescription": "Ax FSPGR BRAVO"}, "T1w"),
        ({"SeriesDescription": "MP2RAGE_UNI"}, "T1w"),
        ({"SeriesDescription": "sT2W/FLAIR"}, "FLAIR"),
        ({"SeriesDescription": "t2_space_dark-fluid"}, "FLAIR"),
        ({"SeriesDescription": "FSE PD AXIAL OBL"}, "PD"),
        ({"SeriesDescription": "t2_tse_tra"}, "T2w"),
        ({"SeriesDescription": "ep2d_diff DWI t2"}, None),
        ({"SeriesDescription": "TOF 3D"}, None),
        ({"RepetitionTime": 2300, "EchoTime": 3, "InversionTime": 900}, "T1w"),
        ({"RepetitionTime": 8, "EchoTime": 3.5}, "T1w"),
        ({"RepetitionTime": 450, "EchoTime": 10}, "T1w"),
        ({"RepetitionTime": 9000, "EchoTime": 100, "InversionTime": 2500}, "FLAIR"),
        ({"RepetitionTime": 4500, "EchoTime": 100}, "T2w"),
        ({"RepetitionTime": 2300, "EchoTime": 22}, "PD"),
        ({"RepetitionTime": 2300}, None),
        ({"AcquisitionContrast": "T2", "SeriesDescription": "T1"}, "T2w"),
        ({"AcquisitionContrast": "FLUID_ATTENUATED"}, "FLAIR"),
        ({"AcquisitionContrast": "DIFFUSION", "SeriesDescription": "T1"}, None),
        ({"AcquisitionContrast": "UNKNOWN", "SeriesDescription": "T1"}, "T1w"),
        ({"SeriesDescription": "sT1W_3D_TFE"}, "T1w"),
        ({"SeriesDescription": "AxT2 FSE"}, "T2w"),
        ({"SeriesDescription": "head part1"}, None),
        ({"SeriesDescription": "AX T1 FLAIR", "EchoTime": 10, "InversionTime": 860}, "T1w"),
        ({"SeriesDescription": "AX T1 FLAIR"}, "T1w"),
        ({"SeriesDescription": "Ax T1FLAIR +C"}, "T1w"),
        ({"SeriesDescription": "t1_tirm_tra_dark-fluid", "EchoTime": 9, "InversionTime": 860}, "T1w"),
        ({"SeriesDescription": "FLAIR", "RepetitionTime": 2300, "EchoTime": 9, "InversionTime": 860}, "T1w"),
        ({"SeriesDescription": "dark-fluid", "RepetitionTime": 2000, "EchoTime": 9}, "T1w"),
        ({"SeriesDescription": "Ax FLAIR", "RepetitionTime": 9000, "EchoTime": 120}, "FLAIR"),
        (
            {"SeriesDescription": "T1 FLAIR", "RepetitionTime": 9000, "EchoTime": 120, "InversionTime": 2500},
            "FLAIR",
        ),
        (
            {"SeriesDescription": "T2 FLAIR", "RepetitionTime": 4000, "EchoTime": 166, "InversionTime": 1400},
            "FLAIR",
        ),
        ({"SeriesDescription": "t2_spc_da-fl_sag_p2_iso", "EchoTime": 390, "InversionTime": 1800}, "FLAIR"),
        (
            {"SeriesDescription": "T2 sag", "RepetitionTime": 9000, "EchoTime": 120, "InversionTime": 2500},
            "FLAIR",
        ),
        (
            {
                "SeriesDescription": "DIR_space",
                "RepetitionTime": 7500,
                "EchoTime": 300,
                "InversionTime": 3000,
            },
            None,
        ),
        ({"SeriesDescription": "t2_tirm_tra_dark-fluid", "EchoTime": 90, "InversionTime": 2500}, "FLAIR"),
        (
            {
                "SeriesDescription": "t2_tirm_cor",
                "RepetitionTime": 4500,
                "EchoTime": 60,
                "InversionTime": 150,
            },
            None,
        ),
        (
            {"SeriesDescription": "COR STIR", "RepetitionTime": 4500, "EchoTime": 60, "InversionTime": 150},
            None,
        ),
        ({"RepetitionTime": 4500, "EchoTime": 30, "InversionTime": 160}, None),
        ({"RepetitionTime": 8, "EchoTime": 3, "InversionTime": 450}, "T1w"),
        ({"SeriesDescription": "MPRAGE HeadCoil"}, "T1w"),
        ({"SeriesDescription": "mprage headcoil"}, "T1w"),
        ({"SeriesDescription": "T1 swiss study"}, "T1w"),
        ({"SeriesDescription": "T1 tse overflow"}, "T1w"),
        ({"SeriesDescription": "T2 tse perfect"}, "T2w"),
        ({"SeriesDescription": "t2_tse_flow_comp"}, "T2w"),
        ({"SeriesDescription": "T1_MPRAGE_for_perfusion"}, "T1w"),
        (
            {"SeriesDescription": "t1_fMRI", "RepetitionTime": 2300, "EchoTime": 3, "InversionTime": 900},
            "T1w",
        ),
        ({"SeriesDescription": "rsfMRI t1", "RepetitionTime": 2000, "EchoTime": 30}, None),
        ({"SeriesDescription": "pcASL"}, None),
        ({"SeriesDescription": "eADC"}, None),
        ({"SeriesDescription": "mp2rage_T1_Map"}, None),
        ({"SeriesDescription": "T2* GRE"}, None),
        ({"SeriesDescription": "gre_field_mapping", "RepetitionTime": 500, "EchoTime": 5}, None),
        ({"SeriesDescription": "spine T10-T12"}, None),
        ({"SeriesDescription": "Axial PD/T2 FSE", "RepetitionTime": 3000, "EchoTime": 14}, "PD"),
        ({"SeriesDescription": "Axial PD/T2 FSE", "RepetitionTime": 3000, "EchoTime": 92}, "T2w"),
        ({"SeriesDescription": "T1 post", "ProtocolName": "brain T2 FLAIR T1"}, "T1w"),
        ({"SeriesDescription": "sag", "ProtocolName": "t2_tse"}, "T2w"),
    ],
    ids=str,
)
def test_contrast_follows_the_name_and_else_the_times(tags, contrast):
    header = Dataset()
    for name, value in tags.items():
        setattr(header, name, value)
    assert contrast_of(header) == contrast


@pytest.mark.parametrize(("gap", "kind"), [(1.0, "3D"), (5.0, "2D"), (None, None)])
def test_thin_slices_count_as_3d_where_the_header_does_not_say(gap, kind):
    header = Dataset()
    if gap is not None:
        header.SliceThickness = gap
    assert acquisition_of(header) == kind


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        ({"ContrastBolusAgent": "GADOVIST"}, True),
        ({"ContrastBolusAgentSequence": [Dataset()]}, True),
        ({"SeriesDescription": "AX T1 +C"}, True),
        ({"SeriesDescription": "t1_mprage_post_contrast"}, True),
        ({"SeriesDescription": "T1_Gd_sag"}, True),
        ({"SeriesDescription": "t1 mpr KM"}, True),
        ({"ContrastBolusAgent": "NONE", "SeriesDescription": "t1"}, False),
        ({"ContrastBolusAgent": "", "SeriesDescription": "t1_mprage_C-spine"}, False),
        ({"SeriesDescription": "t1 posterior fossa cor"}, False),
    ],
)
def test_a_contrast_agent_is_told_by_its_tag_or_the_series_name(tags, said):
    header = Dataset()
    for name, value in tags.items():
        setattr(header, name, value)
    assert has_contrast_agent(header) == said
