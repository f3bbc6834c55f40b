"""Reads of the movements as the OLAP understands them, which it is compared with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from psycopg2 import sql

from pipeline.base.sql_files import read_sql
from pipeline.oltp.conditions import (
    among,
    are_new,
    bound,
    date_type,
    moment_of,
    one_after_another,
    optional_columns,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from pipeline.oltp.queries import Query


def understood(
    query: Query,
    products: Query,
    since: datetime,
    limit: datetime,
    openings: Mapping[int, datetime],
    types: Sequence[Mapping[str, Any]],
    *,
    rows: sql.Composable | None = None,
    pending: Sequence[sql.Composable] = (),
) -> sql.Composable:
    """A read of every movement as the OLAP understands it: scope, reason to wait, amounts.

    What is dated after `limit` waits in quarantine, as do the lines of products that `products`
    does not yield. `openings` are the products whose movements count from a date only, `types` the
    rows of dw.tipo_movimiento. `rows` are read in the place of the query's, and `pending` are the
    conditions of those that are too new to be compared.
    """
    return sql.SQL(read_sql("oltp", "entendidos.sql")).format(
        query=rows or sql.SQL(query.text),
        catalogue=sql.SQL(products.text),
        clock=sql.SQL("v.fecha" if query.wall_clock else "v.fecha AT TIME ZONE 'UTC'"),
        moment=moment_of(query),
        type=date_type(query),
        since=bound(query, since),
        limit=bound(query, limit),
        products=sql.Literal(list(openings)),
        dates=sql.SQL(", ").join(bound(query, date) for date in openings.values()),
        pending=sql.SQL(" OR ").join(pending) if pending else sql.SQL("false"),
        # Not escaped: an OLTP whose encoding is SQL_ASCII knows no escapes but its own.
        types=sql.Literal(json.dumps(types, ensure_ascii=False)),
        **optional_columns(query),
        **_beside(query),
    )


def _beside(query: Query) -> dict[str, sql.Composable]:
    """By its name in dw.documento_movimiento, what the query has of it: itself, or NULL."""
    beside = dict.fromkeys(("id_documento", "documento", "clave", "clave_documento"), "NULL")
    for column in query.columns_beside:
        if column in beside:
            beside[column] = (
                f"m.{column}" if column == "id_documento" else f"nullif(m.{column}::text, '')"
            )
    return {name: sql.SQL(text) for name, text in beside.items()}


def fingerprints(
    query: Query,
    products: Query,
    since: datetime,
    limit: datetime,
    openings: Mapping[int, datetime],
    types: Sequence[Mapping[str, Any]],
    horizon: int | None,
    changed: Sequence[int] = (),
    *,
    hashed: bool = True,
    documents: bool = False,
    encoding: str | None = None,
    since_version: int | None = None,
    ids: Sequence[int] = (),
) -> sql.Composable:
    """A read of every movement's fingerprint, scope and newness, for verify; see understood().

    With `since_version` of those only that are not older, and of those of `ids`. Fingerprints are
    `hashed` by PostgreSQL's own function, or made by md5.
    Of `documents` that fingerprint comes, too, else 0; `encoding` as of catalogue_prints().
    Without a `horizon` nothing is too new to be compared. The products
    of `changed` came or went after it.
    """
    pending = are_new(query, horizon) if horizon else []
    if horizon and changed:
        pending.append(among("id_producto", changed))
    rows: sql.Composable = sql.SQL(query.text)
    if since_version is not None:
        # As changed_since() reads them.
        some = [*are_new(query, since_version), *([among("id_movimiento", ids)] if ids else [])]
        wrapped = sql.SQL("SELECT m.* FROM (\n{}\n) AS m WHERE {}")
        rows = sql.SQL("\nUNION ALL\n").join(
            [wrapped.format(rows, condition) for condition in one_after_another(some)]
        )
    return sql.SQL(read_sql("oltp", "huella_movimientos.sql")).format(
        understood=understood(
            query, products, since, limit, openings, types, rows=rows, pending=pending
        ),
        fingerprint=fingerprint_of(_content(encoding), hashed),
        document=_document(hashed, encoding) if documents else sql.SQL("0::bigint"),
    )


def _content(encoding: str | None) -> sql.Composable:
    kind = sql.SQL("CASE WHEN c.motivo IS NULL THEN c.entendido ELSE c.tipo END")
    return sql.SQL(read_sql("oltp", "huella_contenido.sql")).format(tipo=utf8(kind, encoding))


def _document(hashed: bool, encoding: str | None) -> sql.Composable:
    texts = {
        name: utf8(sql.SQL(f"c.{name}"), encoding)
        for name in ("documento", "clave", "clave_documento")
    }
    content = sql.SQL(read_sql("oltp", "huella_documento.sql")).format(**texts)
    # What has none has no row in dw.documento_movimiento.
    return sql.SQL(
        "CASE WHEN coalesce(c.clave, c.documento, c.id_documento::text) IS NULL OR NOT c.alcance"
        " THEN 0 ELSE {} END"
    ).format(fingerprint_of(content, hashed))


def utf8(text: sql.Composable, encoding: str | None) -> sql.Composable:
    """The bytes of a text in UTF-8, as a session in UTF-8 is sent them.

    A server that converts nothing sends what it has: that is in `encoding`.
    """
    if encoding is None:
        # Not textsend(): a worker of a parallel plan sends it in the database's encoding.
        return sql.SQL("convert_to({}::text, 'UTF8')").format(text)
    sent = sql.SQL("textsend({}::text)").format(text)
    if encoding in ("UTF8", "SQL_ASCII"):
        return sent
    return sql.SQL("convert({}, {}, 'UTF8')").format(sent, sql.Literal(encoding))


def catalogue_prints(
    query: Query, horizon: int, *, hashed: bool, encoding: str | None
) -> sql.Composable:
    """A read of the fingerprint of each product, or branch, and of whether it is new.

    `encoding` is what the texts of a server are in that sends them as they are, None of any other.
    """
    texts = ["nombre"]
    names = {"productos": "huella_catalogo.sql", "sucursales": "huella_sucursales.sql"}
    own = sql.SQL("nullif(m.clave::text, '')" if query.id_column in query.own else "NULL")
    code: sql.Composable = sql.SQL("m.codigo")
    content = "v.id_sucursal, v.nombre, v.clave"
    optional: dict[str, sql.Composable] = {}
    if query.name == "productos":
        texts.append("categoria")
        optional = optional_columns(query)
        supplier = sql.SQL("nullif(btrim({}::text), '')").format(optional["proveedor"])
        if query.own:
            code = sql.SQL("coalesce(nullif(btrim(m.codigo::text), ''), {})").format(own)
        optional |= {"proveedor": utf8(supplier, encoding), "codigo": utf8(code, encoding)}
        content = (
            "v.id_producto, v.codigo, v.nombre, v.categoria, v.proveedor, v.inventariable,"
            " v.activo, v.costo, v.clave"
        )
    return sql.SQL(read_sql("oltp", names[query.name])).format(
        query=sql.SQL(query.text),
        pending=sql.SQL("({})").format(sql.SQL(" OR ").join(are_new(query, horizon))),
        fingerprint=fingerprint_of(sql.SQL(f"record_send(ROW({content}))"), hashed),
        own=own,
        clave=utf8(own, encoding),
        **{name: utf8(sql.SQL(f"m.{name}"), encoding) for name in texts},
        **optional,
    )


def fingerprint_of(content: sql.Composable, hashed: bool) -> sql.Composable:
    """The fingerprint of an expression that yields bytes, as etl.huella() makes it."""
    template = sql.SQL(read_sql("oltp", "huella.sql"))
    return template.format(content=content, hashed=sql.Literal(hashed))
