"""What the shop's administrator lives with: a terminal of 80 columns, cron's mail, and .env."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from local_servers import WebServer, web_server
from shop_database import Shop
from shop_server import REPOSITORY, run_program
from test_chain import ago, stock_up

pytestmark = pytest.mark.one_postgres

DAY = timedelta(days=1)
LIMA = "-05:00"


@pytest.fixture
def web() -> Iterator[WebServer]:
    """A web server that is a channel."""
    with web_server() as server:
        yield server


def findings(shop: Shop, **env: str) -> dict[str, dict[str, Any]]:
    """What doctor finds, by its name."""
    said = json.loads(shop.command("doctor", "--json", **env).stdout)
    return {found["what"]: found for found in said["findings"]}


def widest(said: str) -> str:
    """The longest line."""
    return max(said.splitlines(), key=len, default="")


# Notices


def test_a_failure_is_told_as_one_and_a_success_as_one(shop: Shop, web: WebServer):
    shop.env["ETL_NOTIFY_URLS"] = web.channel
    shop.till("ALTER TABLE transacciones RENAME TO otra")
    assert shop.run_due().returncode == 30
    shop.till("ALTER TABLE otra RENAME TO transacciones")
    shop.run()
    kinds = [asked.body["type"] for asked in web.asked]
    assert kinds == ["failure", "success"]


def test_a_notices_command_works_where_it_is_typed(shop: Shop, web: WebServer):
    shop.env["ETL_NOTIFY_URLS"] = web.channel
    shop.till("ALTER TABLE transacciones RENAME TO otra")
    assert shop.run_due().returncode == 30
    shop.till("ALTER TABLE otra RENAME TO transacciones")
    ((_, body),) = web.told
    (command,) = re.findall(r"type: (.*)$", body, re.M)
    bare = {**shop.env, "PATH": "/usr/bin:/bin"}
    done = run_program(["/bin/sh", "-c", command], Path("/"), bare)
    assert done.returncode == 0, done.stdout
    assert shlex.split(command)[1] == str(shop.folder)


# Times


def test_times_are_the_shops_with_their_offset(shop: Shop, web: WebServer):
    shop.env |= {"ETL_TIMEZONE": "America/Lima", "ETL_NOTIFY_URLS": web.channel}
    stock_up(shop, ago(DAY))
    shop.till("ALTER TABLE transacciones RENAME TO otra")
    assert shop.run_due().returncode == 30
    shop.till("ALTER TABLE otra RENAME TO transacciones")
    printed = shop.run().stdout
    assert [body for _, body in web.told if not re.search(r"\d\d:\d\d(:\d\d)?-05:00", body)] == []
    for line in printed.splitlines():
        assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d-05:00 [A-Z]+: ", line), line
    (last,) = shop.olap_rows("SELECT max(hasta) AS hasta FROM etl.corrida")
    local = last["hasta"].astimezone(ZoneInfo("America/Lima"))
    state = json.loads(shop.succeed("status", "--json").stdout)
    assert state["last_run"] == local.isoformat()
    assert state["initial_date"].endswith(LIMA)
    assert f"{local:%Y-%m-%d %H:%M:%S}{LIMA}" in shop.succeed("status").stdout
    assert f"{local:%Y-%m-%d %H:%M:%S}{LIMA}" in findings(shop)["last run"]["found"]
    told = shop.succeed("verify").stdout.splitlines()[-1]
    (when,) = re.findall(rf"\((\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d{LIMA})\)$", told)
    assert datetime.fromisoformat(when) > last["hasta"]
    assert json.loads(shop.succeed("verify", "--json").stdout)["at"].endswith(LIMA)


# The log and cron


def test_a_run_without_news_is_one_line(shop: Shop):
    stock_up(shop, ago(DAY))
    (line,) = shop.run().stdout.splitlines()
    assert "loaded 3 new or changed" in line
    (line,) = shop.run().stdout.splitlines()
    assert "nothing new" in line
    # What is not told is in the log of whoever looks for it.
    assert len(shop.run("--log-level", "DEBUG").stdout.splitlines()) > 20


def cron_lines() -> list[str]:
    """Those of crontab.example that are for whoever wants mail of failures alone."""
    text = (REPOSITORY / "scripts/crontab.example").read_text(encoding="utf-8")
    part = text.partition("failures only")[2]
    return [line[2:] for line in part.splitlines() if re.match(r"# [\d*]", line)]


@pytest.mark.skipif(not shutil.which("flock"), reason="there is no flock here")
def test_crons_failures_only_mails_nothing_while_all_is_well(shop: Shop):
    place = shop.folder / "opt"
    place.mkdir()
    (place / ".venv").symlink_to(sys.prefix)
    shutil.copy(REPOSITORY / "luigi.cfg", place)
    given = {k: v for k, v in shop.env.items() if k.startswith(("OLTP_", "OLAP_", "ETL_"))}
    (place / ".env").write_text("".join(f"{name}={value}\n" for name, value in given.items()))
    stock_up(shop, ago(DAY))
    lines = cron_lines()
    assert len(lines) == 2

    def by_cron(line: str) -> str:
        assert "%" not in line
        command = line.split("  ", 1)[1].strip().replace("/opt/pipeline", str(place))
        return subprocess.run(
            ["/bin/sh", "-c", command],
            cwd="/",
            env={"PATH": "/usr/bin:/bin", "HOME": str(place)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ).stdout

    assert [by_cron(line) for line in lines] == ["", ""]
    assert len(shop.olap_rows("SELECT FROM etl.corrida")) == 1
    shop.till("DELETE FROM detalle_transaccion WHERE id_detalle = 1")
    assert "verify --repair" in by_cron(lines[1])
    shop.till("ALTER TABLE transacciones RENAME TO otra")
    assert "transacciones" in by_cron(lines[0])


# .env, and the two databases


def test_doctor_warns_of_an_environment_that_overrides_env(shop: Shop):
    (shop.folder / ".env").write_text(
        "ETL_KEEP_DAYS=9\nETL_INITIAL_DAYS=7\nOLAP_DB_PASSWORD=geheim\n"
    )
    said = findings(shop, ETL_KEEP_DAYS="30", ETL_INITIAL_DAYS="7")[".env and environment"]
    assert said["state"] == "warning"
    assert "ETL_KEEP_DAYS" in said["found"]
    assert "OLAP_DB_PASSWORD" in said["found"]
    assert "ETL_INITIAL_DAYS" not in said["found"]
    assert "geheim" not in said["found"] + said["remedy"]
    (shop.folder / ".env").write_text("ETL_KEEP_DAYS=30\n")
    assert ".env and environment" not in findings(shop, ETL_KEEP_DAYS="30")


def exchanged(shop: Shop) -> dict[str, str]:
    """The settings of both sides, the one for the other."""
    return {
        name.replace(a, b): value
        for a, b in (("OLTP", "OLAP"), ("OLAP", "OLTP"))
        for name, value in shop.env.items()
        if name.startswith((f"{a}_DB_", f"{a}_ADMIN_"))
    }


def test_doctor_and_init_know_the_two_databases_exchanged(shop: Shop):
    found = findings(shop, **exchanged(shop))
    (said,) = [f for f in found.values() if "OLTP_DB_" in f["remedy"] and "OLAP_DB_" in f["remedy"]]
    assert said["state"] == "error"
    assert "exchanged" in said["remedy"]
    admin = shop.server.environment(shop.oltp_name, shop.olap_name, shop.folder)
    refused = shop.command("init", **exchanged(shop))
    assert refused.returncode == 1
    assert "exchanged" in refused.stdout
    assert len(refused.stdout.splitlines()) == 1
    assert admin and "dw" not in schemas(shop.oltp)


def schemas(connection: Any) -> set[str]:
    """The schemas of a database."""
    cursor = connection.cursor()
    cursor.execute("SELECT nspname FROM pg_namespace")
    return {name for (name,) in cursor}


def test_the_example_is_refused_where_others_have_tables(shop: Shop):
    with shop.server.databases() as (_, other):
        connection = shop.server.connect(other)
        connection.cursor().execute(
            "DROP SCHEMA IF EXISTS dw, etl CASCADE; CREATE TABLE public.facturas (id int)"
        )
        refused = shop.command("init", "--example-oltp", OLTP_DB_NAME=other)
        assert refused.returncode == 1
        assert "public.facturas" in refused.stdout
        # A table of the same name that is not the example's.
        connection.cursor().execute(
            "DROP TABLE public.facturas; CREATE TABLE public.productos (sku text)"
        )
        refused = shop.command("init", "--example-oltp", OLTP_DB_NAME=other)
        assert refused.returncode == 1
        assert "public.productos" in refused.stdout
        cursor = connection.cursor()
        cursor.execute("SELECT to_regclass('public.transacciones')")
        assert cursor.fetchall() == [(None,)]
        connection.close()


def test_the_example_is_refused_in_an_olap_and_repeated_where_it_is(shop: Shop):
    with shop.server.databases() as (_, other):
        refused = shop.command("init", "--example-oltp", OLTP_DB_NAME=other)
        assert refused.returncode == 1
        assert "OLAP" in refused.stdout
    shop.till("CREATE TABLE notas (texto text)")
    shop.succeed("init", "--example-oltp")


# The terminal


@pytest.mark.parametrize("language", ["es", "en"])
def test_commands_fit_80_columns(shop: Shop, language: str):
    shop.env |= {"ETL_LANG": language, "ETL_STATE_DIR": str(shop.folder / "s")}
    # As in cron's mail and in a pipe, where nobody says how wide it is.
    del shop.env["COLUMNS"]
    stock_up(shop, ago(DAY))
    shop.product(7, codigo="UN-CODIGO-DE-PRODUCTO")
    shop.sale(ago(DAY), (7, "123456.5", "1234.25"), (1, 0.5, None), (99, 2, "3.5"))
    shop.run()
    for command in (["status"], ["rejects"], ["kardex", "7"], ["kardex", "1"], ["doctor"]):
        said = shop.command(*command).stdout
        # A path or a command is kept whole, to be copied.
        lines = [x for x in said.splitlines() if str(shop.folder) not in x and "luigi.cfg" not in x]
        assert len(widest("\n".join(lines))) <= 80, f"{command}: {widest(chr(10).join(lines))}"
    assert "99" in shop.command("rejects").stdout


def test_the_version_is_told():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", "--version"], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout.split()) == (0, ["pipeline", project["version"]])


def test_the_licence_is_there_and_named():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["license"] == "Apache-2.0"
    text = (REPOSITORY / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in text and "Version 2.0" in text
    assert len(text.splitlines()) > 190


def test_a_reader_that_had_enough_is_an_exit_code_that_help_knows(shop: Shop):
    stock_up(shop, ago(DAY))
    shop.run()
    command = f"{shlex.quote(sys.executable)} -m pipeline status --json; echo $? >code"
    subprocess.run(
        ["/bin/sh", "-c", f"({command}) | :"], cwd=shop.folder, env={**os.environ, **shop.env}
    )
    code = (shop.folder / "code").read_text().strip()
    help_text = shop.succeed("status", "--help").stdout
    assert re.search(rf"^  {code}  ", help_text.partition("exit codes:")[2], re.M), code


def test_a_code_is_found_whatever_its_case(shop: Shop, tmp_path: Path):
    shop.product(7, codigo="Arr-5Ñ")
    shop.receipt(ago(DAY), (7, 3, "2.5"))
    shop.run()
    for code in ("Arr-5Ñ", "ARR-5ñ", "arr-5Ñ"):
        assert "Arr-5Ñ" in shop.succeed("kardex", code).stdout
    count = tmp_path / "conteo.csv"
    count.write_text("codigo,existencias,costo_promedio\narr-5ñ,4,2\n", encoding="utf-8")
    shop.succeed("opening", str(count))
    # Of two that differ in case alone the one that is typed so is meant, and else neither.
    shop.product(8, codigo="ARR-5Ñ")
    shop.receipt(ago(DAY), (8, 3, "2.5"))
    shop.run()
    assert "Producto 8" in shop.succeed("kardex", "ARR-5Ñ").stdout
    doubtful = shop.command("kardex", "arr-5ñ")
    assert doubtful.returncode == 1
    assert "7, 8" in doubtful.stdout
    count.write_text("codigo,existencias,costo_promedio\narr-5ñ,4,2\n", encoding="utf-8")
    assert shop.command("opening", str(count)).returncode == 1


# The demo


def test_clean_leaves_an_installation_of_ones_own(tmp_path: Path):
    """With an installation that cron runs in the same clone."""
    clone = tmp_path / "clone"
    clone.mkdir()
    (clone / "scripts").mkdir()
    for name in ("demo", "venv.sh"):
        shutil.copy(REPOSITORY / "scripts" / name, clone / "scripts")
    for name in ("pyproject.toml", "demo", "pipeline", "sql"):
        (clone / name).symlink_to(REPOSITORY / name)
    own = clone / ".venv"
    (own / "bin").mkdir(parents=True)
    (own / "bin/python").symlink_to(sys.executable)
    (own / ".made-by-demo").touch()
    (clone / "pipeline.egg-info").mkdir()
    (clone / ".demo").mkdir()
    (clone / ".demo/.pipeline-demo").touch()
    # What the demo made for itself.
    (clone / ".demo-venv").mkdir()
    (clone / ".demo-venv/.made-by-demo").touch()
    done = subprocess.run(
        ["/bin/bash", str(clone / "scripts/demo"), "--clean", "--folder", str(clone / ".demo")],
        cwd=clone,
        capture_output=True,
        text=True,
    )
    assert own.is_dir(), done.stdout + done.stderr
    assert (clone / "pipeline.egg-info").is_dir()
    assert not (clone / ".demo").exists() and not (clone / ".demo-venv").exists()


def test_pip_installs_into_the_environment_that_is_meant(tmp_path: Path):
    """A fresh clone has no .venv: the demo's own is made, and filled."""
    script = f'. "{REPOSITORY}/scripts/venv.sh"; use_venv "{tmp_path}/own"'
    script += '; echo "$venv ${pip_install[0]}"'
    done = subprocess.run(["/bin/bash", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [f"{tmp_path}/own", f"{tmp_path}/own/bin/python"]


def test_try_next_leaves_the_terminal_as_it_is():
    from demo.place import Place
    from demo.story import try_next

    said = try_next(Place(Path.cwd() / ".demo", Path.cwd()))
    assert "status" in said
    assert "set -a" not in said
    assert "export" not in said
    # Each in a subshell: not even the folder is another one afterwards.
    assert all(line.strip().startswith("(cd ") for line in said.splitlines() if "python" in line)
