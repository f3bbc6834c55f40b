"""What the shop's queries are: fingerprints of them and of their views, and what they name."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from psycopg2 import sql

from pipeline.base.sql_files import read_sql
from pipeline.oltp.queries import BESIDE, OPTIONAL

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from pipeline.oltp.queries import Query

# A literal or quoted name, kept as it is; a comment or blanks, which say nothing.
_TOKENS = re.compile(r"""('[^']*'|"[^"]*")|(?:--[^\n]*|\s)+""")
# Where these stand, a quote may be no end of a literal: such a text counts as it is.
_BEYOND = ("\\", "$", "/*")


def query_prints(connection: Connection, queries: Sequence[Query]) -> dict[str, str]:
    """By the query's file, or the view's or function's name, a fingerprint; SELECT alone is needed.

    Of a table that has virtual generated columns, too: of what makes those (PostgreSQL 18).
    The locks that load_query() took tell the views, so it is asked in the same transaction, which
    has read nothing else; of functions their names in the text of queries, views and functions do.
    """
    prints = {f"{query.name}.sql": _digest(_yields(query)) for query in queries}
    with connection.cursor() as cursor:
        cursor.execute(read_sql("oltp", "relaciones.sql"))
        for name, kind, definition in cursor:
            if definition:
                prints[f"the {'view' if kind == 'v' else 'table'} {name}"] = definition
        texts = "\n".join(query.text for query in queries)
        cursor.execute(read_sql("oltp", "funciones.sql"), {"queries": texts})
        for name, kind, definition in cursor:
            prints[f"the {'view' if kind == 'v' else 'function'} {name}"] = definition
    return prints


def _yields(query: Query) -> str:
    # What an earlier release passed over is read now: by the text alone nobody would notice.
    beside = BESIDE if query.name == "movimientos" else {}
    read = [column for column in OPTIONAL[query.name] | beside if column in query.columns]
    return " ".join([_essence(query.text), *read])


def _essence(text: str) -> str:
    # xmin and version_etl tell the same of a row: to change ETL_CAPTURE yields no other rows.
    text = text.replace(".version_etl AS version_", ".xmin AS version_")
    if any(sign in text for sign in _BEYOND):
        return text
    return _TOKENS.sub(lambda token: token[1] or " ", text).strip()


def _digest(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def named_relations(connection: Connection, queries: Iterable[Query]) -> list[tuple[str, str]]:
    """The schema and name of each relation that the queries name, as a view of them depends on.

    The account must be allowed to create a temporary view; it is dropped again.
    """
    named: set[tuple[str, str]] = set()
    for query in queries:
        with connection.cursor() as cursor:
            create = "CREATE TEMPORARY VIEW etl_consulta AS SELECT count(*) FROM (\n{}\n) AS m"
            cursor.execute(sql.SQL(create).format(sql.SQL(query.text)))
            cursor.execute(read_sql("oltp", "nombradas.sql"))
            named.update(cursor.fetchall())
            cursor.execute("DROP VIEW pg_temp.etl_consulta")
    return sorted(named)
