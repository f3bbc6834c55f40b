"""verify and rebuild: what differs is found, named and mended."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from fault_shop import loaded, now, olap_tables, settle, state_files, with_late_and_bad
from olap_comparison import assert_olap_equals_replay
from shop_database import Shop

# The property tests verify on both.
pytestmark = pytest.mark.one_postgres


def verified(shop: Shop, *arguments: str) -> tuple[int, dict[str, Any]]:
    """verify's exit code, and what it found."""
    done = shop.command("verify", "--json", *arguments)
    return done.returncode, json.loads(done.stdout)


DAMAGES = {
    "missing": ("OLAP", "DELETE FROM dw.kardex WHERE id_movimiento = 20"),
    "deleted": ("OLTP", "DELETE FROM detalle_transaccion WHERE id_detalle = 20"),
    "quantity": ("OLAP", "UPDATE dw.kardex SET cantidad = cantidad + 1 WHERE id_movimiento = 20"),
    "price": ("OLAP", "UPDATE dw.kardex SET precio_unitario = 1 WHERE id_movimiento = 20"),
    "date": (
        "OLAP",
        "UPDATE dw.kardex SET fecha = fecha + interval '1 s' WHERE id_movimiento = 20",
    ),
    "cost": ("OLAP", "UPDATE dw.kardex SET costo_unitario = 1 WHERE id_movimiento = 1"),
}
FOUND = {"missing": "missing", "deleted": "extra"}


@pytest.mark.parametrize("damage", DAMAGES)
def test_verify_finds_what_differs_and_mends_it(shop: Shop, damage: str):
    initial = loaded(shop)
    assert verified(shop)[0] == 0
    side, statement = DAMAGES[damage]
    (shop.till if side == "OLTP" else shop.olap.cursor().execute)(statement)
    before, files = olap_tables(shop), state_files(shop)
    code, findings = verified(shop)
    assert (code, findings["clean"]) == (1, False)
    movement = 1 if damage == "cost" else 20
    expected = {"missing": [], "extra": [], "different": []}
    expected[FOUND.get(damage, "different")] = [movement]
    assert {kind: findings[kind] for kind in expected} == expected
    assert f"1: {movement}" in shop.command("verify").stdout
    assert olap_tables(shop) == before and state_files(shop) == files

    done = shop.command("verify", "--repair")
    if damage in ("missing", "quantity", "price"):
        # The sums that nobody touched are a movement too large now: only a rebuild knows.
        assert done.returncode == 1 and "python -m pipeline rebuild" in done.stdout, done.stdout
        assert not any(verified(shop)[1][kind] for kind in expected)
        shop.succeed("rebuild")
    else:
        assert done.returncode == 0, done.stdout
    assert_olap_equals_replay(shop, initial)
    assert verified(shop)[0] == 0


ROW = "WHERE id_movimiento = 20"
TAMPERING = {
    "a ledger's value": f"UPDATE dw.kardex SET valor = valor + 1 {ROW}",
    "a ledger's cost": f"UPDATE dw.kardex SET costo_total = costo_total + 1 {ROW}",
    "a ledger's average": f"UPDATE dw.kardex SET costo_promedio = 9 {ROW}",
    "the stock": "UPDATE dw.inventario SET existencias = existencias - 1 WHERE id_producto = 2",
    "a stock row": "DELETE FROM dw.inventario WHERE id_producto = 2",
    "a last sale": "UPDATE dw.inventario SET ultima_venta = now() WHERE id_producto = 2",
    "a last price": "UPDATE dw.inventario SET ultimo_precio = 1 WHERE id_producto = 2",
    "a last net price": "UPDATE dw.inventario SET ultimo_neto = NULL WHERE id_producto = 2",
    "an average value": "UPDATE dw.inventario SET valor_promedio = 1",
    "a day": "UPDATE dw.resumen_diario SET venta_neta = venta_neta + 1 WHERE movimientos = 1",
    "a month": "DELETE FROM dw.resumen_mensual WHERE id_producto = 3",
    "a product's quarter": "UPDATE dw.resumen_movil SET unidades_90 = 0 WHERE id_producto = 1",
    "a product's year": "UPDATE dw.resumen_movil SET unidades_365 = 9 WHERE id_producto = 1",
    "a product too many": "INSERT INTO dw.resumen_movil VALUES (99, 0, 1, 1, 1)",
}


@pytest.mark.parametrize("tampering", TAMPERING)
def test_verify_finds_tampering_and_rebuild_mends_it(shop: Shop, tampering: str):
    initial = loaded(shop)
    cursor = shop.olap.cursor()
    cursor.execute(TAMPERING[tampering])
    assert cursor.rowcount > 0
    code, findings = verified(shop)
    assert code == 1 and findings["books"], findings
    shown = shop.command("verify")
    assert shown.returncode == 1 and "python -m pipeline rebuild" in shown.stdout
    shop.succeed("rebuild")
    assert_olap_equals_replay(shop, initial)
    assert verified(shop)[0] == 0


def test_verify_since_bounds_what_is_compared(shop: Shop):
    initial = loaded(shop)
    cursor = shop.olap.cursor()
    cursor.execute("SELECT id_movimiento, fecha FROM dw.kardex WHERE tipo = 'VENTA' ORDER BY fecha")
    (early, moment), *_, (late, _) = cursor.fetchall()
    shop.till(f"DELETE FROM detalle_transaccion WHERE id_detalle IN ({early}, {late})")
    assert verified(shop)[1]["extra"] == [early, late]
    since = (moment + timedelta(seconds=1)).isoformat()
    assert verified(shop, "--since", since)[1]["extra"] == [late]
    assert verified(shop, "--since", now().isoformat())[0] == 0
    assert shop.command("verify", "--repair", "--since", since).returncode == 0
    assert verified(shop)[1]["extra"] == [early]
    assert shop.command("verify", "--since", "ayer").returncode == 1
    assert shop.command("verify", "--repair").returncode == 0
    assert_olap_equals_replay(shop, initial)


def test_verify_calls_pending_what_the_next_window_brings(shop: Shop):
    initial = with_late_and_bad(shop)
    code, findings = verified(shop)
    assert code == 0 and findings["pending"] > 5, findings
    settle(shop, initial)
    assert verified(shop)[1]["pending"] == 0


def test_a_branch_without_another_row_leaves_no_row_of_zeros(shop: Shop):
    """Its sum goes to nothing and is nothing: a key without movements is no row."""
    initial = loaded(shop)
    shop.olap.cursor().execute(
        "UPDATE dw.kardex SET id_sucursal = 77 WHERE id_movimiento = 20;"
        " INSERT INTO dw.resumen_diario (dia, id_sucursal, categoria, movimientos,"
        " unidades_vendidas, venta_bruta, venta_neta, costo_ventas, ajuste, unidades_recibidas,"
        " costo_recibido) VALUES ('2026-01-01', 78, 'A', 0, 0, 0, 0, 0, 0, 0, 0)"
    )
    shop.succeed("rebuild")
    for table in ("dw.resumen_diario", "dw.resumen_mensual"):
        assert not shop.olap_rows(f"SELECT FROM {table} WHERE movimientos = 0")
    settle(shop, initial)
