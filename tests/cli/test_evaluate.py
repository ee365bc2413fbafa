"""`medunsup evaluate` from the command line."""

from typer.testing import CliRunner

from medunsup.cli.main import app


def test_a_folder_that_holds_no_model_is_told_in_one_line(tmp_path):
    (tmp_path / "cases.tsv").write_text("scan\n")
    words = ["evaluate", "--model", str(tmp_path), "--cases", str(tmp_path / "cases.tsv")]
    done = CliRunner().invoke(app, [*words, "-o", str(tmp_path / "eval")])
    assert done.exit_code == 1
    assert "is no model folder" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "eval").exists()
