"""Who is told of a run, when, and what; and that telling never fails one."""

from __future__ import annotations

import re
import stat
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fault_process import Fault, holding, start_luigi
from local_servers import WebServer, free_port, mail_server, web_server
from shop_database import LUIGI, Shop
from shop_luigid import luigid
from shop_server import PASSWORD, REPOSITORY, must_succeed, run_program
from shop_terminal import on_terminal
from test_chain import KILLER, ago, folders, receipt, stock_up

from pipeline.errors import GuardError, SettingsError
from pipeline.settings import load_notices
from pipeline.state.told import Memory, cause_key, recall, remember
from pipeline.telling import notify, wording

pytestmark = pytest.mark.one_postgres

DAY = timedelta(days=1)
SECRETS = ("secreto", PASSWORD)


@pytest.fixture
def web() -> Iterator[WebServer]:
    """A web server that is both channel and heartbeat."""
    with web_server() as server:
        yield server


def telling(shop: Shop, web: WebServer, **env: str) -> None:
    """Have the shop tell that server."""
    shop.env |= {"ETL_LANG": "es", "ETL_NOTIFY_URLS": web.channel, **env}


def break_oltp(shop: Shop) -> None:
    """Make every extract fail."""
    shop.till("ALTER TABLE transacciones RENAME TO otra")


def mend_oltp(shop: Shop) -> None:
    """Undo it."""
    shop.till("ALTER TABLE otra RENAME TO transacciones")


def run(shop: Shop, code: int, *arguments: str, **env: str) -> str:
    """A run that must exit with `code`; what it printed, which must hold no secret."""
    done = shop.run_due(*arguments, **env)
    assert done.returncode == code, done.stdout
    assert not [secret for secret in SECRETS if secret in done.stdout], done.stdout
    return done.stdout


# Failures and recoveries


@pytest.mark.parametrize("arguments", [(), ("--workers", "2")], ids=["one process", "workers"])
def test_a_failure_is_told_once_and_so_is_the_first_success(
    shop: Shop, web: WebServer, arguments: tuple[str, ...]
):
    telling(shop, web)
    stock_up(shop, ago(DAY))
    run(shop, 0, *arguments)
    assert web.told == []

    break_oltp(shop)
    run(shop, 30, *arguments)
    run(shop, 30, *arguments)
    ((title, body),) = web.told
    assert shop.olap_name in title
    assert "falló" in title
    assert "ExtractWindow" in body
    assert folders(shop)[-1].name in body
    assert "transacciones" in body
    assert "luigi --module pipeline RunDue" in body
    memory = Path(shop.env["ETL_STATE_DIR"], "last-failure.json")
    assert stat.S_IMODE(memory.stat().st_mode) == 0o600

    mend_oltp(shop)
    run(shop, 0, *arguments)
    run(shop, 0, *arguments)
    assert len(web.told) == 2
    assert "funcionan de nuevo" in web.told[1][0]
    # What is left is for the page: that there were such runs.
    left = recall(memory.parent)
    assert left.failing_since is None and left.told == {} and left.failed

    # A new failure of the same cause is news again.
    break_oltp(shop)
    run(shop, 30, *arguments)
    assert len(web.told) == 3


def test_with_luigid_too(shop: Shop, web: WebServer):
    telling(shop, web, ETL_LANG="en")
    break_oltp(shop)
    with luigid(shop.folder, shop.env) as port:
        program = [str(LUIGI), "--module", "pipeline", "RunDue", "--scheduler-port", str(port)]
        failed = run_program(program, shop.folder, shop.env)
        assert failed.returncode == 30, failed.stdout
        mend_oltp(shop)
        must_succeed(run_program(program, shop.folder, shop.env))
    (title, body), (again, _) = web.told
    assert "the run failed" in title
    assert "ExtractWindow" in body
    assert "the runs work again" in again


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"OLAP_DB_NAME": "no_hay"}, "no se puede conectar a OLAP"),
        ({"ETL_KEEP_DAYS": "x"}, "ETL_KEEP_DAYS es 'x'"),
    ],
    ids=["no OLAP", "a bad setting"],
)
def test_what_keeps_a_run_from_being_scheduled_is_told(
    shop: Shop, web: WebServer, env: dict[str, str], said: str
):
    telling(shop, web)
    run(shop, 35, **env)
    run(shop, 35, **env)
    ((_, body),) = web.told
    assert said in body
    assert "RunDue" in body
    assert "no se pudo averiguar" in body
    run(shop, 0)
    assert len(web.told) == 2


