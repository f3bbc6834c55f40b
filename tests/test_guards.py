"""Guards that hold a window and say why, and one bad line that holds nothing up."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from fault_process import Fault, holding, start_command
from fault_shop import days_ago, loaded, now, olap_tables, run_quickly, settle, stock
from olap_comparison import assert_olap_equals_replay
from shop_database import Shop
from shop_server import ShopServer

from pipeline.settings import load_settings
from pipeline.state.request import withdraw_request
from pipeline.state.window import windows_in

# The guards count and compare; what they count is tried on both elsewhere.
pytestmark = pytest.mark.one_postgres

TASK_FAILED, SCHEDULING_ERROR = 30, 35
# A window that looks for what was deleted is held by it, too.
NOT_SOUGHT = {"ETL_DELETED_HOURS": "0"}
SHIPPED = Path(__file__).parents[1] / "sql" / "oltp"


def held(shop: Shop, *expected: str, code: int = TASK_FAILED, **env: str) -> str:
    """A run that a guard stops: it says all of `expected`, and nothing is written."""
    before = olap_tables(shop)
    done = shop.run_due(**env)
    assert done.returncode == code, done.stdout
    for text in expected:
        assert text in done.stdout, f"not said: {text}\n{done.stdout}"
    assert "Traceback" not in done.stdout, done.stdout
    assert olap_tables(shop) == before
    return done.stdout


@pytest.fixture
def test_database(shop_server: ShopServer) -> Iterator[str]:
    """Another OLTP on the same server, with a small history of its own."""
    with shop_server.databases() as (oltp, _):
        connection = shop_server.connect(oltp)
        connection.cursor().execute(
            "INSERT INTO productos (id_producto, nombre) VALUES (1, 'Prueba');"
            "INSERT INTO transacciones (id_transaccion, tipo) VALUES (1, 'ENTRADA_MERCANCIA');"
            "INSERT INTO detalle_transaccion"
            " (id_detalle, id_transaccion, id_producto, cantidad, costo_unitario)"
            " VALUES (1, 1, 1, 5, 2)"
        )
        connection.close()
        yield oltp


def points_at(shop: Shop, database: str) -> None:
    """The settings, and the test's own connection, name another OLTP."""
    shop.env["OLTP_DB_NAME"] = shop.oltp_name = database
    shop.oltp.close()
    shop.oltp = shop.server.connect(database)


def identity(shop: Shop) -> tuple[str, str]:
    """The OLTP's system identifier and the oid of its database."""
    cursor = shop.oltp.cursor()
    cursor.execute(
        "SELECT system_identifier::text, d.oid::text FROM pg_control_system(), pg_database AS d"
        " WHERE d.datname = current_database()"
    )
    return cursor.fetchone()


def test_another_database_is_named_before_anything_is_removed(shop: Shop, test_database: str):
    initial = loaded(shop)
    own, (system, base) = shop.oltp_name, identity(shop)
    points_at(shop, test_database)
    other = identity(shop)[1]
    said = held(
        shop,
        f"read from server {system}, timeline 00000001, database {base};",
        f"this one is server {system}, timeline 00000001, database {other};",
        "the same server and timeline, another database",
        "OLTP_DB_*",
        "nothing was written",
    )
    # Asking again changes nothing, nor does accepting some other source.
    held(shop, "nothing was written")
    done = shop.run_due("--accept-source", "0123456789ab")
    assert done.returncode == TASK_FAILED and "nothing was written" in done.stdout
    points_at(shop, own)
    settle(shop, initial)

    points_at(shop, test_database)
    accept = re.search(r"RunDue --local-scheduler --accept-source (\w+)", said)
    assert accept, said
    shop.run("--accept-source", accept[1])
    assert_olap_equals_replay(shop, initial)
    settle(shop, initial)


def test_an_accepted_source_passes_once_only(shop: Shop, test_database: str):
    initial = loaded(shop)
    own = shop.oltp_name
    points_at(shop, test_database)
    (accept,) = re.findall(r"RunDue --local-scheduler --accept-source (\w+)", held(shop))[:1]
    shop.run("--accept-source", accept)
    points_at(shop, own)
    # The test database's one movement is too few to be held, and has a namesake.
    settle(shop, initial)
    points_at(shop, test_database)
    held(shop, f"--accept-source {accept}")


def new_year(shop: Shop, documents: int, statement: str = "") -> None:
    """The till begins its numbers anew; its documents are of other products and of today."""
    shop.till(statement or "TRUNCATE transacciones, detalle_transaccion RESTART IDENTITY")
    for number in range(documents):
        shop.sale(now() - timedelta(minutes=number), (number % 3 + 2, 3, Decimal("2.50")))


