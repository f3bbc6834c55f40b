"""What of the open ledger the OLTP has no more, of which new row versions tell nothing.

Compared by blocks of ids, count and sum of hashes of each; only the blocks that differ are looked
into, by reading all ids that there are. What is new, voided or out of scope makes a block differ,
too: that costs a look, and takes nothing out.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pipeline import olap
from pipeline.base.database import begin_snapshot, connect
from pipeline.base.zone_rules import server_rules
from pipeline.oltp.conditions import with_rules
from pipeline.oltp.reads import numbers_between, numbers_by_block
from pipeline.run.documents import still_there

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from psycopg2.extensions import connection as Connection

    from pipeline.olap import Control
    from pipeline.oltp.queries import Query
    from pipeline.settings import Settings

_BLOCK = 10_000  # movements, or so
# What runs once a day begins some seconds earlier on one than on another.
_EARLY = timedelta(minutes=1)


def is_due(settings: Settings, until: datetime, control: Control) -> bool:
    """Whether ETL_DELETED_HOURS have passed, `until` then, since all or what is gone was read."""
    if not settings.deleted_hours:
        return False
    last = olap.moment(control["borradas_buscadas"])
    return last is None or until - last >= timedelta(hours=settings.deleted_hours) - _EARLY


def find_deleted(settings: Settings, shop: Connection, query: Query, control: Control) -> list[int]:
    """What the snapshot of `shop` lacks: of the open ledger, rejects, and what is out of scope."""
    since = _open_since(control)
    with connect(settings.olap, "deleted", read_only=True) as analytical:
        begin_snapshot(analytical)
        limits = olap.call(analytical, "SELECT etl.bloques(%s)", (_BLOCK,))
        there = _blocks(analytical, "SELECT * FROM etl.numeros_por_bloque(%s::bigint[])", (limits,))
        movements = with_rules(
            query,
            control["tipos"],
            lambda: server_rules(analytical, settings.timezone, since, since),
        )
        here = _blocks(shop, numbers_by_block(movements, since, limits))
        differ = sorted(block for block in there if here.get(block) != there[block])
        gone = _gone_out_of_scope(analytical, shop, query)
        if not differ:
            return sorted(gone)
        asked = "SELECT etl.numeros_de_bloques(%s::bigint[], %s::integer[])"
        known = _numbers(analytical, asked, (limits, differ))
    return sorted(gone | known - numbers_in(shop, query, limits, differ))


def _gone_out_of_scope(analytical: Connection, shop: Connection, query: Query) -> set[int]:
    """Of those that are told of as out of scope: no block has them, and they are few."""
    with analytical.cursor() as cursor:
        cursor.execute("SELECT * FROM etl.numeros_fuera()")
        listed = dict(cursor.fetchall())
    if "id_movimiento" in query.own:
        listed = {number: own for number, own in listed.items() if own is not None}
    return listed.keys() - still_there(shop, query, "id_movimiento", listed)


def numbers_in(
    shop: Connection, query: Query, limits: Sequence[int], blocks: Sequence[int]
) -> set[int]:
    """All ids that the query has in these blocks, in order; those that touch are one range."""
    edges: list[tuple[int | None, int | None]] = []
    for block in blocks:
        low = limits[block - 1] if block else None
        high = limits[block] if block < len(limits) else None
        if edges and edges[-1][1] == low:
            edges[-1] = (edges[-1][0], high)
        else:
            edges.append((low, high))
    return _numbers(shop, numbers_between(query, edges))


def _numbers(
    connection: Connection, statement: Any, values: tuple[Any, ...] | None = None
) -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return {number for (number,) in cursor}


def _open_since(control: Control) -> datetime:
    """From when on what is dated may leave the ledger."""
    initial, closed = olap.initial_date(control), olap.moment(control["cerrado"])
    assert initial is not None
    return max(initial, closed) if closed else initial


def _blocks(
    connection: Connection, statement: Any, values: tuple[Any, ...] | None = None
) -> dict[int, tuple[int, int]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return {block: (count, int(total)) for block, count, total in cursor}
