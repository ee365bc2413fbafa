"""Values in files between processes: only their user sees them, and only what that user wrote is read."""

import os
import stat

import pytest

from medunsup.cohort.executors.kept import keep, read_kept
from medunsup.core.errors import OutputError

posix = pytest.mark.skipif(not hasattr(os, "getuid"), reason="files have no owner here")


@posix
def test_a_value_comes_back_from_a_folder_that_nobody_else_sees_into(tmp_path):
    keep(tmp_path / "new" / "one.result", {"a": 1})
    assert read_kept(tmp_path / "new" / "one.result") == {"a": 1}
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


@posix
@pytest.mark.skipif(hasattr(os, "getuid") and os.getuid() != 0, reason="only root can give a file away")
def test_what_another_user_wrote_is_not_read(tmp_path):
    path = tmp_path / "one.result"
    keep(path, 1)
    os.chown(path, 65534, 65534)
    with pytest.raises(OutputError, match="another user"):
        read_kept(path)
