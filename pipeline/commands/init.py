"""Create or upgrade the OLAP's objects and roles; safe to repeat."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psycopg2 import sql

from pipeline.base.database import connect
from pipeline.base.sql_files import read_sql, sql_folder
from pipeline.commands.manual import Manual, add_json, print_json
from pipeline.errors import DatabaseError, PipelineError
from pipeline.olap import SCHEMA_VERSION, call
from pipeline.olap.presence import exchanged, is_olap, same_database
from pipeline.oltp.prints import named_relations
from pipeline.oltp.queries import load_levels, load_query
from pipeline.oltp.recipes import refuse_untried, version_query
from pipeline.run.extract import QUERIES
from pipeline.run.tax import SAY_IT, UNSAID
from pipeline.settings import load_settings
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from pipeline.settings import Database, Settings

MANUAL = Manual(
    does="Creates or upgrades the OLAP's objects and roles, and grants them to the accounts of "
    ".env; in the OLTP it grants the reader SELECT on what the three queries name. Safe to "
    "repeat. --example-oltp creates the tables of an example shop first.",
    reads="the scripts of sql/, and the catalogue of both servers.",
    changes="schemas dw and etl and their roles, as OLAP_ADMIN_USER; role etl_lector, as "
    "OLTP_ADMIN_USER, where that is set. The shop's tables stay as they are.",
    exits={0: "done", 1: "a failure; each side is changed wholly or not at all"},
    examples=("python -m pipeline init", "python -m pipeline init --example-oltp"),
)

_NAMED = 5  # of the tables of others
# In the order that they are run in: what a signature or a view names is there before it.
FOLDERS = ("rights", "tables", "rules", "load", "views", "commands", "finish")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "--example-oltp",
        action="store_true",
        help="create the example shop's tables and the reader's role in the OLTP as well",
    )
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Do it, and say what was done."""
    settings = load_settings()
    before = _refuse_newer(settings)
    if before is None:
        _refuse_exchanged(settings)
    if arguments.example_oltp:
        _create_example(settings)
    grants = arguments.example_oltp or settings.oltp_admin != settings.oltp
    if grants:
        _grant_reader(settings)
    said = _create_olap(settings)
    done = {
        "example_oltp": str(settings.oltp_admin) if arguments.example_oltp else None,
        "reader": settings.oltp.user if grants else None,
        "olap": str(settings.olap_admin),
        "version_before": before or None,
        "version": SCHEMA_VERSION,
        "tax_rate_said": said or not settings.prices_include_tax,
    }
    if arguments.json:
        print_json(done)
    else:
        _show(done)
    return 0


def _show(done: dict[str, Any]) -> None:
    before, version = done["version_before"], done["version"]
    how = _("created") if before is None else _("is up to date")
    if before is not None and before < version:
        how = _("upgraded from version {before}").format(before=before)
    if done["example_oltp"]:
        print(_("example OLTP ready in {example_oltp}").format(example_oltp=done["example_oltp"]))
    if done["reader"]:
        print(_("role etl_lector granted to {reader}").format(reader=done["reader"]))
    else:
        print(_("OLTP left as it is: to have the reader's rights granted, set OLTP_ADMIN_USER"))
    print(
        _("OLAP {how} (version {version}) in {olap}").format(
            how=how, version=version, olap=done["olap"]
        )
    )
    if not done["tax_rate_said"]:
        print(f"{_(UNSAID)}; {_(SAY_IT)}")


def _create_example(settings: Settings) -> None:
    with connect(settings.oltp_admin, "example tables") as connection:
        _refuse_others(connection, settings)
        with connection.cursor() as cursor:
            cursor.execute(read_sql("oltp", "esquema_ejemplo.sql"))
        connection.commit()


def _refuse_others(connection: Connection, settings: Settings) -> None:
    """The example is for an empty database: a shop's own is none, nor is an OLAP."""
    together = same_database(settings.oltp, settings.olap)
    if not together and is_olap(connection):
        raise DatabaseError(
            _(
                "{oltp} holds an OLAP: give OLTP_DB_NAME another database. Nothing was changed"
            ).format(oltp=settings.oltp_admin)
        )
    with connection.cursor() as cursor:
        apart = ["dw", "etl"] if together else []
        cursor.execute(read_sql("oltp", "tablas_ajenas.sql"), {"aparte": apart})
        others = [name for (name,) in cursor]
    if others:
        raise DatabaseError(
            _(
                "{oltp} has tables that are not the example's ({tables}): --example-oltp is for an "
                "empty database; where the shop has one of its own, leave it out. Nothing was "
                "changed"
            ).format(oltp=settings.oltp_admin, tables=", ".join(others[:_NAMED]))
        )


