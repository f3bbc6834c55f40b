"""Tables in partitions, and catalogues written anew: what is another source, what is not."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from fault_shop import divide_lines, now, settle, stock
from olap_comparison import assert_olap_equals_replay
from shop_database import Shop

pytestmark = pytest.mark.one_postgres


def last_reads(shop: Shop) -> tuple[str | None, int]:
    """Why the last window read everything, if it did, and how many movements it read."""
    (row,) = shop.olap_rows(
        "SELECT motivo_completa, filas_leidas FROM etl.corrida ORDER BY numero DESC LIMIT 1"
    )
    return row["motivo_completa"], row["filas_leidas"]


@pytest.fixture
def divided(shop: Shop) -> tuple[Shop, datetime]:
    """A shop whose lines are in partitions, loaded, with the narrow reader's rights alone."""
    initial = stock(shop)
    divide_lines(shop, 1000)
    shop.till("REVOKE ALL ON renglones_1 FROM etl_lector")
    shop.succeed("init")
    settle(shop, initial)
    shop.sale(now(), (1, 1, 5))
    settle(shop, initial)
    assert last_reads(shop)[0] is None
    return shop, initial


def test_a_partition_that_is_added_or_detached_is_no_new_source(divided: tuple[Shop, datetime]):
    shop, initial = divided
    # What is gone is left for the proof to find.
    shop.env["ETL_DELETED_HOURS"] = "0"
    shop.till(
        "CREATE TABLE renglones_2 PARTITION OF detalle_transaccion FOR VALUES FROM (1000) TO (2000)"
    )
    settle(shop, initial)
    assert last_reads(shop)[0] is None
    # It fills up: what comes is new.
    shop.till("ALTER SEQUENCE renglon RESTART 1000")
    shop.sale(now(), (2, 1, 5), (3, 1, 5))
    settle(shop, initial)
    reason, rows = last_reads(shop)
    assert reason is None and rows <= 4
    shop.till(
        "CREATE TABLE renglones_3 PARTITION OF detalle_transaccion FOR VALUES FROM (2000) TO (3000)"
    )
    shop.till("ALTER SEQUENCE renglon RESTART 2000")
    shop.sale(now(), (4, 1, 5))
    settle(shop, initial)
    assert last_reads(shop)[0] is None
    shop.till("DROP TABLE renglones_3")
    shop.sale(now() - timedelta(days=1), anulada=True)
    shop.till("ALTER SEQUENCE renglon RESTART 1500")
    shop.run()
    # As any row that is deleted: the proof finds it.
    assert last_reads(shop)[0] is None
    assert '"extra": [\n    2000\n  ]' in shop.command("verify", "--json").stdout
    shop.succeed("verify", "--repair")
    assert_olap_equals_replay(shop, initial)


def test_rows_of_a_partition_that_was_filled_long_ago_come(divided: tuple[Shop, datetime]):
    shop, initial = divided
    shop.till("CREATE TABLE antiguos (LIKE detalle_transaccion)")
    (head,) = shop.sale(now(), (1, 1, 5))
    shop.till(
        "INSERT INTO antiguos SELECT 5000 + n, d.id_transaccion, 2, n, 5, NULL FROM"
        " detalle_transaccion AS d, generate_series(1, 5) AS g (n) WHERE d.id_detalle = %s",
        head,
    )
    settle(shop, initial)
    shop.till(
        "ALTER TABLE detalle_transaccion ATTACH PARTITION antiguos FOR VALUES FROM (5000) TO (6000)"
    )
    settle(shop, initial)
    assert "public.antiguos was attached with rows of before" in str(last_reads(shop)[0])
    assert {
        row["id_movimiento"] for row in shop.olap_rows("SELECT id_movimiento FROM dw.kardex")
    } > {*range(5001, 5006)}
    shop.sale(now(), (1, 1, 5))
    settle(shop, initial)
    assert last_reads(shop)[0] is None


def old_lines(shop: Shop, table: str, first: int) -> None:
    """Five lines that a window which was read since has passed over."""
    (head,) = shop.sale(now(), (1, 1, 5))
    shop.till(
        f"INSERT INTO {table} (id_detalle, id_transaccion, id_producto, cantidad, precio_unitario)"
        f" SELECT {first} + n, id_transaccion, 2, n, 5 FROM detalle_transaccion,"
        " generate_series(1, 5) AS g (n) WHERE id_detalle = %s",
        head,
    )
    shop.run()
    shop.run()


