"""productos.sql, sucursales.sql and existencias.sql as drafts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.oltp.drafting.lines import CERTAIN, NUMBERS, Field, best
from pipeline.oltp.drafting.typing_rows import Yielded
from pipeline.oltp.drafting.words import LEVELS, NO_DOCUMENT, PRODUCT, has, rank, words_of, worth
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from pipeline.oltp.drafting.choice import Choice, Part
    from pipeline.oltp.drafting.tables import Column, Link, Table, Tables

Drafted = tuple[list[list[Yielded]], list[str]]
_ACTIVE = frozenset(["activo", "activa", "active"])
_STOCK = 16  # a column that is called nothing else


def products(tables: Tables, product: Link, version: str) -> Drafted:
    """The catalogue that the lines name, with the table of its names where that is another."""
    table = product.table
    code, name = best(table, "code", "text"), best(table, "name", "text")
    source, aliases = f"FROM {table.quoted} AS p", ["p"]
    named = f"p.{name.quoted}" if name else ""
    links = tables.links(table)
    if not name or worth(name.name, "name") < _STOCK:
        for link in links:
            other = best(link.table, "name", "text")
            if other is None or (name and worth(other.name, "name") <= worth(name.name, "name")):
                continue
            if link.table is not table and rank(link.table.words, PRODUCT) is not None:
                source += f"\nINNER JOIN {link.table.quoted} AS n"
                source += f" ON n.{link.key.quoted} = p.{link.column.quoted}"
                named, name = f"n.{other.quoted}", other
                aliases.append("n")
                break
    category, joined = _category(table, links)
    if joined:
        source += f"\n{joined}"
        aliases.append("c")
    key = f"p.{product.key.quoted}"
    yielded = [
        Yielded("id_producto", key, _("its key")),
        _or_key(
            "codigo",
            f"p.{code.quoted}" if code else "",
            Field("p", product.key),
            _("no column of a code"),
        ),
        _or_key("nombre", named, Field("p", product.key), _("no column of a name")),
        Yielded("categoria", category, "" if category.startswith("NULL") else _("by its name")),
    ]
    active = next((c for c in table.of_kind("boolean") if set(words_of(c.name)) & _ACTIVE), None)
    if active:
        yielded.append(Yielded("activo", f"p.{active.quoted}", _("by its name")))
    return [[*yielded, *_versions(aliases, version)]], [source]


def of_lines(part: Part, code: Column, version: str) -> Drafted:
    """What was sold, by its last line: the catalogue has no more what was deleted."""
    table, key = part.lines.table, part.lines.key[0].quoted
    name = best(table, "name", "text")
    said = f"l.{code.quoted}"
    yielded = [
        Yielded("id_producto", said, _("as the lines have it")),
        Yielded("codigo", said, ""),
        Yielded("nombre", f"coalesce(l.{name.quoted}, {said})" if name else said, ""),
        Yielded("categoria", "NULL::text", ""),
    ]
    source = (
        f"FROM {table.quoted} AS l\nWHERE NOT EXISTS (\n    SELECT 1\n"
        f"    FROM {table.quoted} AS o\n    WHERE o.{code.quoted} = {said} AND o.{key} > l.{key}\n)"
    )
    return [[*yielded, *_versions(["l"], version)]], [source]


def _category(table: Table, links: list[Link]) -> tuple[str, str]:
    """The category's name, and what must be joined for it."""
    for link in links:
        other = best(link.table, "name", "text")
        if other and worth(link.column.name, "category") > 0 and link.table is not table:
            on = f"c.{link.key.quoted} = p.{link.column.quoted}"
            return f"c.{other.quoted}", f"LEFT JOIN {link.table.quoted} AS c ON {on}"
    own = best(table, "category", "text")
    return (f"p.{own.quoted}" if own else "NULL::text"), ""


