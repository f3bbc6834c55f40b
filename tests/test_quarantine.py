"""Quarantine: one bad line stops nothing, and is loaded by itself once it is valid."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from fault_shop import days_ago, now, settle, stock
from shop_database import Shop

# Reason → what makes a sale of product 1 unfit: (columns of the line, columns of the header).
BAD: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "producto desconocido": ({"id_producto": 99}, {}),
    "sin fecha": ({}, {"fecha": None}),
    "fecha futura": ({}, {"fecha": now() + timedelta(days=9)}),
    "sin cantidad": ({"cantidad": None}, {}),
    # With an amount it is a mistake; without one a line of 0 is out of scope.
    "cantidad no positiva": ({"cantidad": Decimal(0), "importe": 5}, {}),
    "cantidad fuera de rango": ({"cantidad": Decimal("NaN")}, {}),
    "sin precio": ({"precio_unitario": None}, {}),
    "precio negativo": ({"precio_unitario": Decimal("-0.01")}, {}),
    "precio fuera de rango": ({"precio_unitario": Decimal("Infinity")}, {}),
    "importe fuera de rango": ({"cantidad": Decimal(10**10), "precio_unitario": 1000}, {}),
    "sin costo": ({"costo_unitario": None}, {"tipo": "ENTRADA_MERCANCIA"}),
    "costo negativo": ({"costo_unitario": -1}, {"tipo": "ENTRADA_MERCANCIA"}),
}


def rejects(shop: Shop) -> dict[int, dict[str, Any]]:
    """etl.rechazo by movement."""
    return {row["id_movimiento"]: row for row in shop.olap_rows("SELECT * FROM etl.rechazo")}


def change(shop: Shop, line: int, reason: str) -> None:
    """Make a movement unfit for that reason."""
    columns, header = BAD[reason]
    if columns:
        shop.correct_line(line, **columns)
    if header:
        shop.correct_document(line, **header)


def test_bad_lines_wait_in_quarantine_and_stop_nothing(shop: Shop):
    initial = stock(shop)
    lines = {}
    for reason in BAD:
        (lines[reason],) = shop.sale(days_ago(2), (1, 1, 5), id_sucursal=1)
        change(shop, lines[reason], reason)
    settle(shop, initial)
    first = rejects(shop)
    assert {row["motivo"]: line for line, row in first.items()} == lines
    cursor = shop.oltp.cursor()
    cursor.execute(
        "SELECT d.id_detalle, t.tipo, d.id_producto, t.id_sucursal, d.cantidad, d.precio_unitario,"
        " d.costo_unitario, t.fecha FROM detalle_transaccion AS d"
        " JOIN transacciones AS t USING (id_transaccion) WHERE d.id_detalle = ANY (%s)",
        (list(first),),
    )
    for line, *content in cursor.fetchall():
        kept = list(first[line].values())[1:8]
        assert str(kept) == str(content), f"the reject {line} keeps other content"
    (window,) = shop.olap_rows("SELECT desde, hasta FROM etl.corrida")
    for row in first.values():
        assert (row["primera_desde"], row["primera_hasta"]) == tuple(window.values())
        assert (row["ultima_desde"], row["ultima_hasta"]) == tuple(window.values())

    settle(shop, initial)
    (last,) = shop.olap_rows("SELECT desde, hasta FROM etl.corrida ORDER BY numero DESC LIMIT 1")
    for line, row in rejects(shop).items():
        assert row["primera_hasta"] == first[line]["primera_hasta"]
        assert (row["ultima_desde"], row["ultima_hasta"]) == tuple(last.values())
    listed = json.loads(shop.succeed("rejects", "--json").stdout)["rejects"]
    assert {row["id_movimiento"]: row["motivo"] for row in listed} == {
        line: reason for reason, line in lines.items()
    }
    shown = shop.succeed("rejects").stdout
    assert all(reason in shown for reason in BAD)
    assert json.loads(shop.succeed("status", "--json").stdout)["rejects"] == dict.fromkeys(BAD, 1)


@pytest.mark.parametrize("reason", BAD)
def test_a_reject_is_loaded_by_itself_once_it_is_valid_and_may_fall_back(shop: Shop, reason: str):
    initial = stock(shop)
    (line,) = shop.sale(days_ago(2), (1, 1, 5))
    settle(shop, initial)
    change(shop, line, reason)
    assert settle(shop, initial).rejects.keys() == {line}
    if reason == "producto desconocido":
        # The catalogue grows; the movement itself is not touched.
        shop.product(99)
    else:
        shop.correct_line(line, cantidad=2, precio_unitario=6, costo_unitario=3)
        shop.correct_document(line, fecha=days_ago(3))
    assert line in settle(shop, initial).kardex
    assert not rejects(shop)
    change(shop, line, "sin cantidad")
    change(shop, line, "precio negativo")
    assert settle(shop, initial).rejects.keys() == {line}
    # A reject that leaves the scope is no reject any more.
    shop.correct_document(line, anulada=True)
    settle(shop, initial)
    assert not rejects(shop) and "no movement is rejected" in shop.succeed("rejects").stdout


@pytest.mark.one_postgres
@pytest.mark.parametrize("date", ["20261-01-05 00:00:00+00", "infinity"])
def test_a_date_that_python_has_none_for_is_shown(shop: Shop, date: str):
    initial = stock(shop, sales=3)
    (line,) = shop.sale(now(), (1, 1, 5))
    shop.till(
        "UPDATE transacciones SET fecha = %s WHERE id_transaccion ="
        " (SELECT id_transaccion FROM detalle_transaccion WHERE id_detalle = %s)",
        date,
        line,
    )
    shop.run()
    (shown,) = json.loads(shop.succeed("rejects", "--json").stdout)["rejects"]
    assert (shown["id_movimiento"], shown["fecha"]) == (line, date)
    assert f"{date}  fecha futura" in shop.succeed("rejects").stdout
    (row,) = shop.olap_rows("SELECT * FROM dw.v_rechazos")
    assert row["fecha"].year == 9999
    with shop.olap.cursor() as cursor:
        cursor.execute("UPDATE etl.rechazo SET fecha = NULL")
    (row,) = shop.olap_rows("SELECT * FROM dw.v_rechazos")
    assert row["fecha"] is None
    shop.till("UPDATE transacciones SET fecha = %s WHERE fecha > '9999-01-01'", days_ago(1))
    settle(shop, initial)


def test_a_quantity_of_nothing_is_out_of_scope_and_no_reject(shop: Shop):
    initial = stock(shop)
    shop.env["ETL_MAX_REJECT_SHARE"] = "0"
    tipos = 8 * ["VENTA", "AJUSTE_SALIDA", "AJUSTE_ENTRADA", "TRASLADO"]
    ids = [shop.movement(tipo, days_ago(2), 1, Decimal("0.0000004")) for tipo in tipos]
    (line,) = shop.sale(days_ago(2), (1, 2, 5), id_sucursal=1)
    shop.movement("CONTEO", days_ago(1), 1, 0)
    settle(shop, initial)
    assert not rejects(shop)
    counted = "SELECT fuera_de_alcance AS n FROM etl.corrida ORDER BY numero DESC LIMIT 1"
    assert shop.olap_rows(counted) == [{"n": len(ids)}]
    assert shop.olap_rows("SELECT existencias AS n FROM dw.inventario WHERE id_producto = 1") == [
        {"n": 0}
    ]
    assert shop.command("verify").returncode == 0
    # A line that is cancelled so leaves the ledger, and comes back.
    shop.correct_line(line, cantidad=0)
    shop.correct_line(ids[0], cantidad=3, precio_unitario=5)
    settle(shop, initial)
    there = "SELECT id_movimiento AS n FROM dw.kardex WHERE id_movimiento IN (%s, %s)"
    assert shop.olap_rows(there, line, ids[0]) == [{"n": ids[0]}]
    shop.correct_line(line, cantidad=2)
    settle(shop, initial)
    assert shop.command("verify").returncode == 0
    # What is an amount of its own is none of it: there 0 is a mistake.
    shop.env["ETL_MAX_REJECT_SHARE"] = "1"
    shop.movement("DESCUENTO_VENTA", days_ago(1), 1, 0, precio_unitario=5)
    settle(shop, initial)
    assert [row["motivo"] for row in rejects(shop).values()] == ["cantidad no positiva"]
