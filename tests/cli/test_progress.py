"""What a person sees while scans are worked on."""

from pathlib import Path

from medunsup.cli.shared.progress import Moving, display
from medunsup.workflows.segment.outcome import ScanOutcome


def test_a_terminal_shows_a_line_for_each_scan_that_is_worked_on():
    with Moving([Path("a.nii"), Path("b.nii")]) as shown:
        shown.step(Path("a.nii"), "load")
        shown.step(Path("b.nii"), "load")
        shown.step(Path("a.nii"), "mixture")
        assert [task.fields["now"] for task in shown.progress.tasks[1:]] == ["mixture", "load"]
        shown.finished(ScanOutcome(Path("a.nii"), "done"))
        assert [task.description for task in shown.progress.tasks] == ["scans", "b.nii"]
        assert shown.progress.tasks[0].completed == 1


def test_a_log_has_a_line_for_each_scan_of_the_pass_that_learns_a_prior(capsys):
    scans = [Path("a.nii"), Path("b.nii")]
    with display(scans, quiet=False) as shown:
        for scan in scans:
            shown.step(scan, "first pass, load")
            shown.first_pass(scan)
        shown.finished(ScanOutcome(scans[0], "done"))
    told = capsys.readouterr().err.splitlines()
    assert told[:2] == ["first pass [1/2] a.nii: done, about 1 s left", "first pass [2/2] b.nii: done"]
    assert told[2].startswith("[1/2] a.nii: done")


def test_quiet_shows_nothing(capsys):
    with display((), quiet=True) as shown:
        shown.step(Path("a.nii"), "load")
        shown.finished(ScanOutcome(Path("a.nii"), "done"))
    assert capsys.readouterr() == ("", "")


def test_a_log_has_a_line_for_each_of_several_scans_and_no_steps(capsys):
    scans = [Path("a/T1.nii"), Path("b/T1.nii"), Path("c/T2.nii")]
    with display(scans, quiet=False) as shown:
        for scan in scans:
            shown.step(scan, "load")
            shown.finished(ScanOutcome(scan, "done"))
    told = capsys.readouterr().err.splitlines()
    rest = ", about 1 s left"
    assert told == [f"[1/3] a/T1.nii: done{rest}", f"[2/3] b/T1.nii: done{rest}", "[3/3] T2.nii: done"]
