"""costo_referencia: at what enters that has no cost, while there is no average."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from adjusting_shop import CHEESE, DAY, INITIAL, MILK, SCREWS, AdjustingShop
from oracle_closings import end_of_day
from shop_database import Shop

pytestmark = pytest.mark.one_postgres


@pytest.fixture
def it(shop: Shop) -> AdjustingShop:
    """A shop that knows a cost of milk, 4, and of screws, 0.5; it has told nothing of its stock."""
    it = AdjustingShop(shop)
    it.shop.till("UPDATE productos SET costo_referencia = 4 WHERE id_producto = %s", MILK)
    it.shop.till("UPDATE productos SET costo_referencia = 0.5 WHERE id_producto = %s", SCREWS)
    return it


def worth(it: AdjustingShop, product: int) -> tuple[Any, ...]:
    """Stock, value and average."""
    (row,) = it.shop.olap_rows(
        "SELECT existencias, valor, costo_promedio FROM dw.inventario WHERE id_producto = %s",
        product,
    )
    return tuple(row.values())


def test_what_enters_without_a_cost_enters_at_it(it: AdjustingShop):
    it.level(MILK, 10)
    it.level(CHEESE, 2)
    it.shop.movement("CONTEO", INITIAL + DAY, SCREWS, 6)
    it.shop.movement("DEVOLUCION_VENTA", INITIAL + 1.5 * DAY, SCREWS, 2, precio_unitario=1)
    it.read(2)
    assert worth(it, MILK) == (10, 40, 4)
    assert worth(it, SCREWS) == (8, 4, Decimal("0.5"))
    # Of cheese nobody knows a cost.
    assert worth(it, CHEESE) == (2, 0, 0)
    rows = it.shop.olap_rows(
        "SELECT id_producto, provisional FROM dw.kardex WHERE id_movimiento < 0"
    )
    assert {row["id_producto"]: row["provisional"] for row in rows} == {MILK: False, CHEESE: True}
    assert it.clean()


def test_where_there_is_an_average_it_says_nothing(it: AdjustingShop):
    it.shop.receipt(INITIAL + DAY, (MILK, 2, 6))
    it.level(MILK, 3)
    it.read(2)
    assert worth(it, MILK) == (3, 18, 6)


def test_another_one_values_the_product_again(it: AdjustingShop):
    it.level(MILK, 10)
    it.read(2)
    it.shop.till("UPDATE productos SET costo_referencia = 5 WHERE id_producto = %s", MILK)
    it.read(3)
    assert worth(it, MILK) == (10, 50, 5)
    assert it.clean()
    # None any more is none, 0 neither.
    it.shop.till("UPDATE productos SET costo_referencia = 0 WHERE id_producto = %s", MILK)
    it.read(4)
    assert worth(it, MILK) == (10, 0, 0)
    assert it.clean()


def test_of_a_closed_period_it_stays_what_it_was(it: AdjustingShop):
    it.level(MILK, 10)
    it.read(2)
    it.read(40)
    it.close_books(end_of_day((INITIAL + 30 * DAY).date(), "UTC"))
    it.shop.till("UPDATE productos SET costo_referencia = 5 WHERE id_producto = %s", MILK)
    it.read(41)
    assert worth(it, MILK) == (10, 40, 4)
    assert it.clean()
    it.reopen_books()
    it.assert_right()
    assert worth(it, MILK) == (10, 50, 5)
    assert it.clean()


def test_that_of_the_stock_is_before_that_of_the_catalogue(it: AdjustingShop):
    it.shop.till("ALTER TABLE niveles ADD COLUMN costo numeric")
    query = "SELECT id_producto, id_sucursal, existencias, costo AS costo_referencia FROM niveles"
    it.level(MILK, 4, 0)
    it.level(MILK, 6, 1)
    it.shop.till("UPDATE niveles SET costo = CASE WHEN id_sucursal = 1 THEN 7 ELSE 3 END")
    (it._queries() / "existencias.sql").write_text(query, encoding="utf-8")
    it.read(2, unseen=True)
    # The dearest of its branches.
    assert worth(it, MILK) == (10, 70, 7)
    assert it.clean()
    it.shop.till("UPDATE niveles SET costo = NULL")
    it.read(3, unseen=True)
    assert worth(it, MILK) == (10, 40, 4)
    assert it.clean()
