"""Shops whose databases are not in UTF-8, and what a query of their own may hold."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fault_shop import days_ago, now
from olap_comparison import assert_olap_equals_replay
from shop_database import Shop

pytestmark = pytest.mark.one_postgres

NAMES = ("movimientos", "productos", "sucursales")
SHIPPED = Path(__file__).parents[1] / "sql" / "oltp"
NAME = "Pi\N{LATIN SMALL LETTER N WITH TILDE}\N{LATIN SMALL LETTER O WITH ACUTE}n"


@pytest.fixture
def kept_in(shop: Shop) -> Iterator[Callable[[str], Shop]]:
    """The shop with an OLTP of that encoding."""
    own = shop.oltp_name
    with ExitStack() as stack:

        def make(encoding: str) -> Shop:
            name = f"{own}_{encoding.lower()}"
            shop.server.execute(
                f"CREATE DATABASE {{name}} ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'"
                " TEMPLATE template0",
                name=name,
            )
            stack.callback(shop.server.execute, "DROP DATABASE {name} WITH (FORCE)", name=name)
            shop.env["OLTP_DB_NAME"] = shop.oltp_name = name
            shop.env["ETL_INITIAL_SINCE"] = days_ago(5).date().isoformat()
            shop.oltp.close()
            shop.oltp = shop.server.connect(name)
            shop.succeed("init", "--example-oltp")
            return shop

        yield make


def in_latin1(kept_in: Callable[[str], Shop], encoding: str) -> Shop:
    """The shop with its texts in LATIN1, whether its server knows that or not."""
    shop = kept_in(encoding)
    if encoding == "SQL_ASCII":
        shop.env["OLTP_DB_ENCODING"] = "LATIN1"
        shop.oltp.set_client_encoding("LATIN1")
    return shop


def traded(shop: Shop, name: str) -> None:
    """A product of that name, received and sold."""
    shop.product(1, name)
    shop.till("UPDATE productos SET nombre = %s", name)
    shop.receipt(now() - timedelta(hours=2), (1, 5, 3))
    shop.sale(now() - timedelta(hours=1), (1, 2, 5))


def loaded_names(shop: Shop) -> list[dict[str, Any]]:
    """What the OLAP calls the products."""
    return shop.olap_rows("SELECT nombre, categoria FROM dw.producto")


@pytest.mark.parametrize("encoding", ["LATIN1", "LATIN9", "WIN1252"])
def test_a_shop_in_another_encoding_is_read_as_it_is(kept_in: Callable[[str], Shop], encoding: str):
    shop = kept_in(encoding)
    name = NAME + ("" if encoding == "LATIN1" else " \N{EURO SIGN}")
    traded(shop, name)
    shop.run()
    assert loaded_names(shop) == [{"nombre": name, "categoria": name}]
    assert_olap_equals_replay(shop, days_ago(5).replace(hour=0, minute=0, second=0, microsecond=0))
    assert json.loads(shop.succeed("verify", "--json").stdout)["clean"]
    assert encoding in shop.command("doctor").stdout


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_what_workers_send_is_proved_too(kept_in: Callable[[str], Shop], encoding: str):
    """A worker of a parallel plan has the database's encoding, whatever the session's is."""
    shop = in_latin1(kept_in, encoding)
    shop.server.run_script(shop.oltp_name, SHIPPED / "captura_xid8.sql")
    shop.env["ETL_CAPTURE"] = "xid8"
    texts = {name: (SHIPPED / "xid8" / f"{name}.sql").read_text("utf-8") for name in NAMES}
    version = "    d.version_etl AS version_1"
    assert version in texts["movimientos"]
    name = "(SELECT q.nombre FROM public.productos AS q WHERE q.id_producto = d.id_producto)"
    texts["movimientos"] = texts["movimientos"].replace(
        version, f"    {name} AS documento,\n{version}"
    )
    own_queries(shop, **texts)
    traded(shop, NAME)
    shop.till("INSERT INTO sucursales (id_sucursal, nombre) VALUES (7, %s)", NAME)
    shop.till(
        "INSERT INTO productos (id_producto, nombre)"
        " SELECT n, %s FROM generate_series(2, 9999) AS n",
        NAME,
    )
    shop.run()
    (copied,) = shop.olap_rows("SELECT DISTINCT documento FROM dw.documento_movimiento")
    assert copied == {"documento": NAME}
    for setting in (
        "min_parallel_table_scan_size = 0",
        "parallel_setup_cost = 0",
        "parallel_tuple_cost = 0",
        "parallel_leader_participation = off",
    ):
        shop.server.execute(f"ALTER DATABASE {{name}} SET {setting}", name=shop.oltp_name)
    found = json.loads(shop.command("verify", "--all", "--json").stdout)
    assert (found["catalogue"], found["documents"]) == ([], [])
    assert found["clean"]


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_a_kind_of_the_shops_own_is_proved(kept_in: Callable[[str], Shop], encoding: str):
    shop = in_latin1(kept_in, encoding)
    columns = "regla, orden, signo, cantidad, precio, costo, importe, destino, resta, nombre"
    shop.olap.cursor().execute(
        f"INSERT INTO dw.tipo_movimiento (tipo, clase, descripcion, {columns})"
        f" SELECT 'DONACIÓN', clase, descripcion, {columns} FROM dw.tipo_movimiento"
        " WHERE tipo = 'AJUSTE_SALIDA'"
    )
    shop.product(1)
    shop.movement("DONACIÓN", now() - timedelta(hours=2), 1, 5)
    shop.movement("DONACIÓN", now() - timedelta(hours=1), 1, None)
    shop.run()
    assert shop.olap_rows("SELECT tipo FROM etl.rechazo") == [{"tipo": "DONACIÓN"}]
    assert shop.olap_rows("SELECT tipo FROM dw.kardex") == [{"tipo": "DONACIÓN"}]
    assert json.loads(shop.command("verify", "--json").stdout)["clean"]


@pytest.mark.parametrize("encoding", ["LATIN2", "WIN1251", "SQL_ASCII"])
def test_an_encoding_without_spanish_letters_is_proved(
    kept_in: Callable[[str], Shop], encoding: str
):
    shop = kept_in(encoding)
    shop.product(1)
    when = now() - timedelta(hours=2)
    receipt = shop.movement("ENTRADA_MERCANCIA", when, 1, 5, costo_unitario=3)
    shop.movement("COSTO_ADICIONAL", when, 1, None, costo_unitario=-1, id_origen=receipt)
    shop.movement("VENTA", when, 1, -1, precio_unitario=5)
    for amounts in ({}, {"costo_unitario": -2}):
        shop.movement("ENTRADA_MERCANCIA", when, 1, 5, **amounts)
    shop.run()
    assert_olap_equals_replay(shop, days_ago(5).replace(hour=0, minute=0, second=0, microsecond=0))
    waits = shop.olap_rows("SELECT motivo FROM etl.rechazo ORDER BY motivo")
    assert [row["motivo"] for row in waits] == ["costo negativo", "sin costo"]
    assert json.loads(shop.succeed("verify", "--json").stdout)["clean"]


def test_bytes_of_no_known_encoding_get_one_line_and_a_setting(kept_in: Callable[[str], Shop]):
    shop = kept_in("SQL_ASCII")
    shop.oltp.set_client_encoding("LATIN1")
    traded(shop, NAME)
    done = shop.run_due()
    assert done.returncode == 30 and "Traceback" not in done.stdout, done.stdout
    for told in ('invalid byte sequence for encoding "UTF8"', "set OLTP_DB_ENCODING to what"):
        assert told in done.stdout
    assert not loaded_names(shop)
    assert "SQL_ASCII, which does not say" in " ".join(shop.command("doctor").stdout.split())
    wrong = shop.run_due(OLTP_DB_ENCODING="KLINGON")
    assert "OLTP_DB_ENCODING" in wrong.stdout and wrong.returncode != 0

    shop.env["OLTP_DB_ENCODING"] = "latin1"
    shop.run()
    assert loaded_names(shop) == [{"nombre": NAME, "categoria": NAME}]
    assert json.loads(shop.succeed("verify", "--json").stdout)["clean"]


def own_queries(shop: Shop, **texts: str) -> Path:
    """A folder with the shipped queries, but for those given."""
    folder = shop.folder / "consultas"
    folder.mkdir(exist_ok=True)
    for name in NAMES:
        text = texts.get(name) or (SHIPPED / f"{name}.sql").read_text(encoding="utf-8")
        (folder / f"{name}.sql").write_text(text, encoding="utf-8")
    shop.env["ETL_OLTP_SQL_DIR"] = str(folder)
    return folder


def test_a_character_that_the_shop_has_not_is_named(kept_in: Callable[[str], Shop]):
    shop = kept_in("LATIN1")
    text = (own_queries(shop) / "productos.sql").read_text(encoding="utf-8")
    own_queries(shop, productos=f"-- \N{HORIZONTAL ELLIPSIS}\n{text}")
    done = shop.run_due()
    assert done.returncode == 30 and "Traceback" not in done.stdout, done.stdout
    assert "productos.sql holds a character that the OLTP's encoding has not" in done.stdout
    # One that it has is as good as any.
    own_queries(shop, productos=f"-- {NAME}\n{text}")
    traded(shop, NAME)
    shop.run()


def test_a_query_as_windows_saves_it_is_read(kept_in: Callable[[str], Shop]):
    shop = kept_in("WIN1252")
    traded(shop, NAME)
    folder = own_queries(shop)
    for path in folder.glob("*.sql"):
        text = f"-- {NAME}\n{path.read_text(encoding='utf-8')}"
        path.write_bytes(text.replace("\n", "\r\n").encode("utf-8-sig"))
    shop.run()
    assert loaded_names(shop) == [{"nombre": NAME, "categoria": NAME}]
    text = (folder / "productos.sql").read_text(encoding="utf-8-sig")
    (folder / "productos.sql").write_bytes(text.encode("cp1252"))
    assert "productos.sql is not in UTF-8, whatever the database is in" in shop.run_due().stdout


def test_an_olap_in_another_encoding_is_refused(shop: Shop):
    name = f"{shop.olap_name}_latin1"
    shop.server.execute(
        "CREATE DATABASE {name} ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0",
        name=name,
    )
    try:
        done = shop.command("init", OLAP_DB_NAME=name)
        assert done.returncode == 1 and "ENCODING 'UTF8'" in done.stdout, done.stdout
    finally:
        shop.server.execute("DROP DATABASE {name} WITH (FORCE)", name=name)


@pytest.mark.parametrize("query", ["movimientos", "productos", "sucursales"])
def test_the_doctor_names_an_id_that_two_rows_have(shop: Shop, query: str):
    shop.product(1)
    shop.product(2)
    shop.branch(3)
    shop.branch(4)
    shop.receipt(now(), (1, 5, 3), (2, 5, 3))
    text = (own_queries(shop) / f"{query}.sql").read_text(encoding="utf-8")
    column = {"productos": "p.id_producto", "sucursales": "s.id_sucursal"}.get(query)
    told = f"{column or 'd.id_detalle'} * 0 + 7"
    own = column or "d.id_detalle"
    name = {"movimientos": "id_movimiento"}.get(query, own.partition(".")[2])
    for shipped in (f"{own} AS {name}", f"{own},"):
        if shipped in text:
            text = text.replace(
                shipped, f"{told} AS {name}" + ("," if shipped[-1] == "," else ""), 1
            )
            break
    own_queries(shop, **{query: text})
    doctor = shop.command("doctor")
    assert doctor.returncode == 1
    assert "gives one id to several rows: 7 (2 rows)" in " ".join(doctor.stdout.split())


@pytest.mark.parametrize("query", ["productos", "sucursales"])
def test_an_id_that_two_rows_have_is_one_line_and_read_again(shop: Shop, query: str):
    shop.product(1)
    shop.branch(3)
    shop.receipt(now() - timedelta(hours=1), (1, 5, 3))
    text = (own_queries(shop) / f"{query}.sql").read_text(encoding="utf-8")
    letter = query[0]
    other = text.replace(f"{letter}.nombre", f"{letter}.nombre || ' bis' AS nombre", 1)
    own_queries(shop, **{query: f"{text}\nUNION ALL\n{other}"})
    done = shop.run_due()
    told = f"{query}.sql yields 2 different rows of id_{query[:-1].removesuffix('e')} "
    assert done.returncode == 30 and told in done.stdout, done.stdout
    assert "Traceback" not in done.stdout
    # The same row twice is one; and nothing is left of what was read.
    own_queries(shop, **{query: f"{text}\nUNION ALL\n{text}"})
    shop.run()
    assert json.loads(shop.succeed("verify", "--json").stdout)["clean"]
