"""A shop that keeps its own stock in a table, which its existencias.sql reads."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from shop_database import Shop
from shop_server import REPOSITORY

END = datetime(2026, 10, 17, 3, tzinfo=UTC)
DAY = timedelta(days=1)
INITIAL = END - 60 * DAY
MILK, SCREWS, CHEESE = 1, 2, 3
WHOLE = "SELECT id_producto, cantidad AS existencias FROM niveles"
BY_BRANCH = "SELECT id_producto, id_sucursal, cantidad AS existencias FROM niveles"


def stock(shop: Shop) -> None:
    """Buy and sell: there are 6 of milk at 5, 4 of them in branch 1, and 3 screws at 2 in none."""
    shop.env["ETL_INITIAL_SINCE"] = INITIAL.isoformat()
    for product in (MILK, SCREWS, CHEESE):
        shop.product(product)
    shop.branch(1)
    shop.receipt(INITIAL + DAY, (MILK, 6, 5), id_sucursal=1)
    shop.receipt(INITIAL + DAY, (MILK, 2, 5), (SCREWS, 3, 2))
    shop.sale(INITIAL + 2 * DAY, (MILK, 2, 9), id_sucursal=1)


def levels(shop: Shop, query: str = WHOLE, *rows: tuple[int, int | None, Any]) -> Path:
    """Have the shop keep its own stock in a table, which existencias.sql reads."""
    folder = shop.folder / "consultas"
    shutil.copytree(REPOSITORY / "sql/oltp", folder, dirs_exist_ok=True)
    path = folder / "existencias.sql"
    path.write_text(query, encoding="utf-8")
    shop.env["ETL_OLTP_SQL_DIR"] = str(folder)
    shop.till(
        "CREATE TABLE niveles (id_producto bigint, id_sucursal bigint, cantidad numeric);"
        "GRANT SELECT ON niveles TO etl_lector"
    )
    set_levels(shop, rows)
    return path


def set_levels(shop: Shop, rows: Iterable[tuple[int, int | None, Any]]) -> None:
    """What the shop says that it has, from now on."""
    shop.till("DELETE FROM niveles")
    for row in rows:
        shop.till("INSERT INTO niveles VALUES (%s, %s, %s)", *row)


def run(shop: Shop, minutes: int) -> datetime:
    """A window that ends so long after END; its end."""
    end = END + timedelta(minutes=minutes)
    shop.run_in_process(as_of=end)
    return end
