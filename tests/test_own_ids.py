"""Ids of the shop's that are text or uuid: the OLAP has numbers, and people the shop's own."""

from __future__ import annotations

import csv
import hashlib
import json
from datetime import UTC, datetime, timedelta
from unittest import mock

import pytest
from shop_database import Shop

from pipeline.oltp import own_ids

BEGINNING = datetime(2026, 3, 1, tzinfo=UTC)
TABLES = """
CREATE TABLE articulo (sku varchar(20) PRIMARY KEY, nombre text);
CREATE TABLE tienda (clave text PRIMARY KEY, nombre text);
CREATE TABLE documento (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), numero text, tipo text, momento timestamptz,
    tienda text, destino text, anulado boolean NOT NULL DEFAULT false
);
CREATE TABLE linea (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), documento uuid NOT NULL, sku varchar(20),
    unidades numeric, monto numeric, origen uuid
);
CREATE INDEX ON linea (documento);
GRANT SELECT ON articulo, tienda, documento, linea TO etl_lector;
INSERT INTO articulo VALUES ('A-1', 'Arroz'), ('B/2', 'Leche');
INSERT INTO tienda VALUES ('norte', 'Tienda norte');
"""
MOVEMENTS = """
SELECT
    l.id AS id_movimiento, d.tipo, l.sku AS id_producto, d.tienda AS id_sucursal,
    d.destino AS id_sucursal_destino, l.unidades AS cantidad, l.monto AS precio_unitario,
    l.monto AS costo_unitario, d.momento AS fecha, d.anulado, l.origen AS id_origen,
    l.documento AS id_documento, d.numero AS documento,
    l.xmin AS version_1, d.xmin AS version_2
FROM linea AS l
JOIN documento AS d ON d.id = l.documento
"""
PRODUCTS = """
SELECT a.sku AS id_producto, NULL AS codigo, a.nombre, NULL AS categoria, a.xmin AS version_1
FROM articulo AS a
"""
BRANCHES = "SELECT t.clave AS id_sucursal, t.nombre, t.xmin AS version_1 FROM tienda AS t"


def number(own: str) -> int:
    """The first 60 bits of its md5."""
    return int(hashlib.md5(own.encode(), usedforsecurity=False).hexdigest()[:15], 16)


def write(shop: Shop, tipo: str, *lines: tuple, **header: object) -> list[str]:
    """A document of that type, F-1 and so on; the ids of its lines."""
    cursor = shop.oltp.cursor()
    cursor.execute(
        "INSERT INTO documento (numero, tipo, momento, tienda, destino) SELECT 'F-' ||"
        " (SELECT count(*) + 1 FROM documento), %s, %s, %s, %s RETURNING id",
        (
            tipo,
            BEGINNING + timedelta(days=header.get("day", 0)),  # type: ignore[arg-type]
            header.get("tienda", "norte"),
            header.get("destino"),
        ),
    )
    (document,) = cursor.fetchone()
    ids = []
    for sku, units, amount, *origin in lines:
        cursor.execute(
            "INSERT INTO linea (documento, sku, unidades, monto, origen)"
            " VALUES (%s, %s, %s, %s, %s) RETURNING id",
            (document, sku, units, amount, *(origin or [None])),
        )
        ids.append(cursor.fetchone()[0])
    return ids


@pytest.fixture
def worded(shop: Shop) -> Shop:
    """A shop with such ids; its tables and queries are there, and nothing is loaded."""
    shop.oltp.cursor().execute(TABLES)
    folder = shop.folder / "sql"
    folder.mkdir()
    for name, text in {
        "movimientos": MOVEMENTS,
        "productos": PRODUCTS,
        "sucursales": BRANCHES,
    }.items():
        (folder / f"{name}.sql").write_text(text, encoding="utf-8")
    shop.env |= {
        "ETL_OLTP_SQL_DIR": str(folder),
        "ETL_INITIAL_SINCE": BEGINNING.isoformat(),
    }
    return shop


