"""Examples worked by hand that pin what the oracle says of closed periods."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import replay
from oracle_closings import close, end_of_day, reopen, totals
from oracle_rows import Books, KardexRow, Pricing, Product, Replay, Rules
from oracle_types import (
    ALL_TYPES,
    COUNT,
    CREDIT_NOTE,
    CUSTOMER_RETURN,
    LANDED_COST,
    SALE,
    SUPPLIER_RETURN,
    SURPLUS,
    TRANSFER,
)
from oracle_views import counts, prices
from test_oracle_movements import landed, receipt
from test_oracle_properties import MANY, OPENED, PRODUCTS, RULES, START, histories, movement

DAY = timedelta(days=1)
JUNE, JULY = START + 10 * DAY, START + 20 * DAY
# 10 at 4, and 3 of them sold: 7 of 28 are left when June is closed.
STOCK = [receipt(1, 10, 4), movement(2, SALE, 3, 5)]

Lines = list[dict[str, Any]]


def run(lines: Lines, books: Books | None = None, **rules: Any) -> Replay:
    return replay(lines, PRODUCTS, Rules(START, RULES.snapshot, **rules), OPENED, books)


def closed(lines: Lines, end: datetime = JUNE, books: Books | None = None) -> Books:
    return close(run(lines, books), end)


def told(row: KardexRow) -> tuple[Any, ...]:
    """Day of booking, day of document, number, capa, reverso; and what it did."""
    assert row.fecha_documento is not None
    amounts = (row.variacion, row.costo_total, row.ajuste, *row.state)
    days = (row.fecha - START).days, (row.fecha_documento - START).days
    return (*days, row.id_movimiento, row.capa, row.reverso, *map(float, amounts))


def opened(done: Replay, product: int = 1) -> list[tuple[Any, ...]]:
    """The rows that are not closed."""
    end = done.books.end
    return [told(row) for row in done.ledgers.get(product, []) if end is None or row.fecha >= end]


def changed(lines: Lines, number: int, **columns: Any) -> Lines:
    return [line | columns if line["id_movimiento"] == number else line for line in lines]


def without(lines: Lines, number: int) -> Lines:
    return [line for line in lines if line["id_movimiento"] != number]


def test_the_end_of_a_day_is_the_first_instant_of_the_next():
    assert end_of_day(date(2026, 6, 30), "UTC") == datetime(2026, 7, 1, tzinfo=UTC)
    assert end_of_day(date(2026, 6, 30), "America/Lima") == datetime(2026, 7, 1, 5, tzinfo=UTC)


def test_a_late_receipt_of_a_closed_month_is_booked_at_its_end():
    later = [*STOCK, receipt(3, 5, 10, 2), movement(4, SALE, 2, 12)]
    # 28 + 50 are 12 at 6.50; what is sold afterwards leaves at that.
    assert opened(run(later, closed(STOCK))) == [
        (10, 2, 3, 0, False, 5, 50, 0, 12, 78, 6.5),
        (12, 12, 4, 0, False, -2, 13, 0, 10, 65, 6.5),
    ]


def test_what_is_right_stays_and_what_is_at_the_end_itself_comes_last():
    assert opened(run(STOCK, closed(STOCK))) == []
    at_end = [receipt(3, 1, 4, 10), receipt(4, 1, 4, 9)]
    assert [row[2] for row in opened(run([*STOCK, *at_end], closed(STOCK)))] == [4, 3]


def test_a_corrected_sale_comes_back_at_its_own_cost_and_leaves_at_todays():
    books = closed(STOCK)
    later = [*changed(STOCK, 2, cantidad=Decimal(4)), receipt(3, 7, 6, 2)]
    # The receipt's document is older: 28 + 42 are 14 at 5. The sale's 12 come back, 82 / 17.
    assert opened(run(later, books)) == [
        (10, 2, 3, 0, False, 7, 42, 0, 14, 70, 5),
        (10, 5, 2, 1, True, 3, -12, 0, 17, 82, 4.823529),
        (10, 5, 2, 2, False, -4, 19.294123, 0, 13, 62.705877, 4.823529),
    ]


def test_a_correction_to_an_earlier_date_stands_before_what_it_takes_back():
    assert opened(run(changed(STOCK, 2, fecha=START + 3 * DAY), closed(STOCK))) == [
        (10, 3, 2, 2, False, -3, 12, 0, 4, 16, 4),
        (10, 5, 2, 1, True, 3, -12, 0, 7, 28, 4),
    ]


def test_a_correction_to_a_day_that_is_open_is_booked_there():
    rows = opened(run(changed(STOCK, 2, fecha=START + 12 * DAY), closed(STOCK)))
    assert [row[:5] for row in rows] == [(10, 5, 2, 1, True), (12, 12, 2, 2, False)]


def test_a_correction_to_another_product_is_taken_back_in_the_one_and_booked_in_the_other():
    done = run(changed(STOCK, 2, id_producto=2), closed(STOCK))
    assert opened(done) == [(10, 5, 2, 1, True, 3, -12, 0, 10, 40, 4)]
    assert opened(done, 2) == [(10, 5, 2, 2, False, -3, 7.5, 0, 6, 15, 2.5)]


@pytest.mark.parametrize("gone", [{"anulado": True}, {"tipo": "PROFORMA"}])
def test_a_void_is_its_reversal_alone(gone):
    assert opened(run(changed(STOCK, 2, **gone), closed(STOCK))) == [
        (10, 5, 2, 1, True, 3, -12, 0, 10, 40, 4)
    ]


def test_what_cannot_be_valued_any_more_is_taken_back_and_waits():
    done = run(changed(STOCK, 2, cantidad=None), closed(STOCK))
    assert opened(done) == [(10, 5, 2, 1, True, 3, -12, 0, 10, 40, 4)]
    assert done.motivos == {2: "sin cantidad"}


def test_a_correction_after_a_further_closing_is_of_what_is_booked_then():
    first = closed(STOCK)
    july = [*changed(STOCK, 2, cantidad=Decimal(4))]
    second = closed(july, JULY, first)
    assert opened(run(july, second)) == []
    # As it was at first: 4 came to be booked, they come back, and 3 leave again.
    assert opened(run(STOCK, second)) == [
        (20, 5, 2, 3, True, 4, -16, 0, 10, 40, 4),
        (20, 5, 2, 4, False, -3, 12, 0, 7, 28, 4),
    ]
    void = changed(july, 2, anulado=True)
    third = closed(void, START + 30 * DAY, second)
    assert opened(run(void, third)) == []
    # What was taken back in a closed month comes without another reversal.
    assert [row[:5] for row in opened(run(july, third))] == [(30, 5, 2, 4, False)]


def test_what_the_shop_has_archived_stays_and_what_it_deletes_of_open_days_goes():
    late = receipt(3, 5, 10, 2)
    fresh = movement(4, SALE, 2, 12)
    corrected = changed(STOCK, 2, cantidad=Decimal(4))
    done = run([*corrected, late, fresh], closed(STOCK))
    before = opened(done)
    gone = run([], done.books)
    assert opened(gone) == before[:3]
    assert opened(run([], gone.books)) == before[:3]
    # A void stays one, and what comes back is compared again.
    void = run(changed(STOCK, 2, anulado=True), closed(STOCK))
    assert opened(run([], void.books)) == opened(void)
    assert opened(run(STOCK, gone.books)) == [before[0]]


def test_a_product_that_the_catalogue_lost_keeps_what_is_closed():
    books, catalogue = closed(STOCK), {2: PRODUCTS[2]}
    done = replay([*STOCK, movement(3, SALE, 1, 12)], catalogue, RULES, None, books)
    assert (opened(done), done.motivos) == ([], {3: "producto desconocido"})
    # A correction to a product that was never known is a reject like any.
    other = replay(changed(STOCK, 2, id_producto=9), PRODUCTS, RULES, None, books)
    assert [row[:5] for row in opened(other)] == [(10, 5, 2, 1, True)]
    assert other.motivos == {2: "producto desconocido"}


def test_reopening_books_it_all_in_its_place_again():
    first = closed(STOCK)
    corrected = changed(STOCK, 1, costo_unitario=Decimal(5))
    done = run(corrected, first)
    assert reopen(done.books).end is None
    assert run(corrected, reopen(done.books)).booked == run(corrected).booked
    second = close(done, JULY)
    again = run(corrected, reopen(second))
    assert again.booked == done.booked
    # What is archived of a month that is open again goes as it would have without a closing.
    assert run([], reopen(first)).booked == {}


def test_a_period_is_closed_once_and_in_order():
    books = closed(STOCK)
    with pytest.raises(ValueError, match="not after the last closing"):
        close(run(STOCK, books), JUNE)
    assert totals(books, {}) == (2, 7, 28)
    july = close(run([*STOCK, receipt(3, 1, 2, 12)], books), JULY)
    assert totals(july, {}) == (1, 8, 30)


# At what a row is taken back


def test_a_receipt_leaves_at_what_it_cost_so_far_as_there_is_stock():
    lines = [receipt(1, 10, 4), receipt(2, 10, 6, 1)]
    void = changed(lines, 2, anulado=True)
    assert opened(run(void, closed(lines))) == [(10, 1, 2, 1, True, -10, -60, 0, 10, 40, 4)]
    # 8 are left at 5, of the 10: at the average, below zero, and 10 of the 60 are no cost of them.
    lines.append(movement(3, SALE, 12, 2))
    void = changed(lines, 2, anulado=True)
    assert opened(run(void, closed(lines))) == [(10, 1, 2, 1, True, -10, -60, 10, -2, -10, 5)]
    # Enough units, but 30 - 60 is less than nothing.
    lines = [receipt(1, 10, 6), receipt(2, 20, 0, 1), movement(3, SALE, 15, 2)]
    void = changed(lines, 1, anulado=True)
    assert opened(run(void, closed(lines))) == [(10, 0, 1, 1, True, -10, -60, 40, 5, 10, 2)]


def test_a_return_to_the_supplier_comes_back_at_what_it_took_and_its_gain_goes():
    lines = [
        receipt(1, 10, 5),
        movement(2, SUPPLIER_RETURN, 2, 1, costo_unitario=Decimal(7), id_origen=1),
    ]
    done = run(lines)
    assert told(done.ledgers[1][1])[5:8] == (-2, 14, 4)
    void = run(changed(lines, 2, anulado=True), close(done, JUNE))
    assert opened(void) == [(10, 1, 2, 1, True, 2, -14, -4, 10, 50, 5)]
    sums = [m for (_, product), m in void.by_product_day.items() if product == 1]
    assert sum(m.costo_recibido for m in sums) == 50
    assert sum(m.ajuste for m in sums) == 0


def test_other_reversals_move_the_opposite_way():
    lines = [
        receipt(1, 10, 4, id_sucursal=1),
        movement(2, TRANSFER, 4, 1, id_sucursal=1, id_sucursal_destino=2),
        movement(3, COUNT, 5, 2, id_sucursal=1),
        movement(4, SURPLUS, 2, 3, costo_unitario=Decimal(10), id_sucursal=2),
        movement(5, CREDIT_NOTE, 1, 4, precio_unitario=Decimal(9)),
    ]
    books = closed(lines)
    void = run([lines[0], *({**line, "anulado": True} for line in lines[1:])], books)
    # 9 of 36 and 2 of 20 are closed: 11 of 56.
    assert [row[2:10] for row in opened(void)] == [
        (2, 1, True, 0, 0, 0, 11, 56),
        (3, 1, True, 1, 4, 0, 12, 60),
        (4, 1, True, -2, -20, 0, 10, 40),
        (5, 1, True, 0, 0, 0, 10, 40),
    ]
    assert void.branches == {(1, 0): 0, (1, 1): 10, (1, 2): 0, (2, 0): 4, (2, 1): 5}
    for part in ("venta_neta", "devoluciones", "mermas", "unidades_merma", "unidades_devueltas"):
        assert sum(getattr(m, part) for m in void.by_product_day.values()) == 0
    assert sum(m.costo_recibido for m in void.by_product_day.values()) == 40


# Origins


def test_a_cost_that_names_a_closed_receipt_is_added_where_it_stands():
    books = closed(STOCK)
    cost = [*STOCK, landed(3, 7, 1, 4)]
    assert opened(run(cost, books)) == [(10, 4, 3, 0, False, 0, 7, 0, 7, 35, 5)]
    # A receipt that is corrected takes it: 40 leave, 3 below zero, and 43 + 7 enter: 7 at 5 are
    # left, as if it had always been so, and 3 of that is what the closed sale lacked.
    both = changed(cost, 1, costo_unitario=Decimal("4.3"))
    assert [row[2:8] for row in opened(run(both, books))] == [
        (1, 1, True, -10, -40, 0),
        (1, 2, False, 10, 50, -3),
        (3, 0, False, 0, 0, 0),
    ]
    # Closed on its own it is in the value, and not taken a second time.
    second = closed(cost, JULY, books)
    rows = opened(run(changed(cost, 1, costo_unitario=Decimal(5)), second))
    assert [row[2:7] for row in rows] == [(1, 1, True, -10, -40), (1, 2, False, 10, 50)]


def test_a_cost_inside_its_receipt_leaves_it_or_goes_with_it():
    lines = [receipt(1, 10, 4), landed(2, 10, 1, 1)]
    books = closed(lines)
    assert opened(run(changed(lines, 2, anulado=True), books)) == [
        (10, 1, 2, 1, True, 0, -10, 0, 10, 40, 4)
    ]
    # The corrected receipt takes the closed cost again, and a corrected cost as it is now.
    cheaper = changed(lines, 1, costo_unitario=Decimal(3))
    assert [row[2:7] for row in opened(run(cheaper, books))] == [
        (1, 1, True, -10, -50),
        (1, 2, False, 10, 40),
    ]
    dearer = changed(cheaper, 2, costo_unitario=Decimal(20))
    assert [row[2:7] for row in opened(run(dearer, books))] == [
        (1, 1, True, -10, -50),
        (1, 2, False, 10, 50),
        (2, 1, True, 0, 0),
        (2, 2, False, 0, 0),
    ]


def test_a_cost_that_was_an_expense_takes_nothing_out_of_the_stock():
    lines = [receipt(1, 10, 4), landed(2, 81, 9, 1), receipt(3, 20, 10, 2)]
    # There would be value enough by now, but none of it is that cost's.
    assert opened(run(changed(lines, 2, anulado=True), closed(lines))) == [
        (10, 1, 2, 1, True, 0, -81, 81, 30, 240, 8)
    ]
    small = changed(lines, 2, costo_unitario=Decimal(30))
    assert opened(run(changed(small, 2, anulado=True), closed(small))) == [
        (10, 1, 2, 1, True, 0, -30, 0, 30, 240, 8)
    ]


def test_a_return_is_of_what_stands_of_its_sale():
    books = closed(STOCK)
    back = movement(3, CUSTOMER_RETURN, 1, 12, id_origen=2)
    dear = receipt(4, 7, 8, 11)
    # 28 + 56 are 14 at 6; the closed sale left at 4.
    assert opened(run([*STOCK, dear, back], books))[-1][5:] == (1, 4, 0, 15, 88, 5.866667)
    # A sale that was taken back is none.
    void = changed(STOCK, 2, anulado=True)
    assert opened(run([*void, dear, back], books))[-1][6] == pytest.approx(5.647059)


# Counts


def test_a_late_count_tells_what_there_was_on_its_day():
    # 10 on day 2, of which 8 were found; 3 were sold on day 5.
    late = movement(3, COUNT, 8, 2)
    done = run([*STOCK, late], closed(STOCK))
    assert opened(done) == [(10, 2, 3, 0, False, -2, -8, 0, 5, 20, 4)]
    assert counts(done)[3].esperado == 10
    # Corrected, it is compared with what it had been compared with.
    counted = [*STOCK, movement(3, COUNT, 9, 2)]
    rows = opened(run(changed(counted, 3, cantidad=Decimal(8)), closed(counted)))
    assert [row[2:7] for row in rows] == [(3, 1, True, 1, 4), (3, 2, False, -2, -8)]


def test_a_late_count_finds_nothing_that_a_closed_one_after_it_has_found():
    counted = [*STOCK, movement(3, COUNT, 5, 8)]
    late = [*counted, movement(4, COUNT, 8, 2)]
    assert opened(run(late, closed(counted)))[0][5:9] == (0, 0, 0, 5)
    # One of all has found what is in each branch, but one of another branch has not.
    late_at_one = movement(4, COUNT, 8, 2, id_sucursal=1)
    assert opened(run([*counted, late_at_one], closed(counted)))[0][5:9] == (0, 0, 0, 5)
    at_two = [*STOCK, movement(3, COUNT, 5, 8, id_sucursal=2)]
    assert opened(run([*at_two, late_at_one], closed(at_two)))[0][5:9] == (8, 32, 0, 20)
    # And one that was taken back has found nothing.
    void = changed(late, 3, anulado=True)
    rows = opened(run(void, closed(counted)))
    assert [(row[2], row[5], row[8]) for row in rows] == [(4, -2, 3), (3, 2, 5)]


# Sums


def test_sums_go_by_where_it_is_booked_and_rates_by_the_document():
    rates = {"dated_pricing": [((START + 10 * DAY).date(), None, Pricing(impuesto=Decimal(1)))]}
    sale = [receipt(1, 10, 4), movement(2, SALE, 4, 5, precio_unitario=Decimal(10))]
    late = movement(3, SALE, 1, 6, precio_unitario=Decimal(10))
    books = close(run(sale, **rates), JUNE)
    done = run([*sale, late, movement(4, SALE, 1, 12)], books, **rates)
    sums = {(day - START.date()).days: m for (day, p), m in done.by_product_day.items() if p == 1}
    assert [(day, float(sums[day].venta_neta)) for day in (5, 10, 12)] == [
        (5, 40),
        (10, 10),
        (12, 0.5),
    ]
    assert prices(done)[1].precio_neto == Decimal("0.5")
    # The last sale that stands is the closed one, at the rate of its day.
    void = run([sale[0], sale[1], late | {"anulado": True}], done.books, **rates)
    assert prices(void)[1].precio_neto == 10
    none = run(changed(sale, 2, anulado=True), books, **rates)
    assert 1 not in prices(none)


def test_closed_sums_stay_and_a_reversal_takes_them_back_as_they_were():
    sale = [receipt(1, 10, 4), movement(2, SALE, 4, 5, precio_unitario=Decimal(10))]
    books = closed(sale)
    half = {"default_pricing": Pricing(Decimal("0.3"), Decimal(1), Decimal("0.01"))}
    moved = PRODUCTS | {1: Product("A", "A", "X")}
    rules = Rules(START, RULES.snapshot, **half)
    done = replay(changed(sale, 2, cantidad=Decimal(3)), moved, rules, OPENED, books)
    june, july = ((START + n * DAY).date() for n in (5, 10))
    assert done.by_day[june, 0, "Sin categoría"].venta_neta == 40
    # 40 are taken back and 3 at 10 sold, of which half is tax by now.
    at_end = done.by_day[july, 0, "X"]
    assert (at_end.movimientos, at_end.venta_bruta, at_end.venta_neta) == (2, -10, -25)
    assert (at_end.costo_ventas, at_end.unidades_vendidas) == (-4, -1)


# Any history


def foot(done: Replay) -> None:
    for product, ledger in done.ledgers.items():
        opening = OPENED.get(product)
        value = round(opening.existencias * opening.costo_promedio, 6) if opening else Decimal(0)
        units = opening.existencias if opening else Decimal(0)
        for row in ledger:
            sign = ALL_TYPES[row.tipo].signo
            value += sign * row.costo_total + row.ajuste
            units += row.variacion
            assert (row.valor, row.existencias) == (value, units)
            assert (row.existencias != 0) or row.valor == 0
        start = round(opening.existencias * opening.costo_promedio, 6) if opening else Decimal(0)
        for (_, summed), m in done.by_product_day.items():
            if summed == product:
                start += m.costo_recibido - m.costo_ventas - m.mermas + m.ajuste
        assert start == value
        assert sum(s for (p, _), s in done.branches.items() if p == product) == units


@MANY
@given(first=histories(), second=histories(), third=histories(), days=st.integers(1, 4))
def test_any_history_foots_and_what_is_closed_stays(first, second, third, days):
    books = close(run(first), START + days * DAY)
    done = run(second, books)
    foot(done)
    later = close(done, START + (days + 1) * DAY)
    again = run(third, later)
    foot(again)
    for held, now in ((books, done), (later, again)):
        for key, row in held.rows.items():
            assert now.booked[key] == row.row
        assert len([r for r in now.booked.values() if r.fecha < held.end]) == len(held.rows)
        keys = [(r.id_movimiento, r.capa) for ledger in now.ledgers.values() for r in ledger]
        assert len(keys) == len(set(keys))
    # And a replay of the same says the same, whatever was read in between.
    assert run(second, books).booked == done.booked
    assert run(second, run(second, books).books).booked == done.booked


@MANY
@given(first=histories(), second=histories(), order=st.randoms(use_true_random=False))
def test_the_order_of_arrival_has_no_effect_after_the_end(first, second, order):
    books = close(run(first), START + 2 * DAY)
    whole = [*second, *(line for line in first if line["id_movimiento"] > len(second))]
    shuffled = list(whole)
    order.shuffle(shuffled)
    # What came first is known, and of no account where the OLTP says what is.
    step = run(shuffled[: len(shuffled) // 2], books)
    expected = run(whole, books).booked
    assert run(shuffled, books).booked == expected
    assert run(shuffled, step.books).booked == expected


@MANY
@given(first=histories(), second=histories())
def test_what_comes_late_is_worth_what_it_would_be_at_the_end(first, second):
    end = START + 3 * DAY
    # A cost looks for a receipt that is open, a late count at what is closed.
    first = [line for line in first if line["tipo"] != LANDED_COST]
    late = [
        line | {"id_movimiento": line["id_movimiento"] + 100}
        for line in second
        if line["tipo"] not in (COUNT, LANDED_COST)
    ]
    done = run([*first, *late], close(run(first), end))
    ordered = sorted((row for row in done.booked.values() if row.fecha == end), key=in_documents)
    places = {row.id_movimiento: n for n, row in enumerate(ordered) if row.fecha_documento < end}
    moved = [
        line | {"fecha": end - (len(places) - places[number]) * timedelta(microseconds=1)}
        if (number := line["id_movimiento"]) in places
        else line
        for line in late
    ]
    plain = run([*first, *moved])
    assert plain.booked.keys() == done.booked.keys()
    for key, row in done.booked.items():
        assert row[5:18] == plain.booked[key][5:18]
    assert {p: row[:3] for p, row in plain.inventory.items()} == {
        p: row[:3] for p, row in done.inventory.items()
    }
    assert plain.branches == done.branches


def in_documents(row: KardexRow) -> Any:
    return row.fecha_documento, ALL_TYPES[row.tipo].orden, row.id_movimiento
