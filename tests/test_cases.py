"""Cases of other systems' suites, typed in one by one in their own order with a run after each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from olap_comparison import assert_olap_equals_replay
from shop_database import Shop
from valuation_cases import (
    Case,
    as_movement,
    expected_states,
    final_movements,
    last_insertion,
    sale_and_receipt_cases,
)

CENT = Decimal("0.01")


def insert(shop: Shop, movement: dict) -> None:
    """A document of one line, whose ids are the movement's."""
    with shop.transaction() as cursor:
        cursor.execute(
            "INSERT INTO transacciones (id_transaccion, tipo, fecha, anulada)"
            " VALUES (%(id_movimiento)s, %(tipo)s, %(fecha)s, %(anulado)s)",
            movement,
        )
        cursor.execute(
            "INSERT INTO detalle_transaccion (id_detalle, id_transaccion, id_producto, cantidad,"
            " precio_unitario, costo_unitario) VALUES (%(id_movimiento)s, %(id_movimiento)s,"
            " %(id_producto)s, %(cantidad)s, %(precio_unitario)s, %(costo_unitario)s)",
            movement,
        )


def type_in(shop: Shop, case: Case, insertion: int) -> None:
    """What happens at the till at one insertion order: a line, a correction or a void."""
    for line in case["movements"]:
        movement = as_movement(case, line, insertion)
        if line["insertion_order"] == insertion:
            insert(shop, movement)
        if line.get("anulado_en_insercion") == insertion:
            shop.correct_document(line["seq"], anulada=True)
        if insertion in [c["insertion_order"] for c in line.get("correcciones", [])]:
            shop.correct_line(
                line["seq"],
                cantidad=movement["cantidad"],
                precio_unitario=movement["precio_unitario"],
                costo_unitario=movement["costo_unitario"],
            )


def check(shop: Shop, case: Case, insertion: int | None) -> None:
    """The ledger is as the case's own system recommends after an insertion."""
    rows = {row["id_movimiento"]: row for row in shop.olap_rows("SELECT * FROM dw.kardex")}
    for seq, recommended in expected_states(case, insertion).items():
        found = tuple(rows[seq][c] for c in ("existencias", "costo_promedio", "valor"))
        assert found == pytest.approx(recommended, abs=CENT), (insertion, seq)


@pytest.mark.parametrize("case", sale_and_receipt_cases(), ids=lambda case: case["name"])
def test_the_case_is_valued_as_its_own_system_recommends(shop: Shop, case: Case):
    movements, products = final_movements(case, None)
    initial = min(movement["fecha"] for movement in movements)
    shop.env["ETL_INITIAL_SINCE"] = initial.isoformat()
    for id_producto in products:
        shop.product(id_producto)
    an_hour_ago = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    for insertion in range(1, last_insertion(case) + 1):
        type_in(shop, case, insertion)
        shop.run_in_process(as_of=an_hour_ago + timedelta(seconds=insertion))
        check(shop, case, insertion)
    check(shop, case, None)
    assert_olap_equals_replay(shop, initial)
