"""Ledgers read from the OLAP: one product's, or all of them, one after the other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal, localcontext
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from pipeline.base import progress
from pipeline.base.database import begin_snapshot, call, connect
from pipeline.errors import InputError, LedgerError
from pipeline.kardex.ledger import (
    EXACT,
    BranchStock,
    Closing,
    Ledger,
    Period,
    Product,
    Sums,
    foot,
)
from pipeline.translation import mark as N_
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from pipeline.settings import Settings

_BIGINT = range(-(2**63), 2**63)
# Rows that a cursor fetches at once: few enough for any memory, many enough for any distance.
_AT_ONCE = 200


@dataclass(frozen=True)
class Book:
    """The ledgers of a period, of each product that had stock or moved, in the order of codes.

    They are read as they are gone through, once; `products` is how many the OLAP knows at all.
    `closing` is None while the period is open.
    """

    period: Period
    data_until: datetime | None
    products: int
    has_branches: bool
    closing: Closing | None
    ledgers: Iterator[Ledger]


def read_ledger(
    settings: Settings, named: str, period: Period, data_until: datetime | None
) -> Ledger:
    """Read the ledger of the product that has this id or, if none has it, this code.

    `data_until` is the last window's end, which the ledger passes on in the shop's zone.
    Raises InputError for an unknown product or a code that several have, LedgerError when
    the ledger does not foot.
    """
    with connect(settings.olap, "kardex", read_only=True) as connection:
        product = _find(connection, named)
        statement = "SELECT * FROM etl.libro_producto(%s, %s, %s, %s)"
        days = (period.desde, period.hasta, period.zone)
        rows = _stream(connection, "libro", statement, (product.id_producto, *days))
        return foot(product, period, data_until, rows)


@contextmanager
def open_book(settings: Settings, period: Period, data_until: datetime | None) -> Iterator[Book]:
    """The book of a period, in one snapshot, which ends with the block.

    Its ledgers raise LedgerError where one does not foot, or is not what its branches hold.
    """
    with connect(settings.olap, "kardex", read_only=True) as connection:
        begin_snapshot(connection)
        products = call(connection, "SELECT count(*) FROM etl.productos_libro()")
        has_branches = call(connection, "SELECT etl.hay_sucursales()")
        ledgers = _ledgers(connection, period, data_until, has_branches)
        closing = _closing(connection, period)
        yield Book(period, data_until, products, has_branches, closing, ledgers)


def go_through(book: Book, ledgers: Iterable[Ledger]) -> tuple[int, int, Sums]:
    """Have the ledgers read and written; how many there were, with how many movements, and sums.

    Raises LedgerError where the closing of the book's last day says otherwise.
    """
    products, movements, sums = 0, 0, Sums()
    with progress.stage(_("kardex"), _("products"), book.products) as advance:
        for ledger in ledgers:
            products, movements = products + 1, movements + len(ledger.movements)
            sums = sums.plus(ledger.sums)
            advance(1)
    if book.closing:
        _check_closing(book.closing, movements, sums)
    return products, movements, sums


def _closing(connection: Connection, period: Period) -> Closing | None:
    days = (period.desde, period.hasta, period.zone)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM etl.cierre_del_libro(%s, %s, %s)", days)
        row = cursor.fetchone()
    return Closing(*row) if row else None


def _check_closing(closing: Closing, movements: int, sums: Sums) -> None:
    for what, closed, now in (
        (N_("movements"), closing.movimientos, movements),
        (N_("stock"), closing.existencias, sums.closing_quantity),
        (N_("value"), closing.valor, sums.closing_value),
    ):
        if closed is not None and closed != now:
            raise LedgerError(
                _(
                    "the book is not what the closing of {day} says: {what} {now} instead of "
                    "{closed}; run `python -m pipeline verify`"
                ).format(day=closing.dia, what=_(what), now=now, closed=closed)
            )


def _ledgers(
    connection: Connection, period: Period, data_until: datetime | None, has_branches: bool
) -> Iterator[Ledger]:
    days = (period.desde, period.hasta, period.zone)
    rows = _stream(connection, "libro", "SELECT * FROM etl.libro(%s, %s, %s)", days)
    branches = _branches(connection, period) if has_branches else iter(())
    held = next(branches, None)
    for (_number, *named), of_product in groupby(rows, itemgetter(*range(5))):
        ledger = foot(Product(*named), period, data_until, (row[5:] for row in of_product))
        if held is not None and held[0] == ledger.product.id_producto:
            ledger = replace(ledger, branches=held[1])
            held = next(branches, None)
        if has_branches:
            _check_branches(ledger)
        if ledger.movements or ledger.branches or any(ledger.opening[::2]):
            yield ledger


def _branches(
    connection: Connection, period: Period
) -> Iterator[tuple[int, tuple[BranchStock, ...]]]:
    statement = "SELECT * FROM etl.libro_sucursales(%s, %s)"
    rows = _stream(connection, "sucursales", statement, (period.hasta, period.zone))
    for product, found in groupby(rows, itemgetter(0)):
        yield product, tuple(BranchStock(*row[1:]) for row in found)


def _check_branches(ledger: Ledger) -> None:
    with localcontext(EXACT):
        held = sum((branch.existencias for branch in ledger.branches), Decimal(0))
    if held != ledger.closing.existencias:
        raise LedgerError(
            _(
                "the branches hold {held:f} of product {product}, its ledger says {stock:f}; run "
                "`python -m pipeline verify`"
            ).format(
                held=held, product=ledger.product.id_producto, stock=ledger.closing.existencias
            )
        )


def _stream(
    connection: Connection, name: str, statement: str, parameters: tuple[Any, ...]
) -> Iterator[tuple[Any, ...]]:
    """The rows of a statement, of which the server keeps those that are not asked for yet."""
    with connection.cursor(name) as cursor:
        cursor.itersize = _AT_ONCE
        cursor.execute(statement, parameters)
        yield from cursor


def _find(connection: Connection, named: str) -> Product:
    whole = int(named) if re.fullmatch(r"-?[0-9]{1,19}", named.strip()) else None
    # An int is looked up in a range at once, but None would be compared with each of its numbers.
    is_id = whole is not None and whole in _BIGINT
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT * FROM etl.buscar_producto(%s, %s)",
            (whole if is_id else None, named),
        )
        found = [Product(*row) for row in cursor.fetchall()]
    if not found:
        raise InputError(
            _(
                "no product of the OLAP has the id or the code {named!r}; it has those that the "
                "movements loaded so far have named"
            ).format(named=named)
        )
    if len(found) > 1:
        ids = ", ".join(str(product.id_producto) for product in found)
        raise InputError(
            _("the code {named!r} is of {number} products; give one's id: {ids}").format(
                named=named, number=len(found), ids=ids
            )
        )
    return found[0]