def _grant_reader(settings: Settings) -> None:
    """etl_lector may SELECT from what the shop's queries name, and nothing else."""
    with connect(settings.oltp_admin, "reader role") as connection:
        with connection.cursor() as cursor:
            cursor.execute(read_sql("oltp", "rol_lector.sql"))
            refuse_untried(connection, settings)
            queries = [load_query(connection, settings, name) for name in QUERIES]
            others = load_levels(connection, settings), version_query(settings)
            queries += [query for query in others if query]
            for schema, name in named_relations(connection, queries):
                here, relation = sql.Identifier(schema), sql.Identifier(schema, name)
                cursor.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO etl_lector").format(here))
                cursor.execute(sql.SQL("GRANT SELECT ON {} TO etl_lector").format(relation))
            _grant(connection, "etl_lector", settings.oltp)
        connection.commit()


def _refuse_exchanged(settings: Settings) -> None:
    """Raise where the OLAP's objects would be made in the shop's database.

    An OLTP that does not answer keeps nobody from making an OLAP.
    """
    found = False
    with suppress(PipelineError):
        found = exchanged(settings.oltp_admin, settings.olap_admin)
    if found:
        raise DatabaseError(
            _(
                "{oltp} holds an OLAP, and {olap} none: OLTP_DB_… and OLAP_DB_… are exchanged. "
                "Nothing was changed"
            ).format(oltp=settings.oltp_admin, olap=settings.olap_admin)
        )


def _refuse_newer(settings: Settings) -> int | None:
    """The version of the OLAP's objects, None if there are none; raises if it is newer than ours.

    Asked before anything is changed on either side.
    """
    with connect(settings.olap_admin, "init") as connection:
        before = _installed_version(connection)
    if before is not None and before > SCHEMA_VERSION:
        raise DatabaseError(
            _(
                "OLAP: its objects are of version {before}, newer than this program "
                "({schema_version}); upgrade this program. Nothing was changed"
            ).format(before=before, schema_version=SCHEMA_VERSION)
        )
    return before


def _create_olap(settings: Settings) -> bool:
    """Run the scripts of sql/olap in one transaction; whether the prices' tax rate is known."""
    with connect(settings.olap_admin, "init") as connection:
        encoding = connection.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            raise DatabaseError(
                _(
                    "OLAP: the encoding of {name} is {encoding}, and it must hold what any shop "
                    "types: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0, and give "
                    "OLAP_DB_NAME that. Nothing was changed"
                ).format(name=settings.olap_admin.name, encoding=encoding)
            )
        with connection.cursor() as cursor:
            # A function may name one that a later script defines.
            cursor.execute("SET LOCAL check_function_bodies = off")
            for script in _scripts(_installed_version(connection)):
                cursor.execute(script.read_text(encoding="utf-8"))
            cursor.execute(
                "INSERT INTO etl.control (esquema) VALUES (%s) "
                "ON CONFLICT (unico) DO UPDATE SET esquema = excluded.esquema",
                (SCHEMA_VERSION,),
            )
        _grant(connection, "etl_cargador", settings.olap)
        if settings.olap_bi:
            _grant(connection, "bi_lector", settings.olap_bi)
        said = call(connection, "SELECT etl.impuesto_dicho()")
        connection.commit()
    return bool(said)


def _scripts(installed: int | None) -> Iterator[Path]:
    """Those of sql/olap: the definitions, folder by folder, after what the rights begin with.

    Of an OLAP that is there (`installed`, its version) what differs from one version to the next
    is carried over first: definitions say what is, and leave what they find.
    """
    first, *others = FOLDERS
    yield from _in_order(first)
    if installed is not None:
        yield from (s for s in _in_order("migraciones") if int(s.name[:2]) >= installed)
    for folder in others:
        yield from _in_order(folder)


def _in_order(folder: str) -> list[Path]:
    return sorted(sql_folder(f"olap/{folder}").glob("*.sql"))


def _installed_version(connection: Connection) -> int | None:
    if call(connection, "SELECT to_regclass('etl.control')") is None:
        return None
    # A control table without its row is of a version that nobody knows: each step finds out.
    return int(call(connection, "SELECT esquema FROM etl.control") or 0)


def _grant(connection: Connection, role: str, to: Database) -> None:
    """Make that account a member of `role`; a superuser needs no grant, and may be no member."""
    user = to.user
    known = call(connection, "SELECT rolsuper FROM pg_roles WHERE rolname = %s", (user,))
    if known is None:
        raise DatabaseError(
            _(
                "{side}: the user {user} ({account}_USER) does not exist: create it (CREATE "
                "ROLE {user} LOGIN PASSWORD '…'), then run init again"
            ).format(side=to.side, user=user, account=to.account)
        )
    # Only who may grant the role can repeat it; a member needs nothing more.
    member = call(connection, "SELECT pg_has_role(%s, %s, 'MEMBER')", (user, role))
    if not known and not member:
        with connection.cursor() as cursor:
            cursor.execute(
                sql.SQL("GRANT {} TO {}").format(sql.Identifier(role), sql.Identifier(user))
            )
