"""Locks, sessions that are ended, timeouts, deadlocks: said clearly, or tried again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from fault_failures import SCHEDULING_ERROR, TASK_FAILED, check
from fault_process import Fault, Process, holding, start_run, wait_for, waiting_backend
from fault_shop import OWN, loaded, now, olap_tables, settle, stale, stock
from olap_comparison import assert_olap_equals_replay
from shop_database import Shop
from shop_server import OLAP_USER, OLTP_USER

# Which lock is waited for, and how long, is the same in every version.
pytestmark = pytest.mark.one_postgres


def as_user(shop: Shop, side: str, name: str) -> Callable[[], Any]:
    """How a person with psql, under this application name, connects as the superuser."""
    database = shop.oltp_name if side == "OLTP" else shop.olap_name

    def connect() -> Any:
        connection = shop.server.connect(database)
        connection.cursor().execute("SELECT set_config('application_name', %s, false)", (name,))
        return connection

    return connect


LOCKS = {
    "the control row": "SELECT FROM etl.control FOR UPDATE",
    "the ledger": "LOCK TABLE dw.kardex IN SHARE MODE",
    "a staging table": "LOCK TABLE etl.etapa IN ACCESS EXCLUSIVE MODE",
    "the control table": "LOCK TABLE etl.control IN ACCESS EXCLUSIVE MODE",
}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_held_on_the_olap_is_told_with_its_holder(shop: Shop, lock: str):
    initial = loaded(shop)
    shop.sale(now(), (1, 1, 5))
    with holding(as_user(shop, "OLAP", "psql de Ana"), LOCKS[lock]) as cursor:
        process = start_run(shop, ETL_LOCK_TIMEOUT="1")
        assert process.wait(30) in (TASK_FAILED, SCHEDULING_ERROR), process.output
        pid = cursor.connection.info.backend_pid
        check(process.output, "lock timeout", f"pid {pid}", "application psql de Ana")
    settle(shop, initial)


def test_a_view_of_the_shops_own_that_is_locked_is_told_with_its_holder_and_stops_nothing(
    shop: Shop,
):
    initial = loaded(shop)
    shop.sale(now(), (1, 1, 5))
    with holding(as_user(shop, "OLAP", "psql de Ana"), f"REFRESH MATERIALIZED VIEW {OWN[1]}") as c:
        done = shop.run(ETL_LOCK_TIMEOUT="1")
        pid = c.connection.info.backend_pid
    (told,) = [line for line in done.stdout.splitlines() if f"{OWN[1]}: " in line]
    check(told, "lock timeout", f"pid {pid}", "application psql de Ana")
    assert f"refreshed {len(OWN) - 1} of {len(OWN)} views" in done.stdout
    assert stale(shop) == [OWN[1].removeprefix("dw.")]
    settle(shop, initial)


def test_a_reader_of_the_whole_olap_holds_nothing_up(shop: Shop):
    """As pg_dump does: an ACCESS SHARE lock on every table."""
    initial = loaded(shop)
    shop.sale(now(), (1, 1, 5))
    tables = ", ".join(t for t in olap_tables(shop) if not t.startswith("dw.mv_"))
    with holding(as_user(shop, "OLAP", "pg_dump"), f"LOCK TABLE {tables} IN ACCESS SHARE MODE"):
        shop.run(ETL_LOCK_TIMEOUT="1")
    assert_olap_equals_replay(shop, initial)


def blocked_run(shop: Shop, side: str) -> Process:
    """A run that waits in a statement for a lock that the caller holds."""
    process = start_run(shop)
    database = shop.oltp_name if side == "OLTP" else shop.olap_name
    wait_for(
        "the run waits for the lock",
        lambda: waiting_backend(shop.olap, database) or process.ended,
    )
    assert not process.ended, process.output
    return process


BLOCKS = {
    "OLTP": "LOCK TABLE detalle_transaccion IN ACCESS EXCLUSIVE MODE",
    "OLAP": "LOCK TABLE dw.inventario IN ACCESS EXCLUSIVE MODE",
}


@pytest.mark.parametrize("side", BLOCKS)
def test_a_session_ended_by_the_administrator_is_tried_again(shop: Shop, side: str):
    initial = stock(shop)
    database = shop.oltp_name if side == "OLTP" else shop.olap_name
    with holding(as_user(shop, side, "admin"), BLOCKS[side]):
        process = blocked_run(shop, side)
        for _ in range(2):
            pid = wait_for("the run waits again", lambda: waiting_backend(shop.olap, database))
            shop.olap.cursor().execute("SELECT pg_terminate_backend(%s, 30000)", (pid,))
    assert process.wait() == 0, process.output
    check(process.output, f"{side}: ", "trying again")
    assert_olap_equals_replay(shop, initial)


@pytest.mark.parametrize(
    "point", ["snapshot", "read", "opening", "opened", "copied", "loaded", "refresh:2"]
)
def test_a_session_ended_between_two_statements_is_tried_again(shop: Shop, point: str):
    initial = stock(shop)
    fault = Fault(shop.folder, point, "terminate")
    process = start_run(shop, fault=fault)
    assert process.wait() == 0 and fault.fired, process.output
    check(process.output, "trying again")
    assert_olap_equals_replay(shop, initial)


@contextmanager
def role_setting(shop: Shop, user: str, setting: str, value: str) -> Iterator[None]:
    """ALTER ROLE … SET, as an administrator does it, taken back afterwards."""
    shop.server.execute(f"ALTER ROLE {{user}} SET {setting} = '{value}'", user=user)
    try:
        yield
    finally:
        shop.server.execute(f"ALTER ROLE {{user}} RESET {setting}", user=user)


@pytest.mark.parametrize("side", BLOCKS)
def test_a_statement_timeout_is_a_clear_line(shop: Shop, side: str):
    initial = stock(shop)
    user = OLTP_USER if side == "OLTP" else OLAP_USER
    with (
        role_setting(shop, user, "statement_timeout", "1s"),
        holding(as_user(shop, side, "admin"), BLOCKS[side]),
    ):
        process = blocked_run(shop, side)
        assert process.wait() == TASK_FAILED, process.output
        check(process.output, f"{side}: ", "statement timeout")
    settle(shop, initial)


@pytest.mark.parametrize("side", BLOCKS)
def test_a_side_may_wait_for_the_other_in_its_transaction(shop: Shop, side: str):
    """An owner who lets no session be idle in one for long means those that were forgotten."""
    initial = stock(shop)
    user = OLTP_USER if side == "OLTP" else OLAP_USER
    with role_setting(shop, user, "idle_in_transaction_session_timeout", "1ms"):
        shop.run()
        shop.succeed("verify", "--all")
    assert_olap_equals_replay(shop, initial)


def test_a_deadlock_is_tried_again(shop: Shop):
    initial = stock(shop)
    with (
        # The load is the one that looks for it; ours would wait for ever.
        role_setting(shop, OLAP_USER, "deadlock_timeout", "10s"),
        holding(
            as_user(shop, "OLAP", "admin"),
            "SET LOCAL deadlock_timeout = '1h'",
            BLOCKS["OLAP"],
        ) as cursor,
    ):
        process = blocked_run(shop, "OLAP")
        cursor.execute("SELECT FROM etl.control FOR UPDATE")
    assert process.wait() == 0, process.output
    check(process.output, "deadlock detected", "trying again")
    assert_olap_equals_replay(shop, initial)


def test_a_serialization_failure_is_tried_again(shop: Shop):
    initial = stock(shop)
    with role_setting(shop, OLAP_USER, "default_transaction_isolation", "repeatable read"):
        with holding(
            as_user(shop, "OLAP", "admin"), "UPDATE etl.control SET corridas = corridas"
        ) as cursor:
            process = blocked_run(shop, "OLAP")
            cursor.connection.commit()
        assert process.wait() == 0, process.output
    check(process.output, "could not serialize", "trying again")
    assert_olap_equals_replay(shop, initial)
