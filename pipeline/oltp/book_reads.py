"""What only a book asks the shop for: the columns that a load does not read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from psycopg2 import sql

from pipeline.base.database import begin_snapshot, connect
from pipeline.base.sql_files import read_sql
from pipeline.oltp.own_ids import own_column
from pipeline.oltp.queries import FOR_BOOK, Query, load_query

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from pipeline.settings import Settings

# Ids of a query's rows → by id, the texts of its columns for the book, None where one is lacking.
Read = Callable[[Collection[int]], dict[int, list[str | None]]]
# The name of a query and numbers of its rows → the shop's own ids, where those are no numbers.
OwnIds = Callable[[str, Collection[int]], list[str]]


@contextmanager
def reading_for_book(settings: Settings, own_ids: OwnIds) -> Iterator[tuple[Read, Read]]:
    """How the shop's products and movements are asked, in one snapshot that ends with the block.

    By their `own_ids` where those are no numbers, as the shop's indexes find them.
    """
    with connect(settings.oltp, "book", read_only=True) as connection:
        begin_snapshot(connection)
        products, movements = (
            load_query(connection, settings, name) for name in ("productos", "movimientos")
        )
        yield _reader(connection, products, own_ids), _reader(connection, movements, own_ids)


def _reader(connection: Connection, query: Query, own_ids: OwnIds) -> Read:
    own = query.own.get(query.id_column)
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
        sought=sql.Identifier(own_column(query.name, query.id_column) if own else query.id_column),
        type=sql.SQL(own or "bigint"),
        ids=sql.SQL("%s"),
    )

    def read(ids: Collection[int]) -> dict[int, list[Any]]:
        with connection.cursor() as cursor:
            cursor.execute(statement, (own_ids(query.name, ids) if own else list(ids),))
            return {row[0]: list(row[1:]) for row in cursor.fetchall()}

    return read
