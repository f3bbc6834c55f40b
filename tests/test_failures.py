"""Every failure that an operator can cause: one line, no traceback, a code, nothing changed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from olap_comparison import assert_olap_equals_replay
from shop_database import LUIGI, Shop
from shop_server import PASSWORD, must_succeed, run_program

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)

SETTINGS = [
    ({"OLAP_DB_NAME": None}, "OLAP_DB_NAME is not set"),
    ({"OLTP_DB_USER": None}, "OLTP_DB_USER is not set"),
    ({"OLAP_DB_PORT": "abc"}, "OLAP_DB_PORT is 'abc', but must be a port"),
    ({"OLAP_DB_SSLMODE": "si"}, "OLAP_DB_SSLMODE is 'si', but must be one of disable"),
    ({"ETL_TIMEZONE": "Lima"}, "ETL_TIMEZONE is 'Lima', but must be a time zone"),
    ({"ETL_INITIAL_SINCE": "soon"}, "ETL_INITIAL_SINCE is 'soon', but must be a date"),
    ({"ETL_INITIAL_DAYS": "9999999"}, "ETL_INITIAL_DAYS is '9999999', but must be a whole"),
    ({"ETL_MAX_REJECT_SHARE": "5"}, "ETL_MAX_REJECT_SHARE is '5', but must be a share"),
    ({"ETL_PRICES_INCLUDE_TAX": "si"}, "ETL_PRICES_INCLUDE_TAX is 'si'"),
    ({"OLAP_DB_PASSWORD": "clav\udce9"}, "OLAP_DB_PASSWORD is not in UTF-8"),
    ({"OLAP_DB_PASSWORD": "wrong"}, "OLAP_DB_USER and OLAP_DB_PASSWORD"),
    ({"OLAP_DB_NAME": "nowhere"}, 'database "nowhere" does not exist'),
]


def stock(shop: Shop) -> None:
    """A product with a receipt and a sale."""
    shop.env["ETL_INITIAL_SINCE"] = BEGINNING.isoformat()
    shop.product(1)
    shop.receipt(BEGINNING + timedelta(days=1), (1, 10, 5))
    shop.sale(BEGINNING + timedelta(days=2), (1, 3, 9))


def without_capabilities(shop: Shop, task: str) -> subprocess.CompletedProcess[str]:
    """A task for whom the permissions of files count: root has none to pass over them."""
    program = [str(LUIGI), "--module", "pipeline", task, "--local-scheduler"]
    if os.geteuid() == 0:
        if not shutil.which("setpriv"):
            pytest.skip("run by root, and there is no setpriv to give its capabilities up")
        program = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", *program]
    return run_program(program, shop.folder, shop.env)


def fails(shop: Shop, cause: str, code: int, **env: str) -> str:
    """Run; it must fail with the cause in a line of its own kind."""
    done = shop.run_due(**env)
    assert done.returncode == code, done.stdout
    assert "Traceback" not in done.stdout
    assert len([line for line in done.stdout.splitlines() if cause in line]) == 1, done.stdout
    assert PASSWORD not in done.stdout
    return done.stdout


@pytest.mark.one_postgres
@pytest.mark.parametrize(("change", "cause"), SETTINGS)
def test_a_setting_is_named(shop: Shop, change: dict[str, str | None], cause: str):
    for name, value in change.items():
        if value is None:
            del shop.env[name]
        else:
            shop.env[name] = value
    fails(shop, cause, 35)
    done = shop.command("status")
    assert done.returncode == 1
    assert cause in done.stdout
    assert len(done.stdout.splitlines()) == 1
    assert "Traceback" in shop.command("status", "--debug").stdout


@pytest.mark.one_postgres
def test_a_host_that_does_not_answer_is_tried_again_and_named(shop: Shop):
    done = shop.run_due(OLTP_DB_PORT="1")
    assert done.returncode == 30, done.stdout
    assert "trying again" in done.stdout
    assert "Traceback" not in done.stdout
    assert "check OLTP_DB_HOST" in done.stdout
    assert not shop.olap_rows("SELECT * FROM etl.corrida")


def test_the_traceback_is_there_for_who_wants_it(shop: Shop):
    done = shop.run_due("--log-level", "DEBUG", OLAP_DB_PORT="abc")
    assert "Traceback" in done.stdout


def test_a_missing_table_function_or_privilege_is_named(shop: Shop):
    stock(shop)
    shop.till("ALTER TABLE detalle_transaccion RENAME TO otra")
    fails(shop, 'relation "public.detalle_transaccion" does not exist', 30)
    shop.till("ALTER TABLE otra RENAME TO detalle_transaccion")
    shop.till("REVOKE SELECT ON transacciones FROM etl_lector")
    fails(shop, "permission denied for table transacciones", 30)
    shop.till("GRANT SELECT ON transacciones TO etl_lector")
    shop.olap.cursor().execute("ALTER FUNCTION etl.cargar_ventana RENAME TO otra")
    fails(shop, "run `python -m pipeline init`", 30)
    shop.olap.cursor().execute("ALTER FUNCTION etl.otra RENAME TO cargar_ventana")
    shop.run()
    assert_olap_equals_replay(shop, BEGINNING)


def test_an_olap_without_init_is_named(shop: Shop):
    shop.olap.cursor().execute("DROP SCHEMA dw, etl CASCADE")
    fails(shop, "run `python -m pipeline init`", 35)
    assert "run `python -m pipeline init`" in shop.command("status").stdout


def test_another_time_zone_later_is_refused(shop: Shop):
    stock(shop)
    shop.run()
    fails(shop, "set ETL_TIMEZONE=UTC", 35, ETL_TIMEZONE="America/Lima")


@pytest.mark.one_postgres
def test_a_state_folder_that_cannot_be_is_named(shop: Shop):
    (shop.folder / "file").write_text("")
    fails(shop, "cannot be written", 35, ETL_STATE_DIR=str(shop.folder / "file" / "state"))


@pytest.mark.one_postgres
@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder")
def test_a_window_of_another_account_is_named(shop: Shop):
    stock(shop)
    shop.run()
    (window,) = Path(shop.env["ETL_STATE_DIR"]).glob("*--*")
    window.chmod(0)
    try:
        fails(shop, f"{window} may not be read by this account", 35)
        for command in ("status", "plan"):
            done = shop.command(command)
            assert done.returncode == 1
            assert done.stdout.startswith(f"error: {window} may not be read by this account")
    finally:
        window.chmod(0o700)


@pytest.mark.one_postgres
def test_the_account_that_is_refused_is_the_one_that_is_named(shop: Shop):
    said = shop.command("init", OLAP_ADMIN_PASSWORD="wrong").stdout
    assert "OLAP_ADMIN_USER and OLAP_ADMIN_PASSWORD" in said
    said = shop.command("init", OLTP_ADMIN_PASSWORD="wrong").stdout
    assert "OLTP_ADMIN_USER and OLTP_ADMIN_PASSWORD" in said


@pytest.mark.one_postgres
def test_init_does_not_send_to_init(shop: Shop):
    shop.till("ALTER TABLE detalle_transaccion RENAME TO otra")
    said = shop.command("init").stdout
    assert "correct the query in sql/oltp" in said
    assert "init --example-oltp" in said
    assert "adapt --detect" in said
    shop.till("ALTER TABLE otra RENAME TO detalle_transaccion")
    shop.olap.cursor().execute("DROP SCHEMA dw, etl CASCADE")
    shop.olap.cursor().execute("CREATE SCHEMA dw")
    shop.olap.cursor().execute("CREATE TABLE dw.kardex (mio int)")
    assert "schema dw or etl holds an object of another origin" in shop.command("init").stdout


@pytest.mark.one_postgres
def test_what_is_to_come_is_no_beginning(shop: Shop):
    stock(shop)
    shop.run()
    said = shop.command("verify", "--since", "2999-01-01")
    assert (said.returncode, "has not come yet" in said.stdout) == (1, True)
    done = shop.task("Backfill", "--since", "2999-01-01")
    assert done.returncode != 0
    assert "which has not come yet" in done.stdout
    assert "Traceback" not in done.stdout


@pytest.mark.one_postgres
def test_an_output_that_takes_nothing_is_one_line(shop: Shop):
    program = [sys.executable, "-m", "pipeline", "status"]
    done = run_program(["sh", "-c", 'exec "$@" >/dev/full', "sh", *program], shop.folder, shop.env)
    assert done.returncode == 1
    assert done.stdout == "error: [Errno 28] No space left on device\n"


@pytest.mark.one_postgres
def test_a_closed_output_and_one_that_lacks_a_letter_are_no_failure(shop: Shop):
    stock(shop)
    shop.run()
    program = [sys.executable, "-m", "pipeline", "status"]
    closed = ["sh", "-c", 'exec "$@" >&-', "sh", *program]
    done = must_succeed(run_program(closed, shop.folder, shop.env))
    assert not done.stdout
    spanish = shop.env | {"ETL_LANG": "es", "PYTHONIOENCODING": "ascii"}
    assert "?ltima corrida" in must_succeed(run_program(program, shop.folder, spanish)).stdout


@pytest.mark.one_postgres
def test_a_command_begins_where_no_disk_takes_a_file(shop: Shop):
    program = [sys.executable, "-m", "pipeline", "doctor"]
    done = run_program(
        ["sh", "-c", 'ulimit -f 0; exec "$@"', "sh", *program], shop.folder, shop.env
    )
    assert "Traceback" not in done.stdout
    assert "state folder" in done.stdout


@pytest.mark.one_postgres
@pytest.mark.parametrize(
    ("arguments", "code", "cause"),
    [
        (["kardex", "caf\udce9"], 2, r"argument 'caf\udce9' is not in UTF-8"),
        (["rejects", "--limit", "99999999999999999999"], 2, "invalid N value"),
        (["rejects", "--limit", "-1"], 2, "invalid N value: '-1'"),
        (["report", "--output", "/"], 1, "/ cannot be written: Is a directory"),
        (["report", "--output", ""], 1, ". cannot be written: Is a directory"),
    ],
)
def test_an_argument_that_cannot_be_is_named(
    shop: Shop, arguments: list[str], code: int, cause: str
):
    done = shop.command(*arguments)
    assert (done.returncode, "Traceback" in done.stdout) == (code, False), done.stdout
    assert cause in done.stdout


@pytest.mark.one_postgres
def test_what_the_shop_typed_breaks_no_line_and_commands_no_terminal(shop: Shop):
    stock(shop)
    name = "Rice\n5\tkg \x1b[2J\u202e"
    shop.till("UPDATE productos SET nombre = %s, codigo = %s", name, "A\n1")
    shop.sale(BEGINNING + timedelta(days=3), (1, 99, 9))
    shop.run()
    for arguments in (["status"], ["kardex", "1"], ["close", name]):
        done = shop.command(*arguments)
        assert "Rice 5 kg ?[2J?" in done.stdout
        assert all(line.isprintable() for line in done.stdout.splitlines())
    assert done.stdout.count("\n") == 1


@pytest.mark.one_postgres
@pytest.mark.parametrize("task", ["Backfill", "ExtractWindow"])
def test_a_parameter_that_is_missing_is_named(shop: Shop, task: str):
    done = shop.task(task)
    assert (done.returncode, "Traceback" in done.stdout) == (40, False), done.stdout
    assert "parameter to be set" in done.stdout


@pytest.mark.parametrize("name", ["movements.csv", "products.csv", "branches.csv", "extract.json"])
@pytest.mark.parametrize("damage", ["truncated", "changed"])
@pytest.mark.one_postgres
def test_a_damaged_extract_is_discarded_and_read_again(shop: Shop, name: str, damage: str):
    stock(shop)
    shop.branch(1)
    shop.olap.cursor().execute("REVOKE EXECUTE ON FUNCTION etl.abrir_ventana FROM etl_cargador")
    assert shop.run_due().returncode == 30
    shop.olap.cursor().execute("GRANT EXECUTE ON FUNCTION etl.abrir_ventana TO etl_cargador")
    (path,) = Path(shop.env["ETL_STATE_DIR"]).glob(f"*/{name}")
    content = path.read_bytes()
    path.write_bytes(content[:-3] if damage == "truncated" else b"9" + content[1:])
    fails(shop, "it was discarded", 30)
    assert not shop.olap_rows("SELECT * FROM dw.kardex")
    shop.run()
    assert_olap_equals_replay(shop, BEGINNING)


@pytest.mark.parametrize(
    ("old", "new", "cause"),
    [
        ("    d.cantidad,\n", "", "movimientos.sql yields no column cantidad"),
        ("d.cantidad,", "d.cantidad::text AS cantidad,", "movimientos.sql yields cantidad as"),
        ("INNER JOIN", "CROSS JOIN generate_series(1, 2) INNER JOIN", "2 times in one read"),
        ("\nSELECT\n", "\nSELEC\n", "movimientos.sql is no single SELECT"),
        (
            "id_transaccion\n",
            "id_transaccion ORDER BY 1 LIMIT 2\n",
            "movimientos.sql ends in LIMIT",
        ),
    ],
)
def test_a_query_that_breaks_its_contract_is_named(shop: Shop, old: str, new: str, cause: str):
    stock(shop)
    source = Path(__file__).parents[1] / "sql" / "oltp"
    folder = shop.folder / "sql"
    folder.mkdir()
    for name in ("movimientos.sql", "productos.sql", "sucursales.sql"):
        (folder / name).write_text((source / name).read_text(encoding="utf-8"), encoding="utf-8")
    query = folder / "movimientos.sql"
    query.write_text(query.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    fails(shop, cause, 30, ETL_OLTP_SQL_DIR=str(folder))
    assert not shop.olap_rows("SELECT * FROM dw.kardex")
    shop.run()
    assert_olap_equals_replay(shop, BEGINNING)


@pytest.mark.one_postgres
def test_no_password_is_ever_in_the_state_folder(shop: Shop):
    stock(shop)
    shop.run()
    files = [p for p in Path(shop.env["ETL_STATE_DIR"]).rglob("*") if p.is_file()]
    assert len(files) > 6
    assert not [p for p in files if PASSWORD.encode() in p.read_bytes()]


def own_queries(shop: Shop, old: str, new: str) -> str:
    """A folder of the shop's own queries, with movimientos.sql changed."""
    folder = shop.folder / "sql"
    shutil.copytree(Path(__file__).parents[1] / "sql" / "oltp", folder)
    query = folder / "movimientos.sql"
    text = query.read_text(encoding="utf-8")
    assert old in text
    query.write_text(text.replace(old, new, 1), encoding="utf-8")
    return str(folder)


