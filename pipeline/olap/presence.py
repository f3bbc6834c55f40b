"""Which of the two databases holds an OLAP: they are told apart before anything is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.base.database import call, connect

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from pipeline.settings import Database


def is_olap(connection: Connection) -> bool:
    """Whether the database has our control table, which any account may ask."""
    query = (
        "SELECT EXISTS (SELECT FROM pg_class AS c INNER JOIN pg_namespace AS n"
        " ON n.oid = c.relnamespace WHERE n.nspname = 'etl' AND c.relname = 'control')"
    )
    return bool(call(connection, query))


def same_database(one: Database, other: Database) -> bool:
    """Whether two accounts are of one database, by what the settings call it."""
    return (one.host, one.port, one.name) == (other.host, other.port, other.name)


def exchanged(shop: Database, analytical: Database) -> bool:
    """Whether the shop's database holds an OLAP and the analytical one none.

    Raises what connect() raises.
    """
    with connect(analytical, "which is which", read_only=True) as connection:
        if is_olap(connection):
            return False
    with connect(shop, "which is which", read_only=True) as connection:
        return is_olap(connection)