def test_ids_that_begin_anew_are_no_corrections(shop: Shop):
    """As many new documents as old ones: nothing is removed, and a year would be gone."""
    initial = loaded(shop)
    new_year(shop, 66)
    said = held(
        shop,
        "of the 66 movements of the ledger, 0 would be removed and ",
        "replaced by other documents with their ids, dated ",
        "do ids begin anew?",
        "are the same as before, its tables are not",
        "make ids unique in movimientos.sql",
        "nothing was written",
    )
    plan = shop.command("plan")
    assert plan.returncode == 1 and "do ids begin anew?" in plan.stdout, plan.stdout
    (accept,) = set(re.findall(r"RunDue --local-scheduler --accept-source (\w+)", said))
    shop.run("--accept-source", accept)
    assert_olap_equals_replay(shop, initial)


RESTARTED = (
    "DELETE FROM detalle_transaccion; DELETE FROM transacciones;"
    " ALTER SEQUENCE transacciones_id_transaccion_seq RESTART;"
    " ALTER SEQUENCE detalle_transaccion_id_detalle_seq RESTART"
)


def test_ids_that_begin_anew_in_an_ordinary_window_are_no_corrections(shop: Shop):
    shop.env |= NOT_SOUGHT
    loaded(shop)
    new_year(shop, 30, RESTARTED)
    held(shop, "0 would be removed and 30 replaced", "server", "and so are its tables")


def test_a_days_documents_with_the_ids_of_others_are_few_beside_a_long_history(shop: Shop):
    shop.env |= NOT_SOUGHT
    initial = stock(shop, sales=1200)
    settle(shop, initial)
    new_year(shop, 40, RESTARTED)
    held(shop, "of the 1206 movements of the ledger, 0 would be removed and 40 replaced")
    shop.run(ETL_MAX_REMOVED_SHARE="1")


def test_ids_that_begin_anew_a_few_at_a_time_are_noticed(shop: Shop):
    """Every ten minutes some documents: never as many as one window's guard would ask for."""
    shop.env |= NOT_SOUGHT
    initial = stock(shop, sales=1200)
    settle(shop, initial)
    new_year(shop, 8, RESTARTED)
    shop.run()
    for number in range(8):
        shop.sale(now(), (number % 3 + 2, 1, 7))
    shop.run()
    for number in range(8):
        shop.sale(now(), (number % 3 + 2, 1, 7))
    held(shop, "8 replaced by other documents with their ids", "in the windows before)")
    # What brings new numbers instead is no such row of windows.
    shop.till("ALTER SEQUENCE detalle_transaccion_id_detalle_seq RESTART 9000")
    shop.run(ETL_MAX_REMOVED_SHARE="1")
    shop.sale(now(), (1, 1, 7))
    shop.run()
    assert shop.olap_rows("SELECT ajenas FROM etl.control") == [{"ajenas": 0}]


def test_what_brings_new_numbers_takes_off_what_a_few_others_added(shop: Shop):
    shop.env |= NOT_SOUGHT
    settle(shop, stock(shop, sales=1200))
    new_year(shop, 8, RESTARTED)
    shop.run()
    assert shop.olap_rows("SELECT ajenas FROM etl.control") == [{"ajenas": 8}]
    shop.till("ALTER SEQUENCE detalle_transaccion_id_detalle_seq RESTART 9000")
    for _number in range(3):
        shop.sale(now(), (1, 1, 7))
    shop.run()
    assert shop.olap_rows("SELECT ajenas FROM etl.control") == [{"ajenas": 5}]


def drip(shop: Shop, windows: int, rows: int, products: tuple[int, ...]) -> int:
    """So many small windows of documents of 50, until one is held; how many the ledger has then."""
    for number in range(windows * rows):
        shop.sale(now(), (products[number % len(products)], 50, Decimal("2.50")))
        if number % rows == rows - 1:
            try:
                run_quickly(shop)
            except AssertionError:
                break
    return len(shop.olap_rows("SELECT FROM dw.kardex WHERE cantidad = 50"))


def test_gaps_in_the_old_numbers_do_not_end_the_count(shop: Shop):
    settle(shop, stock(shop, sales=1200))
    shop.till("UPDATE transacciones SET anulada = true WHERE mod(id_transaccion, 5) = 0")
    shop.run(ETL_MAX_REMOVED_SHARE="1")
    shop.till(RESTARTED)
    assert drip(shop, 60, 1, (2, 3, 4)) < 45


def test_a_shop_of_one_product_is_held_too(shop: Shop):
    settle(shop, stock(shop, sales=1200))
    shop.till("UPDATE detalle_transaccion SET id_producto = 1")
    shop.run(ETL_MAX_REMOVED_SHARE="1")
    shop.till(RESTARTED)
    assert drip(shop, 20, 3, (1,)) < 25


