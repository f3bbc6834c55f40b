"""`import`: what it loads into the example OLTP, that it can be repeated, and what it refuses."""

from __future__ import annotations

import argparse
import gzip
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from shop_database import Shop

from pipeline.commands import import_csv
from pipeline.errors import InputError, PipelineError, SchemaError

PRODUCTS = """\
id_producto,codigo,nombre,categoria,precio_lista,marca
1,P-1,Café molido,Bebidas,3.50,Ñ
2,,"Pan, de molde",,,
"""
MOVEMENTS = """\
id_transaccion,tipo,id_producto,cantidad,precio_unitario,costo_unitario,fecha,id_tienda,otra
10,ENTRADA_MERCANCIA,1,12,,1.25,2026-03-01,7,x
11,VENTA,1,2.5,3.50,,2026-03-01T10:30:00,7,x
12,VENTA,2,1,2,0.9,2026-03-02T08:00:00-05:00,,x
"""


def write(shop: Shop, name: str, content: str | bytes) -> Path:
    path = shop.folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def load(
    shop: Shop,
    productos: str | bytes | None = None,
    transacciones: str | bytes | None = None,
    **env: str,
) -> None:
    """`import` of files with these contents, in this process."""
    arguments = argparse.Namespace(
        json=False,
        productos=None if productos is None else write(shop, "productos.csv", productos),
        transacciones=None if transacciones is None else write(shop, "ventas.csv", transacciones),
    )
    shop.env.update(env)
    with shop.environment():
        assert import_csv.run(arguments) == 0


def rows(shop: Shop, query: str) -> list[tuple[Any, ...]]:
    cursor = shop.oltp.cursor()
    cursor.execute(query)
    return cursor.fetchall()


def documents(shop: Shop) -> list[tuple[Any, ...]]:
    return rows(
        shop,
        "SELECT t.id_transaccion, d.id_detalle, t.tipo, d.id_producto, d.cantidad,"
        " d.precio_unitario, d.costo_unitario, to_char(t.fecha AT TIME ZONE 'UTC',"
        " 'YYYY-MM-DD HH24:MI'), t.id_sucursal, t.anulada FROM transacciones AS t"
        " JOIN detalle_transaccion AS d USING (id_transaccion) ORDER BY 1, 2",
    )


def versions(shop: Shop) -> list[tuple[Any, ...]]:
    """Every row version of the four tables: an update, even to the same, changes it."""
    tables = ("productos", "sucursales", "transacciones", "detalle_transaccion")
    return [rows(shop, f"SELECT ctid::text, xmin::text, * FROM {table}") for table in tables]


def refusal(action: Callable[[], object], kind: type[PipelineError] = InputError) -> str:
    with pytest.raises(kind) as caught:
        action()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_loads_products_movements_and_branches(shop: Shop) -> None:
    productos = write(shop, "productos.csv", PRODUCTS)
    ventas = write(shop, "ventas.csv.gz", gzip.compress(MOVEMENTS.encode()))
    done = shop.succeed("import", "--productos", str(productos), "--transacciones", str(ventas))
    first, second = done.stdout.splitlines()
    assert first.startswith("productos: 2 read, 2 new, 0 changed, 0 same, ")
    assert second.startswith("transacciones: 3 read, 3 new, 0 changed, 0 same, 1 new branches, ")
    assert first.endswith(" s") and second.endswith(" s")
    assert rows(shop, "SELECT * FROM productos ORDER BY 1") == [
        (1, "P-1", "Café molido", "Bebidas", Decimal("3.50")),
        (2, None, "Pan, de molde", None, None),
    ]
    assert rows(shop, "SELECT * FROM sucursales") == [(7, "Sucursal 7")]
    cost, price = Decimal("1.25"), Decimal("3.50")
    sold = Decimal("2.5")
    assert documents(shop) == [
        (10, 10, "ENTRADA_MERCANCIA", 1, 12, None, cost, "2026-03-01 00:00", 7, False),
        (11, 11, "VENTA", 1, sold, price, None, "2026-03-01 10:30", 7, False),
        (12, 12, "VENTA", 2, 1, 2, Decimal("0.9"), "2026-03-02 13:00", None, False),
    ]


