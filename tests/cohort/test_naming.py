"""How results are called, and what a name says of a scan."""

from pathlib import Path

import pytest

from medunsup.core.errors import UsageError
from medunsup.io.bids.names import (
    contrast_of_name,
    dataset_root,
    link_to,
    names_contrast_agent,
    output_names,
    sidecar_path,
    source_uri,
    stem,
)
from medunsup.workflows.attention.outputs import OUTPUTS as ATTENTION
from medunsup.workflows.detect.outputs import OUTPUTS as DETECT
from medunsup.workflows.segment.outputs import CORRECTED, DSEG, MASK, OUTPUTS, PROBSEG
from medunsup.workflows.segment.settings import SegmentSettings
from medunsup.workflows.train.settings import TrainSettings


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("scan.nii.gz", "scan"),
        ("scan.NII.GZ", "scan"),
        ("a.b.nii", "a.b"),
        ("brain.mgz", "brain"),
        ("x.dcm", "x"),
    ],
)
def test_a_stem_is_the_name_without_its_image_ending(name, expected):
    assert stem(Path(name)) == expected


def test_a_scan_outside_bids_gets_its_results_beside_it():
    names = output_names(Path("/data/scan.nii.gz"), None)
    assert names.path(DSEG) == Path("/data/scan_dseg.nii.gz")
    assert names.path(PROBSEG, "GM") == Path("/data/scan_label-GM_probseg.nii.gz")
    assert names.path(MASK) == Path("/data/scan_desc-brain_mask.nii.gz")
    assert sidecar_path(names.path(DSEG)) == Path("/data/scan_dseg.json")


def test_a_bids_scan_keeps_its_entities_and_goes_to_its_subject_and_session():
    names = output_names(Path("sub-01_ses-2_acq-hi_run-1_T1w.nii.gz"), Path("out"))
    assert names.path(DSEG) == Path("out/sub-01/ses-2/anat/sub-01_ses-2_acq-hi_run-1_dseg.nii.gz")
    corrected = names.path(CORRECTED).name
    assert corrected == "sub-01_ses-2_acq-hi_run-1_desc-biascorrected_T1w.nii.gz"


@pytest.mark.parametrize(
    "output", [one for one in OUTPUTS + DETECT + ATTENTION if one.is_map], ids=lambda one: one.key
)
def test_no_name_has_an_entity_twice(output):
    scan = Path("sub-01_ses-2_space-T1w_label-head_desc-preproc_T1w.nii.gz")
    name = output_names(scan, Path("out")).path(output, "GM").name
    entities = [part.partition("-")[0] for part in name.split("_")[:-1]]
    assert len(entities) == len(set(entities))
    assert name.startswith("sub-01_ses-2_space-T1w_")
    assert "preproc" not in name


def test_a_scan_of_a_bids_data_set_goes_to_its_derivatives(tmp_path):
    (tmp_path / "dataset_description.json").write_text("{}")
    scan = tmp_path / "sub-01" / "anat" / "sub-01_T1w.nii.gz"
    assert dataset_root(scan) == tmp_path
    names = output_names(scan, None)
    assert names.folder == tmp_path / "derivatives" / "medunsup" / "sub-01" / "anat"


def test_a_lone_file_with_a_bids_name_is_treated_like_any_other(tmp_path):
    assert output_names(tmp_path / "sub-01_T1w.nii.gz", None).folder == tmp_path