def returned(shop: Shop, tipo: str, sales: int) -> tuple[datetime, list[int]]:
    """A shop with 25 lines of it in the ledger, a sale's negative; when it began, and the lines."""
    initial = stock(shop, sales)
    cantidad = {"VENTA": -1, "DEVOLUCION_VENTA": 1}.get(tipo)
    ids = [
        # With a cost, as a till's lines have it, whatever the type looks at.
        shop.movement(tipo, days_ago(20), 1, cantidad, precio_unitario=9, costo_unitario=3)
        for _ in range(25)
    ]
    run_quickly(shop)
    return initial, ids


def test_negative_sales_that_are_corrected_are_no_other_documents(shop: Shop):
    """So many in a full read, in which corrections need no leave: a price, in any window."""
    initial, ids = returned(shop, "VENTA", sales=60)
    lines = "UPDATE detalle_transaccion SET {} WHERE id_detalle = ANY (%s)"
    shop.till(lines.format("precio_unitario = 7"), ids)
    settle(shop, initial)
    for line in ("precio_unitario = 8", "cantidad = -2", "cantidad = 3", "cantidad = -1"):
        shop.till(lines.format(line), ids)
        shop.till("VACUUM FULL detalle_transaccion")
        settle(shop, initial)
    header = "SELECT id_transaccion FROM detalle_transaccion WHERE id_detalle = ANY (%s)"
    void = f"UPDATE transacciones SET anulada = true WHERE id_transaccion IN ({header})"
    shop.till(void, ids[:19])
    settle(shop, initial)


@pytest.mark.parametrize("tipo", ["VENTA", "DEVOLUCION_VENTA", "DESCUENTO_VENTA"])
def test_what_is_dated_anew_is_no_other_document(shop: Shop, tipo: str):
    initial, ids = returned(shop, tipo, sales=600)
    header = "SELECT id_transaccion FROM detalle_transaccion WHERE id_detalle = ANY (%s)"
    shop.till(
        "UPDATE transacciones SET fecha = fecha + interval '2 days'"
        f" WHERE id_transaccion IN ({header})",
        ids,
    )
    settle(shop, initial)


def test_a_shop_that_sells_by_the_unit_is_held_too(shop: Shop):
    initial = days_ago(20).replace(hour=0, minute=0, second=0, microsecond=0)
    shop.env["ETL_INITIAL_SINCE"] = initial.date().isoformat()
    shop.product(1)
    shop.receipt(initial, (1, 900, 1))
    for number in range(800):
        shop.sale(initial + timedelta(minutes=number), (1, 1, 10))
    run_quickly(shop)
    shop.till(RESTARTED)
    for _ in range(25):
        shop.sale(now(), (1, 1, 12))
    held(shop, "25 replaced by other documents with their ids")


@pytest.fixture
def two_series(shop: Shop) -> Shop:
    """A long history in which sales and receipts have each a sequence; the sales' begins anew."""
    folder = shop.folder / "consultas"
    folder.mkdir()
    for path in SHIPPED.glob("[mps]*s.sql"):
        number = "d.id_detalle * 2 + (t.tipo = 'VENTA')::int AS id_movimiento"
        text = path.read_text().replace("d.id_detalle AS id_movimiento", number)
        (folder / path.name).write_text(text)
    shop.env["ETL_OLTP_SQL_DIR"] = str(folder)
    stock(shop, sales=1200)
    run_quickly(shop)
    shop.till("DELETE FROM detalle_transaccion WHERE precio_unitario IS NOT NULL")
    return shop


def numbered(shop: Shop, sale: int, receipt: int, documents: int) -> None:
    """So many of each, whose lines have numbers from those on."""
    till = "ALTER SEQUENCE detalle_transaccion_id_detalle_seq RESTART "
    shop.till(f"{till}{sale}")
    for number in range(documents):
        shop.sale(now(), (number % 3 + 2, 50, Decimal("2.50")))
    shop.till(f"{till}{receipt}")
    for number in range(documents):
        shop.receipt(now(), (number % 4 + 1, 5, Decimal("2.50")))


def test_one_series_of_two_that_begins_anew(two_series: Shop):
    numbered(two_series, 10, 9000, 30)
    held(two_series, "0 would be removed and 30 replaced by other documents with their ids")


def test_one_series_of_two_that_begins_anew_a_few_at_a_time(two_series: Shop):
    for window in range(2):
        numbered(two_series, 10 + 8 * window, 9000 + 8 * window, 8)
        run_quickly(two_series)
    numbered(two_series, 26, 9016, 8)
    held(two_series, "8 replaced by other documents with their ids (16 in the windows before)")


