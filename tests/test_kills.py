"""SIGKILL at every named point of a run, and at every table that its load writes."""

from __future__ import annotations

import pytest
from fault_process import (
    Fault,
    holding,
    killed_at,
    run_beside_orphan,
    start_luigi,
    start_run,
    wait_for,
)
from fault_process import waiting_backend as waiting
from fault_shop import assert_chain, settle, window_folders, with_late_and_bad
from shop_database import Shop
from shop_luigid import luigid

# What a run does when it is killed is ours to answer, whatever the server's version.
pytestmark = pytest.mark.one_postgres

RECEIPTS = ("window.json", "extract.json", "load.json", "views.json", "marker.json")
POINTS = (
    "snapshot",
    "read",
    "copy_out",
    "renaming:movements.csv",
    "flush",
    "flushed",
    "opening",
    "opened",
    "copy_in",
    "copied",
    "loaded",
    "receipt",
    "refresh:1",
    "refresh:4",
    "noting",
    *(f"{when}:{name}" for name in RECEIPTS for when in ("before", "renaming", "after")),
)
# Points in a worker, not in the parent that plans what is due.
ORPHANS = ("read", "flush", "copied", "loaded", "receipt", "refresh:2", "before:marker.json")
WRITTEN = (
    "dw.producto",
    "dw.kardex",
    "dw.inventario",
    "dw.resumen_diario",
    "dw.resumen_mensual",
    "dw.resumen_movil",
    "etl.rechazo",
    "etl.corrida",
)


@pytest.mark.parametrize("point", POINTS)
def test_a_run_killed_anywhere_is_resumed(shop: Shop, point: str):
    initial = with_late_and_bad(shop)
    killed_at(shop, point)
    shop.sale(initial.replace(hour=23), (1, 1, 5))
    settle(shop, initial)
    assert_chain(shop)


@pytest.mark.parametrize("point", ORPHANS)
def test_a_worker_orphaned_anywhere_does_no_harm(shop: Shop, point: str):
    """Luigi's parent is killed; the worker goes on, beside the next run."""
    initial = with_late_and_bad(shop)
    fault = Fault(shop.folder, point, "orphan")
    process = start_run(shop, "--workers", "2", fault=fault)
    assert process.wait() < 0 and fault.fired, process.output
    run_beside_orphan(shop, process)
    settle(shop, initial)
    assert_chain(shop)


@pytest.mark.parametrize("table", WRITTEN)
def test_a_client_killed_in_a_statement_of_the_load_leaves_nothing_of_it(shop: Shop, table: str):
    """The server goes on to the end of the function, but nobody is there to commit."""
    initial = with_late_and_bad(shop)
    shop.product(1, "otra")
    before = shop.olap_rows("SELECT version FROM etl.control")
    lock = f"LOCK TABLE {table} IN SHARE MODE"
    with holding(lambda: shop.server.connect(shop.olap_name), lock):
        process = start_run(shop)
        pid = wait_for(f"the load waits for {table}", lambda: waiting(shop.olap, shop.olap_name))
        assert process.kill(), process.output
    wait_for(
        "the server notices",
        lambda: not shop.olap_rows("SELECT FROM pg_stat_activity WHERE pid = %s", pid),
    )
    assert shop.olap_rows("SELECT version FROM etl.control") == before
    assert len(window_folders(shop)) == 2
    settle(shop, initial)
    assert_chain(shop)


@pytest.mark.parametrize("machines", [1, 2])
def test_of_three_runs_at_once_one_wins_and_all_end_well(shop: Shop, machines: int):
    initial = with_late_and_bad(shop)
    states = [str(shop.folder / f"state{n % machines or ''}") for n in range(3)]
    runs = [start_run(shop, ETL_STATE_DIR=state) for state in states]
    for run in runs:
        assert run.wait() == 0, run.output
    settle(shop, initial)
    assert_chain(shop)


ELSEWHERE = (10, 25)  # luigid has given the task to another worker


@pytest.mark.parametrize("point", ["flush", "copied", "refresh:2"])
def test_with_luigid_a_killed_run_is_resumed_by_another(shop: Shop, point: str):
    initial = with_late_and_bad(shop)
    with luigid(shop.folder, shop.env) as port:
        scheduler = ("RunDue", "--scheduler-port", str(port))
        fault = Fault(shop.folder, point)
        dying = start_luigi(shop, *scheduler, fault=fault)
        assert dying.wait() < 0 and fault.fired, dying.output
        done = 0
        for _ in range(20):
            runs = [start_luigi(shop, *scheduler) for _ in range(3)]
            for run in runs:
                assert run.wait() in (0, *ELSEWHERE), run.output
                done += run.wait() == 0
            if done:
                break
        assert done, "luigid never let a run complete"
    settle(shop, initial)
    assert_chain(shop)
