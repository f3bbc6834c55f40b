"""Files that are replaced whole: what a killed writer leaves, and two writers at once."""

from __future__ import annotations

import fcntl
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import StateError
from pipeline.report.publish import publish
from pipeline.state.replacing import replacing
from pipeline.state.targets import DurableTarget

# Writes half a page, and is killed before the rest.
KILLED = """
import os, pathlib, signal, sys
from pipeline.state.replacing import replacing
with replacing(pathlib.Path(sys.argv[1]), 0o666) as stream:
    stream.write(b"half of")
    stream.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def beside(path: Path) -> list[Path]:
    """What is being written, or was, beside a file."""
    return list(path.parent.glob(f".{path.name}-luigi-tmp-*"))


def test_what_a_killed_publisher_left_goes_with_the_next_page(tmp_path: Path):
    path = tmp_path / "informe.html"
    path.write_text("the old one")
    killed = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert killed.returncode == -signal.SIGKILL
    (left,) = beside(path)
    assert (path.read_text(), left.read_text()) == ("the old one", "half of")
    publish("the new one", path)
    assert path.read_text() == "the new one"
    assert beside(path) == []


def test_what_is_not_its_own_is_left_alone(tmp_path: Path):
    path = tmp_path / "informe.html"
    names = (
        ".informe.html-luigi-tmp-notes",
        ".informe.html-luigi-tmp-0123456789.bak",
        "informe.html-luigi-tmp-0123456789",
        ".informeXhtml-luigi-tmp-0123456789",
        ".otro.html-luigi-tmp-0123456789",
    )
    for name in names:
        (tmp_path / name).write_text("whose?")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("whose?")
    (tmp_path / ".informe.html-luigi-tmp-aaaaaaaaaa").symlink_to(elsewhere)
    (tmp_path / ".informe.html-luigi-tmp-bbbbbbbbbb").mkdir()
    before = set(tmp_path.iterdir())
    publish("page", path)
    assert set(tmp_path.iterdir()) == before | {path}


@pytest.mark.parametrize("what", ["a pipe", "a link to what is open", "a link to a device"])
def test_a_device_is_no_place_for_a_page(tmp_path: Path, what: str):
    path = tmp_path / "stdout"
    with (tmp_path / "open.html").open("w") as stream:
        if what == "a pipe":
            os.mkfifo(path)
        else:
            open_file = f"/proc/self/fd/{stream.fileno()}"
            path.symlink_to("/dev/null" if what == "a link to a device" else open_file)
        before = path.lstat()
        with pytest.raises(StateError, match="is no file that can be replaced"):
            publish("page", path)
        assert os.path.samestat(path.lstat(), before)
        assert beside(path) == []


def test_two_publishers_at_once_do_not_hurt_one_another(tmp_path: Path):
    path = tmp_path / "informe.html"
    with replacing(path, 0o666) as stream:
        stream.write(b"the slow one, ")
        stream.flush()
        publish("the fast one", path)
        assert path.read_text() == "the fast one"
        assert len(beside(path)) == 1
        stream.write(b"whole")
    assert path.read_text() == "the slow one, whole"
    assert beside(path) == []


def test_one_that_cleans_before_the_other_has_its_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "informe.html"
    real, pages = fcntl.flock, ["the fast one"]

    def flock(descriptor: int, operation: int) -> None:
        if pages:
            publish(pages.pop(), path)
            assert path.read_text() == "the fast one"
        real(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", flock)
    publish("the slow one", path)
    assert path.read_text() == "the slow one"
    assert beside(path) == []


def test_a_folder_that_cannot_be_synced_is_no_failure_of_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """So are shares of Windows; every other failure there is one."""
    path, real = tmp_path / "informe.html", os.fsync
    folder_fails_with = 22

    def fsync(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(folder_fails_with, "no folders here")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    publish("page", path)
    assert path.read_text() == "page"
    folder_fails_with = 5
    with pytest.raises(StateError, match="no folders here"):
        publish("page", path)


def test_a_leftover_that_cannot_be_removed_does_not_hide_the_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    def full_disk(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "unlink", refuse)
    monkeypatch.setattr(os, "fsync", full_disk)
    target = DurableTarget(str(tmp_path / "load.json"))
    with pytest.raises(StateError, match=r"load\.json cannot be written: No space left on device"):
        target.write_receipt({"n": 1})
    # Nor does it hide what is wrong with the data.
    with pytest.raises(ValueError, match="a bad row"), target.replace():
        raise ValueError("a bad row")


def test_a_folder_that_cannot_be_listed_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Root may list every folder: the refusal is put in its place."""
    path, really = tmp_path / "informe.html", os.open

    def refused(name: Any, flags: int, *mode: int) -> int:
        if Path(name) == tmp_path:
            raise PermissionError(13, "Permission denied")
        return really(name, flags, *mode)

    monkeypatch.setattr(os, "open", refused)
    publish("the new one", path)
    assert path.read_text() == "the new one"
