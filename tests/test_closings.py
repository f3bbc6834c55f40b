"""Closings: what was declared stays, and what comes after it is booked where the ledger is open."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from shop_database import Shop

END = datetime(2026, 10, 17, tzinfo=UTC)
INITIAL = END - timedelta(days=60)
MILK, SCREWS = 1, 2


@pytest.fixture
def closed(shop: Shop) -> Shop:
    """A shop with a receipt and a sale in a closed period, and a sale after it."""
    shop.env["ETL_INITIAL_SINCE"] = INITIAL.isoformat()
    for product in (MILK, SCREWS):
        shop.product(product)
    shop.receipt(INITIAL + timedelta(days=1), (MILK, 10, 5))
    shop.sale(INITIAL + timedelta(days=2), (MILK, 4, 9))
    shop.sale(INITIAL + timedelta(days=40), (MILK, 1, 9))
    shop.run_in_process(as_of=END)
    shop.succeed("close", (INITIAL + timedelta(days=30)).date().isoformat(), "--anyway")
    return shop


def test_x(closed: Shop):
    shop = closed
    print(shop.olap_rows("SELECT * FROM dw.cierre"))
    shop.correct_line(2, id_producto=SCREWS)
    shop.run_in_process(as_of=END + timedelta(hours=1))
    for row in shop.olap_rows("SELECT * FROM dw.kardex ORDER BY id_producto, fecha, capa"):
        print({k: str(v) for k, v in row.items() if v is not None})
    done = shop.command("verify")
    print(done.stdout)
    assert done.returncode == 0
