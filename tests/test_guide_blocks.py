"""The guide's blocks work as written: from the accounts to the last DROP, by hand and by cron."""

from __future__ import annotations

import configparser
import fcntl
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from guide import all_blocks, block_texts, cells, numbers
from shop_database import Shop
from shop_server import FOREIGN, OPTIONS, PASSWORD, REPOSITORY, must_succeed, run_program

from demo import server as servers
from demo.server import Server
from docs.pages import read


def text_of(name: str) -> str:
    """A file of the repository."""
    return (REPOSITORY / name).read_text(encoding="utf-8")


ACCOUNTANT = ("docs/en/accountant.md", "docs/es/contador.md")
# Where the marked blocks are, each with a test below.
TESTED = {
    ("2. Create the accounts", "sql"),
    ("3. Fill in `.env`", "ini"),
    ("4. First run", "sh"),
    ("4. First run", "sql"),
    ("The report", "sql"),
    ("Opening balances", "sh"),
    ("Earlier history", "sh"),
    ("Without a shop at hand", "sh"),
    ("Another schema", "sh"),
    # tests/test_schemas.py
    ("Header and lines", "sql"),
    ("Signed movements", "sql"),
    ("Moves between locations", "sql"),
    ("Sales and purchases apart", "sql"),
    ("How costs are computed", "sql"),
    ("Suggested prices", "sql"),
    ("Move to another machine", "sql"),
    ("Move to another machine", "sh"),
    ("Where postgres has no password", "sql"),
    ("Change a password", "sql"),
    ("Change a password", "sh"),
    ("Backups", "sh"),
    ("Uninstall", "sql"),
    ("One shop of several", "sql"),
}


def execute(connection: Any, block: str) -> list[tuple[Any, ...]]:
    """Run a block's statements one by one; the rows of the last, if it has any."""
    with connection.cursor() as cursor:
        for statement in filter(str.strip, block.split(";\n")):
            cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


def run_commands(heading: str, folder: Path, environment: dict[str, str]) -> str:
    """Run the marked commands of a section as written; what they printed."""
    said = ""
    for line in "".join(block_texts(heading, "sh")).splitlines():
        program, *arguments = shlex.split(line)
        found = Path(sys.executable).with_name(program)
        said += must_succeed(run_program([str(found), *arguments], folder, environment)).stdout
    return said


def yesterday() -> datetime:
    """A day ago."""
    return datetime.now(UTC) - timedelta(days=1)


# The blocks, as written


def test_every_marked_block_has_a_test():
    assert {block[:2] for block in all_blocks() if block.run} == TESTED


def test_the_two_commands_are_there():
    for command in block_texts("Two commands", "sh", run=False)[0].splitlines():
        assert os.access(REPOSITORY / command, os.X_OK)


