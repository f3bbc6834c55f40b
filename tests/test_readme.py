"""The two READMEs say the same, name what there is, and their blocks work as written."""

from __future__ import annotations

import configparser
import fcntl
import os
import re
import shlex
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import psycopg2
import pytest
from shop_database import Shop
from shop_server import FOREIGN, OPTIONS, PASSWORD, REPOSITORY, must_succeed, run_program

from pipeline import settings
from pipeline.__main__ import _COMMANDS, main
from pipeline.demo import server as servers
from pipeline.luigi_defaults import RETCODES
from pipeline.superset.account import load_account


def text_of(name: str) -> str:
    """A file of the repository."""
    return (REPOSITORY / name).read_text(encoding="utf-8")


ENGLISH, SPANISH = text_of("README.md"), text_of("README.es.md")
BOTH = pytest.mark.parametrize("text", [ENGLISH, SPANISH], ids=["en", "es"])
# Where the marked blocks are, each with a test below.
TESTED = {
    ("2. Create the accounts", "sql"),
    ("3. Fill in `.env`", "ini"),
    ("4. First run", "sh"),
    ("Opening balances", "sh"),
    ("Earlier history", "sh"),
    ("Without a shop at hand", "sh"),
    ("Another schema", "sh"),
    ("How costs are computed", "sql"),
    ("Suggested prices", "sql"),
    ("Uninstall", "sql"),
}


class Block(NamedTuple):
    """A fenced block; `run` says that it is marked to be run."""

    heading: str
    kind: str
    text: str
    run: bool


def blocks(text: str) -> list[Block]:
    """Every fenced block, in order."""
    found = []
    for match in re.finditer(r"(<!-- run -->\n)?```(\w*)\n(.*?)```", text, re.S):
        before = re.sub(r"```.*?```", "", text[: match.start()], flags=re.S)
        heading = re.findall(r"^#+ (.*)$", before, re.M)[-1]
        found.append(Block(heading, match[2], match[3], bool(match[1])))
    return found


def block_texts(heading: str, kind: str, *, run: bool = True) -> list[str]:
    """The blocks of a section of the English README: those marked to be run, or the others."""
    chosen = [b.text for b in blocks(ENGLISH) if b[:2] == (heading, kind) and b.run == run]
    assert chosen, f"README.md has no such block: {heading}, {kind}"
    return chosen


def cells(text: str) -> list[list[str]]:
    """The rows of all tables, without their headings' rules."""
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def code(cell: str) -> list[str]:
    """What a cell has between backticks."""
    return re.findall(r"`([^`]+)`", cell)


def numbers(row: list[str]) -> list[Decimal]:
    """A row's cells as numbers; percentages as fractions."""
    found = []
    for cell in row:
        bare = Decimal(cell.replace("\N{MINUS SIGN}", "-").removesuffix(" %"))
        found.append(bare / 100 if cell.endswith("%") else bare)
    return found


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


# The same in both languages


def test_the_blocks_are_the_same_in_both_languages():
    assert len(blocks(ENGLISH)) > 20
    assert [b[1:] for b in blocks(ENGLISH)] == [b[1:] for b in blocks(SPANISH)]


def test_the_two_have_the_same_sections_and_tables():
    def outline(text: str) -> list[str]:
        prose = re.sub(r"```.*?```", "", text, flags=re.S)
        return re.findall(r"^(?:#+ |- \*\*|- )", prose, re.M)

    assert outline(ENGLISH) == outline(SPANISH)
    for english, spanish in zip(cells(ENGLISH), cells(SPANISH), strict=True):
        assert [code(cell) for cell in english] == [code(cell) for cell in spanish]
        assert len(english) == len(spanish)


@BOTH
def test_links_lead_somewhere(text: str):
    headings = re.findall(r"^#+ (.*)$", text, re.M)
    anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if target.startswith("#"):
            assert target[1:] in anchors
        elif not target.startswith("https://"):
            assert (REPOSITORY / target).is_file()
    for path in re.findall(r"(?<![\w/])(?:scripts|sql)/[\w./-]+\w", text):
        assert (REPOSITORY / path).exists(), path


# What there is


@pytest.fixture
def settings_read(monkeypatch: pytest.MonkeyPatch) -> dict[str, str | None]:
    """Every setting that load_settings() asks for, and its default; None if it must be given."""
    asked: dict[str, str | None] = {}

    def config(name: str, default: str | None = None) -> str:
        asked[name] = default
        return "x" if default is None else default

    monkeypatch.setattr(settings, "AutoConfig", lambda search_path: config)
    settings.load_settings.__wrapped__()
    load_account()
    assert len(asked) > 25
    return asked


