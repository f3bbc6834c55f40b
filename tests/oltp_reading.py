"""What the oracle is given: the OLTP, openings and prices read plainly, by no query of ours."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from oracle_rows import Adjustment, Opening, Pricing, Product
from psycopg2.extras import RealDictCursor

# Python's datetimes end where PostgreSQL's go on, to infinity; no test turns on what is between.
FIRST, LAST = (
    datetime(1, 1, 2, tzinfo=UTC),
    datetime(9999, 12, 30, tzinfo=UTC),
)
# What the example's tables have not, a test may have added to them.
MOVEMENTS = """
    SELECT d.id_detalle AS id_movimiento, t.tipo, d.id_producto, t.id_sucursal, d.cantidad,
           d.precio_unitario, d.costo_unitario, d.importe, d.id_origen, t.id_sucursal_destino,
           (to_jsonb(d) ->> 'impuesto')::numeric AS impuesto,
           (to_jsonb(d) ->> 'precio_con_impuesto')::boolean AS precio_con_impuesto,
           t.anulada AS anulado,
           CASE WHEN t.fecha IS NOT NULL THEN
               least(greatest(t.fecha, %(first)s), %(last)s)
           END AS fecha
    FROM public.detalle_transaccion AS d
    JOIN public.transacciones AS t USING (id_transaccion)
"""


def read_movements(
    oltp: Any, scope: str = "true", *, documents: bool = False
) -> list[dict[str, Any]]:
    """Every document line of the example schema, whatever its type, date or state.

    `scope` is a condition on lines (d) and headers (t), where the shop's query has one; with
    `documents` it tells the header of each line.
    """
    with oltp.cursor(cursor_factory=RealDictCursor) as cursor:
        text = MOVEMENTS
        if documents:
            text = text.replace("SELECT", "SELECT d.id_transaccion AS id_documento,", 1)
        text = text + f" WHERE {scope}".replace("%", "%%")
        cursor.execute(text, {"first": FIRST, "last": LAST})
        return [dict(row) for row in cursor]


def read_products(oltp: Any) -> dict[int, Product]:
    """The catalogue as it stands."""
    with oltp.cursor() as cursor:
        cursor.execute(
            "SELECT id_producto, codigo, nombre, categoria,"
            " coalesce((to_jsonb(p) ->> 'inventariable')::boolean, true),"
            " (to_jsonb(p) ->> 'costo_referencia')::numeric,"
            " coalesce((to_jsonb(p) ->> 'activo')::boolean, true),"
            " nullif(btrim(to_jsonb(p) ->> 'proveedor'), '')"
            " FROM public.productos AS p"
        )
        return {id_producto: Product(*words) for id_producto, *words in cursor}


def read_openings(olap: Any) -> dict[int, Opening]:
    """The opening balances that the shop has given to the OLAP."""
    with olap.cursor() as cursor:
        cursor.execute(
            "SELECT a.id_producto, a.existencias, a.costo_promedio, a.fecha,"
            " (SELECT jsonb_object_agg(s.id_sucursal, s.existencias::text)"
            " FROM dw.apertura_sucursal AS s WHERE s.id_producto = a.id_producto)"
            " FROM dw.apertura AS a"
        )
        return {
            id_producto: Opening(
                *other, {int(branch): Decimal(stock) for branch, stock in (places or {}).items()}
            )
            for id_producto, *other, places in cursor
        }


def read_adjustments(olap: Any) -> list[Adjustment]:
    """What the OLAP booked by itself."""
    with olap.cursor() as cursor:
        cursor.execute("SELECT to_regclass('dw.ajuste_existencias') IS NOT NULL")
        if not cursor.fetchone()[0]:
            return []
        cursor.execute(
            "SELECT id_movimiento, fecha, id_producto, id_sucursal, cantidad, deshace"
            " FROM dw.ajuste_existencias"
        )
        return [Adjustment(*row) for row in cursor]


def read_pricing(olap: Any) -> dict[str, Any]:
    """The price policy that the shop has given to the OLAP, as arguments of Rules."""
    pricing: dict[str, Any] = {"category_pricing": {}, "product_pricing": {}, "dated_pricing": []}
    with olap.cursor() as cursor:
        cursor.execute(
            "SELECT desde, id_producto, categoria, margen, impuesto, redondeo"
            " FROM dw.politica_precio"
        )
        for desde, id_producto, categoria, *said in cursor:
            if desde is not None:
                whose = categoria if id_producto is None else id_producto
                pricing["dated_pricing"].append((desde, whose, Pricing(*said)))
            elif id_producto is not None:
                pricing["product_pricing"][id_producto] = Pricing(*said)
            elif categoria is not None:
                pricing["category_pricing"][categoria] = Pricing(*said)
            else:
                pricing["default_pricing"] = Pricing(*said)
        cursor.execute("SELECT (hasta AT TIME ZONE zona)::date FROM etl.control")
        (today,) = cursor.fetchone()
        if today is not None:
            pricing["today"] = today
    return pricing


def read_moment(connection: Any) -> datetime:
    """The server's clock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (now,) = cursor.fetchone()
        return now
