"""Every type of movement, and what happens to those that name each other, or that count."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from olap_comparison import assert_olap_equals_replay
from oracle_types import (
    ALL_TYPES,
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
from test_verify import soon_enough

from pipeline.run.verify import verify
from pipeline.settings import load_settings

END = datetime(2026, 10, 17, 3, tzinfo=UTC)
INITIAL = END - timedelta(days=60)
MILK, SCREWS, OTHER = 1, 2, 3
SHOP, STORE = 1, 2

Ids = dict[str, int]


def day(number: float) -> datetime:
    """So many days after the beginning."""
    return INITIAL + timedelta(days=number)


@pytest.fixture
def bought(shop: Shop) -> Ids:
    """A shop that has loaded a movement of each type; the ids that later ones name."""
    shop.env["ETL_INITIAL_SINCE"] = INITIAL.isoformat()
    for product in (MILK, SCREWS, OTHER):
        shop.product(product, "Lácteos" if product == MILK else None)
    for branch in (SHOP, STORE):
        shop.branch(branch)
    ids = {
        "receipt": shop.movement(RECEIPT, day(1), MILK, 10, costo_unitario=5, id_sucursal=SHOP),
        "sale": shop.movement(SALE, day(2), MILK, 4, precio_unitario=9, id_sucursal=SHOP),
    }
    ids["freight"] = shop.movement(
        LANDED_COST, day(3), MILK, None, costo_unitario=7, id_origen=ids["receipt"]
    )
    ids["return"] = shop.movement(
        CUSTOMER_RETURN, day(4), MILK, 1, precio_unitario=9, id_sucursal=SHOP, id_origen=ids["sale"]
    )
    shop.movement(SALE, day(5), MILK, -1, precio_unitario=9, id_sucursal=SHOP)
    ids["transfer"] = shop.movement(
        TRANSFER, day(6), MILK, 2, id_sucursal=SHOP, id_sucursal_destino=STORE
    )
    shop.movement(SHRINKAGE, day(7), MILK, 1, id_sucursal=STORE)
    ids["count"] = shop.movement(COUNT, day(8), MILK, 5, id_sucursal=SHOP)
    shop.movement(COUNT, day(9), MILK, 7)
    ids["sent back"] = shop.movement(
        SUPPLIER_RETURN, day(10), MILK, 1, id_sucursal=SHOP, id_origen=ids["receipt"]
    )
    shop.movement(CREDIT_NOTE, day(11), MILK, None, precio_unitario=2)
    shop.movement(SURPLUS, day(12), MILK, 2, costo_unitario=4)
    shop.movement(
        RECEIPT, day(12), SCREWS, 2_100_000, costo_unitario=Decimal("0.001429"), importe=3000
    )
    shop.movement(SALE, day(13), SCREWS, -3, precio_unitario=1)
    shop.run_in_process(as_of=END)
    return ids


def run(shop: Shop, hours: int) -> None:
    """A window, after which the OLAP is the replay and can prove it."""
    shop.run_in_process(as_of=END + timedelta(hours=hours))
    assert_olap_equals_replay(shop, INITIAL)


def proved(shop: Shop) -> None:
    done = shop.command("verify")
    assert done.returncode == 0, done.stdout


def test_each_type_is_valued(shop: Shop, bought: Ids):
    assert_olap_equals_replay(shop, INITIAL)
    types = {row["tipo"] for row in shop.olap_rows("SELECT DISTINCT tipo FROM dw.kardex")}
    assert types == ALL_TYPES.keys()
    assert not shop.olap_rows("SELECT FROM etl.rechazo")
    # Of 2,100,000 screws for 3,000.00 no cent is lost.
    worth = "SELECT valor FROM dw.kardex WHERE id_producto = %s AND importe IS NOT NULL"
    assert shop.olap_rows(worth, SCREWS) == [{"valor": 3000}]
    proved(shop)


def void_the_sale(shop: Shop, ids: Ids) -> None:
    """Its return stays, at the average."""
    shop.correct_document(ids["sale"], anulada=True)


def delete_the_sale(shop: Shop, ids: Ids) -> None:
    shop.till("DELETE FROM detalle_transaccion WHERE id_detalle = %s", ids["sale"])
    shop.till("VACUUM FULL detalle_transaccion")


def correct_the_sale(shop: Shop, ids: Ids) -> None:
    shop.correct_line(ids["sale"], cantidad=5)


def sell_it_in_quarantine(shop: Shop, ids: Ids) -> None:
    shop.correct_line(ids["sale"], precio_unitario=None)


def sell_another_product(shop: Shop, ids: Ids) -> None:
    shop.correct_line(ids["sale"], id_producto=SCREWS)


def sell_after_the_return(shop: Shop, ids: Ids) -> None:
    shop.correct_document(ids["sale"], fecha=day(4.5))


def sell_at_the_return(shop: Shop, ids: Ids) -> None:
    """Of one date, the return stands after its sale."""
    shop.correct_document(ids["sale"], fecha=day(4))


def move_the_receipt(shop: Shop, ids: Ids) -> None:
    """Its freight and what was sent back of it have no origin any more."""
    shop.correct_line(ids["receipt"], id_producto=OTHER)


def receive_in_quarantine(shop: Shop, ids: Ids) -> None:
    shop.correct_line(ids["receipt"], costo_unitario=None)


def receive_after_the_freight(shop: Shop, ids: Ids) -> None:
    """A cost belongs to its receipt before it, too."""
    shop.correct_document(ids["receipt"], fecha=day(20))


def void_the_freight(shop: Shop, ids: Ids) -> None:
    shop.correct_document(ids["freight"], anulada=True)


def add_a_late_cost(shop: Shop, ids: Ids) -> None:
    shop.movement(LANDED_COST, day(40), MILK, 2, costo_unitario=-3, id_origen=ids["receipt"])


def add_a_cost_to_a_sale(shop: Shop, ids: Ids) -> None:
    """It is no receipt: the cost is the stock's, on the day it came."""
    shop.movement(LANDED_COST, day(4), MILK, 1, costo_unitario=3, id_origen=ids["sale"])