def test_a_query_that_writes_is_refused_whoever_reads(shop: Shop):
    stock(shop)
    shop.till("CREATE TABLE escrito (a int)")
    shop.till(
        "CREATE FUNCTION escribe() RETURNS int LANGUAGE sql"
        " AS 'INSERT INTO escrito VALUES (1) RETURNING 1'"
    )
    folder = own_queries(shop, "d.cantidad,", "d.cantidad * escribe() AS cantidad,")
    fails(shop, "read-only transaction", 30, ETL_OLTP_SQL_DIR=folder, OLTP_DB_USER="postgres")
    assert not shop.olap_rows("SELECT * FROM dw.kardex")
    shop.run()
    assert_olap_equals_replay(shop, BEGINNING)


@pytest.mark.parametrize(
    ("old", "new", "column", "value"),
    [
        ("d.cantidad,", "d.cantidad::real AS cantidad,", "cantidad", "16777215"),
        (
            "d.precio_unitario,",
            "d.precio_unitario::float8 AS precio_unitario,",
            "precio_unitario",
            "1234567890.12346",
        ),
        (
            "d.precio_unitario,",
            "d.precio_unitario::real AS precio_unitario,",
            "precio_unitario",
            "123456.75",
        ),
    ],
)
def test_a_float_keeps_every_digit_that_it_shows(
    shop: Shop, old: str, new: str, column: str, value: str
):
    shop.env["ETL_INITIAL_SINCE"] = BEGINNING.isoformat()
    shop.product(1)
    shop.receipt(BEGINNING, (1, 20_000_000, 5))
    quantity, price = (value, 1) if column == "cantidad" else (1, value)
    shop.sale(BEGINNING + timedelta(days=1), (1, Decimal(quantity), Decimal(price)))
    shop.env["ETL_OLTP_SQL_DIR"] = own_queries(shop, old, new)
    shop.run()
    (sale,) = shop.olap_rows("SELECT * FROM dw.kardex WHERE tipo = 'VENTA'")
    assert sale[column] == Decimal(value)
    shop.till("UPDATE detalle_transaccion SET cantidad = 2 WHERE cantidad < 3")
    shop.run()
    assert "the OLAP equals the OLTP" in shop.succeed("verify").stdout
    assert_olap_equals_replay(shop, BEGINNING)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("d.cantidad,", "d.cantidad * (SELECT 1 FROM transacciones LIMIT 1) AS cantidad,"),
        (
            "id_transaccion\n",
            "id_transaccion ORDER BY (SELECT id_producto FROM productos LIMIT 1)\n",
        ),
        ("d.cantidad,", "d.cantidad::real AS cantidad, 1 AS dos, 2 AS dos, 1.5::real AS otra,"),
    ],
    ids=["lookup", "sorted", "names"],
)
def test_a_query_that_keeps_its_contract_is_read(shop: Shop, old: str, new: str):
    stock(shop)
    shop.env["ETL_OLTP_SQL_DIR"] = own_queries(shop, old, new)
    shop.till("GRANT SELECT ON ALL TABLES IN SCHEMA public TO etl_lector")
    shop.run()
    assert_olap_equals_replay(shop, BEGINNING)