@pytest.mark.parametrize(
    ("name", "contrast"),
    [
        ("sub-1_T1w.nii.gz", "T1w"),
        ("x_FLAIR.nii", "FLAIR"),
        ("s_PDw.nii.gz", "PD"),
        ("T2w.mgz", "T2w"),
        ("scan.nii", None),
        ("T1.nii.gz", "T1w"),
        ("t2.nii", "T2w"),
        ("Flair_subtrMeanDivStd.nii.gz", "FLAIR"),
        ("113-02-FLAIR_processed_reg.nii.gz", "FLAIR"),
        ("IXI002-Guys_MPRAGE_1.nii.gz", "T1w"),
        ("BraTS-00-t2f.nii.gz", "FLAIR"),
        ("T2_FLAIR.nii.gz", "FLAIR"),
        ("FLAIR_to_T1.nii.gz", None),
        ("T2_to_FLAIR_1.nii.gz", None),
        ("AX_T1_FLAIR.nii.gz", None),
        ("AX_T1_FLAIR_5.nii.gz", None),
        ("t2_flair_sag_4.nii.gz", "FLAIR"),
        ("t2_tirm_tra_dark-fluid_5.nii.gz", "FLAIR"),
        ("t1_tirm_tra_dark-fluid_5.nii.gz", None),
        ("t2_tirm_cor_6.nii.gz", None),
        ("T2_STIR_7.nii.gz", None),
        ("T1_map.nii.gz", None),
        ("t2_star_3.nii.gz", None),
        ("DWI_to_T1.nii.gz", None),
        ("sub-1_space-T1w_desc-preproc_T2w.nii.gz", "T2w"),
        ("sub-1_space-T1w_bold.nii.gz", None),
        ("part1_st2.nii.gz", None),
        ("PD-007.nii.gz", None),
        ("PD-007-T1.nii.gz", "T1w"),
        ("x_t1ce.nii.gz", None),
        ("x-T1Gd.nii.gz", None),
        ("T1c.nii", None),
        ("T1_post.nii.gz", None),
        ("p1_T2FLAIR.nii.gz", "FLAIR"),
        ("sub-1_inv-1_part-phase_MP2RAGE.nii.gz", None),
    ],
)
def test_the_words_of_a_name_say_the_contrast_unless_they_disagree(name, contrast):
    assert contrast_of_name(name) == contrast


@pytest.mark.parametrize(
    ("word", "contrast"), [("t1", "T1w"), ("T2", "T2w"), ("flair", "FLAIR"), ("pd", "PD")]
)
def test_a_contrast_may_be_asked_for_as_people_write_it(word, contrast):
    assert SegmentSettings(contrast=word).contrast == contrast
    assert TrainSettings(contrast=word).contrast == contrast


@pytest.mark.parametrize("word", ["T9", "t1c", 3])
def test_an_unknown_contrast_is_refused_with_the_known_ones(word):
    with pytest.raises(UsageError, match="'T1w', 'T2w', 'FLAIR' or 'PD'"):
        SegmentSettings.parse({"contrast": word})


def test_a_source_is_named_by_a_link_that_tells_no_folder_of_the_user(tmp_path):
    raw = tmp_path / "study"
    (raw / "sub-01").mkdir(parents=True)
    (raw / "dataset_description.json").write_text("{}")
    scan = raw / "sub-01" / "sub-01_T1w.nii.gz"
    assert link_to(raw, raw / "derivatives" / "medunsup") == "../.."
    assert source_uri(scan, raw / "derivatives" / "medunsup") == "bids:raw:sub-01/sub-01_T1w.nii.gz"
    assert source_uri(scan, tmp_path / "results") == "bids:raw:sub-01/sub-01_T1w.nii.gz"
    assert link_to(Path("/home/ann/study"), Path("/scratch/out")) is None
    assert source_uri(scan, None) == "sub-01_T1w.nii.gz"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("sub-01_ce-gad_T1w.nii.gz", True),
        ("sub-01_ce-none_T1w.nii.gz", False),
        ("sub-post_T1w.nii.gz", False),
        ("p7_T1c.nii.gz", True),
        ("T1POST.nii.gz", True),
        ("T1Gd.nii", True),
        ("p7_t1_post.nii.gz", True),
        ("p7_T1w.nii.gz", False),
        ("c_T1.nii.gz", False),
    ],
)
def test_a_contrast_agent_is_told_by_the_name(name, said):
    assert names_contrast_agent(name) == said


def test_a_uniform_mp2rage_image_is_t1w():
    assert contrast_of_name("sub-01_UNIT1.nii.gz") == "T1w"