def test_a_shop_is_installed_and_uninstalled_as_written(
    server_binaries: Path, own_place: Path, tmp_path: Path
):
    """On a server of its own: accounts, .env, the first run, and afterwards nothing is left."""
    server = servers.create(own_place / "server", binaries=server_binaries, password=PASSWORD)

    def connect(database: str, user: str = server.superuser, password: str = PASSWORD) -> Any:
        connection = psycopg2.connect(
            host=server.host, port=server.port, dbname=database, user=user, password=password
        )
        connection.autocommit = True
        return connection

    def roles() -> set[tuple[str]]:
        return set(execute(connect("postgres"), "SELECT rolname FROM pg_roles"))

    try:
        server.start(OPTIONS)
        before = roles()
        for block in block_texts("2. Create the accounts", "sql"):
            execute(connect("postgres"), block)
        execute(connect("postgres"), "CREATE DATABASE tienda")
        shop = connect("tienda")
        shop.cursor().execute(text_of("sql/oltp/esquema_ejemplo.sql"))
        shop.cursor().execute(
            "INSERT INTO productos (id_producto, nombre) VALUES (1, 'Pan');"
            "INSERT INTO transacciones (id_transaccion, tipo) VALUES (1, 'ENTRADA_MERCANCIA');"
            "INSERT INTO detalle_transaccion (id_transaccion, id_producto, cantidad,"
            " costo_unitario) VALUES (1, 1, 10, 5)"
        )

        (env,) = block_texts("3. Fill in `.env`", "ini")
        env = re.sub(r"(?m)^(OL.._DB_HOST)=.*", rf"\1={server.host}", env)
        env = re.sub(r"(?m)^(OL.._DB_PORT)=.*", rf"\1={server.port}", env)
        env = re.sub(r"(?m)^(OL.._ADMIN_PASSWORD)=.*", rf"\1={PASSWORD}", env)
        (tmp_path / ".env").write_text(env)
        environment = {k: v for k, v in os.environ.items() if not k.startswith(FOREIGN)} | {
            "ETL_LANG": "en"
        }
        environment["LUIGI_CONFIG_PATH"] = str(REPOSITORY / "luigi.cfg")
        assert "the OLAP equals the OLTP" in run_commands("4. First run", tmp_path, environment)
        # From now on without the administrators.
        (tmp_path / ".env").write_text(re.sub(r"(?m)^(OL.._ADMIN_\w+)=.*", r"\1=", env))
        luigi = ["luigi", "--module", "pipeline", "RunDue", "--local-scheduler"]
        luigi[0] = str(Path(sys.executable).with_name("luigi"))
        must_succeed(run_program(luigi, tmp_path, environment))

        reader = connect("analitica", "tablero", "CHANGE-ME-3")
        stock = "SELECT existencias, precio_sugerido FROM dw.mv_inventario_valorizado"
        assert execute(reader, stock) == [(10, Decimal("7.15"))]
        reader.close()

        olap, oltp = block_texts("Uninstall", "sql")
        execute(connect("analitica"), olap)
        execute(shop, oltp)
        assert roles() == before
        schemas = "SELECT count(*) FROM pg_namespace WHERE nspname IN ('dw', 'etl')"
        assert execute(connect("analitica"), schemas) == [(0,)]
        assert execute(shop, "SELECT count(*) FROM detalle_transaccion") == [(1,)]
    finally:
        server.remove()


def test_an_olap_is_moved_to_another_server_as_written(
    shop: Shop, server_binaries: Path, own_place: Path
):
    shop.product(1)
    shop.receipt(yesterday(), (1, 24, "4.50"))
    shop.run_in_process()
    shop.sale(yesterday(), (1, 2, "7.00"))
    new = servers.create(own_place / "server", binaries=server_binaries, password=PASSWORD)
    places = {"OLD": (shop.server.server.port, shop.olap_name), "NEW": (new.port, "analitica")}

    def connect(database: str = "postgres") -> Any:
        place = {"host": new.host, "port": new.port, "dbname": database}
        connection = psycopg2.connect(user=new.superuser, password=PASSWORD, **place)
        connection.autocommit = True
        return connection

    try:
        new.start(OPTIONS)
        for block in block_texts("2. Create the accounts", "sql")[1:]:
            execute(connect(), block)
        execute(connect(), "".join(block_texts("Move to another machine", "sql")))
        for line in block_texts("Move to another machine", "sh", run=False):
            program, *words = shlex.split(line)
            port, database = places[words[words.index("-h") + 1]]
            known = {"OLD": new.host, "NEW": new.host, "analitica": database}
            words = [known.get(word, word) for word in words]
            command = [str(server_binaries / program), "-p", str(port), *words]
            must_succeed(run_program(command, shop.folder, {"PGPASSWORD": PASSWORD}))
        shop.env |= {"OLAP_DB_PORT": str(new.port), "OLAP_DB_NAME": "analitica"}
        shop.env |= {"OLAP_DB_PASSWORD": "CHANGE-ME-2", "OLAP_BI_PASSWORD": "CHANGE-ME-3"}
        said = run_commands("Move to another machine", shop.folder, shop.env)
        assert re.search(r"compared +2 movements", said)
        assert "the OLAP equals the OLTP" in said
        # The past came along: the second window is there beside the first.
        assert execute(connect("analitica"), "SELECT count(*) FROM etl.corrida") == [(2,)]
    finally:
        new.remove()


