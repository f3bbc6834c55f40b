"""Closings that are killed, two at once, and beside a run: all of one or nothing of it."""

from __future__ import annotations

from typing import Any

import pytest
from closed_shop import FEBRUARY, JANUARY, MILK, ClosedShop, K, on
from fault_process import Fault, Process, holding, start_command, start_run, wait_for
from fault_process import waiting_backend as waiting
from olap_comparison import replay_shop
from oracle_closings import close, reopen
from shop_database import Shop

# What a command does when it is killed is ours to answer, whatever the server's version.
pytestmark = pytest.mark.one_postgres

CLOSE = ("close", JANUARY.isoformat())
REOPEN = ("close", "--reopen", JANUARY.isoformat(), "--reason", "una prueba")
LOCK_CONTROL = "SELECT FROM etl.control FOR UPDATE"


@pytest.fixture
def freight(shop: Shop) -> ClosedShop:
    """A freight of February for the receipt of January, which a closing takes out of it."""
    it = ClosedShop(shop)
    shop.movement("COSTO_ADICIONAL", on(2, 5), MILK, 1, costo_unitario=24, id_origen=it.receipt)
    it.read()
    return it


def closed(it: ClosedShop) -> None:
    """January was closed by a command: the whole OLAP is what that has to leave."""
    it.books = close(replay_shop(it.shop, it.initial, books=it.books, limit=K), K)
    it.frozen.append(it.rows_before(K))
    loaded(it)


def reopened(it: ClosedShop) -> None:
    """The same of a reopening."""
    it.books = reopen(it.books)
    it.frozen.pop()
    loaded(it)


def loaded(it: ClosedShop) -> None:
    """The same of a run, which ends now."""
    (control,) = it.shop.olap_rows("SELECT hasta FROM etl.control")
    it.as_of = control["hasta"]
    it.assert_equal()
    assert "the OLAP equals the OLTP" in it.shop.succeed("verify").stdout


def killed(it: ClosedShop, point: str, command: tuple[str, ...]) -> None:
    """The command dies there, and the server has noticed."""
    fault = Fault(it.shop.folder, point)
    process = start_command(it.shop, *command, fault=fault)
    assert process.wait() < 0 and fault.fired, process.output
    nobody_left(it)


def nobody_left(it: ClosedShop) -> None:
    wait_for("the server notices", lambda: not sessions(it))


def sessions(it: ClosedShop, where: str = "true") -> list[dict[str, Any]]:
    """The pipeline's sessions in the OLAP."""
    return it.shop.olap_rows(
        "SELECT pid FROM pg_stat_activity WHERE datname = %s"
        f" AND application_name = 'pipeline' AND {where}",
        it.shop.olap_name,
    )


def test_killed_anywhere_it_is_done_or_not_at_all(freight: ClosedShop):
    it = freight
    opened = it.figures()
    for point in ("closing", "closed"):
        killed(it, point, CLOSE)
        assert it.figures() == opened
    killed(it, "telling", CLOSE)
    closed(it)
    # What it had done is said at the second try.
    again = it.shop.command(*CLOSE)
    assert again.returncode == 1
    assert "2025-01-31 is closed already, as all up to 2025-01-31 is" in again.stdout
    before = it.figures()
    for point in ("closing", "closed"):
        killed(it, point, REOPEN)
        assert it.figures() == before
    killed(it, "telling", REOPEN)
    reopened(it)
    assert it.figures() == opened
    again = it.shop.command(*REOPEN)
    assert again.returncode == 1
    assert "there is no closing" in again.stdout
    it.shop.succeed(*CLOSE)
    closed(it)


@pytest.mark.parametrize("table", ["dw.kardex", "etl.producto_cerrado", "dw.resumen_mensual"])
def test_a_client_killed_in_its_statement_leaves_nothing_of_it(freight: ClosedShop, table: str):
    """The server goes on to the end of the function, but nobody is there to commit."""
    it = freight
    for command, then in ((CLOSE, closed), (REOPEN, reopened)):
        before = it.figures()
        lock = f"LOCK TABLE {table} IN SHARE MODE"
        with holding(lambda: it.shop.server.connect(it.shop.olap_name), lock):
            process = start_command(it.shop, *command)
            wait_for(f"it waits for {table}", lambda: waiting(it.shop.olap, it.shop.olap_name))
            assert process.kill(), process.output
        nobody_left(it)
        assert it.figures() == before
        it.shop.succeed(*command)
        then(it)


