"""A file whose content lies elsewhere still is called so, with the command that fetches it."""

import shutil
import subprocess
from pathlib import Path

import nibabel
import numpy as np
import pytest

from medunsup.core.errors import InputError
from medunsup.io.files.fetched import check_fetched, how_to_fetch
from medunsup.io.load import load

KEY = "MD5E-s5663237--0123456789abcdef0123456789abcdef.nii.gz"
STORE = f".git/annex/objects/aa/bb/{KEY}/{KEY}"
LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a21\nsize 12345\n"


@pytest.mark.parametrize("target", [STORE, f"../../{STORE}", f"../.git/modules/x/annex/objects/a/b/{KEY}"])
@pytest.mark.parametrize("is_text", [False, True])
def test_a_link_into_the_annex_and_a_link_kept_as_text_are_not_fetched(tmp_path, target, is_text):
    scan = tmp_path / "T1.nii.gz"
    scan.write_text(target) if is_text else scan.symlink_to(target)
    assert f"datalad get {scan}" in how_to_fetch(scan)
    with pytest.raises(InputError, match="has not been fetched"):
        check_fetched(scan)


def test_a_link_to_an_annexed_file_and_an_absolute_one_are_not_fetched(tmp_path):
    (tmp_path / "T1.nii").symlink_to(tmp_path / STORE)
    (tmp_path / "link.nii").symlink_to(tmp_path / "T1.nii")
    assert "git annex get link.nii" in how_to_fetch(tmp_path / "link.nii")


def test_pointer_files_name_the_program_that_keeps_the_content(tmp_path):
    (tmp_path / "annex.nii").write_text(f"/annex/objects/{KEY}\n")
    (tmp_path / "my lfs.nii").write_text(LFS)
    assert "git annex get annex.nii" in how_to_fetch(tmp_path / "annex.nii")
    assert "git lfs pull --include='my lfs.nii'" in how_to_fetch(tmp_path / "my lfs.nii")


def test_what_is_there_or_lost_for_another_reason_is_not_said_to_be_unfetched(tmp_path):
    key = tmp_path / STORE
    key.parent.mkdir(parents=True)
    key.write_bytes(b"content")
    (tmp_path / "fetched").symlink_to(STORE)
    (tmp_path / "lost").symlink_to("nowhere")
    (tmp_path / "round").symlink_to("round")
    (tmp_path / "text").write_text("see annex/objects/ and https://git-lfs.github.com/spec/v1")
    for name in ("fetched", "lost", "round", "text", "missing", "."):
        assert how_to_fetch(tmp_path / name) == ""


@pytest.mark.parametrize("name", ["T1.nii.gz", "T1.mgz", "T1.dcm", "T1.hdr", "T1.img"])
def test_loading_an_unfetched_scan_or_half_of_one_says_so(tmp_path, name):
    for ending in (".hdr", ".img"):
        nibabel.save(nibabel.Nifti1Pair(np.ones((2, 2, 2), "f4"), np.eye(4)), tmp_path / f"T1{ending}")
    given = tmp_path / name
    other = given.with_suffix(".img") if given.suffix == ".hdr" else given
    other.unlink(missing_ok=True)
    other.write_text(LFS)
    with pytest.raises(InputError, match=f"{other.name}: its content has not been fetched"):
        load(given)


@pytest.mark.skipif(not shutil.which("git-annex"), reason="git-annex is not installed")
@pytest.mark.slow
def test_what_git_annex_drops_is_not_fetched_and_what_it_gets_is(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))

    def git(*words: str, at: Path) -> None:
        subprocess.run(["git", *words], cwd=at, check=True, capture_output=True)

    origin, clone = tmp_path / "origin", tmp_path / "clone"
    origin.mkdir()
    git("init", at=origin)
    for key, value in (("user.name", "x"), ("user.email", "x@example.org")):
        git("config", "--global", key, value, at=origin)
    git("annex", "init", at=origin)
    (origin / "a.nii").write_bytes(b"content a")
    (origin / "b.nii").write_bytes(b"content b")
    git("annex", "add", ".", at=origin)
    git("annex", "unlock", "b.nii", at=origin)
    git("commit", "-m", "x", at=origin)
    git("clone", str(origin), str(clone), at=tmp_path)
    git("annex", "init", at=clone)
    assert [bool(how_to_fetch(clone / name)) for name in ("a.nii", "b.nii")] == [True, True]
    git("annex", "get", "a.nii", "b.nii", at=clone)
    assert [how_to_fetch(clone / name) for name in ("a.nii", "b.nii")] == ["", ""]