def client(server_binaries: Path, line: str, port: int, names: dict[str, str]) -> list[str]:
    """A line of PostgreSQL's programs, with that port and other names for some of its words."""
    program, *words = (names.get(word, word) for word in shlex.split(line))
    return [str(server_binaries / program), "-p", str(port), *words]


def test_an_olap_is_backed_up_and_restored_as_written(shop: Shop, server_binaries: Path):
    """On its own server, whose roles stay; what came since the backup comes again."""
    shop.product(1)
    shop.receipt(yesterday(), (1, 24, "4.50"))
    shop.run()
    dump, restore = block_texts("Backups", "sh", run=False)
    server = shop.server.server
    names = {"OLAP": server.host, "analitica": shop.olap_name, "postgres": server.superuser}

    def type_all(block: str) -> None:
        for line in block.splitlines():
            command = client(server_binaries, line, server.port, names)
            must_succeed(run_program(command, shop.folder, {"PGPASSWORD": PASSWORD}))

    type_all(dump)
    shop.sale(yesterday(), (1, 2, "7.00"))
    shop.run()
    shop.close()
    type_all(restore)
    shop.connect()
    said = run_commands("Backups", shop.folder, shop.env)
    assert "were set aside" in said
    assert re.search(r"compared +2 movements", said)
    assert "the OLAP equals the OLTP" in said
    assert json.loads(shop.succeed("doctor", "--json").stdout)["errors"] == 0


@pytest.fixture
def own_servers(server_binaries: Path, own_place: Path) -> Iterator[Server]:
    """A server whose superuser is postgres, as Debian's is, and no one else's."""
    server = servers.create(own_place / "server", binaries=server_binaries, password=PASSWORD)
    try:
        server.start(OPTIONS)
        yield server
    finally:
        server.remove()


def installed(server: Server, folder: Path, number: str) -> dict[str, str]:
    """A shop's environment on that server: .env of the guide, its databases and an OLTP."""
    (env,) = block_texts("3. Fill in `.env`", "ini")
    values = dict(line.split("=", 1) for line in env.splitlines() if "=" in line)
    for side, name in (("OLTP", f"tienda{number}"), ("OLAP", f"analitica{number}")):
        values |= {f"{side}_DB_HOST": server.host, f"{side}_DB_PORT": str(server.port)}
        values |= {f"{side}_ADMIN_PASSWORD": "CHANGE-ME-4", f"{side}_DB_NAME": name}
        values |= {f"{side}_ADMIN_USER": server.superuser}
    folder.mkdir(exist_ok=True)
    (folder / ".env").write_text("".join(f"{k}={v}\n" for k, v in values.items()))
    (folder / ".env").chmod(0o600)
    environment = {k: v for k, v in os.environ.items() if not k.startswith(FOREIGN)}
    return environment | {"ETL_LANG": "en", "LUIGI_CONFIG_PATH": str(REPOSITORY / "luigi.cfg")}


def as_superuser(server: Server, database: str = "postgres", password: str = PASSWORD) -> Any:
    """A connection in autocommit."""
    connection = psycopg2.connect(
        host=server.host,
        port=server.port,
        dbname=database,
        user=server.superuser,
        password=password,
    )
    connection.autocommit = True
    return connection


