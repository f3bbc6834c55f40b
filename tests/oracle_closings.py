"""Closings: what is booked after the end of the last closed period, K, and why.

The ledger is what was closed, as it was booked then, and one ordered replay of what is not in it:

    done = replay(movements, products, rules, openings, books)   # Books() while nothing is closed
    books = close(done, end_of_day(date(2026, 6, 30), rules.zone))
    done = replay(movements_later, products, rules, openings, books)
    books = reopen(done.books)                                    # the last one only

`done.books` goes into the next replay, since it keeps what is known of movements that the OLTP
may lose. What the rules leave open was decided for an accountant:

- A row that is taken back takes back what it did, and no more. What had left the stock comes back
  at what it took from the value, costo_total - ajuste: of a return to the supplier costo_total
  is what was credited. A cost of its own leaves by what it had put in, costo_total + ajuste. A
  receipt leaves at costo_total, but at no less than nothing.
- A reversal has the columns of the row that it takes back, costo_unitario too; variacion and
  costo_total are the opposite (only of a cost inside its receipt the latter is what leaves there:
  -A, or 0), and so is the way of a transfer. It is never provisional.
- A cost inside its receipt (costo_total 0) leaves the receipt while that is closed and stands. What
  was added on its own (costo_total A) is not taken again by a receipt that is corrected.
- A count of a closed day, typed late, tells what there was on its day: it is compared with the
  stock of then, that is of K less what the closed rows after it, in the order of documents, moved.
  Nothing where a closed count of the same branch (or of all) stands after it, which found it.
- A closed product that the catalogue has no more does not take back what is booked under it, and
  is no reject: it is archived. A correction to a product that is not known is a reject like any.
- Scope, by the initial date and by openings, asks for the date of the document.
- Sums go by where a row is booked, the rate by the date of the document; those of closed rows, and
  so what a reversal takes off, stay as they were: rate and category. A reversal counts as one
  movement more, in the category of now.
- What is no stock any more keeps the state that was closed, and an opening of a closed date counts
  as it did when that was closed.
- Openings are not asked here: one that is dated before K, or of a product that has closed rows, or
  whose opening is dated before K, has to be refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import localcontext
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from oracle_entry import NO_BRANCH
from oracle_rows import Books, Closed, KardexRow, Line, Opening, Replay
from oracle_rules import EXACT, fits_a_price
from oracle_summaries import added
from oracle_types import ALL_TYPES, COUNT, PRICE, WITH_OWN_COST

OWN = -(2**60)


class Entry(NamedTuple):
    """What is booked at `fecha`: a line, or with `back` the reversal of that closed row."""

    line: Line
    fecha: datetime
    capa: int = 0
    back: Closed | None = None


def end_of_day(day: date, zone: str) -> datetime:
    """K of a closing: the first instant of the day after."""
    return datetime.combine(day + timedelta(days=1), time(), ZoneInfo(zone))


def close(done: Replay, hasta: datetime) -> Books:
    """What is booked before `hasta` is closed: the rows of this replay, with their sums."""
    end = done.books.end
    if end is not None and hasta <= end:
        raise ValueError(f"{hasta} is not after the last closing, {end}")
    before = done.books.rows
    with localcontext(EXACT):
        closed = {
            id_producto: tuple(
                Closed(row, *added(row, done.products, done.rules, before))
                for row in ledger
                if row.fecha < hasta
            )
            for id_producto, ledger in done.ledgers.items()
        }
    services = frozenset(n for n, product in done.products.items() if not product.inventariable)
    return Books(
        (*done.books.ends, hasta),
        not_empty(closed),
        done.books.known,
        done.books.documents,
        (*done.books.services, services),
    )


def reopen(books: Books) -> Books:
    """Without the last closing; what was closed before stays as it is."""
    ends = books.ends[:-1]
    closed = {
        id_producto: tuple(c for c in ledger if ends and c.row.fecha < ends[-1])
        for id_producto, ledger in books.closed.items()
    }
    return Books(ends, not_empty(closed), books.known, books.documents, books.services[:-1])


def not_empty(closed: Mapping[int, tuple[Closed, ...]]) -> dict[int, tuple[Closed, ...]]:
    """Without the products that have no closed row."""
    return {id_producto: ledger for id_producto, ledger in closed.items() if ledger}


def totals(books: Books, openings: Mapping[int, Opening]) -> tuple[int, Any, Any]:
    """Of the last closed period: its rows; and stock and value of all products at its end."""
    from oracle import opening_state

    assert books.end is not None
    since = books.ends[-2] if len(books.ends) > 1 else None
    rows = sum(1 for closed in books.rows.values() if since is None or closed.row.fecha >= since)
    states = [
        books.closed[product][-1].row.state
        if books.closed.get(product)
        else opening_state(openings.get(product))
        for product in books.closed.keys() | openings.keys()
    ]
    return rows, sum(s.existencias for s in states), sum(s.valor for s in states)


def kept(
    read: Mapping[int, int | None], books: Books, openings: Mapping[int, Opening]
) -> Iterator[tuple[int, Line | None]]:
    """What is archived: what the OLTP lacks, of a closed period or with a closed row.

    What was `read` is told with its document, if any: what one that is there lacks was taken out.
    """
    left, last = set(read.values()) - {None}, books.last
    for number, line in books.known.items():
        # What is booked here by ourselves no OLTP has.
        if (
            number in read
            or number < OWN
            or books.end is None
            or books.documents.get(number) in left
        ):
            continue
        if number in last or (line is not None and line.fecha < books.end):
            yield number, None if line is None or before_opening(line, openings) else line


def before_opening(line: Line, openings: Mapping[int, Opening]) -> bool:
    """Whether an opening given since leaves a line out, by the date of its document."""
    opening = openings.get(line.id_producto)
    return opening is not None and opening.fecha is not None and line.fecha < opening.fecha


def without_its_product(movement: Mapping[str, Any], books: Books) -> Line | None:
    """What stays of a movement whose product the catalogue has no more; None: nothing does."""
    number = movement["id_movimiento"]
    line = books.known.get(number)
    if number in books.last and line and line.id_producto == movement["id_producto"]:
        return line
    return None


def entries(content: Mapping[int, Line | None], books: Books) -> Iterator[Entry]:
    """The open rows: of each movement what it is now, against its last closed booking.

    `content` is what each movement is now; what it lacks, or has as None, is taken back.
    """
    last = books.last
    for number in content.keys() | last.keys():
        line, closed = content.get(number), last.get(number)
        capa = closed.row.capa + 1 if closed else 0
        if closed and not closed.row.reverso:
            if line and shown(line) == held(closed.row):
                continue
            assert books.end is not None
            yield Entry(line_of(closed.row), books.end, capa, closed)
            capa += 1
        if line:
            yield Entry(line, line.fecha if books.end is None else max(line.fecha, books.end), capa)


def shown(line: Line) -> tuple[Any, ...]:
    """A line's columns as the ledger keeps them, but for the average that a sale left at."""
    precio = line.precio_unitario
    # Where a price takes no part in anything it is kept where it can be, else null.
    if ALL_TYPES[line.tipo].amount != PRICE and not fits_a_price(precio):
        precio = None
    return (
        line.tipo,
        line.id_producto,
        line.id_sucursal or NO_BRANCH,
        line.fecha,
        line.cantidad,
        precio,
        line.costo_unitario if line.tipo in WITH_OWN_COST else None,
        line.importe,
        line.id_origen,
        line.id_sucursal_destino,
        True if line.tipo == COUNT and line.id_sucursal is None else None,
        line.impuesto,
        line.precio_con_impuesto,
    )


def held(row: KardexRow) -> tuple[Any, ...]:
    """The same of a row."""
    return shown(line_of(row))


def line_of(row: KardexRow) -> Line:
    """The line that a row was booked from."""
    return Line(
        row.id_movimiento,
        row.tipo,
        row.id_producto,
        None if row.de_todo else row.id_sucursal,
        row.fecha_documento or row.fecha,
        row.cantidad,
        row.precio_unitario,
        row.costo_unitario,
        row.importe,
        row.id_origen,
        row.id_sucursal_destino,
        row.impuesto,
        row.precio_con_impuesto,
    )
