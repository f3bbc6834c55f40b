"""The one way to open a read of the shop: its snapshot, its queries, and what they stand on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.base.database import begin_snapshot
from pipeline.errors import SchemaError
from pipeline.oltp.plans import explain, source_tables
from pipeline.oltp.prints import query_prints
from pipeline.oltp.queries import NAMES, Query, load_query
from pipeline.oltp.recipes import refuse_draft, refuse_untried
from pipeline.oltp.snapshot import Snapshot, take_snapshot
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from pipeline.settings import Settings


def refuse_two_kinds(query: Query, products: Query) -> None:
    """A number that is made of a text is not the number that another query yields as one."""
    kinds = [query.own.get("id_producto"), products.own.get("id_producto")]
    if None in kinds and any(kinds):
        told = [kind or _("a number") for kind in kinds]
        raise SchemaError(
            _(
                "{query}.sql yields id_producto as {kind}, but productos.sql as {of_products}: "
                "yield the same in both"
            ).format(query=query.name, kind=told[0], of_products=told[1])
        )


@dataclass(frozen=True)
class Source:
    """The shop's queries in the order of NAMES, the plan of each, and the snapshot they share."""

    queries: list[Query]
    plans: list[dict[str, Any]]
    snapshot: Snapshot


def open_read(connection: Connection, settings: Settings) -> Source:
    """Begin the one snapshot that the whole read is done in, and describe it.

    Raises SchemaError for a query that does not keep the contract, leaves rows out, or has a
    version that cannot move, or is a draft, and for a version of the shop's system that they do
    not know.
    """
    refuse_draft(settings)
    begin_snapshot(connection)
    refuse_untried(connection, settings)
    queries = [load_query(connection, settings, name) for name in NAMES]
    refuse_two_kinds(*queries[:2])
    prints = query_prints(connection, queries)
    plans = explain(connection, queries)
    tables = source_tables(connection, queries, plans)
    return Source(queries, plans, take_snapshot(connection, tables, prints))