def test_a_worker_that_is_killed_is_told(shop: Shop, web: WebServer, tmp_path: Path):
    telling(shop, web)
    (tmp_path / "sitecustomize.py").write_text(KILLER)
    run(shop, 30, "--workers", "2", PYTHONPATH=str(tmp_path), DIES_AT="load.json")
    ((_, body),) = web.told
    assert "LoadOLAP" in body
    assert "died unexpectedly" in body


def test_a_worker_whose_time_is_up_is_told_once(shop: Shop, web: WebServer, tmp_path: Path):
    textfile = tmp_path / "pipeline.prom"
    telling(shop, web, ETL_LANG="en", ETL_METRICS_FILE=str(textfile))
    stock_up(shop, ago(DAY))
    run(shop, 0)
    stock_up(shop, ago(DAY))
    lock = "LOCK TABLE transacciones IN ACCESS EXCLUSIVE MODE"
    with holding(lambda: shop.server.connect(shop.oltp_name), lock):
        printed = run(shop, 30, "--worker-timeout", "2")
    assert "timed out after 2 seconds" in printed
    ((title, body),) = web.told
    assert "the run failed" in title
    assert "timed out after 2 seconds" in body and "ExtractWindow" in body
    assert re.search(r"^etl_last_run_success\S* 0", textfile.read_text(), re.M)
    run(shop, 0)
    assert len(web.told) == 2


def test_a_luigid_that_is_away_is_told(shop: Shop, web: WebServer, tmp_path: Path):
    """At the start Luigi has an event for it, which must not tell it a second time."""
    telling(shop, web)
    configuration = impatient(tmp_path)
    program = [str(LUIGI), "--module", "pipeline", "RunDue", "--scheduler-port", str(free_port())]
    done = run_program(program, shop.folder, shop.env | configuration)
    assert done.returncode == 40
    assert "Traceback" not in done.stdout
    assert "inicie luigid, o corra con --local-scheduler" in done.stdout
    run_program(program, shop.folder, shop.env | configuration)
    ((_, body),) = web.told
    assert "Qué falló: luigid" in body
    assert "remote scheduler 'http://localhost:" in body
    assert "RunDue --local-scheduler" in body
    run(shop, 0)
    assert "funcionan de nuevo" in web.told[1][0]


def impatient(folder: Path) -> dict[str, str]:
    """The environment of a Luigi that asks luigid once."""
    configuration = folder / "impatient.cfg"
    text = (REPOSITORY / "luigi.cfg").read_text(encoding="utf-8")
    patience = "[core]\nrpc-retry-attempts = 1\nrpc-retry-wait = 0"
    configuration.write_text(text.replace("[core]", patience))
    return {"LUIGI_CONFIG_PATH": str(configuration)}


def test_a_luigid_that_goes_away_in_a_run_is_told(shop: Shop, web: WebServer, tmp_path: Path):
    telling(shop, web)
    fault = Fault(shop.folder, "before:extract.json", "pause")
    with luigid(shop.folder, shop.env) as port:
        process = start_luigi(
            shop, "RunDue", "--scheduler-port", str(port), fault=fault, **impatient(tmp_path)
        )
        fault.wait_until_paused(process)
    fault.go_on()
    assert process.wait() == 40, process.output
    ((_, body),) = web.told
    assert "Qué falló: luigid" in body


def test_a_backfill_that_fails_is_told_and_is_no_run(shop: Shop, web: WebServer):
    telling(shop, web)
    stock_up(shop, ago(DAY))
    run(shop, 0)
    history = ["Backfill", "--since", "2020-01-01", "--local-scheduler"]
    break_oltp(shop)
    for _ in range(2):
        program = [str(LUIGI), "--module", "pipeline", *history]
        assert run_program(program, shop.folder, shop.env).returncode == 30
    ((title, body),) = web.told
    assert "Backfill no terminó bien" in title
    assert "transacciones" in body
    assert "luigi --module pipeline Backfill --since 2020-01-01 --local-scheduler" in body
    assert run_program(program, shop.folder, shop.env | {"OLAP_DB_NAME": "no_hay"}).returncode == 35
    assert "no se puede conectar a OLAP" in web.told[1][1]
    # The runs never failed, so none works again.
    mend_oltp(shop)
    run(shop, 0)
    assert len(web.told) == 2


