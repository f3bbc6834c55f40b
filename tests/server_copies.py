"""What happens to a whole server: dumps, copies of its disk, standbys, transaction ids."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from fault_process import wait_for
from shop_database import Shop
from shop_server import OPTIONS, PASSWORD, ShopServer, client

from demo import account
from demo import server as servers

PAGE = 32_768  # transaction ids a page of pg_xact
WRAP = 1 << 32
STEP = 43_000 * PAGE  # below 2^31, so that the server accepts commands after each


def program(server: ShopServer, name: str, *arguments: str | Path) -> str:
    """Run one of PostgreSQL's programs on that server; returns what it printed."""
    where = ["-h", server.server.host, "-p", str(server.server.port), "-U", "postgres"]
    return _run([client(server.server.binaries, name), *where, *arguments])


def _run(command: list[str | Path]) -> str:
    done = account.run(command, os.environ | {"PGPASSWORD": PASSWORD, "LC_ALL": "C"})
    assert done.returncode == 0, f"{command}:\n{done.stdout}"
    return done.stdout


def dump(server: ShopServer, database: str) -> Path:
    """A dump of the database, in a file beside the server's data."""
    file = server.server.data.parent / f"{database}.dump"
    file.unlink(missing_ok=True)
    program(server, "pg_dump", "-Fc", "-f", file, database)
    return file


def restore(server: ShopServer, file: Path, database: str) -> None:
    """Put a dump back over what the database holds, as an administrator does it."""
    program(server, "pg_restore", "--clean", "--if-exists", "-d", database, file)


def copy_disk(server: ShopServer) -> Path:
    """A copy of the data directory, of the server stopped and started again."""
    copy = server.server.data.with_name("copy")
    server.server.stop("fast")
    _run(["cp", "-a", server.server.data, copy])
    server.restart()
    return copy


def put_disk_back(server: ShopServer, copy: Path) -> None:
    """The machine rolled back to that copy."""
    server.server.stop("fast")
    _run(["rm", "-rf", server.server.data])
    _run(["mv", copy, server.server.data])
    server.restart()


def make_standby(primary: ShopServer) -> ShopServer:
    """A streaming standby, started; the caller removes its server."""
    fresh = servers.create(
        primary.server.folder.with_name("standby"), binaries=primary.server.binaries
    )
    _run(["rm", "-rf", fresh.data])
    program(primary, "pg_basebackup", "-R", "-X", "stream", "-c", "fast", "-D", fresh.data)
    configuration = fresh.data / "pipeline.conf"
    text = configuration.read_text().replace(f"{primary.server.port}", f"{fresh.port}")
    configuration.write_text(text)
    account.give(configuration)
    fresh.start(OPTIONS)
    return ShopServer(fresh)


def wait_for_replay(primary: ShopServer, standby: ShopServer) -> None:
    """Until the standby has replayed all that the primary has written."""
    with primary.connect("postgres") as there, standby.connect("postgres") as here:
        position = value(there, "SELECT pg_current_wal_lsn()")
        wait_for(
            "the standby replays",
            lambda: value(here, "SELECT pg_last_wal_replay_lsn() >= %s", position),
        )


def value(connection: Any, query: str, *values: Any) -> Any:
    """The one value that a query yields."""
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return cursor.fetchone()[0]


def move_oltp(shop: Shop, server: ShopServer) -> None:
    """The shop's tills and the pipeline go to another server from now on."""
    shop.server = server
    shop.env |= server.side("OLTP", shop.oltp_name, shop.env["OLTP_DB_USER"])
    shop.connect()


def use_up_ids(shop: Shop, count: int) -> None:
    """That many transactions pass at the till."""
    shop.till(
        "DO $$ BEGIN FOR n IN 1.."
        f"{count} LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$"
    )


def age_to_the_brink(server: ShopServer) -> None:
    """Bring the server's transaction ids to one page before they wrap, rows frozen."""
    for target in (STEP, 2 * STEP, 3 * STEP, WRAP - PAGE):
        freeze(server)
        server.server.stop("fast")
        # With commit states for it: the server reads that page when it starts.
        segment = server.server.data / "pg_xact" / f"{target // (32 * PAGE):04X}"
        segment.write_bytes(bytes(32 * 8192))
        account.give(segment)
        _run([server.server.binaries / "pg_resetwal", "-x", str(target), "-D", server.server.data])
        server.restart()
    freeze(server)


def freeze(server: ShopServer) -> None:
    """Freeze every database, so that its age is 0."""
    server.execute("UPDATE pg_database SET datallowconn = true")
    program(server, "vacuumdb", "--all", "--freeze", "--quiet")
