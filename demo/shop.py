"""The generated shop in the example OLTP: its history by COPY, and one more day of trade."""

from __future__ import annotations

import io
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from psycopg2 import sql

from demo.catalogue import BRANCHES, Product, catalogue
from demo.documents import Document, Line
from demo.queries import query
from demo.trade import Shop, asking_price
from pipeline.errors import PipelineError

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

# Products whose invoices are typed in late, and of them those that open without stock.
_LATE, _UNSTOCKED = 12, 4


@dataclass(frozen=True)
class Traded:
    """What was typed in: documents, their lines, and for one day what was done to old ones.

    `late_product` got a receipt dated days before, `voided` is a ticket, `corrected`
    a line whose cost was mistyped: id_producto, id_transaccion and id_detalle.
    """

    documents: int
    lines: int
    late_product: int | None = None
    voided: int | None = None
    corrected: int | None = None


def open_shop(connection: Connection, seed: int, until: datetime, days: int = 60) -> Traded:
    """Fill the empty example OLTP with a catalogue, branches and `days` of trade.

    The last day ends at `until`, which carries the shop's time zone. The same
    arguments give the same rows. The caller commits. Raises PipelineError when the
    tables are not empty.
    """
    products = catalogue(seed)
    start = until - timedelta(days=days)
    shop = _new_shop(seed, products)
    documents = shop.opening(start, without=set(sorted(shop.late)[:_UNSTOCKED]))
    for number in range(days):
        documents += shop.day(start + timedelta(days=number))
    with connection.cursor() as cursor:
        if _last(cursor, "productos", "id_producto") or _last(
            cursor, "transacciones", "id_transaccion"
        ):
            raise PipelineError("the OLTP already holds a shop's products or documents")
        _copy(cursor, "sucursales", ("id_sucursal", "nombre"), BRANCHES.items())
        columns = ("id_producto", "codigo", "nombre", "categoria", "precio_lista")
        rows = ((p.id, p.code, p.name, p.category.name, shop.price[p.id]) for p in products)
        _copy(cursor, "productos", columns, rows)
        _write(cursor, documents)
        for table, key in (("sucursales", "id_sucursal"), ("productos", "id_producto")):
            _advance(cursor, table, key)
        # Without it the planner takes the tables for empty until autovacuum comes by.
        cursor.execute("ANALYZE")
    return Traded(len(documents), sum(len(d.lines) for d in documents))


def trade_day(connection: Connection, seed: int, day: datetime) -> Traded:
    """One more day, beginning at `day`, on a shop that open_shop() made with the same seed.

    Besides the day's documents: a receipt dated five days back is typed in, a ticket
    of the days before is voided, and a mistyped cost of an earlier receipt corrected.
    The caller commits.
    """
    rng = random.Random(f"{seed}/corrections/{day:%Y-%m-%d}")
    with connection.cursor() as cursor:
        shop = _known_shop(cursor, seed, day)
        late = shop.late_receipt(day)
        documents = ([late] if late else []) + shop.day(day)
        _write(cursor, documents)
        products, prices = zip(*shop.price.items(), strict=True)
        cursor.execute(query("precios"), {"productos": list(products), "precios": list(prices)})
        return Traded(
            len(documents),
            sum(len(d.lines) for d in documents),
            late.lines[0].product if late else None,
            _void_ticket(cursor, rng, day),
            _correct_cost(cursor, rng, day),
        )


def _new_shop(seed: int, products: list[Product]) -> Shop:
    known = sorted(products, key=lambda p: -p.share)[: _LATE * 6]
    return Shop(
        seed,
        products,
        shelf=defaultdict(Decimal),
        cost={p.id: p.cost for p in products},
        price={p.id: asking_price(p, p.cost) for p in products},
        late={p.id for p in random.Random(f"{seed}/late").sample(known, _LATE)},
    )