def test_rejects_that_wait_do_not_dilute_what_a_window_brings(shop: Shop):
    settle(shop, stock(shop, sales=1200))
    for _ in range(60):
        shop.sale(days_ago(1), (99, 1, 5))
    shop.run(ETL_MAX_REJECT_SHARE="1")
    shop.till(RESTARTED)
    for number in range(40):
        shop.sale(now(), (number % 3 + 2, 50, Decimal("2.50")))
    held(shop, "replaced by other documents with their ids")


def test_earlier_history_asks_the_guard_and_has_a_way_through(shop: Shop):
    initial = loaded(shop)
    # Documents of the ledger are of before the beginning now, with other products.
    with shop.oltp.cursor() as cursor:
        cursor.execute(
            "UPDATE transacciones SET fecha = %s WHERE id_transaccion > 10",
            (initial - timedelta(days=5),),
        )
    earlier = (initial - timedelta(days=10)).date().isoformat()
    done = shop.task("Backfill", "--since", earlier)
    assert done.returncode == TASK_FAILED, done.stdout
    found = re.search(r"Backfill --local-scheduler --since \S+ --accept-source (\w+)", done.stdout)
    assert found, done.stdout
    # Held for something else, it leaves no acceptance to a later window.
    for _ in range(200):
        shop.sale(initial - timedelta(days=4), (99, 1, 5))
    done = shop.task("Backfill", "--since", earlier, "--accept-source", found[1])
    assert done.returncode == TASK_FAILED and "would be rejected" in done.stdout, done.stdout
    assert shop.olap_rows("SELECT aceptar_fuente FROM etl.control") == [{"aceptar_fuente": None}]
    shop.till("DELETE FROM detalle_transaccion WHERE id_producto = 99")
    done = shop.task("Backfill", "--since", earlier, "--accept-source", found[1])
    assert done.returncode == 0, done.stdout
    settle(shop, initial - timedelta(days=10))


def test_a_catalogue_that_is_merged_is_a_correction(shop: Shop):
    """Many lines get another product, and only that: below the share nobody is asked."""
    initial = stock(shop, sales=600)
    settle(shop, initial)
    shop.till("UPDATE detalle_transaccion SET id_producto = 2 WHERE id_detalle BETWEEN 300 AND 325")
    settle(shop, initial)
    shop.till("UPDATE detalle_transaccion SET id_producto = 3 WHERE id_detalle > 400")
    held(shop, "replaced by other documents")


def test_a_test_database_with_the_same_ids_is_no_correction(shop: Shop, test_database: str):
    """Another database whose ids are the same, too: its figures would take the ledger's place."""
    loaded(shop)
    points_at(shop, test_database)
    shop.till("TRUNCATE productos, transacciones, detalle_transaccion RESTART IDENTITY")
    for product in (1, 2, 3, 4):
        shop.product(product)
    new_year(shop, 66, "SELECT 1")
    held(shop, "0 would be removed and 66 replaced", "another database")


def test_another_database_that_agrees_on_dates_is_no_correction(shop: Shop, test_database: str):
    """A copy whose quantities and prices were made up: ids, dates and products are the same."""
    initial = loaded(shop)
    cursor = shop.oltp.cursor()
    cursor.execute("SELECT id_transaccion, tipo, fecha FROM transacciones")
    headers = cursor.fetchall()
    cursor.execute(
        "SELECT id_detalle, id_transaccion, id_producto, cantidad, precio_unitario * 3,"
        " costo_unitario * 3 FROM detalle_transaccion"
    )
    lines = cursor.fetchall()
    points_at(shop, test_database)
    shop.till("TRUNCATE productos, transacciones, detalle_transaccion")
    for product in (1, 2, 3, 4):
        shop.product(product)
    with shop.oltp.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO transacciones (id_transaccion, tipo, fecha) VALUES (%s, %s, %s)", headers
        )
        cursor.executemany(
            "INSERT INTO detalle_transaccion (id_detalle, id_transaccion, id_producto, cantidad,"
            " precio_unitario, costo_unitario) VALUES (%s, %s, %s, %s, %s, %s)",
            lines,
        )
    said = held(shop, "0 would be removed and 66 replaced", "another database")
    (accept,) = set(re.findall(r"RunDue --local-scheduler --accept-source (\w+)", said))
    shop.run("--accept-source", accept)
    assert_olap_equals_replay(shop, initial)


