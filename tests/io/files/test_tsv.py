"""A table comes back as it was written, and as spreadsheets write it; what is no table is refused."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medunsup.core.errors import MissingError, UsageError
from medunsup.io.files.tsv import read_tsv, tsv

LETTERS = string.ascii_letters + string.digits + "'.,;\u2028 é"
WORDS = st.text(LETTERS, max_size=6).map(lambda text: f'"a{text}b')


@given(st.lists(WORDS, min_size=2, max_size=4, unique=True), st.data())
def test_what_was_written_is_read(tmp_path_factory, names, data):
    rows = data.draw(st.lists(st.lists(WORDS, min_size=len(names), max_size=len(names)), max_size=3))
    path = tmp_path_factory.mktemp("table") / "table.tsv"
    path.write_text(tsv([names, *rows]), encoding="utf-8")
    table = read_tsv(path)
    assert table.names == names
    assert [list(row.values()) for row in table.rows] == rows


def test_quotes_blanks_and_empty_cells_of_a_spreadsheet_do_not_count(tmp_path):
    path = tmp_path / "table.tsv"
    path.write_bytes(b'\xef\xbb\xbf"id"\t age \r\n\r\n"sub-1"\t31\t\t\r\nsub-2\r\n')
    table = read_tsv(path)
    assert table.names == ["id", "age"]
    assert table.rows == [{"id": "sub-1", "age": "31"}, {"id": "sub-2", "age": ""}]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id,age\n1,2\n", "no tabs part its columns"),
        ("id\tid\n1\t2\n", "column 'id' twice"),
        ("id\tage\n\n1\t2\t3\n", "line 3 has 3 cells"),
        ("\xff", "is no table"),
    ],
)
def test_what_would_be_misread_is_refused(tmp_path, text, said):
    path = tmp_path / "table.tsv"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(UsageError, match=said):
        read_tsv(path)


def test_a_table_that_is_not_there_is_said_to_be_missing(tmp_path):
    with pytest.raises(MissingError, match="no such file"):
        read_tsv(tmp_path / "table.tsv")
