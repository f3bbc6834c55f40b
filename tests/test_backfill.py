"""Backfill: killed and resumed, beside the normal schedule, and equal to the replay."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from fault_process import Fault, Process, start_luigi
from fault_shop import days_ago, now, run_quickly, settle, stock
from olap_comparison import assert_olap_equals_replay
from shop_database import Shop

BACK = 40  # days


def past(shop: Shop) -> tuple[datetime, datetime]:
    """A shop with more history than its scope; returns the initial date, and the earlier one."""
    initial = stock(shop, sales=30)
    since = initial - timedelta(days=BACK)
    for day in range(BACK):
        moment = since + timedelta(days=day, hours=9)
        shop.sale(moment, (1, 2, 5), (2, 1, Decimal("7.5")), id_sucursal=1)
        if day % 7 == 0:
            shop.receipt(moment, (1, 20, Decimal("1.10")), (2, 9, 2), (99, 1, 1))
    return initial, since


def start(shop: Shop, since: datetime, fault: Fault | None = None) -> Process:
    """`luigi --module pipeline Backfill`, in pieces of some ten movements."""
    arguments = ("Backfill", "--since", since.date().isoformat(), "--local-scheduler")
    # FAULT_PIECE is only looked at where the hook is installed.
    fault = fault or Fault(shop.folder, "")
    return start_luigi(shop, *arguments, fault=fault, FAULT_PIECE="10")


POINTS = [
    "before:plan.json",
    "after:plan.json",
    "piece:3",
    "before:piece-0002.json",
    "after:piece-0004.json",
    "merge:1",
    "merge:4",
    "merged",
    "refresh:2",
]


@pytest.mark.parametrize("point", POINTS)
def test_a_backfill_killed_anywhere_is_resumed(shop: Shop, point: str):
    initial, since = past(shop)
    settle(shop, initial)
    fault = Fault(shop.folder, point)
    process = start(shop, since, fault)
    assert process.wait() < 0 and fault.fired, process.output
    # The normal schedule goes on meanwhile, and so does the shop.
    settle(shop, since if point == "refresh:2" else initial)
    shop.sale(now(), (1, 1, 5))
    shop.sale(since + timedelta(days=2, hours=1), (2, 1, 6))
    shop.correct_line(70, cantidad=5)
    process = start(shop, since)
    assert process.wait() == 0, process.output
    settle(shop, since)
    if point == "after:piece-0004.json":
        assert "history piece 4 " not in process.output
    assert start(shop, since).wait() == 0
    settle(shop, since)


def test_a_backfill_beside_the_schedule_harms_nothing(shop: Shop):
    """While its pieces are read, documents change from one piece to another and a window runs."""
    initial, since = past(shop)
    settle(shop, initial)
    fault = Fault(shop.folder, "before:piece-0003.json", "pause")
    process = start(shop, since, fault)
    fault.wait_until_paused(process)
    cursor = shop.oltp.cursor()
    cursor.execute(
        "SELECT d.id_detalle FROM detalle_transaccion AS d JOIN transacciones AS t"
        " USING (id_transaccion) WHERE t.fecha < %s ORDER BY t.fecha",
        (initial,),
    )
    lines = [line for (line,) in cursor]
    early, late = lines[2], lines[-2]
    shop.correct_document(early, fecha=initial - timedelta(hours=3))  # read, moves ahead
    shop.correct_document(late, fecha=since + timedelta(hours=3))  # not read, moves back
    shop.correct_document(lines[5], fecha=now())  # into the scope
    shop.correct_line(lines[6], id_producto=3)
    shop.correct_document(lines[9], anulada=True)
    shop.correct_document(2, fecha=since + timedelta(days=1))  # out of the scope
    settle(shop, initial)
    fault.go_on()
    assert process.wait() == 0, process.output
    settle(shop, since)


def leave_room_before_the_end(shop: Shop) -> None:
    """As autovacuum may leave etl.etapa: rows find room near its end, then in its first page."""
    with shop.olap.cursor() as cursor:
        cursor.execute(
            "INSERT INTO etl.etapa (id_movimiento, tipo) SELECT n, repeat('x', 60)"
            " FROM generate_series(1, 1000) AS n"
        )
        cursor.execute("SELECT max((ctid::text::point)[0]) - 1 FROM etl.etapa")
        ((last,),) = cursor
        cursor.execute(
            "DELETE FROM etl.etapa WHERE (ctid::text::point)[0] IN (0, %s)"
            " AND (ctid::text::point)[1] < 30",
            (last,),
        )
        cursor.execute("VACUUM etl.etapa")
    # The room is given out by turns.
    with closing(shop.server.connect(shop.olap_name)) as other, other.cursor() as cursor:
        cursor.execute("INSERT INTO etl.etapa (id_movimiento) VALUES (0) RETURNING ctid::text")
        assert cursor.fetchall() == [("(0,1)",)]


def test_of_a_movement_in_two_pieces_the_later_read_counts(shop: Shop):
    initial, since = past(shop)
    (line,) = shop.sale(since + timedelta(hours=8), (1, 1, 5))
    settle(shop, initial)
    leave_room_before_the_end(shop)
    fault = Fault(shop.folder, "before:piece-0001.json", "pause")
    process = start(shop, since, fault)
    fault.wait_until_paused(process)
    later = initial - timedelta(days=12)
    shop.correct_document(line, fecha=later)
    fault.go_on()
    assert process.wait() == 0, process.output
    booked = shop.olap_rows("SELECT fecha FROM dw.kardex WHERE id_movimiento = %s", line)
    assert [row["fecha"] for row in booked] == [later]
    settle(shop, since)


def test_a_window_that_is_under_way_is_read_again_after_a_merge(shop: Shop):
    initial, since = past(shop)
    settle(shop, initial)
    # Read for the old scope; loaded as it is, it would miss what is earlier.
    shop.sale(since + timedelta(days=3), (3, 1, 5))
    shop.sale(now(), (3, 1, 5))
    fault = Fault(shop.folder, "opening", "pause")
    run = start_luigi(shop, "RunDue", "--local-scheduler", fault=fault)
    fault.wait_until_paused(run)
    assert start(shop, since).wait() == 0
    fault.go_on()
    assert run.wait() == 0 and "reading again" in run.output, run.output
    settle(shop, since)


def test_the_history_is_read_anew_after_a_restore(shop: Shop):
    """Pieces of a past that is gone are not merged."""
    initial, since = past(shop)
    settle(shop, initial)
    process = start(shop, since, Fault(shop.folder, "after:piece-0003.json"))
    assert process.wait() < 0, process.output
    shop.till("DELETE FROM detalle_transaccion WHERE id_detalle = 100")
    shop.till("VACUUM FULL detalle_transaccion")
    process = start(shop, since)
    assert process.wait() == 0, process.output
    assert "the history is read anew" in process.output
    settle(shop, since)


def test_a_backfill_does_not_forget_that_everything_must_be_read(shop: Shop):
    """An opening moved to an earlier date asks for a full read; the merge must leave it asked."""
    initial, since = past(shop)
    settle(shop, initial)
    count(shop, 30, days_ago(5))
    run_quickly(shop)
    count(shop, 40, days_ago(15))
    process = start(shop, since)
    assert process.wait() == 0, process.output
    settle(shop, since)


def count(shop: Shop, units: int, moment: datetime) -> None:
    """An opening balance of product 1 at that moment."""
    path = shop.folder / "conteo.csv"
    path.write_text(
        f"id_producto,existencias,costo_promedio,fecha\n1,{units},2,{moment.isoformat()}\n"
    )
    shop.succeed("opening", str(path), "--drop-earlier")


def test_two_backfills_at_once(shop: Shop):
    initial, since = past(shop)
    settle(shop, initial)
    fault = Fault(shop.folder, "before:piece-0002.json", "pause")
    first = start(shop, since, fault)
    fault.wait_until_paused(first)
    second = start(shop, since)
    shorter = start(shop, since + timedelta(days=10))
    assert shorter.wait() == 0, shorter.output
    fault.go_on()
    codes = {first.wait(), second.wait()}
    assert codes <= {0, 30}, first.output + second.output
    settled = start(shop, since)
    assert settled.wait() == 0, settled.output
    run_quickly(shop)
    assert_olap_equals_replay(shop, since)
    assert len(shop.olap_rows("SELECT FROM etl.control WHERE desde_inicial = %s", since)) == 1
