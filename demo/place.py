"""Where a demo lives: its folder, its settings, and the programs it runs with them."""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from demo import binaries, server
from demo.server import Server
from pipeline.errors import PipelineError
from pipeline.settings import Database

ZONE = "America/Lima"
DAYS = 60
OLTP, OLAP = "tienda", "analitica"
READER, LOADER, DASHBOARD = "etl_oltp", "etl_olap", "tablero"

# What of the caller's environment could lead the pipeline, or Python, elsewhere.
_FOREIGN = ("OLTP_", "OLAP_", "ETL_", "LUIGI_", "PG", "PYTHON", "SUPERSET_")


@dataclass(frozen=True)
class Place:
    """A demo's folder, which is wholly its own; `checkout` is where luigi.cfg is."""

    folder: Path
    checkout: Path

    @property
    def env_file(self) -> Path:
        """The settings, as .env has them; holds passwords."""
        return self.folder / "env"

    @property
    def log(self) -> Path:
        """What every program that the demo ran has said."""
        return self.folder / "demo.log"

    @property
    def psql(self) -> Path:
        """A link to the psql that came with the embedded PostgreSQL."""
        return self.folder / "psql"

    @property
    def page(self) -> Path:
        """What the shopkeeper sees."""
        return self.folder / "informe.html"

    @property
    def services(self) -> Path:
        """libpq's service file for both databases; holds passwords."""
        return self.folder / "pg_service.conf"

    @property
    def state(self) -> Path:
        """The pipeline's state folder."""
        return self.folder / "state"

    @property
    def _server(self) -> Path:
        return self.folder / "postgres"

    @property
    def _mark(self) -> Path:
        return self.folder / ".pipeline-demo"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Make the folder and keep other demos out of it. Raises PipelineError."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if any(self.folder.iterdir()) and not self._mark.exists():
                raise PipelineError(f"{self.folder} is in use for something else")
            with self._mark.open("w") as mark:
                fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
                yield
        except BlockingIOError:
            raise PipelineError(f"another demo is at work in {self.folder}") from None

    def exists(self) -> bool:
        """Whether a demo was begun here."""
        return self._mark.exists()

    def server(self) -> Server | None:
        """The demo's server, if there is one."""
        return server.existing(self._server)

    def settings(self) -> dict[str, str]:
        """The settings in env_file; empty before they are written."""
        if not self.env_file.exists():
            return {}
        lines = self.env_file.read_text(encoding="utf-8").splitlines()
        pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
        return {name: "".join(shlex.split(value)) for name, _, value in pairs}

    def ensure_server(self) -> Server:
        """The demo's server with its settings, made where one is missing. Not started."""
        found = self.server()
        if found and self.env_file.exists():
            return found
        if found:  # a first run that was interrupted: nobody knows its passwords
            found.remove()
        shutil.rmtree(self.state, ignore_errors=True)
        password = _password()
        made = server.create(self._server, password=password)
        settings = _new_settings(made, password, self)
        _write_private(self.services, _services(settings))
        self.psql.unlink(missing_ok=True)
        self.psql.symlink_to(binaries.embedded_binaries() / "psql")
        lines = [f"{name}={shlex.quote(value)}" for name, value in settings.items()]
        header = "# Settings of the demo; a command that is run in this folder reads them"
        _write_private(self.env_file, "\n".join([header, *lines, ""]))
        return made

    def remove(self) -> None:
        """Stop the server and delete everything that the demo made."""
        found = self.server()
        if found:
            found.remove()
        shutil.rmtree(self.folder)
        binaries.remove_copy()

    def run(self, *arguments: str) -> None:
        """Run Python with the demo's settings and no others; the log gets what it says.

        Raises PipelineError with the last line that it wrote when it fails.
        """
        environment = {k: v for k, v in os.environ.items() if not k.startswith(_FOREIGN)}
        # The folder has a .env of its own, so that none further up is found from it.
        own = self.folder / ".env"
        if not own.is_symlink():
            own.symlink_to(self.env_file.name)
        command = [sys.executable, *arguments]
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"\n$ {shlex.join(command)}\n")
            log.flush()
            begin = log.tell()
            done = subprocess.run(
                command,
                cwd=self.folder,
                env=environment | self.settings(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        if done.returncode:
            said = _cause(self.log.read_bytes()[begin:].decode("utf-8", "replace"))
            raise PipelineError(said or f"exit code {done.returncode}")


def shown(path: Path) -> str:
    """A path as a command in the working directory can use it, quoted where it must be."""
    here = Path.cwd()
    return shlex.quote(str(path.relative_to(here) if path.is_relative_to(here) else path))


def account(settings: Mapping[str, str], side: str, role: str) -> Database:
    """The account `role` ('ADMIN', 'BI' or 'DB') on `side` ('OLTP' or 'OLAP')."""
    return Database(
        side=side,
        account=f"{side}_{role}",
        host=settings[f"{side}_DB_HOST"],
        port=int(settings[f"{side}_DB_PORT"]),
        name=settings[f"{side}_DB_NAME"],
        user=settings[f"{side}_{role}_USER"],
        password=settings[f"{side}_{role}_PASSWORD"],
        sslmode=settings[f"{side}_DB_SSLMODE"],
        sslrootcert="",
        lock_timeout=60,
        timezone=ZONE,
    )


def zone() -> ZoneInfo:
    """The shop's time zone. Raises PipelineError where Python has no time zones."""
    try:
        return ZoneInfo(ZONE)
    except ZoneInfoNotFoundError:
        raise PipelineError(f"Python knows no time zone {ZONE}: pip install tzdata") from None


def first_day(settings: Mapping[str, str]) -> datetime:
    """When the shop opened: midnight of its first day, in its zone."""
    return datetime.fromisoformat(settings["ETL_INITIAL_SINCE"]).replace(tzinfo=zone())


def _new_settings(made: Server, password: str, place: Place) -> dict[str, str]:
    # The shop's last day is yesterday, so that nothing of it lies in the future.
    today = datetime.now(zone()).date()
    settings: dict[str, str] = {}
    for side, database, user in (("OLTP", OLTP, READER), ("OLAP", OLAP, LOADER)):
        settings |= {
            f"{side}_DB_HOST": made.host,
            f"{side}_DB_PORT": str(made.port),
            f"{side}_DB_NAME": database,
            f"{side}_DB_USER": user,
            f"{side}_DB_PASSWORD": _password(),
            f"{side}_DB_SSLMODE": "disable",
            f"{side}_ADMIN_USER": made.superuser,
            f"{side}_ADMIN_PASSWORD": password,
        }
    return settings | {
        "OLAP_BI_USER": DASHBOARD,
        "OLAP_BI_PASSWORD": _password(),
        "ETL_STATE_DIR": str(place.state),
        "ETL_INITIAL_SINCE": (today - timedelta(days=DAYS + 1)).isoformat(),
        "ETL_TIMEZONE": ZONE,
        "ETL_SHOP_NAME": "Minimarket La Esquina",
        "ETL_CURRENCY": "S/",
        "LUIGI_CONFIG_PATH": str(place.checkout / "luigi.cfg"),
    }


def _services(settings: Mapping[str, str]) -> str:
    parts = []
    for name, side, role in (
        (OLTP, "OLTP", "ADMIN"),
        (OLAP, "OLAP", "ADMIN"),
        (DASHBOARD, "OLAP", "BI"),
    ):
        database = account(settings, side, role)
        parts.append(
            f"[{name}]\nhost={database.host}\nport={database.port}\ndbname={database.name}\n"
            f"user={database.user}\npassword={database.password}\nsslmode={database.sslmode}\n"
        )
    return "\n".join(parts)


def _password() -> str:
    return secrets.token_urlsafe(18)


def _write_private(path: Path, text: str) -> None:
    """Whole or not at all, and never readable by others."""
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    part.touch(mode=0o600)
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def _cause(output: str) -> str:
    """The line of a program's output that names why it failed, as well as can be told."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()]
    return re.sub(r"^(error|ERROR|WARNING): ", "", (errors or lines or [""])[-1])
