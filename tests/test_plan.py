"""plan: it writes nothing, and comes true."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from fault_process import Fault, killed_at, start_command
from fault_shop import days_ago, late_and_bad, now, olap_tables, state_files, stock
from olap_comparison import assert_olap_equals_replay
from shop_database import Shop

# A plan is a load that is rolled back, which others try on both.
pytestmark = pytest.mark.one_postgres


def first_run(shop: Shop, initial: datetime) -> None:
    shop.sale(now(), (99, 1, 5))


def ordinary(shop: Shop, initial: datetime) -> None:
    shop.run()
    late_and_bad(shop, initial)


def nothing_new(shop: Shop, initial: datetime) -> None:
    shop.run()


def full_read(shop: Shop, initial: datetime) -> None:
    ordinary(shop, initial)
    shop.till("DELETE FROM detalle_transaccion WHERE id_detalle = 15")
    shop.till("VACUUM FULL detalle_transaccion")


def after_extract(shop: Shop, initial: datetime) -> None:
    ordinary(shop, initial)
    killed_at(shop, "after:extract.json")


def after_load(shop: Shop, initial: datetime) -> None:
    """Two windows are to be done, but the first is loaded already."""
    ordinary(shop, initial)
    killed_at(shop, "before:load.json")
    shop.sale(now(), (3, 2, 5))


def repair_killed(shop: Shop, initial: datetime) -> None:
    """The unfinished window was asked for more than the ordinary."""
    shop.run()
    shop.till("DELETE FROM detalle_transaccion WHERE id_detalle IN (15, 16)")
    process = start_command(
        shop, "verify", "--repair", fault=Fault(shop.folder, "before:extract.json")
    )
    assert process.wait() < 0, process.output


HISTORIES = (
    first_run, ordinary, nothing_new, full_read, after_extract, after_load, repair_killed,
)  # fmt: skip


@pytest.mark.parametrize("history", HISTORIES)
def test_a_plan_writes_nothing_and_comes_true(shop: Shop, history: Any):
    initial = stock(shop)
    history(shop, initial)
    before, files = olap_tables(shop), state_files(shop)
    said = shop.succeed("plan", "--json").stdout
    plan = json.loads(said[said.index("{") :])
    shown = shop.succeed("plan").stdout
    assert olap_tables(shop) == before and state_files(shop) == files
    assert "nothing was written" in shown and plan["window"].split("--")[0] in shown
    runs = len(before["etl.corrida"])

    shop.run()
    assert_olap_equals_replay(shop, initial)
    (window,) = shop.olap_rows(
        "SELECT * FROM etl.corrida WHERE filas_leidas > 0 OR retiradas > 0 OR numero = %s"
        " ORDER BY numero OFFSET %s LIMIT 1", runs + 1, runs
    )  # fmt: skip
    reasons = {
        row["motivo"]: row["veces"]
        for row in shop.olap_rows("SELECT motivo, count(*) AS veces FROM etl.rechazo GROUP BY 1")
    }
    assert {
        "desde": plan["window"].split("--")[0],
        "filas_leidas": plan["read"],
        "ventas": plan["sales"],
        "entradas": plan["receipts"],
        "nuevas": plan["new"],
        "cambiadas": plan["changed"],
        "retiradas": plan["removed"],
        "iguales": plan["same"],
        "fuera_de_alcance": plan["out_of_scope"],
        "rechazadas": plan["rejected"],
        "productos_tocados": plan["products_revalued"],
        "revaluadas": plan["earlier_movements_revalued"],
        "motivo_completa": plan["reads_everything"],
        "motivos": plan["reject_reasons"],
    } == {name: window[name] for name in window if name in (
        "filas_leidas", "ventas", "entradas", "nuevas", "cambiadas", "retiradas", "iguales",
        "fuera_de_alcance", "rechazadas", "productos_tocados", "revaluadas", "motivo_completa",
    )} | {"desde": f"{window['desde']:%Y%m%dT%H%M%SZ}", "motivos": reasons}  # fmt: skip


def test_a_plan_says_which_guard_would_hold(shop: Shop):
    stock(shop)
    for _ in range(30):
        shop.sale(days_ago(1), (99, 1, 5))
    before = olap_tables(shop)
    done = shop.command("plan")
    assert done.returncode == 1 and "would be held" in done.stdout, done.stdout
    assert "would be rejected" in done.stdout
    assert olap_tables(shop) == before and not state_files(shop)


def test_a_plan_that_a_run_overtakes_ends_well(shop: Shop):
    stock(shop)
    fault = Fault(shop.folder, "rehearsing", "pause")
    process = start_command(shop, "plan", fault=fault)
    fault.wait_until_paused(process)
    shop.run()
    fault.go_on()
    code = process.wait()
    assert "Traceback" not in process.output, process.output
    assert code in (0, 1)
