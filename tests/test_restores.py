"""An OLTP that is restored, rolled back, failed over, read through a standby, or wrapped."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fault_shop import assert_chain, now, settle, stock
from server_copies import (
    WRAP,
    age_to_the_brink,
    copy_disk,
    dump,
    make_standby,
    move_oltp,
    put_disk_back,
    restore,
    use_up_ids,
    value,
    wait_for_replay,
)
from shop_database import Shop, new_shop
from shop_server import ShopServer


def trade(shop: Shop, sales: int = 3) -> list[int]:
    """Something happens at the till."""
    shop.receipt(now(), (1, 5, 2))
    return [line for n in range(sales) for line in shop.sale(now(), (n % 4 + 1, 1, 7))]


def why_everything(shop: Shop) -> str | None:
    """Why the last window read everything, if it did."""
    (row,) = shop.olap_rows("SELECT motivo_completa FROM etl.corrida ORDER BY numero DESC LIMIT 1")
    return row["motivo_completa"]


def settled(shop: Shop) -> datetime:
    """A shop that was loaded, and again with what is new only; returns the initial date."""
    initial = stock(shop, sales=80)
    settle(shop, initial)
    trade(shop)
    settle(shop, initial)
    assert why_everything(shop) is None
    return initial


def check(shop: Shop, initial: datetime, reason: str | None) -> None:
    """The next run heals everything, for this reason; the one after reads what is new only."""
    trade(shop)
    settle(shop, initial)
    said = why_everything(shop)
    assert said is None if reason is None else said and reason in said, said
    trade(shop)
    settle(shop, initial)
    assert why_everything(shop) is None
    assert_chain(shop)


def test_a_dump_restored_in_place(shop: Shop):
    initial = settled(shop)
    kept = dump(shop.server, shop.oltp_name)
    # These are lost with the restore, and their ids used again.
    trade(shop)
    settle(shop, initial)
    shop.oltp.close()
    restore(shop.server, kept, shop.oltp_name)
    shop.connect()
    check(shop, initial, "was rewritten, truncated or restored")


def test_a_dump_restored_on_a_new_cluster(shop: Shop, new_server: Callable[[], ShopServer]):
    other_server = new_server()
    initial = settled(shop)
    kept = dump(shop.server, shop.oltp_name)
    trade(shop)
    settle(shop, initial)
    other_server.execute("CREATE DATABASE {name}", name=shop.oltp_name)
    restore(other_server, kept, shop.oltp_name)
    move_oltp(shop, other_server)
    check(shop, initial, "another server")


@pytest.mark.parametrize("overtaking", [False, True])
def test_a_machine_rolled_back_to_a_copy_of_its_disk(shop: Shop, overtaking: bool):
    initial = settled(shop)
    copy = copy_disk(shop.server)
    shop.connect()
    trade(shop)
    use_up_ids(shop, 500)
    if overtaking:
        # Many ids are used again, in fewer bytes of WAL.
        shop.till("SELECT pg_logical_emit_message(false, 'relleno', repeat('x', 5000000))")
    settle(shop, initial)
    put_disk_back(shop.server, copy)
    shop.connect()
    trade(shop)
    if overtaking:
        use_up_ids(shop, 900)
    check(shop, initial, "rolled back" if overtaking else "behind the last window's")


def backfill(shop: Shop) -> subprocess.CompletedProcess[str]:
    """Earlier history, without another attempt after a lock."""
    return shop.task("Backfill", "--since", "2020-01-01", ETL_LOCK_TIMEOUT="1")


def test_a_backfill_does_not_hide_that_the_machine_was_rolled_back(shop: Shop):
    initial = settled(shop)
    copy = copy_disk(shop.server)
    shop.connect()
    trade(shop)
    use_up_ids(shop, 500)
    settle(shop, initial)
    put_disk_back(shop.server, copy)
    shop.connect()
    trade(shop)
    # More bytes of WAL than before, in fewer ids.
    shop.till("SELECT pg_logical_emit_message(false, 'relleno', repeat('x', 8000000))")
    refused = backfill(shop)
    assert refused.returncode == 30, refused.stdout
    assert "let RunDue read everything again, then go on with Backfill" in refused.stdout
    check(shop, initial, "behind the last window's")
    assert backfill(shop).returncode == 0
    settle(shop, datetime(2020, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("noticed", [False, True])
def test_pieces_of_a_future_that_is_gone_are_not_merged(shop: Shop, noticed: bool):
    """A window has read everything since they were read, or nothing was read since."""
    initial = settled(shop)
    copy = copy_disk(shop.server)
    shop.connect()
    shop.receipt(initial - timedelta(days=50), (1, 100, 50))
    shop.till("SELECT pg_logical_emit_message(false, 'relleno', repeat('x', 5000000))")
    with shop.olap_server.connect(shop.olap_name) as other:
        other.autocommit = False
        other.cursor().execute("SELECT FROM etl.control FOR UPDATE")
        assert backfill(shop).returncode == 30
    assert list(Path(shop.env["ETL_STATE_DIR"]).glob("backfill-*/piece-*.json"))
    if noticed:
        use_up_ids(shop, 500)
        settle(shop, initial)
    put_disk_back(shop.server, copy)
    shop.connect()
    trade(shop)
    if noticed:
        check(shop, initial, "behind the last window's")
        use_up_ids(shop, 900)
        shop.till("SELECT pg_logical_emit_message(false, 'relleno', repeat('x', 9000000))")
        said = backfill(shop).stdout
        assert "a window read everything, since the history was read" in said
    done = backfill(shop)
    assert done.returncode == 0, done.stdout
    if not noticed:
        assert "the history is read anew" in done.stdout
    settle(shop, datetime(2020, 1, 1, tzinfo=UTC))


def test_a_machine_rolled_back_to_before_a_backfill_read_it(shop: Shop):
    initial = settled(shop)
    copy = copy_disk(shop.server)
    shop.connect()
    shop.receipt(initial - timedelta(days=50), (1, 100, 50))
    shop.till("SELECT pg_logical_emit_message(false, 'relleno', repeat('x', 5000000))")
    assert backfill(shop).returncode == 0
    put_disk_back(shop.server, copy)
    shop.connect()
    trade(shop)
    settle(shop, datetime(2020, 1, 1, tzinfo=UTC))
    assert "rolled back" in str(why_everything(shop))


def test_a_failover_to_a_standby_that_had_lost_the_last_transactions(
    shop: Shop, standby: ShopServer
):
    initial = settled(shop)
    wait_for_replay(shop.server, standby)
    standby.server.stop("fast")
    trade(shop)
    settle(shop, initial)
    primary = shop.server
    primary.server.stop("immediate")
    standby.restart()
    standby.connect("postgres").cursor().execute("SELECT pg_promote(true, 60)")
    move_oltp(shop, standby)
    # The new primary gives out the ids of what was lost, and more.
    trade(shop)
    use_up_ids(shop, 100)
    check(shop, initial, "another timeline")
    primary.restart()


def test_read_through_a_standby(shop: Shop, standby: ShopServer):
    initial = settled(shop)
    primary = shop.server
    user = shop.env["OLTP_DB_USER"]
    for server in (standby, standby, primary, standby):
        trade(shop)
        shop.correct_line(5, cantidad=len(trade(shop)))
        wait_for_replay(primary, standby)
        shop.env |= server.side("OLTP", shop.oltp_name, user)
        settle(shop, initial)
        assert why_everything(shop) is None
    assert_chain(shop)


def test_ids_used_again_after_a_crash_of_the_oltp(shop: Shop):
    """Rolled-back transactions take ids without flushing them; a crash gives them out again."""
    initial = settled(shop)
    shop.server.execute("ALTER SYSTEM SET wal_writer_delay = '10s'")
    shop.server.execute("SELECT pg_reload_conf()")
    for _ in range(60):
        with pytest.raises(ZeroDivisionError), shop.transaction() as cursor:
            shop.document("VENTA", now(), [(1, 1, 1)], cursor=cursor)
            raise ZeroDivisionError
    shop.run()
    shop.server.server.stop("immediate")
    shop.server.restart()
    shop.connect()
    for _ in range(40):
        trade(shop, 1)
    settle(shop, initial)
    settle(shop, initial)
    assert_chain(shop)


def test_transaction_ids_that_wrap(shop: Shop):
    if not (shop.server.server.binaries / "pg_resetwal").exists():
        pytest.skip("this server comes without pg_resetwal")
    initial = settled(shop)
    age_to_the_brink(shop.server)
    shop.connect()
    check(shop, initial, "2^31 transactions ago")
    kept = trade(shop)
    with shop.transaction() as late:
        shop.sale(now(), (2, 1, 7), cursor=late)
        use_up_ids(shop, 20_000)
        settle(shop, initial)
        use_up_ids(shop, 20_000)
        assert value(shop.oltp, "SELECT pg_current_xact_id()::text::bigint") > WRAP
        trade(shop)
        shop.correct_line(kept[0], cantidad=9)
        settle(shop, initial)
        assert why_everything(shop) is None
    check(shop, initial, None)
    for table in ("detalle_transaccion", "transacciones"):
        shop.correct_line(kept[1], cantidad=8)
        shop.till(f"VACUUM (FREEZE) {table}")
        settle(shop, initial)
    assert why_everything(shop) is None


@pytest.fixture
def shop(
    shop_server: ShopServer, new_server: Callable[[], ShopServer], tmp_path: Path
) -> Iterator[Shop]:
    """A shop whose OLTP has a server of its own."""
    with new_shop(tmp_path, new_server(), shop_server) as shop:
        yield shop


@pytest.fixture
def standby(shop: Shop) -> Iterator[ShopServer]:
    """A standby of the shop's OLTP."""
    standby = make_standby(shop.server)
    try:
        yield standby
    finally:
        standby.server.remove()