def name_the_other_sale(shop: Shop, ids: Ids) -> None:
    other = shop.movement(SALE, day(2), MILK, 1, precio_unitario=9)
    shop.correct_line(ids["return"], id_origen=other)


def name_itself(shop: Shop, ids: Ids) -> None:
    shop.correct_line(ids["return"], id_origen=ids["return"])


def return_late_what_was_loaded_long_ago(shop: Shop, ids: Ids) -> None:
    shop.movement(
        CUSTOMER_RETURN,
        day(50),
        MILK,
        1,
        precio_unitario=9,
        id_sucursal=SHOP,
        id_origen=ids["sale"],
    )


def receive_late_and_before(shop: Shop, ids: Ids) -> None:
    shop.movement(RECEIPT, day(0), MILK, 3, costo_unitario=2, id_sucursal=STORE)


def sell_late_on_the_count_s_day(shop: Shop, ids: Ids) -> None:
    """The count holds at the end of its instant: what is late is within it."""
    shop.movement(SALE, day(8), MILK, 1, precio_unitario=9, id_sucursal=SHOP)


def sell_late_after_the_count(shop: Shop, ids: Ids) -> None:
    shop.movement(SALE, day(8.5), MILK, 1, precio_unitario=9, id_sucursal=SHOP)


def count_twice_at_one_instant(shop: Shop, ids: Ids) -> None:
    """Of two counts of a branch the higher number holds."""
    shop.movement(COUNT, day(8), MILK, 3, id_sucursal=SHOP)


def count_the_same_again(shop: Shop, ids: Ids) -> None:
    shop.movement(COUNT, day(8.2), MILK, 5, id_sucursal=SHOP)


def count_at_a_cost(shop: Shop, ids: Ids) -> None:
    shop.movement(COUNT, day(30), MILK, 90, id_sucursal=STORE, costo_unitario=8)


def count_nowhere(shop: Shop, ids: Ids) -> None:
    """The branch count becomes one of the whole product."""
    shop.correct_document(ids["count"], id_sucursal=None)


def turn_the_transfer_round(shop: Shop, ids: Ids) -> None:
    shop.correct_document(ids["transfer"], id_sucursal=STORE, id_sucursal_destino=SHOP)


def transfer_to_nowhere(shop: Shop, ids: Ids) -> None:
    shop.correct_document(ids["transfer"], id_sucursal_destino=None)


