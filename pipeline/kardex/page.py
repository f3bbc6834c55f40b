"""A product's ledger as one page of HTML that needs no other file, to be read and printed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from html import escape
from typing import TextIO

from pipeline.base.movement_names import name_of
from pipeline.base.voice import Voice, voice_of
from pipeline.kardex.formats import OPENING_OPERATION, balance_columns, lines_in_format
from pipeline.kardex.ledger import Ledger, Period
from pipeline.kardex.lines import Line

Numbers = Sequence[Decimal | None]

# The least decimals of each column of numbers: quantity, unit cost and total of entries and of
# exits, the adjustment, and the balance. Quantities have none that say nothing; money has two.
_LEAST = (0, 2, 2, 0, 2, 2, 2, 0, 2, 2)
_STYLE = """
body { font: 12px/1.35 system-ui, sans-serif; margin: 1.5em; color: #111; background: #fff; }
h1 { font-size: 16px; margin: 0 0 .8em; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15em 1em; margin: 0 0 1em; }
dt { font-weight: 600; } dd { margin: 0; }
table { border-collapse: collapse; width: 100%; font-size: .92em; }
th, td { border: 1px solid #888; padding: .2em .3em; vertical-align: top; }
thead th { background: #eee; text-align: center; }
.n { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
tfoot td { font-weight: 600; border-top: 2px solid #111; }
p { margin: 1em 0 0; }
@media print {
  @page { size: A4 landscape; margin: 10mm; }
  body { font-size: 8px; margin: 0; }
  thead { display: table-header-group; } tfoot { display: table-row-group; }
  tr { break-inside: avoid; }
  thead th { background: none; }
}
""".strip()


def write_html(ledger: Ledger, stream: TextIO, language: str) -> None:
    """Write one page in `language` ('es' or 'en') that prints on landscape A4.

    The numbers of a column have as many decimals as the one that needs most, so that none
    loses a digit; they are written as in the country of the ledger's zone.
    """
    voice = voice_of(language, ledger.period.zone)
    _ = voice.gettext
    product = ledger.product
    title = _("Kardex of {product}").format(
        product=product.nombre or product.codigo or product.id_producto
    )
    stream.write(
        f'<!DOCTYPE html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{escape(title)}</title>\n<style>\n{_STYLE}\n</style>\n</head>\n<body>\n<h1>"
        + _(
            "Format 13.1: Register of the perpetual valued inventory - detail of the valued "
            "inventory"
        )
        + "</h1>\n<dl>\n"
    )
    for term, value in _heading(ledger, voice).items():
        stream.write(f"<dt>{term}</dt><dd>{escape(value)}</dd>\n")
    stream.write(f"</dl>\n<table>\n{_head(voice.gettext)}\n<tbody>\n")
    stream.writelines(_rows(ledger, voice))
    stream.write(f"</table>\n<p>{_footnote(voice.gettext)}</p>\n</body>\n</html>\n")


def _heading(ledger: Ledger, voice: Voice) -> dict[str, str]:
    _ = voice.gettext
    product, until = ledger.product, ledger.data_until
    return {
        _("Period"): _period(ledger.period, voice),
        _("Data as of"): f"{voice.table_day(until)} {until:%H:%M:%S} ({ledger.period.zone})"
        if until
        else "",
        # The taxpayer's number and name, which the shop's data lack.
        "RUC": "",
        _("Name of the taxpayer"): "",
        _("Establishment"): _("All; that of each movement is in the column Branch"),
        _("Code of the existence"): product.codigo or str(product.id_producto),
        _("Type (table 5)"): "",
        _("Description"): product.nombre or "",
        _("Code of the unit of measure (table 6)"): "",
        _("Method of valuation"): _("MOVING WEIGHTED AVERAGE"),
    }


def _period(period: Period, voice: Voice) -> str:
    _ = voice.gettext
    first, last = (day and voice.table_day(day) for day in (period.desde, period.hasta))
    if first and last:
        return _("From {first} to {last}").format(first=first, last=last)
    if first:
        return _("From {first} on").format(first=first)
    return _("Until {last}").format(last=last) if last else _("The whole ledger")


def _head(_: Callable[[str], str]) -> str:
    groups = (
        (_("Transfer document, payment voucher, internal document or the like"), "colspan", 4),
        (_("Type of operation (table 12)"), "rowspan", 2),
        (_("Entries"), "colspan", 3),
        (_("Exits"), "colspan", 3),
        (_("Adjustment"), "rowspan", 2),
        (_("Closing balance"), "colspan", 3),
        (_("Branch"), "rowspan", 2),
        (_("Provisional"), "rowspan", 2),
    )
    amounts = (_("Quantity"), _("Unit cost"), _("Total cost"))
    columns = (_("Date"), _("Type (table 10)"), _("Series"), _("Number"), *amounts * 3)
    return (
        "<thead>\n<tr>"
        + "\n".join(f'<th {spans}="{count}">{text}</th>' for text, spans, count in groups)
        + "</tr>\n<tr>"
        + "\n".join(f"<th>{text}</th>" for text in columns)
        + "</tr>\n</thead>"
    )


def _footnote(_: Callable[[str], str]) -> str:
    return _(
        "Opening balance + entries - exits + adjustment = closing balance. The adjustment is what "
        "changes the value without being a cost of its line, such as the correction of what was "
        "sold before it was received; a line is provisional while its cost may be corrected so, or "
        "is 0. Number is the movement's own in the shop."
    )


def _rows(ledger: Ledger, voice: Voice) -> Iterator[str]:
    """The body's rows and the foot: the balance before, a line a movement, the totals."""
    _ = voice.gettext
    opening = (*[None] * 7, *balance_columns(ledger.opening))
    totals = _totals(ledger)
    lines = lines_in_format(ledger)
    numbers_of = [_numbers(line) for line in lines]
    decimals = _decimals([opening, *numbers_of, totals])
    opened = voice.table_day(ledger.opening_date) if ledger.opening_date else ""
    # Apart from the rows: gettext finds no text within an f-string.
    before, below = _("Opening balance"), _("TOTALS")
    yield (
        f"<tr><td>{opened}</td><td></td><td></td><td></td>"
        f"<td>{OPENING_OPERATION} {before}</td>"
        f"{_cells(opening, decimals, voice)}<td></td><td></td></tr>\n"
    )
    yes = _("yes")
    for line, numbers in zip(lines, numbers_of, strict=True):
        row = line.movement
        kind = name_of(row.tipo, _, row.nombre)
        yield (
            f"<tr><td>{voice.table_day(row.fecha)}</td><td></td><td></td>"
            f"<td>{row.id_movimiento}</td><td>{line.operacion} {escape(kind)}</td>"
            f"{_cells(numbers, decimals, voice)}<td>{escape(line.sucursal)}</td>"
            f"<td>{yes if row.provisional else ''}</td></tr>\n"
        )
    yield (
        f'</tbody>\n<tfoot>\n<tr><td colspan="5">{below}</td>'
        f"{_cells(totals, decimals, voice)}<td></td><td></td></tr>\n</tfoot>\n"
    )


def _numbers(line: Line) -> Numbers:
    blank = [None] * 3
    return (
        *(line.entry or blank),
        *(line.exit or blank),
        line.ajuste or None,
        *balance_columns(line.after),
    )


def _totals(ledger: Ledger) -> Numbers:
    totals = ledger.totals
    return (
        *(totals.entries_quantity, None, totals.entries_cost),
        *(totals.exits_quantity, None, totals.exits_cost),
        *(totals.ajuste, *balance_columns(ledger.closing)),
    )


def _decimals(rows: Sequence[Numbers]) -> list[int]:
    """How many decimals each column has."""
    return [
        max(least, *(0 if number is None else _needed(number) for number in column))
        for least, column in zip(_LEAST, zip(*rows, strict=True), strict=True)
    ]


def _needed(number: Decimal) -> int:
    """The decimals that say something, of a ledger's six."""
    return len(f"{number:.6f}".partition(".")[2].rstrip("0"))


def _cells(numbers: Numbers, decimals: Sequence[int], voice: Voice) -> str:
    return "".join(
        f'<td class="n">{"" if number is None else voice.exact(number, places)}</td>'
        for number, places in zip(numbers, decimals, strict=True)
    )
