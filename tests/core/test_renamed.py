"""An argument that was renamed is taken under its old name for a while, and that is said."""

import pytest

import medunsup
from medunsup.cli.shared.old_options import by_new_names
from medunsup.core.errors import MedunsupError
from medunsup.core.renamed import renamed, renamed_property
from medunsup.workflows.train.settings import TrainSettings


def test_the_old_name_is_taken_with_a_warning_and_the_new_one_without(recwarn):
    with pytest.warns(FutureWarning, match="told= is called progress= now"):
        assert renamed("told", "progress", 0, 1) == 0
    assert renamed("told", "progress", None, 1) == 1
    assert not recwarn.list


@pytest.mark.parametrize(
    ("call", "old"),
    [
        (lambda nowhere: medunsup.train("pca", nowhere, nowhere, told=print), "told"),
        (lambda nowhere: medunsup.evaluate(nowhere, nowhere, nowhere, told=print), "told"),
        (lambda nowhere: medunsup.evaluate(nowhere, nowhere, nowhere, false_parts=2), "false_parts"),
        (lambda nowhere: medunsup.evaluate(nowhere, nowhere, nowhere, planted=True), "planted"),
        (lambda nowhere: medunsup.detect(nowhere, nowhere, false_findings=2), "false_findings"),
    ],
)
def test_public_functions_warn_of_the_old_name_where_it_was_used(tmp_path, call, old):
    with pytest.warns(FutureWarning, match=f"{old}= is called") as told, pytest.raises(MedunsupError):
        call(tmp_path / "nowhere")
    assert told[0].filename == __file__


def test_a_key_of_a_config_is_taken_by_its_old_name_with_a_warning():
    with pytest.warns(FutureWarning, match="here: least_part_mm3 is called min_cluster_mm3 now"):
        assert TrainSettings.parse({"least_part_mm3": 7}, where="here").min_cluster_mm3 == 7


def test_a_class_is_found_by_its_old_name_with_a_warning():
    from medunsup import transforms

    with pytest.warns(FutureWarning, match="PlaceTemplated is called RegisterTemplated now"):
        assert transforms.PlaceTemplated is transforms.RegisterTemplated


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        (["detect", "a", "--false-findings", "2"], ["detect", "a", "--fp-per-scan", "2"]),
        (
            ["evaluate", "--false-findings=2", "--planted"],
            ["evaluate", "--fp-per-scan=2", "--synthetic"],
        ),
        (["detect", "--", "--planted"], ["detect", "--", "--planted"]),
    ],
)
def test_an_option_is_taken_by_its_old_name(given, taken, capsys):
    assert by_new_names(given) == taken
    assert ("the old name will go" in capsys.readouterr().err) == (given != taken)


def test_an_attribute_is_read_by_its_old_name_with_a_warning_where_it_was_used():
    class Thing:
        brain_mask_ml = 3.0
        intracranial_ml = renamed_property("intracranial_ml", "brain_mask_ml")

    with pytest.warns(FutureWarning, match=r"\.intracranial_ml is called \.brain_mask_ml now") as told:
        assert Thing().intracranial_ml == 3.0
    assert told[0].filename == __file__