def test_text_arrives_as_it_is(shop: Shop) -> None:
    name = "a\\b\tc\nd\re \\N 'x' \\."
    load(shop, f'id_producto,nombre,codigo\n1,"{name}",\\N\n')
    assert rows(shop, "SELECT nombre, codigo FROM productos") == [(name, "\\N")]


def test_fecha_without_an_offset_is_in_the_zone(shop: Shop) -> None:
    load(shop, PRODUCTS, MOVEMENTS, ETL_TIMEZONE="America/Lima")
    assert [row[7] for row in documents(shop)] == [
        "2026-03-01 05:00",
        "2026-03-01 15:30",
        "2026-03-02 13:00",
    ]


def test_a_second_time_changes_no_row_version(shop: Shop, capsys: pytest.CaptureFixture) -> None:
    load(shop, PRODUCTS, MOVEMENTS)
    before = versions(shop)
    capsys.readouterr()
    load(shop, PRODUCTS, MOVEMENTS)
    assert versions(shop) == before
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("productos: 2 read, 0 new, 0 changed, 2 same, ")
    assert second.startswith("transacciones: 3 read, 0 new, 0 changed, 3 same, ")
    assert "branches" not in second


def test_only_what_changed_is_written(shop: Shop, capsys: pytest.CaptureFixture) -> None:
    load(shop, PRODUCTS, MOVEMENTS)
    before = versions(shop)
    capsys.readouterr()
    header = MOVEMENTS.replace("12,VENTA,2,1,2,0.9,2026-03-02", "12,VENTA,2,1,2,0.9,2026-03-03")
    line = header.replace("11,VENTA,1,2.5,3.50", "11,VENTA,1,2.5,3.60")
    load(shop, PRODUCTS.replace("Bebidas", "Cafés") + "3,,Té,,,\n", line)
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("productos: 3 read, 1 new, 1 changed, 1 same, ")
    assert second.startswith("transacciones: 3 read, 0 new, 2 changed, 1 same, ")
    _, _, headers, lines = versions(shop)
    assert len(set(headers) - set(before[2])) == len(set(lines) - set(before[3])) == 1
    assert documents(shop)[1][5] == Decimal("3.60")
    assert documents(shop)[2][7] == "2026-03-03 13:00"


def test_anulada_and_branches(shop: Shop) -> None:
    shop.branch(1)
    shop.till("UPDATE sucursales SET nombre = 'Centro'")
    head = "id_transaccion,tipo,id_producto,cantidad,precio_unitario,costo_unitario,fecha"
    load(
        shop,
        PRODUCTS,
        f"{head},id_tienda,id_sucursal,anulada\n"
        "1,VENTA,1,1,1,,2026-01-01,9,1,true\n2,VENTA,1,1,1,,2026-01-01,9,2,False\n"
        "3,VENTA,1,1,1,,2026-01-01,9,,\n",
    )
    assert [row[8:] for row in documents(shop)] == [(1, True), (2, False), (None, False)]
    assert rows(shop, "SELECT * FROM sucursales ORDER BY 1") == [(1, "Centro"), (2, "Sucursal 2")]
    # Columns that a file lacks are left as they are.
    load(shop, None, f"{head}\n1,VENTA,1,1,5,,2026-01-01\n")
    assert documents(shop)[0][5:] == (5, None, "2026-01-01 00:00", 1, True)
    load(shop, "id_producto,nombre\n1,Otro nombre\n")
    assert rows(shop, "SELECT * FROM productos WHERE id_producto = 1") == [
        (1, "P-1", "Otro nombre", "Bebidas", Decimal("3.50"))
    ]
    # An empty value of a column that it has is a value.
    load(shop, "id_producto,nombre,codigo\n1,Otro nombre,\n")
    assert rows(shop, "SELECT codigo FROM productos WHERE id_producto = 1") == [(None,)]