def test_a_password_is_lent_changed_and_a_shop_removed_as_written(
    own_servers: Server, tmp_path: Path
):
    """Two shops on Debian's PostgreSQL: postgres has a password for as long as init needs it."""
    server = own_servers
    sudo = as_superuser(server)
    for block in block_texts("2. Create the accounts", "sql"):
        execute(sudo, block.replace("analitica", "analitica1"))
    for name in ("analitica2", "tienda1", "tienda2"):
        execute(sudo, f"CREATE DATABASE {name}")
    lend, take_back = (
        block.replace("ROLE postgres", f"ROLE {server.superuser}")
        for block in block_texts("Where postgres has no password", "sql")
    )
    execute(sudo, lend)
    folders = {n: tmp_path / n for n in "12"}
    shops = {n: installed(server, folder, n) for n, folder in folders.items()}

    def type_in(number: str, *words: str) -> str:
        command = [sys.executable, "-m", "pipeline", *words]
        return must_succeed(run_program(command, folders[number], shops[number])).stdout

    def run(number: str) -> None:
        luigi = [str(Path(sys.executable).with_name("luigi")), "--module", "pipeline", "RunDue"]
        done = run_program([*luigi, "--local-scheduler"], folders[number], shops[number])
        must_succeed(done)

    for number in "12":
        type_in(number, "init", "--example-oltp")
        text = (folders[number] / ".env").read_text()
        text = re.sub(r"(?m)^(OL.._ADMIN_\w+)=.*", r"\1=", text)
        (folders[number] / ".env").write_text(text)
    execute(sudo, take_back)
    with pytest.raises(psycopg2.OperationalError):
        as_superuser(server, password="CHANGE-ME-4")
    for number in "12":
        run(number)

    (changed,) = block_texts("Change a password", "sql")
    execute(sudo, changed)
    for number in "12":
        text = (folders[number] / ".env").read_text()
        text = text.replace("OLAP_DB_PASSWORD=CHANGE-ME-2", "OLAP_DB_PASSWORD=CHANGE-ME-9")
        (folders[number] / ".env").write_text(text)
        assert "ready" in run_commands("Change a password", folders[number], shops[number])

    execute(sudo, f"ALTER ROLE {server.superuser} PASSWORD '{PASSWORD}'")
    olap, oltp = block_texts("One shop of several", "sql")
    execute(as_superuser(server, "analitica1"), olap)
    execute(as_superuser(server, "tienda1"), oltp)
    left = "SELECT count(*) FROM pg_namespace WHERE nspname IN ('dw', 'etl')"
    assert execute(as_superuser(server, "analitica1"), left) == [(0,)]
    grants = "SELECT count(*) FROM pg_class WHERE relacl::text LIKE '%etl_lector%'"
    assert execute(as_superuser(server, "tienda1"), grants) == [(0,)]
    run("2")
    assert "equals the OLTP" in type_in("2", "verify", "--all")


def test_the_guide_is_followed_from_the_first_run_to_the_history(shop: Shop):
    shop.env["ETL_INITIAL_SINCE"] = (yesterday() - timedelta(days=9)).isoformat()
    shop.product(1)
    shop.receipt(yesterday() - timedelta(days=20), (1, 3, 2))
    shop.receipt(yesterday(), (1, 24, "4.50"))
    assert "the OLAP equals the OLTP" in run_commands("4. First run", shop.folder, shop.env)
    assert len(shop.olap_rows("SELECT * FROM dw.kardex")) == 1

    (count,) = block_texts("Opening balances", "text", run=False)
    (shop.folder / "conteo.csv").write_text(count)
    said = run_commands("Opening balances", shop.folder, shop.env)
    assert "1 opening balances set" in said
    (stock,) = shop.olap_rows("SELECT * FROM dw.inventario")
    assert (stock["existencias"], stock["costo_promedio"]) == (48, 4)

    # The date of the example must lie before the scope's, whenever this is run.
    run_commands("Earlier history", shop.folder, shop.env)
    (control,) = shop.olap_rows("SELECT desde_inicial FROM etl.control")
    assert control["desde_inicial"] == datetime(2025, 1, 1, tzinfo=UTC)


@pytest.mark.one_postgres
def test_the_example_shop_is_filled_as_written(shop: Shop):
    (shop.folder / "productos.csv").write_text("id_producto,nombre\n1,Pan\n")
    (shop.folder / "transacciones.csv").write_text(
        "id_transaccion,tipo,id_producto,cantidad,precio_unitario,costo_unitario,fecha\n"
        f"1,ENTRADA_MERCANCIA,1,10,,5,{yesterday().isoformat()}\n"
    )
    said = run_commands("Without a shop at hand", shop.folder, shop.env)
    assert "transacciones: 1 read, 1 new" in said


