"""A product's ledger as one page of HTML that needs no other file, to be read and printed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from html import escape
from itertools import chain
from typing import TextIO

from pipeline.base.movement_names import name_of
from pipeline.base.voice import Voice, voice_of
from pipeline.kardex.formats import (
    OPENING_OPERATION,
    Numbers,
    balance_columns,
    code_of,
    lines_in_format,
    numbers_of,
    totals_numbers,
)
from pipeline.kardex.ledger import Ledger, Period, Product
from pipeline.kardex.lines import Movement

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
h2 { font-size: 14px; margin: 1.6em 0 .4em; }
.held { margin: .4em 0 0; }
tfoot td { font-weight: 600; border-top: 2px solid #111; }
p { margin: 1em 0 0; }
@media print {
  @page { size: A4 landscape; margin: 10mm; }
  body { font-size: 8px; margin: 0; }
  thead { display: table-header-group; } tfoot { display: table-row-group; }
  tr { break-inside: avoid; }
  thead th { background: none; }
  h1 { font-size: 12px; } h2 { font-size: 10px; break-after: avoid; }
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
    title = _("Kardex of {product}").format(product=product.nombre or code_of(product))
    head = heading(ledger.period, ledger.data_until, voice)
    method = head.popitem()
    begin(stream, title, {**head, **_existence(product, voice), **dict([method])}, voice)
    stream.writelines(table(ledger, voice))
    end(stream, voice, corrected=ledger.corrected)


def begin(stream: TextIO, title: str, heading: dict[str, str], voice: Voice) -> None:
    """Write a page's beginning down to its heading, a pair of a term and a text a line."""
    _ = voice.gettext
    stream.write(
        f'<!DOCTYPE html>\n<html lang="{voice.locale.language}">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{escape(title)}</title>\n<style>\n{_STYLE}\n</style>\n</head>\n<body>\n<h1>"
        + _(
            "Format 13.1: Register of the perpetual valued inventory - detail of the valued "
            "inventory"
        )
        + "</h1>\n<dl>\n"
    )
    for term, value in heading.items():
        stream.write(f"<dt>{term}</dt><dd>{escape(value)}</dd>\n")
    stream.write("</dl>\n")


def end(stream: TextIO, voice: Voice, *, corrected: bool) -> None:
    """Write how to read the tables, with lines that correct a closed period, and the page's end."""
    _ = voice.gettext
    notes = [_footnote(_)]
    if corrected:
        notes.append(
            _(
                "What came or was corrected once its period was closed stands on the first day "
                "that was open; its date is the document's own. A reversal takes back what was "
                "booked: its amounts are negative, on the side where that stood."
            )
        )
    stream.write("".join(f"<p>{note}</p>\n" for note in notes) + "</body>\n</html>\n")


def table(ledger: Ledger, voice: Voice) -> Iterator[str]:
    """A ledger's table: the balance before, a line a movement, the totals."""
    yield f"<table>\n{_head(voice.gettext)}\n<tbody>\n"
    yield from _rows(ledger, voice)
    yield "</table>\n"


def heading(period: Period, data_until: datetime | None, voice: Voice) -> dict[str, str]:
    """What the format says above all: of when and whose it is, and last how it is valued."""
    _ = voice.gettext
    until = data_until and data_until.astimezone(voice.zone)
    return {
        _("Period"): _period(period, voice),
        _("Data as of"): f"{voice.table_day(until)} {until:%H:%M:%S} ({period.zone})"
        if until
        else "",
        # The taxpayer's number and name, which the shop's data lack.
        "RUC": "",
        _("Name of the taxpayer"): "",
        _("Establishment"): _("All; that of each movement is in the column Branch"),
        _("Method of valuation"): _("MOVING WEIGHTED AVERAGE"),
    }


def _existence(product: Product, voice: Voice) -> dict[str, str]:
    _ = voice.gettext
    return {
        _("Code of the existence"): code_of(product),
        _("Type (table 5)"): "",
        _("Description"): product.nombre or "",
        _("Code of the unit of measure (table 6)"): "",
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
    return head_of(groups, columns)


def head_of(groups: Iterable[tuple[str, str, int]], columns: Iterable[str]) -> str:
    """A table's head: a row of groups, each with how it spans, and one of what is in them."""
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
    totals = totals_numbers(ledger)
    # Gone through twice: the decimals of a column are those of all its numbers.
    numbers = map(numbers_of, lines_in_format(ledger))
    decimals = decimals_of(chain((opening, totals), numbers), _LEAST)
    opened = voice.table_day(ledger.opening_date) if ledger.opening_date else ""
    # Apart from the rows: gettext finds no text within an f-string.
    before, below = _("Opening balance"), _("TOTALS")
    yield (
        f"<tr><td>{opened}</td><td></td><td></td><td></td>"
        f"<td>{OPENING_OPERATION} {before}</td>"
        f"{cells_of(opening, decimals, voice)}<td></td><td></td></tr>\n"
    )
    yes = _("yes")
    for line in lines_in_format(ledger):
        row = line.movement
        kind = name_of(row.tipo, _, row.nombre) + _booked(row, voice)
        yield (
            f"<tr><td>{voice.table_day(row.fecha_documento)}</td><td></td><td></td>"
            f"<td>{row.id_movimiento}</td><td>{line.operacion} {escape(kind)}</td>"
            f"{cells_of(numbers_of(line), decimals, voice)}<td>{escape(line.sucursal)}</td>"
            f"<td>{yes if row.provisional else ''}</td></tr>\n"
        )
    yield (
        f'</tbody>\n<tfoot>\n<tr><td colspan="5">{below}</td>'
        f"{cells_of(totals, decimals, voice)}<td></td><td></td></tr>\n</tfoot>\n"
    )


def _booked(movement: Movement, voice: Voice) -> str:
    """How and when what corrects a closed period was booked; nothing of any other."""
    if not movement.asiento:
        return ""
    _ = voice.gettext
    how = {
        "reverso": _("reversal, booked on {day}"),
        "corrección": _("correction, booked on {day}"),
        "tarde": _("late, booked on {day}"),
    }[movement.asiento]
    return f" ({how.format(day=voice.table_day(movement.fecha))})"


def decimals_of(rows: Iterable[Numbers], least: Sequence[int]) -> list[int]:
    """How many decimals each column has: what its longest number needs, but the `least`."""
    decimals = list(least)
    for row in rows:
        for column, number in enumerate(row):
            if number is not None:
                decimals[column] = max(decimals[column], needed(number))
    return decimals


def needed(number: Decimal) -> int:
    """The decimals that say something, of a ledger's six."""
    return len(f"{number:.6f}".partition(".")[2].rstrip("0"))


def cells_of(numbers: Numbers, decimals: Sequence[int], voice: Voice) -> str:
    """A row's cells of numbers."""
    return "".join(
        f'<td class="n">{"" if number is None else voice.exact(number, places)}</td>'
        for number, places in zip(numbers, decimals, strict=True)
    )
