"""ETL_CAPTURE=xid8: a window reads by index what triggers have marked, and nothing is lost."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import psycopg2
import pytest
import test_late_commits
from fault_shop import (
    assert_chain,
    days_ago,
    loaded,
    now,
    olap_tables,
    run_quickly,
    settle,
    stock,
)
from fault_writers import Writers
from olap_comparison import assert_olap_equals_replay
from server_copies import dump, move_oltp, restore, use_up_ids, value
from shop_database import Shop
from shop_server import OLTP_USER, REPOSITORY, ShopServer

from pipeline.base.database import connect
from pipeline.oltp.queries import load_query
from pipeline.oltp.reads import changed_since
from pipeline.settings import load_settings

OLTP_SQL = REPOSITORY / "sql" / "oltp"
TABLES = ("detalle_transaccion", "productos", "sucursales", "transacciones")
TASK_FAILED, SCHEDULING_ERROR = 30, 35


def capture(shop: Shop) -> None:
    """The owner runs the script, with psql as it says."""
    shop.server.run_script(shop.oltp_name, OLTP_SQL / "captura_xid8.sql")


@pytest.fixture
def marked(shop: Shop) -> Iterator[Shop]:
    """A shop whose tables keep version_etl, and which is read by it."""
    capture(shop)
    shop.env["ETL_CAPTURE"] = "xid8"
    yield shop


def last_read(shop: Shop) -> tuple[int, str | None]:
    """How many movements the last window read, and why it read everything, if it did."""
    (row,) = shop.olap_rows(
        "SELECT filas_leidas, motivo_completa FROM etl.corrida ORDER BY numero DESC LIMIT 1"
    )
    return row["filas_leidas"], row["motivo_completa"]


def lines(shop: Shop) -> int:
    """How many document lines the OLTP has."""
    return value(shop.oltp, "SELECT count(*) FROM detalle_transaccion")


def settle_with_few(shop: Shop, initial: datetime, few: int) -> None:
    """The next window makes the OLAP right, and reads no more than so many movements."""
    settle(shop, initial)
    read, reason = last_read(shop)
    assert reason is None and read <= few < lines(shop), (read, reason)


# Nothing is lost


@pytest.mark.parametrize("point", ["snapshot", "read", "copy_out", "loaded"])
def test_what_is_committed_while_a_run_stands_still_is_not_lost(marked: Shop, point: str):
    test_late_commits.test_what_is_committed_while_a_run_stands_still_is_not_lost(marked, point)
    settle(marked, days_ago(20).replace(hour=0, minute=0, second=0, microsecond=0))
    assert last_read(marked) == (0, None)


def test_an_id_that_was_drawn_long_before_its_row_is_not_lost(marked: Shop):
    test_late_commits.test_an_id_that_was_drawn_long_before_its_row_is_not_lost(marked)


def test_what_savepoints_leave_of_a_late_commit_is_not_lost(marked: Shop):
    initial = loaded(marked)
    with marked.transaction() as late:
        late.execute("SELECT pg_current_xact_id()::text::bigint")
        (top,) = late.fetchone()
        # Its subtransactions have later ids than what the window between has seen.
        marked.sale(now(), (3, 1, 7))
        late.execute("SAVEPOINT mistake")
        marked.sale(now(), (1, 9, 7), cursor=late)
        late.execute("ROLLBACK TO mistake; SAVEPOINT kept")
        (line,) = marked.sale(days_ago(2), (2, 3, 7), cursor=late)
        late.execute("UPDATE detalle_transaccion SET cantidad = 8 WHERE id_detalle = 20")
        late.execute("RELEASE kept")
        settle(marked, initial)
    assert line in settle(marked, initial).kardex
    for written in (line, 20):
        versions = (
            "SELECT version_etl::text::bigint = %s AND xmin::text::bigint > %s"
            " FROM detalle_transaccion WHERE id_detalle = %s"
        )
        assert value(marked.oltp, versions, top, top, written)


def test_what_was_prepared_before_a_window_is_not_lost(marked: Shop):
    initial = loaded(marked)
    name = f"caja_{marked.oltp_name}"
    cursor = marked.oltp.cursor()
    cursor.execute("BEGIN")
    (line,) = marked.sale(days_ago(2), (2, 3, 7), cursor=cursor)
    cursor.execute("UPDATE transacciones SET anulada = true WHERE id_transaccion = 20")
    cursor.execute(f"PREPARE TRANSACTION '{name}'")
    try:
        marked.sale(now(), (3, 1, 7))
        settle(marked, initial)
        settle(marked, initial)
    finally:
        cursor.execute(f"COMMIT PREPARED '{name}'")
    kardex = settle(marked, initial).kardex
    assert line in kardex and 20 not in kardex


def test_twelve_tills_that_type_at_once(marked: Shop):
    initial = stock(marked)
    # They correct as they please, and on a busy machine much of it is in one window.
    marked.env["ETL_MAX_REMOVED_SHARE"] = "1"
    writers = Writers(marked, 20261124)
    try:
        for _ in range(3):
            with writers.working():
                for _ in range(3):
                    run_quickly(marked)
            settle(marked, initial)
    finally:
        writers.close()
    assert writers.rows > 50
    assert last_read(marked)[1] is None
    assert_chain(marked)


# Every kind of change, and little is read for it


def test_corrections_voids_and_names_are_picked_up(marked: Shop):
    initial = loaded(marked)
    settle_with_few(marked, initial, 0)
    marked.correct_document(20, anulada=True)
    settle_with_few(marked, initial, 1)
    marked.correct_line(21, cantidad=9)
    marked.correct_document(21, fecha=days_ago(3))
    settle_with_few(marked, initial, 1)
    marked.correct_line(22, id_producto=3)
    marked.correct_document(20, anulada=False)
    settle_with_few(marked, initial, 2)
    marked.till("UPDATE productos SET nombre = 'Otro', categoria = 'C' WHERE id_producto = 1")
    marked.till("UPDATE sucursales SET nombre = 'Centro'")
    settle_with_few(marked, initial, 0)
    assert marked.olap_rows("SELECT nombre, categoria FROM dw.producto WHERE id_producto = 1") == [
        {"nombre": "Otro", "categoria": "C"}
    ]
    assert marked.olap_rows("SELECT nombre FROM dw.sucursal WHERE id_sucursal = 1") == [
        {"nombre": "Centro"}
    ]


def test_what_import_inserts_and_changes_is_picked_up(marked: Shop):
    initial = loaded(marked)
    for quantity in (10, 12):
        (marked.folder / "transacciones.csv").write_text(
            "id_transaccion,tipo,id_producto,cantidad,precio_unitario,costo_unitario,fecha\n"
            f"900,ENTRADA_MERCANCIA,1,{quantity},,5,{days_ago(4).date()}\n"
            f"901,VENTA,1,1,{quantity},,{days_ago(3).date()}\n"
        )
        marked.succeed("import", "--transacciones", "transacciones.csv")
        settle_with_few(marked, initial, 2)


def test_a_replica_s_session_is_seen_as_well(marked: Shop):
    initial = loaded(marked)
    with marked.transaction() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        (line,) = marked.sale(now(), (2, 3, 7), cursor=cursor)
        cursor.execute("UPDATE detalle_transaccion SET cantidad = 8 WHERE id_detalle = 20")
        cursor.execute("UPDATE productos SET categoria = 'R' WHERE id_producto = 1")
    assert line in settle(marked, initial).kardex


def test_verify_finds_what_a_disabled_trigger_hid(marked: Shop):
    initial = loaded(marked)
    marked.till("ALTER TABLE detalle_transaccion DISABLE TRIGGER ALL")
    marked.correct_line(20, cantidad=9)
    # As pg_restore --disable-triggers leaves it: no longer ALWAYS.
    marked.till("ALTER TABLE detalle_transaccion ENABLE TRIGGER ALL")
    run_quickly(marked)
    done = marked.command("verify")
    assert done.returncode == 1 and "1: 20" in done.stdout, done.stdout
    assert "the OLAP equals the OLTP" in marked.succeed("verify", "--repair").stdout
    assert_olap_equals_replay(marked, initial)

    capture(marked)
    with marked.transaction() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE detalle_transaccion SET cantidad = 8 WHERE id_detalle = 21")
    settle_with_few(marked, initial, 1)


def test_verify_takes_what_is_new_for_pending(marked: Shop):
    loaded(marked)
    marked.sale(now(), (1, 1, 7))
    marked.correct_document(20, anulada=True)
    said = marked.succeed("verify").stdout
    assert "2" in said and "pending" in said, said


# From one mode to the other


def test_a_change_of_mode_loses_nothing(shop: Shop):
    initial = loaded(shop)
    with shop.transaction() as late, shop.transaction() as later:
        later.execute("SELECT pg_current_xact_id()")
        (line,) = shop.sale(now(), (2, 3, 7))
        shop.sale(now(), (2, 1, 7), cursor=late)
        run_quickly(shop)
        # Whoever has written is waited for; who has only an id may go on writing.
        late.connection.commit()
        shop.correct_document(20, anulada=True)
        capture(shop)
        (behind,) = shop.sale(days_ago(3), (1, 4, 7), cursor=later)
        shop.env["ETL_CAPTURE"] = "xid8"
        assert line in settle_but(shop, behind)
    # No table was rewritten, so nothing but the rows' new version made it read them.
    read, reason = last_read(shop)
    assert reason is None and read == lines(shop) - 1
    assert behind in settle(shop, initial).kardex

    for mode in ("xmin", "xid8", "xmin"):
        with shop.transaction() as late:
            shop.sale(now(), (2, 1, 7), cursor=late)
            shop.correct_line(21, cantidad=len(mode) + lines(shop) % 3)
            settle(shop, initial)
            shop.env["ETL_CAPTURE"] = mode
            shop.correct_document(22, anulada=mode == "xid8")
        settle_with_few(shop, initial, 4)
    assert_chain(shop)


def settle_but(shop: Shop, behind: int) -> set[int]:
    """A run while somebody is still typing; the ids that are in the ledger after it."""
    run_quickly(shop)
    ids = {row["id_movimiento"] for row in shop.olap_rows("SELECT id_movimiento FROM dw.kardex")}
    assert behind not in ids
    return ids


def test_the_mode_can_be_chosen_long_after_the_script_was_run(shop: Shop):
    initial = stock(shop)
    capture(shop)
    settle(shop, initial)
    shop.sale(now(), (2, 3, 7))
    settle_with_few(shop, initial, 1)
    shop.correct_document(20, anulada=True)
    shop.env["ETL_CAPTURE"] = "xid8"
    settle_with_few(shop, initial, 1)


# Restores


def test_a_dump_restored_where_fewer_ids_were_used(
    marked: Shop, new_server: Callable[[], ShopServer]
):
    other = new_server()
    use_up_ids(marked, 20_000)
    initial = loaded(marked)
    kept = dump(marked.server, marked.oltp_name)
    marked.sale(now(), (2, 3, 7))
    settle_with_few(marked, initial, 1)
    other.execute("CREATE DATABASE {name}", name=marked.oltp_name)
    restore(other, kept, marked.oltp_name)
    marked.oltp.close()
    move_oltp(marked, other)

    marked.sale(now(), (3, 1, 7))
    settle(marked, initial)
    assert "another server" in (last_read(marked)[1] or "")
    marked.correct_line(20, cantidad=9)
    settle(marked, initial)
    # A restored row's version is ahead of this server's ids: right, but it comes each time.
    assert last_read(marked) == (lines(marked) - 1, None)
    capture(marked)
    settle(marked, initial)
    marked.correct_line(21, cantidad=9)
    settle_with_few(marked, initial, 1)


# The read follows the index


def fill(shop: Shop, documents: int) -> None:
    """So many documents of three lines."""
    shop.till(
        "INSERT INTO transacciones (tipo) SELECT 'VENTA' FROM generate_series(1, %s)", documents
    )
    shop.till(
        "INSERT INTO detalle_transaccion (id_transaccion, id_producto, cantidad, precio_unitario)"
        " SELECT id_transaccion, n, 1, 9 FROM transacciones, generate_series(1, 3) AS n"
    )


def fill_one_by_one(shop: Shop, documents: int) -> None:
    """The same, as if a transaction of its own had written each, and statistics of it."""
    first = value(shop.oltp, "SELECT pg_current_xact_id()::text::bigint")
    use_up_ids(shop, documents)
    fill(shop, documents)
    for table in ("transacciones", "detalle_transaccion"):
        shop.till(f"ALTER TABLE {table} DISABLE TRIGGER zz_version_etl")
        shop.till(
            f"UPDATE {table} SET version_etl = (%s + id_transaccion)::text::xid8 "
            "WHERE id_transaccion < %s",
            first,
            documents,
        )
        shop.till(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER zz_version_etl")
        shop.till(f"VACUUM ANALYZE {table}")


def plan_nodes(shop: Shop, behind: int, recheck: list[int]) -> list[dict[str, Any]]:
    """Every node of the plan of the movements' read, so many ids behind."""
    nodes: list[dict[str, Any]] = []

    def collect(node: dict[str, Any]) -> None:
        nodes.append(node)
        for child in node.get("Plans", []):
            collect(child)

    with shop.environment():
        settings = load_settings()
        with (
            connect(settings.oltp, "plan", read_only=True) as connection,
            connection.cursor() as cursor,
        ):
            query = load_query(connection, settings, "movimientos")
            cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
            (horizon,) = cursor.fetchone() or (0,)
            read = changed_since(query, horizon - behind, recheck)
            cursor.execute("EXPLAIN (FORMAT JSON) " + read.as_string(connection))
            ((plan,),) = cursor.fetchall()
            collect(plan[0]["Plan"])
    return nodes


