"""The shop's side: its queries, what the account may do, and who holds the horizon."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from psycopg2 import sql

from pipeline.base.database import call
from pipeline.base.sql_files import read_sql
from pipeline.doctor.clocks import clock
from pipeline.doctor.findings import Finding, attempt
from pipeline.doctor.oltp_horizon import horizon, prepared_transactions, sessions
from pipeline.doctor.sides import Check, Side, superuser, superuser_warning, version
from pipeline.oltp.plans import explain, source_tables
from pipeline.oltp.queries import LEVELS, load_levels, load_query
from pipeline.oltp.recipes import refuse_draft, refuse_untried
from pipeline.oltp.snapshot import take_snapshot
from pipeline.oltp.still_versions import tables_without_version
from pipeline.run.extract import QUERIES
from pipeline.settings.recipes import is_shipped
from pipeline.translation import mark as N_
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from pipeline.oltp.queries import Query


def snapshot(side: Side) -> Iterator[Finding]:
    """Whether the account can describe a snapshot, as each window must, and of which server."""
    taken = take_snapshot(side.connection, {}, {})
    found = _("standby: a run reads what it has replayed so far") if taken.standby else _("primary")
    yield Finding(
        "ok",
        _("OLTP server"),
        _("{found}, timeline {timeline}").format(found=found, timeline=taken.identity.timeline),
    )


def system(side: Side) -> Iterator[Finding]:
    """Which version the shop's system is of, where its queries were tried with some; no draft."""
    refuse_draft(side.settings)
    found = refuse_untried(side.connection, side.settings)
    if found:
        yield Finding(
            "ok",
            _("OLTP system"),
            _("{name} {version}; the queries were tried with {tried}").format(
                name=found.name, version=found.version, tried=", ".join(found.tried)
            ),
        )


def queries(side: Side) -> Iterator[Finding]:
    """Each of the shop's queries against the contract, then the tables under them."""
    usable: list[Query] = []
    for name in QUERIES:
        check = partial(_query, side, name, usable)
        yield from attempt(f"OLTP {name}.sql", check, reads_shop=True)
    # A view under it that sums is right: no version of a row tells of it, and none is asked.
    levels: list[Query] = []
    yield from attempt(f"OLTP {LEVELS}.sql", partial(_levels, side, levels), reads_shop=True)
    if not usable:
        yield Finding("skipped", _("OLTP tables"), _("not examined: no query tells which they are"))
        return
    if side.settings.capture == "full" and usable[0].name == "movimientos":
        rows = int(explain(side.connection, usable[:1])[0]["Plan Rows"])
        yield Finding(
            "ok",
            _("OLTP capture"),
            _("full: each run reads all, of {rows} movements or so").format(rows=rows),
        )
    if side.settings.capture != "full":
        yield from attempt(_("OLTP versions"), partial(_versions, side, usable), reads_shop=True)
    if usable[0].name == "movimientos":
        yield from attempt(_("OLTP dates"), partial(_dates, side, usable[0]), reads_shop=True)
    if len(usable) == len(QUERIES):
        yield from attempt(_("OLTP branch 0"), partial(_branch_zero, side, usable), reads_shop=True)
    yield from attempt(_("OLTP tables"), partial(_tables, side, usable + levels), reads_shop=True)


def _query(side: Side, name: str, usable: list[Query]) -> Iterator[Finding]:
    query = load_query(side.connection, side.settings, name)
    usable.append(query)
    twice = _ids_given_twice(side, query)
    if twice:
        yield Finding(
            "error",
            f"OLTP {name}.sql",
            _("gives one id to several rows: {twice}").format(twice=twice),
            _("make its ids unique: correct its joins, or how it makes numbers of its keys"),
        )
    else:
        yield Finding("ok", f"OLTP {name}.sql", _("keeps the contract, and may be read"))


def _levels(side: Side, found: list[Query]) -> Iterator[Finding]:
    """The shop's own stock, if its queries' folder tells how to read it."""
    query = load_levels(side.connection, side.settings)
    if query is None:
        return
    found.append(query)
    text = sql.SQL("SELECT count(*) FROM (\n{}\n) AS m").format(sql.SQL(query.text))
    rows = int(call(side.connection, text) or 0)
    if rows:
        yield Finding(
            "ok", f"OLTP {LEVELS}.sql", _("yields the stock in {rows} rows").format(rows=rows)
        )
    else:
        yield Finding(
            "warning",
            f"OLTP {LEVELS}.sql",
            _("yields no row: nothing is compared with our stock"),
            _("correct it, or remove it from ETL_OLTP_SQL_DIR"),
        )