def stock(shop: Shop) -> dict[str, tuple]:
    """By the shop's own ids."""
    rows = shop.olap_rows(
        "SELECT p.clave, i.existencias::int, i.costo_promedio::float8 FROM dw.inventario AS i"
        " JOIN dw.producto AS p USING (id_producto)"
    )
    return {row["clave"]: (row["existencias"], row["costo_promedio"]) for row in rows}


def verified(shop: Shop, *options: str) -> dict:
    """What a comparison finds."""
    return json.loads(shop.command("verify", "--json", *options).stdout)


def test_a_shop_of_words_and_uuids(worded: Shop):
    received = write(worded, "ENTRADA_MERCANCIA", ("A-1", 20, 3), ("B/2", 8, 2))
    (sold,) = write(worded, "VENTA", ("A-1", 12, 5), day=1)
    write(worded, "DEVOLUCION_VENTA", ("A-1", 2, 5, sold), day=2)
    write(worded, "TRASLADO", ("B/2", 3, None), destino="sur", day=2)
    assert "keeps the contract" in worded.command("doctor").stdout
    worded.run()
    assert stock(worded) == {"A-1": (10, 3), "B/2": (5 + 3, 2)}
    ids = {row["id_movimiento"] for row in worded.olap_rows("SELECT id_movimiento FROM dw.kardex")}
    assert {number(own) for own in [*received, sold]} < ids
    (back,) = worded.olap_rows("SELECT id_origen FROM dw.kardex WHERE id_origen IS NOT NULL")
    assert back["id_origen"] == number(sold)
    branches = worded.olap_rows("SELECT nombre FROM dw.sucursal WHERE id_sucursal <> 0 ORDER BY 1")
    assert [row["nombre"] for row in branches] == ["Sucursal sur", "Tienda norte"]
    assert verified(worded, "--all")["clean"]
    # A new version, and a line deleted and inserted under its document, in an ordinary window.
    worded.till(
        "WITH gone AS (DELETE FROM linea WHERE id = %s RETURNING *) INSERT INTO linea"
        " (documento, sku, unidades, monto) SELECT documento, sku, 11, monto FROM gone",
        sold,
    )
    worded.till("UPDATE linea SET monto = 4 WHERE id = %s", received[1])
    assert "reads everything" not in worded.run().stdout
    assert stock(worded) == {"A-1": (11, 3), "B/2": (8, 4)}
    assert verified(worded, "--all")["clean"]
    assert worded.olap_rows(
        "SELECT clave, documento FROM dw.documento_movimiento WHERE clave = %s", received[0]
    ) == [{"clave": received[0], "documento": "F-1"}]


def test_ids_of_a_fixed_width_are_found_again(worded: Shop):
    """character(n): the other lines of a document that was read stay where they are."""
    path = worded.folder / "sql" / "movimientos.sql"
    text = MOVEMENTS.replace("l.id AS", "l.id::text::character(40) AS")
    text = text.replace("l.documento AS", "l.documento::text::character(40) AS")
    path.write_text(text, encoding="utf-8")
    first, _second = write(worded, "ENTRADA_MERCANCIA", ("A-1", 20, 3), ("B/2", 8, 2))
    worded.run()
    worded.till("UPDATE linea SET monto = 4 WHERE id = %s", first)
    worded.run()
    assert stock(worded) == {"A-1": (20, 4), "B/2": (8, 2)}
    worded.till("DELETE FROM linea WHERE id = %s", first)
    worded.till("UPDATE documento SET numero = 'F-9'")
    worded.run()
    assert stock(worded) == {"A-1": (0, 0), "B/2": (8, 2)}
    assert verified(worded, "--all")["clean"]