def assert_follows_the_index(shop: Shop, recheck: list[int]) -> None:
    """The plan of a read a few sales after the last window."""
    for _ in range(3):
        shop.sale(now(), (1, 1, 7), (2, 1, 7))
    nodes = plan_nodes(shop, 10, recheck)
    assert not [node for node in nodes if node["Node Type"] == "Seq Scan"], nodes
    used = {node["Index Name"] for node in nodes if "Index Name" in node}
    assert used >= {
        "detalle_transaccion_version_etl_idx",
        "transacciones_version_etl_idx",
        "detalle_transaccion_id_transaccion_idx",
        "transacciones_pkey",
    }


@pytest.mark.parametrize("recheck", [[], [7, 8]])
def test_the_read_of_what_is_new_scans_no_table(marked: Shop, recheck: list[int]):
    fill_one_by_one(marked, 67_000)
    assert_follows_the_index(marked, recheck)


def test_nor_does_it_right_after_the_script(shop: Shop):
    fill(shop, 67_000)
    capture(shop)
    use_up_ids(shop, 10)
    shop.env["ETL_CAPTURE"] = "xid8"
    assert_follows_the_index(shop, [])


# The script


def of_tables(shop: Shop, query: str) -> list[tuple[Any, ...]]:
    """Rows of a query for each of the four tables, of which {} is the name."""
    cursor = shop.oltp.cursor()
    rows: list[tuple[Any, ...]] = []
    for table in TABLES:
        cursor.execute(query.format(table))
        rows += cursor.fetchall()
    return rows


