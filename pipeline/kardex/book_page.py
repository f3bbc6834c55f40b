"""The ledgers of a period as one page: a table a product, then all of them in one line each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from html import escape
from typing import TextIO

from pipeline.base.voice import Voice, voice_of
from pipeline.kardex.formats import code_of
from pipeline.kardex.kept import Kept
from pipeline.kardex.ledger import BranchStock, Closing, Ledger, Product, Sums
from pipeline.kardex.page import (
    begin,
    cells_of,
    decimals_of,
    end,
    head_of,
    heading,
    needed,
    table,
)
from pipeline.kardex.reading import Book

# The least decimals of the summary's columns, as Sums has them.
_LEAST = (0, 2, 0, 2, 0, 2, 2, 0, 2)


def to_page(
    ledgers: Iterable[Ledger], book: Book, stream: TextIO, language: str
) -> Iterator[Ledger]:
    """Write the page of the book's ledgers in `language` ('es' or 'en'), and pass them on."""
    voice = voice_of(language, book.period.zone)
    head = heading(book.period, book.data_until, voice)
    period = next(iter(head.values()))
    head |= _closed(book.closing, voice)
    begin(stream, voice.gettext("Kardex: {period}").format(period=period), head, voice)
    summary: Kept[tuple[Product, Sums]] = Kept()
    whole, corrected = Sums(), False
    for ledger in ledgers:
        stream.write(f"<h2>{_named(ledger.product)}</h2>\n")
        stream.writelines(table(ledger, voice))
        if book.has_branches:
            stream.write(_held(ledger.branches, book.period.hasta, voice))
        summary.append((ledger.product, ledger.sums))
        whole, corrected = whole.plus(ledger.sums), corrected or ledger.corrected
        yield ledger
    stream.writelines(_summary(summary, whole, voice))
    if book.closing and book.closing.valor is not None:
        stream.write(_as_closed(book.closing, voice))
    end(stream, voice, corrected=corrected)


def _closed(closing: Closing | None, voice: Voice) -> dict[str, str]:
    """Whether what is on the page may still change."""
    _ = voice.gettext
    if closing is None:
        return {_("Closing"): _("Still open: what comes late changes it")}
    return {_("Closing"): f"{voice.table_day(closing.dia)}, huella {closing.huella}"}


def _as_closed(closing: Closing, voice: Voice) -> str:
    """Below the summary: that it is what the closing says."""
    _ = voice.gettext
    assert closing.existencias is not None and closing.valor is not None
    told = _("As in the closing of {day}: stock {stock}, value {value}").format(
        day=voice.table_day(closing.dia),
        stock=voice.exact(closing.existencias, needed(closing.existencias)),
        value=voice.exact(closing.valor, max(2, needed(closing.valor))),
    )
    if closing.movimientos is not None:
        told += ", " + _("movements {movements}").format(movements=closing.movimientos)
    return f'<p class="held">{told}</p>\n'


def _named(product: Product) -> str:
    return escape(" ".join(part for part in (code_of(product), product.nombre) if part))


def _held(branches: Iterable[BranchStock], day: date | None, voice: Voice) -> str:
    _ = voice.gettext
    held = "; ".join(
        f"{branch.sucursal}: {voice.exact(branch.existencias, needed(branch.existencias))}"
        for branch in branches
    )
    where = (
        _("Stock by branch on {day}").format(day=voice.table_day(day))
        if day
        else _("Stock by branch")
    )
    return f'<p class="held">{where}: {escape(held) or "0"}</p>\n'


def _summary(rows: Kept[tuple[Product, Sums]], whole: Sums, voice: Voice) -> Iterator[str]:
    """All products, a row each, and the sums of all."""
    _ = voice.gettext
    decimals = decimals_of((*(sums for _product, sums in rows), whole), _LEAST)
    # Apart from the rows: gettext finds no text within an f-string.
    title, below = _("Summary"), _("TOTALS")
    yield f"<h2>{title}</h2>\n<table>\n{_summary_head(_)}\n<tbody>\n"
    for product, sums in rows:
        yield (
            f"<tr><td>{escape(code_of(product))}</td><td>{escape(product.nombre or '')}</td>"
            f"{cells_of(sums, decimals, voice)}</tr>\n"
        )
    yield (
        f'</tbody>\n<tfoot>\n<tr><td colspan="2">{below}</td>'
        f"{cells_of(whole, decimals, voice)}</tr>\n</tfoot>\n</table>\n"
    )


def _summary_head(_: Callable[[str], str]) -> str:
    groups = (
        (_("Code of the existence"), "rowspan", 2),
        (_("Description"), "rowspan", 2),
        (_("Opening balance"), "colspan", 2),
        (_("Entries"), "colspan", 2),
        (_("Exits"), "colspan", 2),
        (_("Adjustment"), "rowspan", 2),
        (_("Closing balance"), "colspan", 2),
    )
    return head_of(groups, (_("Quantity"), _("Total cost")) * 4)
