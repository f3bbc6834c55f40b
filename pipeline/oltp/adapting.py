"""The shop's queries as they are now, for whoever adapts them: what they yield, by type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg2 import sql
from psycopg2.extras import RealDictCursor

from pipeline.base.sql_files import read_sql
from pipeline.oltp.conditions import bound
from pipeline.oltp.own_ids import own_column

if TYPE_CHECKING:
    from datetime import datetime

    from psycopg2.extensions import connection as Connection

    from pipeline.oltp.queries import Query

TYPES, REASONS, PRODUCTS, ROWS = 50, 50, 20, 5  # listed at most, the last of each type


def look(
    shop: Connection,
    query: Query,
    understood: sql.Composable,
    since: datetime,
    month: tuple[datetime, datetime],
) -> dict[str, Any]:
    """What movimientos.sql yields: lists of rows by name, as the files of sql/oltp say.

    `understood` is the read of that name, `since` the initial date, `month` the one whose totals
    are told, its end not included.
    """

    def rows(name: str, **slots: sql.Composable) -> list[dict[str, Any]]:
        template = sql.SQL(read_sql("oltp", f"adaptar_{name}.sql"))
        with shop.cursor(cursor_factory=RealDictCursor) as cursor:
            cursor.execute(template.format(**slots))
            return [dict(row) for row in cursor]

    first, end = (bound(query, moment) for moment in month)
    return {
        "types": rows(
            "tipos", understood=understood, since=bound(query, since), limit=sql.Literal(TYPES)
        ),
        "rejects": rows("motivos", understood=understood, limit=sql.Literal(REASONS)),
        "unknown_products": rows("productos", understood=understood, limit=sql.Literal(PRODUCTS)),
        "month": rows("mes", understood=understood, first=first, end=end),
        "samples": rows(
            "ejemplos",
            query=sql.SQL(query.text),
            rows=sql.Literal(ROWS),
            type=sql.SQL("timestamp" if query.wall_clock else "timestamptz"),
            **{
                name: sql.Identifier(
                    own_column(query.name, column) if column in query.own else column
                )
                for name, column in (
                    ("movement", "id_movimiento"),
                    ("product", "id_producto"),
                    ("branch", "id_sucursal"),
                )
            },
        ),
    }


def ids(shop: Connection, query: Query) -> dict[str, Any]:
    """Whether the movements' ids tell one from another, and grow from day to day."""
    named = {"query": sql.SQL(query.text), "id": sql.Identifier(query.id_column)}
    with shop.cursor() as cursor:
        twice = sql.SQL(read_sql("oltp/diagnostico", "numeros_repetidos.sql"))
        cursor.execute(twice.format(**named))
        repeated = [{"id": number, "rows": count} for number, count in cursor]
        order = sql.SQL(read_sql("oltp", "adaptar_orden.sql"))
        cursor.execute(order.format(query=named["query"]))
        movements, missing, lower = cursor.fetchone() or (0, 0, 0)
    return {
        "movements": movements,
        "without_id": missing,
        "repeated": repeated,
        # A number that is made of a text says nothing of its time.
        "lower_than_an_earlier_day": None if query.own.get(query.id_column) else lower,
    }
