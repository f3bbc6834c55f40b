"""The dashboards in a real Superset: `scripts/test --superset`."""

from __future__ import annotations

import math
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from local_servers import free_port
from shop_database import Shop, new_shop
from shop_server import REPOSITORY, must_succeed, run_program, running_server
from superset_browser import viewer
from superset_import import import_program
from test_views import trade

from pipeline.demo.server import embedded_binaries
from pipeline.demo.superset_server import SupersetServer, running
from pipeline.superset.client import Session
from pipeline.superset.read_back import chart_data

FOLDER = REPOSITORY / "superset"
PICTURES = REPOSITORY / "build" / "superset"
EXPECTED = dict(
    re.findall(
        r"^-- (\w+)\n(.*?)(?=^-- \w+\n|\Z)",
        (REPOSITORY / "tests/superset_charts.sql").read_text(encoding="utf-8"),
        re.M | re.S,
    )
)


class Dashboards(NamedTuple):
    """A shop that has traded, and a Superset with its dashboards."""

    shop: Shop
    superset: SupersetServer
    session: Session

    def load(self, folder: Path = FOLDER, **env: str) -> subprocess.CompletedProcess[str]:
        """Import the folder's files, whatever comes of it."""
        account = self.superset.account
        given = {"SUPERSET_PASSWORD": account.password, "ETL_TIMEZONE": "America/Lima"}
        program = import_program("--url", account.url, "--user", account.user)
        program += ["--folder", str(folder)]
        return run_program(program, self.shop.folder, self.shop.env | given | env)

    def rows(self, chart: str, force: bool = True) -> list[list[Any]]:
        """What a chart shows, a list a row."""
        found = chart_data(self.session, uuid_of(chart), force)
        return [list(row.values()) for row in found["data"]]


def uuid_of(chart: str, room: str = "charts") -> str:
    """The uuid in a file."""
    return str(yaml.safe_load((FOLDER / room / f"{chart}.yaml").read_text())["uuid"])


@pytest.fixture(scope="module")
def dashboards(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Dashboards]:
    """One Superset for all tests, since its start takes half a minute; only if it is asked for."""
    if not request.config.getoption("--superset"):
        pytest.skip("a real Superset: scripts/test --superset")
    folder = tmp_path_factory.mktemp("dashboards")
    (folder / "postgres").mkdir()
    requirements = FOLDER / "requirements.txt"
    with (
        running_server(folder / "postgres", embedded_binaries()) as shop_server,
        new_shop(folder, shop_server) as shop,
        running(folder / "superset", requirements) as superset,
    ):
        fill(shop)
        shown = Dashboards(shop, superset, Session(superset.account, 120))
        must_succeed(shown.load())
        yield shown


def fill(shop: Shop) -> None:
    """Fifteen months of trade up to now, a reject, a jump of cost, and a second run."""
    now = datetime.now(timezone.utc)
    initial = now - timedelta(days=460)
    trade(shop, now - timedelta(hours=1))
    shop.till("UPDATE transacciones SET id_sucursal = 1 WHERE id_sucursal IS NULL")
    shop.receipt(now - timedelta(days=3), (1, 5, Decimal(3)), id_sucursal=1)
    shop.receipt(now - timedelta(days=2), (1, 5, Decimal(900)), id_sucursal=1)
    shop.sale(now - timedelta(days=1), (2, 0, Decimal(5)), id_sucursal=1)
    shop.env |= {"ETL_TIMEZONE": "America/Lima", "ETL_INITIAL_SINCE": initial.isoformat()}
    shop.run()
    shop.sale(now - timedelta(hours=1), (3, 400, Decimal(4)), id_sucursal=2)
    shop.run()


def plain(value: Any) -> Any:
    """A value as Superset gives it: moments in milliseconds, numbers in doubles."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=timezone.utc).timestamp() * 1000
    if isinstance(value, date):
        return plain(datetime(value.year, value.month, value.day))
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return float(value)
    return value


def same(found: list[list[Any]], expected: list[list[Any]]) -> bool:
    """Whether both have the same rows, in any order, to nine digits."""

    def equal(one: Any, other: Any) -> bool:
        if isinstance(one, float) and isinstance(other, float):
            return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-6)
        return bool(one == other)

    def key(row: list[Any]) -> str:
        return repr([f"{cell:.6f}" if isinstance(cell, float) else cell for cell in row])

    pairs = zip(sorted(found, key=key), sorted(expected, key=key), strict=False)
    return len(found) == len(expected) and all(
        len(one) == len(other) and all(map(equal, one, other)) for one, other in pairs
    )


def expected_rows(shop: Shop, chart: str) -> list[list[Any]]:
    """What the OLAP's administrator finds for a chart."""
    with shop.olap.cursor() as cursor:
        cursor.execute(EXPECTED[chart])
        return [[plain(cell) for cell in row] for row in cursor.fetchall()]