@pytest.mark.parametrize("command", ["RunDue", "verify --repair"])
def test_a_purge_of_a_little_each_night_is_asked_for(shop: Shop, command: str):
    """Never as much as the share, and half of the ledger would be gone in two weeks."""
    initial = stock(shop, sales=600)
    run_quickly(shop)
    if command == "RunDue":
        shop.env["ETL_CAPTURE"] = "full"

    def night() -> str:
        """What a night says that is held, else nothing."""
        shop.till(
            "DELETE FROM detalle_transaccion WHERE id_detalle IN"
            " (SELECT id_detalle FROM detalle_transaccion ORDER BY id_detalle LIMIT 19)"
        )
        done = shop.run_due() if command == "RunDue" else shop.command("verify", "--repair")
        return done.stdout if done.returncode else ""

    assert not night()
    said = night()
    assert "19 would be removed (19 by the runs before) and 0 replaced" in said, said
    (accept,) = set(re.findall(r"--accept-source (\w+)", said))
    if command == "RunDue":
        shop.run("--accept-source", accept)
    else:
        shop.succeed("verify", "--repair", "--accept-source", accept)
    settle(shop, initial)


def test_a_shop_that_clears_its_runs_may_delete_a_line(shop: Shop):
    initial = stock(shop)
    run_quickly(shop)
    shop.olap.cursor().execute("DELETE FROM etl.corrida")
    shop.till("DELETE FROM detalle_transaccion WHERE id_detalle = 12")
    shop.env["ETL_CAPTURE"] = "full"
    settle(shop, initial)


def test_a_refused_repair_holds_no_later_run(shop: Shop):
    """A purge: half of the documents are gone, and somebody asks for a repair."""
    shop.env |= NOT_SOUGHT
    initial = loaded(shop)
    shop.till("DELETE FROM detalle_transaccion WHERE id_detalle BETWEEN 10 AND 50")
    before = olap_tables(shop)
    for command in (["verify", "--repair"], ["rebuild"]):
        refused = shop.command(*command)
        assert refused.returncode == 1, refused.stdout
        told = " ".join(refused.stdout.split())
        assert "would remove 41 movements, would replace 0, dated " in told, told
        assert "stock value" in told and ", then " in told
        assert "41 would be removed" in told
        assert f"python -m pipeline {' '.join(command)} --accept-source" in told
        assert olap_tables(shop) == before
    (sold,) = shop.sale(now(), (1, 1, 5))
    shop.run()
    assert sold in {row["id_movimiento"] for row in shop.olap_rows("SELECT * FROM dw.kardex")}
    (accept,) = set(re.findall(r"rebuild --accept-source (\w+)", told))
    # A share of its own lets it pass, too.
    shop.succeed("verify", "--repair", "--accept-source", accept)
    settle(shop, initial)


def test_a_request_that_a_guard_refuses_in_a_later_run_is_withdrawn(shop: Shop):
    """The command was killed after it asked: the next run is refused, the one after is ordinary."""
    shop.env |= NOT_SOUGHT
    initial = loaded(shop)
    shop.till("DELETE FROM detalle_transaccion WHERE id_detalle BETWEEN 10 AND 50")
    with shop.environment():
        from pipeline.settings import load_settings
        from pipeline.state import request as requests
        from pipeline.state.window import Window, whole_second

        settings = load_settings()
        (control,) = shop.olap_rows("SELECT hasta FROM etl.control")
        window = Window(whole_second(control["hasta"]), whole_second(now()) + timedelta(seconds=2))
        requests.write_request(settings, window, requests.Request(everything=True))
    held(shop, "41 would be removed")
    shop.sale(now(), (1, 1, 5))
    shop.run()
    assert [row["lost"] for row in shop.olap_rows(
        "SELECT count(*) AS lost FROM dw.kardex WHERE id_movimiento BETWEEN 10 AND 50"
    )] == [41]  # fmt: skip
    shop.run(ETL_MAX_REMOVED_SHARE="1")
    assert json.loads(shop.command("verify", "--json").stdout)["extra"] == list(range(10, 51))
    assert initial


def test_a_request_that_the_rows_refuse_is_withdrawn_too(shop: Shop):
    """What reads everything meets rows that an ordinary run need not read."""
    loaded(shop)
    shop.till("ALTER TABLE detalle_transaccion DROP CONSTRAINT detalle_transaccion_pkey CASCADE")
    shop.till(
        "INSERT INTO detalle_transaccion SELECT * FROM detalle_transaccion WHERE id_detalle = 20"
    )
    with shop.environment():
        from pipeline.settings import load_settings
        from pipeline.state import request as requests
        from pipeline.state.window import Window, whole_second

        (control,) = shop.olap_rows("SELECT hasta FROM etl.control")
        window = Window(whole_second(control["hasta"]), whole_second(now()) + timedelta(seconds=2))
        requests.write_request(load_settings(), window, requests.Request(everything=True))
    held(shop, "yields id_movimiento 20 2 times in one read")
    shop.till(
        "DELETE FROM detalle_transaccion WHERE ctid = (SELECT max(ctid) FROM detalle_transaccion)"
    )
    (sold,) = shop.sale(now(), (1, 1, 5))
    shop.run()
    assert sold in {row["id_movimiento"] for row in shop.olap_rows("SELECT * FROM dw.kardex")}
    _first, *later = shop.olap_rows("SELECT motivo_completa FROM etl.corrida ORDER BY numero")
    assert later and all(run["motivo_completa"] is None for run in later)