def script_state(shop: Shop) -> list[list[tuple[Any, ...]]]:
    """What the script makes of the tables, and what it must leave alone."""
    return [
        of_tables(shop, query)
        for query in (
            "SELECT ctid::text, t::text FROM {} AS t ORDER BY 1",
            "SELECT pg_relation_filenode('{}')",
            "SELECT tgname::text, tgenabled::text, obj_description(oid, 'pg_trigger')"
            " FROM pg_trigger WHERE tgrelid = '{}'::regclass AND NOT tgisinternal",
            "SELECT c.relname::text, i.indisvalid, obj_description(c.oid, 'pg_class')"
            " FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid"
            " WHERE indrelid = '{}'::regclass ORDER BY 1",
            "SELECT attname::text, attnotnull, col_description(attrelid, attnum)"
            " FROM pg_attribute WHERE attrelid = '{}'::regclass AND attname = 'version_etl'",
        )
    ]


def test_the_script_rewrites_nothing_and_may_be_repeated(shop: Shop):
    stock(shop)
    before = script_state(shop)
    capture(shop)
    once = script_state(shop)
    assert once[1] == before[1]
    assert [row[:2] for row in once[2]] == [("zz_version_etl", "A")] * len(TABLES)
    assert {f"{table}_version_etl_idx" for table in TABLES} <= {row[0] for row in once[3]}
    said = once[2] + once[4] + [row for row in once[3] if "version_etl" in row[0]]
    assert all(row[-1] for row in said)
    assert value(shop.oltp, "SELECT obj_description('etl_poner_version'::regproc, 'pg_proc')")
    capture(shop)
    assert script_state(shop) == once


