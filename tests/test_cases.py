"""Cases of other systems' suites, typed in one by one in their own order with a run after each.

Of one of 72 arrivals after every ninth, but with --long after each.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from olap_comparison import assert_olap_equals_replay
from shop_database import Shop
from valuation_cases import (
    MOVEMENT_CASES,
    Case,
    as_movement,
    check_wanted,
    final_movements,
    last_insertion,
    openings,
    read_cases,
)

MANY = 20
HEADER = ("tipo", "fecha", "anulada", "id_sucursal", "id_sucursal_destino")
LINE = ("id_producto", "cantidad", "precio_unitario", "costo_unitario", "id_origen")


def typed(movement: dict[str, Any]) -> dict[str, Any]:
    """A movement with the names of the shop's own columns."""
    return {**movement, "anulada": movement["anulado"]}


def insert(shop: Shop, movement: dict[str, Any]) -> None:
    """A document of one line, whose ids are the movement's."""
    with shop.transaction() as cursor:
        for table, columns in (
            ("transacciones", ("id_transaccion", *HEADER)),
            ("detalle_transaccion", ("id_detalle", "id_transaccion", *LINE)),
        ):
            values = [movement.get(name, movement["id_movimiento"]) for name in columns]
            cursor.execute(
                f"INSERT INTO {table} ({', '.join(columns)})"
                f" VALUES ({', '.join(['%s'] * len(columns))})",
                values,
            )


def type_in(shop: Shop, case: Case, insertion: int) -> None:
    """What happens at the till at one insertion order: a line, a correction or a void."""
    for line in case["movements"]:
        movement = typed(as_movement(case, line, insertion))
        if line["insertion_order"] == insertion:
            insert(shop, movement)
        elif line["insertion_order"] < insertion:
            before = typed(as_movement(case, line, insertion - 1))
            for columns, correct in (
                (HEADER, shop.correct_document),
                (LINE, shop.correct_line),
            ):
                changed = {c: movement[c] for c in columns if movement[c] != before[c]}
                if changed:
                    correct(line["seq"], **changed)


def by_id(shop: Shop, table: str, key: str) -> dict[int, Any]:
    """A table's rows by their key."""
    return {row[key]: SimpleNamespace(**row) for row in shop.olap_rows(f"TABLE {table}")}


def give_openings(shop: Shop, case: Case) -> None:
    """The averages that a case starts from, by the operator's command."""
    lines = [f"{n},{o.existencias},{o.costo_promedio}" for n, o in openings(case).items()]
    if lines:
        file = shop.folder / "aperturas.csv"
        file.write_text("\n".join(["id_producto,existencias,costo_promedio", *lines, ""]))
        shop.succeed("opening", str(file))


@pytest.mark.skipif(not MOVEMENT_CASES.exists(), reason="../shared is not beside the checkout")
@pytest.mark.parametrize("case", read_cases(MOVEMENT_CASES), ids=lambda case: case["name"])
def test_what_stands_after_each_arrival(shop: Shop, case: Case, request: pytest.FixtureRequest):
    movements, products = final_movements(case, None)
    initial = min(movement["fecha"] for movement in movements)
    shop.env["ETL_INITIAL_SINCE"] = initial.isoformat()
    for id_producto in products:
        shop.product(id_producto)
    give_openings(shop, case)
    wanted = {want["after_arrival"]: want for want in case["want"]}
    an_hour_ago = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    last = last_insertion(case)
    step = 9 if last > MANY and not request.config.getoption("--long") else 1
    for arrival in range(1, last + 1):
        type_in(shop, case, arrival)
        if arrival % step and arrival != last:
            continue
        shop.run_in_process(as_of=an_hour_ago + timedelta(seconds=arrival))
        if arrival in wanted:
            rows = by_id(shop, "dw.kardex", "id_movimiento")
            stock = by_id(shop, "dw.inventario", "id_producto")
            check_wanted(case, wanted[arrival], stock, rows)
    assert_olap_equals_replay(shop, initial)