def test_a_window_that_is_held_says_by_what_until_it_is_not(shop: Shop):
    loaded(shop)
    new_year(shop, 66)
    held(shop, "do ids begin anew?")
    doctor = shop.command("doctor")
    assert doctor.returncode == 1
    assert "is held" in doctor.stdout and "do ids begin anew?" in json.dumps(
        json.loads(shop.command("doctor", "--json").stdout)
    )
    status = json.loads(shop.succeed("status", "--json").stdout)
    assert "do ids begin anew?" in status["held"]
    assert "held by" in shop.succeed("status").stdout
    shop.run(ETL_MAX_REMOVED_SHARE="1")
    assert json.loads(shop.succeed("status", "--json").stdout)["held"] is None
    assert not list((shop.folder / "state").rglob("held.json"))


def test_a_window_that_its_data_hold_says_so(shop: Shop):
    loaded(shop)
    shop.till("ALTER TABLE detalle_transaccion RENAME cantidad TO unidades")
    assert shop.run_due().returncode == TASK_FAILED
    assert "cantidad" in json.loads(shop.succeed("status", "--json").stdout)["held"]


def test_few_removals_of_a_full_read_need_no_leave(shop: Shop):
    """Under 20 rows, whatever their share; and under 5 %, whatever their number."""
    initial = stock(shop, sales=19)
    settle(shop, initial)
    shop.till("DELETE FROM detalle_transaccion WHERE precio_unitario IS NOT NULL")
    shop.till("VACUUM FULL detalle_transaccion")
    settle(shop, initial)


def test_too_many_rejects_mean_that_the_query_is_wrong(shop: Shop):
    initial = loaded(shop)
    for _ in range(30):
        shop.sale(days_ago(1), (99, 1, 5))
    shop.sale(days_ago(1), (1, 1, 5))
    held(shop, "30 of 31 movements read would be rejected", "producto desconocido: 30")
    held(shop, "nothing was written", ETL_MAX_REJECT_SHARE="0.9")
    # Without leave it becomes right by itself once the catalogue is.
    shop.product(99)
    replayed = settle(shop, initial)
    assert not replayed.rejects


def test_rejects_pass_where_the_share_allows_them(shop: Shop):
    initial = stock(shop)
    for _ in range(30):
        shop.sale(days_ago(1), (99, 1, 5))
    held(shop, "would be rejected")
    shop.run(ETL_MAX_REJECT_SHARE="0.5")
    assert len(assert_olap_equals_replay(shop, initial).rejects) == 30
    # Those that wait already do not hold the next window.
    shop.sale(days_ago(1), (1, 1, 5))
    settle(shop, initial)


def trade(shop: Shop, weekdays: range, until: int) -> None:
    """Nine weeks of sales on these weekdays (Monday 0), to `until` days ago, loaded then."""
    shop.env["ETL_INITIAL_SINCE"] = days_ago(until + 70).date().isoformat()
    shop.product(1)
    for age in range(until + 63, until - 1, -1):
        fecha = days_ago(age)
        if fecha.weekday() in weekdays:
            shop.sale(fecha, (1, 1, 5))
    shop.run("--as-of", days_ago(until).strftime("%Y-%m-%dT%H:%M:%SZ"))


def test_silence_on_more_trading_days_than_usual_is_an_error(shop: Shop):
    trade(shop, range(7), until=9)
    held(shop, "shows no movement since", "8 days on which this shop sells", "ETL_MAX_SILENT_DAYS")
    held(shop, "nothing was written")
    shop.run(ETL_MAX_SILENT_DAYS="8")


def test_the_day_whose_midnight_is_left_out_is_one_of_silence(shop: Shop):
    """In Santiago clocks go forward as 6 September 2026 begins: eight days after the last sale."""
    last = datetime(2026, 8, 29, 16, tzinfo=UTC)
    shop.env |= {"ETL_TIMEZONE": "America/Santiago", "ETL_INITIAL_SINCE": "2026-06-01"}
    shop.product(1)
    for age in range(63):
        shop.sale(last - timedelta(days=age), (1, 1, 5))
    shop.run("--as-of", "2026-08-29T18:00:00Z")
    done = shop.run_due("--as-of", "2026-09-07T15:00:00Z")
    assert done.returncode == TASK_FAILED
    assert "8 days on which this shop sells" in done.stdout


def test_a_movement_ends_the_silence(shop: Shop):
    trade(shop, range(7), until=9)
    held(shop, "shows no movement since")
    shop.sale(now(), (1, 1, 5))
    shop.run()
    assert_olap_equals_replay(shop, days_ago(79).replace(hour=0, minute=0, second=0, microsecond=0))


