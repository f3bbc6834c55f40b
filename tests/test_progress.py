"""What a person sees of a step that takes long: on a terminal, in luigid, and in a file."""

from __future__ import annotations

import json
import logging
import re
import sys
import urllib.parse
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Any

import luigi
import pytest
from luigi.rpc import RemoteScheduler
from luigi.worker import TaskStatusReporter
from shop_database import LUIGI, Shop
from shop_luigid import luigid
from shop_server import must_succeed, run_program
from shop_terminal import on_terminal

from pipeline.base import progress

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def trade(shop: Shop) -> None:
    shop.product(1)
    shop.sale(datetime.now(UTC) - timedelta(days=1), (1, 2, 3))


@pytest.mark.one_postgres
def test_a_terminal_shows_each_part_of_a_step(shop: Shop):
    trade(shop)
    shop.olap.cursor().execute("CREATE MATERIALIZED VIEW dw.mia AS SELECT 1 AS x")
    program = [str(LUIGI), "--module", "pipeline", "RunDue", "--local-scheduler"]
    code, said = on_terminal(program, shop.folder, shop.env)
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
    assert re.search(r"(?:^|[\r\n])[\d-]+ [\d:]+\+00:00 INFO: .*loaded 1 new or changed", seen)


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


def tasks_of(port: int) -> dict[str, dict[str, str]]:
    """What luigid's page shows of each task that is done, by its name."""
    question = urllib.parse.urlencode({"data": json.dumps({"status": "DONE"})})
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/task_list?{question}") as answer:
        tasks: dict[str, dict[str, str]] = json.load(answer)["response"]
    return {task["name"]: task for task in tasks.values()}


@pytest.mark.one_postgres
def test_luigid_leads_to_the_shop(shop: Shop):
    trade(shop)
    address = "https://tienda.pe/tablero?mes=11"
    with luigid(shop.folder, shop.env) as port:
        program = [str(LUIGI), "--module", "pipeline", "RunDue", "--scheduler-port", str(port)]
        must_succeed(run_program(program, shop.folder, shop.env | {"ETL_TRACKING_URL": address}))
        tasks = tasks_of(port)
        for step in ("ExtractWindow", "LoadOLAP", "RefreshViews"):
            assert tasks[step]["tracking_url"] == address


@pytest.mark.one_postgres
def test_a_tracking_url_that_is_no_web_address_is_named(shop: Shop):
    done = shop.command("status", ETL_TRACKING_URL="tablero")
    assert done.returncode == 1
    assert "ETL_TRACKING_URL must begin with http:// or https://" in done.stdout


@pytest.mark.one_postgres
def test_a_luigid_that_goes_away_is_asked_once_a_step(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    """By Luigi's own client, which tries each call again and again."""
    caplog.set_level(logging.WARNING, "luigi-interface")
    monkeypatch.setattr(progress, "_TELL_EVERY", 0)
    with luigid(shop.folder, shop.env) as port:
        scheduler = RemoteScheduler(f"http://127.0.0.1:{port}")
        asked = counted(scheduler, monkeypatch)
        reporter = TaskStatusReporter(scheduler, "Task", "worker", None)
        task = Told()
        task.set_status_message = reporter.update_status_message
        task.set_progress_percentage = reporter.update_progress_percentage
        with progress.of(task), progress.stage("reading", "rows", 9) as advance:
            advance(1)
        assert len(asked) == 4
    for step in (1, 2):
        with progress.of(task):
            for _ in range(2):
                with progress.stage("reading", "rows", 9) as advance:
                    advance(1)
                    advance(1)
        assert len(asked) == 4 + step * ATTEMPTS
    said = [line.message for line in caplog.records if "told no more" in line.message]
    assert len(said) == 2
    assert "when connecting to remote scheduler" in said[0]


ATTEMPTS = 2


def counted(scheduler: RemoteScheduler, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Each attempt that Luigi's client makes from now on; it does not wait between two."""
    monkeypatch.setattr(scheduler, "_rpc_retry_attempts", ATTEMPTS)
    monkeypatch.setattr(scheduler, "_rpc_retry_wait", 0)
    asked: list[str] = []
    real = scheduler._fetcher.fetch

    def fetch(address: str, *arguments: Any) -> Any:
        asked.append(address)
        return real(address, *arguments)

    monkeypatch.setattr(scheduler._fetcher, "fetch", fetch)
    return asked


def test_a_task_that_nobody_runs_has_nobody_to_tell():
    with progress.of(luigi.Task()), progress.stage("valuing") as advance:
        advance(1)


@pytest.mark.one_postgres
def test_what_cannot_be_shown_fails_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    def refuse(*what: object) -> None:
        refused.append(what[-1])
        raise ConnectionError("luigid is away")

    refused: list[object] = []
    shop.env["ETL_TRACKING_URL"] = "https://tienda.pe"
    reporter = luigi.worker.TaskStatusReporter
    monkeypatch.setattr(reporter, "update_status_message", refuse)
    monkeypatch.setattr(reporter, "update_progress_percentage", refuse)
    monkeypatch.setattr(reporter, "update_tracking_url", refuse)
    # A terminal that is none: rich has nothing to draw on.
    monkeypatch.setattr(sys, "stderr", None)
    trade(shop)
    shop.run_in_process()
    # Each of the three steps has tried once.
    assert refused == ["https://tienda.pe"] * 3
    assert shop.olap_rows("SELECT count(*) AS n FROM dw.kardex") == [{"n": 1}]