def test_an_empty_text_is_no_id(worded: Shop):
    """Else all lines without a document were of one, which stays when some are archived."""
    path = worded.folder / "sql" / "movimientos.sql"
    text = MOVEMENTS.replace("l.documento AS", "''::text AS")
    for column in ("d.tienda", "d.destino", "l.origen"):
        text = text.replace(f"{column} AS", f"coalesce({column}::text, '') AS")
    path.write_text(text, encoding="utf-8")
    (line,) = write(worded, "ENTRADA_MERCANCIA", ("A-1", 20, 3), tienda=None)
    write(worded, "ENTRADA_MERCANCIA", ("", 1, 3))
    worded.run()
    worded.succeed("close", "2026-03-31", "--anyway")
    worded.till("DELETE FROM linea WHERE id = %s", line)
    write(worded, "ENTRADA_MERCANCIA", ("A-1", 5, 3), day=40)
    worded.run()
    assert stock(worded) == {"A-1": (25, 3)}
    assert worded.olap_rows("SELECT nombre FROM dw.sucursal ORDER BY id_sucursal") == [
        {"nombre": "Sin sucursal"},
        {"nombre": "Tienda norte"},
    ]
    found = verified(worded, "--all")
    assert (found["clean"], found["archived"]) == (True, 1)


def test_earlier_history_names_its_branches(worded: Shop):
    write(worded, "ENTRADA_MERCANCIA", ("A-1", 20, 3), tienda="este")
    write(worded, "VENTA", ("A-1", 1, 5), day=20)
    worded.env["ETL_INITIAL_SINCE"] = (BEGINNING + timedelta(days=10)).isoformat()
    worded.run()
    with worded.environment():
        from pipeline.run.backfill import backfill
        from pipeline.settings import load_settings

        backfill(load_settings(), BEGINNING)
    assert stock(worded) == {"A-1": (19, 3)}
    named = "SELECT nombre FROM dw.sucursal WHERE clave = 'este'"
    assert worded.olap_rows(named) == [{"nombre": "Sucursal este"}]


def test_what_people_are_told_is_the_shops_own(worded: Shop):
    (line,) = write(worded, "ENTRADA_MERCANCIA", ("A-1", 20, 3))
    (lost,) = write(worded, "VENTA", ("C 3", 1, 5))
    worded.run()
    rejects = worded.succeed("rejects").stdout
    assert f"{lost} (F-2)" in rejects and "C 3" in rejects
    assert str(number("C 3")) not in rejects
    (told,) = json.loads(worded.succeed("rejects", "--json").stdout)["rejects"]
    assert (told["own_id"], told["document"], told["clave_producto"]) == (lost, "F-2", "C 3")
    for named in ("A-1", " A-1 "):
        kardex = worded.succeed("kardex", named).stdout
        assert kardex.startswith("A-1 Arroz") and "F-1" in kardex
    assert "no product" in worded.command("kardex", str(number("A-1"))).stdout
    worded.till("UPDATE articulo SET nombre = NULL")
    worded.till("UPDATE documento SET numero = NULL")
    worded.run()
    assert line in worded.succeed("kardex", "A-1").stdout
    # Of what the OLAP lacks the OLTP tells.
    worded.olap.cursor().execute("DELETE FROM dw.kardex; DELETE FROM dw.documento_movimiento")
    found = worded.command("verify", "--all").stdout
    assert line in found


def test_two_queries_must_mean_the_same_by_an_id(worded: Shop):
    path = worded.folder / "sql" / "productos.sql"
    path.write_text(PRODUCTS.replace("a.sku AS id_producto", "7 AS id_producto"), encoding="utf-8")
    told = "yields id_producto as character varying, but productos.sql as a number"
    assert told in worded.command("plan").stdout


def levels(shop: Shop, product: str = "s.sku") -> None:
    """The shop tells its stock by branch, of one product and one branch that nothing else names."""
    shop.till(
        "CREATE TABLE saldo (sku varchar(20), tienda text, n int); GRANT SELECT ON saldo TO"
        " etl_lector; INSERT INTO saldo VALUES ('A-1', 'norte', 20), ('B/2', 'oeste', 8),"
        " ('Z', 'norte', 7)"
    )
    text = (
        f"SELECT {product} AS id_producto, s.tienda AS id_sucursal, s.n AS existencias FROM saldo s"
    )
    (shop.folder / "sql" / "existencias.sql").write_text(text, encoding="utf-8")


