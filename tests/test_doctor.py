"""doctor: a healthy shop is told so, and each precondition that is not met is named."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections import namedtuple
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from local_servers import WebServer, web_server
from shop_database import Shop
from shop_luigid import luigid
from shop_server import BI_USER, OLAP_USER, OLTP_USER, PASSWORD, REPOSITORY

from pipeline.doctor import clocks, oltp_horizon
from pipeline.doctor.examination import examine
from pipeline.doctor.findings import Finding, attempt
from pipeline.doctor.sides import Check, Side, make_checks
from pipeline.state.window import whole_second

QUERIES = ("movimientos", "productos", "sucursales")
LABEL = "20261101T000000Z--20261102T000000Z"


class Report:
    """What `doctor --json` printed, by the name of what was looked at."""

    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        self.exit_code, self.said = done.returncode, done.stdout
        # Luigi may warn before the object begins.
        self.document: dict[str, Any] = json.loads(re.split(r"^(?=\{$)", self.said, flags=re.M)[-1])
        self.findings = [Finding(**finding) for finding in self.document["findings"]]

    def one(self, what: str) -> Finding:
        """The only finding of that name."""
        return one(self.findings, what)

    def in_state(self, state: str) -> list[str]:
        """What was found to be so; luigid is the machine's affair, not the shop's."""
        return [f.what for f in self.findings if f.state == state and f.what != "luigid"]


def one(findings: list[Finding], what: str) -> Finding:
    """The only finding of that name."""
    found = [finding for finding in findings if finding.what == what]
    assert len(found) == 1, f"{what}: {found} among {[f.what for f in findings]}"
    return found[0]


def doctor(shop: Shop, **env: str) -> Report:
    """`python -m pipeline doctor --json`, whatever comes of it."""
    return Report(shop.command("doctor", "--json", **env))


def examined(shop: Shop, **env: str) -> list[Finding]:
    """The findings in this process, where a test can change a limit or a clock."""
    before = dict(shop.env)
    shop.env |= env
    try:
        with shop.environment():
            return list(examine())
    finally:
        shop.env = before


def trade(shop: Shop) -> None:
    """A receipt of yesterday, loaded."""
    shop.product(1)
    shop.receipt(datetime.now(UTC) - timedelta(days=1), (1, 10, 5))
    shop.run_in_process()


def control(shop: Shop, assignment: str, *values: Any) -> None:
    """Change the OLAP's control row."""
    shop.olap.cursor().execute(f"UPDATE etl.control SET {assignment}", values)


@contextmanager
def writing(shop: Shop) -> Iterator[Any]:
    """A transaction that has written and is still open; yields its connection."""
    connection = shop.server.connect(shop.oltp_name)
    connection.autocommit = False
    try:
        connection.cursor().execute("INSERT INTO sucursales (id_sucursal, nombre) VALUES (9, 'X')")
        yield connection
    finally:
        connection.close()


# As a whole


EXAMINED = [
    "settings",
    "state folder",
    "state disk",
    "OLTP reachable",
    "OLTP version",
    "OLTP clock",
    "OLTP server",
    "OLTP encoding",
    "OLTP movimientos.sql",
    "OLTP productos.sql",
    "OLTP sucursales.sql",
    "OLTP versions",
    "OLTP dates",
    "OLTP least privilege",
    "OLTP open transactions",
    "OLTP prepared transactions",
    "OLTP horizon",
    "OLAP reachable",
    "OLAP version",
    "OLAP clock",
    "OLAP objects",
    "OLAP functions",
    "OLAP least privilege",
    "dashboards' account",
    "dashboards' login",
    "last run",
    "unfinished window",
    "rejects",
    "out of scope",
    "what comes in",
    "counts by branch",
    "tax of prices",
    "time zone",
    ".env",
    "luigi.cfg",
]


def test_a_healthy_shop_is_ready(shop: Shop):
    trade(shop)
    report = doctor(shop)
    assert report.in_state("ok") == EXAMINED
    assert report.in_state("warning") == report.in_state("error") == []
    assert report.in_state("skipped") == []
    assert (report.exit_code, report.document["healthy"]) == (0, True)
    assert not any(f.remedy for f in report.findings)
    assert PASSWORD not in report.said


def test_a_new_shop_is_ready_and_nothing_is_made(shop: Shop):
    before = shop.olap_rows("SELECT * FROM etl.control")
    report = doctor(shop)
    assert report.in_state("warning") == ["last run"]
    assert report.one("last run").found == "none yet"
    assert "the first run makes it" in report.one("state folder").found
    assert (report.exit_code, report.document["warnings"]) == (0, 1)
    assert list(shop.folder.iterdir()) == []
    assert shop.olap_rows("SELECT * FROM etl.control") == before