def test_another_schema_works_as_written(shop: Shop):
    """The single-table shop: its queries, the grants, a run, corrections, its own stock."""
    shop.till(
        "CREATE TABLE articulos (codigo integer PRIMARY KEY, descripcion text, rubro text);"
        "CREATE TABLE ventas_compras (nro bigint PRIMARY KEY, clase text, articulo integer,"
        " cantidad numeric, precio numeric, costo numeric, momento timestamp, estado text);"
        "INSERT INTO articulos VALUES (1, 'Leche', 'Lácteos');"
        "INSERT INTO ventas_compras"
        " SELECT nro, clase, 1, cantidad, precio, costo, %s::timestamp, '' FROM (VALUES"
        " (1, 'C', 10, NULL, 5), (2, 'V', 4, 8, NULL), (3, 'X', 1, NULL, NULL)"
        ") AS v (nro, clase, cantidad, precio, costo)",
        yesterday().replace(tzinfo=None),
    )
    folder = shop.folder / "consultas"
    folder.mkdir()
    queries = block_texts("Another schema", "sql", run=False)
    names = ("movimientos", "productos", "sucursales")
    for name, query in zip(names, queries, strict=True):
        (folder / f"{name}.sql").write_text(query)
    shop.env["ETL_OLTP_SQL_DIR"] = str(folder)
    said = run_commands("Another schema", shop.folder, shop.env)
    assert re.search(r"^new +2$", said, re.M)
    shop.run()
    (stock,) = shop.olap_rows("SELECT * FROM dw.mv_inventario_valorizado")
    assert (stock["existencias"], stock["valor"], stock["categoria"]) == (6, 30, "Lácteos")

    shop.till("UPDATE ventas_compras SET costo = 6 WHERE nro = 1")
    shop.till("UPDATE ventas_compras SET estado = 'X' WHERE nro = 2")
    shop.run()
    (stock,) = shop.olap_rows("SELECT * FROM dw.inventario")
    assert (stock["existencias"], stock["valor"]) == (10, 60)

    (query,) = block_texts("The shop's own stock", "sql", run=False)
    (folder / "existencias.sql").write_text(query)
    shop.till("CREATE TABLE saldos (articulo integer, cantidad numeric)")
    shop.till("INSERT INTO saldos VALUES (1, 9)")
    shop.succeed("init")
    shop.run()
    (differs,) = shop.olap_rows("SELECT * FROM dw.v_diferencias_existencias")
    assert (differs["nuestras"], differs["tienda"], differs["valor"]) == (10, 9, -6)
    assert "the OLAP equals the OLTP" in shop.succeed("verify").stdout


def test_the_worked_example_is_what_the_functions_give(shop: Shop):
    (query,) = block_texts("How costs are computed", "sql")
    found = execute(shop.olap, query)
    assert len(found) == 8
    # The units and the cost in the words are the query's own.
    given = re.findall(r"\(\d, '[A-Z_]+', (\d+), ([\d.]+|NULL)\)", query)[1:]
    for text in map(read, ACCOUNTANT):
        stated = [row for row in cells(text) if len(row) == 7 and row[0].isdigit()]
        assert [tuple(numbers(row[:1] + row[2:])) for row in stated] == found
        for row, (quantity, cost) in zip(stated, given, strict=True):
            assert re.findall(r"[\d.]+", row[1]) == [n for n in (quantity, cost) if n != "NULL"]


def test_the_prices_are_what_a_run_gives(shop: Shop):
    """Product 1 is of the category too; its own row comes first."""
    for product, category in ((1, "Lácteos"), (2, "Lácteos"), (3, "Abarrotes")):
        shop.product(product, category)
    shop.receipt(yesterday(), (1, 10, 8), (2, 10, 8), (3, 10, 8))
    shop.run_in_process()
    (policy,) = block_texts("Suggested prices", "sql")
    execute(shop.olap, policy)
    shop.run_in_process()
    rows = shop.olap_rows(
        "SELECT v.margen, v.impuesto, v.redondeo, i.precio_sugerido FROM dw.inventario AS i"
        " JOIN dw.v_politica_producto AS v USING (id_producto) ORDER BY id_producto"
    )
    for text in map(read, ACCOUNTANT):
        stated = [numbers(row[1:]) for row in cells(text) if len(row) == 5 and row[1].endswith("%")]
        assert stated == [list(row.values()) for row in rows]