def transfer_late_before_the_count(shop: Shop, ids: Ids) -> None:
    shop.movement(TRANSFER, day(7), MILK, 1, id_sucursal=SHOP, id_sucursal_destino=STORE)


def sell_what_was_returned(shop: Shop, ids: Ids) -> None:
    shop.correct_document(ids["return"], tipo=SALE)


def lose_the_product(shop: Shop, ids: Ids) -> None:
    shop.till("DELETE FROM productos WHERE id_producto = %s", SCREWS)


LATER = (
    void_the_sale,
    delete_the_sale,
    correct_the_sale,
    sell_it_in_quarantine,
    sell_another_product,
    sell_after_the_return,
    sell_at_the_return,
    move_the_receipt,
    receive_in_quarantine,
    receive_after_the_freight,
    void_the_freight,
    add_a_late_cost,
    add_a_cost_to_a_sale,
    name_the_other_sale,
    name_itself,
    return_late_what_was_loaded_long_ago,
    receive_late_and_before,
    sell_late_on_the_count_s_day,
    sell_late_after_the_count,
    count_twice_at_one_instant,
    count_the_same_again,
    count_at_a_cost,
    count_nowhere,
    turn_the_transfer_round,
    transfer_to_nowhere,
    transfer_late_before_the_count,
    sell_what_was_returned,
    lose_the_product,
)


@pytest.mark.parametrize("later", LATER, ids=lambda later: later.__name__)
def test_what_happens_later_is_valued_as_if_it_had_been_known(
    shop: Shop, bought: Ids, later: Callable[[Shop, Ids], None]
):
    later(shop, bought)
    run(shop, hours=1)


def test_all_of_it_one_after_another_is_proved(shop: Shop, bought: Ids):
    # A document that is gone cannot be corrected.
    for hours, later in enumerate((one for one in LATER if one is not delete_the_sale), start=1):
        later(shop, bought)
        run(shop, hours)
    proved(shop)
    # As is what puts it right again.
    for number, column in (("sale", "precio_unitario"), ("receipt", "costo_unitario")):
        shop.correct_line(bought[number], id_producto=MILK, **{column: 6})
    shop.correct_document(bought["sale"], anulada=False)
    run(shop, hours=len(LATER))
    proved(shop)


COUNTED = "WHERE id_producto = 1 AND tipo = 'CONTEO'"
TAMPERING = {
    "an origin": "UPDATE dw.kardex SET id_origen = id_origen - 1 WHERE tipo = 'DEVOLUCION_VENTA'",
    "a destination": "UPDATE dw.kardex SET id_sucursal_destino = 7 WHERE tipo = 'TRASLADO'",
    "an amount": "UPDATE dw.kardex SET importe = importe + 1",
    "whose count it is": f"UPDATE dw.kardex SET de_todo = NULL {COUNTED}",
    "a count's difference": f"UPDATE dw.kardex SET variacion = variacion + 1 {COUNTED}",
    "where the stock is": "UPDATE dw.resumen_sucursal SET variacion = variacion"
    " + CASE id_sucursal WHEN 1 THEN 1 WHEN 2 THEN -1 ELSE 0 END WHERE id_producto = 1",
    "a branch too many": "INSERT INTO dw.resumen_sucursal VALUES (1, 9, 1, 0)",
}


@pytest.mark.parametrize("tampering", TAMPERING)
def test_verify_finds_tampering(shop: Shop, bought: Ids, tampering: str):
    cursor = shop.olap.cursor()
    cursor.execute(TAMPERING[tampering])
    assert cursor.rowcount > 0
    with shop.environment():
        assert not verify(load_settings(), None).clean


@pytest.mark.parametrize("tampering", ["where the stock is", "a branch too many"])
def test_a_short_verify_finds_where_the_stock_is(shop: Shop, bought: Ids, tampering: str):
    soon_enough(shop)
    proved(shop)
    shop.movement(TRANSFER, day(14), MILK, 1, id_sucursal=SHOP, id_sucursal_destino=STORE)
    run(shop, hours=1)
    with shop.environment():
        assert (found := verify(load_settings(), None)).clean and found.whole is None
    shop.movement(SALE, day(14), MILK, 1, precio_unitario=9, id_sucursal=STORE)
    run(shop, hours=2)
    cursor = shop.olap.cursor()
    cursor.execute(TAMPERING[tampering])
    assert cursor.rowcount > 0
    with shop.environment():
        found = verify(load_settings(), None)
    assert found.whole is None and not found.clean


