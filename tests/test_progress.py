"""What a person sees of a step that takes long: on a terminal, in luigid, and in a file."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from datetime import datetime, timedelta, timezone

import luigi
import pytest
from shop_database import LUIGI, Shop

from pipeline import progress

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def trade(shop: Shop) -> None:
    shop.product(1)
    shop.sale(datetime.now(timezone.utc) - timedelta(days=1), (1, 2, 3))


def on_terminal(program: list[str], shop: Shop) -> tuple[int, str]:
    """Run it with a terminal for its messages; returns the exit code and what was on it."""
    ours, its = pty.openpty()
    environment = shop.env | {"TERM": "xterm", "COLUMNS": "120"}
    with subprocess.Popen(
        program, cwd=shop.folder, env=environment, stdout=subprocess.DEVNULL, stderr=its
    ) as process:
        os.close(its)
        said = b""
        # Linux tells of a terminal that nobody holds any more by an error.
        while piece := _read(ours):
            said += piece
    os.close(ours)
    return process.returncode, said.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


@pytest.mark.one_postgres
def test_a_terminal_shows_each_part_of_a_step(shop: Shop):
    trade(shop)
    program = [str(LUIGI), "--module", "pipeline", "RunDue", "--local-scheduler"]
    code, said = on_terminal(program, shop)
    assert code == 0, said
    seen = ESCAPES.sub("", said)
    for part in (
        "reading movements",
        "staging movements",
        "valuing 1 movements",
        "refreshing views",
    ):
        assert part in seen
    assert "100 %" in seen
    # Luigi's own lines are whole among it.
    assert re.search(r"(?:^|[\r\n])INFO: .*loaded 1 new or changed", seen)


@pytest.mark.one_postgres
def test_a_pipe_gets_plain_lines(shop: Shop):
    trade(shop)
    done = shop.run()
    assert "\x1b" not in done.stdout
    assert "reading movements" not in done.stdout


class Told:
    """A task as a worker hands it over, and what the scheduler was told of it."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.percentages: list[int] = []
        self.set_status_message = self.messages.append
        self.set_progress_percentage = self.percentages.append


def test_the_scheduler_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(progress, "_TELL_EVERY", 0)
    task = Told()
    with progress.of(task), progress.stage("staging movements", "bytes", 400) as advance:
        advance(100)
        advance(300)
    assert task.percentages == [0, 25, 100]
    assert task.messages[0] == "staging movements: 0 of 400 bytes"
    assert task.messages[-1].startswith("staging movements: 400 of 400 bytes, ")


def test_a_task_that_nobody_runs_has_nobody_to_tell():
    with progress.of(luigi.Task()), progress.stage("valuing") as advance:
        advance(1)


@pytest.mark.one_postgres
def test_what_cannot_be_shown_fails_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object) -> None:
        refused.append(1)
        raise ConnectionError("luigid is away")

    refused: list[int] = []
    reporter = luigi.worker.TaskStatusReporter
    monkeypatch.setattr(reporter, "update_status_message", refuse)
    monkeypatch.setattr(reporter, "update_progress_percentage", refuse)
    # A terminal that is none: rich has nothing to draw on.
    monkeypatch.setattr(sys, "stderr", None)
    trade(shop)
    shop.run_in_process()
    assert refused
    assert shop.olap_rows("SELECT count(*) AS n FROM dw.kardex") == [{"n": 1}]
