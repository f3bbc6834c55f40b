"""ETL_STOCK_DIFFERENCES=adjust: what is not the shop's own stock is booked, and stays right."""

from __future__ import annotations

from typing import Any

import pytest
from levels_shop import (
    BY_BRANCH,
    CHEESE,
    DAY,
    INITIAL,
    MILK,
    SCREWS,
    WHOLE,
    levels,
    run,
    set_levels,
    stock,
)
from shop_database import Shop

pytestmark = pytest.mark.one_postgres

BOOKED = (
    "SELECT id_producto, id_sucursal, cantidad, deshace IS NOT NULL AS deshace"
    " FROM dw.ajuste_existencias ORDER BY hasta, id_producto, id_sucursal, deshace"
)
STOCK = "SELECT id_producto, existencias FROM dw.inventario ORDER BY id_producto"


@pytest.fixture
def adjusting(shop: Shop) -> Shop:
    """A shop with 6 of milk and 3 screws, that books what differs."""
    stock(shop)
    shop.env["ETL_STOCK_DIFFERENCES"] = "adjust"
    shop.env["ETL_MAX_REMOVED_SHARE"] = "1"
    return shop


def booked(shop: Shop) -> list[tuple[Any, ...]]:
    """What dw.ajuste_existencias has."""
    return [tuple(row.values()) for row in shop.olap_rows(BOOKED)]


def there_is(shop: Shop) -> dict[int, Any]:
    """The stock by product."""
    return {row["id_producto"]: row["existencias"] for row in shop.olap_rows(STOCK)}


def test_what_differs_is_booked_at_the_snapshot(adjusting: Shop):
    levels(adjusting, WHOLE, (MILK, None, 5), (SCREWS, None, "3.5"))
    held = adjusting.run_due("--as-of", "2026-10-17T03:00:00Z")
    print(held.stdout)
    assert held.returncode == 30
    assert not adjusting.olap_rows("SELECT FROM dw.kardex")
    done = adjusting.run_due("--as-of", "2026-10-17T03:00:00Z", "--accept-adjustments")
    print(done.stdout)
    assert done.returncode == 0
    assert booked(adjusting) == [(MILK, None, -1, False), (SCREWS, None, 0.5, False)]
    assert there_is(adjusting) == {MILK: 5, SCREWS: 3.5}
    assert not adjusting.olap_rows("SELECT FROM dw.v_diferencias_existencias")
    print(adjusting.olap_rows("SELECT * FROM dw.kardex ORDER BY id_producto, fecha"))
    print(adjusting.succeed("verify", "--all").stdout)
