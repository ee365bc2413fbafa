"""Of what BIDS names say is one acquisition, one magnitude image is taken, and each other is counted."""

from pathlib import Path

from medunsup.cohort.dataset.same_scan import without_repeats


def taken(*names: str) -> list[str]:
    kept, _ = without_repeats([Path("sub-1/anat") / f"{name}.nii.gz" for name in names])
    return [path.name.removesuffix(".nii.gz") for path in kept]


def test_phase_real_and_imaginary_images_are_left_out_and_counted():
    names = [f"sub-1_part-{part}_T1w.nii.gz" for part in ("imag", "mag", "phase", "real")]
    kept, why = without_repeats([Path(name) for name in names])
    assert [path.name for path in kept] == ["sub-1_part-mag_T1w.nii.gz"]
    assert dict(why) == {f"{kind} image, by its name": 1 for kind in ("imaginary", "phase", "real")}


def test_of_echoes_and_reconstructions_the_plainest_is_taken_then_the_first():
    assert taken("sub-1_T1w", "sub-1_echo-1_T1w", "sub-1_rec-norm_T1w", "sub-1_part-mag_T1w") == ["sub-1_T1w"]
    assert taken("sub-1_echo-2_T1w", "sub-1_echo-1_T1w", "sub-1_echo-1_part-phase_T1w") == [
        "sub-1_echo-1_T1w"
    ]


def test_runs_acquisitions_and_sessions_are_scans_of_their_own():
    names = ["sub-1_run-1_T1w", "sub-1_run-2_T1w", "sub-1_acq-low_T1w", "sub-1_ses-2_T1w", "sub-2_T1w"]
    assert taken(*names) == names


def test_a_contrast_agent_and_a_single_inversion_are_other_contrasts():
    assert taken("sub-1_ce-gd_T1w", "sub-1_inv-1_T1w", "sub-1_T1w") == ["sub-1_T1w"]


def test_names_outside_bids_say_nothing_of_echoes():
    assert taken("T1", "p1_echo-1", "p1_echo-2") == ["T1", "p1_echo-1", "p1_echo-2"]


def test_phase_is_told_by_any_name_that_writes_it_as_bids_or_dcm2niix_do():
    kept = ["mprage_e1", "phase2_T1w", "ph_T1w", "alpha", "unreal", "sub-1_acq-real_T1w"]
    assert (
        taken(*kept, "p1_part-phase", "sub-1_part-IMAG_T1w", "mprage_e1_ph", "t1_real", "T1-Imaginary")
        == kept
    )


def test_files_of_one_name_in_folders_of_their_own_all_stay():
    paths = [Path(f"p{n}/T1.nii.gz") for n in range(3)]
    assert without_repeats(paths)[0] == paths
