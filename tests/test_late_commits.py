"""What is committed while a run reads, or long after its id was drawn, comes with the next."""

from __future__ import annotations

import pytest
from fault_process import Fault, start_run
from fault_shop import days_ago, loaded, now, settle, stock
from shop_database import Shop


@pytest.mark.parametrize("point", ["snapshot", "read", "copy_out", "flush", "opened", "loaded"])
def test_what_is_committed_while_a_run_stands_still_is_not_lost(shop: Shop, point: str):
    initial = loaded(shop)
    shop.receipt(now(), (1, 3, 2))
    fault = Fault(shop.folder, point, "pause")
    with shop.transaction() as late, shop.transaction() as undone:
        shop.sale(now(), (2, 1, 7), cursor=late)
        shop.sale(now(), (2, 5, 7), cursor=undone)
        # Done later, but earlier visible: the snapshot's upper bound is beyond the two.
        shop.sale(now(), (3, 1, 7))
        run = start_run(shop, fault=fault)
        fault.wait_until_paused(run)
        shop.sale(days_ago(3), (1, 2, 7))
        shop.correct_line(5, cantidad=4)
        late.connection.commit()
        shop.receipt(now(), (1, 3, 2))
        undone.connection.rollback()
    fault.go_on()
    assert run.wait() == 0, run.output
    settle(shop, initial)


def test_an_id_that_was_drawn_long_before_its_row_is_not_lost(shop: Shop):
    initial = stock(shop)
    cursor = shop.oltp.cursor()
    cursor.execute(
        "SELECT nextval(pg_get_serial_sequence(t, c)) FROM (VALUES"
        " ('transacciones', 'id_transaccion'), ('detalle_transaccion', 'id_detalle')) AS s (t, c)"
    )
    header, line = (number for (number,) in cursor.fetchall())
    shop.sale(now(), (2, 1, 7))
    settle(shop, initial)
    shop.till(
        "WITH t AS (INSERT INTO transacciones (id_transaccion, tipo, fecha)"
        " VALUES (%s, 'VENTA', %s) RETURNING id_transaccion)"
        " INSERT INTO detalle_transaccion"
        " (id_detalle, id_transaccion, id_producto, cantidad, precio_unitario)"
        " SELECT %s, id_transaccion, 2, 3, 9 FROM t",
        header,
        days_ago(5),
        line,
    )
    assert line in settle(shop, initial).kardex