def test_days_on_which_the_shop_is_closed_are_no_silence(shop: Shop):
    """Open at weekends only: nine days hold four of them at the most."""
    trade(shop, range(5, 7), until=9)
    shop.run()


def test_silence_is_noticed_behind_a_forgotten_transaction(shop: Shop):
    """An open transaction holds the horizon, so that the same rows are read again and again."""
    with holding(
        lambda: shop.server.connect(shop.oltp_name), "INSERT INTO sucursales VALUES (999, 'X')"
    ):
        trade(shop, range(7), until=9)
        held(shop, "shows no movement since")


def test_a_clock_behind_the_last_window_holds_everything(shop: Shop):
    initial = loaded(shop)
    cursor = shop.olap.cursor()
    cursor.execute("SELECT hasta FROM etl.control")
    (last,) = cursor.fetchone()
    cursor.execute("UPDATE etl.control SET hasta = %s", (now() + timedelta(hours=1),))
    held(shop, "this machine's clock says", "set the clock right", code=SCHEDULING_ERROR)
    cursor.execute("UPDATE etl.control SET hasta = %s", (last,))
    settle(shop, initial)


def test_a_moment_to_come_is_no_window(shop: Shop):
    stock(shop)
    tomorrow = (now() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    done = shop.run_due("--as-of", tomorrow)
    assert done.returncode == SCHEDULING_ERROR, done.stdout
    assert "give a time that has passed" in done.stdout


def test_a_cost_that_jumps_is_loaded_and_listed(shop: Shop):
    initial = loaded(shop)
    (high,) = shop.receipt(now(), (1, 1, Decimal("137.00")))
    shop.receipt(now(), (2, 1, Decimal("40.00")))
    (low,) = shop.receipt(now(), (3, 1, Decimal("0.01")))
    # One for nothing is listed apart.
    (free,) = shop.receipt(now(), (2, 1, Decimal(0)))
    # One whose quotient rounds to nothing is not free.
    shop.product(9)
    shop.receipt(now() - timedelta(hours=3), (9, 1, 40000))
    shop.receipt(now() - timedelta(hours=2), (9, 1, 60000))
    # At one instant they are valued in the order of their numbers.
    (_, dear) = shop.receipt(now(), (9, 2, 80000), (9, 1, Decimal("0.01")))
    settle(shop, initial)
    jumps = {row["id_movimiento"]: row for row in shop.olap_rows("SELECT * FROM dw.v_saltos_costo")}
    assert jumps.keys() == {high, low, dear}
    assert jumps[dear]["costo_promedio_anterior"] == 65000
    assert jumps[high]["costo_unitario"] == 137 and jumps[high]["veces"] > 20
    status = json.loads(shop.succeed("status", "--json").stdout)
    assert {row["id_movimiento"] for row in status["cost_jumps"]} == {high, low, dear}
    assert [row["id_movimiento"] for row in status["free_receipts"]] == [free]
    shown = shop.olap_rows("SELECT id_movimiento FROM dw.v_kardex WHERE salto_costo IS NOT NULL")
    assert {row["id_movimiento"] for row in shown} == {high, low, dear}
    jumped = shop.succeed("status").stdout.partition("far from the average")[2].splitlines()
    assert {
        int(line.split()[0]) for line in jumped if line.split()[:1] and line.split()[0].isdigit()
    } == {high, low, dear}
    (line,) = (line for line in jumped if line.split()[:1] == [str(dear)])
    assert line.split()[-2:] == ["0.01", "0.000001"]
    # A corrected typing error is no longer listed.
    shop.correct_line(high, costo_unitario=Decimal("1.37"))
    settle(shop, initial)
    left = shop.olap_rows("SELECT id_movimiento FROM dw.v_saltos_costo")
    assert {row["id_movimiento"] for row in left} == {low, dear}


DRIFTS = {
    "renamed": ("ALTER TABLE detalle_transaccion RENAME cantidad TO unidades", "cantidad"),
    "dropped": ("ALTER TABLE transacciones DROP COLUMN anulada", "anulada"),
    "retyped": (
        "ALTER TABLE detalle_transaccion ALTER costo_unitario TYPE text",
        "costo_unitario",
    ),
    "no date": ("ALTER TABLE transacciones ALTER fecha TYPE text", "fecha"),
    "no table": ("ALTER TABLE productos RENAME TO articulos", "productos"),
    "no leave": ("REVOKE SELECT ON productos FROM etl_lector", "productos"),
}


@pytest.mark.parametrize("drift", DRIFTS)
def test_schema_drift_is_named_before_anything_is_read(shop: Shop, drift: str):
    loaded(shop)
    statement, named = DRIFTS[drift]
    shop.till("ALTER TABLE transacciones ALTER fecha DROP DEFAULT")
    shop.till(statement)
    assert named in held(shop, named)
    (folder,) = (
        folder
        for folder in (shop.folder / "state").iterdir()
        if folder.is_dir() and not (folder / "marker.json").exists()
    )
    assert not [path.name for path in folder.glob("*.csv")], "something was read"


def test_rows_that_a_policy_hides_stop_the_window(shop: Shop):
    """Without an error the window would be empty, or lack a branch, and nobody would know."""
    initial = loaded(shop)
    shop.sale(initial, (1, 1, 5))
    with shop.oltp.cursor() as cursor:
        cursor.execute("ALTER TABLE transacciones ENABLE ROW LEVEL SECURITY")
        cursor.execute("CREATE POLICY parte ON transacciones USING (id_sucursal = 1)")
        held(shop, 'row-level security policy for table "transacciones"', "BYPASSRLS")
        cursor.execute("ALTER TABLE transacciones DISABLE ROW LEVEL SECURITY")
    settle(shop, initial)


# What takes a ledger apart within ordinary windows

AS_VOID = "UPDATE transacciones SET anulada = true WHERE tipo = 'VENTA'"
DEARER = (
    "UPDATE detalle_transaccion SET costo_unitario = costo_unitario * 1.18 WHERE costo_unitario > 0"
)
FEWER = "UPDATE detalle_transaccion SET cantidad = cantidad / 2"


@pytest.mark.parametrize(
    ("statement", "void", "corrected"),
    [(AS_VOID, 60, 0), (FEWER, 0, 66)],
    ids=["a flag that is read as anulado", "quantities in another unit"],
)
def test_what_changes_too_much_of_the_ledger_at_once_is_asked_for(
    shop: Shop, statement: str, void: int, corrected: int
):
    initial = loaded(shop)
    shop.till(statement)
    said = held(
        shop,
        "0 would be removed and 0 replaced by other documents with their ids; "
        f"{void} are void or valid no more, and {corrected} have another quantity, cost or date",
        "does movimientos.sql take from the catalogue",
    )
    plan = shop.command("plan")
    assert plan.returncode == 1 and "take from the catalogue" in plan.stdout, plan.stdout
    (accept,) = set(re.findall(r"RunDue --local-scheduler --accept-source (\w+)", said))
    shop.run("--accept-source", accept)
    assert_olap_equals_replay(shop, initial)


def test_costs_that_a_catalogue_rewrites_are_asked_for(shop: Shop):
    """As movimientos.sql does that takes each receipt's cost from the product's card."""
    initial = days_ago(30)
    shop.env["ETL_INITIAL_SINCE"] = initial.date().isoformat()
    shop.product(1)
    for day in range(25):
        shop.receipt(initial + timedelta(days=day + 1), (1, 10, 5))
    settle(shop, initial)
    shop.till(DEARER)
    held(shop, "0 are void or valid no more, and 25 have another quantity, cost or date")
    # What follows from one of them in the ledger is no change of the others.
    shop.till("UPDATE detalle_transaccion SET costo_unitario = 5 WHERE id_detalle > 1")
    shop.run()
    assert_olap_equals_replay(shop, initial)


def test_valued_movements_that_lose_their_product_are_asked_for_and_named(shop: Shop):
    initial = loaded(shop)
    shop.till(
        "ALTER TABLE detalle_transaccion ALTER COLUMN id_producto DROP NOT NULL;"
        "UPDATE detalle_transaccion SET id_producto = NULL"
    )
    said = held(shop, "66 are void or valid no more")
    (accept,) = set(re.findall(r"RunDue --local-scheduler --accept-source (\w+)", said))
    told = shop.run("--accept-source", accept).stdout
    assert "66 valued movements lost their product, and wait as rejects" in told
    assert "perdió su producto" in shop.succeed("status").stdout
    assert "66 valued movements lost their product" in shop.succeed("verify").stdout
    (view,) = shop.olap_rows("SELECT DISTINCT motivo FROM dw.v_rechazos")
    assert view["motivo"] == "perdió su producto"
    assert_olap_equals_replay(shop, initial)


def test_a_rebuild_whose_request_another_run_has_withdrawn_is_none(shop: Shop):
    """A run that begins meanwhile takes its window up; a guard that holds it leaves nothing."""
    stock(shop)
    shop.run()
    fault = Fault(shop.folder, "after:window.json", "pause")
    rebuild = start_command(shop, "rebuild", fault=fault)
    fault.wait_until_paused(rebuild)
    with shop.environment():
        settings = load_settings()
        withdraw_request(settings, windows_in(settings.state_dir)[-1])
    fault.go_on()
    assert rebuild.wait() == 1, rebuild.output
    assert "a guard refused it" in rebuild.output
