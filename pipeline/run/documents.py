"""Lines that a document of the shop's has no more, though the document is still there.

A shop that corrects a document by deleting its lines and inserting others under the same header
leaves no trace of the old ones among new row versions; but its new lines name the document.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

from pipeline.base.database import connect, rows_of
from pipeline.oltp.own_ids import columns_of, there

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from psycopg2.extensions import connection as Connection

    from pipeline.oltp.queries import Query
    from pipeline.settings import Settings


def lines_that_went(
    settings: Settings, shop: Connection, query: Query, read: Path, recheck: Collection[int] = ()
) -> list[int]:
    """The movements that the OLAP has of a document which is there, and which it has no more.

    `read` is the file of the window's movements: those of its documents are looked for, and those
    of `recheck` that it lacks. Asked of the whole query in the snapshot of `shop`, by their ids, so
    that a line that is now of another document is no such line.
    """
    if "id_documento" not in query.columns:
        return []
    lines, documents = _of_file(read, query)
    looked_for = sorted(set(recheck) - lines)
    if not documents and not looked_for:
        return []
    with connect(settings.olap, "documents", read_only=True) as analytical:
        known = "SELECT * FROM etl.lineas_de_documentos(%s::bigint[])"
        had = dict(rows_of(analytical, known, (sorted(documents),)))
        looked = {line: own for line, own in had.items() if line not in lines}
        went = looked.keys() - still_there(shop, query, "id_movimiento", looked)
        return sorted(went | lost_by_documents(analytical, shop, query, looked_for))


def lost_by_documents(
    analytical: Connection, shop: Connection, query: Query, gone: Collection[int]
) -> set[int]:
    """Of movements that the OLTP has no more, those whose document it still has."""
    if "id_documento" not in query.columns or not gone:
        return set()
    asked = "SELECT * FROM etl.documentos_de_movimientos(%s::bigint[])"
    found = rows_of(analytical, asked, (sorted(gone),))
    documents = {document: own for _line, document, own in found}
    left = still_there(shop, query, "id_documento", documents)
    return {line for line, document, _own in found if document in left}


def names_at_shop(
    shop: Connection, query: Query, movements: Sequence[int]
) -> dict[str, dict[str, str | None]]:
    """What the shop calls some movements, by their numbers as names.py has them."""
    told = [column for column in ("clave", "documento") if column in query.columns]
    if not movements or not told:
        return {}
    return {
        str(number): dict(zip(told, names, strict=True))
        for number, *names in rows_of(shop, columns_of(query, told, movements))
    }


def _of_file(path: Path, query: Query) -> tuple[set[int], set[int]]:
    """The ids of an extract's movements, and of their documents."""
    columns = query.columns_read
    line, document = columns.index("id_movimiento"), columns.index("id_documento")
    with path.open(newline="", encoding="utf-8") as file:
        lines, documents = set(), set()
        for row in csv.reader(file):
            lines.add(row[line])
            documents.add(row[document])
    return {int(line) for line in lines - {""}}, {int(number) for number in documents - {""}}


def still_there(
    shop: Connection, query: Query, column: str, ids: Mapping[int, str | None]
) -> set[int]:
    """Those of the numbers `ids` that the query has now; of each, the shop's own id."""
    values: list[Any] = sorted(ids)
    if column in query.own:
        values = sorted(own for own in ids.values() if own is not None)
    return (
        {number for (number,) in rows_of(shop, there(query, column, values))} if values else set()
    )