def branches(place: Link | None, version: str) -> Drafted:
    """The branches that the movements name; without any, a query of no rows."""
    if place is None:
        none = [Yielded("id_sucursal", "0::bigint", _("no column of a branch"))]
        none.append(Yielded("nombre", "''", ""))
        if version:
            still = "'0'::xid" if version == "xmin" else "'0'::xid8"
            none.append(Yielded("version_1", still, ""))
        return [none], ["WHERE false"]
    key = f"s.{place.key.quoted}"
    name = best(place.table, "name", "text")
    yielded = [
        Yielded("id_sucursal", key, _("its key")),
        _or_key(
            "nombre",
            f"s.{name.quoted}" if name else "",
            Field("s", place.key),
            _("no column of a name"),
        ),
    ]
    return [[*yielded, *_versions(["s"], version)]], [f"FROM {place.table.quoted} AS s"]


def _or_key(column: str, said: str, key: Field, lacks: str) -> Yielded:
    """What the shop calls it; where it has no word for it, its key."""
    return Yielded(column, said or key.text, _("by its name") if said else lacks)


def _versions(aliases: list[str], version: str) -> list[Yielded]:
    if not version:
        return []
    return [Yielded(f"version_{n}", f"{alias}.{version}", "") for n, alias in enumerate(aliases, 1)]


def levels(
    tables: Tables, product: Link, place: Link | None, choice: Choice, version: str
) -> Drafted | None:
    """The shop's own figure of its stock: of a table of it, or in that of the products."""
    used = [part.lines.table for part in choice.parts]
    # Lines of a count are of a document, and no figure of today's.
    used += [part.lines.table for part in choice.others if part.lines.moment.alias == "t"]
    for table in tables.all:
        if table in used or not has(table.words, LEVELS) or has(table.words, NO_DOCUMENT):
            continue
        level = best(table, "level", *NUMBERS)
        links = tables.links(table)
        named = next((link.column for link in links if link.table is product.table), None)
        if choice.code:
            named = table.columns.get(choice.code.name)
        if level and named and (_one_each(table, named) or not _tells_when(table)):
            branch = next((link for link in links if place and link.table is place.table), None)
            return _of_table(table, level.quoted, named, branch, version)
    if choice.code:
        return None
    own = best(product.table, "level", *NUMBERS)
    if own is None or worth(own.name, "level") < _STOCK:
        return None
    yielded = [
        Yielded("id_producto", f"e.{product.key.quoted}", _("its key")),
        Yielded("existencias", f"e.{own.quoted}", _("by its name")),
    ]
    return [[*yielded, *_versions(["e"], version)]], [f"FROM {product.table.quoted} AS e"]


def _one_each(table: Table, named: Column) -> bool:
    return any(named.name in key for key in table.keys)


def _tells_when(table: Table) -> bool:
    """Whether its rows are of a day, as movements and histories are."""
    moment = best(table, "moment", "moment")
    return moment is not None and worth(moment.name, "moment") >= CERTAIN


def _of_table(
    table: Table, level: str, named: Column, branch: Link | None, version: str
) -> Drafted:
    columns = {named.name, *([branch.column.name] if branch else [])}
    product = f"e.{named.quoted}"
    yielded = [Yielded("id_producto", product, "")]
    grouped = [product]
    if branch:
        yielded.append(Yielded("id_sucursal", f"e.{branch.column.quoted}", ""))
        grouped.append(f"e.{branch.column.quoted}")
    source = f"FROM {table.quoted} AS e"
    if any(set(key) <= columns for key in table.keys):
        yielded.append(Yielded("existencias", f"e.{level}", _("by its name")))
        return [[*yielded, *_versions(["e"], version)]], [source]
    # Of several rows a product the sum, which wants no version.
    yielded.append(
        Yielded("existencias", f"sum(e.{level})", _("a product may have several rows: their sum"))
    )
    return [yielded], [f"{source}\nGROUP BY {', '.join(grouped)}"]