def _known_shop(cursor: Cursor, seed: int, day: datetime) -> Shop:
    """The shop as its tables tell it; what is below zero waits for its invoice."""
    shop = _new_shop(seed, catalogue(seed))
    shop.number = _last(cursor, "detalle_transaccion", "id_detalle")
    cursor.execute(query("estado_tienda"))
    for product, price, last_cost in cursor.fetchall():
        shop.price[product] = price
        shop.cost[product] = last_cost or shop.cost[product]
    cursor.execute(query("existencias_tienda"))
    for product, branch, stock in cursor.fetchall():
        shop.shelf[branch, product] = stock
        if stock < 0:
            shop.awaited.add(product)
    cursor.execute(query("documentos_recientes"), {"dia": day})
    lately: dict[int, Document] = {}
    for header, kind, moment, branch, number, product, quantity, price, cost, origin in cursor:
        line = Line(product, quantity, price, cost, origin, number)
        known = lately.get(header) or Document(kind, moment.astimezone(day.tzinfo), branch, ())
        lately[header] = replace(known, lines=(*known.lines, line))
        if origin:
            shop.given_back.add(origin)
    shop.remember(list(lately.values()))
    return shop


def _write(cursor: Cursor, documents: Sequence[Document]) -> None:
    numbered = list(enumerate(documents, _last(cursor, "transacciones", "id_transaccion") + 1))
    headers = (
        (n, d.kind, d.moment.isoformat(), d.branch, d.voided, d.destination) for n, d in numbered
    )
    keys = ("id_transaccion", "tipo", "fecha", "id_sucursal", "anulada", "id_sucursal_destino")
    _copy(cursor, "transacciones", keys, headers)
    lines = [(n, line) for n, document in numbered for line in document.lines]
    amounts = ("cantidad", "precio_unitario", "costo_unitario")
    columns = ("id_detalle", "id_transaccion", "id_producto", *amounts, "id_origen")
    rows = (
        (x.number, document, x.product, x.quantity, x.price, x.cost, x.origin)
        for document, x in lines
    )
    _copy(cursor, "detalle_transaccion", columns, rows)
    _advance(cursor, "transacciones", "id_transaccion")
    _advance(cursor, "detalle_transaccion", "id_detalle")


def _void_ticket(cursor: Cursor, rng: random.Random, day: datetime) -> int | None:
    cursor.execute(query("boletas_por_anular"), {"dia": day})
    tickets = cursor.fetchall()
    if not tickets:
        return None
    chosen = int(rng.choice(tickets)[0])
    cursor.execute(
        "UPDATE public.transacciones SET anulada = true WHERE id_transaccion = %s", (chosen,)
    )
    return chosen


def _correct_cost(cursor: Cursor, rng: random.Random, day: datetime) -> int | None:
    cursor.execute(query("costos_por_corregir"), {"dia": day})
    lines = cursor.fetchall()
    if not lines:
        return None
    line, cost = rng.choice(lines)
    right = (cost * Decimal("1.06")).quantize(Decimal("0.0001"), ROUND_HALF_UP)
    cursor.execute(
        "UPDATE public.detalle_transaccion SET costo_unitario = %s WHERE id_detalle = %s",
        (right, line),
    )
    return int(line)


def _copy(
    cursor: Cursor, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> None:
    # No name of the catalogue holds a tab or a backslash, so the text format needs no escapes.
    text = "".join(
        "\t".join("\\N" if value is None else str(value) for value in row) + "\n" for row in rows
    )
    statement = sql.SQL("COPY public.{} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    cursor.copy_expert(statement, io.StringIO(text))


def _advance(cursor: Cursor, table: str, key: str) -> None:
    """Let the identity go on after ids that were given."""
    cursor.execute(
        sql.SQL("SELECT setval(pg_get_serial_sequence(%s, %s), max({})) FROM public.{}").format(
            sql.Identifier(key), sql.Identifier(table)
        ),
        (f"public.{table}", key),
    )


def _last(cursor: Cursor, table: str, key: str) -> int:
    """The greatest id in a table, 0 in an empty one."""
    cursor.execute(
        sql.SQL("SELECT coalesce(max({}), 0) FROM public.{}").format(
            sql.Identifier(key), sql.Identifier(table)
        )
    )
    row = cursor.fetchone()
    return int(row[0]) if row else 0
