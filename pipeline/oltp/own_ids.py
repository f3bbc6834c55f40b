"""Ids of the shop's that are text or uuid: the numbers that the OLAP knows them by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg2 import sql

from pipeline.base.sql_files import read_sql

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pipeline.oltp.queries import Query

# The first 60 bits of md5, which is the same in every version and on every machine. An empty text
# is what other shops write as null.
_NUMBER = "('x' || left(md5(nullif(f.{}::text, '')), 15))::bit(60)::bigint"
# In which column a query's own id stands beside its number: its own, or that of what it names.
_OWN = {
    "id_documento": "clave_documento",
    "id_origen": "clave_origen",
    "id_sucursal_destino": "clave_destino",
}
_OF_MOVEMENTS = {"id_producto": "clave_producto", "id_sucursal": "clave_sucursal"}


def own_column(query: str, column: str) -> str:
    """The column of the reads of `query`, and of staging, that has the shop's own id as text."""
    others = {} if query in ("productos", "sucursales") else _OF_MOVEMENTS
    return {**_OWN, **others}.get(column, "clave")


def as_numbers(
    name: str, text: str, columns: Sequence[str], floats: Collection[str], own: Collection[str]
) -> sql.Composable:
    """The query `name` with a number for each of its ids of `own`, which stand beside; null stays,
    and what is empty is null.

    And with its `floats` as the numbers that they show: a cast keeps 6 or 15 digits. `columns` are
    those of the contract; others of the same name may be there.
    """
    values = []
    for column in columns:
        value = _NUMBER if column in own else "f.{}::text::numeric" if column in floats else "f.{}"
        identifier = sql.Identifier(column)
        values.append(sql.SQL("{} AS {}").format(sql.SQL(value).format(identifier), identifier))
    for column in own:
        beside = sql.Identifier(own_column(name, column))
        values.append(sql.SQL("f.{} AS {}").format(sql.Identifier(column), beside))
    return sql.SQL("SELECT {}\nFROM (\n{}\n) AS f").format(
        sql.SQL(", ").join(values), sql.SQL(text)
    )


def there(query: Query, column: str, values: Sequence[int] | Sequence[str]) -> sql.Composable:
    """A read of those of `values` that some row has in the id `column`, whatever its version is.

    They are the shop's own ids where those are no numbers: so its indexes find them.
    """
    own = query.own.get(column)
    return sql.SQL(read_sql("oltp", "existen.sql")).format(
        query=sql.SQL(query.text),
        number=sql.Identifier(column),
        column=sql.Identifier(own_column(query.name, column) if own else column),
        values=sql.Literal(list(values)),
        type=sql.SQL(own or "bigint"),
    )


def columns_of(query: Query, columns: Sequence[str], movements: Sequence[int]) -> sql.Composable:
    """A read of some movements' numbers, and of these columns as text."""
    return sql.SQL(read_sql("oltp", "libro.sql")).format(
        query=sql.SQL(query.text),
        id=sql.Identifier(query.id_column),
        columns=sql.SQL(", ").join(sql.SQL(f"m.{column}::text") for column in columns),
        sought=sql.Identifier(query.id_column),
        type=sql.SQL("bigint"),
        ids=sql.Literal(list(movements)),
    )
