"""ETL_LOG_FORMAT: lines that machines read, and the run id that ties them to the OLAP."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import datetime, timedelta
from typing import Any

import pytest
from shop_database import LUIGI, Shop
from shop_server import PASSWORD, must_succeed, run_program
from test_chain import ago, folders, stock_up

pytestmark = pytest.mark.one_postgres

DAY = timedelta(days=1)


def lines(printed: str) -> list[dict[str, Any]]:
    """Every line as its object; each must have what every line has."""
    objects = [json.loads(line) for line in printed.splitlines()]
    for line in objects:
        assert datetime.fromisoformat(line["time"]).utcoffset() == timedelta(0)
        assert line.keys() >= {"level", "logger", "message"}
    return objects


@pytest.mark.parametrize("arguments", [(), ("--workers", "2")], ids=["one process", "workers"])
def test_every_line_is_an_object_and_the_steps_share_the_run_id(
    shop: Shop, arguments: tuple[str, ...]
):
    stock_up(shop, ago(DAY))
    shop.olap.cursor().execute("CREATE MATERIALIZED VIEW dw.mia AS SELECT 1 AS x")
    shop.env["ETL_LOG_FORMAT"] = "json"
    printed = shop.run(*arguments).stdout
    assert PASSWORD not in printed
    found = lines(printed)
    (run,) = shop.olap_rows("SELECT * FROM etl.corrida")
    of_run = [line for line in found if line.get("run_id") == run["id_corrida"]]
    assert [line["step"] for line in of_run] == [
        "ExtractWindow",
        "LoadOLAP",
        "RefreshViews",
        "WriteMarker",
    ]
    assert {line["window"] for line in of_run} == {folders(shop)[0].name}
    assert [line["rows"] for line in of_run[:2]] == [3, 3]
    assert of_run[0]["seconds"] == pytest.approx(float(run["segundos_extraccion"]))
    # Luigi's own lines know their step, and its summary is one line.
    assert any("running" in line["message"] and "step" in line for line in found)
    assert any("Luigi Execution Summary" in line["message"] for line in found)


def test_the_text_carries_the_run_id_too(shop: Shop):
    stock_up(shop, ago(DAY))
    printed = shop.run().stdout
    (run,) = shop.olap_rows("SELECT id_corrida FROM etl.corrida")
    told = [line for line in printed.splitlines() if line.endswith(f"run {run['id_corrida']}")]
    # That it was loaded says all.
    (line,) = told
    assert re.match(r"[\d-]+ [\d:]+\+00:00 INFO: ", line)
    assert "loaded 3 new or changed" in line


def test_failures_are_one_object_and_the_level_is_the_command_lines(shop: Shop):
    shop.env["ETL_LOG_FORMAT"] = "json"
    shop.till("ALTER TABLE transacciones RENAME TO otra")
    done = shop.run_due("--log-level", "WARNING")
    assert done.returncode == 30
    (failure,) = lines(done.stdout)
    assert failure["level"] == "ERROR"
    assert failure["step"] == "ExtractWindow"
    assert "transacciones" in failure["message"]
    assert "exception" not in failure
    done = shop.run_due("--log-level", "DEBUG")
    assert any("Traceback" in line.get("exception", "") for line in lines(done.stdout))


def test_a_scheduling_error_and_a_command_are_objects_too(shop: Shop):
    shop.env["ETL_LOG_FORMAT"] = "json"
    done = shop.run_due(OLAP_DB_NAME="no_hay")
    assert done.returncode == 35
    assert any("cannot connect to OLAP" in line["message"] for line in lines(done.stdout))
    shop.run()
    repaired = shop.succeed("verify", "--repair")
    logged = [line for line in repaired.stdout.splitlines() if line.startswith("{")]
    assert lines("\n".join(logged)) or "equal" in repaired.stdout


@pytest.mark.parametrize("level", ["ERROR", "WARNING", "INFO"])
@pytest.mark.parametrize(
    ("task", "env"),
    [
        ("RunDue", {"OLAP_DB_NAME": "no_hay"}),
        ("Backfill", {"OLAP_DB_NAME": "no_hay"}),
        ("RunDue", {"ETL_KEEP_DAYS": "x"}),
    ],
)
def test_what_keeps_a_task_from_being_scheduled_is_said_once(
    shop: Shop, level: str, task: str, env: dict[str, str]
):
    program = [str(LUIGI), "--module", "pipeline", task, "--local-scheduler"]
    program += ["--since", "2020-01-01"] if task == "Backfill" else []
    done = run_program([*program, "--log-level", level], shop.folder, shop.env | env)
    assert done.returncode == 35
    cause = "ETL_KEEP_DAYS is 'x'" if "ETL_KEEP_DAYS" in env else "cannot connect to OLAP"
    assert done.stdout.count(cause) == 1, done.stdout
    if level == "ERROR":
        (line,) = done.stdout.splitlines()
        assert f" ERROR: will not run {task}(" in line


def test_a_format_that_there_is_not_is_named(shop: Shop):
    done = shop.run_due(ETL_LOG_FORMAT="xml")
    assert done.returncode == 35
    assert "ETL_LOG_FORMAT is 'xml', but must be text or json" in done.stdout


# `luigi`, as Python 3.14 starts its workers, and as macOS does.
STARTED = """
import multiprocessing, sys
from luigi.cmdline import luigi_run
if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv.pop(1))
    luigi_run(sys.argv[1:])
"""


@pytest.mark.parametrize("method", ["forkserver", "spawn"])
def test_workers_that_are_not_forked_log_as_their_parent_does(shop: Shop, method: str):
    stock_up(shop, ago(DAY))
    program = shop.folder / "as_started.py"
    program.write_text(STARTED)

    def run(*options: str, **env: str) -> subprocess.CompletedProcess[str]:
        task = ["--module", "pipeline", "RunDue", "--local-scheduler", "--workers", "2", *options]
        return run_program(
            [sys.executable, str(program), method, *task], shop.folder, shop.env | env
        )

    shop.olap.cursor().execute("REVOKE INSERT ON etl.etapa FROM etl_cargador")
    failed = run()
    assert failed.returncode == 30, failed.stdout
    assert "Traceback" not in failed.stdout
    assert re.search(r" ERROR: .*etapa", failed.stdout, re.M), failed.stdout
    shop.olap.cursor().execute("GRANT INSERT ON etl.etapa TO etl_cargador")
    quiet = run("--log-level", "WARNING")
    assert (quiet.returncode, quiet.stdout) == (0, "")
    stock_up(shop, ago(DAY))
    found = lines(must_succeed(run(ETL_LOG_FORMAT="json")).stdout)
    run_id = shop.olap_rows("SELECT id_corrida FROM etl.corrida ORDER BY numero")[-1]["id_corrida"]
    assert [line["step"] for line in found if line.get("run_id") == run_id] == [
        "ExtractWindow",
        "LoadOLAP",
        "WriteMarker",
    ]