def test_every_chart_shows_what_sql_says(dashboards: Dashboards):
    charts = {path.stem for path in (FOLDER / "charts").glob("*.yaml")}
    assert charts == EXPECTED.keys()
    wrong = []
    for chart in sorted(charts):
        found = [[plain(cell) for cell in row] for row in dashboards.rows(chart)]
        expected = expected_rows(dashboards.shop, chart)
        assert expected, f"{chart}: the shop gives it nothing to show"
        if not same(found, expected):
            wrong.append(f"{chart}: {found[:3]} … instead of {expected[:3]} …")
    assert not wrong, "\n".join(wrong)


def test_the_three_dashboards_are_drawn_at_laptop_width(dashboards: Dashboards):
    PICTURES.mkdir(parents=True, exist_ok=True)
    with viewer(dashboards.superset.account) as browser:
        for path in sorted((FOLDER / "dashboards").glob("*.yaml")):
            dashboard = yaml.safe_load(path.read_text(encoding="utf-8"))
            cells = [key for key in dashboard["position"] if key.startswith("CHART-")]
            drawn = browser.show(dashboard["slug"], PICTURES / f"{path.stem}.png")
            assert drawn == len(cells)


def test_a_second_import_changes_titles_and_metrics_in_place(
    dashboards: Dashboards, tmp_path: Path
):
    before = dashboards.rows("venta_neta")
    changed = shutil.copytree(FOLDER, tmp_path / "superset")
    for name, old, new in (
        ("charts/venta_neta.yaml", "slice_name: Venta neta", "slice_name: Vendido"),
        ("datasets/mv_ventas_diarias.yaml", "sum(venta_neta)\n", "2 * sum(venta_neta)\n"),
        ("dashboards/ventas-y-margen.yaml", "_title: Ventas y margen", "_title: Lo vendido"),
    ):
        text = (changed / name).read_text(encoding="utf-8")
        assert old in text
        (changed / name).write_text(text.replace(old, new), encoding="utf-8")
    assert "34 charts have their data" in must_succeed(dashboards.load(changed)).stdout
    title = dashboards.session.get(f"/api/v1/chart/{uuid_of('venta_neta')}")["result"]
    assert title["slice_name"] == "Vendido"
    board = dashboards.session.get("/api/v1/dashboard/ventas-y-margen")["result"]
    assert board["dashboard_title"] == "Lo vendido"
    assert dashboards.rows("venta_neta")[0][0] == pytest.approx(2 * before[0][0])
    must_succeed(dashboards.load())
    assert dashboards.rows("venta_neta") == before
    for kind, count in (("chart", 34), ("dataset", 12), ("dashboard", 3), ("database", 1)):
        assert dashboards.session.get(f"/api/v1/{kind}/")["count"] == count


@pytest.mark.parametrize(
    "env, said",
    [
        ({"OLAP_BI_PASSWORD": "otra clave"}, "incorrect"),
        ({"OLAP_DB_PORT": str(free_port())}, "refused"),
        ({"OLAP_DB_NAME": "no_hay"}, "no_hay"),
        ({"SUPERSET_PASSWORD": "otra"}, "refuses the login of admin"),
    ],
)
def test_what_cannot_work_is_one_line_and_imports_nothing(
    dashboards: Dashboards, env: dict[str, str], said: str
):
    done = dashboards.load(**env)
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 1
    assert said in done.stdout
    assert "clave" not in done.stdout
    assert dashboards.rows("corridas")


def test_a_view_that_is_missing_is_named_with_its_charts(dashboards: Dashboards):
    cursor = dashboards.shop.olap.cursor()
    cursor.execute("ALTER MATERIALIZED VIEW dw.mv_abc RENAME TO mv_abc_guardada")
    try:
        done = dashboards.load()
    finally:
        cursor.execute("ALTER MATERIALIZED VIEW dw.mv_abc_guardada RENAME TO mv_abc")
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 1
    assert "1 of 34 charts have no data: Clases ABC" in done.stdout
    assert "mv_abc" in done.stdout
    assert dashboards.rows("clases_abc")


def test_after_a_window_the_charts_show_it(dashboards: Dashboards):
    shop, account = dashboards.shop, dashboards.superset.account

    def shown() -> float:
        return float(dashboards.rows("corridas", force=False)[0][0])

    before = shown()
    shop.run()
    assert shown() == before, "Superset caches nothing, so that the next lines say nothing"
    said = shop.run(SUPERSET_URL=account.url, SUPERSET_PASSWORD=account.password).stdout
    assert "Superset: 12 datasets will be asked anew" in said
    assert shown() == before + 2
    refused = shop.run(SUPERSET_URL=account.url, SUPERSET_PASSWORD="otra clave").stdout
    assert refused.count("it refuses the login of admin") == 1
    assert "otra clave" not in refused
