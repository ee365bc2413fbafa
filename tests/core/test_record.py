"""The record listens to the steps of a scan; what it keeps holds nobody who listened."""

import pickle

from medunsup.core.record import Record


def test_who_listens_hears_of_each_step_as_it_begins():
    heard = []
    record = Record(progress=heard.append)
    for name in ("load", "brain mask"):
        with record.step(name):
            assert heard[-1] == name
    assert heard == [step.name for step in record.steps]


def test_work_that_was_not_used_is_marked_where_it_was_done_last():
    record = Record()
    for name in ("priors", "priors", "contrast"):
        record.step(name)
    record.mark("priors", "skipped")
    assert [step.outcome for step in record.steps] == ["done", "skipped", "done"]


def test_a_closed_record_can_be_sent_to_another_process():
    record = Record(progress=lambda name: None)
    record.step("load").warn("A warning.")
    assert pickle.loads(pickle.dumps(record.closed())).warnings == ["A warning."]
