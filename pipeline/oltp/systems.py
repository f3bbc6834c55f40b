"""Which of the shipped recipes' systems a database is, by the tables and columns they name."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg2
from psycopg2 import sql

from pipeline.base.sql_files import read_sql
from pipeline.errors import SchemaError
from pipeline.oltp.recipes import FILES, NAME, System, read_system
from pipeline.settings.recipes import PREFIX, recipes, sql_folder
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from psycopg2.extensions import connection as Connection

    from pipeline.oltp.drafting.tables import Table

# A recipe names its tables so; of the example's queries the same holds.
_TABLE = re.compile(r'\bpublic\.(?:"([^"]+)"|(\w+))')
# A setting that a recipe wants beside ETL_OLTP_SQL_DIR: a remark of its version.sql.
_SETTING = re.compile(r"^-- (ETL_\w+)=(.*?)\s*$", re.MULTILINE)
# What a recipe has its owner run once in the shop's database, and what that makes.
_INSTALLER = "instalar.sql"
_MADE = re.compile(r"^CREATE TABLE IF NOT EXISTS (\w+\.\w+)", re.MULTILINE)
_PUBLIC = "public"
# Of the tables that a recipe names so many are there, or it is another system.
_SHARE = 0.5


@dataclass(frozen=True)
class Seen:
    """A shipped recipe, whose system's tables are in `schema`. The example's is called ''.

    `system` is None where this account may not read what tells the version. `lacks` is what
    PostgreSQL says of the recipe's queries there, '' where they fit. `installer` is the script that
    the shop's owner has to run before they can, None where it was run or there is none.
    """

    recipe: str
    schema: str
    system: System | None
    lacks: str
    settings: dict[str, str] = field(default_factory=dict)
    installer: Path | None = None

    @property
    def fits(self) -> bool:
        """Whether its queries can be used as they are."""
        return not self.lacks and self.schema == _PUBLIC

    @property
    def was_tried(self) -> bool:
        """Whether its version is none that the recipe was not tried with."""
        return self.system is None or self.system.was_tried


def known_systems(connection: Connection, tables: Collection[Table]) -> list[Seen]:
    """What is recognised, recipe by recipe; each schema is looked at.

    PostgreSQL itself holds the queries against its catalogue, by PREPARE, for which no right to
    read a table is needed. Read is only what tells the version.
    """
    by_schema: dict[str, set[str]] = {}
    for table in tables:
        by_schema.setdefault(table.schema, set()).add(table.name)
    found = []
    for recipe in ["", *recipes()]:
        texts = _texts(recipe)
        named = {a or b for text in texts.values() for a, b in _TABLE.findall(text)}
        for schema, names in by_schema.items():
            if len(named & names) < _SHARE * len(named):
                continue
            if seen := _look(connection, recipe, schema, texts):
                found.append(seen)
    return found


def _texts(recipe: str) -> dict[str, str]:
    folder = f"oltp/recetas/{recipe}" if recipe else "oltp"
    names = [name for name in (*FILES, NAME) if (sql_folder(folder) / f"{name}.sql").exists()]
    return {name: read_sql(folder, f"{name}.sql").rstrip().rstrip(";") for name in names}


def _look(connection: Connection, recipe: str, schema: str, texts: dict[str, str]) -> Seen | None:
    """The recipe against a schema; None where neither its queries nor its version fit there."""
    if schema != _PUBLIC:
        place = sql.Identifier(schema).as_string(connection)
        texts = {
            name: _TABLE.sub(lambda told: place + told[0].removeprefix(_PUBLIC), text)
            for name, text in texts.items()
        }
    wrong = {name: _wrong(connection, text) for name, text in texts.items()}
    lacks = next((told for name, told in wrong.items() if told and name != NAME), "")
    version = texts.get(NAME)
    if version is None:
        return None if lacks else Seen(recipe, schema, None, "")
    if wrong[NAME]:
        # Its queries would fit a system that does not tell its version so: another one.
        return None if lacks else Seen(recipe, schema, None, wrong[NAME])
    settings = {"ETL_OLTP_SQL_DIR": PREFIX + recipe, **dict(_SETTING.findall(version))}
    try:
        with _undone(connection):
            system = read_system(connection, version)
    except psycopg2.errors.InsufficientPrivilege:
        system = None
    except SchemaError:
        # No row, or several: nobody has set this system up, or it is another one.
        told = _("its version.sql does not yield one row there")
        return None if lacks else Seen(recipe, schema, None, told, settings)
    if system is not None and not system.version and lacks:
        return None
    installer = _to_run(connection, recipe) if lacks else None
    return Seen(recipe, schema, system, lacks, settings, installer)


def _to_run(connection: Connection, recipe: str) -> Path | None:
    """The recipe's installer, where a table that it makes is not there."""
    path = sql_folder(f"oltp/recetas/{recipe}") / _INSTALLER
    if not path.exists():
        return None
    made = _MADE.findall(path.read_text(encoding="utf-8"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT bool_and(to_regclass(t) IS NOT NULL) FROM unnest(%s) AS t", (made,))
        ((there,),) = cursor.fetchall()
    return None if there else path


def _wrong(connection: Connection, text: str) -> str:
    """What PostgreSQL says of a query that this database's tables and columns do not allow."""
    try:
        with _undone(connection), connection.cursor() as cursor:
            cursor.execute(sql.SQL("PREPARE etl_firma AS\n{}").format(sql.SQL(text)))
            cursor.execute("DEALLOCATE etl_firma")
    except (psycopg2.ProgrammingError, psycopg2.DataError, psycopg2.NotSupportedError) as error:
        return str(error.diag.message_primary)
    return ""


@contextmanager
def _undone(connection: Connection) -> Iterator[None]:
    """What fails in it ends no transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SAVEPOINT etl_detectar")
        try:
            yield
        except psycopg2.Error:
            cursor.execute("ROLLBACK TO SAVEPOINT etl_detectar")
            raise
        cursor.execute("RELEASE SAVEPOINT etl_detectar")
