"""Of which version the shop's system is, and of which ones its queries were tried with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg2
from psycopg2 import sql

from pipeline.errors import SchemaError
from pipeline.oltp.queries import LEVELS, NAMES, Query, has_query, query_text
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from pipeline.settings import Settings

NAME = "version"
# What the first line of a drafted query begins with: until its owner has deleted it, no run reads.
DRAFT = "-- BORRADOR"
FILES = (*NAMES, LEVELS)


@dataclass(frozen=True)
class System:
    """What version.sql yields: the system's name, its version, and those that were tried.

    `version` is empty where the system tells none; `tried` are versions or series: 8.2 is also
    8.2.7.
    """

    name: str
    version: str
    tried: tuple[str, ...]

    @property
    def was_tried(self) -> bool:
        """Whether the queries were tried with this version."""
        return any(f"{self.version}.".startswith(f"{series}.") for series in self.tried)


def version_query(settings: Settings) -> Query | None:
    """The query of the system's version; None where the queries' folder has none."""
    folder = settings.oltp_sql_dir
    if folder is None or not has_query(folder, NAME):
        return None
    return Query(NAME, query_text(settings, NAME), (), (), settings.capture)


def system(connection: Connection, settings: Settings) -> System | None:
    """What the shop runs, as version.sql tells it; None where nothing asks.

    Raises SchemaError where that query does not yield one row of three texts.
    """
    query = version_query(settings)
    return read_system(connection, query.text) if query else None


def read_system(connection: Connection, query: str) -> System:
    """What a version.sql of this text tells; SchemaError where it does not yield one row."""
    template = sql.SQL("SELECT sistema::text, version::text, probadas::text FROM (\n{}\n) AS m")
    with connection.cursor() as cursor:
        try:
            cursor.execute(template.format(sql.SQL(query)))
        except (psycopg2.errors.UndefinedColumn, psycopg2.errors.UndefinedTable) as error:
            raise SchemaError(
                _(
                    "version.sql: {message_primary}; this database is of another system than the "
                    "queries that ETL_OLTP_SQL_DIR names, or of a version that they do not know"
                ).format(message_primary=error.diag.message_primary)
            ) from error
        rows = cursor.fetchall()
    if len(rows) != 1 or not rows[0][0] or not rows[0][2]:
        raise SchemaError(
            _(
                "version.sql must yield one row of sistema, version and probadas: correct it (see "
                "ETL_OLTP_SQL_DIR)"
            )
        )
    name, version, tried = rows[0]
    series = tuple(part.strip() for part in tried.split(",") if part.strip())
    return System(name, (version or "").strip(), series)


def drafted(settings: Settings) -> list[str]:
    """The files of the queries' folder that are a draft still, by the mark of their first line."""
    folder = settings.oltp_sql_dir
    if folder is None:
        return []
    names = [name for name in FILES if has_query(folder, name)]
    return [
        f"{name}.sql" for name in names if query_text(settings, name).lstrip().startswith(DRAFT)
    ]


def refuse_draft(settings: Settings) -> None:
    """Raise SchemaError where a query is a draft that nobody has accepted."""
    if files := drafted(settings):
        raise SchemaError(
            _(
                "{files} in {folder}: a draft, which no run uses; look at it with `python -m "
                "pipeline adapt`, correct it, and delete its first line, which begins with {mark}"
            ).format(files=", ".join(files), folder=settings.oltp_sql_dir, mark=DRAFT)
        )


def refuse_untried(connection: Connection, settings: Settings) -> System | None:
    """The system, as system() has it; raises SchemaError for a version that was not tried."""
    found = system(connection, settings)
    if found is not None and not found.was_tried:
        raise SchemaError(
            _(
                "the shop runs {name} {version}, and the queries that ETL_OLTP_SQL_DIR names were "
                "tried with {tried} alone: try them with it in a folder of your own, and name it "
                "in probadas of its version.sql"
            ).format(
                name=found.name,
                version=found.version or _("of an unknown version"),
                tried=", ".join(found.tried),
            )
        )
    return found