def test_a_verify_that_nobody_looks_at_tells_what_differs(shop: Shop, web: WebServer):
    telling(shop, web, ETL_LANG="en")
    stock_up(shop, ago(DAY))
    run(shop, 0)
    assert shop.command("verify").returncode == 0
    assert web.told == []
    shop.till("DELETE FROM detalle_transaccion WHERE id_detalle = 1")
    for _ in range(2):
        assert shop.command("verify").returncode == 1
    ((title, body),) = web.told
    assert "verify did not end well" in title
    assert "not equal to the OLTP: 1 extra" in body
    assert "python -m pipeline verify --repair" in body
    assert shop.command("verify", OLTP_DB_NAME="no_hay").returncode == 1
    assert "cannot connect to OLTP" in web.told[1][1]
    # On a terminal it is seen: a cause that was not told yet stays so.
    shop.env["ETL_STATE_DIR"] += "-2"
    program = [sys.executable, "-m", "pipeline", "verify"]
    code, said = on_terminal(program, shop.folder, shop.env)
    assert (code, len(web.told)) == (1, 2), said


def test_a_repair_that_fails_is_told_once(shop: Shop, web: WebServer, tmp_path: Path):
    """By the run's own events, and not by verify a second time."""
    telling(shop, web, ETL_LANG="en")
    stock_up(shop, ago(DAY))
    run(shop, 0)
    shop.till("DELETE FROM detalle_transaccion WHERE id_detalle = 1")
    page = {"ETL_REPORT_PATH": str(tmp_path / "no" / "such.html")}
    assert shop.command("verify", "--repair", **page).returncode == 0
    ((_, body),) = web.told
    assert "What failed: PublishReport" in body
    shop.till("DELETE FROM detalle_transaccion WHERE id_detalle = 2")
    shop.olap.cursor().execute("REVOKE EXECUTE ON FUNCTION etl.abrir_ventana FROM etl_cargador")
    assert shop.command("verify", "--repair").returncode == 1
    assert len(web.told) == 2
    # What fails before the run, as its rehearsal does here, is told by the command, once.
    assert "What failed: verify" in web.told[1][1]


def test_a_page_that_fails_alone_is_told_as_such(shop: Shop, web: WebServer, tmp_path: Path):
    """Also where nothing is due: then no window is named, and none was sought in vain."""
    telling(shop, web, ETL_LANG="en")
    stock_up(shop, ago(DAY))
    env = {"ETL_REPORT_PATH": str(tmp_path / "informe.html")}
    run(shop, 30, **env, OLAP_BI_PASSWORD="otra")
    ((title, body),) = web.told
    assert "the report was not published" in title
    assert f"Window: {folders(shop)[-1].name}, up to " in body
    assert "the next run publishes the report" in body
    last = f"--as-of={folders(shop)[-1].name.split('--')[1]}"
    run(shop, 30, last, **env, OLAP_BI_USER="nadie")
    title, body = web.told[1]
    assert "the report was not published" in title
    assert "Window: none: no window was due before it\n" in body
    run(shop, 0, last, **env)
    assert "the runs work again" in web.told[2][0]


def test_another_cause_is_told_and_both_are_not_told_again(shop: Shop, web: WebServer):
    telling(shop, web)
    break_oltp(shop)
    run(shop, 30)
    run(shop, 35, OLAP_DB_NAME="no_hay")
    run(shop, 30)
    run(shop, 35, OLAP_DB_NAME="no_hay")
    assert len(web.told) == 2
    assert web.told[0] != web.told[1]


def test_what_nobody_took_is_told_the_next_time(shop: Shop, web: WebServer):
    telling(shop, web)
    web.status = 500
    break_oltp(shop)
    assert "aviso no enviado por canal 1 (json://…)" in run(shop, 30)
    web.status = 200
    run(shop, 30)
    assert len(web.told) == 2
    run(shop, 30)
    assert len(web.told) == 2

    mend_oltp(shop)
    web.status = 500
    run(shop, 0)
    web.status = 200
    run(shop, 0)
    assert len(web.told) == 4
    assert "funcionan de nuevo" in web.told[3][0]
    run(shop, 0)
    assert len(web.told) == 4


def test_the_digest_tells_what_the_ledger_received(shop: Shop, web: WebServer):
    telling(shop, web, ETL_NOTIFY_DIGEST="true")
    stock_up(shop, ago(DAY))
    run(shop, 0)
    ((title, body),) = web.told
    (row,) = shop.olap_rows("SELECT * FROM etl.corrida")
    assert "terminó bien" in title
    assert body.startswith(f"{folders(shop)[0].name}, hasta ")
    assert f": {row['nuevas']} nuevos" in body
    assert body.endswith(f"corrida {row['id_corrida']}")
    assert row["nuevas"] == 3


