"""What a shopkeeper wants to see, read from the OLAP as the dashboards' user."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from demo.queries import query

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

# What fits with the other columns into the 80 of a plain terminal.
_LONGEST_TEXT = 31
# How the columns of a table are shown: text left, numbers right with their decimals.
_TEXT, _WHOLE, _MONEY, _QUANTITY, _DAYS, _SHARE = "text", ",.0f", ",.2f", ",.3f", ",.1f", ".1f"

_Columns = Sequence[tuple[str, str]]

_RUNS: _Columns = (
    ("run", _WHOLE),
    ("carried up to", _TEXT),
    ("read", _WHOLE),
    ("new", _WHOLE),
    ("changed", _WHOLE),
    ("removed", _WHOLE),
    ("revalued", _WHOLE),
    ("rejected", _WHOLE),
)
_STOCK: _Columns = (
    ("code", _TEXT),
    ("product", _TEXT),
    ("stock", _QUANTITY),
    ("days\nleft", _DAYS),
    ("average\ncost", _MONEY),
    ("suggested\nprice", _MONEY),
)
_SALES: _Columns = (
    ("day", _TEXT),
    ("sales", _MONEY),
    ("re-\nturned", _MONEY),
    ("cost", _MONEY),
    ("correc-\ntion", _MONEY),
    ("margin", _MONEY),
    ("%", _SHARE),
    ("shrink-\nage", _MONEY),
)
_BELOW_ZERO: _Columns = (
    ("code", _TEXT),
    ("product", _TEXT),
    ("stock", _QUANTITY),
    ("average\ncost", _MONEY),
    ("value", _MONEY),
)

# The demo's story, which the tables alone do not tell.
_SECOND_RUN = """\
  Before run 2 the shop traded for one day more, typed in a receipt dated five
  days back, voided an earlier ticket and corrected the cost of an earlier
  receipt: hence what was changed, removed, and revalued further on."""


def report(connection: Connection) -> str:
    """The tables as text; amounts in the shop's money, times in the session's zone."""
    with connection.cursor() as cursor:

        def rows(name: str) -> list[tuple[object, ...]]:
            cursor.execute(query(name))
            return cursor.fetchall()

        sales = rows("informe_ventas")
        products, value, below = rows("informe_totales")[0]
        return "\n\n".join(
            (
                _titled("What each run carried", _RUNS, rows("informe_corridas")),
                _SECOND_RUN,
                _titled(
                    f"Stock: {products} products worth {value:,.2f} at cost; the ten best sellers",
                    _STOCK,
                    rows("informe_existencias"),
                ),
                _titled(
                    "The last days (sales net of returns; margin = sales - cost + correction)",
                    _SALES,
                    [*sales, _total(sales)],
                ),
                _titled(
                    f"Below zero: {below} products, sold before their receipt was typed in",
                    _BELOW_ZERO,
                    rows("informe_bajo_cero"),
                ),
            )
        )


def _total(sales: Sequence[tuple[object, ...]]) -> tuple[object, ...]:
    net, returned, cost, correction, margin, lost = (
        sum((Decimal(str(row[n])) for row in sales), Decimal(0)) for n in (1, 2, 3, 4, 5, 7)
    )
    share = 100 * margin / net if net else None
    return ("total", net, returned, cost, correction, margin, share, lost)


def _titled(title: str, columns: _Columns, rows: Sequence[Sequence[object]]) -> str:
    return f"{title}\n\n{table(columns, rows)}"


def table(columns: _Columns, rows: Sequence[Sequence[object]]) -> str:
    """Rows as aligned text, numbers to the right; each column has a heading and a format."""
    cells = [
        [_cell(value, how) for value, (_, how) in zip(row, columns, strict=True)] for row in rows
    ]
    # A heading of two lines stands on the rule, not at the top.
    headings = [heading.split("\n") for heading, _ in columns]
    depth = max(map(len, headings))
    headings = [[""] * (depth - len(lines)) + lines for lines in headings]
    heads = list(zip(*headings, strict=True))
    widths = [max(map(len, column)) for column in zip(*heads, *cells, strict=True)]

    def line(texts: Sequence[str]) -> str:
        shown = (
            text.ljust(width) if how == _TEXT else text.rjust(width)
            for text, width, (_, how) in zip(texts, widths, columns, strict=True)
        )
        return "  " + "  ".join(shown).rstrip()

    rule = ["-" * width for width in widths]
    return "\n".join(map(line, (*heads, rule, *cells)))


def _cell(value: object, how: str) -> str:
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, date):
        return f"{value:%a %Y-%m-%d}"
    if how == _TEXT:
        text = str(value)
        return text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 1]}…"
    return format(Decimal(str(value)), how)
