"""C-STORE to an archive of pynetdicom: files arrive as they are, and each refusal is told with its remedy."""

from pathlib import Path

import numpy as np
import pytest
from helpers.archives import MR_IMAGE, archive
from helpers.dicom_maker import make_slices, write_dicom, write_slices
from pydicom import dcmread
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless
from pynetdicom import AllStoragePresentationContexts

from medunsup.core.errors import UsageError
from medunsup.io.dicom_net.storable import Storable, dicom_files, read_storable
from medunsup.io.dicom_net.store import Archive, store


@pytest.fixture(autouse=True)
def _short_wait(monkeypatch):
    monkeypatch.setattr("medunsup.io.dicom_net.store.ANSWER_S", 5.0)


def send(folder, port):
    files = [read_storable(path) for path in dicom_files([folder])]
    answers = list(store(files, Archive("127.0.0.1", port, "ARCHIVE")))
    return {file.path.name: answer for file, answer in answers}


def compressed(path):
    item = dcmread(path)
    item.compress(RLELossless, generate_instance_uid=False)
    item.save_as(path)


def test_files_arrive_with_their_own_encoding(tmp_path):
    slices = make_slices(n=4)
    write_slices(slices[:2], tmp_path)
    write_dicom(slices[2], tmp_path / "implicit.dcm", syntax=ImplicitVRLittleEndian)
    write_dicom(slices[3], tmp_path / "rle.dcm")
    compressed(tmp_path / "rle.dcm")
    with archive() as there:
        assert {answer.status for answer in send(tmp_path, there.port).values()} == {"accepted"}
    assert len(there.files) == 4
    for path in tmp_path.iterdir():
        sent = dcmread(path)
        came = there.files[sent.SOPInstanceUID]
        is_compressed = sent.file_meta.TransferSyntaxUID.is_compressed
        assert came.file_meta.TransferSyntaxUID.is_compressed == is_compressed
        assert came.PixelData == sent.PixelData
        assert came == sent


def test_an_archive_without_our_encoding_gets_the_same_values_in_its_own(tmp_path):
    (item,) = make_slices(n=1)
    write_dicom(item, tmp_path / "explicit.dcm", syntax=ExplicitVRLittleEndian)
    with archive(syntaxes=[ImplicitVRLittleEndian]) as there:
        assert send(tmp_path, there.port)["explicit.dcm"].status == "accepted"
    came = there.files[item.SOPInstanceUID]
    assert came.file_meta.TransferSyntaxUID == ImplicitVRLittleEndian
    np.testing.assert_array_equal(came.pixel_array, dcmread(tmp_path / "explicit.dcm").pixel_array)


@pytest.mark.parametrize("syntax", [RLELossless, ExplicitVRBigEndian], ids=["compressed", "big endian"])
def test_what_an_archive_does_not_take_costs_that_file_alone(syntax, tmp_path):
    slices = make_slices(n=2)
    write_dicom(slices[0], tmp_path / "plain.dcm")
    write_dicom(slices[1], tmp_path / "other.dcm", syntax=ExplicitVRLittleEndian)
    if syntax == RLELossless:
        compressed(tmp_path / "other.dcm")
    else:
        write_dicom(slices[1], tmp_path / "other.dcm", syntax=syntax)
    with archive(syntaxes=[ExplicitVRLittleEndian]) as there:
        answers = send(tmp_path, there.port)
    assert answers["plain.dcm"].status == "accepted"
    assert answers["other.dcm"].status == "refused"
    assert "Try" in answers["other.dcm"].why


def test_more_kinds_than_one_association_holds_are_sent_by_several(tmp_path):
    kinds = [context.abstract_syntax for context in AllStoragePresentationContexts[:130]]
    for n, (kind, item) in enumerate(zip(kinds, make_slices(n=130), strict=True)):
        item.SOPClassUID = item.file_meta.MediaStorageSOPClassUID = kind
        write_dicom(item, tmp_path / f"{n}.dcm")
    with archive(kinds) as there:
        assert {answer.status for answer in send(tmp_path, there.port).values()} == {"accepted"}
    assert len(there.files) == 130


@pytest.mark.parametrize(
    ("code", "status", "said"),
    [
        (0x0111, "already stored", "keeps what it had"),
        (0xA700, "refused", "has no room (0xA700)"),
        (0xA900, "refused", "not the kind of object"),
        (0xC123, "refused", "cannot understand the file (0xC123)"),
        (0x0124, "refused", "does not allow"),
        (0xB000, "accepted", "warning 0xB000"),
    ],
)
def test_each_answer_is_told_in_words(code, status, said, tmp_path):
    write_slices(make_slices(n=1), tmp_path)
    with archive() as there:
        there.status = code
        (answer,) = send(tmp_path, there.port).values()
    assert answer.status == status
    assert said in answer.why


def test_an_archive_that_hangs_up_costs_the_files_it_hung_up_on(tmp_path):
    write_slices(make_slices(n=4), tmp_path)
    with archive() as there:
        there.fails_after = 2
        answers = list(send(tmp_path, there.port).values())
    assert [answer.status for answer in answers] == ["accepted", "accepted", "refused", "refused"]
    assert "hung up" in answers[-1].why


@pytest.mark.parametrize("to", ["x", "host:", ":104", "host:0", "host:70000", "host:a"])
def test_an_address_that_is_none_is_refused(to):
    with pytest.raises(UsageError, match="HOST:PORT"):
        Archive.parse(to, called="A", calling="B")


@pytest.mark.parametrize("title", ["", "   ", "a" * 17, "a\\b", "ä", "a\nb"])
def test_a_title_that_is_none_is_refused(title):
    with pytest.raises(UsageError, match="AE titles have"):
        Archive.parse("127.0.0.1:104", called=title, calling="B")


def test_kinds_that_lists_lack_have_names():
    path = Path("x")
    assert Storable(path, "1.2.840.10008.5.1.4.1.1.66.7", "1", "2").kind == "Label Map Segmentation"
    assert Storable(path, MR_IMAGE, "1", "2").kind == "MR Image"