def test_the_digest_says_that_nothing_was_due(shop: Shop, web: WebServer):
    telling(shop, web, ETL_NOTIFY_DIGEST="true", ETL_LANG="en")
    moment = ago(timedelta(0)).strftime("%Y-%m-%dT%H:%M:%SZ")
    stock_up(shop, ago(DAY))
    run(shop, 0, "--as-of", moment)
    run(shop, 0, "--as-of", moment)
    assert web.told[1][1] == "Nothing was due."


# The heartbeat


def test_the_heart_beats_after_a_success_alone(shop: Shop, web: WebServer):
    shop.env["ETL_HEARTBEAT_URL"] = web.heartbeat
    run(shop, 0)
    assert [(asked.method, asked.path) for asked in web.asked] == [("GET", "/secreto3")]
    break_oltp(shop)
    run(shop, 30)
    run(shop, 35, OLAP_DB_NAME="no_hay")
    assert len(web.asked) == 1
    mend_oltp(shop)
    web.status = 500
    assert "heartbeat to http://127.0.0.1 failed: it answers 500" in run(shop, 0)


# What is broken


def test_what_cannot_be_reached_is_logged_and_fails_nothing(shop: Shop, web: WebServer):
    shop.env |= {
        "ETL_NOTIFY_URLS": f"nadie://secreto/secreto {web.channel}"
        f" json://secreto:secreto@127.0.0.1:{free_port()}/secreto",
        "ETL_NOTIFY_DIGEST": "true",
        "ETL_HEARTBEAT_URL": f"http://secreto:secreto@127.0.0.1:{free_port()}/secreto",
    }
    printed = run(shop, 0)
    assert "notice not sent to channel 1 (nadie://…): Apprise does not understand" in printed
    assert "notice not sent to channel 3 (json://…): it did not take the message" in printed
    assert "heartbeat to http://127.0.0.1 failed: " in printed
    assert len(web.told) == 1
    # Apprise's own lines, which hold what it likes, reach no log.
    assert '"logger": "apprise' not in run(shop, 0, ETL_LOG_FORMAT="json")


def test_without_apprise_nobody_is_told_and_the_run_succeeds(
    shop: Shop, web: WebServer, tmp_path: Path
):
    telling(shop, web, ETL_NOTIFY_DIGEST="true")
    (tmp_path / "apprise.py").write_text("raise ImportError(name='apprise')")
    printed = run(shop, 0, PYTHONPATH=str(tmp_path))
    assert "no se avisa a nadie: " in printed
    assert "apprise; pip install '.[notify]'" in printed
    assert web.told == []


def test_a_state_folder_that_cannot_remember_does_not_silence(shop: Shop, web: WebServer):
    telling(shop, web)
    state = Path(shop.env["ETL_STATE_DIR"])
    state.write_text("a file where the folder should be")
    run(shop, 35)
    assert len(web.told) == 1


def test_nobody_waits_for_a_server_that_does_not_answer(web: WebServer, caplog: Any):
    # Were it waited for, this would take the minute until the server answers, and be told.
    web.may_answer.clear()
    assert not notify.send([web.channel], "t", "b", timeout=0.2)
    assert not notify.beat(web.heartbeat, timeout=0.2)
    assert "secreto" not in caplog.text
    assert caplog.text.count("no answer in 0.2 s") + caplog.text.count("timed out") == 2


def test_one_channel_that_takes_it_is_enough(web: WebServer):
    assert notify.send([f"json://127.0.0.1:{free_port()}/", web.channel], "t", "b")
    assert web.told == [("t", "b")]


@pytest.mark.parametrize("setting", ["ETL_NOTIFY_URLS", "ETL_HEARTBEAT_URL"])
def test_a_malformed_url_is_named_and_not_shown(shop: Shop, setting: str):
    printed = run(shop, 35, **{setting: "secreto"})
    assert setting in printed


def test_urls_are_separated_by_spaces_and_commas(shop: Shop):
    shop.env["ETL_NOTIFY_URLS"] = "mailto://a:b@c.pe?to=d@e.pe,f@g.pe, json://h/ ,\tjson://i"
    with shop.environment():
        notices = load_notices()
    assert notices.urls == ("mailto://a:b@c.pe?to=d@e.pe,f@g.pe", "json://h/", "json://i")
    assert "json" not in repr(notices)


# Mail