@pytest.mark.parametrize("when", [2, 30], ids=["before", "after"])
def test_a_return_at_once_restores_stock_value_and_cost(shop: Shop, bought: Ids, when: int):
    def state() -> list[dict[str, object]]:
        columns = "existencias, valor, costo_promedio"
        return shop.olap_rows(f"SELECT {columns} FROM dw.inventario WHERE id_producto = {MILK}")

    before = state()
    sale = shop.movement(SALE, day(when), MILK, 50, precio_unitario=9)
    run(shop, hours=1)
    shop.movement(CUSTOMER_RETURN, day(when), MILK, 50, precio_unitario=9, id_origen=sale)
    run(shop, hours=2)
    assert state() == before
    adjustments = "SELECT ajuste FROM dw.kardex WHERE id_origen = %s"
    assert shop.olap_rows(adjustments, sale) == [{"ajuste": 0}]


def test_what_a_negative_quantity_means_is_edited(shop: Shop, bought: Ids):
    def means(other: str | None) -> None:
        shop.olap.cursor().execute(
            "UPDATE dw.tipo_movimiento SET tipo_si_negativa = %s WHERE tipo = 'VENTA'", (other,)
        )

    means(None)
    shop.run_in_process(as_of=END + timedelta(hours=1))
    waits = "SELECT DISTINCT motivo, count(*) AS n FROM etl.rechazo GROUP BY motivo"
    assert shop.olap_rows(waits) == [{"motivo": "cantidad no positiva", "n": 2}]
    proved(shop)
    means("DEVOLUCION_VENTA")
    run(shop, hours=2)
    proved(shop)


@pytest.mark.parametrize(
    ("edited", "tipo"),
    [
        ("orden = 2", RECEIPT),
        ("clase = 'compras'", SHRINKAGE),
        ("regla = 'al_promedio', tipo_origen = NULL", SUPPLIER_RETURN),
    ],
)
def test_an_edited_rule_values_and_sums_what_is_there_anew(
    shop: Shop, bought: Ids, edited: str, tipo: str
):
    # At the instant of a sale, of which one comes first.
    shop.movement(RECEIPT, day(2), MILK, 3, costo_unitario=11)
    shop.movement(SHRINKAGE, day(6), MILK, 1)
    run(shop, hours=1)
    before = figures(shop)
    shop.olap.cursor().execute(f"UPDATE dw.tipo_movimiento SET {edited} WHERE tipo = %s", (tipo,))
    shop.run_in_process(as_of=END + timedelta(hours=2))
    proved(shop)
    after = figures(shop)
    assert after != before
    shop.succeed("rebuild")
    assert figures(shop) == after


def figures(shop: Shop) -> list[dict[str, object]]:
    """What the ledger and the months say, whichever run wrote it."""
    rows = shop.olap_rows("SELECT * FROM dw.kardex ORDER BY id_movimiento")
    return [
        {name: value for name, value in row.items() if name != "version"} for row in rows
    ] + shop.olap_rows("SELECT * FROM dw.resumen_mensual ORDER BY 1, 2, 3")


def test_an_amount_that_is_no_number_waits(shop: Shop, bought: Ids):
    wait = []
    for amount in map(Decimal, ("NaN", "Infinity", "-Infinity")):
        sold = {"precio_unitario": 9, "importe": amount}
        got = {"costo_unitario": 5, "importe": amount}
        wait += [
            shop.movement(SALE, day(8), MILK, 1, **sold),
            shop.movement(SALE, day(8), MILK, -1, **sold),
            shop.movement(RECEIPT, day(8), MILK, 1, **got),
            shop.movement(RECEIPT, day(8), MILK, -1, **got),
        ]
        # One that does not look at the amount of the line enters.
        shop.movement(SUPPLIER_RETURN, day(8), MILK, 1, **got)
    run(shop, hours=1)
    rejects = "SELECT id_movimiento FROM etl.rechazo WHERE motivo = 'importe fuera de rango'"
    assert sorted(row["id_movimiento"] for row in shop.olap_rows(rejects)) == wait
    proved(shop)
