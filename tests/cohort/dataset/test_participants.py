"""Each subject of a data set gets the row that is theirs, and nobody that of another."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medunsup.cohort.dataset.health import HealthyWords
from medunsup.cohort.dataset.participants import Person, people
from medunsup.core.errors import InputError, UsageError

GROUPS = ["control", "patient"]


def write(folder: Path, *rows: str, end: str = "\n") -> Path:
    (folder / "participants.tsv").write_bytes((end.join(rows) + end).encode("utf-8-sig"))
    return folder


def states(folder: Path, *subjects: str, healthy: str | None = None) -> list[str]:
    words = None if healthy is None else HealthyWords.parse(healthy)
    found = people(folder, subjects, words)
    return [found[subject].state for subject in subjects]


@pytest.mark.parametrize(
    "ids",
    [
        ["sub-01", "sub-02"],
        ["01", "02"],
        ["1", "2"],
        ["SUB-01", " sub-02 "],
        ["001", "2"],
        ["sub01", "sub_2"],
        ["1.0", "2.0"],
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_ids_are_found_with_or_without_sub_and_leading_zeros(tmp_path, ids, end):
    rows = [f"{one}\t{group}" for one, group in zip(ids, GROUPS, strict=True)]
    write(tmp_path, "participant_id\tgroup", *rows, end=end)
    assert states(tmp_path, "sub-01", "sub-02", "sub-03") == ["healthy", "patient", "unknown"]


def test_signs_that_bids_labels_cannot_hold_do_not_count(tmp_path):
    write(tmp_path, "participant_id\tgroup", "002_S_0295\tpatient", "OAS-30001\tcontrol", "1.0\tcontrol")
    assert states(tmp_path, "sub-002S0295", "sub-OAS30001", "sub-10") == ["patient", "healthy", "unknown"]


def test_leading_zeros_and_case_count_where_more_than_one_would_fit(tmp_path):
    write(
        tmp_path,
        "participant_id\tgroup",
        "1\tcontrol",
        "01\tpatient",
        "a\tcontrol",
        "A\tpatient",
        "7\tcontrol",
    )
    assert states(tmp_path, "sub-01", "sub-001", "sub-A", "sub-07", "sub-007") == [
        "patient",
        "unknown",
        "patient",
        "unknown",
        "unknown",
    ]


@given(
    labels=st.lists(st.from_regex(r"[0-9a-zA-Z]{1,4}", fullmatch=True), min_size=1, max_size=8, unique=True),
    data=st.data(),
)
def test_whoever_has_a_row_of_their_own_label_gets_that_row(tmp_path_factory, labels, data):
    folder = tmp_path_factory.mktemp("set")
    of = {label: data.draw(st.sampled_from(GROUPS)) for label in labels}
    rows = [f"{data.draw(st.sampled_from(['', 'sub-']))}{label}\t{group}" for label, group in of.items()]
    write(folder, "participant_id\tgroup", "sub-somebody\tcontrol", *rows)
    found = people(folder, [f"sub-{label}" for label in labels])
    assert {label: found[f"sub-{label}"].group for label in labels} == of


def test_one_row_that_is_not_healthy_outweighs_the_others_of_a_subject(tmp_path):
    rows = ["sub-1\tcontrol\tn/a", "sub-1\tpatient\tn/a", "sub-2\tcontrol\tn/a", "sub-2\tcontrol\tX"]
    write(tmp_path, "participant_id\tgroup\tsite", *rows)
    found = people(tmp_path, ["sub-1", "sub-2"])
    assert found == {
        "sub-1": Person("patient", "patient", "group patient"),
        "sub-2": Person("healthy", "control", "group control", "X"),
    }


def test_of_two_columns_that_are_understood_either_can_call_a_subject_ill(tmp_path):
    rows = ["1\tcontrol\tn/a", "2\tcontrol\tMS", "3\tpatient\tHC", "4\tn/a\tHC", "5\tn/a\tn/a"]
    write(tmp_path, "participant_id\tgroup\tdiagnosis", *rows)
    subjects = [f"sub-{n}" for n in range(1, 6)]
    assert states(tmp_path, *subjects) == ["healthy", "patient", "patient", "healthy", "unknown"]


def test_without_a_table_or_a_column_that_tells_only_the_user_calls_them_healthy(tmp_path):
    assert states(tmp_path, "sub-1") == ["given"]
    assert states(write(tmp_path, "participant_id\tage", "sub-2\t30"), "sub-1") == ["given"]
    assert states(write(tmp_path, ""), "sub-1") == ["given"]


def test_codes_are_read_as_participants_json_explains_them(tmp_path):
    write(tmp_path, "participant_id\tDX_GROUP", "1\t1", "2\t2")
    with pytest.raises(UsageError, match=r"DX_GROUP \(1 1, 2 1\)"):
        states(tmp_path, "sub-1")
    for levels in ('{"1": "Autism", "2": "Control"}', '{"2": {"Description": "healthy control"}}'):
        (tmp_path / "participants.json").write_text(f'{{"DX_GROUP": {{"Levels": {levels}}}}}')
        assert states(tmp_path, "sub-1", "sub-2") == ["patient", "healthy"]
    (tmp_path / "participants.json").write_text("[broken")
    assert states(tmp_path, "sub-1", "sub-2", healthy="DX_GROUP=2") == ["patient", "healthy"]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (["participant_id\tgroup", "900\tcontrol"], "none of the 1 subjects stands in it.*sub-1.*900"),
        (["age\tgroup", "30\tcontrol"], "its column age names 30"),
        (["participant_id,group", "sub-1,control"], "no tabs part its columns"),
        (["participant_id group", "sub-1 control"], "no tabs part its columns"),
    ],
)
def test_a_table_that_cannot_be_matched_is_refused(tmp_path, rows, words):
    with pytest.raises(UsageError, match=words):
        states(write(tmp_path, *rows), "sub-1")


def test_quotes_around_cells_as_r_writes_them_do_not_count(tmp_path):
    write(tmp_path, '"participant_id"\t"group"', '"sub-1"\t"control"', '"sub-2"\t"patient"')
    assert states(tmp_path, "sub-1", "sub-2") == ["healthy", "patient"]


def test_the_first_column_names_the_subjects_whatever_it_is_called(tmp_path):
    write(tmp_path, "Code\tgroup", "1\tcontrol")
    assert states(tmp_path, "sub-01") == ["healthy"]


def test_a_derivative_is_read_with_the_table_of_the_data_set_it_lies_in(tmp_path):
    derivative = tmp_path / "derivatives" / "prep"
    derivative.mkdir(parents=True)
    write(tmp_path, "participant_id\tgroup", "sub-1\tpatient", "sub-2\tcontrol")
    assert states(derivative, "sub-1", "sub-2") == ["given", "given"]
    (tmp_path / "dataset_description.json").write_text("{}")
    assert states(derivative, "sub-1", "sub-2") == ["patient", "healthy"]


@pytest.mark.parametrize("is_link", [False, True])
def test_a_table_that_was_not_fetched_is_not_taken_for_none(tmp_path, is_link):
    target = ".git/annex/objects/aa/bb/key/key"
    table = tmp_path / "participants.tsv"
    table.symlink_to(target) if is_link else table.write_text(f"/{target.removeprefix('.git/')}\n")
    with pytest.raises(InputError, match="has not been fetched"):
        states(tmp_path, "sub-1")


def test_words_are_asked_for_only_where_there_is_a_table(tmp_path):
    with pytest.raises(UsageError, match=r"holds no participants\.tsv"):
        states(tmp_path, "sub-1", healthy="group=hc")


def sessions(folder: Path, subject: str, *rows: str) -> None:
    (folder / subject).mkdir(exist_ok=True)
    (folder / subject / f"{subject}_sessions.tsv").write_text("\n".join(rows) + "\n")


def test_who_falls_ill_at_a_later_session_is_a_patient(tmp_path):
    write(tmp_path, "participant_id\tage", "sub-01\t60", "sub-02\t61", "sub-03\t62")
    sessions(tmp_path, "sub-01", "session_id\tdiagnosis", "ses-1\thealthy", "ses-2\thealthy")
    sessions(tmp_path, "sub-02", "session_id\tdiagnosis", "ses-1\thealthy", "ses-2\tMCI")
    assert states(tmp_path, "sub-01", "sub-02", "sub-03") == ["healthy", "patient", "unknown"]


def test_sessions_tell_without_a_table_of_participants_too(tmp_path):
    sessions(tmp_path, "sub-01", "session_id\tdiagnosis", "ses-1\tcontrol")
    sessions(tmp_path, "sub-02", "session_id\tdiagnosis", "ses-1\tepilepsy")
    assert states(tmp_path, "sub-01", "sub-02") == ["healthy", "patient"]


def test_a_table_may_begin_with_an_empty_line_and_name_its_ids_in_words(tmp_path):
    write(tmp_path, "", "age\tSubject ID\tgroup", "30\tsub-01\tcontrol", "40\tsub-02\tpatient")
    assert states(tmp_path, "sub-01", "sub-02") == ["healthy", "patient"]


def test_a_column_that_stands_there_twice_is_refused(tmp_path):
    write(tmp_path, "participant_id\tgroup\tgroup", "sub-01\tpatient\tcontrol")
    with pytest.raises(UsageError, match="'group' twice"):
        people(tmp_path, ["sub-01"])