def test_the_till_goes_on_beyond_the_greatest_id(shop: Shop) -> None:
    load(shop, PRODUCTS, MOVEMENTS)
    assert shop.sale(None, (1, 1, 1)) == [13]
    assert rows(shop, "SELECT max(id_transaccion) FROM transacciones") == [(13,)]
    shop.till("INSERT INTO sucursales (nombre) VALUES ('Nueva')")
    shop.till("INSERT INTO productos (nombre) VALUES ('Nuevo')")
    assert rows(shop, "SELECT max(id_sucursal) FROM sucursales") == [(8,)]
    assert rows(shop, "SELECT max(id_producto) FROM productos") == [(3,)]
    # Numbers that were given out are not given out again, even if their rows are gone.
    shop.till("DELETE FROM transacciones WHERE id_transaccion = 13")
    load(shop, None, MOVEMENTS)
    assert shop.sale(None, (1, 1, 1)) == [14]


def changed(old: str, new: str) -> str:
    assert MOVEMENTS.count(old) == 1, old
    return MOVEMENTS.replace(old, new)


SALE = "11,VENTA,1,2.5,3.50,,2026-03-01T10:30:00,7"
BAD_MOVEMENTS = {
    ", line 1: the header lacks the column cantidad (has: ": changed("cantidad", "cant"),
    ", line 3: the number of fields is 8, but must be 9": changed(f"{SALE},x", SALE),
    ", line 3: id_transaccion is 'x', but must be a whole number above 0": changed("11,V", "x,V"),
    ", line 3: id_producto is '1.0', but must be a whole": changed("A,1,2.5", "A,1.0,2.5"),
    ", line 3: id_tienda is 'Lima', but must be a whole": changed(SALE, f"{SALE[:-1]}Lima"),
    ", line 3: tipo is 'Venta', but must be ENTRADA_MERCANCIA or AJUSTE_ENTRADA or ": changed(
        "11,VENTA", "11,Venta"
    ),
    ", line 3: cantidad is 'abc', but must be a number above 0": changed("2.5", "abc"),
    ", line 3: cantidad is '0', but must be a number above 0": changed("2.5", "0"),
    ", line 3: cantidad is 'NaN', but must be a number above 0": changed("2.5", "NaN"),
    ", line 3: cantidad is '2,5', but must be a number above 0, with a decimal point": changed(
        "2.5", '"2,5"'
    ),
    ", line 3: precio_unitario is empty, but must be a number, 0 or more, since tipo is VENTA": (
        changed("3.50", "")
    ),
    ", line 3: precio_unitario is '-1', but must be a number, 0 or more": changed("3.50", "-1"),
    ", line 2: costo_unitario is empty, but must be a number, 0 or more, since tipo is ENT": (
        changed("1.25", "")
    ),
    ", line 2: costo_unitario is 'inf', but must be a number, 0 or more": changed("1.25", "inf"),
    ", line 4: costo_unitario is '-9', but must be a number, 0 or more": changed("0.9", "-9"),
    ", line 3: precio_unitario is '1e11', but must be a number below 100000000000": changed(
        "3.50", "1e11"
    ),
    ", line 3: cantidad is '1000', but must be below 1000000000000 when times precio_unitario": (
        changed("2.5,3.50", "1000,1000000000")
    ),
    ", line 3: fecha is '1/3/2026', but must be a date": changed("2026-03-01T10:30:00", "1/3/2026"),
    ", line 3: fecha is empty, but must be a date": changed("2026-03-01T10:30:00", ""),
    ", line 4: id_transaccion is '10', but must be unique, and line 2 has it already": changed(
        "12,VENTA", "10,VENTA"
    ),
    ", line 4: id_producto is '3', but must be a product of the database or of --productos": (
        changed("12,VENTA,2", "12,VENTA,3")
    ),
    ", line 5: is not UTF-8": MOVEMENTS.encode() + b"13,VENTA,1,1,1,,2026-01-01,1,\xf1\n",
    ": is a truncated or damaged .gz": gzip.compress(MOVEMENTS.encode(), mtime=0)[:-8],
    ": is empty": "",
}