def test_an_index_that_was_left_unfinished_is_made_anew(marked: Shop):
    stock(marked)
    once = script_state(marked)
    marked.till(
        "UPDATE pg_index SET indisvalid = false"
        " WHERE indexrelid = 'detalle_transaccion_version_etl_idx'::regclass"
    )
    assert script_state(marked) != once
    capture(marked)
    assert script_state(marked) == once


def test_the_till_s_account_needs_no_grant(marked: Shop):
    """Nor does its search_path matter, or what it says itself of the version."""
    initial = loaded(marked)
    marked.env["ETL_MAX_REMOVED_SHARE"] = "1"
    role = f"caja_{marked.oltp_name}"
    marked.till(f"CREATE ROLE {role}")
    marked.till(f"GRANT INSERT, UPDATE, SELECT ON transacciones, detalle_transaccion TO {role}")
    try:
        with marked.transaction() as cursor:
            cursor.execute(f"SET LOCAL ROLE {role}; SET LOCAL search_path = pg_temp, public")
            marked.sale(now(), (2, 3, 7), cursor=cursor)
            cursor.execute("UPDATE detalle_transaccion SET cantidad = 8, version_etl = '3'")
            cursor.execute("SELECT has_function_privilege('public.etl_poner_version()', 'EXECUTE')")
            assert cursor.fetchone() == (False,)
        settle(marked, initial)
    finally:
        marked.till(f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_a_trigger_that_puts_an_old_row_back_changes_nothing(marked: Shop):
    initial = loaded(marked)
    marked.till(
        "CREATE FUNCTION fusiona() RETURNS trigger LANGUAGE plpgsql"
        " AS 'BEGIN OLD.cantidad := NEW.cantidad; RETURN OLD; END'"
    )
    marked.till(
        "CREATE TRIGGER totales BEFORE UPDATE ON detalle_transaccion"
        " FOR EACH ROW EXECUTE FUNCTION fusiona()"
    )
    marked.correct_line(20, cantidad=9)
    settle_with_few(marked, initial, 1)


def test_the_narrow_reader_suffices(marked: Shop):
    assert marked.env["OLTP_DB_USER"] == OLTP_USER
    initial = loaded(marked)
    marked.succeed("init")
    settle_with_few(marked, initial, 0)
    reader = marked.server.connect(marked.oltp_name, OLTP_USER)
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        reader.cursor().execute("UPDATE detalle_transaccion SET version_etl = DEFAULT")
    reader.close()


# What does not fit is named, and nothing is changed


def refused(shop: Shop, expected: str, **env: str) -> None:
    """A run that fails with this line, and changes nothing."""
    before = olap_tables(shop)
    done = shop.run_due(**env)
    assert done.returncode == TASK_FAILED, done.stdout
    assert len([line for line in done.stdout.splitlines() if expected in line]) == 1, done.stdout
    assert "Traceback" not in done.stdout
    assert olap_tables(shop) == before


def test_queries_of_the_other_mode_are_named(marked: Shop):
    initial = loaded(marked)
    marked.sale(now(), (2, 3, 7))
    marked.env["ETL_CAPTURE"] = "xmin"
    refused(
        marked,
        "movimientos.sql yields version_1 as xid, but ETL_CAPTURE=xid8 wants xid8:"
        " run sql/oltp/captura_xid8.sql in the OLTP, and yield the table's version_etl there",
        ETL_CAPTURE="xid8",
        ETL_OLTP_SQL_DIR=str(OLTP_SQL),
    )
    refused(
        marked,
        "movimientos.sql yields version_1 as xid8, but ETL_CAPTURE=xmin wants xid:"
        " yield the table's xmin there",
        ETL_OLTP_SQL_DIR=str(OLTP_SQL / "xid8"),
    )
    folder = marked.folder / "sql"
    shutil.copytree(OLTP_SQL / "xid8", folder)
    for name, old, new, cause in (
        (
            "movimientos",
            "t.version_etl",
            "t.xmin",
            "movimientos.sql yields version_2 as xid, but ETL_CAPTURE=xid8 wants xid8",
        ),
        (
            "productos",
            "p.version_etl",
            "1",
            "productos.sql yields version_1 as integer, but ETL_CAPTURE=xid8 wants xid8",
        ),
    ):
        query = folder / f"{name}.sql"
        text = query.read_text(encoding="utf-8")
        query.write_text(text.replace(old, new, 1), encoding="utf-8")
        refused(marked, cause, ETL_CAPTURE="xid8", ETL_OLTP_SQL_DIR=str(folder))
        query.write_text(text, encoding="utf-8")
    marked.env |= {"ETL_CAPTURE": "xid8", "ETL_OLTP_SQL_DIR": str(folder)}
    settle_with_few(marked, initial, 1)


@pytest.mark.parametrize("table", ["detalle_transaccion", "renglones_2"])
def test_a_table_whose_version_no_trigger_keeps_is_named(marked: Shop, table: str):
    """New rows have the column's default, and a change is never seen."""
    initial = loaded(marked)
    if table == "renglones_2":
        # What inherits has its parent's columns and defaults, and not its triggers.
        marked.till("CREATE TABLE renglones_2 () INHERITS (detalle_transaccion)")
    else:
        marked.till("ALTER TABLE detalle_transaccion DISABLE TRIGGER zz_version_etl")
    refused(
        marked,
        f"movimientos.sql reads public.{table}, whose version_etl is kept by no trigger, so that"
        " a change of a row would never be seen",
    )
    assert "kept by no trigger" in " ".join(marked.command("doctor").stdout.split())
    trigger = f"zz_version_etl {'BEFORE INSERT OR UPDATE'} ON {table} FOR EACH ROW"
    if table == "renglones_2":
        marked.till(f"CREATE TRIGGER {trigger} EXECUTE FUNCTION etl_poner_version()")
    else:
        marked.till("ALTER TABLE detalle_transaccion ENABLE ALWAYS TRIGGER zz_version_etl")
    settle(marked, initial)


def test_a_column_that_is_missing_is_named(shop: Shop):
    initial = loaded(shop)
    shop.sale(now(), (2, 3, 7))
    cause = (
        "movimientos.sql: column d.version_etl does not exist; for ETL_CAPTURE=xid8"
        " run sql/oltp/captura_xid8.sql in the OLTP"
    )
    refused(shop, cause, ETL_CAPTURE="xid8")
    done = shop.command("verify", ETL_CAPTURE="xid8")
    assert done.returncode == 1 and cause in done.stdout and len(done.stdout.splitlines()) == 1
    settle_with_few(shop, initial, 1)


@pytest.mark.one_postgres
@pytest.mark.parametrize("given", ["wal", "XID8", ""])
def test_a_mode_that_is_none_is_named(shop: Shop, given: str):
    cause = f"ETL_CAPTURE is '{given}', but must be xmin or xid8 or full"
    done = shop.run_due(ETL_CAPTURE=given)
    assert done.returncode == SCHEDULING_ERROR and cause in done.stdout, done.stdout
    done = shop.command("status", ETL_CAPTURE=given)
    assert done.returncode == 1 and cause in done.stdout
    assert len(done.stdout.splitlines()) == 1