def test_the_shops_own_stock_is_found_and_named_by_its_own_ids(worded: Shop):
    write(worded, "ENTRADA_MERCANCIA", ("A-1", 20, 3), ("B/2", 8, 2))
    levels(worded)
    worded.run()
    rows = worded.olap_rows(
        "SELECT codigo, sucursal, nuestras::int, tienda::int FROM dw.v_diferencias_existencias"
        " ORDER BY 1, 2"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("B/2", "Sucursal oeste", 0, 8),
        ("B/2", "Tienda norte", 8, None),
        ("Z", "Tienda norte", 0, 7),
    ]
    listed = worded.succeed("status").stdout
    listed += worded.command("plan", ETL_STOCK_DIFFERENCES="adjust").stdout
    # Both branches in what differs, and the one that has a row in what would be booked.
    assert [line.split()[0] for line in listed.splitlines() if "Leche" in line[:40]] == ["B/2"] * 3
    worded.till("INSERT INTO saldo VALUES ('Z', 'norte', 8)")
    told = " ".join(worded.command("plan").stdout.split())
    assert "yields product Z of branch norte 2 times" in told


def test_the_shops_own_stock_means_the_same_by_an_id(worded: Shop):
    levels(worded, "7")
    told = "existencias.sql yields id_producto as a number, but productos.sql as"
    assert told in " ".join(worded.command("plan").stdout.split())


def test_a_product_without_a_code_is_called_by_its_own_id(worded: Shop):
    write(worded, "ENTRADA_MERCANCIA", ("A-1", 20, 3))
    worded.run()
    shown = worded.olap_rows("SELECT codigo FROM dw.mv_inventario_valorizado WHERE existencias > 0")
    assert shown == [{"codigo": "A-1"}]


def test_a_book_asks_by_the_shops_own_ids(worded: Shop):
    from functools import partial

    from pipeline.olap.names import own_ids as own_ids_of
    from pipeline.oltp.book_reads import reading_for_book
    from pipeline.settings import load_settings

    path = worded.folder / "sql" / "movimientos.sql"
    told = "d.numero AS documento, '03' AS tipo_documento, 'B001' AS serie, d.numero,"
    path.write_text(MOVEMENTS.replace("d.numero AS documento,", told), encoding="utf-8")
    lines = write(worded, "ENTRADA_MERCANCIA", ("A-1", 20, 3), ("B/2", 8, 2))
    worded.run()
    with worded.environment():
        settings = load_settings()
        with reading_for_book(settings, partial(own_ids_of, settings)) as (products, movements):
            assert movements([number(lines[0])]) == {number(lines[0]): ["03", "B001", "F-1"]}
            assert list(products([number("A-1")])) == [number("A-1")]


@pytest.mark.parametrize("query", ["movimientos", "productos", "sucursales"])
def test_a_row_that_comes_twice_is_named_by_the_shops_own_id(worded: Shop, query: str):
    (line,) = write(worded, "ENTRADA_MERCANCIA", ("A-1", 20, 3))
    texts = {"movimientos": MOVEMENTS, "productos": PRODUCTS, "sucursales": BRANCHES}
    again = texts[query].replace(".nombre", ".nombre || ' bis' AS nombre")
    path = worded.folder / "sql" / f"{query}.sql"
    path.write_text(f"{texts[query]}\nUNION ALL\n{again}", encoding="utf-8")
    told = worded.command("plan").stdout
    own = {
        "movimientos": f"id_movimiento {line} 2 times",
        "productos": "2 different rows of id_producto",
        "sucursales": "2 different rows of id_sucursal norte",
    }
    assert own[query] in " ".join(told.split()) and str(number("norte")) not in told


