"""The guide's queries for other shapes of schemas, each on a small shop of that shape."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal

import pytest
from guide import block_texts
from shop_database import Shop

PRODUCTS = """
SELECT a.id AS id_producto, a.codigo, a.nombre, NULL::text AS categoria, a.xmin AS version_1
FROM public.articulos AS a
"""
BRANCHES = """
SELECT a.id AS id_sucursal, a.nombre, a.xmin AS version_1
FROM public.almacenes AS a
"""
COMMON = """
DROP TABLE detalle_transaccion, transacciones, productos, sucursales;
CREATE TABLE articulos (id bigint PRIMARY KEY, codigo text, nombre text);
INSERT INTO articulos VALUES (1, 'ARR', 'Arroz'), (2, 'LEC', 'Leche');
CREATE TABLE almacenes (id bigint PRIMARY KEY, nombre text);
INSERT INTO almacenes VALUES (1, 'Centro'), (2, 'Norte');
"""


@dataclass(frozen=True)
class Shape:
    """A shop: `tables` and what happened; `then` is a correction. Stock and value by hand.

    `stock` is, by product and branch, what is there before and after the correction, `value` that
    of the whole; `untyped` counts what has no type on purpose.
    """

    heading: str
    tables: str
    then: str
    stock: tuple[dict[tuple[int, int], int], dict[tuple[int, int], int]]
    value: tuple[str, str]
    untyped: int = 0


SHAPES = (
    Shape(
        "Header and lines",
        """
        CREATE TABLE documentos (id bigint PRIMARY KEY, clase text, numero text, almacen bigint,
            fecha timestamptz DEFAULT now() - interval '2 hours', estado text DEFAULT 'confirmado');
        CREATE TABLE renglones (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            documento bigint, articulo bigint, cantidad numeric, precio numeric, costo numeric);
        INSERT INTO documentos (id, clase, numero, almacen, fecha) VALUES
            (1, 'compra', 'C-1', 1, now() - interval '9 hours');
        INSERT INTO documentos (id, clase, numero, almacen) VALUES
            (2, 'factura', 'F-1', 1), (3, 'factura', 'F-2', 1);
        INSERT INTO documentos (id, clase, numero, almacen, fecha) VALUES
            (4, 'nota de credito', 'N-1', 1, now() - interval '1 hour');
        INSERT INTO documentos (id, clase, almacen, estado) VALUES (5, 'factura', 1, 'borrador');
        INSERT INTO renglones (documento, articulo, cantidad, precio, costo) VALUES
            (1, 1, 20, NULL, 2), (1, 2, 10, NULL, 3), (2, 1, 5, 4, NULL), (3, 2, 1, 6, NULL),
            (4, 1, 2, 4, NULL), (5, 1, 9, 4, NULL);
        """,
        "UPDATE documentos SET estado = 'anulado' WHERE id = 2",
        ({(1, 1): 17, (2, 1): 9}, {(1, 1): 22, (2, 1): 9}),
        ("61", "71"),
    ),
    Shape(
        "Signed movements",
        """
        CREATE TABLE libro (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, motivo text,
            articulo bigint, almacen bigint, cantidad numeric, precio numeric, costo numeric,
            momento timestamptz);
        INSERT INTO libro (motivo, articulo, almacen, cantidad, precio, costo, momento)
        SELECT v.*, now() - interval '1 day' + v.cantidad * interval '-1 minute'
        FROM (VALUES
            ('compra', 1, 1, 20, NULL, 2), ('venta', 1, 1, -5, 4, NULL),
            ('venta', 1, 1, 1, 4, NULL), ('compra', 1, 1, -2, NULL, 2),
            ('inventario', 1, 1, -3, NULL, NULL), ('inventario', 1, 1, 4, NULL, 2)
        ) AS v (motivo, articulo, almacen, cantidad, precio, costo);
        """,
        "UPDATE libro SET cantidad = -6 WHERE id = 2",
        ({(1, 1): 15}, {(1, 1): 14}),
        ("30", "28"),
    ),
    Shape(
        "Moves between locations",
        """
        CREATE TABLE ubicaciones (id bigint PRIMARY KEY, clase text, almacen bigint);
        INSERT INTO ubicaciones VALUES (1, 'proveedor', NULL), (2, 'cliente', NULL),
            (3, 'merma', NULL), (4, 'propia', 1), (5, 'propia', 2), (6, 'propia', 1);
        CREATE TABLE traslados (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, articulo bigint,
            cantidad numeric, de bigint, a bigint, precio numeric, costo numeric,
            hecho timestamptz, estado text DEFAULT 'hecho');
        INSERT INTO traslados (articulo, cantidad, de, a, precio, costo, hecho)
        SELECT v.*, now() - interval '1 day' + row_number() OVER () * interval '1 minute'
        FROM (VALUES
            (1, 20, 1, 4, NULL, 2), (1, 6, 4, 5, NULL, NULL), (1, 2, 4, 6, NULL, NULL),
            (1, 3, 5, 2, 4, NULL), (1, 1, 2, 5, 4, NULL), (1, 1, 4, 3, NULL, NULL),
            (1, 2, 4, 1, NULL, 2), (1, 1, 3, 4, NULL, NULL)
        ) AS v (articulo, cantidad, de, a, precio, costo);
        """,
        "UPDATE traslados SET estado = 'cancelado' WHERE id = 4",
        ({(1, 1): 12, (1, 2): 4}, {(1, 1): 12, (1, 2): 7}),
        ("32", "38"),
        untyped=1,
    ),
    Shape(
        "Sales and purchases apart",
        """
        CREATE TABLE ventas (id bigint PRIMARY KEY, almacen bigint, anulada boolean DEFAULT false,
            fecha timestamptz DEFAULT now() - interval '1 hour');
        CREATE TABLE ventas_renglones (id bigint PRIMARY KEY, venta bigint, articulo bigint,
            cantidad numeric, precio numeric);
        CREATE TABLE compras (id bigint PRIMARY KEY, recibida timestamptz);
        CREATE TABLE compras_renglones (id bigint PRIMARY KEY, compra bigint, articulo bigint,
            cantidad numeric, costo numeric);
        INSERT INTO compras VALUES (1, now() - interval '1 day'), (2, NULL);
        INSERT INTO compras_renglones VALUES (1, 1, 1, 20, 2), (2, 2, 1, 20, 4);
        INSERT INTO ventas (id, almacen) VALUES (1, 1), (2, 2);
        INSERT INTO ventas_renglones VALUES (1, 1, 1, 3, 4), (2, 2, 1, 1, 4);
        """,
        "UPDATE compras SET recibida = now() - interval '2 hours' WHERE id = 2;"
        " UPDATE ventas SET anulada = true WHERE id = 2",
        ({(1, 0): 20, (1, 1): -3, (1, 2): -1}, {(1, 0): 40, (1, 1): -3}),
        ("32", "111"),
    ),
)


def assert_by_hand(shop: Shop, shape: Shape, number: int) -> None:
    """Fail unless stock and value are those that were worked out by hand, after that window."""
    stock = {
        (row["id_producto"], row["id_sucursal"]): int(row["existencias"])
        for row in shop.olap_rows("SELECT * FROM dw.existencias_sucursal")
        if row["existencias"]
    }
    assert stock == shape.stock[number]
    (value,) = shop.olap_rows("SELECT sum(valor) AS valor FROM dw.inventario")
    assert value["valor"] == Decimal(shape.value[number])


@pytest.mark.one_postgres
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.heading)
def test_the_guides_query_carries_that_shop(shop: Shop, shape: Shape):
    (query,) = block_texts(shape.heading, "sql")
    folder = shop.folder / "sql"
    folder.mkdir()
    texts = {"movimientos": query, "productos": PRODUCTS, "sucursales": BRANCHES}
    for name, text in texts.items():
        (folder / f"{name}.sql").write_text(text, encoding="utf-8")
    shop.env["ETL_OLTP_SQL_DIR"] = str(folder)
    shop.till(COMMON + shape.tables.replace("%", "%%"))
    shop.succeed("init")
    found = json.loads(shop.succeed("adapt", "--json").stdout)
    assert found["rejects"] == [] and found["versions"] == []
    untyped = [row["movements"] for row in found["unknown_types"] if row["type"] is None]
    assert [row for row in found["unknown_types"] if row["type"] is not None] == []
    assert sum(untyped) == shape.untyped
    for number in (0, 1):
        shop.run()
        assert_by_hand(shop, shape, number)
        assert "equals the OLTP" in shop.succeed("verify", "--all").stdout
        shop.till(shape.then)
