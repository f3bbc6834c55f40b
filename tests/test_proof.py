"""verify, --repair, rebuild, plan, rejects and Backfill, as an operator uses them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from olap_comparison import assert_olap_equals_replay
from shop_database import LUIGI, Shop
from shop_server import must_succeed, run_program

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def trade(shop: Shop) -> list[int]:
    """Two products, sixty days; the ids of the sales."""
    shop.env["ETL_INITIAL_SINCE"] = BEGINNING.isoformat()
    ids = []
    for product in (1, 2):
        shop.product(product)
        for day in range(60):
            ids += shop.sale(BEGINNING + day * DAY, (product, 2, 9))
            if day % 7 == 0:
                shop.receipt(BEGINNING + day * DAY, (product, 12, 4 + day))
    return ids


def findings(shop: Shop, *options: str, code: int) -> dict[str, Any]:
    """What verify says, to machines."""
    done = shop.command("verify", "--json", *options)
    assert done.returncode == code, done.stdout
    return dict(json.loads(done.stdout[done.stdout.index("{") :]))


def everything(shop: Shop) -> list[Any]:
    """All that the OLAP holds outside its working tables."""
    return [
        shop.olap_rows(f"SELECT * FROM {table} AS t ORDER BY t::text")
        for table in (
            "dw.kardex",
            "dw.inventario",
            "dw.resumen_diario",
            "dw.producto",
            "dw.apertura",
            "etl.control",
            "etl.corrida",
            "etl.rechazo",
        )
    ]


def test_verify_finds_what_is_wrong_and_repair_mends_it(shop: Shop):
    ids = trade(shop)
    shop.run_in_process()
    assert findings(shop, code=0)["compared"] == len(ids) + 18
    shop.till("DELETE FROM detalle_transaccion WHERE id_detalle = %s", ids[3])
    shop.correct_line(ids[4], cantidad=5)
    cursor = shop.olap.cursor()
    cursor.execute("DELETE FROM dw.kardex WHERE id_movimiento = %s", (ids[70],))
    cursor.execute("UPDATE dw.kardex SET cantidad = 9 WHERE id_movimiento = %s", (ids[71],))
    found = findings(shop, code=1)
    assert (found["missing"], found["extra"], found["different"]) == (
        [ids[70]],
        [ids[3]],
        [ids[71]],
    )
    assert found["pending"] == 1
    assert found["books"]
    late = (BEGINNING + 59 * DAY).date().isoformat()
    assert findings(shop, "--since", late, code=1)["missing"] == []
    assert shop.command("verify", "--repair").returncode == 1, "the books need a rebuild"
    must_succeed(shop.command("rebuild"))
    found = findings(shop, code=0)
    assert found["clean"]
    assert_olap_equals_replay(shop, BEGINNING)


def test_rebuild_mends_whatever_somebody_touched(shop: Shop):
    trade(shop)
    shop.run_in_process()
    cursor = shop.olap.cursor()
    cursor.execute("UPDATE dw.kardex SET costo_promedio = 1, valor = 3 WHERE id_movimiento > 20")
    cursor.execute("UPDATE dw.inventario SET existencias = 0, precio_sugerido = 5")
    cursor.execute("DELETE FROM dw.inventario WHERE id_producto = 2")
    cursor.execute("DELETE FROM dw.resumen_diario WHERE dia < '2026-01-10'")
    cursor.execute("UPDATE dw.resumen_mensual SET venta_neta = 1")
    cursor.execute("INSERT INTO dw.resumen_movil VALUES (99, 0, 1, 1, 1)")
    assert shop.command("verify").returncode == 1
    shop.succeed("rebuild")
    assert_olap_equals_replay(shop, BEGINNING)


def test_plan_says_what_the_next_run_does_and_writes_nothing(shop: Shop):
    ids = trade(shop)
    shop.run_in_process()
    shop.sale(BEGINNING, (1, 1, 9))
    shop.receipt(BEGINNING + DAY, (2, 4, 7))
    shop.sale(BEGINNING, (99, 1, 9))
    shop.correct_line(ids[5], cantidad=3)
    shop.correct_document(ids[6], anulada=True)
    before = everything(shop)
    plan = json.loads(shop.succeed("plan", "--json").stdout)
    assert everything(shop) == before
    assert (plan["new"], plan["changed"], plan["removed"], plan["rejected"]) == (2, 1, 1, 1)
    assert (plan["sales"], plan["receipts"]) == (2, 1)
    assert plan["reject_reasons"] == {"producto desconocido": 1}
    shop.run_in_process()
    (run,) = shop.olap_rows("SELECT * FROM etl.corrida ORDER BY numero DESC LIMIT 1")
    assert run["nuevas"] == plan["new"]
    assert run["revaluadas"] == plan["earlier_movements_revalued"]
    assert run["productos_tocados"] == plan["products_revalued"] == 2


def test_a_reject_waits_and_is_loaded_when_it_becomes_valid(shop: Shop):
    ids = trade(shop)
    (bad,) = shop.sale(BEGINNING, (7, 1, 9))
    (worse,) = shop.sale(BEGINNING, (1, 0, 9))
    shop.correct_line(worse, importe=3)
    shop.run_in_process()
    rejects = {
        r["id_movimiento"]: r
        for r in json.loads(shop.succeed("rejects", "--json").stdout)["rejects"]
    }
    assert rejects[bad]["motivo"] == "producto desconocido"
    assert rejects[worse]["motivo"] == "cantidad no positiva"
    assert len(shop.olap_rows("SELECT * FROM dw.kardex")) == len(ids) + 18
    shop.product(7)
    shop.run_in_process()
    (left,) = json.loads(shop.succeed("rejects", "--json").stdout)["rejects"]
    assert left["id_movimiento"] == worse
    assert left["primera_hasta"] < left["ultima_hasta"]
    assert_olap_equals_replay(shop, BEGINNING)


def test_earlier_history_comes_in_once_and_revalues_what_follows(shop: Shop):
    trade(shop)
    shop.run_in_process()
    since = BEGINNING - 40 * DAY
    for day in range(1, 40, 3):
        shop.receipt(BEGINNING - day * DAY, (1, 5, 3))
        shop.sale(BEGINNING - day * DAY, (2, 1, 3))
    shop.run_in_process()
    assert_olap_equals_replay(shop, BEGINNING)
    program = [LUIGI, "--module", "pipeline", "Backfill", "--local-scheduler"]
    program = [*map(str, program), "--since", since.date().isoformat()]
    must_succeed(run_program(program, shop.folder, shop.env))
    assert_olap_equals_replay(shop, since)
    before = everything(shop)
    must_succeed(run_program(program, shop.folder, shop.env))
    assert everything(shop) == before
    shop.run_in_process()
    assert_olap_equals_replay(shop, since)
