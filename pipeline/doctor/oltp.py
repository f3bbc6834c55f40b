"""The shop's side: its queries, what the account may do, and who holds the horizon."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from psycopg2 import sql

from pipeline.base.sql_files import read_sql
from pipeline.doctor.clocks import clock
from pipeline.doctor.findings import Finding, attempt
from pipeline.doctor.oltp_horizon import horizon, prepared_transactions, sessions
from pipeline.doctor.sides import Check, Side, superuser, superuser_warning, version
from pipeline.oltp.plans import explain, source_tables
from pipeline.oltp.queries import load_query
from pipeline.oltp.snapshot import take_snapshot
from pipeline.run.extract import QUERIES

if TYPE_CHECKING:
    from pipeline.oltp.queries import Query


def snapshot(side: Side) -> Iterator[Finding]:
    """Whether the account can describe a snapshot, as each window must, and of which server."""
    taken = take_snapshot(side.connection, {}, {})
    found = "standby: a run reads what it has replayed so far" if taken.standby else "primary"
    yield Finding("ok", "OLTP server", f"{found}, timeline {taken.identity.timeline}")


def queries(side: Side) -> Iterator[Finding]:
    """Each of the shop's queries against the contract, then the tables under them."""
    usable: list[Query] = []
    for name in QUERIES:
        check = partial(_query, side, name, usable)
        yield from attempt(f"OLTP {name}.sql", check, reads_shop=True)
    if not usable:
        yield Finding("skipped", "OLTP tables", "not examined: no query tells which they are")
        return
    if side.settings.capture == "full" and usable[0].name == "movimientos":
        rows = int(explain(side.connection, usable[:1])[0]["Plan Rows"])
        yield Finding("ok", "OLTP capture", f"full: each run reads all, of {rows} movements or so")
    if len(usable) == len(QUERIES):
        yield from attempt("OLTP branch 0", partial(_branch_zero, side, usable), reads_shop=True)
    yield from attempt("OLTP tables", partial(_tables, side, usable), reads_shop=True)


def _query(side: Side, name: str, usable: list[Query]) -> Iterator[Finding]:
    query = load_query(side.connection, side.settings, name)
    usable.append(query)
    twice = _ids_given_twice(side, query)
    if twice:
        yield Finding(
            "error",
            f"OLTP {name}.sql",
            f"gives one id to several rows: {twice}",
            "make its ids unique: correct its joins, or how it makes numbers of its keys",
        )
    else:
        yield Finding("ok", f"OLTP {name}.sql", "keeps the contract, and may be read")


def _ids_given_twice(side: Side, query: Query) -> str:
    """The first few ids that more than one row has, such as two keys whose hashes are equal."""
    column = sql.Identifier(
        {"sucursales": "id_sucursal", "productos": "id_producto"}.get(query.name, "id_movimiento")
    )
    template = sql.SQL(read_sql("oltp/diagnostico", "numeros_repetidos.sql"))
    with side.connection.cursor() as cursor:
        cursor.execute(template.format(id=column, query=sql.SQL(query.text)))
        return ", ".join(f"{number} ({times} rows)" for number, times in cursor)


def _branch_zero(side: Side, usable: list[Query]) -> Iterator[Finding]:
    """Documents without a branch stand under 0, which may be a branch of the shop's own."""
    texts = {query.name: sql.SQL(query.text) for query in usable}
    template = sql.SQL(read_sql("oltp/diagnostico", "sucursal_cero.sql"))
    with side.connection.cursor() as cursor:
        cursor.execute(
            template.format(branches=texts["sucursales"], movements=texts["movimientos"])
        )
        (both,) = cursor.fetchone() or (False,)
    if both:
        yield Finding(
            "warning",
            "OLTP branch 0",
            "there is a branch 0, and documents without a branch stand with it",
            "give the branch another number in sucursales.sql and movimientos.sql, "
            "or these documents a branch",
        )


def encoding(side: Side) -> Iterator[Finding]:
    """What the texts of the shop are in: SQL_ASCII does not say."""
    found = str(side.connection.info.parameter_status("server_encoding"))
    if found == "SQL_ASCII" and not side.database.encoding:
        yield Finding(
            "warning",
            "OLTP encoding",
            "SQL_ASCII, which does not say what its bytes are: a run fails at the first that is "
            "no UTF-8",
            "set OLTP_DB_ENCODING to what they are, such as LATIN1 or WIN1252",
        )
    else:
        as_what = f", read as {side.database.encoding}" if found == "SQL_ASCII" else ""
        yield Finding("ok", "OLTP encoding", f"{found}{as_what}")


def _tables(side: Side, usable: list[Query]) -> Iterator[Finding]:
    """Nothing but SELECT."""
    read = source_tables(side.connection, usable, explain(side.connection, usable))
    oids = [oid for tables in read.values() for oid, *_ in tables.values()]
    with side.connection.cursor() as cursor:
        cursor.execute(read_sql("oltp/diagnostico", "permisos.sql"), {"oids": oids})
        tables = cursor.fetchall()
    if superuser(side):
        yield superuser_warning(side)
        return
    wide = [f"{table} ({', '.join(rights)})" for table, rights in tables if rights]
    if wide:
        yield Finding(
            "warning",
            "OLTP least privilege",
            f"{side.database.user} may write to {', '.join(wide)}",
            f"revoke these: {side.database.user} needs SELECT alone (role etl_lector)",
        )
    else:
        known = "source tables" if len(usable) == len(QUERIES) else "source tables that are known"
        yield Finding("ok", "OLTP least privilege", f"writes to none of {len(tables)} {known}")


CHECKS = (
    Check("version", version),
    Check("clock", clock),
    Check("server", snapshot),
    Check("encoding", encoding),
    Check("queries and rights", queries, reads_shop=True),
    Check("open transactions", sessions),
    Check("prepared transactions", prepared_transactions),
    Check("horizon", horizon),
)
