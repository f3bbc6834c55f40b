"""Where shops keep their databases: each set-up with the same weeks of a shop, exact in all.

Most of it with --long. What has passed when that ran whole is kept in set_ups.json, of which the
guide's table of set-ups is made.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from fault_process import wait_for
from fault_shop import assert_chain, divide_lines, late_and_bad, now, settle, stock
from local_servers import free_port
from server_copies import dump, move_oltp, restore, value
from server_place import server_place
from shop_database import Shop, new_shop
from shop_server import (
    OLAP_TEMPLATE,
    OLAP_USER,
    OLTP_TEMPLATE,
    OLTP_USER,
    OPTIONS,
    PASSWORD,
    ShopServer,
    must_succeed,
    running_server,
    server_programs,
    version_of,
)

from demo import account
from demo import server as servers
from pipeline.base.database import connect
from pipeline.settings import load_settings

Covers = Callable[[str, str], None]
SERVERS = {version_of(binaries): binaries for binaries in server_programs("all")}
POOL = 20  # connections that a pooler keeps
POOLED = """
[databases]
* = host={host} port={port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {folder}/users.txt
pool_mode = transaction
; Each transaction on another connection, which keeps what the last one has set.
default_pool_size = {pool}
server_round_robin = 1
logfile = {folder}/pgbouncer.log
pidfile = {folder}/pgbouncer.pid
"""


@pytest.fixture
def covers(record_property: Callable[[str, object], None]) -> Covers:
    """Says which set-up a test tries, and with what."""
    return lambda set_up, tried: record_property("set-up", [set_up, tried])


def exact(version: str) -> str:
    """PostgreSQL's version with its minor number."""
    told = account.run([SERVERS[version] / "postgres", "--version"], os.environ).stdout
    (found,) = re.findall(r"\d+\.\d+", told.split("(Debian")[0])
    return str(found)


def weeks(shop: Shop, initial: datetime) -> None:
    """What a shop goes through: something late and something bad, each type, a correction."""
    settle(shop, initial)
    late_and_bad(shop, initial)
    settle(shop, initial)
    shop.branch(2)
    origin = shop.sale(now(), (1, 2, 5), (2, 1, 4), id_sucursal=1)
    shop.movement("DEVOLUCION_VENTA", now(), 1, 1, precio_unitario=5, id_origen=origin[0])
    shop.movement("TRASLADO", now(), 2, 1, id_sucursal=1, id_sucursal_destino=2)
    settle(shop, initial)
    assert shop.command("doctor").returncode in (0, 1)
    shop.movement("CONTEO", now(), 3, 17, id_sucursal=1)
    shop.movement("AJUSTE_SALIDA", now(), 4, 3)
    shop.correct_line(origin[1], precio_unitario=3)
    settle(shop, initial)
    assert_chain(shop)
    proved = shop.command("verify", "--all")
    assert proved.returncode == 0, proved.stdout


@contextmanager
def server_of(version: str, folder: Path) -> Iterator[ShopServer]:
    """A server of that version, prepared."""
    folder.mkdir()
    with running_server(folder, SERVERS[version]) as server:
        yield server


@pytest.mark.long
@pytest.mark.parametrize("shops,analysts", list(permutations(SERVERS, 2)))
def test_two_versions(shops: str, analysts: str, tmp_path: Path, covers: Covers):
    covers("two versions", f"{exact(shops)} → {exact(analysts)}")
    with (
        server_of(shops, tmp_path / "oltp") as oltp,
        server_of(analysts, tmp_path / "olap") as olap,
        new_shop(tmp_path, oltp, olap) as shop,
    ):
        weeks(shop, stock(shop))


@contextmanager
def pooled(server: ShopServer, folder: Path) -> Iterator[int]:
    """The port of a PgBouncer before that server, in transaction mode, of few connections."""
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if not program:
        pytest.skip("no pgbouncer here (Debian: apt-get install pgbouncer)")
    with server_place(server.server.binaries) as place:
        home = account.own_folder(place / "pgbouncer")
        port = free_port()
        configuration = home / "pgbouncer.ini"
        configuration.write_text(
            POOLED.format(
                host=server.server.host, port=server.server.port, own=port, folder=home, pool=POOL
            )
        )
        (home / "users.txt").write_text(
            "".join(
                f'"{user}" "{PASSWORD}"\n'
                for user in ("etl_oltp", "etl_olap", "tablero", "postgres")
            )
        )
        for file in (configuration, home / "users.txt"):
            account.give(file)
        started = account.run([program, "-d", configuration], os.environ)
        assert started.returncode == 0, started.stdout
        told = home / "pgbouncer.pid"
        wait_for("pgbouncer has begun", lambda: told.exists() and told.read_text().strip())
        pid = int(told.read_text())
        try:
            yield port
        finally:
            os.kill(pid, 2)
            wait_for("pgbouncer has ended", lambda: not Path(f"/proc/{pid}").exists())


def test_through_a_pooler(shop: Shop, tmp_path: Path, covers: Covers):
    covers("pooler", exact(f"pg{shop.server.version}"))
    initial = stock(shop)
    with pooled(shop.server, tmp_path) as port:
        shop.env |= {"OLTP_DB_PORT": str(port), "OLAP_DB_PORT": str(port)}
        weeks(shop, initial)
        catalogue = tmp_path / "productos.csv"
        catalogue.write_text("id_producto,codigo,nombre,categoria\n7,P7,Producto 7,B\n")
        for _ in range(2):
            shop.succeed("init")
            shop.succeed("import", "--productos", str(catalogue))
        shop.receipt(initial - timedelta(days=2), (7, 5, 2))
        must_succeed(shop.task("Backfill", "--since", (initial - timedelta(days=5)).isoformat()))
        settle(shop, initial - timedelta(days=5))


def test_what_a_session_sets_holds_through_a_pooler(shop: Shop, tmp_path: Path):
    """A policy that hides rows is an error, on a connection that was never asked for it, too."""
    initial = stock(shop)
    settle(shop, initial)
    shop.till("ALTER TABLE transacciones ENABLE ROW LEVEL SECURITY")
    shop.till("CREATE POLICY solo_anuladas ON transacciones USING (anulada)")
    with pooled(shop.server, tmp_path) as port:
        shop.env["OLTP_DB_PORT"] = str(port)
        with shop.environment(), ExitStack() as stack:
            # Each in a transaction, so that the pooler opens as many.
            many = [stack.enter_context(connect(load_settings().oltp, "test")) for _ in range(POOL)]
            for other in many:
                other.cursor().execute("RESET ALL")
            for other in many:
                other.commit()
        refused = shop.run_due()
    assert "row-level security" in refused.stdout


@pytest.mark.long
def test_on_partitioned_tables(shop: Shop, covers: Covers):
    covers("partitions", exact(f"pg{shop.server.version}"))
    initial = stock(shop)
    # A line of the first weeks' begins the second partition.
    divide_lines(shop, 104)
    shop.till("CREATE TABLE renglones_2 PARTITION OF detalle_transaccion DEFAULT")
    shop.succeed("init")
    weeks(shop, initial)
    assert value(shop.oltp, "SELECT count(*) FROM renglones_2") > 0


@pytest.mark.long
@pytest.mark.parametrize("side", ["OLTP", "OLAP"])
def test_a_dump_put_back_in_place(shop: Shop, side: str, covers: Covers):
    covers("dump", exact(f"pg{shop.server.version}"))
    initial = stock(shop)
    settle(shop, initial)
    name = shop.oltp_name if side == "OLTP" else shop.olap_name
    kept = dump(shop.server, name)
    # Of the OLTP these are lost, and their ids used again; the OLAP has to read them once more.
    shop.sale(now(), (1, 2, 5), (2, 1, 4))
    settle(shop, initial)
    shop.close()
    restore(shop.server, kept, name)
    shop.connect()
    weeks(shop, initial)


# With --swap from 18 on. What 14 was installed from has not the programs that pg_upgrade needs.
UPGRADES = [
    (old, mode)
    for old in sorted(SERVERS)[:-1]
    if (SERVERS[old] / "pg_controldata").exists()
    for mode in ("--copy", "--link", "--swap")
]


@pytest.mark.long
@pytest.mark.parametrize("side", ["OLTP", "OLAP"])
@pytest.mark.parametrize(("old", "mode"), UPGRADES)
def test_pg_upgrade(old: str, mode: str, side: str, tmp_path: Path, covers: Covers):
    covers("pg_upgrade", f"{exact(old)} {mode}")
    with (
        server_of(old, tmp_path / "before") as before,
        server_of("pg18", tmp_path / "other") as other,
    ):
        shops, analysts = (before, other) if side == "OLTP" else (other, before)
        for server, name, template in (
            (shops, "tienda", OLTP_TEMPLATE),
            (analysts, "analitica", OLAP_TEMPLATE),
        ):
            server.execute("CREATE DATABASE {name} TEMPLATE {made}", name=name, made=template)
        with closing(Shop(shops, "tienda", "analitica", tmp_path, analysts)) as shop:
            initial = stock(shop)
            settle(shop, initial)
            shop.close()
            after = upgraded(before, mode)
            if side == "OLTP":
                move_oltp(shop, after)
            else:
                shop.olap_server = after
                shop.env |= after.side("OLAP", "analitica", OLAP_USER)
                shop.connect()
            weeks(shop, initial)
        after.server.remove()


def upgraded(before: ShopServer, mode: str) -> ShopServer:
    """The server's data in PostgreSQL 18, started; it was stopped for it."""
    after = servers.create(
        before.server.folder.with_name("after"), binaries=SERVERS["pg18"], password=PASSWORD
    )
    account.run([after.binaries / "pg_checksums", "--disable", "-D", after.data], os.environ)
    before.server.stop("fast")
    done = account.run(
        [
            "sh", "-c", 'cd "$0" && exec "$@"', after.data.parent,
            after.binaries / "pg_upgrade",
            *("-b", before.server.binaries, "-B", after.binaries),
            *("-d", before.server.data, "-D", after.data, "-U", "postgres", mode),
        ],
        os.environ | {"PGPASSWORD": PASSWORD},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    after.start(OPTIONS)
    return ShopServer(after)


@pytest.mark.long
def test_the_tills_tables_as_a_logical_subscriber(tmp_path: Path, covers: Covers):
    covers("subscriber", exact("pg18"))
    """The pipeline reads a copy, which has row versions of its own: of when a row came there."""
    with (
        server_of("pg18", tmp_path / "central") as central,
        server_of("pg18", tmp_path / "copy") as copy,
    ):
        central.server.stop("fast")
        central.server.start({**OPTIONS, "wal_level": "logical"})
        for server in (central, copy):
            server.execute("CREATE DATABASE tienda TEMPLATE {made}", made=OLTP_TEMPLATE)
        copy.execute("CREATE DATABASE analitica TEMPLATE {made}", made=OLAP_TEMPLATE)
        with closing(Shop(central, "tienda", "analitica", tmp_path, copy)) as shop:
            shop.env |= copy.side("OLTP", "tienda", OLTP_USER)
            initial = stock(shop)
            shop.till("CREATE PUBLICATION todo FOR ALL TABLES")
            follow(central, copy)
            run = shop.run_in_process

            def run_once_it_is_there(**parameters: Any) -> Any:
                wait_for_copy(central, copy)
                return run(**parameters)

            shop.run_in_process = run_once_it_is_there  # type: ignore[method-assign]
            weeks(shop, initial)
            copy.connect("tienda").cursor().execute("DROP SUBSCRIPTION todo")


def follow(central: ShopServer, copy: ShopServer) -> None:
    """The copy has from now on what the other writes, once it has what is there."""
    connection = copy.connect("tienda")
    connection.cursor().execute(
        "CREATE SUBSCRIPTION todo CONNECTION"
        f" 'host={central.server.host} port={central.server.port} dbname=tienda user=postgres"
        f" password=''{PASSWORD}''' PUBLICATION todo"
    )
    wait_for(
        "the copy has what was there",
        lambda: value(connection, "SELECT bool_and(srsubstate = 'r') FROM pg_subscription_rel"),
    )


def wait_for_copy(central: ShopServer, copy: ShopServer) -> None:
    """Until the copy has what the other has written by now."""
    position = value(central.connect("tienda"), "SELECT pg_current_wal_lsn()")
    wait_for(
        "the copy follows",
        lambda: value(
            central.connect("tienda"),
            "SELECT confirmed_flush_lsn >= %s FROM pg_replication_slots",
            position,
        ),
    )
