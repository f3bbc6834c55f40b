"""verify and rebuild: what differs is found, named and mended."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from fault_shop import loaded, now, olap_tables, settle, state_files, with_late_and_bad
from olap_comparison import assert_olap_equals_replay
from shop_database import Shop
from shop_server import must_succeed

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
    after = olap_tables(shop)
    # But that the last proof stands no more.
    assert after.pop("etl.prueba") != before.pop("etl.prueba")
    assert after == before and state_files(shop) == files

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
    "a booking's place": f"UPDATE dw.kardex SET capa = 1 {ROW}",
    "the stock": "UPDATE dw.inventario SET existencias = existencias - 1 WHERE id_producto = 2",
    "a stock row": "DELETE FROM dw.inventario WHERE id_producto = 2",
    "a last sale": "UPDATE dw.inventario SET ultima_venta = now() WHERE id_producto = 2",
    "a last price": "UPDATE dw.inventario SET ultimo_precio = 1 WHERE id_producto = 2",
    "a last net price": "UPDATE dw.inventario SET ultimo_neto = NULL WHERE id_producto = 2",
    "an average value": "UPDATE dw.inventario SET valor_promedio = 1",
    "a first movement": "UPDATE dw.inventario SET primera = now()",
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
    # The window of a repair looks for what was deleted, too, whatever --since says.
    shop.env["ETL_DELETED_HOURS"] = "0"
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


def test_a_movement_that_is_in_the_ledger_under_two_products(shop: Shop):
    initial = loaded(shop)
    with shop.olap.cursor() as cursor:
        cursor.execute(
            "INSERT INTO dw.kardex SELECT (jsonb_populate_record(k, %s)).* FROM dw.kardex AS k"
            " WHERE k.id_movimiento = 20",
            (json.dumps({"id_producto": 3, "capa": 1}),),
        )
        assert cursor.rowcount == 1
    assert verified(shop)[0] == 1
    shop.succeed("rebuild")
    settle(shop, initial)


def _opening(shop: Shop) -> None:
    (first,) = shop.olap_rows("SELECT desde_inicial AS fecha FROM etl.control")
    file = shop.folder / "opening.csv"
    file.write_text(
        f"id_producto,existencias,costo_promedio,fecha\n2,7,4,{first['fecha'].isoformat()}\n"
    )
    shop.succeed("opening", str(file))


def _history(shop: Shop) -> None:
    (first,) = shop.olap_rows("SELECT desde_inicial AS fecha FROM etl.control")
    shop.receipt(first["fecha"] - timedelta(days=1), (2, 5, 3))
    since = (first["fecha"] - timedelta(days=2)).date().isoformat()
    must_succeed(shop.task("Backfill", "--since", since))


@pytest.mark.parametrize("other", [_opening, _history])
def test_a_policy_that_came_and_went_between_two_loads_leaves_no_price(
    shop: Shop, other: Callable[[Shop], None]
):
    """What is valued meanwhile has prices of that policy, which no load has ever seen."""
    shop.env["ETL_PRICES_INCLUDE_TAX"] = "false"
    loaded(shop)
    usual = "SELECT id_producto, impuesto, margen FROM dw.v_politica_producto"
    before = shop.olap_rows(usual)
    shop.olap.cursor().execute("INSERT INTO dw.politica_precio VALUES (2, NULL, 0.5, 0.5, 1)")
    other(shop)
    assert verified(shop)[0] == 0
    shop.olap.cursor().execute("DELETE FROM dw.politica_precio WHERE id_producto = 2")
    assert shop.olap_rows(usual) == before
    assert verified(shop)[0] == 0
    shop.run_in_process()
    assert verified(shop)[0] == 0
    (first,) = shop.olap_rows("SELECT desde_inicial AS fecha FROM etl.control")
    assert_olap_equals_replay(shop, first["fecha"], prices_include_tax=False)


def soon_enough(shop: Shop) -> None:
    """Let a short verify be enough for a ledger of few movements, too."""
    shop.olap.cursor().execute(
        "CREATE OR REPLACE FUNCTION etl.pocas_filas() RETURNS bigint"
        " LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 0::bigint'"
    )


def proved(shop: Shop) -> None:
    """A verify of everything, which finds nothing; then a window of a sale and a receipt."""
    loaded(shop)
    # Up to today: no month ends between here and what follows.
    shop.run_in_process()
    soon_enough(shop)
    assert verified(shop)[1]["whole"] == "none was clean before"
    assert verified(shop)[1]["whole"] is None
    # Dated as the last ones: what is before stays.
    (latest,) = shop.olap_rows("SELECT max(fecha) AS fecha FROM dw.kardex WHERE id_producto = 2")
    shop.sale(latest["fecha"] + timedelta(seconds=1), (2, 1, 9))
    shop.receipt(latest["fecha"] + timedelta(seconds=2), (2, 5, 4))
    shop.run_in_process()


LAST = "WHERE id_movimiento = (SELECT max(id_movimiento) FROM dw.kardex)"
IN_THE_INCREMENT = {
    "an amount": f"UPDATE dw.kardex SET cantidad = cantidad + 0.000001 {LAST}",
    "a product": f"UPDATE dw.kardex SET id_producto = 3 {LAST}",
    "a branch": f"UPDATE dw.kardex SET id_sucursal = id_sucursal + 5 {LAST}",
    "a date": f"UPDATE dw.kardex SET fecha = fecha + interval '1 day' {LAST}",
    "a receipt's cost": f"UPDATE dw.kardex SET costo_unitario = costo_unitario + 0.000001 {LAST}",
    "a type": f"UPDATE dw.kardex SET tipo = 'VENTA' {LAST}",
    "an order": f"UPDATE dw.kardex SET orden = 1 {LAST}",
    "a mark": f"UPDATE dw.kardex SET provisional = NOT provisional {LAST}",
    "a jump": f"UPDATE dw.kardex SET salto_costo = 7 {LAST}",
    "a total": f"UPDATE dw.kardex SET costo_total = costo_total + 0.000001 {LAST}",
    "an adjustment": f"UPDATE dw.kardex SET ajuste = ajuste + 0.000001 {LAST}",
    "a stock": f"UPDATE dw.kardex SET existencias = existencias - 0.000001 {LAST}",
    "a value": f"UPDATE dw.kardex SET valor = valor - 0.000001 {LAST}",
    "an average": f"UPDATE dw.kardex SET costo_promedio = costo_promedio + 0.000001 {LAST}",
    "a row": f"DELETE FROM dw.kardex {LAST}",
    "the inventory": "UPDATE dw.inventario SET valor = valor + 0.000001 WHERE id_producto = 2",
    "a price": "UPDATE dw.inventario SET precio_sugerido = 1 WHERE id_producto = 2",
    "a month": "UPDATE dw.resumen_mensual SET venta_bruta = venta_bruta + 0.000001"
    " WHERE id_producto = 2 AND mes = (SELECT max(mes) FROM dw.resumen_mensual)",
    "a day": "UPDATE dw.resumen_diario SET costo_recibido = costo_recibido + 0.000001"
    " WHERE dia = (SELECT max(dia) FROM dw.resumen_diario)",
    "a year": "UPDATE dw.resumen_movil SET venta_neta_365 = venta_neta_365 - 0.000001"
    " WHERE id_producto = 2",
}


PROVED = (
    "dw.kardex",
    "dw.inventario",
    "dw.resumen_diario",
    "dw.resumen_mensual",
    "dw.resumen_movil",
)


@pytest.mark.parametrize("whole", [False, True])
def test_a_fault_in_the_increment_is_found(shop: Shop, whole: bool):
    """By a short verify as by one of everything; each is undone before the next."""
    proved(shop)
    for fault, statement in IN_THE_INCREMENT.items():
        cursor = shop.olap.cursor()
        for table in PROVED:
            cursor.execute(f"CREATE TABLE public.kept_{table[3:]} AS SELECT * FROM {table}")
        cursor.execute("SELECT estado::text FROM etl.prueba")
        ((proof,),) = cursor.fetchall()
        cursor.execute(statement)
        assert cursor.rowcount > 0, fault
        code, findings = verified(shop, *(["--all"] if whole else []))
        assert code == 1 and (findings["whole"] == "--all") is whole, (fault, findings)
        for table in PROVED:
            kept = f"public.kept_{table[3:]}"
            # Rows, not the file: a table that was rewritten is never trusted.
            cursor.execute(f"DELETE FROM {table}")
            cursor.execute(f"INSERT INTO {table} SELECT * FROM {kept}; DROP TABLE {kept}")
        cursor.execute("UPDATE etl.prueba SET estado = %s WHERE estado IS NULL", (proof,))
        assert cursor.rowcount == 1, fault
    code, findings = verified(shop)
    assert code == 0 and findings["whole"] is None, findings


def test_what_the_till_changed_is_found_in_the_increment(shop: Shop):
    """A correction that a window passed over, as if it had not seen it."""
    proved(shop)
    shop.correct_line(20, cantidad=8)
    shop.run_in_process()
    shop.olap.cursor().execute(
        "UPDATE dw.kardex SET cantidad = 7, version = 1 WHERE id_movimiento = 20;"
        " DELETE FROM etl.por_probar"
    )
    code, findings = verified(shop)
    assert code == 1 and findings["whole"] is None and findings["different"] == [20], findings


def test_what_a_void_left_behind_is_found_in_the_increment(shop: Shop):
    """The receipt is in the ledger no more: only the load knew what followed it."""
    proved(shop)
    (receipt,) = shop.olap_rows("SELECT id_producto FROM dw.kardex WHERE id_movimiento = 1")
    shop.correct_document(1, anulada=True)
    shop.run_in_process()
    cursor = shop.olap.cursor()
    cursor.execute(
        "UPDATE dw.kardex SET valor = valor + 0.000001 WHERE id_movimiento = ("
        " SELECT max(id_movimiento) FROM dw.kardex WHERE id_producto = %s)",
        (receipt["id_producto"],),
    )
    code, findings = verified(shop)
    assert code == 1 and findings["whole"] is None and findings["books"], findings


def test_what_a_short_verify_does_not_look_at_is_said_and_found_by_all(shop: Shop):
    proved(shop)
    shop.till("DELETE FROM detalle_transaccion WHERE id_detalle = 20")
    shop.olap.cursor().execute("UPDATE dw.kardex SET valor = valor + 1 WHERE id_movimiento = 5")
    shown = shop.command("verify")
    assert shown.returncode == 0 and "verify --all" in shown.stdout, shown.stdout
    assert "equals" not in shown.stdout and "every ledger foots" not in shown.stdout
    code, findings = verified(shop, "--all")
    assert code == 1 and findings["extra"] == [20] and findings["books"], findings
    # What was found stays found: by the next one, and by the repair that it names.
    code, findings = verified(shop)
    assert code == 1 and findings["whole"] == "the last one found something", findings
    repaired = shop.command("verify", "--repair")
    assert "1: 20" in repaired.stdout, repaired.stdout + repaired.stderr


def test_a_repair_looks_at_everything(shop: Shop):
    proved(shop)
    shop.till("DELETE FROM detalle_transaccion WHERE id_detalle = 20")
    repaired = shop.command("verify", "--repair")
    assert repaired.returncode == 0 and "1: 20" in repaired.stdout, (
        repaired.stdout + repaired.stderr
    )
    assert verified(shop)[0] == 0


ACROSS = {
    "an edited policy": ("UPDATE dw.politica_precio SET margen = 0.4", "prices' policy"),
    "a replaced rule": (
        "CREATE OR REPLACE FUNCTION dw.of_the_shops() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "rules were replaced",
    ),
    "an opening": (
        "INSERT INTO dw.apertura (id_producto, existencias, costo_promedio, fecha)"
        " VALUES (77, 1, 1, now())",
        "opening balances changed",
    ),
    "a table written anew": ("VACUUM FULL dw.inventario", "restored, moved or rewritten"),
    "an initial date": (
        "UPDATE etl.control SET desde_inicial = desde_inicial - interval '1 day'",
        "earlier history",
    ),
}


@pytest.mark.parametrize("change", ACROSS)
def test_a_proof_is_never_trusted_across(shop: Shop, change: str):
    proved(shop)
    statement, reason = ACROSS[change]
    shop.olap.cursor().execute(statement)
    if change == "an edited policy":
        shop.run_in_process()
    assert reason in verified(shop)[1]["whole"]


def test_a_window_that_reads_everything_is_proved_whole(shop: Shop):
    proved(shop)
    shop.succeed("rebuild")
    assert verified(shop)[1]["whole"] == "a window read everything"
    assert verified(shop)[1]["whole"] is None


def test_movements_that_change_places_are_different(shop: Shop):
    """In one block, of which the sum would be the same if a number were not in its hash."""
    loaded(shop)
    shop.olap.cursor().execute(
        "UPDATE dw.kardex SET id_movimiento = -1 WHERE id_movimiento = 20;"
        " UPDATE dw.kardex SET id_movimiento = 20 WHERE id_movimiento = 23;"
        " UPDATE dw.kardex SET id_movimiento = 23 WHERE id_movimiento = -1"
    )
    assert verified(shop)[1]["different"] == [20, 23]


def test_hashes_that_differ_are_not_compared(shop: Shop):
    """As of a server with another byte order: then md5 tells."""
    proved(shop)
    shop.olap.cursor().execute(
        "CREATE OR REPLACE FUNCTION etl.huella(p_contenido bytea, p_reloj timestamp,"
        " p_rapida boolean) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$ SELECT CASE WHEN p_rapida"
        " THEN 5 ELSE ('x' || left(md5(p_contenido"
        " || coalesce(timestamp_send(p_reloj), '')), 15))::bit(60)::bigint END $$"
    )
    assert verified(shop, "--all")[0] == 0
    shop.olap.cursor().execute("UPDATE dw.kardex SET cantidad = 9 WHERE id_movimiento = 20")
    assert verified(shop, "--all")[1]["different"] == [20]


@pytest.mark.parametrize("when", ["before", "since"])
def test_a_reject_that_is_lost_is_found_in_the_increment(shop: Shop, when: str):
    """One that waited when all was proved, and one that came since."""
    loaded(shop)
    shop.run_in_process()
    (latest,) = shop.olap_rows("SELECT max(fecha) AS fecha FROM dw.kardex")
    if when == "since":
        soon_enough(shop)
        assert verified(shop)[0] == 0
    shop.sale(latest["fecha"] + timedelta(seconds=1), (2, 1, None))
    shop.run_in_process()
    if when == "before":
        soon_enough(shop)
        assert verified(shop)[0] == 0
    cursor = shop.olap.cursor()
    cursor.execute("DELETE FROM etl.rechazo RETURNING id_movimiento")
    ((lost,),) = cursor.fetchall()
    code, findings = verified(shop)
    assert code == 1 and findings["whole"] is None, findings
    assert findings["missing"] == findings["rejects"] == [lost]


def test_status_says_when_all_was_proved_last(shop: Shop):
    loaded(shop)
    assert "never without a fault" in shop.succeed("status").stdout
    assert json.loads(shop.succeed("status", "--json").stdout)["verified_whole"] is None
    assert verified(shop)[0] == 0
    told = json.loads(shop.succeed("status", "--json").stdout)
    assert told["verified"] == told["verified_whole"] is not None
    assert "all of it" in shop.succeed("status").stdout
