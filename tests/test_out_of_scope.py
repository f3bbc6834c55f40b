"""What is out of scope though nobody meant it: told until it is corrected or voided."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fault_shop import days_ago, settle, stock
from shop_database import Shop

# What the shop's document holds, what is told, and what was probably meant.
MISTYPED = {
    "venta": "VENTA",
    "VENTA ": "VENTA",
    "entrada_mercancia": "ENTRADA_MERCANCIA",
    "Entrada-Mercancía": "ENTRADA_MERCANCIA",
    None: None,
    "PRESTAMO": None,
}


def any_type(shop: Shop) -> None:
    """A shop whose tables take what is typed."""
    shop.till("ALTER TABLE transacciones ALTER tipo DROP NOT NULL")
    shop.till("ALTER TABLE transacciones DROP CONSTRAINT IF EXISTS transacciones_tipo_check")


def told(shop: Shop, *command: str) -> dict[str, Any]:
    """What a command's --json says."""
    said = shop.command(*command, "--json").stdout
    return dict(json.loads(said[said.index("{") :]))


def examined(shop: Shop, check: str) -> str:
    """What doctor found there."""
    findings = told(shop, "doctor")["findings"]
    return str(next(row["found"] for row in findings if row["what"] == check))


def types(listed: dict[str, Any]) -> dict[str | None, tuple[int, str | None]]:
    """Its types with their counts and what was meant."""
    return {row["type"]: (row["movements"], row["meant"]) for row in listed["out_of_scope_types"]}


@pytest.mark.parametrize("first", [True, False], ids=["full read", "ordinary window"])
def test_types_that_are_not_known_are_told_until_corrected(shop: Shop, first: bool):
    initial = stock(shop)
    any_type(shop)
    if not first:
        settle(shop, initial)
    lines = {tipo: shop.document(tipo, days_ago(2), [(1, 1, 5), (2, 1, 5)]) for tipo in MISTYPED}
    (voided,) = shop.document("venta", days_ago(2), [(1, 1, 5)])
    shop.correct_document(voided, anulada=True)
    expected = {tipo: (2, meant) for tipo, meant in MISTYPED.items()}
    assert types(told(shop, "plan")) == expected
    shop.run()
    assert types(told(shop, "status")) == expected
    shown = shop.succeed("status").stdout
    assert "'VENTA '" in shown and "NULL" in shown
    assert "'venta': 2 movements; is VENTA meant?" in examined(shop, "out of scope")

    # Read again and changed without mending: each counts once.
    shop.correct_document(lines["venta"][0], fecha=days_ago(1))
    shop.run()
    assert types(told(shop, "status")) == expected
    for tipo in ("venta", "VENTA ", None):
        shop.correct_document(lines[tipo][0], tipo="VENTA")
    shop.correct_document(lines["PRESTAMO"][0], anulada=True)
    shop.run()
    left = ("entrada_mercancia", "Entrada-Mercancía")
    assert types(told(shop, "status")) == {tipo: expected[tipo] for tipo in left}
    # A deletion leaves no trace: a full read finds it.
    for line in lines["entrada_mercancia"]:
        shop.till("DELETE FROM detalle_transaccion WHERE id_detalle = %s", line)
    shop.till("VACUUM FULL transacciones")
    shop.run()
    assert types(told(shop, "status")) == {"Entrada-Mercancía": (2, "ENTRADA_MERCANCIA")}


def test_dates_typed_after_the_beginning_are_told(shop: Shop):
    initial = stock(shop)
    (planned,) = shop.sale(initial - timedelta(days=90), (1, 1, 5))
    (roman,) = shop.sale(datetime(26, 11, 3, tzinfo=UTC), (1, 1, 5))
    settle(shop, initial)
    listed = told(shop, "status")
    assert [row["id_movimiento"] for row in listed["out_of_scope_examples"]] == [roman]
    shop.correct_document(planned, id_sucursal=1)
    (old,) = shop.receipt(datetime(2016, 11, 3, tzinfo=UTC), (1, 1, 5))
    listed = told(shop, "plan")
    assert listed["out_of_scope_dates"] == 2
    shop.run()
    listed = told(shop, "status")
    assert {row["id_movimiento"] for row in listed["out_of_scope_examples"]} == {old, roman}
    assert f"such as movement {old} of 2016-11-03" in examined(shop, "out of scope")
    shop.till("VACUUM FULL transacciones")
    shop.run()
    assert told(shop, "status")["out_of_scope_dates"] == 2
    shop.correct_document(roman, anulada=True)
    shop.correct_document(old, fecha=days_ago(1))
    shop.run()
    assert told(shop, "status")["out_of_scope_dates"] == 0


def test_a_loaded_document_given_an_old_date_is_told(shop: Shop):
    initial = stock(shop)
    (line,) = shop.sale(days_ago(2), (1, 1, 5))
    settle(shop, initial)
    shop.correct_document(line, fecha=initial - timedelta(days=400))
    settle(shop, initial)
    (row,) = told(shop, "status")["out_of_scope_examples"]
    assert (row["id_movimiento"], row["motivo"]) == (line, "antes de la fecha inicial")