def test_an_opening_names_the_shops_own(worded: Shop):
    write(worded, "VENTA", ("A-1", 2, 5), day=1)
    path = worded.folder / "apertura.csv"
    rows = [
        ("id_producto", "existencias", "costo_promedio", "id_sucursal"),
        ("A-1", "7", "3", "norte"),
        ("B/2", "2", "1", ""),
    ]
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    worded.succeed("opening", str(path))
    worded.run()
    assert stock(worded) == {"A-1": (5, 3), "B/2": (2, 1)}
    path.write_text("id_producto,existencias,costo_promedio\nZ-9,1,1\n", encoding="utf-8")
    assert "must be a product of the OLTP" in worded.command("opening", str(path)).stdout


def test_a_window_finds_lines_by_the_shops_own_index(worded: Shop):
    """What is asked of each document that was read is no scan of all lines."""
    write(worded, "ENTRADA_MERCANCIA", ("A-1", 20, 3), ("B/2", 8, 2))
    from pipeline.base.database import connect
    from pipeline.oltp.queries import load_query
    from pipeline.settings import load_settings

    with worded.environment():
        settings = load_settings()
        with connect(settings.oltp, "test", read_only=True) as connection:
            query = load_query(connection, settings, "movimientos")
            asks = own_ids.there(query, "id_movimiento", ["00000000-0000-0000-0000-000000000000"])
            with connection.cursor() as cursor:
                cursor.execute("SET enable_seqscan = off")
                cursor.execute(b"EXPLAIN " + asks.as_string(connection).encode())
                plan = "\n".join(line for (line,) in cursor)
    assert "linea_pkey" in plan and "Seq Scan on linea" not in plan


COLLISIONS = {
    "id_movimiento": "UPDATE linea SET sku = sku",
    "id_producto": "INSERT INTO articulo VALUES ('D', 'Dulce')",
    "id_sucursal": "INSERT INTO tienda VALUES ('sur', 'Tienda sur')",
    "id_documento": "UPDATE documento SET numero = numero",
}


@pytest.mark.parametrize("column", COLLISIONS)
@pytest.mark.parametrize("known", [True, False])
def test_two_names_of_one_number_stop_the_window(worded: Shop, column: str, known: bool):
    """With a hash that tells less, for one of the ids only."""
    write(worded, "ENTRADA_MERCANCIA", ("A-1", 20, 3))
    if known:
        worded.run()
    names = {
        "id_movimiento": write(worded, "VENTA", ("A-1", 1, 3))[0],
        "id_documento": "-",
        "id_producto": "D",
        "id_sucursal": "sur",
    }
    worded.till(COLLISIONS[column])
    if column == "id_documento":
        cursor = worded.oltp.cursor()
        cursor.execute("SELECT id FROM documento WHERE tipo = 'VENTA'")
        names[column] = cursor.fetchone()[0]
    real = own_ids._NUMBER
    # What the id that is there came to, for this one too.
    first = {"id_producto": "A-1", "id_sucursal": "norte"}.get(column)
    if first is None:
        cursor = worded.oltp.cursor()
        table = {"id_movimiento": "linea", "id_documento": "documento"}[column]
        cursor.execute(f"SELECT id FROM {table} WHERE id::text <> %s", (names[column],))
        first = cursor.fetchone()[0]
    stub = real.replace("f.{0}", "{0}").replace(
        "f.{}::text",
        f"replace(f.{{}}::text, '{names[column]}', '{first}')",
    )
    with mock.patch.object(own_ids, "_NUMBER", stub), pytest.raises(AssertionError):
        worded.run_in_process()
    with mock.patch.object(own_ids, "_NUMBER", stub), worded.environment():
        from pipeline.errors import DataError
        from pipeline.run.rehearsal import rehearse
        from pipeline.settings import load_settings

        held = rehearse(load_settings()).held
    assert isinstance(held, DataError)
    assert f"{column} '" in str(held) and "come to the same number" in str(held)
    assert names[column] in str(held) and first in str(held)
    worded.run()
    assert verified(worded)["clean"]


