"""The shop's catalogue: whether it is the one that the OLAP was loaded from, and what came or went.

A product that is deleted leaves no trace among new row versions, as its lines may stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg2 import sql

from pipeline import olap
from pipeline.base.database import rows_of
from pipeline.base.sql_files import read_sql
from pipeline.oltp.proof_reads import catalogue_prints

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


def faults(
    shop: Connection,
    query: Query,
    analytical: Connection,
    horizon: int,
    *,
    moved: bool,
    hashed: bool,
    encoding: str | None,
) -> list[dict[str, Any]]:
    """What the OLAP copied from productos.sql, or sucursales.sql, and has otherwise than the shop.

    What the shop changed since the `horizon` is left out; where products `moved`, in or out of the
    catalogue, so is what only one of the two has. Of branches only what the shop has is looked at:
    those that it has no more stay. `hashed` and `encoding` are as catalogue_prints() wants them.
    """
    read = catalogue_prints(query, horizon, hashed=hashed, encoding=encoding)
    products = query.name == "productos"
    if products:
        asks = sql.SQL(read_sql("oltp", "huella_catalogo_suma.sql")).format(fingerprints=read)
        summed = olap.call(analytical, "SELECT etl.sumar_catalogo(%s)", (hashed,))
        if summed == olap.call(shop, asks):
            return []
    asked = "SELECT * FROM etl.verificar_catalogo(%s, %s)"
    here = {number: row for number, *row in rows_of(shop, read)}
    there = {number: row for number, *row in rows_of(analytical, asked, (query.name, hashed))}
    found = {n: _kind(here.get(n), there.get(n), moved) for n in here.keys() | there.keys()}
    return [
        {
            "query": query.name,
            "kind": kind,
            "id": number,
            "code": here[number][2] if number in here else there[number][1],
        }
        for number, kind in sorted(found.items())
        if kind and (products or kind != "extra")
    ]


def _kind(here: list[Any] | None, there: list[Any] | None, moved: bool) -> str | None:
    """What is wrong with a row of the catalogue, None if nothing is or it only waits."""
    if here is None:
        return None if moved else "extra"
    if here[1] or (there is None and moved):
        return None
    if there is None:
        return "missing"
    return None if here[0] == there[0] else "different"