def test_goods_dated_before_a_count_but_typed_later_are_told(shop: Shop):
    initial = stock(shop)
    shop.sale(days_ago(5), (1, 1, 5))
    settle(shop, initial)
    opening = shop.folder / "aperturas.csv"
    opening.write_text(
        f"id_producto,existencias,costo_promedio,fecha\n1,7,2,{days_ago(3).isoformat()}\n"
    )
    shop.succeed("opening", str(opening), "--drop-earlier")
    shop.run()
    assert told(shop, "status")["out_of_scope_dates"] == 0
    (late,) = shop.receipt(days_ago(4), (1, 1, 5))
    shop.run()
    (row,) = told(shop, "status")["out_of_scope_examples"]
    assert (row["id_movimiento"], row["motivo"]) == (late, "antes de la apertura")
    assert "before its opening" in shop.succeed("status").stdout


def test_what_its_type_kept_out_is_told_by_its_date_then(shop: Shop):
    initial = stock(shop)
    settle(shop, initial)
    (line,) = shop.document("venta", days_ago(2), [(1, 1, 5)])
    shop.run()
    shop.correct_document(line, tipo="VENTA", fecha=initial - timedelta(days=400))
    # Read in full, and as rows that are older than the last window.
    shop.till("VACUUM FULL transacciones")
    shop.run()
    listed = told(shop, "status")
    assert types(listed) == {}
    (row,) = listed["out_of_scope_examples"]
    assert (row["id_movimiento"], row["motivo"]) == (line, "antes de la fecha inicial")


def test_every_read_in_full_tells_what_is_new(shop: Shop):
    shop.env["ETL_CAPTURE"] = "full"
    initial = stock(shop)
    (planned,) = shop.sale(initial - timedelta(days=90), (1, 1, 5))
    settle(shop, initial)
    shop.correct_document(planned, id_sucursal=1)
    (old,) = shop.sale(initial - timedelta(days=900), (1, 1, 5))
    (wrong,) = shop.document("venta", days_ago(1), [(1, 1, 5)])
    for _ in range(2):
        shop.run()
        listed = told(shop, "status")
        assert [row["id_movimiento"] for row in listed["out_of_scope_examples"]] == [old]
        assert types(listed) == {"venta": (1, "VENTA")}
    shop.correct_document(wrong, tipo="VENTA")
    shop.correct_document(old, anulada=True)
    shop.run()
    listed = told(shop, "status")
    assert (listed["out_of_scope_types"], listed["out_of_scope_dates"]) == ([], 0)


def test_of_many_the_rest_are_counted(shop: Shop):
    initial = stock(shop)
    lines = [(1, 1, 5)] * 1010
    shop.document("PRESTAMO", days_ago(1), lines)
    settle(shop, initial)
    assert types(told(shop, "status")) == {"PRESTAMO": (1010, None)}
    shop.document("venta", days_ago(1), lines)
    shop.run()
    assert types(told(shop, "status")) == {"PRESTAMO": (1010, None), "venta": (1010, "VENTA")}
    (kept,) = shop.olap_rows("SELECT count(*) FROM etl.fuera_de_alcance")
    assert kept["count"] == 1000


def removals(shop: Shop) -> None:
    """Half the ledger is gone."""
    shop.till("DELETE FROM detalle_transaccion WHERE id_detalle BETWEEN 5 AND 50")
    shop.till("VACUUM FULL detalle_transaccion")


def rejects(shop: Shop) -> None:
    """Nearly all that is new has no product."""
    for _ in range(30):
        shop.sale(days_ago(1), (99, 1, 5))


def both(shop: Shop) -> None:
    removals(shop)
    rejects(shop)


@pytest.mark.parametrize("guard", [removals, rejects, both])
def test_a_plan_that_a_guard_holds_tells_of_it_too(shop: Shop, guard: Callable[[Shop], None]):
    initial = stock(shop)
    settle(shop, initial)
    shop.document("venta", days_ago(2), [(1, 1, 5)])
    shop.receipt(datetime(2016, 11, 3, tzinfo=UTC), (1, 1, 5))
    guard(shop)
    listed = told(shop, "plan")
    assert "nothing was written" in listed["held"]
    assert types(listed) == {"venta": (1, "VENTA")}
    # Of tables that were written anew, versions say nothing of when a row was typed.
    assert listed["out_of_scope_dates"] == (guard is rejects)
    shown = shop.command("plan").stdout
    assert "would be held" in shown and "'venta'" in shown


def test_a_plan_that_its_rows_hold_tells_what_is_listed_already(shop: Shop):
    initial = stock(shop)
    shop.document("venta", days_ago(2), [(1, 1, 5)])
    settle(shop, initial)
    shop.till("ALTER TABLE detalle_transaccion DROP CONSTRAINT detalle_transaccion_pkey CASCADE")
    shop.till("INSERT INTO detalle_transaccion SELECT * FROM detalle_transaccion LIMIT 1")
    shop.till("UPDATE detalle_transaccion SET cantidad = 2 WHERE id_detalle = 1")
    listed = told(shop, "plan")
    assert "times in one read" in listed["held"]
    assert types(listed) == {"venta": (1, "VENTA")}