def test_blocks_do_not_ask_how_ids_are_spread(worded: Shop):
    """Of hashed ids as of a sequence's, a block has so many rows; what differs is found in one."""
    from pipeline.run import comparison

    lines = [("A-1", units, 3) for units in range(1, 121)]
    ids = write(worded, "ENTRADA_MERCANCIA", *lines)
    worded.run()
    worded.olap.cursor().execute("ANALYZE dw.kardex")
    (blocks,) = worded.olap_rows("SELECT etl.bloques(10) AS bloques")
    assert len(blocks["bloques"]) == 12
    assert blocks["bloques"] == sorted(map(number, ids))[9::10]
    worded.olap.cursor().execute(
        "UPDATE dw.kardex SET cantidad = 500 WHERE id_movimiento = %s", (number(ids[0]),)
    )
    worded.till("DELETE FROM linea WHERE id = %s", ids[1])
    asked = []
    real = comparison._template

    def spy(name: str, *arguments: object) -> object:
        asked.append((name, *arguments[2:]))
        return real(name, *arguments)  # type: ignore[arg-type]

    with (
        mock.patch.object(comparison, "BLOCK", 10),
        mock.patch.object(comparison, "_template", spy),
        worded.environment(),
    ):
        from pipeline.run.verify import verify
        from pipeline.settings import load_settings

        found = verify(load_settings(), None, everything=True)
    assert found.different == [number(ids[0])] and found.extra == [number(ids[1])]
    ((_name, suspects),) = [asks for asks in asked if asks[0] == "huella_filas.sql"]
    assert len(suspects) <= 2


# The lines of what is sold apart from the others, as they stand in tables of their own elsewhere.
APART = (
    f"{MOVEMENTS}WHERE d.tipo = 'VENTA'\nUNION ALL\n"
    f"{MOVEMENTS.replace('l.unidades AS', 'abs(l.unidades) AS')}WHERE d.tipo <> 'VENTA'"
)


def as_restored(shop: Shop) -> None:
    """All rows of one transaction, as pg_restore leaves them."""
    with shop.transaction() as cursor:
        for table in ("articulo", "tienda", "documento", "linea"):
            cursor.execute(f"CREATE TEMP TABLE dump AS SELECT * FROM {table}")
            cursor.execute(f"TRUNCATE {table}")
            cursor.execute(f"INSERT INTO {table} SELECT * FROM dump")
            cursor.execute("DROP TABLE dump")


def test_rows_that_were_all_restored_at_once_have_versions_that_move(worded: Shop):
    (worded.folder / "sql" / "movimientos.sql").write_text(APART, encoding="utf-8")
    write(worded, "ENTRADA_MERCANCIA", *[("A-1", 20, 3)] * 15)
    write(worded, "VENTA", *[("A-1", 1, 5)] * 15, day=1)
    as_restored(worded)
    worded.run()
    assert stock(worded)["A-1"] == (285, 3)
    write(worded, "VENTA", ("A-1", 2, 5), day=2)
    worded.run()
    assert stock(worded)["A-1"] == (283, 3)


def test_versions_that_were_kept_when_all_was_restored_at_once_do_not_move(worded: Shop):
    """A column that has the transaction of the restore is no version, even though its rows are."""
    path = worded.folder / "sql" / "movimientos.sql"
    path.write_text(APART.replace("l.xmin", "l.v").replace("d.xmin", "l.v"), encoding="utf-8")
    write(worded, "ENTRADA_MERCANCIA", *[("A-1", 20, 3)] * 15)
    write(worded, "VENTA", *[("A-1", 1, 5)] * 15, day=1)
    worded.till("ALTER TABLE linea ADD v xid")
    with worded.transaction() as cursor:
        cursor.execute("UPDATE linea SET v = pg_current_xact_id()::xid")
    said = " ".join(worded.command("plan").stdout.split())
    assert "movimientos.sql yields version_1 as" in said and "for every row" in said
