"""Files below a folder are listed once, whatever links lead to them and wherever hidden copies lie."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medunsup.io.files.walk import files_below

NAMES = st.sampled_from(["a", "b", "c", ".hidden"])


def write(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def names(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in files_below(folder)]


def test_linked_folders_are_entered_at_any_depth(tmp_path):
    for name in ("sub-1/ses-1/anat/x.nii", "sub-2/ses-1/anat/x.nii"):
        write(tmp_path / "store" / name)
    here = tmp_path / "set"
    (here / "sub-1").mkdir(parents=True)
    (here / "sub-1" / "ses-1").symlink_to(tmp_path / "store" / "sub-1" / "ses-1")
    (here / "sub-2").symlink_to(tmp_path / "store" / "sub-2")
    assert names(here) == ["sub-1/ses-1/anat/x.nii", "sub-2/ses-1/anat/x.nii"]


def test_a_link_inside_a_linked_folder_is_entered(tmp_path):
    write(tmp_path / "deep" / "x")
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "more").symlink_to(tmp_path / "deep")
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "a").symlink_to(tmp_path / "store")
    assert names(tmp_path / "set") == ["a/more/x"]


def test_a_folder_that_is_there_itself_and_as_a_link_is_listed_as_itself(tmp_path):
    write(tmp_path / "sub-1" / "x")
    (tmp_path / "latest").symlink_to("sub-1")
    assert names(tmp_path) == ["sub-1/x"]


def test_of_two_links_to_one_folder_the_first_by_name_is_entered(tmp_path):
    write(tmp_path / "store" / "x")
    (tmp_path / "set").mkdir()
    for name in ("b", "a"):
        (tmp_path / "set" / name).symlink_to(tmp_path / "store")
    assert names(tmp_path / "set") == ["a/x"]


@pytest.mark.parametrize("target", [".", "..", "../..", "../inner"])
def test_links_that_lead_up_or_in_a_circle_list_nothing_again(tmp_path, target):
    write(tmp_path / "outside")
    write(tmp_path / "set" / "inner" / "x")
    (tmp_path / "set" / "inner" / "again").symlink_to(target)
    assert names(tmp_path / "set") == ["inner/x"]


def test_two_folders_that_link_to_each_other_are_entered_once(tmp_path):
    for one, other in (("a", "b"), ("b", "a")):
        write(tmp_path / one / "x")
        (tmp_path / one / "other").symlink_to(tmp_path / other)
    assert names(tmp_path / "a") == ["other/x", "x"]


def test_a_link_that_leads_to_nothing_is_listed_and_a_pipe_is_not(tmp_path):
    (tmp_path / "lost").symlink_to("nowhere")
    (tmp_path / "round").symlink_to("round")
    os.mkfifo(tmp_path / "pipe")
    assert names(tmp_path) == ["lost", "round"]


def test_a_hidden_folder_given_by_name_is_entered(tmp_path):
    write(tmp_path / ".work" / "x")
    write(tmp_path / ".work" / ".git" / "y")
    assert names(tmp_path / ".work") == ["x"]


@given(paths=st.lists(st.lists(NAMES, min_size=1, max_size=4), max_size=12))
def test_without_links_all_files_whose_path_holds_no_hidden_name_are_listed(tmp_path_factory, paths):
    folder = tmp_path_factory.mktemp("tree")
    for parts in paths:
        write(folder.joinpath(*(f"{part}.d" for part in parts[:-1]), parts[-1]))
    seen = [path for path in folder.rglob("*") if path.is_file()]
    shown = [path for path in seen if not any(part[0] == "." for part in path.relative_to(folder).parts)]
    assert files_below(folder) == sorted(shown)