@pytest.mark.one_postgres
def test_only_a_read_of_everything_is_planned_for_the_order_of_the_keys(shop: Shop):
    stock(shop)
    setting = "(100 * current_setting('random_page_cost')::float8)::bigint AS id_sucursal,"
    shop.env["ETL_OLTP_SQL_DIR"] = own_queries(shop, "t.id_sucursal,", setting)
    shop.run()
    shop.sale(BEGINNING + timedelta(days=3), (1, 1, 9))
    shop.run()
    seen = shop.olap_rows("SELECT id_sucursal FROM dw.kardex ORDER BY id_movimiento")
    assert [row["id_sucursal"] for row in seen] == [200, 200, 400]


@pytest.mark.one_postgres
def test_an_end_to_come_is_refused(shop: Shop):
    stock(shop)
    shop.run()
    (control,) = shop.olap_rows("SELECT hasta FROM etl.control")
    end = datetime.now(UTC) + timedelta(days=100)
    bounds = ["--desde", control["hasta"].isoformat(), "--hasta", end.isoformat()]
    done = shop.task("WriteMarker", *bounds)
    assert done.returncode == 30, done.stdout
    assert "give a time that has passed" in done.stdout
    shop.run()
    assert_olap_equals_replay(shop, BEGINNING)


@pytest.mark.one_postgres
def test_rows_without_an_id_stop_the_window(shop: Shop):
    stock(shop)
    old = "d.id_detalle AS id_movimiento"
    folder = own_queries(shop, old, "nullif(d.id_detalle, 2) AS id_movimiento")
    fails(shop, "movimientos.sql yields rows without id_movimiento", 30, ETL_OLTP_SQL_DIR=folder)
    assert not shop.olap_rows("SELECT * FROM dw.kardex")
    shop.run()
    assert_olap_equals_replay(shop, BEGINNING)


