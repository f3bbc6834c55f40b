"""What only a book asks the shop for: the columns that a load does not read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from psycopg2 import sql

from pipeline.base.database import begin_snapshot, connect
from pipeline.base.sql_files import read_sql
from pipeline.oltp.queries import FOR_BOOK, Query, load_query

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from pipeline.settings import Settings

# Ids of a query's rows → by id, the texts of its columns for the book, None where one is lacking.
Read = Callable[[Collection[int]], dict[int, list[str | None]]]


@contextmanager
def reading_for_book(settings: Settings) -> Iterator[tuple[Read, Read]]:
    """How the shop's products and movements are asked, in one snapshot that ends with the block."""
    with connect(settings.oltp, "book", read_only=True) as connection:
        begin_snapshot(connection)
        products, movements = (
            load_query(connection, settings, name) for name in ("productos", "movimientos")
        )
        yield _reader(connection, products), _reader(connection, movements)


def _reader(connection: Connection, query: Query) -> Read:
    columns = sql.SQL(", ").join(
        sql.SQL("btrim(m.{}::text)").format(sql.Identifier(column))
        if column in query.columns
        else sql.SQL("NULL")
        for column in FOR_BOOK[query.name]
    )
    statement = sql.SQL(read_sql("oltp", "libro.sql")).format(
        # What is passed as a parameter has its percent signs doubled.
        query=sql.SQL(query.text.replace("%", "%%")),
        id=sql.Identifier(query.id_column),
        columns=columns,
        ids=sql.SQL("%s"),
    )

    def read(ids: Collection[int]) -> dict[int, list[Any]]:
        with connection.cursor() as cursor:
            cursor.execute(statement, (list(ids),))
            return {row[0]: list(row[1:]) for row in cursor.fetchall()}

    return read