@pytest.mark.parametrize(("language", "word"), [("es", "falló"), ("en", "failed")])
def test_by_mail(shop: Shop, language: str, word: str):
    with mail_server() as (mailbox, port):
        shop.env |= {
            "ETL_LANG": language,
            "ETL_NOTIFY_URLS": f"mailto://127.0.0.1:{port}?mode=insecure&from=etl@tienda.pe"
            "&to=dueno@tienda.pe",
        }
        break_oltp(shop)
        run(shop, 30)
    (mail,) = mailbox.received
    assert "dueno@tienda.pe" in str(mail["To"])
    assert word in mail["Subject"]
    text = mail.get_body(("plain",))
    assert text is not None
    assert "ExtractWindow" in text.get_content()


def test_luigis_own_mail_still_works(shop: Shop, tmp_path: Path):
    configuration = tmp_path / "mail.cfg"
    shop.env["LUIGI_CONFIG_PATH"] = str(configuration)
    break_oltp(shop)
    with mail_server() as (mailbox, port):
        configuration.write_text(
            "[email]\nmethod = smtp\nreceiver = dueno@tienda.pe\nsender = etl@tienda.pe\n"
            f"[smtp]\nhost = 127.0.0.1\nport = {port}\n"
        )
        run(shop, 30)
    (mail,) = mailbox.received
    assert "ExtractWindow" in mail["Subject"]


# What is said


def test_a_cause_holds_its_first_line_without_passwords(shop: Shop):
    with shop.environment():
        said = wording.first_line(ValueError(f"with {PASSWORD}\nand more"))
    assert said == "ValueError: with ****"


def test_the_next_command_follows_the_cause():
    assert "plan" in wording.next_command(GuardError("too many"))
    assert "RunDue" in wording.next_command(SettingsError("not set"))


# Memory


def test_numbers_do_not_make_a_cause_another_one():
    assert cause_key("A", "held by pid 12") == cause_key("A", "held by pid 345")
    assert cause_key("A", "x") != cause_key("B", "x")
    assert cause_key("A", "x") != cause_key("A", "y")


def test_a_cause_is_due_again_after_its_hours_and_after_the_clock_was_set_back():
    now = datetime.now(UTC)
    memory = Memory(now, {"a": now})
    assert not memory.is_due("a", now, DAY)
    assert not memory.is_due("a", now + DAY - timedelta(seconds=1), DAY)
    assert memory.is_due("a", now + DAY, DAY)
    assert memory.is_due("a", now - DAY, DAY)
    assert memory.is_due("b", now, DAY)


def test_the_memory_is_kept_and_survives_a_file_that_is_none(tmp_path: Path):
    now = datetime.now(UTC)
    memory = Memory(now)
    for number in range(60):
        memory.note_told(str(number), now + number * timedelta(seconds=1))
    remember(tmp_path, memory)
    assert recall(tmp_path) == memory
    assert set(memory.told) == {str(number) for number in range(10, 60)}
    for content in ("", "[]", "{}", '{"told": []}', '{"told": {"a": 1}}', "\xff"):
        (tmp_path / "last-failure.json").write_text(content, encoding="latin-1")
        assert recall(tmp_path) == Memory()


def test_receipts_carry_the_run_id(shop: Shop):
    stock_up(shop, ago(DAY))
    shop.run_in_process()
    (row,) = shop.olap_rows("SELECT id_corrida FROM etl.corrida")
    folder = folders(shop)[0]
    assert receipt(folder, "extract.json")["id_corrida"] == row["id_corrida"]
    for name in ("load.json", "views.json", "marker.json"):
        assert receipt(folder, name)["run_id"] == row["id_corrida"]


def test_what_is_out_of_scope_is_told_once_a_kind(shop: Shop, web: WebServer):
    telling(shop, web)
    stock_up(shop, ago(DAY))
    run(shop, 0)
    assert web.told == []
    shop.document("venta", ago(DAY), [(1, 1, 5)])
    shop.sale(ago(4000 * DAY), (1, 1, 5))
    run(shop, 0)
    ((title, body),) = web.told
    assert shop.olap_name in title
    assert "1 de tipo 'venta': ¿quiso decir VENTA?" in body
    assert f"{ago(4000 * DAY):%Y-%m-%d}" in body
    assert "python -m pipeline status" in body
    run(shop, 0)
    shop.document("venta", ago(DAY), [(1, 1, 5)])
    run(shop, 0)
    assert len(web.told) == 1
    shop.document("Venta ", ago(DAY), [(1, 1, 5)])
    run(shop, 0)
    assert len(web.told) == 2
    assert "'Venta '" in web.told[1][1] and "'venta'" not in web.told[1][1]
