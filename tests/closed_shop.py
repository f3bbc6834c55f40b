"""A shop of two products that closes January: what the examples of closings begin with."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from oracle_closings import end_of_day
from property_shop import PropertyShop
from shop_database import Shop

MILK, BREAD = 1, 2
JANUARY, FEBRUARY = date(2025, 1, 31), date(2025, 2, 28)
K = end_of_day(JANUARY, "UTC")


def on(month: int, day: int) -> datetime:
    """Noon of a day of 2025."""
    return datetime(2025, month, day, 12, tzinfo=UTC)


class ClosedShop(PropertyShop):
    """A shop of 2025 that reads in this process; run() ends in a comparison with the oracle.

    January: 120 units of milk at 6.00, of which 100 are sold at 10.00, and 10 of bread at 3.00. In
    February 10 of milk are sold. It is read in March, and nothing is closed yet.
    """

    def __init__(self, shop: Shop) -> None:
        super().__init__(shop)
        self.initial = datetime(2025, 1, 1, tzinfo=UTC)
        self.as_of = datetime(2025, 3, 10, tzinfo=UTC)
        shop.env["ETL_INITIAL_SINCE"] = self.initial.isoformat()
        (self.receipt,) = shop.receipt(on(1, 2), (MILK, 120, 6))
        (self.sale,) = shop.sale(on(1, 20), (MILK, 100, 10))
        (self.bread,) = shop.receipt(on(1, 3), (BREAD, 10, 3))
        (self.later,) = shop.sale(on(2, 10), (MILK, 10, 10))
        self.read()

    def read(self) -> None:
        """A run, after which the OLAP is what is closed and one replay of the rest, views too."""
        self.run()
        self.assert_equal()

    def close(self, day: date = JANUARY) -> None:
        """Close up to the end of a day."""
        self.close_books(end_of_day(day, "UTC"))
        self.assert_equal()

    def booked(self, movement: int) -> list[tuple[Any, ...]]:
        """Each booking of a movement: capa, day, tipo, variacion, costo_total, ajuste."""
        return [
            (row["capa"], row["fecha"].date(), *(row[name] for name in names))
            for names in [("tipo", "variacion", "costo_total", "ajuste")]
            for row in self.shop.olap_rows(
                "SELECT * FROM dw.kardex WHERE id_movimiento = %s ORDER BY capa", movement
            )
        ]

    def month(self, number: int, product: int = MILK) -> dict[str, Any]:
        """The sums of a product in a month of 2025; of nothing where it has none."""
        rows = self.shop.olap_rows(
            "SELECT * FROM dw.resumen_mensual WHERE mes = %s AND id_producto = %s",
            date(2025, number, 1),
            product,
        )
        return rows[0] if rows else {}

    def stock(self, product: int = MILK) -> tuple[Decimal, Decimal, Decimal]:
        """What there is now: existencias, valor, costo_promedio."""
        (row,) = self.shop.olap_rows("SELECT * FROM dw.inventario WHERE id_producto = %s", product)
        return row["existencias"], row["valor"], row["costo_promedio"]

    def corrections(self) -> list[dict[str, Any]]:
        """What was booked late, as the accountant reads it."""
        return self.shop.olap_rows("SELECT * FROM dw.v_correcciones ORDER BY asentado, 2")

    def figures(self) -> dict[str, list[str]]:
        """See figures()."""
        return figures(self.shop)


def figures(shop: Shop) -> dict[str, list[str]]:
    """Every row of the ledger, its inventory, sums and closings, but for the load's number."""
    found = {}
    for table in (
        "dw.kardex",
        "dw.inventario",
        "dw.resumen_diario",
        "dw.resumen_mensual",
        "dw.resumen_movil",
        "dw.resumen_sucursal",
        "etl.rechazo",
        "dw.cierre",
        "etl.producto_cerrado",
    ):
        rows = shop.olap_rows(f"SELECT (to_jsonb(t) - 'version')::text AS row FROM {table} AS t")
        found[table] = sorted(row["row"] for row in rows)
    return found


def truncate_before(shop: Shop, moment: datetime) -> None:
    """The shop's tables are made anew of the documents since then, so that all of it is read."""
    for table in ("detalle_transaccion", "transacciones"):
        shop.till(f"CREATE TABLE kept_{table} AS TABLE {table}")
    shop.till("TRUNCATE transacciones, detalle_transaccion")
    shop.till(
        "INSERT INTO transacciones SELECT * FROM kept_transacciones WHERE fecha >= %s", moment
    )
    shop.till(
        "INSERT INTO detalle_transaccion SELECT d.* FROM kept_detalle_transaccion AS d"
        " JOIN transacciones USING (id_transaccion)"
    )
