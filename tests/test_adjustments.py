"""ETL_STOCK_DIFFERENCES=adjust: what is not the shop's own stock is booked, and stays right."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from adjusting_shop import CHEESE, DAY, INITIAL, MILK, SCREWS, AdjustingShop
from oracle_closings import end_of_day
from property_shop import folders
from shop_database import Shop
from test_documents import BEFORE, HEADER, rewrite

from pipeline.run import backfill
from pipeline.run.news import passed_on
from pipeline.state.request import Request

pytestmark = pytest.mark.one_postgres

NEW, UNDOES = False, True


@pytest.fixture
def it(shop: Shop) -> AdjustingShop:
    """A shop that bought 10 of milk at 5 on its first day, and says that it has them."""
    it = AdjustingShop(shop)
    shop.receipt(INITIAL + 0.5 * DAY, (MILK, 10, 5))
    it.level(MILK, 10)
    it.read(1)
    assert it.booked() == []
    return it


def test_what_only_the_shop_knows_is_booked_at_the_snapshot(it: AdjustingShop):
    it.level(MILK, 7)
    it.read(3)
    it.level(MILK, 9)
    it.level(SCREWS, "2.5")
    it.read(4)
    assert it.booked() == [
        (MILK, None, -3, 3, NEW),
        (MILK, None, 2, 4, NEW),
        (SCREWS, None, Decimal("2.5"), 4, NEW),
    ]
    assert [it.stock(MILK, day) for day in (2.9, 3, 4)] == [10, 7, 9]
    # A window that finds nothing new books nothing.
    it.read(5)
    assert len(it.booked()) == 3
    assert it.clean()


def test_what_is_typed_late_moves_both_and_needs_no_new_one(it: AdjustingShop):
    it.level(MILK, 7)
    it.read(3)
    it.shop.sale(INITIAL + 2 * DAY, (MILK, 2, 9))
    it.level(MILK, 5)
    it.read(4)
    assert it.booked() == [(MILK, None, -3, 3, NEW)]
    assert it.stock(MILK, 4) == 5


def test_what_is_told_by_branch_is_booked_there(it: AdjustingShop):
    it.level(MILK, None)
    it.level(MILK, 4, 1)
    it.level(MILK, 10, 0)
    it.read(2)
    assert it.booked() == [(MILK, 1, 4, 2, NEW)]
    # A branch that the shop does not name stays what it is, and is shown.
    it.level(MILK, None, 0)
    it.level(MILK, 3, 1)
    it.read(3)
    assert it.booked()[1:] == [(MILK, 1, -1, 3, NEW)]
    assert it.stock(MILK, 3, 0) == 10


def test_what_was_booked_of_the_whole_goes_back_where_it_is_told_by_branch(it: AdjustingShop):
    it.shop.receipt(INITIAL + 1.5 * DAY, (SCREWS, 10, 5), id_sucursal=1)
    it.level(SCREWS, 7)
    it.read(2)
    it.level(SCREWS, None)
    it.level(SCREWS, 7, 1)
    it.read(3)
    first, back = (SCREWS, None, -3, 2, NEW), (SCREWS, None, 3, 3, NEW)
    assert it.booked() == [first, (SCREWS, 1, -3, 3, NEW), back]
    assert [it.stock(SCREWS, day) for day in (2, 3)] == [7, 7]
    assert not it.shop.olap_rows("SELECT FROM dw.v_diferencias_existencias")
    it.read(4)
    # As a whole again it is what it is, and is no more than that.
    it.level(SCREWS, None, 1)
    it.level(SCREWS, 6)
    it.read(5)
    assert it.booked()[3:] == [(SCREWS, None, -1, 5, NEW)]
    # What a count of what has no branch took is not there to go back.
    it.shop.branch(0)
    it.shop.movement("CONTEO", INITIAL + 5.5 * DAY, SCREWS, 0, id_sucursal=0)
    it.level(SCREWS, None)
    it.level(SCREWS, 7, 1)
    it.read(6)
    assert len(it.booked()) == 4
    assert it.stock(SCREWS, 6) == 7
    assert it.clean()


def test_what_the_shop_does_not_name_is_never_set_to_nothing(it: AdjustingShop):
    it.level(MILK, None)
    it.level(CHEESE, 1)
    it.read(2)
    assert it.booked() == [(CHEESE, None, 1, 2, NEW)]
    assert it.stock(MILK, 2) == 10


def test_what_waits_as_a_reject_is_taken_off(it: AdjustingShop):
    # A receipt without its cost, which the shop has counted.
    (waits,) = it.shop.receipt(INITIAL + 1.5 * DAY, (MILK, 5, None))
    it.level(MILK, 14)
    it.read(2)
    # One is missing beside what waits: nothing is booked that a reject explains.
    assert it.booked() == []
    it.level(MILK, 18)
    it.read(3)
    assert it.booked() == [(MILK, None, 3, 3, NEW)]
    it.shop.correct_line(waits, costo_unitario=5)
    it.read(4)
    assert it.booked() == [(MILK, None, 3, 3, NEW)]
    assert it.stock(MILK, 4) == 18


def test_a_reject_that_the_shop_corrects_undoes_what_stood_for_it(it: AdjustingShop):
    (sale,) = it.shop.sale(INITIAL + 1.5 * DAY, (MILK, 4, 9))
    it.level(MILK, 6)
    it.read(2)
    # It waits, and of what product nobody knows.
    it.shop.correct_line(sale, id_producto=None)
    it.read(3)
    assert it.booked() == [(MILK, None, -4, 3, NEW)]
    it.shop.correct_line(sale, id_producto=MILK)
    it.read(4)
    assert it.booked() == [(MILK, None, -4, 3, NEW), (MILK, None, 4, 3, UNDOES)]
    assert [it.stock(MILK, day) for day in (2, 3, 4)] == [6, 6, 6]
    assert it.clean()


def test_of_what_waits_without_a_quantity_nothing_is_booked(it: AdjustingShop):
    it.shop.receipt(INITIAL + 1.5 * DAY, (MILK, None, 5))
    it.level(MILK, 14)
    it.read(2)
    assert it.booked() == []


def test_of_what_goes_nobody_knows_where_no_branch_is_booked(it: AdjustingShop):
    it.shop.movement("TRASLADO", INITIAL + 1.5 * DAY, MILK, 4)
    it.level(MILK, None)
    it.level(MILK, 7, 0)
    it.level(MILK, 3, 1)
    it.read(2)
    assert it.booked() == []
    # The whole of it stays what it is.
    it.level(MILK, None, 0)
    it.level(MILK, None, 1)
    it.level(MILK, 9)
    it.read(3)
    assert it.booked() == [(MILK, None, -1, 3, NEW)]


def test_a_deleted_sale_that_repair_takes_out_undoes_what_stood_for_it(it: AdjustingShop):
    (sale,) = it.shop.sale(INITIAL + 1.5 * DAY, (MILK, 4, 9))
    it.level(MILK, 6)
    it.read(2)
    it.level(MILK, 26)
    it.read(3)
    # The till deletes the sale, and puts its goods back; then 1 breaks.
    it.shop.till("DELETE FROM detalle_transaccion WHERE id_detalle = %s", sale)
    it.level(MILK, 30)
    it.read(4, unseen=True)
    it.level(MILK, 29)
    it.read(5, unseen=True)
    booked = [(MILK, None, 20, 3, NEW), (MILK, None, 4, 4, NEW), (MILK, None, -1, 5, NEW)]
    assert it.booked() == booked
    it.repair(6)
    # The latest first: of the 4, and not of the 20 that came.
    assert it.booked() == [*booked, (MILK, None, -4, 4, UNDOES)]
    assert [it.stock(MILK, day) for day in (2, 3, 4, 5, 6)] == [10, 30, 30, 29, 29]
    assert it.clean()


def test_what_a_window_finds_deleted_undoes_what_stood_for_it(it: AdjustingShop):
    (sale,) = it.shop.sale(INITIAL + 1.5 * DAY, (MILK, 4, 9))
    it.level(MILK, 6)
    it.read(2)
    it.shop.till("DELETE FROM detalle_transaccion WHERE id_detalle = %s", sale)
    it.level(MILK, 10)
    it.read(2.5, unseen=True)
    it.shop.env["ETL_DELETED_HOURS"] = "24"
    it.read(4)
    assert it.booked() == [(MILK, None, 4, 2.5, NEW), (MILK, None, -4, 2.5, UNDOES)]
    assert [it.stock(MILK, day) for day in (2, 2.5, 4)] == [10, 10, 10]
    # Ours are not looked for.
    it.level(MILK, 9)
    it.read(5)
    it.read(7)
    receipt = max(Path(it.shop.env["ETL_STATE_DIR"]).glob("*/extract.json"))
    assert json.loads(receipt.read_text())["revisados"] == []
    assert it.stock(MILK, 7) == 9


@pytest.fixture
def documented(it: AdjustingShop) -> AdjustingShop:
    """It, of whose lines is said which document they are of."""
    query = it._queries() / "movimientos.sql"
    text = query.read_text(encoding="utf-8")
    query.write_text(text.replace(BEFORE, HEADER + BEFORE), encoding="utf-8")
    it.documents = True
    it.read(1.1)
    return it


def test_a_line_that_its_document_lost_undoes_what_stood_for_it(documented: AdjustingShop):
    it = documented
    sale, other = it.shop.sale(INITIAL + 1.5 * DAY, (MILK, 4, 9), (SCREWS, 1, 1))
    it.level(MILK, 6)
    it.read(2)
    it.shop.till("DELETE FROM detalle_transaccion WHERE id_detalle = %s", sale)
    it.level(MILK, 10)
    it.read(3, unseen=True)
    # A window learns of it when another line of that sale is corrected.
    it.shop.correct_line(other, precio_unitario=2)
    it.read(4)
    assert it.booked() == [(MILK, None, 4, 3, NEW), (MILK, None, -4, 3, UNDOES)]
    assert [it.stock(MILK, day) for day in (2, 3, 4)] == [10, 10, 10]
    assert it.clean()


def test_what_breaks_in_the_window_of_a_deletion_is_no_undoing(documented: AdjustingShop):
    it = documented
    sale, other = it.shop.sale(INITIAL + 1.5 * DAY, (MILK, 4, 9), (SCREWS, 1, 1))
    it.level(MILK, 26)
    it.read(2)
    # The till takes the 4 back; of what it has then, 1 breaks.
    it.shop.till("DELETE FROM detalle_transaccion WHERE id_detalle = %s", sale)
    it.shop.correct_line(other, precio_unitario=2)
    it.level(MILK, 29)
    it.read(3)
    assert it.booked() == [(MILK, None, 20, 2, NEW), (MILK, None, -1, 3, NEW)]
    assert [it.stock(MILK, day) for day in (2, 3)] == [30, 29]
    assert it.clean()


def test_of_two_deletions_the_one_that_was_booked_is_undone(documented: AdjustingShop):
    it = documented
    four, ten, other = it.shop.sale(
        INITIAL + 1.5 * DAY, (MILK, 4, 9), (MILK, 10, 9), (SCREWS, 1, 1)
    )
    it.level(MILK, 6)
    it.read(2)
    it.shop.till("DELETE FROM detalle_transaccion WHERE id_detalle = %s", four)
    it.level(MILK, 10)
    it.read(3, unseen=True)
    it.shop.till("DELETE FROM detalle_transaccion WHERE id_detalle = %s", ten)
    it.shop.correct_line(other, precio_unitario=2)
    it.level(MILK, 20)
    it.read(4)
    assert it.booked() == [
        (MILK, None, 10, 2, NEW),
        (MILK, None, 4, 3, NEW),
        (MILK, None, -4, 3, UNDOES),
    ]
    assert it.clean()


def test_what_breaks_while_a_document_is_rewritten_is_no_undoing(documented: AdjustingShop):
    it = documented
    (sale,) = it.shop.sale(INITIAL + 1.5 * DAY, (MILK, 4, 9))
    it.level(MILK, 8)
    it.read(2)
    rewrite(it.shop, sale)
    it.level(MILK, 7)
    it.read(3)
    assert it.booked() == [(MILK, None, 2, 2, NEW), (MILK, None, -1, 3, NEW)]
    assert [it.stock(MILK, day) for day in (2, 3)] == [8, 7]


def test_what_breaks_is_no_undoing(it: AdjustingShop):
    it.level(MILK, 30)
    it.read(2)
    it.level(MILK, 28)
    it.read(3)
    assert it.booked() == [(MILK, None, 20, 2, NEW), (MILK, None, -2, 3, NEW)]
    assert it.stock(MILK, 2) == 30


def test_a_type_that_is_carried_later_undoes_what_stood_for_it(it: AdjustingShop):
    it.shop.movement("PRODUCCION", INITIAL + 1.5 * DAY, MILK, 12, costo_unitario=4)
    it.level(MILK, 22)
    it.read(2)
    it.level(MILK, 21)
    it.read(3)
    it.shop.till("UPDATE transacciones SET tipo = 'ENTRADA_MERCANCIA' WHERE tipo = 'PRODUCCION'")
    it.read(4, Request(everything=True))
    assert it.booked() == [
        (MILK, None, 12, 2, NEW),
        (MILK, None, -1, 3, NEW),
        (MILK, None, -12, 2, UNDOES),
    ]
    assert [it.stock(MILK, day) for day in (1.4, 1.5, 2, 3)] == [10, 22, 22, 21]
    (month,) = it.shop.olap_rows("SELECT mermas FROM dw.resumen_mensual WHERE mes = '2025-03-01'")
    # One of 22, of which 10 cost 5 and 12 cost 4: what it left of 98 is 21 at 4.454545.
    assert month["mermas"] == Decimal("4.454555")


def test_an_opening_that_is_given_later_undoes_what_stood_for_it(it: AdjustingShop):
    it.level(MILK, 25)
    it.read(2)
    it.give_opening(MILK, {0: Decimal(15)}, Decimal(4), None)
    it.read(3)
    assert it.booked() == [(MILK, None, 15, 2, NEW), (MILK, None, -15, 2, UNDOES)]
    assert [it.stock(MILK, day) for day in (1, 2, 3)] == [10, 10, 10]
    assert it.clean()


def test_earlier_history_undoes_what_stood_for_it(it: AdjustingShop):
    it.shop.receipt(INITIAL - 2 * DAY, (MILK, 7, 4))
    it.level(MILK, 17)
    it.read(2)
    it.level(MILK, 16)
    it.read(3)
    with it.settings() as settings:
        backfill.backfill(settings, INITIAL - 3 * DAY)
    it.initial = INITIAL - 3 * DAY
    it.read(4)
    assert it.booked() == [
        (MILK, None, 7, 2, NEW),
        (MILK, None, -1, 3, NEW),
        (MILK, None, -7, 2, UNDOES),
    ]
    assert [it.stock(MILK, day) for day in (-1, 1, 2, 3)] == [7, 17, 17, 16]


def test_earlier_history_brings_along_those_that_were_imported_of_it(shop: Shop, tmp_path: Path):
    it = AdjustingShop(shop)
    it.back_up()
    shop.receipt(INITIAL + 0.5 * DAY, (MILK, 10, 5))
    it.level(MILK, 7)
    it.read(3)
    file = tmp_path / "ajustes.csv"
    shop.succeed("adjustments", "--output", str(file))
    # Another OLAP, that begins later.
    it.restore()
    it.initial = INITIAL + 5 * DAY
    shop.env["ETL_INITIAL_SINCE"] = it.initial.isoformat()
    said = json.loads(shop.succeed("adjustments", "--import", str(file), "--json").stdout)
    assert said == {"taken": 1, "ledger": 0}
    it.read(6)
    first, begins = (MILK, None, -3, 3, NEW), (MILK, None, 7, 6, NEW)
    assert it.booked() == [first, begins]
    with it.settings() as settings:
        backfill.backfill(settings, INITIAL)
    it.initial = INITIAL
    assert it.clean()
    it.read(6.1)
    assert it.booked() == [first, begins, (MILK, None, -7, 6, UNDOES)]
    assert [it.stock(MILK, day) for day in (1, 3, 6, 7)] == [10, 7, 7, 7]
    assert it.clean()


def test_of_a_closed_period_it_is_undone_at_its_end(it: AdjustingShop):
    it.shop.movement("PRODUCCION", INITIAL + 1.5 * DAY, MILK, 3, costo_unitario=4)
    it.level(MILK, 14)
    it.read(2)
    assert it.booked() == [(MILK, None, 4, 2, NEW)]
    it.read(40)
    end = end_of_day((INITIAL + 30 * DAY).date(), "UTC")
    it.close_books(end)
    it.assert_right()
    it.shop.till("UPDATE transacciones SET tipo = 'ENTRADA_MERCANCIA' WHERE tipo = 'PRODUCCION'")
    it.read(41, Request(everything=True))
    assert it.booked()[1:] == [(MILK, None, -3, 2, UNDOES)]
    bookings = "SELECT capa, variacion, fecha FROM dw.kardex WHERE id_movimiento < 0 ORDER BY capa"
    assert values(it.shop.olap_rows(bookings)) == [
        (0, 4, INITIAL + 2 * DAY),
        (1, -4, end),
        (2, 1, end),
    ]
    assert it.clean()
    it.reopen_books()
    it.assert_right()
    assert values(it.shop.olap_rows(bookings)) == [(0, 1, INITIAL + 2 * DAY)]
    assert [it.stock(MILK, day) for day in (1.5, 2, 41)] == [13, 14, 14]
    assert it.clean()


def test_what_was_counted_since_is_not_undone(it: AdjustingShop):
    (sale,) = it.shop.sale(INITIAL + 1.5 * DAY, (MILK, 4, 9))
    it.level(MILK, 6)
    it.read(2)
    it.shop.till("DELETE FROM detalle_transaccion WHERE id_detalle = %s", sale)
    it.level(MILK, 10)
    it.read(3, unseen=True)
    it.shop.movement("CONTEO", INITIAL + 4 * DAY, MILK, 10)
    it.read(5, unseen=True)
    it.repair(6)
    assert it.booked() == [(MILK, None, 4, 3, NEW)]
    assert it.stock(MILK, 6) == 10


def test_a_count_to_come_is_waited_for(it: AdjustingShop):
    it.shop.movement("CONTEO", INITIAL + 2.5 * DAY, MILK, 8)
    it.level(MILK, 6)
    it.read(2)
    assert it.booked() == []
    it.read(3)
    assert it.booked() == [(MILK, None, -2, 3, NEW)]


def test_what_a_product_begins_with_is_no_surplus(it: AdjustingShop):
    # At its cost of reference, none.
    it.level(SCREWS, 8)
    it.level(MILK, 11)
    it.read(2)
    rows = it.shop.olap_rows(
        "SELECT id_producto, unidades_merma, unidades_recibidas FROM dw.resumen_mensual"
        " ORDER BY id_producto"
    )
    assert [tuple(row.values()) for row in rows] == [(MILK, -1, 10), (SCREWS, 0, 0)]
    (day,) = it.shop.olap_rows(
        "SELECT apertura, mermas FROM dw.mv_valor_diario WHERE dia = %s", (INITIAL + 2 * DAY).date()
    )
    assert tuple(day.values()) == (0, -5)


def test_what_has_no_stock_is_not_booked(it: AdjustingShop):
    it.shop.till("UPDATE productos SET inventariable = false WHERE id_producto = %s", SCREWS)
    it.level(SCREWS, 8)
    it.read(2)
    assert it.booked() == []
    it.shop.till("UPDATE productos SET inventariable = true WHERE id_producto = %s", SCREWS)
    it.read(3)
    it.shop.till("UPDATE productos SET inventariable = false WHERE id_producto = %s", SCREWS)
    it.read(4)
    assert it.booked() == [(SCREWS, None, 8, 3, NEW)]
    assert it.clean()


def test_a_product_that_the_catalogue_loses_takes_them_along_and_brings_them_back(
    it: AdjustingShop,
):
    it.level(SCREWS, 8)
    it.read(2)
    it.shop.till("DELETE FROM productos WHERE id_producto = %s", SCREWS)
    it.read(3)
    assert not it.shop.olap_rows("SELECT FROM dw.kardex WHERE id_producto = %s", SCREWS)
    it.shop.product(SCREWS)
    it.read(4)
    assert it.booked() == [(SCREWS, None, 8, 2, NEW)]
    assert it.stock(SCREWS, 4) == 8
    assert it.clean()


def test_a_row_that_moves_branch_is_not_counted_in_both(it: AdjustingShop):
    """With versions an ordinary window would read the new row, and not that the old one is gone."""
    it.versions = None
    it.tell_stock({}, versions=True)
    it.level(MILK, None)
    it.level(MILK, 10, 0)
    it.read(2)
    it.shop.till("UPDATE niveles SET id_sucursal = 1")
    it.read(2.1)
    # Of branch 0 the shop says nothing any more.
    assert it.booked() == [(MILK, 1, 10, 2.1, NEW)]
    assert it.shop.olap_rows("SELECT id_sucursal, tienda FROM dw.v_diferencias_existencias") == [
        {"id_sucursal": 0, "tienda": None}
    ]


def test_reported_again_and_adjusted_again_all_stays_right(it: AdjustingShop):
    it.level(MILK, 7)
    it.read(2)
    it.adjust(False)
    it.level(MILK, 9)
    it.run()
    it.assert_equal()
    assert len(it.booked()) == 1
    assert it.shop.olap_rows("SELECT diferencia FROM dw.v_diferencias_existencias") == [
        {"diferencia": 2}
    ]
    it.adjust(True)
    it.read(4)
    assert it.booked() == [(MILK, None, -3, 2, NEW), (MILK, None, 2, 4, NEW)]


@pytest.mark.parametrize("versions", [True, False], ids=["in part", "whole"])
def test_a_window_that_was_read_under_report_is_right_under_adjust(
    it: AdjustingShop, versions: bool
):
    it.adjust(False)
    it.versions = None
    it.tell_stock({}, versions=versions)
    it.level(MILK, 10)
    it.level(SCREWS, 5)
    it.read(2, unseen=True)
    # Of screws it says nothing any more, which a read of what is new does not see.
    it.level(MILK, 7)
    it.level(SCREWS, None)
    it.run(death="after the read")
    (receipt,) = [path for path in folders(it.shop) if not (path / "load.json").exists()]
    read = json.loads((receipt / "extract.json").read_text())["existencias"]
    assert read["todas"] is not versions
    it.adjust(True)
    it.run()
    assert [row[:3] for row in it.booked()] == [(MILK, None, -3)]
    it.run()
    assert len(it.booked()) == 1
    assert it.clean()


def test_a_shop_with_nothing_new_is_not_passed_where_some_is_to_be_booked(it: AdjustingShop):
    def passes(hours: float) -> bool:
        with it.settings() as settings:
            return passed_on(settings, it.as_of + timedelta(hours=hours))

    it.adjust(False)
    it.versions = None
    it.tell_stock({}, versions=True)
    it.level(MILK, 7)
    it.read(2, unseen=True)
    assert passes(1)
    it.adjust(True)
    assert not passes(2)
    it.read(2.2)
    assert it.booked() == [(MILK, None, -3, 2.2, NEW)]
    # A level that is gone has no version that would tell of it: all are read, always.
    assert not passes(1)
    it.adjust(False)
    assert passes(1)
    # Nor one of which it is time to look what is deleted.
    it.shop.env["ETL_DELETED_HOURS"] = "1"
    assert not passes(2)


@pytest.mark.parametrize("what", ["rebuild", "full read", "verify"])
def test_nothing_takes_them_out(it: AdjustingShop, what: str):
    it.level(MILK, 7)
    it.read(2)
    if what == "rebuild":
        it.read(3, Request(everything=True, rebuild=True))
    elif what == "full read":
        it.read(3, Request(everything=True))
    assert it.booked() == [(MILK, None, -3, 2, NEW)]
    assert it.stock(MILK, 3) == 7
    assert it.clean()
    assert "1 booked, in no OLTP" in it.shop.succeed("status").stdout


def test_a_window_read_twice_books_once(it: AdjustingShop):
    it.level(MILK, 7)
    it.back_up()
    it.read(2)
    (first,) = it.shop.olap_rows("SELECT * FROM dw.ajuste_existencias")
    it.restore()
    it.as_of -= DAY
    it.read(2)
    (second,) = it.shop.olap_rows("SELECT * FROM dw.ajuste_existencias")
    assert first == second


def test_what_was_booked_is_only_added_to(it: AdjustingShop):
    it.level(MILK, 7)
    it.read(2)
    for statement in ("DELETE FROM", "TRUNCATE", "UPDATE"):
        tail = " SET cantidad = 1" if statement == "UPDATE" else ""
        with pytest.raises(Exception, match="is only added to"):
            it.shop.olap.cursor().execute(f"{statement} dw.ajuste_existencias{tail}")


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM dw.kardex WHERE id_movimiento < 0",
        "UPDATE dw.kardex SET id_sucursal = 1 WHERE id_movimiento < 0",
        "UPDATE dw.kardex SET (precio_unitario, impuesto) = (1, 0.18) WHERE id_movimiento < 0",
        "UPDATE dw.kardex SET de_todo = true WHERE id_movimiento < 0",
        "UPDATE dw.kardex SET id_movimiento = id_movimiento - 1 WHERE id_movimiento < 0",
    ],
)
def test_verify_sees_one_that_the_ledger_has_otherwise(it: AdjustingShop, damage: str):
    it.level(MILK, 7)
    it.read(2)
    assert it.clean()
    it.shop.olap.cursor().execute(damage)
    assert not it.clean()


def test_numbers_of_ours_are_refused_from_a_shop(it: AdjustingShop):
    (sale,) = it.shop.sale(INITIAL + 1.5 * DAY, (MILK, 4, 9))
    it.shop.till(
        "UPDATE detalle_transaccion SET id_detalle = -1152921504606846977 WHERE id_detalle = %s",
        sale,
    )
    done = it.shop.run_due()
    assert done.returncode == 30
    (line,) = [
        line for line in done.stdout.splitlines() if " ERROR" in f" {line}" and "failed" in line
    ]
    assert "numbers below -2^60 are those of our own adjustments" in line


def values(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """The rows' values."""
    return [tuple(row.values()) for row in rows]