def test_of_two_at_once_one_closes(freight: ClosedShop):
    it = freight
    with holding(lambda: it.shop.server.connect(it.shop.olap_name), LOCK_CONTROL):
        both = [start_command(it.shop, *CLOSE) for _ in range(2)]
        wait_for("both wait", lambda: len(sessions(it, "wait_event_type = 'Lock'")) == 2)
    assert sorted(process.wait() for process in both) == [0, 1]
    (refused,) = (process for process in both if process.wait())
    assert "2025-01-31 is closed already" in refused.output
    closed(it)


def test_of_two_days_at_once_the_later_one_holds(freight: ClosedShop):
    """Whichever is first, the chain is whole."""
    it = freight
    with holding(lambda: it.shop.server.connect(it.shop.olap_name), LOCK_CONTROL):
        january, february = (
            start_command(it.shop, "close", day.isoformat()) for day in (JANUARY, FEBRUARY)
        )
        wait_for("both wait", lambda: len(sessions(it, "wait_event_type = 'Lock'")) == 2)
    assert february.wait() == 0, february.output
    assert january.wait() == 0 or "2025-01-31 is closed already" in january.output
    days = [row["dia"] for row in it.shop.olap_rows("SELECT dia FROM dw.cierre ORDER BY dia")]
    assert days == ([JANUARY] if january.wait() == 0 else []) + [FEBRUARY]
    assert "the OLAP equals the OLTP" in it.shop.succeed("verify").stdout


def paused_run(it: ClosedShop, point: str) -> tuple[Fault, Process]:
    """A run that has read a receipt of January, and stands there."""
    it.shop.receipt(on(1, 10), (MILK, 60, 16))
    fault = Fault(it.shop.folder, point, "pause")
    process = start_run(it.shop, fault=fault)
    fault.wait_until_paused(process)
    return fault, process


def test_beside_a_load_it_waits_and_closes_what_that_brought(freight: ClosedShop):
    it = freight
    fault, run = paused_run(it, "copied")
    closing = start_command(it.shop, *CLOSE)
    wait_for("it waits for the load", lambda: waiting(it.shop.olap, it.shop.olap_name))
    fault.go_on()
    assert run.wait() == 0, run.output
    assert closing.wait() == 0, closing.output
    assert it.month(1)["unidades_recibidas"] == 180
    closed(it)


@pytest.mark.parametrize("with_freight", [True, False])
def test_what_was_read_before_a_closing_is_late_after_it(shop: Shop, with_freight: bool):
    """Whether or not the closing values anything, so that the window is read again."""
    it = ClosedShop(shop)
    if with_freight:
        shop.movement("COSTO_ADICIONAL", on(2, 5), MILK, 1, costo_unitario=24, id_origen=it.receipt)
        it.read()
    fault, run = paused_run(it, "opening")
    shop.succeed(*CLOSE)
    # The oracle has to close without what nobody had loaded.
    shop.till("UPDATE transacciones SET anulada = true WHERE fecha = %s", on(1, 10))
    it.books = close(replay_shop(shop, it.initial, books=it.books, limit=K), K)
    it.frozen.append(it.rows_before(K))
    shop.till("UPDATE transacciones SET anulada = false WHERE fecha = %s", on(1, 10))
    fault.go_on()
    assert run.wait() == 0, run.output
    assert it.month(1)["unidades_recibidas"] == 120
    it.run()
    loaded(it)


def test_what_was_read_before_a_reopening_is_in_its_month(freight: ClosedShop):
    it = freight
    it.close()
    fault, run = paused_run(it, "opening")
    it.shop.succeed(*REOPEN)
    fault.go_on()
    assert run.wait() == 0, run.output
    assert it.month(1)["unidades_recibidas"] == 180
    reopened(it)