def test_the_table_says_what_the_object_says(shop: Shop):
    control(shop, "esquema = 1")
    report = doctor(shop)
    done = shop.command("doctor", PYTHONIOENCODING="utf-8", COLUMNS="80")
    assert done.returncode == report.exit_code == 1
    header, *lines, empty, verdict = done.stdout.splitlines()
    assert header.split() == ["what", "found,", "→", "remedy"]
    marks = {"ok": "✓", "warning": "!", "error": "✗", "skipped": "-"}
    shown = [
        (line[0], re.split(r"\s{2,}", line[1:].strip())[0]) for line in lines if line[0] != " "
    ]
    assert max(map(len, lines)) < 150
    assert shown == [(marks[f.state], f.what) for f in report.findings]
    assert (empty, verdict) == ("", "NOT ready: 1 error, 0 warnings")


def test_what_cannot_be_encoded_stops_nothing(shop: Shop):
    done = shop.command("doctor", PYTHONIOENCODING="ascii", OLAP_BI_USER="nadie")
    assert done.returncode == 1
    assert re.search(r"^x +dashboards' account +nadie does not exist", done.stdout, re.M)
    assert re.search(r"^\+ +settings", done.stdout, re.M)
    assert "Traceback" not in done.stdout


def test_a_defect_in_one_check_is_a_finding():
    def broken() -> Iterator[Finding]:
        yield Finding("ok", "first", "seen")
        raise KeyError("second")

    findings = attempt("room", broken)
    assert [(f.state, f.what) for f in findings] == [("ok", "first"), ("error", "room")]
    assert re.fullmatch(r"KeyError: 'second' \(test_doctor\.py:\d+\)", findings[1].found)


def test_a_lost_connection_is_told_once(shop: Shop):
    def dies(side: Side) -> Iterator[Finding]:
        shop.oltp.cursor().execute(
            "SELECT pg_terminate_backend(%s)", (side.connection.get_backend_pid(),)
        )
        side.connection.cursor().execute("SELECT 1")
        yield Finding("ok", "dead", "alive")

    with shop.environment():
        from pipeline.settings import load_settings

        settings = load_settings()
        connection = shop.server.connect(shop.oltp_name)
        side = Side(connection, settings.oltp, settings)
        later = [Check("one", dies), Check("two", dies)]
        findings = list(make_checks(side, [Check("dying", dies), *later]))
    assert [(f.state, f.what) for f in findings] == [
        ("error", "OLTP dying"),
        ("skipped", "OLTP otherwise"),
    ]
    assert findings[1].found == "not examined: one, two"


# Settings and the state folder


@pytest.mark.one_postgres
def test_a_malformed_setting_is_named(shop: Shop):
    report = doctor(shop, OLTP_DB_PORT="abc")
    assert report.in_state("error") == ["settings"]
    assert (
        report.one("settings").found == "OLTP_DB_PORT is 'abc', but must be a port from 1 to 65535"
    )
    assert ".env" in report.one("settings").remedy
    assert report.in_state("skipped") == ["otherwise"]
    assert report.one("luigi.cfg").state == "ok"
    assert report.exit_code == 1


@pytest.mark.one_postgres
@pytest.mark.parametrize("place", ["state", "state/within"])
def test_a_file_in_the_place_of_the_state_folder(shop: Shop, place: str):
    (shop.folder / "state").write_text("a file")
    report = doctor(shop, ETL_STATE_DIR=str(shop.folder / place))
    assert report.in_state("error") == ["state folder"]
    assert report.one("state folder").found == f"{shop.folder / 'state'} is no folder"
    assert report.exit_code == 1
    assert report.one("OLAP objects").state == "ok"


@pytest.mark.one_postgres
def test_a_state_folder_that_leads_nowhere(shop: Shop):
    (shop.folder / "state").symlink_to(shop.folder / "gone")
    report = doctor(shop)
    assert report.in_state("error") == ["state folder", "state disk"]
    assert "No such file or directory" in report.one("state disk").found


