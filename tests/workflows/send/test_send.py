"""What an archive took is not sent twice; what it did not take is sent by the next run."""

import json

import pytest
from helpers.archives import archive
from helpers.dicom_maker import PATIENT_NAME, make_slices, write_dicom, write_slices
from typer.testing import CliRunner

import medunsup
from medunsup.cli.main import app
from medunsup.workflows.send.record import NAME


@pytest.fixture(autouse=True)
def _short_wait(monkeypatch):
    monkeypatch.setattr("medunsup.io.dicom_net.store.ANSWER_S", 5.0)


@pytest.fixture
def folder(tmp_path):
    return write_slices(make_slices(n=5), tmp_path / "files")


def send(*words):
    return CliRunner().invoke(app, ["send", *(str(word) for word in words)])


def to(there):
    return ["--to", f"127.0.0.1:{there.port}"]


def test_a_second_run_sends_only_what_was_not_taken(folder):
    with archive() as there:
        there.fails_after = 3
        assert send(folder, *to(there)).exit_code == 1
        there.fails_after, there.n_requests = None, 0
        done = send(folder, *to(there))
        assert done.exit_code == 0
        assert there.n_requests == 2
        assert len(there.files) == 5
        assert "sent before        3  MR Image" in done.stdout
        assert "accepted           2  MR Image" in done.stdout


def test_another_archive_gets_all_and_force_sends_again(folder):
    with archive() as one, archive() as other:
        for there, words in ((one, []), (other, []), (one, ["--force"])):
            there.n_requests = 0
            assert send(folder, *to(there), *words).exit_code == 0
            assert there.n_requests == 5


@pytest.mark.parametrize("cut", [1, 40, 100])
def test_a_record_that_a_kill_cut_off_costs_one_file_sent_again(folder, cut):
    with archive() as there:
        send(folder, *to(there))
        record = folder / NAME
        record.write_bytes(record.read_bytes()[:-cut])
        there.n_requests = 0
        assert send(folder, *to(there)).exit_code == 0
        assert there.n_requests == 1
        there.n_requests = 0
        assert send(folder, *to(there)).exit_code == 0
        assert there.n_requests == 0


def test_a_changed_file_under_the_same_identifier_is_not_lost_without_a_word(folder):
    (item,) = make_slices(n=1)
    with archive() as there:
        write_dicom(item, folder / "more.dcm")
        assert send(folder, *to(there)).exit_code == 0
        item.SeriesDescription = "corrected"
        write_dicom(item, folder / "more.dcm")
        told = send(folder, *to(there))
        assert told.exit_code == 1
        assert "archives keep the first" in told.stderr
        assert there.files[item.SOPInstanceUID].SeriesDescription == "MPRAGE"


def test_json_names_every_file_and_nothing_of_the_patient(folder):
    (folder / "damaged.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"\1" * 50)
    (folder / "notes.txt").write_text("no DICOM")
    with archive() as there:
        done = send(folder, *to(there), "--json")
    told = json.loads(done.stdout)
    assert done.exit_code == told["exit_code"] == 1
    assert [file["status"] for file in told["files"]].count("accepted") == 5
    (bad,) = [file for file in told["files"] if file["status"] == "refused"]
    assert "damaged" in bad["why"]
    assert PATIENT_NAME not in done.output + (folder / NAME).read_text()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"only_called": True}, "is not called ANY-SCP. Give its title with --called"),
        ({"callers": ["SCANNER"]}, "does not know the sender MEDUNSUP"),
        ({"classes": ["1.2.840.10008.5.1.4.1.1.66.4"]}, "takes no MR Image by C-STORE. Try --stow"),
    ],
)
def test_what_an_archive_does_not_want_is_told_with_the_remedy(folder, options, said):
    with archive(**options) as there:
        done = send(folder, *to(there))
    assert done.exit_code == 1
    assert said in done.stderr
    assert not (folder / NAME).exists()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--to", "127.0.0.1:1"], 1, "nothing answers there"),
        (["--orthanc", "http://127.0.0.1:1"], 1, "nothing answers there"),
        (["--stow", "http://127.0.0.1:1/dicom-web"], 1, "nothing answers there"),
        (["--to", "nobody.invalid:104"], 1, "no computer of that name"),
        ([], 2, "Name one archive: --to HOST:PORT, --stow URL or --orthanc URL"),
        (["--to", "a:1", "--stow", "http://b"], 2, "Name one archive"),
        (["--stow", "b"], 2, "--stow: give the archive's address"),
        (["--stow", "http://me:word@b/"], 2, "~/.netrc"),
    ],
)
def test_an_archive_that_is_not_there_or_not_named_is_told(folder, words, code, said):
    done = send(folder, *words)
    assert done.exit_code == code
    assert said in done.stderr
    assert "word" not in done.stderr.replace("password", "")


def test_a_folder_without_dicom_files_says_how_to_have_some(tmp_path):
    (tmp_path / "scan.nii.gz").write_text("x")
    with pytest.raises(medunsup.errors.InputError, match=r"docs/dicom\.md"):
        medunsup.send(tmp_path, to="127.0.0.1:1")
    with pytest.raises(medunsup.errors.InputError, match="not a DICOM file"):
        medunsup.send(tmp_path / "scan.nii.gz", to="127.0.0.1:1")
