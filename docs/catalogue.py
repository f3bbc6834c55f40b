"""What an OLAP's catalogue says of the views that dashboards may read, and of the rules."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg2

from demo import server as servers
from docs.pages import ROOT, read

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

# Settings of whoever asks must not reach the server that is made for it.
_FOREIGN = ("OLTP_", "OLAP_", "ETL_", "LUIGI_", "PG")


@dataclass(frozen=True)
class Column:
    """Of a view: its name, type and comment, which may be empty."""

    name: str
    kind: str
    comment: str


@dataclass(frozen=True)
class View:
    """Its comment, which is in Spanish, and its columns in their order."""

    comment: str
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class Catalogue:
    """`views` by name, such as 'dw.mv_abc'; `rules` are pairs of a function and its comment.

    `types` are the rows of docs/tipos.sql.
    """

    views: dict[str, View]
    rules: list[tuple[str, str]]
    types: list[tuple[Any, ...]]


def read_catalogue(connection: Connection) -> Catalogue:
    """Ask an OLAP, as an account that sees everything in it."""
    columns: dict[tuple[str, str], list[Column]] = {}
    for view, comment, name, kind, told in _rows(connection, "docs/vistas.sql"):
        columns.setdefault((view, comment), []).append(Column(name, kind, told or ""))
    views = {view: View(comment, tuple(found)) for (view, comment), found in columns.items()}
    rules = [(name, text) for name, text in _rows(connection, "docs/reglas.sql")]
    return Catalogue(views, rules, _rows(connection, "docs/tipos.sql"))


def _rows(connection: Connection, script: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(read(script))
        return list(cursor.fetchall())


@contextmanager
def fresh_olap() -> Iterator[Connection]:
    """An OLAP as `init` makes it, on a server of its own that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="pipeline-docs-") as folder:
        server = servers.create(Path(folder) / "server")
        try:
            server.start({"fsync": "off"})
            environment = {k: v for k, v in os.environ.items() if not k.startswith(_FOREIGN)}
            for side in ("OLTP", "OLAP"):
                environment |= {
                    f"{side}_DB_HOST": server.host,
                    f"{side}_DB_PORT": str(server.port),
                    f"{side}_DB_NAME": "postgres",
                    f"{side}_DB_USER": server.superuser,
                }
            init = [sys.executable, "-m", "pipeline", "init"]
            environment["PYTHONPATH"] = str(ROOT)
            subprocess.run(init, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
            with closing(
                psycopg2.connect(
                    host=server.host, port=server.port, user=server.superuser, dbname="postgres"
                )
            ) as connection:
                yield connection
        finally:
            server.remove()