@pytest.mark.one_postgres
def test_a_state_folder_that_cannot_be_written(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    def refuses(**_: Any) -> None:
        raise PermissionError(13, "Permission denied")

    # Root may write where the mode forbids it.
    (shop.folder / "state").mkdir(mode=0o700)
    monkeypatch.setattr("pipeline.doctor.folder.tempfile.NamedTemporaryFile", refuses)
    finding = one(examined(shop), "state folder")
    assert finding.state == "error"
    assert finding.found.endswith("cannot be written: Permission denied")


@pytest.mark.one_postgres
def test_a_state_folder_that_others_may_read(shop: Shop):
    state = shop.folder / "state"
    state.mkdir()
    state.chmod(0o750)
    finding = doctor(shop).one("state folder")
    assert (finding.state, finding.remedy) == ("warning", f"chmod 700 {state}")
    state.chmod(0o700)
    assert doctor(shop).one("state folder").state == "ok"
    assert list(state.iterdir()) == []


@pytest.mark.one_postgres
@pytest.mark.parametrize(
    ("free", "state", "found"),
    [
        (2_000_000_000, "ok", "2.0 GB free"),
        (999_000_000, "warning", "999 MB free"),
        (99_000_000, "error", "99 MB free"),
    ],
)
def test_the_room_on_the_disk(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, free: int, state: str, found: str
):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(
        "pipeline.doctor.folder.shutil.disk_usage", lambda _: usage(10**10, 10**10 - free, free)
    )
    finding = one(examined(shop), "state disk")
    assert (finding.state, finding.found) == (state, found)


@pytest.mark.one_postgres
def test_a_file_of_settings_that_others_may_read(shop: Shop):
    assert doctor(shop).one(".env").found.startswith("none here or above")
    inner = shop.folder / "inner"
    inner.mkdir()
    path = shop.folder / ".env"
    path.write_text("ETL_KEEP_DAYS=31\n")
    shop.folder = inner
    path.chmod(0o640)
    report = doctor(shop)
    assert report.one(".env").state == "warning"
    assert report.one(".env").remedy == f"chmod 600 {path}"
    assert report.exit_code == 0
    path.chmod(0o600)
    assert doctor(shop).one(".env") == Finding("ok", ".env", f"{path}, mode 0600")
    # Also where it cannot be read as settings.
    assert doctor(shop, ETL_KEEP_DAYS="x").one(".env").state == "ok"


# The OLTP


@pytest.mark.parametrize("side", ["OLTP", "OLAP"])
def test_a_server_that_is_down(shop: Shop, side: str):
    trade(shop)
    report = doctor(shop, **{f"{side}_DB_PORT": "1"})
    assert report.in_state("error") == [f"{side} reachable"]
    assert report.in_state("skipped") == [f"{side} otherwise"]
    assert f"check {side}_DB_HOST" in report.one(f"{side} reachable").remedy
    assert report.in_state("ok") == [
        name
        for name in EXAMINED
        if not name.startswith(side)
        and name != "time zone"
        and not (side == "OLAP" and name in EXAMINED[EXAMINED.index("dashboards' account") : -2])
    ]
    assert report.exit_code == 1


def test_a_wrong_password_is_told_but_not_shown(shop: Shop):
    report = doctor(shop, OLTP_DB_PASSWORD="otra clave secreta")
    assert "password authentication failed" in report.one("OLTP reachable").found
    assert "otra clave secreta" not in report.said
    assert PASSWORD not in report.said
    assert report.exit_code == 1


def test_a_table_that_may_not_be_read(shop: Shop):
    shop.till("REVOKE SELECT ON detalle_transaccion FROM etl_lector")
    report = doctor(shop)
    assert report.in_state("error") == ["OLTP movimientos.sql"]
    finding = report.one("OLTP movimientos.sql")
    assert "permission denied for table detalle_transaccion" in finding.found
    assert "grant it" in finding.remedy
    assert report.exit_code == 1


def test_no_table_may_be_read(shop: Shop):
    shop.till("REVOKE SELECT ON ALL TABLES IN SCHEMA public FROM etl_lector")
    report = doctor(shop)
    assert report.in_state("error") == [f"OLTP {n}.sql" for n in QUERIES]
    assert report.in_state("skipped") == ["OLTP tables"]


def test_a_query_that_breaks_the_contract(shop: Shop):
    folder = shop.folder / "consultas"
    folder.mkdir()
    for name in QUERIES:
        shutil.copy(REPOSITORY / "sql" / "oltp" / f"{name}.sql", folder)
    (folder / "sucursales.sql").write_text("SELECT id_sucursal, xmin AS version_1 FROM sucursales")
    report = doctor(shop, ETL_OLTP_SQL_DIR=str(folder))
    assert report.in_state("error") == ["OLTP sucursales.sql"]
    assert "yields no column nombre" in report.one("OLTP sucursales.sql").found
    (folder / "sucursales.sql").write_text("SELECT * FROM tiendas")
    found = doctor(shop, ETL_OLTP_SQL_DIR=str(folder)).one("OLTP sucursales.sql")
    assert "tiendas" in found.found
    assert "ETL_OLTP_SQL_DIR" in found.remedy


def edited(shop: Shop, *replaced: tuple[str, str]) -> str:
    """A folder of the shipped queries, movimientos.sql with these pieces in the place of others."""
    folder = shop.folder / "consultas"
    folder.mkdir()
    for name in QUERIES:
        shutil.copy(REPOSITORY / "sql" / "oltp" / f"{name}.sql", folder)
    path = folder / "movimientos.sql"
    text = path.read_text(encoding="utf-8")
    for piece, other in replaced:
        assert piece in text
        text = text.replace(piece, other)
    path.write_text(text, encoding="utf-8")
    return str(folder)


def test_a_table_whose_version_is_in_none_is_named(shop: Shop):
    trade(shop)
    lookup = "(SELECT max(s.id_sucursal) FROM public.sucursales AS s)"
    folder = edited(
        shop,
        ("    t.xmin AS version_2\n", "    NULL::xid AS version_2\n"),
        ("    t.id_sucursal,\n", f"    {lookup} AS id_sucursal,\n"),
    )
    report = doctor(shop, ETL_OLTP_SQL_DIR=folder)
    assert report.one("OLTP versions").found == (
        "none of public.sucursales, public.transacciones in movimientos.sql"
    )
    assert report.in_state("warning") == ["OLTP versions"]
    assert "OLTP versions" not in doctor(
        shop, ETL_OLTP_SQL_DIR=folder, ETL_CAPTURE="full"
    ).in_state("warning")


def test_a_version_that_is_the_youngest_of_several_is_of_each_of_them(shop: Shop):
    trade(shop)
    youngest = "(SELECT j.v FROM unnest(ARRAY[d.xmin, t.xmin]) AS j (v) ORDER BY age(j.v) LIMIT 1)"
    folder = Path(edited(shop, ("    t.xmin AS version_2\n", f"    {youngest} AS version_2\n")))
    found = doctor(shop, ETL_OLTP_SQL_DIR=str(folder)).one("OLTP versions")
    assert (found.state, found.found) == ("ok", "of each table that the queries read")
    text = (folder / "movimientos.sql").read_text(encoding="utf-8")
    (folder / "movimientos.sql").write_text(text.replace("d.xmin, t.xmin", "d.xmin, d.xmin"))
    found = doctor(shop, ETL_OLTP_SQL_DIR=str(folder)).one("OLTP versions")
    assert found.found == "none of public.transacciones in movimientos.sql"


def test_a_branch_of_a_union_and_a_partition_have_their_versions(shop: Shop):
    trade(shop)
    path = Path(edited(shop)) / "movimientos.sql"
    text = path.read_text(encoding="utf-8")
    path.write_text(f"{text}\nUNION ALL\n{text}\nWHERE d.id_detalle < 0", encoding="utf-8")
    found = doctor(shop, ETL_OLTP_SQL_DIR=str(path.parent)).one("OLTP versions")
    assert (found.state, found.found) == ("ok", "of each table that the queries read")


def test_dates_that_are_ahead_of_the_shops_clock(shop: Shop):
    """A timestamp in UTC that is read in the shop's zone, five hours behind it."""
    trade(shop)
    shop.till("ALTER TABLE transacciones ALTER fecha TYPE timestamp USING fecha AT TIME ZONE 'UTC'")
    shop.env["ETL_TIMEZONE"] = "America/Lima"
    assert doctor(shop).one("OLTP dates").state == "ok"
    shop.till("INSERT INTO transacciones (tipo, fecha) VALUES ('VENTA', now() AT TIME ZONE 'UTC')")
    shop.till(
        "INSERT INTO detalle_transaccion (id_transaccion, id_producto, cantidad, precio_unitario)"
        " SELECT max(id_transaccion), 1, 1, 9 FROM transacciones"
    )
    ahead = doctor(shop).one("OLTP dates")
    assert ahead.state == "warning"
    assert ahead.found == "1 movements are up to 5.0 hours ahead of the server's clock"
    assert "yield `fecha AT TIME ZONE 'UTC'`" in ahead.remedy
    right = edited(shop, ("    t.fecha,\n", "    t.fecha AT TIME ZONE 'UTC' AS fecha,\n"))
    assert doctor(shop, ETL_OLTP_SQL_DIR=right).one("OLTP dates").state == "ok"


@pytest.mark.parametrize("side", ["OLTP", "OLAP"])
def test_a_superuser_is_more_than_it_needs(shop: Shop, side: str):
    trade(shop)
    report = doctor(shop, **{f"{side}_DB_USER": shop.server.server.superuser})
    assert report.in_state("warning") == [f"{side} least privilege"]
    assert report.one(f"{side} least privilege").found == "postgres is a superuser"
    assert report.exit_code == 0


def test_a_reader_who_may_write(shop: Shop):
    trade(shop)
    shop.till("GRANT TRUNCATE ON productos TO etl_lector")
    shop.till("GRANT UPDATE (nombre) ON sucursales TO etl_lector")
    report = doctor(shop)
    assert report.in_state("warning") == ["OLTP least privilege"]
    found = report.one("OLTP least privilege").found
    assert found.endswith("may write to public.productos (TRUNCATE), public.sucursales (UPDATE)")
    assert report.exit_code == 0


def test_policies_that_hide_rows(shop: Shop):
    trade(shop)
    shop.till("ALTER TABLE transacciones ENABLE ROW LEVEL SECURITY")
    report = doctor(shop)
    assert report.in_state("error") == ["OLTP movimientos.sql"]
    assert 'for table "transacciones"' in report.one("OLTP movimientos.sql").found
    assert "BYPASSRLS" in report.one("OLTP movimientos.sql").remedy
    # Also with a policy that shows a part, where the table is in the plan.
    shop.till("CREATE POLICY parte ON transacciones USING (id_sucursal = 1)")
    assert doctor(shop).in_state("error") == ["OLTP movimientos.sql"]
    shop.till("ALTER TABLE transacciones DISABLE ROW LEVEL SECURITY")
    assert doctor(shop).in_state("error") == []


def test_a_prepared_transaction_is_named(shop: Shop):
    trade(shop)
    with writing(shop) as connection:
        connection.cursor().execute("PREPARE TRANSACTION 'olvidada'")
    try:
        report = doctor(shop)
    finally:
        shop.till("ROLLBACK PREPARED 'olvidada'")
    assert report.in_state("warning") == ["OLTP prepared transaction"]
    finding = report.one("OLTP prepared transaction")
    assert finding.found.startswith(f"'olvidada' of postgres in database {shop.oltp_name}, ")
    assert "ROLLBACK PREPARED 'olvidada'" in finding.remedy
    assert report.exit_code == 0


@pytest.fixture
def told_since_when(shop: Shop) -> Iterator[None]:
    """The reader sees when others' transactions began. Roles are the whole server's."""
    shop.till(f"GRANT pg_read_all_stats TO {OLTP_USER}")
    yield
    shop.till(f"REVOKE pg_read_all_stats FROM {OLTP_USER}")


@pytest.mark.usefixtures("told_since_when")
def test_an_old_transaction_is_named_if_it_wrote(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    with writing(shop) as writer, shop.transaction() as reader:
        reader.execute("SELECT count(*) FROM productos")
        quiet = one(examined(shop), "OLTP open transactions")
        assert quiet.found == "none that wrote is older than 60 minutes"
        monkeypatch.setattr(oltp_horizon, "_OLD_SECONDS", 0)
        finding = one(examined(shop), "OLTP open transaction")
        pid = writer.get_backend_pid()
    assert finding.state == "warning"
    assert finding.found.startswith(f"pid {pid}, user postgres, database {shop.oltp_name}, ")
    assert re.search(r"open since \d{4}-\d\d-\d\dT", finding.found)
    assert finding.remedy.endswith(f"pg_terminate_backend({pid})")


def test_a_plain_account_names_it_by_its_age(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    """It may not see since when others' transactions are open, and never says so falsely."""
    monkeypatch.setattr(oltp_horizon, "_OLD_SECONDS", 0)
    with writing(shop) as writer:
        quiet = examined(shop)
        assert "not visible" in one(quiet, "OLTP open transactions").found
        assert one(quiet, "OLTP horizon").state == "ok"
        shop.branch(1)
        monkeypatch.setattr(oltp_horizon, "_OLD_TRANSACTIONS", 1)
        findings = examined(shop)
        pid = writer.get_backend_pid()
    finding = one(findings, "OLTP open transaction")
    assert finding.found.startswith(f"pid {pid}, user postgres, ")
    assert "open for 2 transactions" in finding.found
    assert one(findings, "OLTP horizon").state == "warning"
    assert one(examined(shop), "OLTP horizon").state == "ok"


# The OLAP


def test_an_olap_that_is_not_initialised(shop: Shop):
    report = doctor(shop, OLAP_DB_NAME=shop.oltp_name)
    assert report.in_state("error") == ["OLAP objects"]
    assert "python -m pipeline init" in report.one("OLAP objects").remedy
    assert report.in_state("skipped") == ["OLAP otherwise"]
    assert report.one("OLAP otherwise").found.endswith(
        "rejects, out of scope, what comes in, counts by branch, tax of prices, adjustments"
    )
    assert report.exit_code == 1


def test_objects_of_another_version_or_zone(shop: Shop):
    control(shop, "zona = 'UTC'")
    report = doctor(shop, ETL_TIMEZONE="America/Lima")
    assert report.one("OLAP objects").remedy == "set ETL_TIMEZONE=UTC"
    control(shop, "esquema = 1")
    report = doctor(shop)
    assert report.in_state("error") == ["OLAP objects"]
    assert "of version 1" in report.one("OLAP objects").found


def test_the_loader_s_rights(shop: Shop):
    trade(shop)
    cursor = shop.olap.cursor()
    cursor.execute(f"GRANT SELECT, DELETE ON dw.kardex TO {OLAP_USER}")
    report = doctor(shop)
    assert report.in_state("warning") == ["OLAP least privilege"]
    assert "dw.kardex (SELECT, DELETE)" in report.one("OLAP least privilege").found
    cursor.execute("REVOKE EXECUTE ON FUNCTION etl.cargar_ventana(jsonb, jsonb) FROM etl_cargador")
    cursor.execute("DROP FUNCTION etl.anotar_vistas(timestamptz, timestamptz, numeric)")
    cursor.execute("REVOKE INSERT ON etl.etapa FROM etl_cargador")
    report = doctor(shop)
    assert report.in_state("error") == ["OLAP functions", "OLAP functions", "OLAP staging tables"]
    missing, forbidden = (f.found for f in report.findings if f.what == "OLAP functions")
    assert missing == "there is no etl.anotar_vistas"
    assert forbidden == f"{OLAP_USER} may not execute etl.cargar_ventana"
    assert report.one("OLAP staging tables").found.endswith("may not INSERT into etl.etapa")
    assert report.exit_code == 1


def test_the_functions_examined_are_those_granted(shop: Shop):
    granted = shop.olap_rows(
        "SELECT DISTINCT n.nspname || '.' || p.proname AS name FROM pg_proc AS p"
        " JOIN pg_namespace AS n ON n.oid = p.pronamespace WHERE n.nspname IN ('dw', 'etl')"
        " AND has_function_privilege('etl_cargador', p.oid, 'EXECUTE')"
    )
    script = (REPOSITORY / "sql/olap/diagnostico/funciones.sql").read_text(encoding="utf-8")
    examined = shop.olap_rows(script)
    assert {row["funcion"] for row in examined} == {row["name"] for row in granted}
    assert len(examined) == len(granted) > 15


def test_the_dashboards_account(shop: Shop):
    assert doctor(shop).one("dashboards' account").found == f"{BI_USER} is a member of bi_lector"
    assert doctor(shop, OLAP_BI_USER="").one("dashboards' account").state == "skipped"
    for user, found in (
        ("nadie", "nadie does not exist"),
        (OLTP_USER, f"{OLTP_USER} is no member of bi_lector"),
        ("bi_lector", "bi_lector may not log in"),
    ):
        report = doctor(shop, OLAP_BI_USER=user)
        assert report.in_state("error") == ["dashboards' account"]
        assert report.one("dashboards' account").found == found
        assert report.exit_code == 1
    report = doctor(shop, OLAP_BI_USER=shop.server.server.superuser)
    assert report.one("dashboards' account").state == "warning"


def test_the_dashboards_really_log_in(shop: Shop):
    # Of the tables, the stock by branch, the types of movements, the closings and those undone, and
    # what the shop says of its stock.
    promised = 5 + len(list((REPOSITORY / "sql/olap/views").glob("[mv]*.sql")))
    found = f"reads the {promised} views and tables promised, and no other"
    assert doctor(shop).one("dashboards' login").found == found
    assert doctor(shop, OLAP_BI_PASSWORD="").one("dashboards' login").state == "skipped"
    report = doctor(shop, OLAP_BI_PASSWORD="otra clave secreta")
    assert report.in_state("error") == ["dashboards' login"]
    assert "password authentication failed" in report.one("dashboards' login").found
    assert report.one("dashboards' login").remedy == "check OLAP_BI_PASSWORD and pg_hba.conf"
    assert "otra clave secreta" not in report.said
    assert report.exit_code == 1


def test_what_the_dashboards_see(shop: Shop):
    cursor = shop.olap.cursor()
    cursor.execute("REVOKE SELECT ON dw.mv_abc FROM bi_lector")
    report = doctor(shop)
    assert report.in_state("error") == ["dashboards' login"]
    assert report.one("dashboards' login").found == f"{BI_USER} cannot read dw.mv_abc"
    cursor.execute("GRANT SELECT ON dw.mv_abc TO bi_lector")
    for right in ("SELECT", "SELECT (valor)"):
        cursor.execute(f"GRANT {right} ON dw.kardex TO {BI_USER}")
        report = doctor(shop)
        assert "dashboards' login" in report.in_state("warning")
        found = report.one("dashboards' login").found
        assert found == f"{BI_USER} reads tables directly: dw.kardex"
        assert report.exit_code == 0
        cursor.execute(f"REVOKE {right} ON dw.kardex FROM {BI_USER}")
    assert doctor(shop).one("dashboards' login").state == "ok"


def test_the_views_examined_are_those_granted(shop: Shop):
    granted = shop.olap_rows(
        "SELECT n.nspname || '.' || c.relname AS name FROM pg_class AS c"
        " JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname IN ('dw', 'etl')"
        " AND c.relkind IN ('r', 'v', 'm') AND has_table_privilege('bi_lector', c.oid, 'SELECT')"
    )
    script = (REPOSITORY / "sql/olap/diagnostico/tableros.sql").read_text(encoding="utf-8")
    promised = {row["relacion"] for row in shop.olap_rows(script) if row["prometida"]}
    assert promised == {row["name"] for row in granted}


def test_the_age_of_the_last_run(shop: Shop):
    now = whole_second(datetime.now(UTC))
    for hasta, state, found in (
        (now - timedelta(days=3), "warning", "3.0 days ago"),
        (now - timedelta(days=1), "ok", "24.0 hours ago"),
        (now + timedelta(hours=1), "error", "has not come yet"),
    ):
        control(shop, "hasta = %s", hasta)
        report = doctor(shop)
        assert report.one("last run").state == state
        assert found in report.one("last run").found
        assert report.exit_code == (state == "error")


def test_an_unfinished_window_is_named(shop: Shop):
    (shop.folder / "state").mkdir(mode=0o700)
    (shop.folder / "state" / LABEL).mkdir(mode=0o700)
    report = doctor(shop)
    assert report.one("unfinished window").state == "warning"
    assert report.one("unfinished window").found == LABEL
    assert report.exit_code == 0
    # One that does not follow the last run is history.
    control(shop, "hasta = %s", whole_second(datetime.now(UTC)))
    assert doctor(shop).one("unfinished window").state == "ok"


def test_rejects_that_wait_are_counted(shop: Shop):
    shop.product(1)
    yesterday = datetime.now(UTC) - timedelta(days=1)
    shop.receipt(yesterday, (1, 10, 5), (1, 10, None), (1, 11, None))
    shop.run_in_process()
    report = doctor(shop)
    assert report.in_state("warning") == ["rejects"]
    assert report.one("rejects").found.startswith("2 movements wait to become valid (")
    assert report.exit_code == 0


# The report, notices and metrics


def with_outputs(shop: Shop, web: WebServer) -> Path:
    """Set all of them to what works; returns the folder of the files."""
    folder = shop.folder / "publicado"
    folder.mkdir()
    shop.env["ETL_REPORT_PATH"] = str(folder / "informe.html")
    shop.env["ETL_METRICS_FILE"] = str(folder / "etl.prom")
    shop.env["ETL_NOTIFY_URLS"] = web.channel
    return folder


def in_state(findings: list[Finding], state: str) -> list[str]:
    """What was found to be so of what a run leaves beside the OLAP, and of its account."""
    ours = ("report", "notices", "metrics", "superset", "dashboards")
    return [f.what for f in findings if f.state == state and f.what.startswith(ours)]


@pytest.fixture
def web() -> Iterator[WebServer]:
    with web_server() as server:
        yield server


@pytest.mark.one_postgres
def test_what_a_run_leaves_is_examined_and_neither_sent_nor_written(shop: Shop, web: WebServer):
    folder = with_outputs(shop, web)
    report = doctor(shop)
    account = ["dashboards' account", "dashboards' login"]
    names = ["report", "report's place", "notices", "metrics"]
    assert in_state(report.findings, "ok") == [*account, *names]
    assert (report.exit_code, report.in_state("error")) == (0, [])
    assert "secreto" not in report.said
    assert list(folder.iterdir()) == web.asked == []


@pytest.mark.one_postgres
@pytest.mark.parametrize(
    ("env", "state", "what", "said"),
    [
        ({"ETL_REPORT_PATH": "/no/hay/i.html"}, "error", "report's place", "does not exist"),
        ({"ETL_REPORT_PATH": "/etc/passwd/i.html"}, "error", "report's place", "is no folder"),
        ({"ETL_REPORT_PATH": "/"}, "error", "report's place", "/ is a folder"),
        ({"OLAP_BI_USER": ""}, "error", "report", "OLAP_BI_USER is not set"),
        ({"OLAP_BI_PASSWORD": ""}, "error", "dashboards' login", "OLAP_BI_PASSWORD"),
        ({"ETL_METRICS_FILE": "/no/hay/e.prom"}, "warning", "metrics", "ETL_METRICS_FILE"),
        ({"ETL_METRICS_FILE": "/tmp/e.txt"}, "warning", "metrics", "does not end in .prom"),
        ({"SUPERSET_URL": "hola"}, "warning", "superset", "must be an address such as http"),
        (
            {"ETL_NOTIFY_URLS": "json://localhost/secreto foo://secreto"},
            "warning",
            "notices",
            "does not understand the URL of channel 2 (foo://…); correct ETL_NOTIFY_URLS",
        ),
    ],
)
def test_what_keeps_a_run_from_leaving_it(
    shop: Shop, web: WebServer, env: dict[str, str], state: str, what: str, said: str
):
    with_outputs(shop, web)
    findings = examined(shop, **env)
    assert in_state(findings, state) == [what]
    finding = one(findings, what)
    assert said in f"{finding.found}; {finding.remedy}"
    assert "secreto" not in str(findings)


@pytest.mark.one_postgres
def test_an_extra_that_is_missing_and_a_folder_that_cannot_be_written(
    shop: Shop, web: WebServer, monkeypatch: pytest.MonkeyPatch
):
    folder = with_outputs(shop, web)
    # Root may write where the mode forbids it.
    monkeypatch.setattr("pipeline.doctor.outputs.os.access", lambda *_: False)
    monkeypatch.delitem(sys.modules, "pipeline.report.page", raising=False)
    for module in ("jinja2", "apprise", "prometheus_client"):
        monkeypatch.setitem(sys.modules, module, None)
    findings = examined(shop)
    assert in_state(findings, "error") == ["report", "report's place"]
    assert in_state(findings, "warning") == ["notices", "metrics", "metrics"]
    needed, place = (f for f in findings if f.what == "metrics")
    for finding, module, extra in (
        (one(findings, "report"), "jinja2", "report"),
        (one(findings, "notices"), "apprise", "notify"),
        (needed, "prometheus_client", "metrics"),
    ):
        assert finding.found.endswith(f" needs {module}")
        assert finding.remedy.startswith(f"pip install '.[{extra}]'")
    assert place.found == one(findings, "report's place").found == f"{folder} cannot be written"


# Clocks


@pytest.mark.parametrize(
    ("seconds", "state", "words"),
    [(10, "warning", "behind"), (-10, "warning", "ahead of"), (100, "error", "behind")],
)
def test_a_clock_that_is_off(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, seconds: int, state: str, words: str
):
    shift = timedelta(seconds=seconds)
    monkeypatch.setattr(clocks, "local_time", lambda: datetime.now(UTC) + shift)
    findings = examined(shop)
    for side in ("OLTP", "OLAP"):
        finding = one(findings, f"{side} clock")
        assert finding.state == state
        assert f" s {words} this machine's" in finding.found


# Luigi


@pytest.mark.one_postgres
def test_luigi_s_configuration(shop: Shop, tmp_path: Path):
    other = tmp_path / "otro.cfg"
    for text, found in (
        (None, "which is no file"),
        ("[core]\nno_lock = true\n", "has no [retcode]"),
        ("[retcode]\ntask_failed = 0\nnot_run = 25\n", "[retcode] task_failed is 0"),
    ):
        if text is not None:
            other.write_text(text)
        report = doctor(shop, LUIGI_CONFIG_PATH=str(other))
        assert report.one("luigi.cfg").state == "warning"
        assert found in report.one("luigi.cfg").found
        assert report.exit_code == 0
    del shop.env["LUIGI_CONFIG_PATH"]
    assert doctor(shop).one("luigi.cfg").found.startswith("none found")
    shutil.copy(REPOSITORY / "luigi.cfg", shop.folder)
    assert doctor(shop).one("luigi.cfg") == Finding("ok", "luigi.cfg", "luigi.cfg")


@pytest.mark.one_postgres
def test_luigid_is_found_where_it_answers(shop: Shop, tmp_path: Path):
    with luigid(tmp_path, shop.env) as port:
        configuration = tmp_path / "central.cfg"
        text = (REPOSITORY / "luigi.cfg").read_text(encoding="utf-8")
        configuration.write_text(text.replace("[core]", f"[core]\ndefault-scheduler-port={port}"))
        env = {"LUIGI_CONFIG_PATH": str(configuration)}
        assert doctor(shop, **env).one("luigid") == Finding(
            "ok", "luigid", f"answers at localhost:{port}"
        )
    report = doctor(shop, **env)
    assert report.one("luigid").state == "skipped"
    assert report.exit_code == 0


def test_a_branch_zero_beside_documents_without_branch(shop: Shop):
    trade(shop)
    shop.branch(0)
    shop.till("UPDATE transacciones SET id_sucursal = 0")
    assert not [f for f in examined(shop) if f.what == "OLTP branch 0"]
    shop.sale(datetime.now(UTC), (1, 1, 5))
    found = one(examined(shop), "OLTP branch 0")
    assert (found.state, "without a branch" in found.found) == ("warning", True)