@BOTH
def test_every_setting_is_in_the_table_with_its_default(
    text: str, settings_read: dict[str, str | None]
):
    words = {"empty": "", "vacío": "", "required": None, "obligatorio": None}
    documented: dict[str, str | None] = {}
    for names, defaults, *_ in cells(text):
        if re.match(r"`(OLTP|OLAP|ETL|SUPERSET)_", names):
            values = defaults.split(", ")
            values *= len(code(names)) if len(values) == 1 else 1
            for name, value in zip(code(names), values, strict=True):
                assert name not in documented
                documented[name] = words.get(value, value)
    assert documented == settings_read


def test_the_example_names_every_setting(settings_read: dict[str, str | None]):
    pairs = dict(re.findall(r"^([A-Z_]+)=(.*)$", text_of(".env.example"), re.M))
    assert pairs.keys() == settings_read.keys()
    for name, default in settings_read.items():
        if default is not None:
            assert pairs[name] == default, name


def test_the_first_env_names_settings_that_there_are(settings_read: dict[str, str | None]):
    (env,) = block_texts("3. Fill in `.env`", "ini")
    given = {line.partition("=")[0] for line in env.splitlines()}
    assert given <= settings_read.keys()
    assert {name for name, default in settings_read.items() if default is None} <= given


@pytest.mark.parametrize("command", _COMMANDS)
def test_every_command_is_documented_and_has_help(command: str, capsys: pytest.CaptureFixture[str]):
    for text in (ENGLISH, SPANISH):
        assert f"| `python -m pipeline {command}` |" in text
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert f"examples: python -m pipeline {command}" in " ".join(capsys.readouterr().out.split())


@BOTH
def test_every_documented_command_and_task_exists(text: str):
    assert set(re.findall(r"python -m pipeline (\w+)", text)) == set(_COMMANDS)
    import pipeline

    assert set(re.findall(r"luigi --module pipeline (\w+)", text)) <= set(pipeline.__all__)


def test_exit_codes_are_the_same_everywhere():
    config = configparser.ConfigParser()
    config.read(REPOSITORY / "luigi.cfg")
    assert dict(config["retcode"]) == RETCODES
    for text in (ENGLISH, SPANISH):
        documented = {row[0] for row in cells(text) if row[0].isdigit() and len(row) == 3}
        assert documented == {"0", *RETCODES.values()}


@pytest.mark.one_postgres
def test_every_view_of_the_dashboards_is_in_the_tables_with_its_columns(shop: Shop):
    readable = shop.olap_rows(
        "SELECT 'dw.' || c.relname AS name, array_agg(a.attname::text ORDER BY a.attnum) AS columns"
        " FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0"
        " WHERE c.relnamespace = 'dw'::regnamespace AND c.relkind IN ('r', 'v', 'm')"
        " AND has_table_privilege('bi_lector', c.oid, 'SELECT') GROUP BY c.relname"
    )
    for text in (ENGLISH, SPANISH):
        documented = {
            code(row[0])[0]: code(row[2])
            for row in cells(text)
            if row[0].startswith("`dw.") and len(row) == 3
        }
        assert documented == {row["name"]: row["columns"] for row in readable}


def test_every_module_is_in_the_layout():
    table = text_of("CONTRIBUTING.md")
    for module in (REPOSITORY / "pipeline").glob("*.py"):
        assert re.search(rf"`(pipeline/)?{module.name}`", table), module.name


# The blocks, as written


def test_every_marked_block_has_a_test():
    assert {block[:2] for block in blocks(ENGLISH) if block.run} == TESTED


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
        environment = {k: v for k, v in os.environ.items() if not k.startswith(FOREIGN)}
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
    """The single-table shop: its three queries, the grants, a run, a correction and a void."""
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
    assert "the OLAP equals the OLTP" in shop.succeed("verify").stdout


def test_the_worked_example_is_what_the_functions_give(shop: Shop):
    (query,) = block_texts("How costs are computed", "sql")
    found = execute(shop.olap, query)
    assert len(found) == 5
    # The units and the cost in the words are the query's own.
    given = re.findall(r"\(\d, '[A-Z_]+', (\d+), ([\d.]+|NULL)\)", query)[1:]
    for text in (ENGLISH, SPANISH):
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
    for text in (ENGLISH, SPANISH):
        stated = [numbers(row[1:]) for row in cells(text) if len(row) == 5 and row[1].endswith("%")]
        assert stated == [list(row.values()) for row in rows]


# cron and systemd


def schedule() -> tuple[str, str]:
    """The README's line of cron: when, and what."""
    (line,) = block_texts("cron", "sh", run=False)
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
