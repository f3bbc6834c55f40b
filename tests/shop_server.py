"""A real PostgreSQL for a session of tests, with template databases that `init` has prepared."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2 import sql
from ready_interpreter import run_ready
from server_place import server_place

from demo import server as servers
from demo.server import embedded_binaries, system_binaries

REPOSITORY = Path(__file__).resolve().parents[1]
# What scripts/test --long installs, beside the embedded one and the system's.
INSTALLED = REPOSITORY / "build" / "servers"
PASSWORD = "clave de prueba"
OLTP_USER, OLAP_USER, BI_USER = LOGINS = ("etl_oltp", "etl_olap", "tablero")
TIMEOUT = 600  # seconds that a program may take
OLTP_TEMPLATE, OLAP_TEMPLATE = "oltp_plantilla", "olap_plantilla"

# No test stops this server, so nothing needs to reach its disk. synchronous_commit stays on:
# when a commit becomes visible to others depends on it.
OPTIONS = {
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum_naptime": "10min",
    # With --long two are held for each of fifty shops.
    "max_connections": "150",
    "max_prepared_transactions": "20",
    # Of memory, perhaps.
    "max_wal_size": "512MB",
    "shared_buffers": "128MB",
}
# Settings of whoever runs the tests must not reach what is tested.
FOREIGN = ("OLTP_", "OLAP_", "ETL_", "LUIGI_", "PG", "SUPERSET_")


@cache
def server_programs(chosen: str) -> list[Path]:
    """The programs of each PostgreSQL there is: the embedded one's, the system's, or all."""
    embedded = [] if chosen == "system" else [embedded_binaries()]
    found = embedded + ([] if chosen == "embedded" else system_binaries())
    if chosen == "all":
        found += (program.parent for program in INSTALLED.glob("**/bin/postgres"))
    # The first of a version.
    return list({version_of(binaries): binaries for binaries in reversed(found)}.values())[::-1]


@cache
def version_of(binaries: Path) -> str:
    """Of which version the server of that folder is, such as pg18."""
    text = subprocess.run(
        [binaries / "postgres", "--version"], capture_output=True, text=True, check=True
    ).stdout
    found = re.search(r"\d+", text)
    return f"pg{found[0]}" if found else text.strip()


def client(binaries: Path, name: str) -> Path:
    """A client program of that folder's version, or of the next newer: some servers come alone."""
    others = sorted(server_programs("all"), key=version_of)
    newer = [other for other in others if version_of(other) > version_of(binaries)]
    return next(place / name for place in (binaries, *newer) if (place / name).exists())