HEAD = (
    "id_transaccion,tipo,id_producto,cantidad,precio_unitario,costo_unitario,fecha,"
    "id_tienda,id_tienda_destino,id_origen,importe\n"
)
TEN = """\
1,ENTRADA_MERCANCIA,1,3,,1.666667,2026-03-01,7,,,5
2,AJUSTE_ENTRADA,1,1,,,2026-03-01,7,,,
3,COSTO_ADICIONAL,1,,,-2,2026-03-01,,,1,
4,VENTA,1,2,3,,2026-03-01,7,,,5.99
5,AJUSTE_SALIDA,1,1,,,2026-03-01,7,,,
6,DEVOLUCION_COMPRA,1,1,,,2026-03-01,7,,1,
7,TRASLADO,1,1,,,2026-03-01,7,8,,
8,DESCUENTO_VENTA,1,,1,,2026-03-01,7,,,
9,DEVOLUCION_VENTA,1,1,3,,2026-03-01,7,,4,
10,CONTEO,1,0,,,2026-03-01,7,,,
11,VENTA,1,-1,3,,2026-03-01,7,,,-3
"""


def test_all_that_moves_stock_is_loaded(shop: Shop, capsys: pytest.CaptureFixture) -> None:
    load(shop, PRODUCTS, HEAD + TEN)
    more = (
        "SELECT d.id_detalle, d.cantidad, d.id_origen, t.id_sucursal_destino, d.importe"
        " FROM transacciones AS t JOIN detalle_transaccion AS d USING (id_transaccion) ORDER BY 1"
    )
    found = rows(shop, more)
    assert [row[1] for row in found] == [3, 1, None, 2, 1, 1, 1, None, 1, 0, -1]
    assert {row[0]: row[2] for row in found if row[2]} == {3: 1, 6: 1, 9: 4}
    assert {row[0]: row[3] for row in found if row[3]} == {7: 8}
    assert {row[0]: row[4] for row in found if row[4]} == {1: 5, 4: Decimal("5.99"), 11: -3}
    assert rows(shop, "SELECT id_sucursal FROM sucursales ORDER BY 1") == [(7,), (8,)]
    before = versions(shop)
    # Neither again, nor by a file without these columns.
    load(shop, None, HEAD + TEN)
    first, *lines = (HEAD + TEN).splitlines()
    load(shop, None, "\n".join(",".join(x.split(",")[:8]) for x in [first, lines[0], lines[3]]))
    assert versions(shop) == before


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("1,,,2026-03-01,7,8", "1,,,2026-03-01,7,", "line 8: id_tienda_destino is empty"),
        ("7,8,", "7,7,", "line 8: id_tienda_destino is '7', but must be another branch"),
        (",,1,\n4", ",,99,\n4", "line 4: id_origen is '99', but must be the id_transaccion of"),
        (",4,\n10", ",x,\n10", "line 10: id_origen is 'x', but must be a whole number"),
        ("1.666667,2026-03-01,7,,,5", "1,2026-03-01,7,,,-5", "line 2: importe is '-5', but must"),
        (",,5.99", ",,cinco", "line 5: importe is 'cinco', but must be a number, 0 or more"),
        (",,,-2,", ",,,,", "line 4: costo_unitario is empty, but must be a number, since tipo"),
        ("CONTEO,1,0", "CONTEO,1,-1", "line 11: cantidad is '-1', but must be a number, 0 or more"),
        ("SALIDA,1,1", "SALIDA,1,", "line 6: cantidad is empty, but must be a number above 0"),
        ("COMPRA,1,1", "COMPRA,1,-1", "line 7: cantidad is '-1', but must be a number above 0"),
    ],
)
def test_a_bad_value_of_them_is_named(shop: Shop, old: str, new: str, says: str) -> None:
    assert TEN.count(old) == 1, old
    message = refusal(lambda: load(shop, PRODUCTS, HEAD + TEN.replace(old, new)))
    assert f"ventas.csv, {says}" in message and message.endswith("; nothing was loaded")
    assert versions(shop) == [[], [], [], []]


