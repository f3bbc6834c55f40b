"""The shop's catalogue: whether it is the one that the OLAP was loaded from, and what came or went.

A product that is deleted leaves no trace among new row versions, as its lines may stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg2 import sql

from pipeline import olap
from pipeline.base.sql_files import read_sql

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from pipeline.oltp.queries import Query


def fingerprint(connection: Connection, products: Query) -> str:
    """How many ids productos.sql yields, and a sum of their hashes, in the session's snapshot."""
    template = sql.SQL(read_sql("oltp", "huella_productos.sql"))
    return str(olap.call(connection, template.format(query=sql.SQL(products.text))))


def came_and_went(
    shop: Connection, products: Query, analytical: Connection
) -> tuple[set[int], set[int]]:
    """The ids of productos.sql that the OLAP does not know, and those that it alone still knows."""
    there = sql.SQL("SELECT m.id_producto::bigint FROM (\n{}\n) AS m").format(
        sql.SQL(products.text)
    )
    now = _ids(shop, there)
    known = _ids(analytical, "SELECT etl.productos_vigentes()")
    return now - known, known - now


def _ids(connection: Connection, statement: Any) -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return {product for (product,) in cursor if product is not None}
