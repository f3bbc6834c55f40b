"""An OLAP of an earlier version becomes what a fresh init makes, object for object."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from olap_comparison import assert_olap_equals_replay
from psycopg2 import sql
from psycopg2.extras import Json
from shop_database import Shop
from shop_server import OLAP_TEMPLATE, REPOSITORY

from pipeline.olap import SCHEMA_VERSION

OLD = sorted((Path(__file__).parent / "versions").glob("olap_*.sql"))
MIGRATIONS = REPOSITORY / "sql/olap/migraciones"
CATALOGUE = (Path(__file__).parent / "catalogue.sql").read_text(encoding="utf-8")
# What is kept from load to load; the rest are working tables.
TABLES = """
SELECT n.nspname, c.relname,
    array_agg(a.attname::text ORDER BY a.attnum) AS columns
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
INNER JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE n.nspname IN ('dw', 'etl') AND c.relkind = 'r' AND c.relpersistence = 'p'
GROUP BY 1, 2
"""
# Up to version 6 a free receipt had no mark.
UNMARKED = "UPDATE dw.kardex SET salto_costo = NULL WHERE salto_costo = 0"
END = datetime(2026, 10, 17, 3, tzinfo=UTC)
INITIAL = END - timedelta(days=60)


def objects(connection: Any) -> set[tuple[str, ...]]:
    """Every object of ours, as the catalogue has it."""
    with connection.cursor() as cursor:
        cursor.execute(CATALOGUE)
        return set(cursor.fetchall())


def trade(shop: Shop) -> None:
    """A receipt that is free, a sale on credit, a product that was given an opening."""
    shop.product(1, "Lácteos")
    shop.product(2)
    shop.branch(1)
    shop.receipt(INITIAL + timedelta(days=1), (1, 10, 5), (2, 4, 3))
    shop.sale(INITIAL + timedelta(days=2), (1, 2, 9), (2, 6, 8), id_sucursal=1)
    shop.receipt(INITIAL + timedelta(days=3), (1, 1, 0), (2, 9, 4))
    shop.sale(END - timedelta(days=5), (1, 3, 9))


def opening(shop: Shop) -> None:
    """Of product 3 the shop had 7 when it went live."""
    file = shop.folder / "apertura.csv"
    file.write_text("id_producto,existencias,costo_promedio\n3,7,2\n")
    shop.product(3)
    shop.succeed("opening", str(file))


def rows(connection: Any) -> Iterator[tuple[tuple[str, str], list[str], list[Any]]]:
    """Each table that is kept, its columns and its rows."""
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
        for schema, name, columns in cursor.fetchall():
            table = sql.Identifier(schema, name)
            cursor.execute(sql.SQL("SELECT to_jsonb(t) FROM {} AS t").format(table))
            yield (schema, name), columns, [row for (row,) in cursor.fetchall()]


def install_old(shop: Shop, script: Path) -> None:
    """The shop's OLAP is of that version from now on, with the rows that it had."""
    version = int(script.stem.removeprefix("olap_"))
    kept = list(rows(shop.olap))
    with shop.olap.cursor() as cursor:
        cursor.execute("DROP SCHEMA dw, etl CASCADE")
        cursor.execute(script.read_text(encoding="utf-8"))
        cursor.execute("RESET ALL")
        cursor.execute(TABLES)
        there = {(schema, name): names for schema, name, names in cursor.fetchall()}
        for table, columns, found in kept:
            if table not in there:
                continue
            both = set(columns) & set(there[table])
            common = sql.SQL(", ").join(map(sql.Identifier, sorted(both)))
            cursor.execute(
                sql.SQL(
                    "INSERT INTO {t} ({c}) SELECT {c}"
                    " FROM jsonb_populate_recordset(NULL::{t}, %s::jsonb)"
                ).format(t=sql.Identifier(*table), c=common),
                (Json(found),),
            )
        cursor.execute("UPDATE etl.control SET esquema = %s", (version,))
        if version < 7:
            cursor.execute(UNMARKED)


@pytest.mark.parametrize("script", OLD, ids=lambda script: script.stem)
def test_an_earlier_version_becomes_what_a_fresh_init_makes(shop: Shop, script: Path):
    shop.env["ETL_INITIAL_SINCE"] = INITIAL.isoformat()
    trade(shop)
    opening(shop)
    shop.run_in_process(as_of=END)
    install_old(shop, script)
    done = shop.succeed("init").stdout
    assert f"upgraded from version {script.stem.removeprefix('olap_')} " in done
    with closing(shop.server.connect(OLAP_TEMPLATE)) as template:
        template.autocommit = False
        template.cursor().execute("SELECT etl.indexar_kardex()")
        fresh = objects(template)
    found = objects(shop.olap)
    assert sorted(found - fresh) == []
    assert sorted(fresh - found) == []
    assert_olap_equals_replay(shop, INITIAL)
    assert shop.command("verify").returncode == 0
    # The free receipt keeps its mark, which a jump of cost never has.
    free = "SELECT costo_unitario FROM dw.kardex WHERE salto_costo = 0"
    assert shop.olap_rows(free) == [{"costo_unitario": 0}]
    assert not shop.olap_rows("SELECT FROM dw.v_saltos_costo")
    # A late receipt is valued, and what follows it again.
    shop.receipt(INITIAL, (1, 10, 8))
    shop.sale(END, (2, 1, 9), (3, 2, 4))
    shop.run_in_process(as_of=END + timedelta(hours=1))
    assert_olap_equals_replay(shop, INITIAL)
    assert shop.command("verify").returncode == 0
    assert "up to date" in shop.succeed("init").stdout
    assert objects(shop.olap) == found


@pytest.mark.parametrize("version", [9, 11])
def test_what_waited_or_was_out_of_scope_comes_in_after_the_upgrade(shop: Shop, version: int):
    shop.env["ETL_INITIAL_SINCE"] = INITIAL.isoformat()
    # As it was before: no type but two, and a negative quantity waits.
    shop.olap.cursor().execute(
        "UPDATE dw.tipo_movimiento SET tipo_si_negativa = NULL;"
        "DELETE FROM dw.tipo_movimiento WHERE tipo NOT IN ('VENTA', 'ENTRADA_MERCANCIA')"
    )
    trade(shop)
    shop.sale(INITIAL + timedelta(days=4), (1, -2, 9), id_sucursal=1)
    shop.document("AJUSTE_SALIDA", INITIAL + timedelta(days=5), [(1, 1, None)], id_sucursal=1)
    shop.run_in_process(as_of=END)
    waits = "SELECT motivo FROM etl.rechazo"
    assert shop.olap_rows(waits) == [{"motivo": "cantidad no positiva"}]
    install_old(shop, next(script for script in OLD if script.stem == f"olap_{version}"))
    shop.succeed("init")
    shop.run_in_process(as_of=END + timedelta(hours=1))
    assert_olap_equals_replay(shop, INITIAL)
    kinds = "SELECT tipo FROM dw.kardex WHERE fecha > %s AND id_producto = 1 ORDER BY fecha"
    assert [row["tipo"] for row in shop.olap_rows(kinds, INITIAL + timedelta(days=3))] == [
        "DEVOLUCION_VENTA",
        "AJUSTE_SALIDA",
        "VENTA",
    ]
    assert not shop.olap_rows(waits)
    assert shop.command("verify").returncode == 0


def test_each_version_has_its_migration():
    steps = sorted(path.stem for path in MIGRATIONS.glob("*.sql"))
    assert steps == [f"{v:02}_a_{v + 1:02}" for v in range(1, SCHEMA_VERSION)]