def _versions(side: Side, usable: list[Query]) -> Iterator[Finding]:
    """A table of which no version is yielded: what is changed there comes with no window."""
    plans = explain(side.connection, usable)
    found = [
        _("{tables} in {name}.sql").format(tables=", ".join(tables), name=query.name)
        for query, plan in zip(usable, plans, strict=True)
        if (tables := tables_without_version(query, plan))
    ]
    # What a recipe takes without a version never changes, or its page in the guide says so.
    if not found or is_shipped(side.settings.oltp_sql_dir):
        yield Finding("ok", _("OLTP versions"), _("of each table that the queries read"))
        return
    yield Finding(
        "warning",
        _("OLTP versions"),
        _("none of {found}").format(found="; ".join(found)),
        _(
            "yield their xmin as a further version_n, unless all that is taken of them never "
            "changes: what changes there is not noticed"
        ),
    )


def _dates(side: Side, query: Query) -> Iterator[Finding]:
    """Documents that are ahead of the server's own clock: their hours are another zone's."""
    zone = sql.Literal(side.settings.timezone)
    moment = sql.SQL("m.fecha::timestamp AT TIME ZONE {}").format(zone)
    template = sql.SQL(read_sql("oltp/diagnostico", "fecha_adelantada.sql"))
    with side.connection.cursor() as cursor:
        cursor.execute(
            template.format(
                moment=moment if query.wall_clock else sql.SQL("m.fecha"),
                query=sql.SQL(query.text),
            )
        )
        ahead, hours = cursor.fetchone() or (0, 0)
    if not ahead:
        yield Finding("ok", _("OLTP dates"), _("none is ahead of the server's clock"))
        return
    yield Finding(
        "warning",
        _("OLTP dates"),
        _("{ahead} movements are up to {hours:.1f} hours ahead of the server's clock").format(
            ahead=ahead, hours=hours
        ),
        _(
            "if fecha is a timestamp in UTC, yield `fecha AT TIME ZONE 'UTC'` in movimientos.sql: "
            "now it is read in {zone}; else set the till's clock right"
        ).format(zone=side.settings.timezone),
    )


def _ids_given_twice(side: Side, query: Query) -> str:
    """The first few ids that more than one row has, such as two keys whose hashes are equal."""
    template = sql.SQL(read_sql("oltp/diagnostico", "numeros_repetidos.sql"))
    with side.connection.cursor() as cursor:
        cursor.execute(
            template.format(id=sql.Identifier(query.id_column), query=sql.SQL(query.text))
        )
        return ", ".join(
            _("{number} ({times} rows)").format(number=number, times=times)
            for number, times in cursor
        )


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
            _("OLTP branch 0"),
            _("there is a branch 0, and documents without a branch stand with it"),
            _(
                "give the branch another number in sucursales.sql and movimientos.sql, or "
                "these documents a branch"
            ),
        )


def encoding(side: Side) -> Iterator[Finding]:
    """What the texts of the shop are in: SQL_ASCII does not say."""
    found = str(side.connection.info.parameter_status("server_encoding"))
    if found == "SQL_ASCII" and not side.database.encoding:
        yield Finding(
            "warning",
            _("OLTP encoding"),
            _(
                "SQL_ASCII, which does not say what its bytes are: a run fails at the first "
                "that is no UTF-8"
            ),
            _("set OLTP_DB_ENCODING to what they are, such as LATIN1 or WIN1252"),
        )
    else:
        as_what = (
            _(", read as {encoding}").format(encoding=side.database.encoding)
            if found == "SQL_ASCII"
            else ""
        )
        yield Finding("ok", _("OLTP encoding"), f"{found}{as_what}")


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
            _("OLTP least privilege"),
            _("{user} may write to {wide}").format(user=side.database.user, wide=", ".join(wide)),
            _("revoke these: {user} needs SELECT alone (role etl_lector)").format(
                user=side.database.user
            ),
        )
    else:
        known = (
            _("source tables") if len(usable) >= len(QUERIES) else _("source tables that are known")
        )
        yield Finding(
            "ok",
            _("OLTP least privilege"),
            _("writes to none of {tables} {known}").format(tables=len(tables), known=known),
        )


CHECKS = (
    Check(N_("version"), version),
    Check(N_("clock"), clock),
    Check(N_("server"), snapshot),
    Check(N_("encoding"), encoding),
    Check(N_("system"), system, reads_shop=True),
    Check(N_("queries and rights"), queries, reads_shop=True),
    Check(N_("open transactions"), sessions),
    Check(N_("prepared transactions"), prepared_transactions),
    Check(N_("horizon"), horizon),
)
