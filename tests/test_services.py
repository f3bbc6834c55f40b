"""What is sold and is no stock: its price counts, and it moves nothing; what the shop deleted."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from olap_comparison import assert_olap_equals_replay, replay_shop
from oracle_closings import close
from oracle_rows import Books
from oracle_types import (
    COUNT,
    CREDIT_NOTE,
    CUSTOMER_RETURN,
    LANDED_COST,
    RECEIPT,
    SALE,
    SHRINKAGE,
    SUPPLIER_RETURN,
    SURPLUS,
    TRANSFER,
)
from shop_database import Shop
from shop_words import own_words
from test_verify import soon_enough
from view_comparison import view_differences

END = datetime(2025, 10, 17, 3, tzinfo=UTC)
INITIAL = END - timedelta(days=60)
MILK, SHIPPING = 1, 2


def day(number: float) -> datetime:
    return INITIAL + timedelta(days=number)


def set_stock(shop: Shop, product: int, stock: bool | None) -> None:
    shop.till("UPDATE productos SET inventariable = %s WHERE id_producto = %s", stock, product)


@pytest.fixture
def serving(shop: Shop) -> Shop:
    """Milk is bought and sold, shipping is sold; each type of movement is there of both."""
    shop.env["ETL_INITIAL_SINCE"] = INITIAL.isoformat()
    own_words(shop)
    for branch in (1, 2):
        shop.branch(branch)
    for product in (MILK, SHIPPING):
        shop.product(product, "Lácteos" if product == MILK else "Servicios")
        everything(shop, product)
    set_stock(shop, SHIPPING, False)
    return shop


def everything(shop: Shop, product: int) -> None:
    receipt = shop.movement(RECEIPT, day(1), product, 10, costo_unitario=5, id_sucursal=1)
    shop.movement(LANDED_COST, day(1.5), product, None, costo_unitario=7, id_origen=receipt)
    sale = shop.movement(SALE, day(2), product, 4, precio_unitario=9, id_sucursal=1)
    shop.movement(
        CUSTOMER_RETURN, day(3), product, 1, precio_unitario=9, id_sucursal=1, id_origen=sale
    )
    shop.movement(CREDIT_NOTE, day(4), product, None, precio_unitario=2, id_sucursal=1)
    shop.movement(TRANSFER, day(5), product, 2, id_sucursal=1, id_sucursal_destino=2)
    shop.movement(SHRINKAGE, day(6), product, 1, id_sucursal=2)
    shop.movement(SURPLUS, day(7), product, 3, costo_unitario=4)
    shop.movement(SUPPLIER_RETURN, day(8), product, 1, id_sucursal=1, id_origen=receipt)
    shop.movement(COUNT, day(9), product, 6, id_sucursal=1)
    shop.movement(COUNT, day(10), product, 9)
    shop.movement(SALE, day(59), product, 20, precio_unitario=9, id_sucursal=2)


def run(shop: Shop, hours: int = 0, **rules: Any) -> None:
    """A window, proved by the oracle, the views and verify."""
    as_of = END + timedelta(hours=hours)
    shop.run_in_process(as_of=as_of)
    replayed = assert_olap_equals_replay(shop, INITIAL, **rules)
    assert not view_differences(shop.olap, replayed, as_of)
    done = shop.command("verify")
    assert done.returncode == 0, done.stdout


def figures(shop: Shop, product: int) -> tuple[Any, ...]:
    """Stock, value, provisional rows, units, net sales and cost of a product."""
    (row,) = shop.olap_rows(
        "SELECT i.existencias, i.valor, i.precio_sugerido,"
        " (SELECT count(*) FROM dw.kardex AS k WHERE k.id_producto = i.id_producto"
        "  AND (k.provisional OR k.salto_costo IS NOT NULL)) AS marcadas,"
        " m.unidades, m.venta, m.costo"
        " FROM dw.inventario AS i CROSS JOIN LATERAL (SELECT sum(unidades) AS unidades,"
        "  sum(venta_neta) AS venta, sum(costo) AS costo FROM dw.mv_margen_producto_mes AS v"
        "  WHERE v.id_producto = i.id_producto) AS m WHERE i.id_producto = %s",
        product,
    )
    return tuple(row.values())


SOLD = Decimal(9 * 23 - 2)
NO_STOCK = (0, 0, None, 0, 23, SOLD, 0)


def test_a_service_has_its_price_and_no_stock(serving: Shop):
    run(serving)
    assert figures(serving, SHIPPING) == NO_STOCK
    assert figures(serving, MILK)[0] == -11 and figures(serving, MILK)[3] == 1
    for view in ("mv_abc", "mv_rotacion", "mv_reposicion", "v_reposicion_sucursal"):
        rows = serving.olap_rows(f"SELECT DISTINCT id_producto AS n FROM dw.{view}")
        assert rows == [{"n": MILK}], view
    assert serving.olap_rows("SELECT DISTINCT id_producto AS n FROM dw.existencias_sucursal") == [
        {"n": MILK}
    ]
    apart = (
        "SELECT DISTINCT id_producto AS n FROM dw.mv_margen_producto_mes WHERE NOT inventariable"
    )
    assert serving.olap_rows(apart) == [{"n": SHIPPING}]
    status = json.loads(serving.command("status", "--json").stdout)
    assert str(status).count("Producto 2") == 0
    serving.succeed("book", "2025-08", "--output", str(serving.folder))
    written = "".join(path.read_text() for path in serving.folder.glob("kardex-2025-08*"))
    assert "Producto 1" in written and "Producto 2" not in written
    for shown in ([], ["--csv"], ["--html"], ["--json"]):
        serving.succeed("kardex", "2", *shown)


def test_a_flag_that_changes_values_its_product_again(serving: Shop):
    run(serving)
    milk = figures(serving, MILK)
    soon_enough(serving)
    set_stock(serving, SHIPPING, None)
    run(serving, 1)
    assert figures(serving, SHIPPING) == milk == figures(serving, MILK)
    set_stock(serving, MILK, False)
    done = serving.run("--as-of", (END + timedelta(hours=2)).isoformat())
    assert "of 1 products productos.sql now says otherwise" in done.stdout
    run(serving, 3)
    assert figures(serving, MILK) == NO_STOCK
    # With another category and another tax at once.
    serving.product(MILK, "Abarrotes")
    set_stock(serving, MILK, True)
    with serving.olap.cursor() as cursor:
        cursor.execute("UPDATE dw.politica_precio SET impuesto = 0.18")
    set_stock(serving, SHIPPING, False)
    run(serving, 4)
    before = serving.olap_rows("SELECT * FROM dw.resumen_mensual ORDER BY 1, 2, 3")
    serving.succeed("rebuild")
    assert serving.olap_rows("SELECT * FROM dw.resumen_mensual ORDER BY 1, 2, 3") == before
    assert_olap_equals_replay(serving, INITIAL)


def test_an_opening_of_what_is_no_stock_does_not_count(serving: Shop):
    file = serving.folder / "apertura.csv"
    file.write_text("id_producto,existencias,costo_promedio\n2,7,2\n9,5,1\n")
    serving.product(9)
    set_stock(serving, 9, False)
    serving.succeed("opening", str(file))
    run(serving)
    assert figures(serving, SHIPPING) == NO_STOCK
    assert figures(serving, 9)[:2] == (0, 0)
    set_stock(serving, 9, True)
    run(serving, 1)
    assert figures(serving, 9)[:2] == (5, 5)


def close_august(shop: Shop, books: Books | None = None) -> Books:
    closing = datetime(2025, 8, 26, tzinfo=UTC)
    books = close(replay_shop(shop, INITIAL, limit=closing, books=books), closing)
    shop.succeed("close", "2025-08-25", "--anyway")
    return books


@pytest.mark.parametrize("product", [MILK, SHIPPING])
def test_what_is_closed_stays_when_the_flag_changes(serving: Shop, product: int):
    run(serving)
    books = close_august(serving)
    set_stock(serving, product, product == SHIPPING)
    run(serving, 1, books=books)
    # A correction of what is closed takes back what it did, and books what it does now.
    lines = serving.olap_rows(
        "SELECT id_movimiento AS n FROM dw.kardex WHERE id_producto = %s AND fecha < %s",
        product,
        day(8),
    )
    for line in lines[:3]:
        serving.correct_line(line["n"], cantidad=2)
    serving.correct_document(lines[3]["n"], anulada=True)
    run(serving, 2, books=books)
    serving.succeed("close", "--reopen", "2025-08-25", "--reason", "una prueba")
    run(serving, 3)


def test_what_the_shop_deleted_is_marked_and_not_ordered(serving: Shop):
    run(serving)
    serving.till("UPDATE productos SET activo = false WHERE id_producto = %s", MILK)
    run(serving, 1)
    (row,) = serving.olap_rows("SELECT activo, existencias FROM dw.mv_inventario_valorizado"
                               " WHERE id_producto = %s", MILK)  # fmt: skip
    assert row == {"activo": False, "existencias": Decimal(-11)}
    suggested = "SELECT FROM dw.mv_reposicion WHERE agotado OR reponer"
    in_branches = "SELECT FROM dw.v_reposicion_sucursal WHERE agotado OR reponer"
    assert not serving.olap_rows(suggested) and not serving.olap_rows(in_branches)
    serving.till("UPDATE productos SET activo = NULL WHERE id_producto = %s", MILK)
    run(serving, 2)
    assert serving.olap_rows(suggested) and serving.olap_rows(in_branches)


def test_an_opening_that_did_not_count_when_it_was_closed_is_in_no_branch(serving: Shop):
    file = serving.folder / "apertura.csv"
    file.write_text("id_producto,existencias,costo_promedio,id_sucursal\n9,5,1,1\n")
    serving.product(9)
    set_stock(serving, 9, False)
    serving.succeed("opening", str(file))
    run(serving)
    books = close_august(serving)
    set_stock(serving, 9, True)
    serving.movement(COUNT, day(9), 9, 6, id_sucursal=1)
    run(serving, 1, books=books)
    assert figures(serving, 9)[0] == 6
