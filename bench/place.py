"""Where the bench runs: a throw-away server of its own, or the servers of the usual settings."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg2
from psycopg2 import sql

from demo import server as servers
from pipeline.errors import PipelineError
from pipeline.settings import load_settings

if TYPE_CHECKING:
    from pipeline.settings import Database

ROOT = Path(__file__).resolve().parents[1]
MARK = "made by the bench of the pipeline"
# A server that a shop of a few million movements would have. fsync stays on.
CONFIGURATION = {"shared_buffers": "1GB", "max_wal_size": "8GB"}
# Settings of whoever runs the bench must not reach what it measures.
_FOREIGN = ("OLTP_", "OLAP_", "ETL_", "LUIGI_", "PG")


@dataclass(frozen=True)
class Side:
    """One server, as an account that may create databases there."""

    host: str
    port: int
    user: str
    password: str
    maintenance: str

    def connect(self, database: str) -> Any:
        """A connection with a transaction of the caller's."""
        return psycopg2.connect(
            host=self.host,
            port=self.port,
            user=self.user,
            password=self.password or None,
            dbname=database,
        )

    def run(self, database: str, statement: str | sql.Composable) -> None:
        """One statement outside a transaction."""
        with closing(self.connect(database)) as connection:
            connection.autocommit = True
            connection.cursor().execute(statement)

    def create(self, database: str, template: str = "template1") -> None:
        """Make a database anew from a template; only one that a bench made is dropped for it."""
        name = sql.Identifier(database)
        with closing(self.connect(self.maintenance)) as connection:
            connection.autocommit = True
            cursor = connection.cursor()
            cursor.execute(
                "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s",
                (database,),
            )
            found = cursor.fetchone()
            if found and found[0] != MARK:
                raise PipelineError(
                    f"{self.host}:{self.port} has a database {database} that no bench made; "
                    "drop or rename it, then run the bench again"
                )
            cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
            copied = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                name, sql.Identifier(template)
            )
            # The way before 15, and the faster one for a large template since.
            if connection.info.server_version >= 150000:
                copied += sql.SQL(" STRATEGY FILE_COPY")
            cursor.execute(copied)
            cursor.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(name, sql.Literal(MARK)))

    def url(self, database: str, scheme: str = "postgresql") -> str:
        """For programs that want one; a password must be in it."""
        return f"{scheme}://{self.user}:{self.password or '-'}@{self.host}:{self.port}/{database}"

    def settings(self, side: str, database: str) -> dict[str, str]:
        """The pipeline's settings that lead there."""
        return {
            f"{side}_DB_HOST": self.host,
            f"{side}_DB_PORT": str(self.port),
            f"{side}_DB_NAME": database,
            f"{side}_DB_USER": self.user,
            f"{side}_DB_PASSWORD": self.password,
        }


@dataclass(frozen=True)
class Place:
    """Both sides, a folder for files, and the data directory if the server is the bench's own."""

    oltp: Side
    olap: Side
    folder: Path
    server: servers.Server | None

    def environment(self, oltp: str, olap: str, state: Path) -> dict[str, str]:
        """For a process of the pipeline between two databases."""
        own = {k: v for k, v in os.environ.items() if not k.startswith(_FOREIGN)}
        return {
            **own,
            **self.oltp.settings("OLTP", oltp),
            **self.olap.settings("OLAP", olap),
            "ETL_STATE_DIR": str(state),
            "ETL_INITIAL_SINCE": "2000-01-01",
            "ETL_MAX_SILENT_DAYS": "100000",
            "LUIGI_CONFIG_PATH": str(ROOT / "luigi.cfg"),
            "PYTHONPATH": str(ROOT),
        }

    def settle(self) -> None:
        """Let no checkpoint of earlier work fall into the next measurement."""
        for side in {self.oltp, self.olap}:
            side.run(side.maintenance, "CHECKPOINT")


def _side(database: Database) -> Side:
    return Side(database.host, database.port, database.user, database.password, database.name)


@contextmanager
def open_place() -> Iterator[Place]:
    """The servers that OLTP_DB_HOST and OLAP_DB_HOST name; without them one of the bench's own."""
    folder = Path(tempfile.mkdtemp(prefix="pipeline-bench-"))
    server = None
    try:
        if "OLTP_DB_HOST" in os.environ or "OLAP_DB_HOST" in os.environ:
            settings = load_settings()
            yield Place(_side(settings.oltp_admin), _side(settings.olap_admin), folder, None)
        else:
            server = servers.create(folder / "server")
            server.start(CONFIGURATION)
            side = Side(server.host, server.port, server.superuser, "", "postgres")
            yield Place(side, side, folder, server)
    finally:
        if server is not None:
            server.remove()
        shutil.rmtree(folder, ignore_errors=True)


def read_bench_sql(name: str) -> str:
    """A script of bench/sql."""
    return (ROOT / "bench" / "sql" / name).read_text(encoding="utf-8")