@dataclass(frozen=True)
class ShopServer:
    """A running server; its databases are made from the two templates."""

    server: servers.Server
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def version(self) -> int:
        """PostgreSQL's major version."""
        return self.server.version

    def connect(self, database: str, user: str = servers.Server.superuser) -> Any:
        """A connection in autocommit, by default as the superuser."""
        connection = psycopg2.connect(
            host=self.server.host,
            port=self.server.port,
            dbname=database,
            user=user,
            password=PASSWORD,
        )
        connection.autocommit = True
        return connection

    def execute(self, *statements: str, **names: str) -> None:
        """Run statements outside the shops; `names` are put in as identifiers."""
        identifiers = {key: sql.Identifier(name) for key, name in names.items()}
        with closing(self.connect("postgres")) as connection:
            for statement in statements:
                connection.cursor().execute(sql.SQL(statement).format(**identifiers))

    def run_script(self, database: str, script: Path) -> None:
        """What a database's owner does with psql: run a script, which must succeed."""
        psql = [str(client(self.server.binaries, "psql")), "-X", "-q", "-v", "ON_ERROR_STOP=1"]
        psql += ["-h", self.server.host, "-p", str(self.server.port), "-U", self.server.superuser]
        psql += ["-d", database, "-f", str(script)]
        environment = os.environ | {"PGPASSWORD": PASSWORD}
        must_succeed(run_program(psql, script.parent, environment))

    def restart(self) -> None:
        """Start the server again, with the tests' options."""
        self.server.start(OPTIONS)

    def environment(self, oltp: str, olap: str, folder: Path) -> dict[str, str]:
        """What a process needs to run the pipeline between two databases, and nothing else."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith(FOREIGN)}
        environment |= self.side("OLTP", oltp, OLTP_USER) | self.side("OLAP", olap, OLAP_USER)
        return environment | {
            "OLAP_BI_USER": BI_USER,
            "OLAP_BI_PASSWORD": PASSWORD,
            "ETL_STATE_DIR": str(folder / "state"),
            # What most tests assert; tests/test_spoken.py hears the other.
            "ETL_LANG": "en",
            # A row of a table is one line; tests/test_administrator.py looks at narrow terminals.
            "COLUMNS": "300",
            "LUIGI_CONFIG_PATH": str(REPOSITORY / "luigi.cfg"),
        }

    def side(self, side: str, name: str, user: str) -> dict[str, str]:
        """The settings that lead to a database of this server, as OLTP or as OLAP."""
        return {
            f"{side}_DB_HOST": self.server.host,
            f"{side}_DB_PORT": str(self.server.port),
            f"{side}_DB_NAME": name,
            f"{side}_DB_USER": user,
            f"{side}_DB_PASSWORD": PASSWORD,
            f"{side}_ADMIN_USER": self.server.superuser,
            f"{side}_ADMIN_PASSWORD": PASSWORD,
        }

    def prepare(self, folder: Path) -> None:
        """Create the login users, and the templates with the real `init`."""
        for user in LOGINS:
            self.execute("CREATE ROLE {user} LOGIN", user=user)
        # A run connects nine times, and a fifth of its work would be to prove a password.
        quickly = ["SET scram_iterations = 1"] if self.version >= 16 else []
        for user in (*LOGINS, self.server.superuser):
            self.execute(*quickly, f"ALTER ROLE {{user}} PASSWORD '{PASSWORD}'", user=user)
        for template in (OLTP_TEMPLATE, OLAP_TEMPLATE):
            self.execute("CREATE DATABASE {name}", name=template)
        environment = self.environment(OLTP_TEMPLATE, OLAP_TEMPLATE, folder)
        must_succeed(run_command(["init", "--example-oltp"], folder, environment))
        # Said on purpose, as the guide has it; tests/test_tax_rate.py has shops that say nothing.
        with closing(self.connect(OLAP_TEMPLATE)) as connection:
            connection.cursor().execute("UPDATE dw.politica_precio SET impuesto = 0")

    @contextmanager
    def databases(self) -> Iterator[tuple[str, str]]:
        """A fresh pair of an OLTP and an OLAP, dropped afterwards whoever is connected."""
        number = next(self._numbers)
        pair = (f"oltp_{number}", f"olap_{number}")
        # Half the work of writing each page to the WAL; before version 15 there is no other way.
        strategy = "STRATEGY file_copy" if self.version >= 15 else ""
        copied = "CREATE DATABASE {%s} TEMPLATE {%s_template} " + strategy
        self.execute(
            *(copied % (side, side) for side in ("oltp", "olap")),
            oltp=pair[0],
            oltp_template=OLTP_TEMPLATE,
            olap=pair[1],
            olap_template=OLAP_TEMPLATE,
        )
        try:
            yield pair
        finally:
            dropped = [f"DROP DATABASE {{{side}}} WITH (FORCE)" for side in ("oltp", "olap")]
            self.execute(*dropped, oltp=pair[0], olap=pair[1])


@contextmanager
def running_server(folder: Path, binaries: Path) -> Iterator[ShopServer]:
    """A server of these binaries, prepared from `folder`, and removed afterwards."""
    with server_place(binaries) as place:
        server = servers.create(place / "server", binaries=binaries, password=PASSWORD)
        try:
            server.start(OPTIONS)
            shop_server = ShopServer(server)
            shop_server.prepare(folder)
            yield shop_server
        finally:
            server.remove()


def run_command(
    arguments: list[str], folder: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """`python -m pipeline …` as an operator runs it."""
    return run_python(["-m", "pipeline", *arguments], folder, environment)


def run_python(
    arguments: list[str], folder: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Python with these arguments, as run_program() runs it, in a process that is ready."""
    done = run_ready(arguments, folder, environment, TIMEOUT)
    return done or run_program([sys.executable, *arguments], folder, environment)


def run_program(
    arguments: list[str], folder: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, stdout and stderr together in stdout."""
    return subprocess.run(
        arguments,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )


def must_succeed(done: subprocess.CompletedProcess[str]) -> subprocess.CompletedProcess[str]:
    """The same, once it has exited with 0; else an AssertionError with what it printed."""
    assert done.returncode == 0, f"{done.args} exited with {done.returncode}:\n{done.stdout}"
    return done
