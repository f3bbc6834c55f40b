"""The files of a draft: the queries, with a mark that keeps every run from using them."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.oltp.drafting.catalogues import branches, levels, of_lines, products
from pipeline.oltp.drafting.choice import choose
from pipeline.oltp.drafting.tables import Tables
from pipeline.oltp.drafting.writing import branch_table, from_clause, movements
from pipeline.oltp.recipes import DRAFT
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from pipeline.oltp.drafting.choice import Choice
    from pipeline.oltp.drafting.tables import Table
    from pipeline.oltp.drafting.typing_rows import Yielded

_VERSIONS = {"xmin": "xmin", "xid8": "version_etl", "full": ""}


@dataclass(frozen=True)
class Query:
    """One of the shop's queries as a draft: what each of its SELECTs yields, and from what."""

    name: str
    selects: list[list[Yielded]]
    sources: list[str]

    @property
    def sql(self) -> str:
        """The file's text, in ASCII but for what the shop's own tables are called."""
        parts = [
            _select(yielded, source, first=not number)
            for number, (yielded, source) in enumerate(zip(self.selects, self.sources, strict=True))
        ]
        mark = _("no run uses this file until this line is deleted")
        head = _(
            "Made of names, keys, signs and counts: read each line, correct it, and look at it"
        )
        return (
            f"{DRAFT}: {_ascii(mark)}\n-- {_ascii(head)}\n-- python -m pipeline adapt\n"
            + "\nUNION ALL\n".join(parts)
            + "\n"
        )


@dataclass(frozen=True)
class Draft:
    """All of them, and the tables that looked like movements, too."""

    queries: list[Query]
    others: list[dict[str, Any]]
    looked_at: int


def draft(shop: Connection, tables: list[Table], capture: str) -> Draft | None:
    """Draft the queries; None where no table looks like movements. Reads only."""
    all_tables = Tables(tables)
    choice = choose(shop, all_tables)
    if not choice.parts:
        return None
    version = _VERSIONS[capture]
    place = branch_table(choice, all_tables)
    product = choice.parts[0].lines.product
    goods = (
        of_lines(choice.parts[0], choice.code, version)
        if choice.code
        else products(all_tables, product, version)
    )
    queries = [
        Query(
            "movimientos",
            movements(choice, all_tables, version),
            [from_clause(part) for part in choice.parts],
        ),
        Query("productos", *goods),
        Query("sucursales", *branches(place, version)),
    ]
    stock = levels(all_tables, product, place, choice, version)
    if stock:
        queries.append(Query("existencias", *stock))
    return Draft(queries, [_other(choice, part) for part in choice.others], len(tables))


def _other(choice: Choice, part: Any) -> dict[str, Any]:
    return {
        "table": part.lines.table.label,
        "rows": part.signs.rows if part.signs.readable else None,
        "type": part.lines.named,
        "score": part.lines.score,
    }


def _select(yielded: list[Yielded], source: str, *, first: bool) -> str:
    lines = []
    for number, column in enumerate(yielded):
        comma = "," if number + 1 < len(yielded) else ""
        own = column.sql.rpartition(".")[2] if "." in column.sql else ""
        name = f" AS {column.name}" if first and own != column.name else ""
        why = f"  -- {_ascii(column.why)}" if column.why else ""
        lines.append(f"    {column.sql}{name}{comma}{why}")
    return "SELECT\n" + "\n".join(lines) + f"\n{source}"


def _ascii(text: str) -> str:
    """A remark without accents, and in one line: an OLTP's encoding may not have them."""
    plain = unicodedata.normalize("NFKD", " ".join(text.split()))
    return plain.encode("ascii", "ignore").decode()