def test_partitions_of_partitions_are_of_the_same_root(divided: tuple[Shop, datetime]):
    shop, initial = divided
    for table, first in (("renglones_2", 1000), ("renglones_3", 3000)):
        shop.till(
            f"CREATE TABLE {table} (LIKE detalle_transaccion) PARTITION BY RANGE (id_detalle)"
        )
        shop.till(f"CREATE TABLE {table}_a PARTITION OF {table} DEFAULT")
        if table == "renglones_3":
            old_lines(shop, table, first)
        shop.till(
            f"ALTER TABLE detalle_transaccion ATTACH PARTITION {table}"
            f" FOR VALUES FROM ({first}) TO ({first + 1000})"
        )
        settle(shop, initial)
        attached = "public.renglones_3_a was attached with rows of before"
        assert (attached in str(last_reads(shop)[0])) == (table == "renglones_3")
    # Away and back between two windows, and across one in which it changed.
    for between in ("SELECT 1", "UPDATE renglones_3_a SET cantidad = 7"):
        shop.till("ALTER TABLE detalle_transaccion DETACH PARTITION renglones_3")
        shop.till(between)
        if between != "SELECT 1":
            shop.run()
        shop.till(
            "ALTER TABLE detalle_transaccion ATTACH PARTITION renglones_3"
            " FOR VALUES FROM (3000) TO (4000)"
        )
        settle(shop, initial)


def test_a_table_that_inherits_is_as_a_partition(shop: Shop):
    initial = stock(shop)
    settle(shop, initial)
    shop.till("CREATE TABLE nuevos () INHERITS (detalle_transaccion)")
    shop.till("CREATE TABLE viejos (LIKE detalle_transaccion)")
    old_lines(shop, "viejos", 3000)
    assert last_reads(shop)[0] is None
    shop.till("ALTER TABLE viejos INHERIT detalle_transaccion")
    settle(shop, initial)
    assert "public.viejos was attached with rows of before" in str(last_reads(shop)[0])
    shop.till("INSERT INTO nuevos SELECT * FROM ONLY detalle_transaccion LIMIT 0")
    shop.till("ALTER TABLE viejos NO INHERIT detalle_transaccion")
    shop.till("UPDATE viejos SET cantidad = cantidad + 20")
    shop.run()
    shop.till("ALTER TABLE viejos INHERIT detalle_transaccion")
    settle(shop, initial)


def test_a_known_partition_that_is_written_anew_is_read_whole(divided: tuple[Shop, datetime]):
    shop, initial = divided
    shop.till("VACUUM FULL renglones_1")
    settle(shop, initial)
    assert "public.renglones_1 was rewritten" in str(last_reads(shop)[0])


def test_a_catalogue_that_is_written_anew_does_not_bring_the_movements(shop: Shop):
    initial = stock(shop)
    settle(shop, initial)
    with shop.transaction() as cursor:
        cursor.execute("CREATE TEMP TABLE antes AS SELECT * FROM productos")
        cursor.execute("TRUNCATE productos")
        cursor.execute("INSERT INTO productos OVERRIDING SYSTEM VALUE SELECT * FROM antes")
        cursor.execute("UPDATE productos SET categoria = 'Otra' WHERE id_producto = 1")
    settle(shop, initial)
    assert last_reads(shop) == (None, 0)
    shop.till("VACUUM FULL sucursales")
    shop.till("VACUUM FULL productos")
    settle(shop, initial)
    assert last_reads(shop) == (None, 0)
    shop.till("VACUUM FULL transacciones")
    settle(shop, initial)
    assert "public.transacciones was rewritten" in str(last_reads(shop)[0])


def test_a_view_that_is_read_with_the_readers_rights_gets_what_is_under_it(shop: Shop):
    initial = stock(shop)
    shop.till("CREATE SCHEMA tienda")
    shop.till(
        "CREATE VIEW tienda.cabeceras WITH (security_invoker = true) AS"
        " SELECT t.*, t.xmin AS v FROM transacciones AS t"
    )
    shop.till("REVOKE ALL ON transacciones FROM etl_lector")
    folder = shop.folder / "consultas"
    folder.mkdir()
    for path in (Path(__file__).parents[1] / "sql" / "oltp").glob("[mps]*s.sql"):
        text = path.read_text().replace("public.transacciones", "tienda.cabeceras")
        (folder / path.name).write_text(text.replace("t.xmin", "t.v"))
    shop.env["ETL_OLTP_SQL_DIR"] = str(folder)
    assert "permission denied" in shop.run_due().stdout
    shop.succeed("init")
    settle(shop, initial)