def test_says_that_the_example_is_of_before(shop: Shop) -> None:
    shop.till("ALTER TABLE detalle_transaccion DROP COLUMN importe")
    message = refusal(lambda: load(shop, PRODUCTS, MOVEMENTS), SchemaError)
    assert "public.detalle_transaccion has no column importe; run" in message


def test_a_bad_line_is_named_and_nothing_of_any_file_is_loaded(shop: Shop) -> None:
    for says, content in BAD_MOVEMENTS.items():
        message = refusal(lambda content=content: load(shop, PRODUCTS, content))
        assert message.startswith(f"{shop.folder / 'ventas.csv'}{says}"), message
        assert message.endswith("; nothing was loaded")
        assert versions(shop) == [[], [], [], []], says


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("0,,x,,,", "id_producto is '0', but must be a whole number above 0"),
        ("3,,,,,", "nombre is empty, but must have a value"),
        ("3,,x,,-1,", "precio_lista is '-1', but must be a number, 0 or more"),
        ("2,,x,,,", "id_producto is '2', but must be unique, and line 3 has it already"),
    ],
)
def test_a_bad_product_is_named(shop: Shop, line: str, says: str) -> None:
    message = refusal(lambda: load(shop, f"{PRODUCTS}{line}\n", MOVEMENTS))
    path = shop.folder / "productos.csv"
    assert message == f"{path}, line 4: {says}; nothing was loaded"
    assert versions(shop) == [[], [], [], []]


def test_the_command_says_a_failure_in_one_line(shop: Shop) -> None:
    path = write(shop, "ventas.csv", changed("2.5", "abc"))
    done = shop.command("import", "--transacciones", str(path))
    assert (done.returncode, len(done.stdout.splitlines())) == (1, 1)
    assert done.stdout.endswith(
        f"{path}, line 3: cantidad is 'abc', but must be a number above 0; nothing was loaded\n"
    )
    done = shop.command("import")
    assert (done.returncode, len(done.stdout.splitlines())) == (1, 1)
    assert "--productos F, --transacciones F, or both" in done.stdout


def test_products_of_the_database_do(shop: Shop) -> None:
    load(shop, PRODUCTS)
    load(shop, None, MOVEMENTS)
    assert len(documents(shop)) == 3


def test_documents_of_the_till_are_not_overwritten(shop: Shop) -> None:
    load(shop, PRODUCTS)
    assert shop.sale(None, (1, 1, 1), (2, 1, 1)) == [1, 2]
    shop.till("ALTER SEQUENCE detalle_transaccion_id_detalle_seq RESTART 20")
    assert shop.sale(None, (1, 1, 1)) == [20]
    assert shop.sale(None, (1, 1, 1)) == [21]
    before = versions(shop)
    # 2 is a line of document 1; 3 is a document whose only line is 21.
    for number in (2, 3):
        message = refusal(lambda new=f"{number},V": load(shop, None, changed("11,V", new)))
        assert f"line 3: id_transaccion {number} is a document in the database" in message
    assert versions(shop) == before


def test_a_line_that_the_till_added_to_a_document_of_a_file_stays(shop: Shop) -> None:
    load(shop, PRODUCTS, MOVEMENTS)
    shop.till(
        "INSERT INTO detalle_transaccion (id_transaccion, id_producto, cantidad, precio_unitario)"
        " VALUES (11, 2, 1, 1)"
    )
    before = versions(shop)
    load(shop, None, MOVEMENTS)
    assert versions(shop) == before


def test_says_that_the_example_schema_is_missing(shop: Shop) -> None:
    shop.till("DROP TABLE detalle_transaccion")
    message = refusal(lambda: load(shop, PRODUCTS), SchemaError)
    assert "no table public.detalle_transaccion" in message
    assert "`python -m pipeline init --example-oltp`" in message


def test_a_bad_file_is_told_without_a_server(shop: Shop) -> None:
    message = refusal(lambda: load(shop, "id_producto\n1\n", OLTP_DB_PORT="1"))
    assert "the header lacks the column nombre" in message
