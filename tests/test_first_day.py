"""The guide's first day: each command of the transcript says what the guide shows."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg2
import pytest
from guide import block_texts, blocks
from shop_server import FOREIGN, OPTIONS, PASSWORD, REPOSITORY, run_program

from demo import server as servers
from docs.pages import language, read

# What differs from day to day and from machine to machine; everything else must be equal.
VARIES = (
    (r"\b\d{8}T\d{6}Z\b", "<moment>"),
    (r"\b\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d(:?\d\d)?)?)?( UTC)?", "<moment>"),
    (r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "<id>"),
    (r"@[^\s/@]*(/[^\s:]*)?:\d+/", "@<server>/"),
    (r"\bPostgreSQL \d+(\.\d+)*", "PostgreSQL <version>"),
    (r"\b(Python|Luigi|luigi) \d+(\.\d+)+", r"\1 <version>"),
    (r"/\S+/", "<folder>/"),
    (r"\b(run|corrida) [0-9a-f]{12}\b", r"\1 <id>"),
    (r"\b\d+\.\d{3}\b", "<seconds>"),
    (r"\b\d+(\.\d+)? (ms|s|min|h|days?|minutes?|hours?|días?|minutos?|horas?)\b", "<time>"),
    (r"\b[\d.,]+ (B|kB|MB|GB|TB|MiB|GiB|bytes)\b", "<size>"),
)


def steps(transcript: str) -> Iterator[tuple[str, str]]:
    """Each command of a transcript, and what it says."""
    for part in re.split(r"(?m)^\$ ", transcript)[1:]:
        command, _, said = part.partition("\n")
        yield command, said


def plain(said: str) -> str:
    """Its words, without what varies; how lines are wrapped follows the length of a folder."""
    for pattern, name in VARIES:
        said = re.sub(pattern, name, said)
    return " ".join(said.split())


def agrees(shown: str, said: str) -> bool:
    """What was said is what is shown, where a line of … alone stands for any lines."""
    parts = re.split(r"(?m)^…$", shown)
    return bool(re.fullmatch(".*?".join(re.escape(plain(part)) for part in parts), plain(said)))


@pytest.fixture
def place(
    server_binaries: Path, own_place: Path, tmp_path: Path
) -> Iterator[tuple[Path, dict[str, str]]]:
    """An empty folder with the guide's .env, and servers with its accounts and nothing else."""
    server = servers.create(own_place / "server", binaries=server_binaries, password=PASSWORD)
    try:
        server.start(OPTIONS)
        admin = psycopg2.connect(
            host=server.host,
            port=server.port,
            dbname="postgres",
            user=server.superuser,
            password=PASSWORD,
        )
        admin.autocommit = True
        with admin.cursor() as cursor:
            for statement in "".join(block_texts("2. Create the accounts", "sql")).split(";"):
                if statement.strip():
                    cursor.execute(statement)
            cursor.execute("CREATE DATABASE tienda")
        admin.close()
        (env,) = block_texts("3. Fill in `.env`", "ini")
        env = re.sub(r"(?m)^(OL.._DB_HOST)=.*", rf"\1={server.host}", env)
        env = re.sub(r"(?m)^(OL.._DB_PORT)=.*", rf"\1={server.port}", env)
        env = re.sub(r"(?m)^(OL.._ADMIN_PASSWORD)=.*", rf"\1={PASSWORD}", env)
        folder = tmp_path / "etl"
        folder.mkdir()
        (folder / ".env").write_text(env)
        (folder / ".env").chmod(0o600)
        environment = {k: v for k, v in os.environ.items() if not k.startswith(FOREIGN)}
        environment["LUIGI_CONFIG_PATH"] = str(REPOSITORY / "luigi.cfg")
        environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
        yield folder, environment
    finally:
        server.remove()


@pytest.mark.longest
@pytest.mark.parametrize("page", ["docs/en/administrator.md", "docs/es/administrador.md"])
def test_the_first_day_is_as_the_guide_shows_it(page: str, place: tuple[Path, dict[str, str]]):
    """Each language's page in its own language, of which Spanish is the default."""
    folder, environment = place
    if language(page) == "en":
        environment["ETL_LANG"] = "en"
    yesterday = (datetime.now(ZoneInfo("America/Lima")) - timedelta(days=1)).date().isoformat()
    (transcript,) = [block.text for block in blocks(read(page)) if block.kind == "console"]
    for command, shown in steps(transcript):
        program, *words = shlex.split(command)
        if program == "cat":
            # The shop's own files: they are made as they are shown, but of yesterday.
            (folder / words[0]).write_text(re.sub(r"\d{4}-\d\d-\d\d", yesterday, shown))
            continue
        done = run_program([program, *words], folder, environment)
        assert done.returncode == 0, f"{command} exited with {done.returncode}:\n{done.stdout}"
        assert agrees(shown, done.stdout), f"{command} says\n{plain(done.stdout)}\n{done.stdout}"
