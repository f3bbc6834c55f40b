"""A product's ledger as one page of HTML that needs no other file, to be read and printed."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from html import escape
from typing import TextIO

from pipeline.ledger import Ledger
from pipeline.ledger_formats import (
    METHOD,
    OPENING_OPERATION,
    OPERATIONS,
    balance_columns,
    period_in_words,
    sides,
    until_in_words,
)

TITLE = (
    "Formato 13.1: Registro de inventario permanente valorizado - detalle del inventario valorizado"
)
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
_HEAD = """
<thead>
<tr><th colspan="4">Documento de traslado, comprobante de pago, documento interno o similar</th>
<th rowspan="2">Tipo de operación (tabla 12)</th><th colspan="3">Entradas</th>
<th colspan="3">Salidas</th><th rowspan="2">Ajuste</th><th colspan="3">Saldo final</th>
<th rowspan="2">Sucursal</th><th rowspan="2">Provisional</th></tr>
<tr><th>Fecha</th><th>Tipo (tabla 10)</th><th>Serie</th><th>Número</th>
<th>Cantidad</th><th>Costo unitario</th><th>Costo total</th>
<th>Cantidad</th><th>Costo unitario</th><th>Costo total</th>
<th>Cantidad</th><th>Costo unitario</th><th>Costo total</th></tr>
</thead>
""".strip()
_FOOTNOTE = (
    "Saldo inicial + entradas - salidas + ajuste = saldo final. El ajuste corrige el costo de lo "
    "que se vendió antes de recibirse; una salida es provisional mientras su costo pueda "
    "corregirse así o sea 0. Número es el del movimiento en la tienda."
)


def write_html(ledger: Ledger, stream: TextIO) -> None:
    """Write one page that needs nothing else and prints on landscape A4."""
    product = ledger.product
    name = product.nombre or product.codigo or str(product.id_producto)
    heading = {
        "Período": period_in_words(ledger.period),
        "Datos al": until_in_words(ledger),
        "RUC": "",
        "Apellidos y nombres, denominación o razón social": "",
        "Establecimiento": "Todos; el de cada movimiento, en la columna Sucursal",
        "Código de la existencia": product.codigo or str(product.id_producto),
        "Tipo (tabla 5)": "",
        "Descripción": product.nombre or "",
        "Código de la unidad de medida (tabla 6)": "",
        "Método de valuación": METHOD,
    }
    stream.write(
        '<!DOCTYPE html>\n<html lang="es">\n<head>\n<meta charset="utf-8">\n'
        f"<title>Kardex de {escape(name)}</title>\n<style>\n{_STYLE}\n</style>\n</head>\n"
        f"<body>\n<h1>{TITLE}</h1>\n<dl>\n"
    )
    for term, value in heading.items():
        stream.write(f"<dt>{term}</dt><dd>{escape(value)}</dd>\n")
    stream.write(f"</dl>\n<table>\n{_HEAD}\n<tbody>\n")
    stream.writelines(_html_rows(ledger))
    totals = ledger.totals
    stream.write(
        '</tbody>\n<tfoot>\n<tr><td colspan="5">TOTALES</td>'
        + _numbers(totals.entries_quantity, None, totals.entries_cost)
        + _numbers(totals.exits_quantity, None, totals.exits_cost)
        + _numbers(totals.ajuste, *balance_columns(ledger.closing))
        + "<td></td><td></td></tr>\n</tfoot>\n</table>\n"
        f"<p>{_FOOTNOTE}</p>\n</body>\n</html>\n"
    )


def _html_rows(ledger: Ledger) -> Iterator[str]:
    opened = f"{ledger.opening_date:%d/%m/%Y}" if ledger.opening_date else ""
    yield (
        f"<tr><td>{opened}</td><td></td><td></td><td></td><td>{OPENING_OPERATION} Saldo inicial"
        f"</td>{_numbers(*[None] * 7, *balance_columns(ledger.opening))}<td></td><td></td></tr>\n"
    )
    for line in ledger.movements:
        entry, exit_ = sides(line)
        numbers = _numbers(*(entry or [None] * 3), *(exit_ or [None] * 3), line.ajuste or None)
        yield (
            f"<tr><td>{line.fecha:%d/%m/%Y}</td><td></td><td></td><td>{line.id_movimiento}</td>"
            f"<td>{OPERATIONS[line.tipo]} {escape(line.tipo)}</td>"
            f"{numbers}{_numbers(*balance_columns(line.after))}<td>{escape(line.sucursal)}</td>"
            f"<td>{'sí' if line.provisional else ''}</td></tr>\n"
        )


def _numbers(*numbers: Decimal | None) -> str:
    return "".join(
        f'<td class="n">{"" if number is None else _shown(number)}</td>' for number in numbers
    )


def _shown(number: Decimal) -> str:
    """For the eye: thousands apart, and of six decimals those that say something, or two."""
    whole, _, decimals = f"{number:,.6f}".partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"