@pytest.mark.one_postgres
@pytest.mark.parametrize("which", ["the state folder", "the window's folder"])
def test_a_folder_without_leave_to_write_is_named(shop: Shop, which: str):
    stock(shop)
    state = Path(shop.env["ETL_STATE_DIR"])
    state.mkdir(mode=0o700)
    folder = state
    if which == "the window's folder":
        shop.olap.cursor().execute("REVOKE INSERT ON etl.etapa FROM etl_cargador")
        assert shop.run_due().returncode == 30
        shop.olap.cursor().execute("GRANT INSERT ON etl.etapa TO etl_cargador")
        (folder,) = (entry for entry in state.iterdir() if entry.is_dir())
    folder.chmod(0o500)
    try:
        done = without_capabilities(shop, "RunDue")
    finally:
        folder.chmod(0o700)
    assert done.returncode in (30, 35), done.stdout
    assert f"{folder} is no folder, or cannot be written" in done.stdout
    assert "Traceback" not in done.stdout
    assert not shop.olap_rows("SELECT * FROM dw.kardex")
    shop.run()
    assert_olap_equals_replay(shop, BEGINNING)


@pytest.mark.one_postgres
@pytest.mark.parametrize(
    ("task", "setting", "file", "cause"),
    [
        ("RunDue", "ETL_OLTP_SQL_DIR", "", "movimientos.sql cannot be read: [Errno 13]"),
        ("RunDue", "ETL_REPORT_PATH", "informe.html", "informe.html cannot be written: Permission"),
        ("RunShops", "ETL_SHOPS_DIR", "", "common.env cannot be read: [Errno 13]"),
    ],
)
def test_what_may_not_be_entered_is_named(
    shop: Shop, task: str, setting: str, file: str, cause: str
):
    folder = shop.folder / "anothers"
    folder.mkdir(mode=0o000)
    shop.env[setting] = str(folder / file)
    try:
        done = without_capabilities(shop, task)
    finally:
        folder.chmod(0o700)
    assert done.returncode in (30, 35, 40), done.stdout
    assert cause in done.stdout
    assert "Traceback" not in done.stdout


@pytest.mark.one_postgres
def test_no_password_is_ever_said_even_at_debug(shop: Shop):
    stock(shop)
    for env in ({}, {"OLTP_DB_NAME": "nada"}, {"OLAP_DB_USER": "nadie"}):
        assert PASSWORD not in shop.run_due("--log-level", "DEBUG", **env).stdout
        assert PASSWORD not in shop.command("init", "--debug", **env).stdout
    wrong = shop.run_due("--log-level", "DEBUG", OLAP_DB_PASSWORD="equivocada")
    assert "password authentication failed" in wrong.stdout
    assert "equivocada" not in wrong.stdout


@pytest.mark.one_postgres
def test_a_first_run_in_the_future_is_refused(shop: Shop):
    fails(shop, "correct ETL_INITIAL_SINCE", 35, ETL_INITIAL_SINCE="2999-01-01")


@pytest.mark.one_postgres
def test_a_time_that_is_none_is_named(shop: Shop):
    done = shop.run_due("--as-of", "ayer")
    assert done.returncode == 40, done.stdout
    assert "'ayer' is no time" in done.stdout
    assert "Traceback" not in done.stdout