def test_the_days_to_order_for_are_those_of_the_guide(shop: Shop):
    shop.product(1, "Lácteos")
    shop.product(2)
    shop.receipt(datetime.now(UTC) - timedelta(days=5), (1, 40, 8), (2, 40, 8))
    shop.sale(yesterday(), (1, 30, 9), (2, 30, 9))
    (days,) = block_texts("The report", "sql")
    execute(shop.olap, days)
    shop.run_in_process()
    rows = shop.olap_rows(
        "SELECT dias_deseados, por_pedir FROM dw.mv_reposicion ORDER BY id_producto"
    )
    # Six a day, and ten are there.
    assert [tuple(row.values()) for row in rows] == [(7, 32), (30, 170)]


# cron and systemd


def schedule() -> tuple[str, str]:
    """The guide's line of cron: when, and what."""
    (line,) = block_texts("5. Every day", "sh", run=False)
    assert line in text_of("scripts/crontab.example")
    # In a crontab a percent sign ends the command.
    assert "%" not in line
    when, _, what = line.strip().partition("  ")
    return when, what


@pytest.mark.skipif(not shutil.which("flock"), reason="there is no flock here")
@pytest.mark.one_postgres
def test_cron_runs_one_at_a_time_from_anywhere(shop: Shop):
    place = shop.folder / "opt"
    place.mkdir()
    (place / ".venv").symlink_to(sys.prefix)
    shutil.copy(REPOSITORY / "luigi.cfg", place)
    given = {k: v for k, v in shop.env.items() if k.startswith(("OLTP_", "OLAP_", "ETL_"))}
    del given["ETL_STATE_DIR"]
    (place / ".env").write_text("".join(f"{name}={value}\n" for name, value in given.items()))
    command = schedule()[1].replace("/opt/pipeline", str(place))

    def by_cron() -> int:
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(shop.folder)}
        return subprocess.run(["/bin/sh", "-c", command], cwd="/", env=environment).returncode

    assert by_cron() == 0, (place / "pipeline.log").read_text()
    assert len(list((place / "state").glob("*/marker.json"))) == 1
    held = os.open(place, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert by_cron() == 10
    finally:
        os.close(held)


def service_of(unit_file: str) -> configparser.SectionProxy:
    """What a unit of systemd runs, and how."""
    unit = configparser.ConfigParser(interpolation=None, delimiters=("=",))
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(REPOSITORY / "scripts/systemd" / unit_file)
    return unit["Service"]


def test_systemd_runs_what_cron_runs():
    service = service_of("pipeline.service")
    command = re.sub(r" >>.*", "", schedule()[1])
    folder, assignment, rest = re.fullmatch(r"cd (\S+) && (\S+=\S+) (.*)", command).groups()
    assert service["WorkingDirectory"] == folder
    assert service["Environment"] == assignment
    assert service["ExecStart"] == f"/usr/bin/{rest}"
    assert service["SuccessExitStatus"] == "10"


def test_luigid_as_a_service_is_for_this_machine_and_keeps_its_state_to_itself():
    service = service_of("luigid.service")
    assert (service["StateDirectory"], service["StateDirectoryMode"]) == ("luigid", "0700")
    program, *arguments = service["ExecStart"].split()
    assert Path(program).name == "luigid"
    by_hand = block_texts("luigid", "sh", run=False)[0]
    assert by_hand.split() == ["luigid", *arguments[:4]]
    assert arguments[4:] == ["--state-path", "/var/lib/luigid/state.pickle"]


def test_logrotate_knows_the_files_that_cron_writes():
    written = set(re.findall(r">>(\S+)", text_of("scripts/crontab.example")))
    rotated = re.search(r"^(/.*) \{$", text_of("scripts/logrotate.example"), re.MULTILINE)
    assert rotated
    assert set(rotated[1].split()) == written
